//! All of it together ends in time, and what there was no time for is no failure.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use privatelink_core::probe::{Resolved, Vantage, Verdict, judge};
use privatelink_dns::Dns;
use privatelink_probe::Probe;
use privatelink_tests::names::name_server;
use serde_json::json;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::world::{NAME, endpoint, silent};

#[tokio::test]
async fn many_addresses_that_nobody_answers_at_end_with_the_time() {
    let (there, _queue) = silent("127.0.0.4:0").await;
    let addresses: Vec<IpAddr> = vec![there.ip(), Ipv4Addr::LOCALHOST.into()];
    let probe = Probe::new(Dns::servers(vec![name_server(&[(NAME, &addresses)]).await]));
    // More ports than are tried at once, and none of them with anybody there but the one that is silent.
    let ports: Vec<u16> = (1..=300).collect();
    let mut all = endpoint(&addresses, there.port(), json!({}));
    all.extend(endpoint(&addresses, 1, json!({"ports": ports})));
    let begun = Instant::now();
    let found = probe.find(&all, Vantage::Inside, begun + Duration::from_millis(2500)).await;
    assert!(begun.elapsed() < Duration::from_millis(2700), "{:?}", begun.elapsed());
    let tried = judge(&all, Vantage::Inside, &found);
    assert!(
        matches!(&tried[0].verdict, Verdict::Refused(refusal) if refusal.cause.word() == "time-out"),
        "{:?}",
        tried[0]
    );
}

#[tokio::test]
async fn a_resolver_that_says_nothing_costs_its_share_and_what_was_not_asked_is_not_tested() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let probe = Probe::new(Dns::servers(vec![silent.local_addr().unwrap()]));
    let names: Vec<_> = (0..200).map(|n| json!({"name": format!("n{n}.example.com"), "kind": "private"})).collect();
    let targets = endpoint(&[Ipv4Addr::LOCALHOST.into()], 443, json!({"names": names}));
    let begun = Instant::now();
    let found = probe.find(&targets, Vantage::Inside, begun + Duration::from_secs(3)).await;
    assert!(begun.elapsed() < Duration::from_millis(1700), "{:?}", begun.elapsed());
    assert!(found.resolved.values().all(|resolved| matches!(resolved, Resolved::Trouble(_))));
    assert!((1..200).contains(&found.resolved.len()), "{}", found.resolved.len());
    let untested = judge(&targets, Vantage::Inside, &found);
    let untested = untested.iter().filter(|tried| matches!(tried.verdict, Verdict::NotTested(_))).count();
    assert_eq!(untested, 400 - found.resolved.len());
}

#[tokio::test]
async fn without_time_nothing_is_tried() {
    let probe = Probe::new(Dns::servers(vec![name_server(&[]).await]));
    let targets = endpoint(&[Ipv4Addr::LOCALHOST.into()], 443, json!({}));
    let found = probe.find(&targets, Vantage::Inside, Instant::now()).await;
    assert!(found.resolved.is_empty() && found.reached.is_empty());
}
