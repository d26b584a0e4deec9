//! What becomes of private DNS names: stories with some events and one look at the Region afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_core::config::Mode;
use privatelink_core::report::Failure;
use privatelink_region::clock::Clock;
use privatelink_region::dns::{DnsFaultKind, ServerFault};
use privatelink_region::faults::FaultKind;
use privatelink_region::route53::Name;
use privatelink_region::world::DnsState;
use privatelink_region::{Region, Settings};
use privatelink_tests::domains::{CHECK, Domains, PROPAGATION};
use privatelink_tests::stage::{START, outcomes, settings, skipped, tallied};
use privatelink_tests::{PROVIDER, STRANGER, Stage};
use serde_json::{Value, json};

/// Lets a name be proved from the first look to `verified`.
async fn prove(domains: &Domains, service: &str) {
    for pause in [PROPAGATION, CHECK, Duration::ZERO] {
        domains.run(json!({"serviceIds": [service]})).await.unwrap();
        domains.region().step(pause);
    }
    assert_eq!(domains.state(service), "verified");
}

#[tokio::test]
async fn a_name_is_proved_with_one_change_and_one_start() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("*.api.example.com");
    let (record, value) = domains.proof(&service);

    let first = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&first), tallied(&[("tag done", 1), ("write-record done", 1)]));
    assert_eq!(skipped(&first), tallied(&[("not-ready", 1)]));
    assert_eq!(domains.txt(&zone, &record), Some((300, vec![format!("\"{value}\"")])));
    let again = domains.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&again), skipped(&again)), (vec![], tallied(&[("not-ready", 1)])));

    domains.region().step(PROPAGATION);
    let second = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&second), tallied(&[("start-check done", 1), ("tag done", 1)]));

    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
    let third = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&third), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert_eq!(skipped(&third), tallied(&[("already-right", 1)]));
    assert_eq!(domains.mails().len(), 1);
    assert!(domains.mails()[0].contains("api.example.com"), "{:?}", domains.mails());
    let writes = domains.writes();
    assert_eq!((writes["ChangeResourceRecordSets"], writes["StartVpcEndpointServicePrivateDnsVerification"]), (1, 1));

    // Healthy: nothing but reads.
    let fourth = domains.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&fourth), skipped(&fourth)), (vec![], tallied(&[("already-right", 1)])));
    assert_eq!(domains.writes().len(), 0);
}

#[tokio::test]
async fn one_invocation_that_watches_does_it_all() {
    // A second is a minute and a half.
    let mut stage = Stage::with(settings());
    let region = Region::new(settings(), Clock::running(START, 90.0));
    stage = stage.in_region(region);
    let mut domains = Domains::on(stage).await;
    domains.config.watch = Duration::from_secs(30);
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    let answer = domains.answer(&domains.verifier(), json!({}), Duration::from_secs(40)).await.value().unwrap();
    assert_eq!(domains.state(&service), "verified");
    let done = outcomes(&answer);
    for effect in ["write-record done", "start-check done", "publish done"] {
        assert!(done.contains(&(effect.to_owned(), 1)), "{effect}: {done:?}");
    }
    assert_eq!(skipped(&answer), tallied(&[("already-right", 1)]));
}

#[tokio::test]
async fn what_was_verified_and_is_healthy_costs_two_reads_and_no_write() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let (record, value) = domains.proof(&service);
    domains.put(&zone, &record, 60, &["\"v=spf1 -all\"", &format!("\"{value}\"")]);
    domains.become_state(&service, DnsState::Verified);
    domains.stage.calls();
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", 1)])));
    let calls: Vec<_> = domains.stage.calls().into_iter().map(|(action, _)| action).collect();
    let reads = [
        "DescribeVpcEndpointServiceConfigurations",
        "ListHostedZonesByName",
        "ListHostedZonesByName",
        "ListResourceRecordSets",
    ];
    assert_eq!(calls, reads, "one page for each of the two names that a zone could have, and one of records");
}

#[tokio::test]
async fn values_of_others_stay_as_they_are() {
    let domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let (record, value) = domains.proof(&service);
    let foreign = ["\"vpce:another\" \"one\"", "\"b\\303\\274cher \\\"x\\\"\""];
    domains.put(&zone, &record, 60, &foreign);
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
    let expected = vec![foreign[0].to_owned(), foreign[1].to_owned(), format!("\"{value}\"")];
    assert_eq!(domains.txt(&zone, &record), Some((60, expected)));
}

