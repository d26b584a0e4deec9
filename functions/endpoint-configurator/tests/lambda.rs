//! The binary itself, as Lambda runs it, against the Region over loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::{Duration, Instant};

use privatelink_region::faults::FaultKind;
use privatelink_tests::ACME;
use privatelink_tests::endpoints::{BOTH, Endpoints};
use privatelink_tests::lambda::{Lambda, SECRETS};
use privatelink_tests::stage::{outcomes, skipped, tallied};
use serde_json::json;

async fn start(endpoints: &Endpoints, more: &[(&str, &str)]) -> Lambda {
    let own = [
        ("AWS_ACCESS_KEY_ID", ACME),
        // It has no policy.
        ("PRIVATELINK_POLICY_DIR", "unset"),
        ("PRIVATELINK_ENDPOINT_TAG", "privatelink=managed"),
        ("PRIVATELINK_PRIVATE_DNS", "true"),
    ];
    Lambda::on(env!("CARGO_BIN_EXE_endpoint-configurator"), &endpoints.stage, &[&own[..], more].concat()).await
}

#[tokio::test]
async fn the_binary_sets_an_endpoint_and_logs_what_it_did() {
    let endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let lambda = start(&endpoints, &[]).await;
    let event = json!({"endpointIds": [endpoint]}).to_string();
    let answer = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    assert_eq!(answer["endpoints"][0]["id"], endpoint.as_str());
    endpoints.region().step(Duration::from_secs(130));
    let answer = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", 1)])));
    assert_eq!(endpoints.set(&endpoint), ("dualstack".to_owned(), "dualstack".to_owned(), true));

    let lines = lambda.lines();
    let effects: Vec<_> = lines.iter().filter(|line| line["message"] == "effect").collect();
    assert_eq!(effects.len(), 1);
    assert_eq!((&effects[0]["endpointId"], &effects[0]["effect"]), (&json!(endpoint), &json!("modify-endpoint")));
    assert_eq!(lines.iter().filter(|line| line["message"] == "report").count(), 2);
    let text = lambda.log().join("\n");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "a secret was logged");
}

#[tokio::test]
async fn a_warm_process_does_not_fight() {
    let endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let lambda = start(&endpoints, &[]).await;
    let mut changes = Vec::new();
    for _ in 0..4 {
        changes.push(outcomes(&lambda.invoke(b"{}").await.unwrap()).len());
        endpoints.undo(&endpoint);
    }
    assert_eq!(changes, [1, 1, 0, 0]);
}

#[tokio::test]
async fn whatever_bytes_come_the_answer_is_ours() {
    let mut endpoints = Endpoints::new();
    endpoints.available(&endpoints.service, &[BOTH]);
    let lambda = start(&endpoints, &[]).await;
    for payload in
        [&b"not json"[..], b"", b"\xff\xfe\x00", b"{\"endpointIds\": [", b"null", b"[[[[", b"{\"endpointIds\": []}"]
    {
        let (kind, message) = lambda.invoke(payload).await.unwrap_err();
        assert_eq!(kind, "UnrecognizedEvent", "{payload:?}: {message}");
    }
    assert_eq!(endpoints.stage.calls(), []);
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]), "the process lives on");
}

#[tokio::test]
async fn a_bad_configuration_is_told_at_every_event_and_names_every_variable() {
    let endpoints = Endpoints::new();
    let wrong = [
        ("PRIVATELINK_ENDPOINT_TAG", "unset"),
        ("PRIVATELINK_MODE", "maybe"),
        ("PRIVATELINK_IP_ADDRESS_TYPE", "both"),
        ("PRIVATELINK_PRIVATE_DNS", "1"),
        ("PRIVATELINK_PROBE_PORTS", "https"),
        ("PRIVATELINK_WATCH_SECONDS", "soon"),
        ("AWS_SECRET_ACCESS_KEY", "unset"),
    ];
    let lambda = start(&endpoints, &wrong).await;
    lambda.refuses_its_variables(&wrong).await;
}

#[tokio::test]
async fn failures_have_their_types_and_come_before_the_deadline() {
    let endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let lambda = start(&endpoints, &[("PRIVATELINK_WATCH_SECONDS", "840")]).await;
    let time = Duration::from_secs(3);
    for (action, kind, expected) in [
        ("DescribeVpcEndpoints", FaultKind::Silence, "ReadFailed"),
        ("DescribeVpcEndpointServices", FaultKind::Reset, "ReadFailed"),
        ("DescribeSubnets", FaultKind::Throttled, "ReadFailed"),
        ("DescribeVpcAttribute", FaultKind::InternalError, "ReadFailed"),
        ("ModifyVpcEndpoint", FaultKind::Silence, "Retry"),
        ("ModifyVpcEndpoint", FaultKind::Refused("IncorrectState".to_owned()), "Retry"),
    ] {
        endpoints.stage.break_next(action, u32::MAX, kind.clone());
        let asked = Instant::now();
        let ended = lambda.invoke_within(b"{}", time).await;
        assert!(asked.elapsed() < time, "{action}: {:?}", asked.elapsed());
        let (ended, message) = ended.unwrap_err();
        assert_eq!(ended, expected, "{action} {kind:?}: {message}");
        endpoints.region().mend();
    }
    // The watch ends before the deadline, were the endpoint pending still.
    let asked = Instant::now();
    let answer = lambda.invoke_within(b"{}", Duration::from_secs(7)).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(7), "{:?}", asked.elapsed());
    assert_eq!((outcomes(&answer).len(), &answer["endpoints"][0]["state"]), (1, &json!("pending")));
    assert!(endpoints.set(&endpoint).2);
}
