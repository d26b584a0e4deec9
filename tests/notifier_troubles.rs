//! Notices when something goes wrong, and in time: each is told once all the same, and nobody waits for another.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use privatelink_aws::notifier::Notifier;
use privatelink_core::report::Failure;
use privatelink_region::Region;
use privatelink_region::clock::Clock;
use privatelink_region::faults::{Fault, FaultKind, When};
use privatelink_region::world::DnsState;
use privatelink_tests::meanwhile::meanwhile;
use privatelink_tests::notices::{NOTICES, Notices, OPERATORS, OWN};
use privatelink_tests::stage::{START, outcomes, settings, skipped, tallied};
use privatelink_tests::{ACME, BETA, STRANGER, Stage};
use serde_json::json;

const AVAILABLE: &str = "EndpointConnectionAvailable";
const HELD: &str = "EndpointConnectionHeld";
const UNDELIVERABLE: &str = "NoticeUndeliverable";

#[tokio::test]
async fn a_topic_that_is_gone_or_denied_fails_alone_and_is_told_to_the_operators_once() {
    for gone in [true, false] {
        let mut notices = Notices::new();
        let service = notices.stage.service();
        let lost = notices.connection(&service, BETA, "available");
        let fine = notices.connection(&service, ACME, "available");
        let code = if gone { "NotFound" } else { "AuthorizationError" };
        if gone {
            let own = "arn:aws:sns:eu-west-1:999988887777:nowhere";
            notices.stage.write("consumers.toml", &privatelink_tests::notices::CONSUMERS.replace(OWN, own));
        } else {
            notices.delete_topic(OWN);
        }
        let notifier = notices.notifier();
        let answer = notices.again(&notifier, json!({})).await.unwrap();
        let refused = format!("publish refused {code}");
        assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), (&refused, 1), ("tag done", 1)]));
        let told = notices.told();
        assert!(told.contains(&notices.of(NOTICES, AVAILABLE, &fine, "available")), "{told:?}");
        assert!(told.contains(&notices.of(OPERATORS, UNDELIVERABLE, &lost, "available/undeliverable")), "{told:?}");
        assert_eq!((told.len(), notices.notified(&lost)), (2, None));
        // It is tried again, and the operators know already.
        let answer = notices.again(&notifier, json!({})).await.unwrap();
        assert_eq!((outcomes(&answer), notices.told()), (tallied(&[(&refused, 1)]), vec![]));
        // A new process tells once more, with the same id.
        let new = notices.notifier();
        notices.again(&new, json!({})).await.unwrap();
        assert_eq!(notices.told(), [notices.of(OPERATORS, UNDELIVERABLE, &lost, "available/undeliverable")]);
        // Once it is mended, the notice arrives.
        notices.stage.write("consumers.toml", privatelink_tests::notices::CONSUMERS);
        notices.topic(OWN);
        if !gone {
            notices.permit(OWN);
        }
        notices.again(&new, json!({})).await.unwrap();
        assert_eq!(notices.told(), [notices.of(OWN, AVAILABLE, &lost, "available")]);
        assert_eq!(notices.notified(&lost).as_deref(), Some("available"));
    }
}