#[tokio::test]
async fn a_record_that_somebody_removed_is_put_back() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    prove(&domains, &service).await;
    let (record, _) = domains.proof(&service);
    domains.take(&zone, &record);
    domains.writes();
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("write-record done", 1)]));
    assert!(domains.txt(&zone, &record).is_some());
    domains.region().step(PROPAGATION);
    assert_eq!(domains.run(json!({})).await.unwrap()["outcomes"], json!([]));
    assert_eq!(domains.mails().len(), 1, "nobody has to do anything");
}

#[tokio::test]
async fn a_name_that_is_verified_no_more_is_told_once_and_proved_again() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    prove(&domains, &service).await;
    domains.become_state(&service, DnsState::Failed);
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 1), ("start-check done", 1), ("tag done", 1)]));
    let lost = answer["outcomes"].as_array().unwrap().iter().find(|outcome| outcome["effect"] == "publish").unwrap();
    assert_eq!(lost["type"], "DomainVerificationLost");
    domains.run(json!({})).await.unwrap();
    domains.region().step(CHECK);
    domains.run(json!({})).await.unwrap();
    assert_eq!((domains.state(&service), domains.mails().len()), ("verified", 3), "{:?}", domains.mails());
}

#[tokio::test]
async fn a_name_that_was_verified_before_anybody_looked_is_missed_all_the_same() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("Api.Example.com");
    let (record, value) = domains.proof(&service);
    domains.put(&zone, &record, 60, &[&format!("\"{value}\"")]);
    domains.region().step(PROPAGATION);
    domains.become_state(&service, DnsState::Verified);
    let verifier = domains.verifier();
    domains.writes();
    for _ in 0..2 {
        domains.answer(&verifier, json!({}), Duration::from_secs(10)).await.value().unwrap();
    }
    assert_eq!(domains.writes().len(), 0);
    domains.become_state(&service, DnsState::Failed);
    let answer = domains.answer(&verifier, json!({}), Duration::from_secs(10)).await.value().unwrap();
    assert!(answer["outcomes"].to_string().contains("DomainVerificationLost"), "{answer}");
}

#[tokio::test]
async fn a_check_is_not_started_while_the_world_can_not_read_the_record() {
    let far = vec![Name::parse("ns1.elsewhere.example").unwrap()];
    let servers = |how| DnsFaultKind::Servers { which: Vec::new(), how };
    for (fault, reason) in [
        (DnsFaultKind::NotDelegated, "zone-not-delegated"),
        (DnsFaultKind::DelegatedElsewhere(far), "zone-delegated-elsewhere"),
        (DnsFaultKind::DnssecBroken, "dnssec-broken"),
        (servers(ServerFault::Servfail), "servers-failing"),
        (servers(ServerFault::Refused), "servers-refusing"),
        (servers(ServerFault::BeforeLastChange), "record-missing"),
        (DnsFaultKind::Servers { which: vec![1, 3], how: ServerFault::BeforeLastChange }, "servers-behind"),
    ] {
        let mut domains = Domains::new().await;
        domains.zone("example.com");
        let service = domains.service("api.example.com");
        domains.spoil("example.com", fault.clone());
        domains.run(json!({})).await.unwrap();
        domains.region().step(PROPAGATION);
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[(reason, 1)]), "{fault:?}: {answer}");
        assert!(answer["skipped"][0]["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{answer}");
        assert!(!domains.writes().contains_key("StartVpcEndpointServicePrivateDnsVerification"), "{fault:?}");
        // Once it is mended the flow goes on.
        domains.region().world().dns.mend(None);
        let answer = domains.run(json!({})).await.unwrap();
        assert!(outcomes(&answer).contains(&("start-check done".to_owned(), 1)), "{fault:?}: {answer}");
        assert_eq!(domains.state(&service), "pendingVerification");
    }
}

