//! The binary itself, as Lambda runs it, against the Region over loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_region::faults::FaultKind;
use privatelink_tests::lambda::{Lambda, SECRETS};
use privatelink_tests::stage::{outcomes, tallied};
use privatelink_tests::{ACME, BETA, STRANGER, Stage};
use serde_json::json;

async fn start(stage: &Stage, more: &[(&str, &str)]) -> Lambda {
    Lambda::on(env!("CARGO_BIN_EXE_connection-acceptor"), stage, more).await
}

#[tokio::test]
async fn the_binary_accepts_rejects_and_holds() {
    let stage = Stage::new();
    let service = stage.service();
    let endpoints = [ACME, BETA, STRANGER].map(|account| stage.connect(&service, account));
    let lambda = start(&stage, &[]).await;

    let answer = lambda.invoke(json!({"serviceIds": [service]}).to_string().as_bytes()).await.unwrap();

    assert_eq!(endpoints.clone().map(|id| stage.state(&id)), ["pending", "rejected", "pendingAcceptance"]);
    assert_eq!(
        outcomes(&answer),
        tallied(&[("accept done", 1), ("hold done", 1), ("reject done", 1), ("tag done", 2)])
    );

    let log = lambda.lines();
    let decisions: Vec<_> = log.iter().filter(|line| line["message"] == "decision").collect();
    assert_eq!(decisions.len(), 3);
    let accepted = decisions.iter().find(|line| line["endpointId"] == endpoints[0].as_str()).unwrap();
    assert_eq!((&accepted["decision"], &accepted["policy"]), (&json!("accept"), &json!(["partners-may-connect"])));
    assert_eq!((&accepted["facts"]["account"], &accepted["facts"]["consumerConnections"]), (&json!(ACME), &json!(0)));
    assert!(accepted["policyDigest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(log.last().unwrap()["message"], "report");
    let text = lambda.log().join("\n");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "a secret was logged");

    // What is held as before is no new decision, and no new line.
    lambda.invoke(b"{}").await.unwrap();
    assert_eq!(lambda.lines().iter().filter(|line| line["message"] == "decision").count(), 3);
}

#[tokio::test]
async fn whatever_bytes_come_the_answer_is_ours() {
    let stage = Stage::new();
    let endpoint = stage.connect(&stage.service(), ACME);
    let lambda = start(&stage, &[]).await;
    for payload in
        [&b"not json"[..], b"", b"\xff\xfe\x00", b"{\"serviceIds\": [", b"{\"a\":\"\xff\"}", b"null", b"[[[["]
    {
        let (kind, message) = lambda.invoke(payload).await.unwrap_err();
        assert_eq!(kind, "UnrecognizedEvent", "{payload:?}: {message}");
    }
    assert_eq!(stage.state(&endpoint), "pendingAcceptance");
    lambda.invoke(b"{}").await.unwrap();
    assert_eq!(stage.state(&endpoint), "pending", "the process lives on");
}

#[tokio::test]
async fn a_bad_configuration_is_told_at_every_event_and_names_every_variable() {
    let stage = Stage::new();
    let wrong = [("PRIVATELINK_MODE", "maybe"), ("PRIVATELINK_SERVICE_TAG", "team"), ("AWS_REGION", "unset")];
    let lambda = start(&stage, &wrong).await;
    lambda.refuses_its_variables(&wrong).await;
}

#[tokio::test]
async fn a_bad_policy_is_told_at_every_event_until_it_is_mended() {
    let stage = Stage::new();
    let endpoint = stage.connect(&stage.service(), ACME);
    stage.write("bad.cedar", "permit(principal, action, resource);");
    let lambda = start(&stage, &[]).await;
    for _ in 0..2 {
        let (kind, message) = lambda.invoke(b"{}").await.unwrap_err();
        assert!(kind == "BadPolicy" && message.contains("bad.cedar:1: "), "{kind}: {message}");
    }
    std::fs::remove_file(stage.policy.path().join("bad.cedar")).unwrap();
    lambda.invoke(b"{}").await.unwrap();
    assert_eq!(stage.state(&endpoint), "pending");
}

#[tokio::test]
async fn failures_have_their_types_and_come_before_the_deadline() {
    let stage = Stage::new();
    stage.connect(&stage.service(), ACME);
    let lambda = start(&stage, &[]).await;
    let time = Duration::from_secs(3);
    for (action, kind, expected) in [
        ("AcceptVpcEndpointConnections", FaultKind::Throttled, "Retry"),
        ("AcceptVpcEndpointConnections", FaultKind::Silence, "Retry"),
        ("DescribeVpcEndpointConnections", FaultKind::Silence, "ReadFailed"),
        ("DescribeVpcEndpointConnections", FaultKind::Reset, "ReadFailed"),
    ] {
        // As many calls go wrong as can be made in the time, and those that are left over are taken back.
        stage.break_next(action, u32::MAX, kind);
        let asked = std::time::Instant::now();
        let (kind, message) = lambda.invoke_within(b"{}", time).await.unwrap_err();
        assert_eq!(kind, expected, "{message}");
        assert!(asked.elapsed() < time, "{action}: {:?}", asked.elapsed());
        stage.region.mend();
    }
    lambda.invoke(b"{}").await.unwrap();
    assert_eq!(stage.count("pending"), 1);
}

#[tokio::test]
async fn observe_writes_nothing() {
    let mut stage = Stage::new();
    stage.connect(&stage.service(), ACME);
    stage.calls();
    let lambda = start(&stage, &[("PRIVATELINK_MODE", "observe")]).await;
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert_eq!((&answer["mode"], outcomes(&answer)), (&json!("observe"), tallied(&[("accept planned", 1)])));
    assert_eq!(stage.writes(), [""; 0]);
}