#[tokio::test]
async fn where_the_operators_topic_is_gone_the_log_says_it() {
    let mut notices = Notices::new();
    notices.delete_topic(OPERATORS);
    notices.delete_topic(OWN);
    let service = notices.stage.service();
    notices.held(&service, STRANGER);
    notices.connection(&service, BETA, "available");
    let notifier = notices.notifier();
    let said = |answer: &privatelink_core::report::Answer| {
        let said = &answer.report.as_ref().unwrap().said;
        said.iter().map(|line| line["notice"]["undelivered"]["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(10)).await;
    let mut lines = said(&answer);
    lines.sort();
    assert_eq!(lines, [AVAILABLE, HELD]);
    answer.value().unwrap();
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(10)).await;
    assert_eq!(said(&answer), [""; 0]);
    assert_eq!(notices.told(), []);
}

#[tokio::test]
async fn what_can_not_be_marked_is_not_published() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let endpoint = notices.connection(&service, ACME, "available");
    notices.held(&service, STRANGER);
    // The second one is what EC2 says of an id of a kind that it does not tag.
    for code in ["UnauthorizedOperation", "InvalidID"] {
        notices.region().mend();
        notices.stage.break_next("CreateTags", u32::MAX, FaultKind::Refused(code.to_owned()));
        for _ in 0..2 {
            let answer = notices.run(json!({})).await.unwrap();
            assert_eq!(outcomes(&answer), tallied(&[(&format!("publish refused {code}"), 2)]));
        }
    }
    assert_eq!((notices.told(), notices.writes().get("PublishBatch")), (vec![], None));
    notices.region().mend();
    notices.run(json!({})).await.unwrap();
    assert_eq!((notices.told().len(), notices.notified(&endpoint).as_deref()), (2, Some("available")));
}

#[tokio::test]
async fn one_that_bears_too_many_tags_keeps_nobody_else_from_being_told() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let held: Vec<_> = (0..3).map(|_| notices.held(&service, STRANGER)).collect();
    for n in 0..48 {
        notices.tag(&held[0], &format!("k{n}"), "");
    }
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(
        outcomes(&answer),
        tallied(&[("publish done", 1), ("publish refused TagLimitExceeded", 1), ("tag done", 2)])
    );
    assert_eq!(notices.told(), [notices.of(OPERATORS, HELD, &held[1], "held")]);
}

#[tokio::test]
async fn after_a_crash_between_publishing_and_marking_the_same_id_comes_again() {
    let mut notices = Notices::new();
    let endpoint = notices.connection(&notices.stage.service(), ACME, "available");
    notices.run(json!({})).await.unwrap();
    let first = notices.told();
    notices.forget(&endpoint);
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), first);
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), []);
}

#[tokio::test]
async fn a_mark_that_fails_is_owed_and_the_notice_is_not_sent_again() {
    let mut notices = Notices::new();
    let endpoint = notices.connection(&notices.stage.service(), ACME, "available");
    let notifier = notices.notifier();
    notices.stage.pass_next("CreateTags", 1);
    notices.stage.break_next("CreateTags", u32::MAX, FaultKind::Refused("InternalError".to_owned()));
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(3)).await.value();
    assert!(matches!(answer, Err(Failure::Retry(_))), "{answer:?}");
    assert_eq!((notices.told().len(), notices.notified(&endpoint)), (1, None));
    notices.region().mend();
    let answer = notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("tag done", 1)]));
    assert_eq!((notices.told(), notices.notified(&endpoint).as_deref()), (vec![], Some("available")));
    assert_eq!(outcomes(&notices.again(&notifier, json!({})).await.unwrap()), []);
}

#[tokio::test]
async fn two_that_look_at_the_same_time_tell_once() {
    for apart in [0, 1, 5, 20, 100, 300, 490, 510, 700] {
        let mut notices = Notices::new();
        let service = notices.stage.service();
        let held = notices.held(&service, STRANGER);
        let connections = [(); 3].map(|()| notices.connection(&service, ACME, "available"));
        let (one, other) = (notices.notifier(), notices.notifier());
        let later = async {
            tokio::time::sleep(Duration::from_millis(apart)).await;
            notices.again(&other, json!({})).await
        };
        let (first, second) = tokio::join!(notices.again(&one, json!({})), later);
        let done = tallied(&[("publish done", 4), ("tag done", 4)]);
        let both = [outcomes(&first.unwrap()), outcomes(&second.unwrap())];
        assert!(both.contains(&done) && both.contains(&tallied(&[])), "{apart} ms: {both:?}");
        assert_eq!(notices.told().len(), 4, "{apart} ms");
        for endpoint in connections {
            assert_eq!(notices.tags(&endpoint)["privatelink:notifying"], "available");
        }
        assert_eq!(notices.tags(&held)["privatelink:notifying"], "held");
    }
}