#[tokio::test]
async fn silent_name_servers_are_named_and_hold_nobody_up() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    domains.zone("example.net");
    let dead = domains.service("api.example.com");
    let alive = domains.service("api.example.net");
    domains.run(json!({})).await.unwrap();
    domains.region().step(PROPAGATION);
    domains.spoil("example.com", DnsFaultKind::Servers { which: Vec::new(), how: ServerFault::Silence });
    let begun = std::time::Instant::now();
    let answer = domains.run(json!({})).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let started: Vec<_> =
        answer["outcomes"].as_array().unwrap().iter().filter(|o| o["effect"] == "start-check").collect();
    assert_eq!((started.len(), &started[0]["serviceId"]), (1, &json!(alive)));
    let skip = answer["skipped"].as_array().unwrap().iter().find(|skip| skip["serviceId"] == json!(dead)).unwrap();
    assert_eq!(skip["reason"], "servers-time-out");
}

#[tokio::test]
async fn a_value_that_somebody_wrote_wrong_by_hand_is_named() {
    let mut domains = Domains::new().await;
    domains.stage.write("domains.toml", "[[domain]]\nname = \"example.com\"\ndns = \"manual\"\n");
    // The zone is somebody else's, and a person keeps it.
    let zone = domains.zone_of(STRANGER, "example.com", None);
    let service = domains.service("api.example.com");
    let (record, value) = domains.proof(&service);
    for (name, value, reason) in [
        (record.clone(), value.to_lowercase(), "value-lower-cased"),
        (record.clone(), format!("\\\"{value}\\\""), "value-quoted-twice"),
        (record.clone(), value[..15].to_owned(), "value-cut"),
        (record.clone(), "vpce:aaaaaaaaaaaaaaaaaaaa".to_owned(), "value-of-earlier-token"),
        (record.clone(), "v=spf1 -all".to_owned(), "value-differs"),
        (format!("{record}.example.com"), value.clone(), "record-under-doubled-name"),
        ("other.example.com".to_owned(), value.clone(), "record-required"),
    ] {
        domains.put(&zone, &name, 300, &[&format!("\"{value}\"")]);
        domains.region().step(PROPAGATION);
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[(reason, 1)]), "{name} {value}");
        domains.take(&zone, &name);
    }
    assert!(!domains.writes().contains_key("StartVpcEndpointServicePrivateDnsVerification"));
    domains.put(&zone, &record, 300, &[&format!("\"{value}\"")]);
    domains.region().step(PROPAGATION);
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("start-check done".to_owned(), 1)), "{answer}");
    assert!(!domains.writes().contains_key("ChangeResourceRecordSets"));
}

#[tokio::test]
async fn a_person_is_asked_for_the_exact_record_once() {
    let domains = Domains::new().await;
    domains.stage.write("domains.toml", "[[domain]]\nname = \"example.org\"\ndns = \"manual\"\n");
    let service = domains.service("*.api.example.org");
    let (record, value) = domains.proof(&service);
    for _ in 0..3 {
        let answer = domains.run(json!({})).await.unwrap();
        assert_eq!(skipped(&answer), tallied(&[("record-required", 1)]));
    }
    let mails = domains.region().world().sns.deliveries.clone();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert!(mail.message.contains(&record) && mail.message.contains(&value), "{}", mail.message);
    // It appears, somewhere that nobody here knows.
    domains.region().world().published_txt.insert((record, value));
    domains.run(json!({})).await.unwrap();
    domains.region().step(CHECK);
    domains.run(json!({})).await.unwrap();
    assert_eq!((domains.state(&service), domains.mails().len()), ("verified", 2));
}

#[tokio::test]
async fn the_longest_public_zone_is_taken_and_never_a_private_one() {
    let domains = Domains::new().await;
    let short = domains.zone("example.com");
    let long = domains.zone("eu.example.com");
    let private = domains.zone_of(PROVIDER, "api.eu.example.com", Some("vpc-0a"));
    let service = domains.service("api.eu.example.com");
    let (record, _) = domains.proof(&service);
    domains.run(json!({})).await.unwrap();
    assert!(domains.txt(&long, &record).is_some());
    assert!(domains.txt(&short, &record).is_none() && domains.txt(&private, &record).is_none());
}

#[tokio::test]
async fn a_name_that_only_private_zones_hold_is_for_a_person() {
    let mut domains = Domains::new().await;
    domains.zone_of(PROVIDER, "example.com", Some("vpc-0a"));
    domains.service("api.example.com");
    domains.service("api.example.net");
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("no-public-zone", 1), ("private-zone-only", 1)]));
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 2)]));
    assert!(!domains.writes().contains_key("ChangeResourceRecordSets"));
}

