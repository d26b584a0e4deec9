//! What AWS can do wrong, and what the function makes of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_core::report::Failure;
use privatelink_region::Settings;
use privatelink_region::faults::FaultKind;
use privatelink_tests::stage::{outcomes, settings, skipped, tallied};
use privatelink_tests::{ACME, STRANGER, Stage};
use serde_json::{Value, json};

const ACCEPT: &str = "AcceptVpcEndpointConnections";
const SERVICES: &str = "DescribeVpcEndpointServiceConfigurations";
const CONNECTIONS: &str = "DescribeVpcEndpointConnections";
/// Everybody is accepted, so that a test can have as many as it likes.
const ALL: &str = r#"@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);"#;
/// Enough for a first attempt and some more.
const SHORT: Duration = Duration::from_secs(3);

fn stage(settings: Settings) -> Stage {
    let stage = Stage::with(settings);
    stage.write("policy.cedar", ALL);
    stage
}

fn accepts(stage: &mut Stage) -> usize {
    stage.writes().into_iter().filter(|action| action == ACCEPT).count()
}

#[tokio::test]
async fn accept_calls_hold_a_hundred_ids_and_what_was_decided_alike_is_tagged_by_one() {
    let mut stage = stage(settings());
    stage.connect_many(&stage.service(), ACME, 250);
    stage.calls();
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.count("pending"), 250);
    let writes = stage.writes();
    let count = |action: &str| writes.iter().filter(|write| *write == action).count();
    assert_eq!((count(ACCEPT), count("CreateTags")), (3, 1));
}

#[tokio::test]
async fn held_connections_are_tagged_a_thousand_at_a_time() {
    let mut stage = Stage::new();
    stage.connect_many(&stage.service(), STRANGER, 1500);
    stage.calls();
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.writes(), ["CreateTags", "CreateTags"]);
}

#[tokio::test]
async fn a_call_with_too_many_ids_is_halved_until_it_is_taken() {
    let mut stage = stage(Settings { most_endpoint_ids: Some(30), ..settings() });
    stage.connect_many(&stage.service(), ACME, 100);
    stage.calls();
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("accept done", 100), ("tag done", 100)]));
    // 100 and 50 are refused, 25 is taken.
    assert_eq!(accepts(&mut stage), 1 + 2 + 4);
}

/// A plan that is made now, and carried out after the world has changed: what the outcomes are then.
async fn outcomes_after(stage: &mut Stage, change: impl FnOnce(&mut Stage)) -> Vec<String> {
    let acceptor = stage.acceptor();
    let deadline = privatelink_aws::deadline::Deadline::after(Duration::from_secs(10));
    let policy = acceptor.policy().unwrap();
    let look = privatelink_core::trigger::Look::Everything;
    let (_, plan) = acceptor.plan(&policy, &look, stage.region.now(), deadline).await.unwrap();
    change(stage);
    stage.calls();
    let outcomes = acceptor.apply(plan.effects, deadline).await;
    let mut words: Vec<_> =
        outcomes.iter().map(|outcome| format!("{} {}", outcome.effect, outcome.ended.word())).collect();
    words.sort();
    words
}

#[tokio::test]
async fn an_id_that_spoils_its_call_is_found() {
    let mut stage = stage(Settings { unknown_id_spoils_call: true, ..settings() });
    let service = stage.service();
    let endpoints = stage.connect_many(&service, ACME, 8);
    let gone = endpoints[5].clone();
    let words = outcomes_after(&mut stage, |stage| drop(stage.region.world().endpoints.remove(&gone))).await;
    assert_eq!(words, [vec!["accept already-done"], vec!["accept done"; 7], vec!["tag done"; 7]].concat());
    assert_eq!((stage.count("pending"), accepts(&mut stage)), (7, 1 + 2 + 2 + 2));
}