#[tokio::test]
async fn who_is_overtaken_between_its_claim_and_its_second_look_leaves_the_telling_to_the_other() {
    let mut notices = Notices::new();
    let endpoint = notices.connection(&notices.stage.service(), ACME, "available");
    let until = (notices.region().now() + Duration::from_secs(30)).unix_timestamp() * 1000;
    let region = notices.region().clone();
    let tag = move |key: &str, value: String| {
        region.world().endpoints.get_mut(&endpoint).unwrap().connection_tags.insert(key.to_owned(), value);
    };
    // The two reads of the first look, the claim, and then whoever was a moment later claims it, and tells.
    let deed = move |count| match count {
        3 => tag("privatelink:notifying", format!("available @1f:{until}")),
        5 => {
            tag("privatelink:notified", "available".to_owned());
            tag("privatelink:notifying", "available".to_owned());
        }
        _ => {}
    };
    let notifier = Notifier::new(notices.config.clone(), &meanwhile(notices.region(), "POST", "", deed));
    let answer = notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!((outcomes(&answer), notices.told()), (tallied(&[]), vec![]), "{answer}");
    assert_eq!(skipped(&answer), tallied(&[("already-told", 1)]), "{answer}");
    assert_eq!(notices.writes()["CreateTags"], 1);
}

#[tokio::test]
async fn after_a_slow_look_the_claim_leaves_time_to_tell() {
    let mut notices = Notices::new();
    notices.connection(&notices.stage.service(), ACME, "available");
    let slow = |count| {
        if count == 0 {
            std::thread::sleep(Duration::from_millis(2_500));
        }
    };
    let notifier = Notifier::new(notices.config.clone(), &meanwhile(notices.region(), "POST", "", slow));
    let begun = Instant::now();
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(6)).await.value().unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(notices.told().len(), 1);
}

#[tokio::test]
async fn whoever_looks_longer_than_its_claim_stands_tells_nobody() {
    let mut notices = Notices::new();
    notices.connection(&notices.stage.service(), ACME, "available");
    // The two reads of the first look, the claim, and then the second look begins.
    let slow = |count| {
        if count == 3 {
            std::thread::sleep(Duration::from_millis(5_100));
        }
    };
    let notifier = Notifier::new(notices.config.clone(), &meanwhile(notices.region(), "POST", "", slow));
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(60)).await.value();
    assert!(matches!(answer, Err(Failure::ReadFailed(_))), "{answer:?}");
    assert_eq!(notices.told(), []);
    notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
}

#[tokio::test]
async fn nothing_is_begun_to_be_told_after_its_claim_has_ended() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    (0..11).for_each(|_| drop(notices.connection(&service, ACME, "available")));
    // The two reads of the first look, the claim, the second look, and the first of two batches.
    let slow = |count| {
        if count == 5 {
            std::thread::sleep(Duration::from_millis(5_300));
        }
    };
    let notifier = Notifier::new(notices.config.clone(), &meanwhile(notices.region(), "POST", "", slow));
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(60)).await.value();
    assert!(matches!(answer, Err(Failure::Retry(_))), "{answer:?}");
    assert_eq!(notices.told().len(), 10);
    notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
}

/// A notifier that takes so long before its call of that number that somebody else claims meanwhile what it has read.
/// There is one connection, and more services than one call lists the connections of: a look is three calls.
fn overtaken(notices: &mut Notices, call: usize, slow: Duration) -> Notifier {
    let services: BTreeSet<String> = (0..201).map(|_| notices.stage.service()).collect();
    let endpoint = notices.connection(services.first().unwrap(), ACME, "available");
    let until = (notices.region().now() + Duration::from_secs(30)).unix_timestamp() * 1000;
    let region = notices.region().clone();
    let deed = move |count| {
        if count == call {
            std::thread::sleep(slow);
            let claim = ("privatelink:notifying".to_owned(), format!("available @1f:{until}"));
            region.world().endpoints.get_mut(&endpoint).unwrap().connection_tags.extend([claim]);
        }
    };
    Notifier::new(notices.config.clone(), &meanwhile(notices.region(), "POST", "", deed))
}

#[tokio::test]
async fn by_what_a_slow_look_saw_nothing_is_claimed() {
    let mut notices = Notices::new();
    // The services, and the first connections.
    let notifier = overtaken(&mut notices, 2, Duration::from_millis(700));
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(3)).await.value().unwrap();
    assert_eq!((outcomes(&answer), notices.told()), (tallied(&[]), vec![]), "{answer}");
    assert_eq!(skipped(&answer), tallied(&[("not-ready", 1)]), "{answer}");
    assert_eq!(notices.writes().get("CreateTags"), None);
}