#[tokio::test]
async fn of_two_zones_of_one_name_the_delegated_one_gets_the_record() {
    for chosen in 0..2 {
        let domains = Domains::new().await;
        let zones = [domains.zone("example.com"), domains.zone("example.com")];
        domains.spoil("example.com", DnsFaultKind::DelegatedToZone(zones[chosen].clone()));
        let service = domains.service("api.example.com");
        let (record, _) = domains.proof(&service);
        domains.run(json!({})).await.unwrap();
        assert!(domains.txt(&zones[chosen], &record).is_some(), "{chosen}");
        assert!(domains.txt(&zones[1 - chosen], &record).is_none(), "{chosen}");
    }
}

#[tokio::test]
async fn the_record_of_a_name_that_was_taken_away_is_named_and_left() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    prove(&domains, &service).await;
    let (record, _) = domains.proof(&service);
    domains.region().world().services.get_mut(&service).unwrap().private_dns_name = None;
    domains.writes();
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", 1)])));
    let label = record.split('.').next().unwrap();
    let detail = answer["skipped"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(label) && detail.contains("no longer needed"), "{answer}");
    assert!(domains.txt(&zone, &record).is_some() && domains.writes().is_empty());
}

#[tokio::test]
async fn a_zone_of_another_account_is_reached_through_its_role() {
    let domains = Domains::new().await;
    let role = "arn:aws:iam::333344445555:role/dns";
    domains.stage.write("domains.toml", &format!("[[domain]]\nname = \"example.com\"\nroleArn = \"{role}\"\n"));
    let zone = domains.zone_of(STRANGER, "example.com", None);
    domains.region().step(PROPAGATION);
    let service = domains.service("api.example.com");
    prove(&domains, &service).await;
    assert!(domains.txt(&zone, &domains.proof(&service).0).is_some());
}

#[tokio::test]
async fn a_role_that_is_refused_is_an_outcome_of_its_domains_alone() {
    let role = "arn:aws:iam::333344445555:role/dns";
    let domains = Domains::with(Settings { refused_roles: vec![role.to_owned()], ..settings() }).await;
    domains.stage.write("domains.toml", &format!("[[domain]]\nname = \"example.com\"\nroleArn = \"{role}\"\n"));
    domains.zone("example.net");
    let closed = domains.service("api.example.com");
    domains.service("api.example.net");
    let answer = domains.run(json!({})).await.unwrap();
    let done = outcomes(&answer);
    assert!(done.contains(&("write-record done".to_owned(), 1)), "{answer}");
    assert!(done.contains(&("write-record refused AccessDenied".to_owned(), 1)), "{answer}");
    let skip = answer["skipped"].as_array().unwrap().iter().find(|skip| skip["serviceId"] == json!(closed)).unwrap();
    assert_eq!(skip["reason"], "zone-unreadable");
}

#[tokio::test]
async fn zones_that_may_not_be_listed_are_asked_for_once() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    for n in 0..5 {
        domains.service(&format!("n{n}.example.com"));
    }
    domains.stage.calls();
    domains.stage.break_next("ListHostedZonesByName", 99, FaultKind::Refused("AccessDenied".to_owned()));
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record refused AccessDenied".to_owned(), 5)), "{answer}");
    let calls = domains.stage.calls();
    assert_eq!(calls.iter().filter(|(action, _)| action == "ListHostedZonesByName").count(), 1);
}

#[tokio::test]
async fn a_record_set_at_its_limit_is_left_and_told() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let values: Vec<String> = (0..400).map(|n| format!("\"{n}\"")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    domains.put(&zone, &domains.proof(&service).0, 60, &values);
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("record-set-full", 1)]));
    assert_eq!((domains.mails().len(), domains.writes().contains_key("ChangeResourceRecordSets")), (1, false));
}

#[tokio::test]
async fn a_zone_that_vanishes_between_read_and_write_fails_its_service_alone() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    domains.stage.break_next("ChangeResourceRecordSets", 1, FaultKind::Refused("NoSuchHostedZone".to_owned()));
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("write-record refused NoSuchHostedZone", 1)]));
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
}

#[tokio::test]
async fn a_zone_that_is_still_being_changed_is_asked_again() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    domains.stage.break_next("ChangeResourceRecordSets", 2, FaultKind::Refused("PriorRequestNotComplete".to_owned()));
    domains.stage.break_next("ListResourceRecordSets", 1, FaultKind::Refused("Throttling".to_owned()));
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
    assert_eq!(domains.writes()["ChangeResourceRecordSets"], 3);
}

