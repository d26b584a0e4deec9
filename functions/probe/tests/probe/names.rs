//! From a name to a verdict, over IPv4 and IPv6 apart.

use std::net::IpAddr;
use std::time::Duration;

use privatelink_core::probe::{Family, Tried, Vantage, Verdict, judge};
use privatelink_dns::Dns;
use privatelink_probe::Probe;
use privatelink_tests::names::name_server;
use serde_json::json;
use tokio::time::Instant;

use crate::world::{Does, NAME, endpoint, listen};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn word(tried: &Tried) -> (Family, &str) {
    let word = match &tried.verdict {
        Verdict::Works { .. } => "ok",
        Verdict::Refused(refusal) => refusal.cause.word(),
        Verdict::NotTested(_) => "not tested",
    };
    (tried.family, word)
}

/// What comes of an endpoint with those interfaces, where the name has these addresses.
async fn verdicts(interfaces: &[IpAddr], names: &[(&str, &[IpAddr])], port: u16) -> Vec<(Family, String)> {
    let probe = Probe::new(Dns::servers(vec![name_server(names).await]));
    let targets = endpoint(interfaces, port, json!({}));
    let found = probe.find(&targets, Vantage::Inside, Instant::now() + Duration::from_secs(20)).await;
    let tried = judge(&targets, Vantage::Inside, &found);
    tried.iter().map(word).map(|(family, word)| (family, word.to_owned())).collect()
}

fn expect(v4: &str, v6: &str) -> Vec<(Family, String)> {
    vec![(Family::Ipv4, v4.to_owned()), (Family::Ipv6, v6.to_owned())]
}

#[tokio::test]
async fn both_families_work_or_fail_by_themselves() {
    // The same port of two addresses, of which the second one is refused.
    let port = listen("127.0.0.1:0", Does::Nothing).await.port();
    let both = [ip("127.0.0.1"), ip("::1")];
    assert_eq!(verdicts(&both, &[(NAME, &both)], port).await, expect("ok", "no-healthy-target"));
    listen(&format!("[::1]:{port}"), Does::Nothing).await;
    assert_eq!(verdicts(&both, &[(NAME, &both)], port).await, expect("ok", "ok"));
    assert_eq!(verdicts(&both, &[(NAME, &both[..1])], port).await, expect("ok", "no-aaaa"));
    assert_eq!(verdicts(&both, &[], port).await, expect("private-dns-off", "private-dns-off"));
}

#[tokio::test]
async fn every_address_of_a_name_has_to_work() {
    let port = listen("127.0.0.1:0", Does::Nothing).await.port();
    let two = [ip("127.0.0.1"), ip("127.0.0.2")];
    let ipv4 = |words: Vec<(Family, String)>| words[0].1.clone();
    assert_eq!(ipv4(verdicts(&two, &[(NAME, &two)], port).await), "no-healthy-target");
    listen(&format!("127.0.0.2:{port}"), Does::Nothing).await;
    assert_eq!(ipv4(verdicts(&two, &[(NAME, &two)], port).await), "ok");
    // An address that is not the endpoint's is no answer, whoever listens there.
    assert_eq!(ipv4(verdicts(&two[..1], &[(NAME, &two)], port).await), "other-addresses");
}

#[tokio::test]
async fn an_address_to_which_there_is_no_way_is_not_tested() {
    // Without the name of an interface, nobody knows where this is.
    let both = [ip("127.0.0.1"), ip("fe80::1")];
    let port = listen("127.0.0.1:0", Does::Nothing).await.port();
    assert_eq!(verdicts(&both, &[(NAME, &both)], port).await, expect("ok", "not tested"));
}
