//! Which zone a record goes into, and what may stand there already: listings that take many pages, zones that are found
//! twice, record sets of a routing policy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::{Duration, Instant};

use privatelink_core::report::Failure;
use privatelink_region::Settings;
use privatelink_region::dns::DnsFaultKind;
use privatelink_region::faults::FaultKind;
use privatelink_region::route53::{Name, RecordKey, RecordSet};
use privatelink_region::world::DnsState;
use privatelink_tests::domains::{Domains, PROPAGATION};
use privatelink_tests::stage::{outcomes, settings, skipped, tallied};
use serde_json::json;

#[tokio::test]
async fn zones_of_one_name_are_all_found_however_many_pages_they_take() {
    let domains = Domains::with(Settings { page: 1, ..settings() }).await;
    let zones = [(); 3].map(|()| domains.zone("example.com"));
    // The last in the listing, which is in the order of ids.
    let last = zones.iter().max().unwrap();
    domains.spoil("example.com", DnsFaultKind::DelegatedToZone(last.clone()));
    let service = domains.service("api.example.com");
    let (record, _) = domains.proof(&service);
    domains.run(json!({})).await.unwrap();
    for zone in &zones {
        assert_eq!(domains.txt(zone, &record).is_some(), zone == last, "{zone}");
    }
}

#[tokio::test]
async fn a_zone_that_two_pages_show_is_one_zone() {
    let mut domains = Domains::new().await;
    domains.zone("api.example.com");
    domains.zone("www.example.com");
    domains.service("a.api.example.com");
    domains.service("x.www.example.com");
    domains.stage.calls();
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 2)), "{answer}");
    let calls = domains.stage.calls();
    assert!(!calls.iter().any(|(action, _)| action == "GetHostedZone"), "nothing had to be told apart: {calls:?}");
}

#[tokio::test]
async fn a_record_set_that_two_pages_show_is_one_set() {
    // By their labels `api` comes before `api-2`, and after it as one text: one page does not answer for both.
    for names in [["api.example.com", "api-2.example.com"], ["api-2.example.com", "api.example.com"]] {
        let domains = Domains::new().await;
        let zone = domains.zone("example.com");
        let services = names.map(|name| domains.service(name));
        for service in &services {
            domains.put_proof(&zone, service);
            domains.become_state(service, DnsState::Verified);
        }
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[("already-right", 2)]), "{answer}");
    }
}

#[tokio::test]
async fn record_sets_of_a_routing_policy_are_left_alone_and_told() {
    for sets in [1, 2, 12] {
        let mut domains = Domains::new().await;
        let zone = domains.zone("example.com");
        let service = domains.service("api.example.com");
        let (record, value) = domains.proof(&service);
        let before = {
            let mut world = domains.region().world();
            let now = world.now();
            let mut records = world.route53.zones[&zone].records.clone();
            for n in 0..sets {
                let identifier = Some(format!("set-{n:02}"));
                let key = RecordKey { name: Name::parse(&record).unwrap(), kind: "TXT".to_owned(), identifier };
                let routing = [("Weight", "1".to_owned())].into();
                records.insert(key, RecordSet { routing, ..RecordSet::simple(60, vec![format!("\"{n}\"")]) });
            }
            world.route53.change_zone(&zone, records.clone(), None, now).unwrap();
            records
        };
        domains.region().step(PROPAGATION);
        domains.writes();
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[("record-not-simple", 1)]), "{sets}: {answer}");
        assert!(answer["skipped"][0]["fix"].as_str().unwrap().contains(&value), "{answer}");
        assert_eq!(domains.mails().len(), 1);
        assert!(!domains.writes().contains_key("ChangeResourceRecordSets"));
        assert!(domains.region().world().route53.zones[&zone].records == before);
    }
}

#[tokio::test]
async fn a_role_that_answers_nothing_leaves_time_for_the_others() {
    let domains = Domains::new().await;
    let role = "arn:aws:iam::333344445555:role/dns";
    domains.stage.write("domains.toml", &format!("[[domain]]\nname = \"example.com\"\nroleArn = \"{role}\"\n"));
    let zone = domains.zone("example.net");
    domains.service("api.example.com");
    let alive = domains.service("api.example.net");
    domains.stage.break_next("AssumeRole", u32::MAX, FaultKind::Silence);
    let begun = Instant::now();
    let answer = domains.answer(&domains.verifier(), json!({}), Duration::from_secs(8)).await;
    // A quarter of the time that there is for looking and deciding, and not all of it.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(matches!(answer.result, Err(Failure::Retry(_))), "the other one is tried again");
    assert!(domains.txt(&zone, &domains.proof(&alive).0).is_some());
}