#[tokio::test]
async fn a_write_that_took_effect_unseen_is_not_made_twice() {
    let domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let (record, value) = domains.proof(&service);
    domains.stage.break_after("ChangeResourceRecordSets", 1, FaultKind::Reset);
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record already-done".to_owned(), 1)), "{answer}");
    assert_eq!(domains.txt(&zone, &record), Some((300, vec![format!("\"{value}\"")])));
}

#[tokio::test]
async fn both_forms_of_a_batch_error_are_read() {
    for apart in [false, true] {
        let domains = Domains::with(Settings { change_batch_errors_apart: apart, ..settings() }).await;
        domains.zone("example.com");
        domains.service("api.example.com");
        // The first attempt takes effect and is not answered, so that the second finds the record there.
        domains.stage.break_after("ChangeResourceRecordSets", 1, FaultKind::InternalError);
        let answer = domains.run(json!({})).await.unwrap();
        assert!(outcomes(&answer).contains(&("write-record already-done".to_owned(), 1)), "{apart}: {answer}");
    }
}

#[tokio::test]
async fn a_start_that_fails_is_not_remembered() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    domains.run(json!({})).await.unwrap();
    domains.region().step(PROPAGATION);
    let start = "StartVpcEndpointServicePrivateDnsVerification";
    domains.stage.break_next(start, 1, FaultKind::Refused("UnauthorizedOperation".to_owned()));
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("start-check refused UnauthorizedOperation".to_owned(), 1)), "{answer}");
    domains.writes();
    domains.run(json!({})).await.unwrap();
    assert_eq!(domains.writes()[start], 1);
}

#[tokio::test]
async fn nobody_is_told_what_can_not_be_marked() {
    let domains = Domains::new().await;
    domains.service("api.example.com");
    domains.stage.break_next("CreateTags", 99, FaultKind::Refused("UnauthorizedOperation".to_owned()));
    for _ in 0..2 {
        let answer = domains.run(json!({})).await.unwrap();
        assert!(outcomes(&answer).contains(&("publish refused UnauthorizedOperation".to_owned(), 1)), "{answer}");
    }
    assert_eq!(domains.mails(), [""; 0]);
    domains.region().mend();
    domains.run(json!({})).await.unwrap();
    assert_eq!(domains.mails().len(), 1);
}

#[tokio::test]
async fn a_notice_that_could_not_be_sent_is_sent_later() {
    let domains = Domains::new().await;
    domains.service("api.example.com");
    domains.stage.break_next("Publish", 1, FaultKind::Refused("AuthorizationError".to_owned()));
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).iter().any(|(what, _)| what.starts_with("publish refused")), "{answer}");
    domains.run(json!({})).await.unwrap();
    domains.run(json!({})).await.unwrap();
    assert_eq!(domains.mails().len(), 1);
}

#[tokio::test]
async fn without_a_topic_the_operators_read_the_log() {
    let mut domains = Domains::new().await;
    domains.config.operator_topic = None;
    let service = domains.service("api.example.com");
    let answer = domains.answer(&domains.verifier(), json!({}), Duration::from_secs(10)).await;
    let notices: Vec<Value> = answer.log().filter(|line| line["message"] == "notice").collect();
    assert_eq!((notices.len(), &notices[0]["notice"]["type"]), (1, &json!("DomainRecordRequired")));
    assert_eq!(notices[0]["notice"]["service"]["id"], json!(service));
    let again = domains.answer(&domains.verifier(), json!({}), Duration::from_secs(10)).await;
    assert_eq!(again.log().filter(|line| line["message"] == "notice").count(), 0);
}

#[tokio::test]
async fn in_observe_mode_nothing_is_written() {
    let mut domains = Domains::new().await;
    domains.config.mode = Mode::Observe;
    domains.zone("example.com");
    domains.service("api.example.com");
    domains.service("api.example.net");
    domains.writes();
    let answer = domains.run(json!({})).await.unwrap();
    assert_eq!((domains.writes().len(), domains.mails().len()), (0, 0));
    let done = outcomes(&answer);
    assert!(done.contains(&("write-record planned".to_owned(), 1)), "{answer}");
    assert!(done.contains(&("publish planned".to_owned(), 1)), "{answer}");
}

