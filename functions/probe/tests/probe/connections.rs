//! What is found at one address and one port, whatever listens there.

use std::net::SocketAddr;
use std::time::Duration;

use privatelink_core::probe::{Reached, Vantage};
use privatelink_dns::Dns;
use privatelink_probe::Probe;
use privatelink_tests::names::name_server;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{Authority, Does, NAME, endpoint, listen, silent};

const GOOD: &str = "HTTP/1.1 204 No Content\r\n\r\n";

async fn reached(authority: &Authority, there: SocketAddr, more: Value) -> Reached {
    let server = name_server(&[(NAME, &[there.ip()])]).await;
    let probe = Probe::new(Dns::servers(vec![server])).trusting(vec![authority.certificate.clone()]);
    let targets = endpoint(&[there.ip()], there.port(), more);
    let found = probe.find(&targets, Vantage::Inside, Instant::now() + Duration::from_secs(20)).await;
    let mut all: Vec<_> = found.reached.into_values().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn works(status: Option<u16>) -> Reached {
    Reached::Works { status }
}

#[tokio::test]
async fn a_certificate_has_to_be_the_names_of_now_and_of_somebody_who_is_trusted() {
    let (authority, stranger) = (Authority::new(), Authority::called("a stranger"));
    let tls = json!({"tls": true});
    let at = async |acceptor| listen("127.0.0.1:0", Does::SaysOverTls(acceptor, GOOD)).await;
    assert_eq!(reached(&authority, at(authority.server(NAME, false)).await, tls.clone()).await, works(None));
    let wildcard = at(authority.server("*.example.com", false)).await;
    assert_eq!(reached(&authority, wildcard, tls.clone()).await, works(None));
    for (acceptor, says) in [
        (authority.server("www.example.com", false), "www.example.com"),
        (authority.server(NAME, true), "expired"),
        (stranger.server(NAME, false), "Issuer"),
    ] {
        match reached(&authority, at(acceptor).await, tls.clone()).await {
            Reached::BadCertificate(why) => assert!(why.contains(says), "{why}"),
            other => panic!("{says}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_tls_is_told_from_a_connection_that_is_cut() {
    let authority = Authority::new();
    let tls = json!({"tls": true});
    let plain = listen("127.0.0.1:0", Does::Says("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let found = reached(&authority, plain, tls.clone()).await;
    assert!(matches!(found, Reached::NoTls(_)), "{found:?}");
    let closing = listen("127.0.0.1:0", Does::Closes).await;
    let found = reached(&authority, closing, tls).await;
    assert!(matches!(found, Reached::Cut(_)), "{found:?}");
}

#[tokio::test]
async fn a_status_tells_that_the_service_is_there_or_broken() {
    let authority = Authority::new();
    let http = json!({"http": "/health"});
    let at = async |says| listen("127.0.0.1:0", Does::Says(says)).await;
    let not_found = at("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(reached(&authority, not_found, http.clone()).await, works(Some(404)));
    let broken = at("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(reached(&authority, broken, http.clone()).await, Reached::ServerError(503));
    let other = reached(&authority, at("220 mail.example.com ESMTP\r\n").await, http.clone()).await;
    assert!(matches!(other, Reached::NoHttp(_)), "{other:?}");
    let cut = reached(&authority, listen("127.0.0.1:0", Does::Closes).await, http).await;
    assert!(matches!(cut, Reached::Cut(_)), "{cut:?}");
    let over_tls = listen("[::1]:0", Does::SaysOverTls(authority.server(NAME, false), GOOD)).await;
    assert_eq!(reached(&authority, over_tls, json!({"tls": true, "http": "/"})).await, works(Some(204)));
}

#[tokio::test]
async fn the_request_names_the_host_and_the_path() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        stream.write_all(GOOD.as_bytes()).await.unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    });
    assert_eq!(reached(&Authority::new(), there, json!({"http": "/a?b=c"})).await, works(Some(204)));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {NAME}:{}\r\n", there.port())), "{asked}");
}

#[tokio::test]
async fn nobody_who_answers_is_a_time_out_from_the_address_that_was_used() {
    let (there, _queue) = silent("127.0.0.3:0").await;
    let begun = Instant::now();
    let found = reached(&Authority::new(), there, json!({})).await;
    assert_eq!(found, Reached::TimedOut { source: "127.0.0.1".parse().unwrap() });
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