#[tokio::test]
async fn a_connection_that_is_gone_does_not_keep_the_others_from_their_tags() {
    let mut stage = Stage::new();
    let service = stage.service();
    let endpoints = stage.connect_many(&service, STRANGER, 8);
    let gone = endpoints[5].clone();
    let words = outcomes_after(&mut stage, |stage| drop(stage.region.world().endpoints.remove(&gone))).await;
    assert_eq!(words, [vec!["hold already-done"], vec!["hold done"; 7]].concat());
    let kept = endpoints.iter().filter(|endpoint| **endpoint != gone);
    assert!(kept.into_iter().all(|endpoint| stage.tags(endpoint).is_some()));
}

#[tokio::test]
async fn unsuccessful_items_become_outcomes_of_their_own() {
    for (code, expected) in [
        ("InvalidState", "accept already-done"),
        ("InvalidVpcEndpointId.NotFound", "accept already-done"),
        ("InvalidVpcEndpoint.NotFound", "accept already-done"),
        ("InvalidVpcEndpointId.Malformed", "accept refused InvalidVpcEndpointId.Malformed"),
        ("UnauthorizedOperation", "accept refused UnauthorizedOperation"),
        ("SomethingNew", "accept refused SomethingNew"),
    ] {
        let stage = stage(settings());
        let endpoint = stage.connect(&stage.service(), ACME);
        stage.break_after(ACCEPT, 1, FaultKind::Items(code.to_owned()));
        let answer = stage.run(json!({})).await.unwrap();
        assert_eq!(outcomes(&answer), tallied(&[(expected, 1)]), "{code}");
        // What was not accepted, or not by this function, does not bear its tag.
        assert_eq!(stage.tags(&endpoint), None, "{code}");
    }
}

#[tokio::test]
async fn an_item_that_is_throttled_is_tried_again() {
    let stage = stage(settings());
    stage.connect(&stage.service(), ACME);
    stage.break_after(ACCEPT, 2, FaultKind::Items("RequestLimitExceeded".to_owned()));
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("accept done", 1), ("tag done", 1)]));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for kind in
        [FaultKind::Throttled, FaultKind::InternalError, FaultKind::BadGateway, FaultKind::Reset, FaultKind::Garbage]
    {
        for action in [SERVICES, CONNECTIONS, ACCEPT, "CreateTags"] {
            let stage = stage(settings());
            let endpoint = stage.connect(&stage.service(), ACME);
            stage.break_next(action, 2, kind.clone());
            stage.run(json!({})).await.unwrap();
            let seen = (stage.state(&endpoint), stage.tags(&endpoint));
            assert_eq!(seen, ("pending".to_owned(), Some("accepted: all".to_owned())), "{action} {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_call_that_took_effect_and_broke_is_done_and_tagged() {
    for kind in [FaultKind::InternalError, FaultKind::Reset, FaultKind::Garbage] {
        let stage = stage(settings());
        let endpoint = stage.connect(&stage.service(), ACME);
        stage.break_after(ACCEPT, 1, kind.clone());
        let answer = stage.run(json!({})).await.unwrap();
        assert_eq!(outcomes(&answer), tallied(&[("accept already-done", 1), ("tag done", 1)]), "{kind:?}");
        assert_eq!(stage.tags(&endpoint).unwrap(), "accepted: all", "{kind:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_in_time_becomes_retry_and_hinders_nobody_else() {
    let stage = stage(settings());
    let [stuck, free] = [stage.service(), stage.service()];
    let endpoints = [&stuck, &free].map(|service| stage.connect(service, ACME));
    // Calls of both services meet the fault; only so many of them do, and the other one gets through.
    stage.break_next(ACCEPT, 1, FaultKind::Throttled);
    stage.run(json!({})).await.unwrap();
    assert_eq!(endpoints.map(|endpoint| stage.state(&endpoint)), ["pending", "pending"]);

    let stage = self::stage(settings());
    let service = stage.service();
    let [held, accepted] = [STRANGER, ACME].map(|account| stage.connect(&service, account));
    stage.write("policy.cedar", privatelink_tests::stage::POLICY);
    stage.break_next(ACCEPT, u32::MAX, FaultKind::Throttled);
    let Err(Failure::Retry(message)) = stage.run_within(json!({}), SHORT).await else { panic!("no retry") };
    assert!(message.contains("RequestLimitExceeded") && message.contains(&accepted), "{message}");
    assert!(stage.tags(&held).is_some(), "the other effect was tried");
}

#[tokio::test]
async fn calls_that_hang_do_not_keep_others_from_being_made() {
    let stage = stage(settings());
    let services: Vec<_> = (0..6).map(|_| stage.service()).collect();
    services.iter().for_each(|service| drop(stage.connect(service, ACME)));
    // As many hang as may be under way at a time. They are given up early enough for everything to be tried.
    stage.break_next(ACCEPT, 4, FaultKind::Silence);
    let answer = stage.run_within(json!({}), Duration::from_secs(5)).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("accept done", 6), ("tag done", 6)]));
}

#[tokio::test]
async fn a_refusal_that_stays_does_not_fail_the_invocation() {
    let stage = stage(settings());
    let endpoint = stage.connect(&stage.service(), ACME);
    stage.break_next(ACCEPT, u32::MAX, FaultKind::Unauthorized);
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("accept refused UnauthorizedOperation", 1)]));
    assert_eq!(stage.state(&endpoint), "pendingAcceptance");
}