#[tokio::test]
async fn a_broken_domains_file_stops_everything_with_all_its_faults() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    domains.writes();
    domains.stage.write("domains.toml", "[[domain]]\nname = \"Example.com\"\ndns = \"bind\"\n");
    let Err(Failure::BadPolicy(message)) = domains.run(json!({})).await else { panic!("a broken file was taken") };
    assert!(message.contains("domains.toml:2") && message.contains("domains.toml:3"), "{message}");
    assert_eq!(domains.writes().len(), 0);
}

#[tokio::test]
async fn a_name_that_is_none_is_told_once_and_stops_nobody() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let bad = domains.service("bad..example.com");
    domains.service("api.example.com");
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
    let skip = answer["skipped"].as_array().unwrap().iter().find(|skip| skip["serviceId"] == json!(bad)).unwrap();
    assert_eq!(skip["reason"], "illegal-name");
    domains.run(json!({})).await.unwrap();
    assert_eq!(domains.mails().len(), 1);
}

#[tokio::test]
async fn a_service_that_gets_another_name_in_the_middle_begins_anew() {
    let domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("old.example.com");
    domains.run(json!({})).await.unwrap();
    domains.region().step(PROPAGATION);
    domains.run(json!({})).await.unwrap();
    let old = domains.proof(&service).0;
    let other = domains.service("new.example.com");
    {
        let mut world = domains.region().world();
        let name = world.services[&other].private_dns_name.clone();
        world.services.remove(&other);
        world.services.get_mut(&service).unwrap().private_dns_name = name;
    }
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
    let label = old.split('.').next().unwrap();
    assert!(answer["skipped"].to_string().contains(label), "the old record is named: {answer}");
    assert!(domains.txt(&zone, &old).is_some(), "nothing is ever removed");
    domains.region().step(PROPAGATION);
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("start-check done".to_owned(), 1)), "{answer}");
}

#[tokio::test]
async fn only_what_an_event_means_and_the_tag_allows_is_looked_at() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let one = domains.service("one.example.com");
    let two = domains.service("two.example.com");
    let answer = domains.run(json!({"serviceIds": [one, "vpce-svc-0123456789abcdef0"]})).await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("foreign", 1), ("not-ready", 1)]));
    assert!(
        domains.txt(&zone, &domains.proof(&one).0).is_some() && domains.txt(&zone, &domains.proof(&two).0).is_none()
    );
    domains.stage.tag_service(&two, "team", "edge");
    domains.config.service_tag =
        Some(privatelink_core::config::TagFilter { key: "team".to_owned(), value: "blue".to_owned() });
    domains.writes();
    domains.run(json!({})).await.unwrap();
    assert_eq!(domains.writes().len(), 0);
}

#[tokio::test]
async fn a_batch_is_answered_record_by_record() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let good = domains.service("api.example.com");
    let body = json!({"serviceIds": [good]}).to_string();
    let record = |id: &str, body: &str| {
        json!({"messageId": id, "receiptHandle": "r", "body": body, "attributes": {}, "messageAttributes": {},
               "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-west-2:999988887777:q",
               "awsRegion": "us-west-2"})
    };
    let batch = json!({"Records": [record("good", &body), record("bad", "what?")]});
    domains.stage.break_next("ChangeResourceRecordSets", 999, FaultKind::Refused("Throttling".to_owned()));
    let verifier = domains.verifier();
    let answer = domains.answer(&verifier, batch.clone(), Duration::from_secs(2)).await.value().unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "good"}, {"itemIdentifier": "bad"}]));
    domains.region().mend();
    let answer = domains.answer(&verifier, batch, Duration::from_secs(5)).await.value().unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "bad"}]));
}

#[tokio::test]
async fn zones_in_their_thousands_cost_no_more_calls_than_names_have_labels() {
    let mut domains = Domains::new().await;
    for n in 0..3000 {
        domains.zone_of(PROVIDER, &format!("n{n}.example.com"), None);
    }
    domains.zone("n7.deep.example.com");
    domains.service("a.b.n7.deep.example.com");
    domains.stage.calls();
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "{answer}");
    let calls = domains.stage.calls();
    let lists = calls.iter().filter(|(action, _)| action == "ListHostedZonesByName").count();
    assert!(lists <= 6, "{lists} listings in two looks");
}
