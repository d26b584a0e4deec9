//! Who is told what became of connections: stories with some events, and a look at what arrived.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_core::config::{Mode, TagFilter};
use privatelink_core::ids::TopicArn;
use privatelink_core::report::Failure;
use privatelink_region::faults::FaultKind;
use privatelink_region::world::DnsState;
use privatelink_tests::notices::{NOTICES, Notices, OPERATORS, OWN};
use privatelink_tests::stage::{START, outcomes, skipped, tallied};
use privatelink_tests::{ACME, BETA, PROVIDER, STRANGER};
use serde_json::{Value, json};

const AVAILABLE: &str = "EndpointConnectionAvailable";
const HELD: &str = "EndpointConnectionHeld";

#[tokio::test]
async fn each_state_is_told_to_whom_it_concerns_and_marked() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let available = notices.connection(&service, ACME, "available");
    let rejected = notices.connection(&service, BETA, "rejected");
    let failed = notices.connection(&service, STRANGER, "failed");
    let expired = notices.connection(&service, BETA, "expired");
    let held = notices.held(&service, STRANGER);
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!((&answer["function"], &answer["mode"]), (&json!("availability-notifier"), &json!("enforce")));
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 5), ("tag done", 5)]));
    let mut expected = vec![
        notices.of(NOTICES, AVAILABLE, &available, "available"),
        notices.of(OWN, "EndpointConnectionRejected", &rejected, "rejected"),
        notices.of(NOTICES, "EndpointConnectionFailed", &failed, "failed"),
        notices.of(OWN, "EndpointConnectionExpired", &expired, "expired"),
        notices.of(OPERATORS, HELD, &held, "held"),
    ];
    expected.sort();
    assert_eq!(notices.told(), expected);
    let states = [&available, &rejected, &failed, &expired, &held].map(|endpoint| notices.notified(endpoint).unwrap());
    assert_eq!(states, ["available", "rejected", "failed", "expired", "held"]);
    // Two topics in one Region and one in another are three calls; the tags are as many as there are states.
    let writes = notices.writes();
    assert_eq!(writes["PublishBatch"], 3, "{writes:?}");
}

#[tokio::test]
async fn a_second_delivery_tells_nobody_and_writes_nothing() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    notices.connection(&service, BETA, "pending");
    notices.held(&service, STRANGER);
    notices.run(json!({})).await.unwrap();
    assert_eq!((notices.told().len(), notices.writes().is_empty()), (2, false));
    for event in [json!({}), json!({"serviceIds": [service]}), json!({})] {
        let answer = notices.run(event).await.unwrap();
        assert_eq!(outcomes(&answer), []);
        assert_eq!(skipped(&answer), tallied(&[("already-told", 2), ("not-ready", 1)]));
    }
    assert_eq!((notices.told(), notices.writes().len()), (vec![], 0));
}

#[tokio::test]
async fn each_state_is_told_once_however_often_it_comes() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let endpoint = notices.connection(&service, ACME, "pending");
    let mut all = Vec::new();
    for state in ["pending", "available", "pending", "available", "rejected", "pending", "available", "rejected"] {
        notices.become_state(&endpoint, state);
        notices.run(json!({})).await.unwrap();
        notices.run(json!({"serviceIds": [service]})).await.unwrap();
        all.extend(notices.told());
    }
    let expected = [
        notices.of(NOTICES, AVAILABLE, &endpoint, "available"),
        notices.of(NOTICES, "EndpointConnectionRejected", &endpoint, "rejected"),
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_message_has_attributes_to_filter_by_and_a_form_for_people() {
    let mut notices = Notices::new();
    notices.subscribe(NOTICES, "email", "ops@example.com", false);
    let service = notices.service_named("api.example.com", DnsState::Verified);
    let endpoint = notices.connection(&service, ACME, "available");
    notices.run(json!({})).await.unwrap();
    let [queued] = &notices.deliveries()[..] else { panic!("not one message") };
    let attributes: Vec<_> =
        queued.attributes.iter().map(|(name, is)| (name.as_str(), is.data_type.as_str(), is.value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("consumerAccount", "String", ACME),
            ("endpointId", "String", endpoint.as_str()),
            ("region", "String", "us-west-2"),
            ("schemaVersion", "String", "1"),
            ("serviceId", "String", service.as_str()),
            ("type", "String", AVAILABLE),
        ]
    );
    let document: Value = serde_json::from_str(&queued.message).unwrap();
    assert_eq!(document["consumer"], "acme");
    assert_eq!(document["service"]["privateDnsState"], "verified");
    let world = notices.region().world();
    let mail = world.sns.deliveries.iter().find(|delivery| delivery.endpoint == "ops@example.com").unwrap();
    assert!(mail.message.contains("ready for traffic") && mail.message.contains(&endpoint), "{}", mail.message);
    let subject = mail.subject.as_ref().unwrap();
    assert!(subject.starts_with("Ready: api.example.com") && subject.len() <= 100, "{subject}");
}

#[tokio::test]
async fn observe_publishes_nothing_and_writes_no_tag() {
    let mut notices = Notices::new();
    notices.config.mode = Mode::Observe;
    notices.config.watch = Duration::from_secs(30);
    notices.config.notify_since = Some(START);
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    notices.connection(&service, ACME, "pending");
    notices.held(&service, STRANGER);
    notices.stage.calls();
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish planned", 2)]));
    assert_eq!((notices.told(), notices.writes().len()), (vec![], 0));
}

#[tokio::test]
async fn a_first_deployment_marks_what_it_finds_and_tells_what_changes() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let old = notices.connection(&service, ACME, "available");
    let touched = notices.connection(&service, ACME, "available");
    notices.tag(&touched, "privatelink:decision", "accepted");
    let pending = notices.connection(&service, ACME, "pending");
    notices.config.notify_since = Some(notices.region().now() + Duration::from_secs(1));
    notices.region().step(Duration::from_secs(1));
    let new = notices.connection(&service, ACME, "available");
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 4)]));
    assert_eq!(skipped(&answer), tallied(&[("before-notify-since", 2)]));
    let mut expected = [&touched, &new].map(|endpoint| notices.of(NOTICES, AVAILABLE, endpoint, "available"));
    expected.sort();
    assert_eq!(notices.told(), expected);
    assert_eq!([&old, &pending].map(|endpoint| notices.notified(endpoint).unwrap()), ["available", "pending"]);
    notices.become_state(&old, "rejected");
    notices.become_state(&pending, "available");
    notices.run(json!({})).await.unwrap();
    let mut expected = [
        notices.of(NOTICES, "EndpointConnectionRejected", &old, "rejected"),
        notices.of(NOTICES, AVAILABLE, &pending, "available"),
    ];
    expected.sort();
    assert_eq!(notices.told(), expected);
}

