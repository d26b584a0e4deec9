//! The commands of operators, against a Region over loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use std::fs;
use std::process::Command;

use common::Desk;
use privatelink_core::policy::{Policy, Sources};
use privatelink_region::faults::FaultKind;
use privatelink_tests::{ACME, PROVIDER, STRANGER};
use serde_json::{Value, json};

#[tokio::test]
async fn list_names_whose_each_connection_is() {
    let desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    desk.stage.run(json!({})).await.unwrap();

    let (good, text) = desk.run(&["list", "--json"]).await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert!(good);
    assert_eq!((&list[0]["consumer"], &list[0]["endpointId"]), (&json!("acme"), &json!(acme)));
    assert_eq!((&list[0]["decision"], &list[0]["policy"]), (&json!("accepted"), &json!(["partners-may-connect"])));
    assert_eq!((&list[1]["consumer"], &list[1]["state"]), (&Value::Null, &json!("pendingAcceptance")));

    let (_, text) = desk.run(&["list", "--consumer", "?", "--state", "pendingacceptance"]).await;
    assert!(text.contains(&stranger) && text.contains("held") && !text.contains(&acme), "{text}");
    let (good, text) = desk.run(&["list", "--consumer", "beta"]).await;
    assert!(good && text.contains("no connection"), "{text}");
}

#[tokio::test]
async fn plan_shows_and_apply_does() {
    let mut desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    desk.stage.calls();

    let (good, text) = desk.run(&["plan"]).await;
    assert!(good && text.contains(&format!("accept  {acme} of {ACME}")), "{text}");
    let (_, json) = desk.run(&["plan", "--json"]).await;
    let plan: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&plan["effects"][0]["effect"], &plan["effects"][0]["endpointId"]), (&json!("accept"), &json!(acme)));

    let (good, text) = desk.run(&["apply"]).await;
    assert!(!good && text.contains("`--yes`"), "{text}");
    assert_eq!(desk.stage.writes(), [""; 0]);

    let (good, text) = desk.run(&["apply", "--yes"]).await;
    assert!(good, "{text}");
    assert_eq!([&acme, &stranger].map(|id| desk.stage.state(id)), ["pending", "pendingAcceptance"]);
    assert_eq!(desk.stage.tags(&stranger).unwrap(), "held: partners-may-connect");
    let (good, text) = desk.run(&["apply"]).await;
    assert!(good && text.contains("nothing to do"), "{text}");
}

#[tokio::test]
async fn plan_shows_what_another_policy_would_decide_differently() {
    let desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    let strict = tempfile::tempdir().unwrap();
    fs::write(strict.path().join("consumers.toml"), "").unwrap();
    let nobody = r#"@id("nobody") forbid(principal, action, resource);"#;
    fs::write(strict.path().join("nobody.cedar"), nobody).unwrap();
    let strict = strict.path().to_str().unwrap();
    let (good, text) = desk.run(&["plan", "--against", strict]).await;
    assert!(good && text.contains(&format!("hold -> accept  {acme} of {ACME}")), "{text}");
    assert!(!text.contains(&stranger) && text.contains("1 of 2 connections are decided differently"), "{text}");
    let (_, text) = desk.run(&["plan", "--against", strict, "--json"]).await;
    let changes: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(changes["changes"][0]["after"], json!({"decision": "accept", "policy": ["partners-may-connect"]}));
    let (good, text) = desk.run(&["plan", "--against", "nowhere"]).await;
    assert!(!good && text.contains("nowhere"), "{text}");
}