#[tokio::test]
async fn a_slow_look_after_the_claim_is_taken_again() {
    let mut notices = Notices::new();
    // The first look, the claim, and of the second look the services and the first connections. Whoever claims then was
    // slow itself, and tells a while after.
    let notifier = overtaken(&mut notices, 6, Duration::from_millis(1_500));
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(3)).await.value().unwrap();
    assert_eq!((outcomes(&answer), notices.told()), (tallied(&[]), vec![]), "{answer}");
    assert_eq!(skipped(&answer), tallied(&[("not-ready", 1)]), "{answer}");
}

#[tokio::test]
async fn a_claim_stops_whoever_has_not_told_yet_and_what_nobody_told_is_told_when_it_ends() {
    let mut notices = Notices::new();
    let endpoint = notices.connection(&notices.stage.service(), ACME, "available");
    let until = (notices.region().now() + Duration::from_secs(2)).unix_timestamp() * 1000;
    notices.tag(&endpoint, "privatelink:notifying", &format!("available @1f:{until}"));
    let begun = Instant::now();
    let answer = notices.run(json!({})).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert_eq!((notices.told().len(), notices.notified(&endpoint).as_deref()), (1, Some("available")));
    // One that stands for longer than the invocation lasts is left to the next.
    let other = notices.connection(&notices.stage.service(), ACME, "available");
    notices.tag(&other, "privatelink:notifying", &format!("available @1f:{}", until + 60_000));
    let answer = notices.answer(&notices.notifier(), json!({}), Duration::from_secs(3)).await.value().unwrap();
    assert_eq!((outcomes(&answer), notices.told()), (tallied(&[]), vec![]));
    assert_eq!(skipped(&answer), tallied(&[("already-told", 1), ("not-ready", 1)]));
}

#[tokio::test]
async fn a_warm_process_tells_nobody_twice_while_reads_lag_behind() {
    let mut notices = Notices::new();
    let service = notices.service_named("api.example.com", DnsState::PendingVerification);
    let endpoint = notices.connection(&service, ACME, "available");
    let notifier = notices.notifier();
    notices.again(&notifier, json!({})).await.unwrap();
    notices.forget(&endpoint);
    let answer = notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-told", 1)])));
    assert_eq!(notices.told().len(), 1);
    // What is news is told all the same, and what was told before it is not forgotten.
    notices.become_state(&endpoint, "rejected");
    notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
    notices.become_state(&endpoint, "available");
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), []);
    // After a while the tags alone count: who takes them away has it sent again.
    notices.forget(&endpoint);
    notices.region().step(Duration::from_secs(16 * 60));
    notices.again(&notifier, json!({})).await.unwrap();
    assert_eq!(notices.told(), [notices.of(NOTICES, AVAILABLE, &endpoint, "available")]);
}

#[tokio::test]
async fn throttling_and_broken_connections_are_waited_out() {
    for (action, kind) in [
        ("PublishBatch", FaultKind::Throttled),
        ("PublishBatch", FaultKind::InternalError),
        ("PublishBatch", FaultKind::Reset),
        ("PublishBatch", FaultKind::Items("InternalError".to_owned())),
        ("PublishBatch", FaultKind::Items("Throttled".to_owned())),
        ("CreateTags", FaultKind::Throttled),
        ("DescribeVpcEndpointConnections", FaultKind::Throttled),
    ] {
        let mut notices = Notices::new();
        let service = notices.stage.service();
        for account in [ACME, BETA] {
            notices.connection(&service, account, "available");
        }
        notices.stage.break_next(action, 2, kind.clone());
        let answer = notices.run(json!({})).await.unwrap();
        assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 2)]), "{action} {kind:?}");
        assert_eq!(notices.told().len(), 2);
    }
}