#[tokio::test]
async fn a_caller_who_may_not_is_not_asked_again_in_halves() {
    let mut stage = stage(settings());
    stage.connect_many(&stage.service(), ACME, 64);
    stage.calls();
    for kind in [FaultKind::Unauthorized, FaultKind::Refused("InvalidVpcEndpointServiceId.NotFound".to_owned())] {
        stage.break_next(ACCEPT, u32::MAX, kind);
        stage.run(json!({})).await.unwrap();
        assert_eq!(accepts(&mut stage), 1);
    }
}

#[tokio::test]
async fn where_tags_are_denied_connections_are_accepted_all_the_same() {
    let stage = stage(settings());
    let endpoint = stage.connect(&stage.service(), ACME);
    stage.break_next("CreateTags", u32::MAX, FaultKind::Unauthorized);
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("accept done", 1), ("tag refused UnauthorizedOperation", 1)]));
    assert_eq!(stage.state(&endpoint), "pending");
}

#[tokio::test]
async fn a_failed_read_is_never_an_empty_list() {
    for action in [SERVICES, CONNECTIONS] {
        for kind in [
            FaultKind::Unauthorized,
            FaultKind::Throttled,
            FaultKind::InternalError,
            FaultKind::Garbage,
            FaultKind::Reset,
            FaultKind::Silence,
        ] {
            let mut stage = stage(settings());
            stage.connect(&stage.service(), ACME);
            stage.calls();
            stage.break_next(action, u32::MAX, kind.clone());
            let answer = stage.run_within(json!({}), Duration::from_millis(800)).await;
            let Err(Failure::ReadFailed(message)) = answer else { panic!("{action} {kind:?}: {answer:?}") };
            assert!(message.contains(action), "{message}");
            assert_eq!(stage.writes(), [""; 0], "{action} {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_page_that_fails_is_not_the_last_one() {
    let mut stage = stage(Settings { page: 5, ..settings() });
    stage.connect_many(&stage.service(), ACME, 12);
    stage.calls();
    // The first page is read, the second is not.
    stage.region.break_next(privatelink_region::faults::Fault {
        action: CONNECTIONS.to_owned(),
        times: 1,
        kind: FaultKind::Items(String::new()),
        when: privatelink_region::faults::When::After,
    });
    stage.break_next(CONNECTIONS, u32::MAX, FaultKind::Unauthorized);
    assert!(matches!(stage.run(json!({})).await, Err(Failure::ReadFailed(_))));
    assert_eq!(stage.writes(), [""; 0]);
}

fn batch(bodies: &[&str]) -> Value {
    let record =
        |(n, body): (usize, &&str)| json!({"messageId": format!("m{n}"), "eventSource": "aws:sqs", "body": body});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_names_the_records_that_are_to_come_again() {
    let stage = stage(settings());
    let [good, bad] = [stage.service(), stage.service()];
    // No call for the second service ever succeeds, since its only connection is throttled alone.
    stage.connect(&bad, ACME);
    stage.break_next(ACCEPT, u32::MAX, FaultKind::Throttled);
    let payload = batch(&[&good, &bad, "garbage", &format!("{good} and {bad}"), "vpce-0123 of nobody's"]).to_string();
    let deadline = privatelink_aws::deadline::Deadline::after(SHORT);
    let answer = stage.acceptor().handle(payload.as_bytes(), stage.region.now(), deadline).await.value().unwrap();
    assert_eq!(failures(&answer), ["m1", "m2", "m3", "m4"]);
    assert_eq!(outcomes(&answer), tallied(&[("accept retry RequestLimitExceeded", 1)]));
}

#[tokio::test]
async fn a_batch_that_went_well_names_nobody() {
    let stage = stage(settings());
    let service = stage.service();
    let endpoint = stage.connect(&service, ACME);
    let answer = stage.run(batch(&[&service])).await.unwrap();
    assert_eq!((failures(&answer), stage.state(&endpoint)), (vec![], "pending".to_owned()));
    let nobody = stage.run(batch(&["vpce-svc-0f"])).await.unwrap();
    assert_eq!((failures(&nobody), skipped(&nobody)), (vec![], tallied(&[("foreign", 1)])));
}

#[tokio::test]
async fn a_batch_that_could_not_be_read_about_comes_again_whole() {
    let stage = stage(settings());
    let service = stage.service();
    stage.break_next(SERVICES, u32::MAX, FaultKind::Unauthorized);
    let answer = stage.run(batch(&[&service, &service])).await.unwrap();
    assert_eq!((failures(&answer), &answer["error"]["type"]), (vec!["m0", "m1"], &json!("ReadFailed")));
}

#[tokio::test]
async fn an_empty_bucket_is_tried_by_one_call_at_a_time_and_ever_more_rarely() {
    let mut stage = stage(Settings { throttling: true, ..settings() });
    let service = stage.service();
    stage.connect_many(&service, ACME, 1400);
    // Ten calls pass, and four more hundreds wait. In two seconds each of them alone would ask some five times.
    let first = stage.run_within(json!({}), Duration::from_secs(2)).await;
    assert!(matches!(first, Err(Failure::Retry(_))), "{first:?}");
    assert_eq!(stage.count("pending"), 1000);
    let refused = stage.calls().into_iter().filter(|call| call.1.as_deref() == Some("RequestLimitExceeded")).count();
    assert!((1..=9).contains(&refused), "{refused} calls met an empty bucket");
}

#[tokio::test]
async fn throttled_as_aws_throttles_everybody_is_accepted_in_the_end() {
    let stage = stage(Settings { throttling: true, ..settings() });
    let service = stage.service();
    stage.connect_many(&service, ACME, 1100);
    // The Region's clock stands, so that ten calls pass and no more, until somebody steps it.
    let first = stage.run_within(json!({}), SHORT).await;
    assert!(matches!(first, Err(Failure::Retry(_))), "{first:?}");
    assert_eq!(stage.count("pending"), 1000);
    let untagged = |stage: &Stage| {
        let world = stage.region.world();
        let pending = world.endpoints.values().filter(|endpoint| endpoint.state() == "pending");
        pending.filter(|endpoint| endpoint.connection_tags.is_empty()).count()
    };
    assert_eq!(untagged(&stage), 0, "what was accepted bears its tag, though the time ran out");
    stage.region.step(Duration::from_secs(1));
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.count("pending"), 1100);
}
