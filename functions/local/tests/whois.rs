//! `privatelink whois`: by id, by the header that a target received, and by the log when the endpoint is gone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use std::time::Duration;

use common::Desk;
use privatelink_aws::deadline::Deadline;
use privatelink_tests::{ACME, STRANGER};
use serde_json::{Value, json};

/// A header of a TCP connection over IPv4, with AWS's field where there is an endpoint; in hex.
fn header(endpoint: Option<&str>) -> String {
    let mut rest = vec![10, 0, 0, 7, 10, 0, 1, 5, 0xc0, 0, 1, 187];
    if let Some(endpoint) = endpoint {
        rest.extend([0xea, 0, u8::try_from(endpoint.len() + 1).unwrap(), 1]);
        rest.extend(endpoint.as_bytes());
    }
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0".to_vec();
    bytes.push(u8::try_from(rest.len()).unwrap());
    bytes.extend(rest);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

#[tokio::test]
async fn whoever_is_connected_is_found_by_id_and_by_header() {
    let desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    let (good, text) = desk.run(&["whois", &acme]).await;
    assert!(good && text.contains(&format!("{acme}: account {ACME} of acme, pendingAcceptance")), "{text}");
    let (_, text) = desk.run(&["whois", &stranger]).await;
    assert!(text.contains("whom nobody lists"), "{text}");

    let (good, text) = desk.run(&["whois", "--json", "--proxy-header", &header(Some(&acme))]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert!(good);
    assert_eq!((&told["consumer"], &told["endpointId"]), (&json!("acme"), &json!(acme)));
    let (good, text) = desk.run(&["whois", "--proxy-header", &header(None)]).await;
    assert!(!good && text.contains("10.0.0.7:49152 did not come through PrivateLink"), "{text}");
    for (hex, says) in [("0d0a0d", "more bytes"), ("474554", "no header"), ("0d0", "in hex"), ("+d", "in hex")] {
        let (good, text) = desk.run(&["whois", "--proxy-header", hex]).await;
        assert!(!good && text.contains(says), "{hex}: {text}");
    }
    assert!(!desk.run(&["whois"]).await.0);
    assert!(!desk.run(&["whois", "vpce-svc-0a"]).await.0);
}

#[tokio::test]
async fn whoever_is_gone_is_found_in_the_log() {
    let mut desk = Desk::open().await;
    let service = desk.stage.service();
    let acme = desk.stage.connect(&service, ACME);
    // What the function logged when it accepted the connection.
    let deadline = Deadline::after(Duration::from_secs(10));
    let answer = desk.stage.acceptor().handle(b"{}", desk.stage.region.now(), deadline).await;
    let log: String = answer.log().map(|line| format!("{line}\n")).collect();
    desk.stage.write("functions.log", &log);
    let file = desk.stage.policy.path().join("functions.log").display().to_string();

    let gone = "vpce-0123456789abcdef0";
    let (good, text) = desk.run(&["whois", gone]).await;
    assert!(!good && text.contains("`--log FILE`"), "{text}");
    let (good, text) = desk.run(&["whois", gone, "--log", &file]).await;
    assert!(!good && text.contains("no decision about"), "{text}");

    // No account is asked, as if there were none.
    desk.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned());
    let (good, text) = desk.run(&["whois", &acme, "--log", &file]).await;
    assert!(good && text.contains(&format!("account {ACME} of acme")), "{text}");
    assert!(text.contains("by partners-may-connect: done"), "{text}");
    let (_, text) = desk.run(&["whois", "--proxy-header", &header(Some(&acme)), "--log", &file, "--json"]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&told["consumer"], &told["history"][0]["effect"]), (&json!("acme"), &json!("accept")));
    assert!(!desk.run(&["whois", &acme, "--log", "/nowhere"]).await.0);
}
