//! `privatelink probe`, as somebody outside of any VPC meets it, and somebody inside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Output};

use privatelink_tests::names::name_server;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const NAME: &str = "api.example.com";

/// Runs it against a resolver: whether it ends well, and what it says.
async fn probe(server: SocketAddr, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privatelink"));
    command.arg("probe").args(arguments).env_clear().env("PRIVATELINK_DNS_SERVER", server.to_string());
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (status.success(), format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap()))
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A service on the same port of both loopback addresses.
async fn service() -> u16 {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("::1", port)).await.unwrap();
    for listener in [first, second] {
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
    }
    port
}

#[tokio::test]
async fn outside_a_private_name_is_not_to_be_found_and_that_is_said_to_be_right() {
    let server = name_server(&[]).await;
    let (good, text) = probe(server, &[NAME]).await;
    assert!(!good && text.contains("asked-from-outside") && text.contains("as it should be"), "{text}");
    let (good, text) = probe(server, &[NAME, "--json"]).await;
    let value: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert!(!good);
    let probes = value["probes"].as_array().unwrap();
    let word = |probe: &Value| (probe["family"].clone(), probe["result"].clone(), probe["cause"].clone());
    let expected = |family: &str| (json!(family), json!("refused"), json!("asked-from-outside"));
    assert_eq!(probes.iter().map(word).collect::<Vec<_>>(), [expected("ipv4"), expected("ipv6")]);
    // A name of AWS's is the world's to know.
    let (_, text) = probe(server, &["vpce-0a-x.vpce-svc-0b.us-west-2.vpce.amazonaws.com"]).await;
    assert!(text.contains("name-not-found") && !text.contains("as it should be"), "{text}");
}

#[tokio::test]
async fn a_public_answer_is_said_plainly_and_not_connected_to() {
    let server = name_server(&[(NAME, &addresses(&["192.0.2.1"]))]).await;
    let begun = std::time::Instant::now();
    let (good, text) = probe(server, &[NAME]).await;
    assert!(!good && text.contains("public-answer") && text.contains("192.0.2.1"), "{text}");
    assert!(begun.elapsed().as_secs() < 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn where_the_name_leads_to_the_service_both_families_work() {
    let port = service().await;
    let both = addresses(&["127.0.0.1", "::1"]);
    let server = name_server(&[(NAME, &both)]).await;
    let port = port.to_string();
    let (good, text) = probe(server, &["API.example.com.", "--port", &port, "--http", "/"]).await;
    assert!(good && text.matches("HTTP 200").count() == 2, "{text}");
    let (good, text) = probe(server, &[NAME, "--port", &port, "--port", "1"]).await;
    assert!(!good && text.contains("2 of 4 do not work") && text.contains("no-healthy-target"), "{text}");
    let (good, text) = probe(server, &[NAME, "--port", &port, "--tls"]).await;
    assert!(!good && (text.contains("no-tls") || text.contains("not tested")), "{text}");
}

#[tokio::test]
async fn what_can_not_be_meant_is_refused() {
    let server = name_server(&[]).await;
    for arguments in
        [&["a b"][..], &[NAME, "--port", "0"], &[NAME, "--http", "no path"], &[NAME, "--server", "10.0.0.2"], &[]]
    {
        let (good, text) = probe(server, arguments).await;
        assert!(!good && !text.contains("asked-from-outside"), "{arguments:?}: {text}");
    }
}