#[tokio::test]
async fn explain_says_what_is_decided_and_what_was_missing() {
    let desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    let (_, text) = desk.run(&["explain", "--endpoint", &acme]).await;
    assert!(text.contains("accepted: by partners-may-connect") && text.contains("of acme"), "{text}");
    let (_, text) = desk.run(&["explain", "--endpoint", &stranger]).await;
    assert!(text.contains("held: ") && text.contains(r#"principal in Group::"partners""#), "{text}");
    assert!(text.contains("whom nobody lists"), "{text}");

    let (good, text) = desk.run(&["explain", "--endpoint", "vpce-0123456789abcdef0"]).await;
    assert!(!good && text.contains("is connected to none"), "{text}");
    let (_, text) = desk.run(&["explain", "--account", ACME, "--consumer-connections", "20"]).await;
    assert!(text.contains("held: ") && text.contains("context.consumerConnections"), "{text}");
    let (_, text) = desk.run(&["explain", "--account", "222233334444"]).await;
    assert!(text.contains("rejected: by blocked-are-turned-away"), "{text}");
    let (good, _) = desk.run(&["explain"]).await;
    assert!(!good);
}

#[tokio::test]
async fn a_person_decides_about_what_is_held() {
    let desk = Desk::open().await;
    let service = desk.stage.service();
    let [one, other] = [STRANGER, STRANGER].map(|account| desk.stage.connect(&service, account));
    desk.stage.run(json!({})).await.unwrap();

    let (good, _) = desk.run(&["accept", &one]).await;
    assert!(!good, "nobody said yes");
    assert!(desk.run(&["accept", "--yes", &one]).await.0);
    assert!(desk.run(&["reject", "--yes", &other]).await.0);
    assert_eq!([&one, &other].map(|id| desk.stage.state(id)), ["pending", "rejected"]);
    assert_eq!([&one, &other].map(|id| desk.stage.tags(id).unwrap()), ["accepted: ", "rejected: "]);

    let (good, text) = desk.run(&["reject", "--yes", &one]).await;
    assert!(!good && text.contains("revoke"), "{text}");
    assert_eq!(desk.stage.state(&one), "pending");
    assert!(!desk.run(&["accept", "--yes", "vpce-svc-0a"]).await.0);
}

#[tokio::test]
async fn revoke_cuts_off_and_says_what_keeps_them_out() {
    let mut desk = Desk::open().await;
    let service = desk.stage.service();
    let acme = desk.stage.connect_many(&service, ACME, 3);
    let other = desk.stage.connect(&service, STRANGER);
    desk.stage.run(json!({})).await.unwrap();
    desk.stage.region.world().accept(&service, &other).unwrap();
    desk.stage.calls();

    let (good, text) = desk.run(&["revoke", "--consumer", "acme"]).await;
    assert!(!good && acme.iter().all(|endpoint| text.contains(endpoint)), "{text}");
    assert_eq!(desk.stage.writes(), [""; 0]);

    let (good, text) = desk.run(&["revoke", "--consumer", "acme", "--yes"]).await;
    assert!(good && acme.iter().all(|endpoint| desk.stage.state(endpoint) == "rejected"), "{text}");
    assert_eq!(desk.stage.state(&other), "pending");
    assert!(text.contains("--remove-allowed-principals arn:aws:iam::111122223333:root"), "{text}");

    // The policy that it prints is one: with it, and with all that were there, they do not come back.
    let printed: String = text
        .lines()
        .filter(|line| line.starts_with("@id") || line.starts_with("forbid"))
        .collect::<Vec<_>>()
        .join("\n");
    let consumers = std::fs::read_to_string(desk.stage.policy.path().join("consumers.toml")).unwrap();
    let sources: Sources = [("consumers.toml", consumers), ("revoked.cedar", printed.clone())].into_iter().collect();
    Policy::load(&sources).unwrap();
    desk.stage.write("revoked.cedar", &printed);
    let again = desk.stage.connect(&service, ACME);
    desk.stage.run(json!({})).await.unwrap();
    assert_eq!(desk.stage.state(&again), "pendingAcceptance");

    assert!(!desk.run(&["revoke", "--consumer", "nobody", "--yes"]).await.0);
    assert!(!desk.run(&["revoke", "--yes"]).await.0, "everybody is not whom anybody means");
}

#[tokio::test]
async fn doctor_answers_yes_no_or_not_known() {
    let mut desk = Desk::open().await;
    let service = desk.stage.service();
    let answers = |text: &str| {
        let list: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let answer = |check: &Value| check["answer"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(answer).collect::<Vec<_>>()
    };
    let (good, text) = desk.run(&["doctor", "--json"]).await;
    assert!(good);
    assert_eq!(answers(&text), ["yes", "yes", "yes", "yes", "not known", "not known", "not known"]);

    let endpoint = desk.stage.connect(&service, ACME);
    desk.stage.calls();
    let (good, text) = desk.run(&["doctor", "--json"]).await;
    assert!(good);
    assert_eq!(answers(&text), ["yes"; 7]);
    // A dry run is a call, and changes nothing.
    assert_eq!(desk.stage.state(&endpoint), "pendingAcceptance");
    assert_eq!(desk.stage.tags(&endpoint), None);

    desk.stage.break_next("CreateTags", 1, FaultKind::Unauthorized);
    desk.stage.break_next("RejectVpcEndpointConnections", 1, FaultKind::Refused("Odd".to_owned()));
    desk.stage.region.world().services.get_mut(&service).unwrap().acceptance_required = false;
    let (good, text) = desk.run(&["doctor", "--json"]).await;
    assert!(!good, "{text}");
    assert_eq!(answers(&text), ["yes", "yes", "yes", "no", "yes", "not known", "no"]);
}

#[tokio::test]
async fn two_regions_do_not_share_a_port() {
    let desk = Desk::open().await;
    let port = desk.url.rsplit(':').next().unwrap().to_owned();
    let (good, text) = desk.run(&["region", "--port", &port]).await;
    assert!(!good && text.contains(&format!("port {port} is taken")), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_the_variables_is_said_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_privatelink")).arg("list").env_clear().output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(text.contains(name), "{text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn without_keys_the_aws_command_line_is_asked_for_them() {
    use std::os::unix::fs::PermissionsExt;

    let mut desk = Desk::open().await;
    let acme = desk.stage.connect(&desk.stage.service(), ACME);
    let tools = tempfile::tempdir().unwrap();
    let tool = tools.path().join("aws");
    let script = format!(
        r#"#!/bin/sh
[ "$*" = "configure export-credentials --format process --profile mine" ] || {{ echo "no profile" >&2; exit 1; }}
echo '{{"Version": 1, "AccessKeyId": "{PROVIDER}", "SecretAccessKey": "s", "SessionToken": "t"}}'
"#
    );
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    desk.set("PATH", format!("{}:/usr/bin:/bin", tools.path().display()));
    // Whoever the variables are, the profile is meant.
    desk.set("AWS_ACCESS_KEY_ID", ACME.to_owned());
    let (good, text) = desk.run(&["list", "--profile", "mine"]).await;
    assert!(good && text.contains(&acme), "{text}");
    let (_, text) = desk.run(&["diagnose", "api.example.com", "--profile", "mine"]).await;
    assert!(text.contains("no service of this account"), "{text}");
    let (good, text) = desk.run(&["list", "--profile", "other"]).await;
    assert!(!good && text.contains("no profile") && text.contains("AWS_ACCESS_KEY_ID"), "{text}");
    desk.set("AWS_ACCESS_KEY_ID", String::new());
    let (good, text) = desk.run(&["list"]).await;
    assert!(!good && text.contains("there are no keys"), "{text}");
}