#[tokio::test]
async fn an_entry_that_is_refused_is_refused_alone_and_one_that_is_not_is_tried_again() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    for _ in 0..3 {
        notices.connection(&service, ACME, "available");
    }
    notices.stage.break_next("PublishBatch", 1, FaultKind::Items("InvalidParameter".to_owned()));
    let answer = notices.run(json!({})).await.unwrap();
    // The operators are told of each.
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 3), ("publish refused InvalidParameter", 3)]));
    assert!(
        notices.told().iter().all(|(topic, kind, _)| (topic.as_str(), kind.as_str()) == ("operators", UNDELIVERABLE))
    );
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 3);
}

#[tokio::test]
async fn where_no_batches_are_known_each_message_is_published_by_itself() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    for _ in 0..3 {
        notices.connection(&service, ACME, "available");
    }
    notices.stage.break_next("PublishBatch", u32::MAX, FaultKind::Refused("InvalidAction".to_owned()));
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 3), ("tag done", 3)]));
    assert_eq!((notices.told().len(), notices.writes()["Publish"]), (3, 3));
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_halved() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    for _ in 0..4 {
        notices.connection(&service, ACME, "available");
    }
    notices.stage.break_next("PublishBatch", 2, FaultKind::Refused("BatchRequestTooLong".to_owned()));
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 4), ("tag done", 4)]));
    assert_eq!((notices.told().len(), notices.writes()["PublishBatch"]), (4, 5));
}

#[tokio::test]
async fn what_is_not_told_in_time_is_told_the_next_time() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    let notifier = notices.notifier();
    for kind in [FaultKind::Silence, FaultKind::Throttled] {
        notices.stage.break_next("PublishBatch", u32::MAX, kind);
        let begun = Instant::now();
        let answer = notices.answer(&notifier, json!({}), Duration::from_secs(3)).await.value();
        assert!(matches!(answer, Err(Failure::Retry(_))), "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        notices.region().mend();
    }
    assert_eq!(notices.told(), []);
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
}

#[tokio::test]
async fn a_call_that_one_connection_spoils_is_halved_before_publishing_and_after() {
    for before in [true, false] {
        let notices = Notices::new();
        let service = notices.stage.service();
        let endpoints = [(); 3].map(|()| notices.connection(&service, ACME, "available"));
        if !before {
            notices.stage.pass_next("CreateTags", 1);
        }
        let gone = FaultKind::Refused("InvalidVpcEndpointConnectionId.NotFound".to_owned());
        notices.stage.break_next("CreateTags", 1, gone);
        let answer = notices.run(json!({})).await.unwrap();
        assert_eq!(outcomes(&answer), tallied(&[("publish done", 3), ("tag done", 3)]), "{before}");
        assert!(endpoints.iter().all(|endpoint| notices.notified(endpoint).as_deref() == Some("available")));
    }
}

#[tokio::test]
async fn one_that_is_deleted_meanwhile_is_no_trouble() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    let gone = FaultKind::Refused("InvalidVpcEndpointConnectionId.NotFound".to_owned());
    notices.stage.pass_next("CreateTags", 1);
    notices.stage.break_next("CreateTags", 1, gone.clone());
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 1), ("tag already-done", 1)]));
    notices.told();
    // Gone before it was told, it is told to nobody.
    notices.connection(&service, ACME, "rejected");
    notices.stage.break_next("CreateTags", 9, gone);
    let answer = notices.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).iter().all(|(outcome, _)| outcome.starts_with("publish already-done")), "{answer}");
    assert_eq!(notices.told(), []);
}

/// A Region whose clock runs, and a notifier that watches.
fn watching(seconds: u64) -> Notices {
    let region = Region::new(settings(), Clock::running(START, 1.0));
    let mut notices = Notices::on(Stage::new().in_region(region));
    notices.config.watch = Duration::from_secs(seconds);
    notices
}

