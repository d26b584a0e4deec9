//! The verifier and the world's DNS as in production: from a resolver to the name servers of each zone and to their
//! addresses, and every server asked by itself.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use privatelink_region::dns::{DnsFaultKind, ServerFault};
use privatelink_region::route53::Name;
use privatelink_tests::STRANGER;
use privatelink_tests::domains::{CHECK, Domains, PROPAGATION};
use privatelink_tests::stage::{outcomes, skipped, tallied};
use serde_json::{Value, json};

/// There is no way to everybody's address for who has not asked for one.
const NO_WAY: Ipv4Addr = Ipv4Addr::BROADCAST;

/// A world in which the record of a service's name has just been written, and is seen everywhere.
async fn written(ipv6_only: bool) -> (Domains, String) {
    let domains = Domains::in_the_world(ipv6_only).await;
    domains.zone("example.com");
    let service = domains.service("*.api.example.com");
    domains.run(json!({})).await.unwrap();
    domains.region().step(PROPAGATION);
    (domains, service)
}

fn servers(which: &[usize], how: ServerFault) -> DnsFaultKind {
    DnsFaultKind::Servers { which: which.to_vec(), how }
}

fn started(answer: &Value) -> bool {
    outcomes(answer).contains(&("start-check done".to_owned(), 1))
}

#[tokio::test]
async fn a_name_is_proved_by_what_its_own_servers_say() {
    let mut domains = Domains::in_the_world(false).await;
    let zone = domains.zone("example.com");
    let service = domains.service("*.api.example.com");
    let verifier = domains.verifier();
    let look = async || {
        let answer = domains.answer(&verifier, json!({}), Duration::from_secs(10)).await;
        answer.value().unwrap()
    };
    assert_eq!(outcomes(&look().await), tallied(&[("tag done", 1), ("write-record done", 1)]));
    domains.region().step(PROPAGATION);
    assert_eq!(outcomes(&look().await), tallied(&[("start-check done", 1), ("tag done", 1)]));
    domains.region().step(CHECK);
    let third = look().await;
    assert_eq!(outcomes(&third), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert_eq!(skipped(&third), tallied(&[("already-right", 1)]));
    assert_eq!(domains.state(&service), "verified");
    assert!(domains.txt(&zone, &domains.proof(&service).0).is_some());
    drop(verifier);
    let writes = domains.writes();
    assert_eq!((writes["ChangeResourceRecordSets"], writes["StartVpcEndpointServicePrivateDnsVerification"]), (1, 1));
}

#[tokio::test]
async fn a_record_in_a_zone_below_another_is_found_from_the_top_down() {
    let domains = Domains::in_the_world(false).await;
    domains.zone("example.com");
    domains.zone("eu.example.com");
    let service = domains.service("api.eu.example.com");
    domains.run(json!({})).await.unwrap();
    domains.region().step(PROPAGATION);
    assert!(started(&domains.run(json!({})).await.unwrap()));
    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
}

#[tokio::test]
async fn where_no_top_level_domain_is_reached_the_resolver_says_who_answers() {
    let (domains, service) = written(false).await;
    let top = domains.servers.registry().ip();
    let verifier = domains.reaching(move |ip| if ip == top { NO_WAY.into() } else { ip });
    let answer = domains.answer(&verifier, json!({}), Duration::from_secs(10)).await.value().unwrap();
    assert!(started(&answer), "{answer}");
    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
}

#[tokio::test]
async fn each_fault_has_its_name_and_says_what_was_seen() {
    let far = vec![Name::parse("ns1.elsewhere.example").unwrap()];
    for (fault, reason, told) in [
        (DnsFaultKind::NotDelegated, "zone-not-delegated", "example.com"),
        (DnsFaultKind::DelegatedElsewhere(far), "zone-delegated-elsewhere", "ns1.elsewhere.example"),
        (DnsFaultKind::DnssecBroken, "dnssec-broken", "example.com"),
        (servers(&[], ServerFault::Servfail), "servers-failing", "SERVFAIL"),
        (servers(&[], ServerFault::Refused), "servers-refusing", "REFUSED"),
        (servers(&[], ServerFault::Silence), "servers-time-out", "no answer in time"),
        (servers(&[], ServerFault::BeforeLastChange), "record-missing", "no TXT record"),
        (servers(&[2], ServerFault::BeforeLastChange), "servers-behind", "1 of 4"),
    ] {
        let (mut domains, service) = written(false).await;
        domains.spoil("example.com", fault.clone());
        domains.writes();
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[(reason, 1)]), "{fault:?}: {answer}");
        let skip = &answer["skipped"][0];
        assert!(skip["detail"].as_str().unwrap().contains(told), "{fault:?}: {skip}");
        assert!(!skip["fix"].as_str().unwrap().is_empty(), "{fault:?}");
        assert!(!domains.writes().contains_key("StartVpcEndpointServicePrivateDnsVerification"), "{fault:?}");
        domains.region().world().dns.mend(None);
        assert!(started(&domains.run(json!({})).await.unwrap()), "{fault:?}");
        domains.region().step(CHECK);
        assert_eq!(domains.state(&service), "verified", "{fault:?}");
    }
}

