//! The binary itself, as Lambda runs it, against the Region over loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::path::Path;

use privatelink_region::server;
use privatelink_tests::lambda::Lambda;
use privatelink_tests::notices::{NOTICES, Notices, OWN};
use privatelink_tests::stage::{PROVIDER, outcomes, tallied};
use privatelink_tests::{ACME, BETA, STRANGER};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn start(notices: &Notices, more: &[(&'static str, &str)]) -> Lambda {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut variables = vec![
        ("AWS_REGION", "us-west-2".to_owned()),
        ("AWS_ACCESS_KEY_ID", PROVIDER.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "hidden".to_owned()),
        ("AWS_SESSION_TOKEN", "concealed".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr().unwrap())),
        ("PRIVATELINK_POLICY_DIR", notices.stage.policy.path().display().to_string()),
        ("PRIVATELINK_NOTICE_TOPIC_ARN", NOTICES.to_owned()),
    ];
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    tokio::spawn(server::serve(notices.region().clone(), listener));
    Lambda::start(Path::new(env!("CARGO_BIN_EXE_availability-notifier")), &variables).await
}

#[tokio::test]
async fn the_binary_tells_marks_and_logs() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let acme = notices.connection(&service, ACME, "available");
    let beta = notices.connection(&service, BETA, "rejected");
    let held = notices.held(&service, STRANGER);
    let lambda = start(&notices, &[]).await;
    let answer = lambda.invoke(json!({"serviceIds": [service]}).to_string().as_bytes()).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 3), ("tag done", 3)]));
    let mut expected = vec![
        notices.of(NOTICES, "EndpointConnectionAvailable", &acme, "available"),
        notices.of(OWN, "EndpointConnectionRejected", &beta, "rejected"),
    ];
    expected.sort();
    assert_eq!(notices.told(), expected);

    let lines: Vec<Value> = lambda.log().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let published = lines.iter().filter(|line| line["message"] == "effect" && line["effect"] == "publish");
    assert_eq!(published.count(), 3);
    // Without a topic of their own the operators read it here.
    let said = lines.iter().find(|line| line["message"] == "notice").unwrap();
    assert_eq!((&said["notice"]["type"], &said["level"]), (&json!("EndpointConnectionHeld"), &json!("INFO")));
    assert_eq!(said["notice"]["endpoint"]["id"], held.as_str());
    assert_eq!(lines.last().unwrap()["message"], "report");
    let text = lambda.log().join("\n");
    assert!(!text.contains("hidden") && !text.contains("concealed"), "a secret was logged");

    let answer = lambda.invoke(b"{}").await.unwrap();
    assert_eq!(outcomes(&answer), []);
    assert_eq!(notices.told(), []);
}

#[tokio::test]
async fn a_bad_configuration_is_told_at_every_event_and_names_every_variable() {
    let notices = Notices::new();
    let wrong = [("PRIVATELINK_NOTIFY_SINCE", "yesterday"), ("PRIVATELINK_OPERATOR_TOPIC_ARN", "operators")];
    let lambda = start(&notices, &wrong).await;
    lambda.refuses_its_variables(&wrong).await;
}