#[tokio::test]
async fn while_something_is_pending_everything_is_looked_at_and_told_within_five_seconds() {
    let mut notices = watching(20);
    let [named, other] = [notices.stage.service(), notices.stage.service()];
    let endpoint = notices.connection(&named, ACME, "pending");
    let elsewhere = notices.connection(&other, BETA, "pending");
    let region = notices.region().clone();
    let (one, two) = (endpoint.clone(), elsewhere.clone());
    let changes = tokio::spawn(async move {
        for id in [two, one] {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut world = region.world();
            let now = world.now();
            world.endpoints.get_mut(&id).unwrap().history.push((now, "available"));
        }
    });
    let begun = Instant::now();
    let foreign = "vpce-svc-0123456789abcdef0";
    let event = json!({"serviceIds": [named, foreign]});
    let answer = notices.answer(&notices.notifier(), event, Duration::from_secs(30)).await.value().unwrap();
    changes.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 2)]));
    assert_eq!(skipped(&answer), tallied(&[("foreign", 1)]));
    let deliveries = notices.deliveries();
    let world = notices.region().world();
    for id in [&endpoint, &elsewhere] {
        let (changed, _) = *world.endpoints[id].history.last().unwrap();
        let told = deliveries.iter().find(|delivery| delivery.attributes["endpointId"].value == *id).unwrap();
        assert!(told.at - changed < Duration::from_millis(5_200), "{}", told.at - changed);
    }
}

#[tokio::test]
async fn with_nothing_pending_it_ends_at_once_and_never_past_its_deadline() {
    let notices = watching(800);
    let service = notices.stage.service();
    notices.held(&service, STRANGER);
    notices.connection(&service, ACME, "available");
    let begun = Instant::now();
    notices.answer(&notices.notifier(), json!({}), Duration::from_secs(60)).await.value().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    notices.connection(&service, ACME, "pending");
    let begun = Instant::now();
    let left = Duration::from_secs(7);
    let answer = notices.answer(&notices.notifier(), json!({}), left).await.value().unwrap();
    assert!((4..7).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(skipped(&answer), tallied(&[("already-told", 2), ("not-ready", 1)]));
}

#[tokio::test]
async fn what_failed_and_succeeded_at_the_next_look_is_no_failure() {
    let mut notices = watching(20);
    let service = notices.stage.service();
    let waits = notices.connection(&service, STRANGER, "pending");
    notices.connection(&service, ACME, "available");
    notices.stage.break_next("PublishBatch", 1, FaultKind::Items("InvalidParameter".to_owned()));
    let region = notices.region().clone();
    let change = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut world = region.world();
        let now = world.now();
        world.endpoints.get_mut(&waits).unwrap().history.push((now, "deleted"));
    });
    let answer = notices.answer(&notices.notifier(), json!({}), Duration::from_secs(30)).await.value().unwrap();
    change.await.unwrap();
    // The operators were told of the failure, and then it arrived.
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 1)]));
    let kinds: Vec<_> = notices.told().into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(kinds, [AVAILABLE, UNDELIVERABLE]);
}

#[tokio::test]
async fn a_topic_that_does_not_answer_holds_up_no_other_and_no_mark() {
    let mut notices = watching(0);
    let service = notices.stage.service();
    // The first call is to the topic that comes first in the order of their ARNs.
    for _ in 0..30 {
        notices.connection(&service, BETA, "available");
    }
    let fine = notices.connection(&service, ACME, "available");
    notices.stage.break_next("PublishBatch", 1, FaultKind::Silence);
    let notifier = notices.notifier();
    let region = notices.region().clone();
    let looked = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let fault = Fault { action: "PublishBatch".to_owned(), times: 1, kind: FaultKind::Silence, when: When::Before };
        region.break_next(fault);
        // The second try is under way.
        tokio::time::sleep(Duration::from_millis(2_400)).await;
        region.world().endpoints[&fine].connection_tags.get("privatelink:notified").cloned()
    });
    let answer = notices.answer(&notifier, json!({}), Duration::from_secs(30)).await.value().unwrap();
    // By then the one that was told was marked, though the other topic had answered nothing yet.
    assert_eq!(looked.await.unwrap().as_deref(), Some("available"));
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 31), ("tag done", 31)]));
    assert_eq!(notices.told().len(), 31);
}

#[tokio::test]
async fn a_topic_that_is_gone_costs_one_call_a_look() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    for _ in 0..45 {
        notices.connection(&service, BETA, "available");
    }
    notices.delete_topic(OWN);
    notices.writes();
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 45), ("publish refused AuthorizationError", 45)]));
    // One to the topic, and five to the operators.
    assert_eq!(notices.writes()["PublishBatch"], 6);
}