#[tokio::test]
async fn one_silent_server_is_waited_for_and_spoils_nothing() {
    let (domains, service) = written(false).await;
    domains.spoil("example.com", servers(&[1], ServerFault::Silence));
    let begun = Instant::now();
    assert!(started(&domains.run(json!({})).await.unwrap()));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
}

#[tokio::test]
async fn a_zone_of_the_same_name_that_the_world_does_not_ask_is_told_from_the_one_it_does() {
    let (domains, _) = written(false).await;
    let other = domains.zone_of(STRANGER, "example.com", None);
    domains.region().step(PROPAGATION);
    domains.spoil("example.com", DnsFaultKind::DelegatedToZone(other.clone()));
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("zone-delegated-elsewhere", 1)]), "{answer}");
    let skip = answer["skipped"][0].to_string();
    let world = domains.region().world();
    let (own, others): (Vec<_>, Vec<_>) = world.route53.zones.values().partition(|zone| zone.id != other);
    for zone in [own[0], others[0]] {
        assert!(zone.name_servers.iter().all(|server| skip.contains(server.trim_end_matches('.'))), "{skip}");
    }
}

#[tokio::test]
async fn servers_that_only_ipv6_leads_to_are_asked_where_it_does_and_named_where_not() {
    let (domains, _) = written(true).await;
    let without = domains.reaching(|ip| if ip.is_ipv6() { NO_WAY.into() } else { ip });
    let answer = domains.answer(&without, json!({}), Duration::from_secs(10)).await.value().unwrap();
    assert_eq!(skipped(&answer), tallied(&[("servers-unreachable", 1)]), "{answer}");
    let detail = answer["skipped"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("only IPv6 leads to ns-"), "{detail}");
    let with = domains.reaching(|ip: IpAddr| ip.to_canonical());
    let answer = domains.answer(&with, json!({}), Duration::from_secs(10)).await.value().unwrap();
    assert!(started(&answer), "{answer}");
}

#[tokio::test]
async fn a_domain_that_nobody_answers_for_is_asked_of_a_person_until_the_world_has_it() {
    let domains = Domains::in_the_world(false).await;
    domains.stage.write("domains.toml", "[[domain]]\nname = \"example.org\"\ndns = \"manual\"\n");
    let service = domains.service("*.api.example.org");
    let (record, value) = domains.proof(&service);
    for _ in 0..2 {
        assert_eq!(skipped(&domains.run(json!({})).await.unwrap()), tallied(&[("record-required", 1)]));
    }
    assert_eq!(domains.mails().len(), 1);
    domains.region().world().published_txt.insert((record, value));
    assert!(started(&domains.run(json!({})).await.unwrap()));
    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
}