#[tokio::test]
async fn what_one_account_has_waiting_at_one_service_is_one_notice() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let held: Vec<_> = (0..3).map(|_| notices.held(&service, STRANGER)).collect();
    let other = notices.held(&service, ACME);
    let answer = notices.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 2), ("tag done", 4)]));
    let documents = notices.documents();
    let grouped = documents.iter().find(|document| document["endpoint"]["account"] == STRANGER).unwrap();
    assert_eq!(grouped["endpoint"]["id"], held[0].as_str());
    assert_eq!(grouped["others"], json!(held[1..]));
    assert!(held.iter().chain([&other]).all(|endpoint| notices.notified(endpoint).unwrap() == "held"));
    notices.held(&service, STRANGER);
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1, "only what is new");
}

#[tokio::test]
async fn without_a_topic_of_their_own_the_operators_read_the_log() {
    let mut notices = Notices::new();
    notices.config.operator_topic = None;
    let endpoint = notices.held(&notices.stage.service(), STRANGER);
    let answer = notices.answer(&notices.notifier(), json!({}), Duration::from_secs(10)).await;
    let said = answer.report.as_ref().unwrap().said.clone();
    assert_eq!(said.len(), 1);
    assert_eq!((&said[0]["message"], &said[0]["notice"]["type"]), (&json!("notice"), &json!(HELD)));
    assert_eq!(outcomes(&answer.value().unwrap()), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert_eq!((notices.told(), notices.notified(&endpoint).as_deref()), (vec![], Some("held")));
    let again = notices.answer(&notices.notifier(), json!({}), Duration::from_secs(10)).await;
    assert_eq!(again.report.unwrap().said, [Value::Null; 0]);
}

#[tokio::test]
async fn a_name_that_is_verified_later_is_told_once_to_everyone_who_is_connected() {
    let mut notices = Notices::new();
    let service = notices.service_named("api.example.com", DnsState::PendingVerification);
    let acme = notices.connection(&service, ACME, "available");
    let beta = notices.connection(&service, BETA, "available");
    notices.connection(&service, ACME, "rejected");
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 3);
    notices.name(&service, "api.example.com", DnsState::Verified);
    for _ in 0..2 {
        notices.run(json!({})).await.unwrap();
    }
    let late = notices.connection(&service, ACME, "available");
    notices.run(json!({})).await.unwrap();
    let mut expected = vec![
        notices.of(NOTICES, "DomainVerified", &acme, "verified/api.example.com"),
        notices.of(OWN, "DomainVerified", &beta, "verified/api.example.com"),
        // Its Available notice says so.
        notices.of(NOTICES, AVAILABLE, &late, "available"),
    ];
    expected.sort();
    assert_eq!(notices.told(), expected);
    for endpoint in [&acme, &beta, &late] {
        let tags = notices.tags(endpoint);
        assert_eq!(
            (&*tags["privatelink:notified"], &*tags["privatelink:notified-domain"]),
            ("available", "api.example.com")
        );
    }
}

#[tokio::test]
async fn an_unknown_state_and_a_foreign_service_are_reported_and_not_told() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    let endpoint = notices.connection(&service, ACME, "partial");
    let foreign = notices.stage.service_on("arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/net/x/1", STRANGER);
    let answer = notices.run(json!({"serviceIds": [service, foreign]})).await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("foreign", 1), ("unknown-state", 1)]));
    assert_eq!((notices.told(), notices.notified(&endpoint)), (vec![], None));
}

#[tokio::test]
async fn only_what_an_event_means_and_the_tag_allows_is_looked_at() {
    let mut notices = Notices::new();
    let [named, other] = [notices.stage.service(), notices.stage.service()];
    for service in [&named, &other] {
        notices.connection(service, ACME, "available");
    }
    notices.run(json!({"serviceIds": [named]})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
    notices.config.service_tag = Some(TagFilter { key: "team".to_owned(), value: "edge".to_owned() });
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), []);
    notices.stage.tag_service(&other, "team", "edge");
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
}

#[tokio::test]
async fn an_event_that_is_not_recognised_and_a_bad_file_change_nothing() {
    let mut notices = Notices::new();
    notices.connection(&notices.stage.service(), ACME, "available");
    assert!(matches!(notices.run(json!({"serviceIds": []})).await, Err(Failure::UnrecognizedEvent(_))));
    notices.stage.write("consumers.toml", "[[consumer]]\nname = \"acme\"\naccounts = [\"1\"]\n");
    // A policy that is wrong is none of the notifier's.
    notices.stage.write("more.cedar", "permit(principal, action, resource);");
    let Err(Failure::BadPolicy(message)) = notices.run(json!({})).await else { panic!("a bad file was taken") };
    assert!(message.contains("consumers.toml:3: ") && !message.contains("cedar"), "{message}");
    assert_eq!(notices.told(), []);
    notices.stage.write("consumers.toml", "");
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told().len(), 1);
}

#[tokio::test]
async fn a_batch_is_answered_record_by_record() {
    let mut notices = Notices::new();
    let [good, bad] = [notices.stage.service(), notices.stage.service()];
    notices.connection(&good, ACME, "available");
    notices.connection(&bad, BETA, "available");
    let record = |id: &str, body: &str| {
        json!({"messageId": id, "receiptHandle": "r", "body": body, "attributes": {}, "messageAttributes": {},
               "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-west-2:999988887777:q",
               "awsRegion": "us-west-2"})
    };
    let at = |service: &str| json!({"serviceIds": [service]}).to_string();
    let batch = json!({"Records": [record("good", &at(&good)), record("bad", &at(&bad)), record("what", "what?")]});
    notices.stage.break_next("DescribeVpcEndpointConnections", 99, FaultKind::Throttled);
    let answer = notices.answer(&notices.notifier(), batch.clone(), Duration::from_secs(1)).await.value().unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 3, "{answer}");
    notices.region().mend();
    let answer = notices.run(batch).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "what"}]));
    assert_eq!(notices.told().len(), 2);
}

#[tokio::test]
async fn a_fifo_topic_gets_groups_and_drops_a_second_copy() {
    let fifo = "arn:aws:sns:us-west-2:999988887777:notices.fifo";
    let mut notices = Notices::new();
    notices.topic(fifo);
    notices.config.notice_topic = TopicArn::parse(fifo).unwrap();
    let endpoint = notices.connection(&notices.stage.service(), ACME, "available");
    notices.run(json!({})).await.unwrap();
    let [delivery] = &notices.deliveries()[..] else { panic!("not one message") };
    assert_eq!(delivery.group.as_ref(), Some(&notices.region().world().endpoints[&endpoint].connection_id));
    notices.forget(&endpoint);
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), []);
    assert_eq!(notices.notified(&endpoint).as_deref(), Some("available"));
}

#[tokio::test]
async fn a_thousand_at_once_are_a_hundred_calls_and_two_for_tags() {
    let mut notices = Notices::new();
    let service = notices.stage.service();
    for _ in 0..1_000 {
        notices.connection(&service, ACME, "available");
    }
    notices.writes();
    let answer = notices.answer(&notices.notifier(), json!({}), Duration::from_secs(300)).await.value().unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("publish done", 1_000), ("tag done", 1_000)]));
    let writes = notices.writes();
    assert_eq!((writes["PublishBatch"], writes["CreateTags"]), (100, 2));
    let mut ids: Vec<_> = notices.told().into_iter().map(|(_, _, id)| id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1_000);
}

#[tokio::test]
async fn the_operators_hear_of_their_own_account_as_of_any_other() {
    let mut notices = Notices::new();
    let endpoint = notices.connection(&notices.stage.service(), PROVIDER, "available");
    notices.run(json!({})).await.unwrap();
    assert_eq!(notices.told(), [notices.of(NOTICES, AVAILABLE, &endpoint, "available")]);
}
