//! What CloudWatch counts: stories with some events, and the figures of each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::deadline::Deadline;
use privatelink_core::report::Failure;
use privatelink_region::faults::FaultKind;
use privatelink_region::world::DnsState;
use privatelink_tests::domains::{CHECK, Domains, PROPAGATION};
use privatelink_tests::figures::Figures;
use privatelink_tests::notices::{NOTICES, Notices};
use privatelink_tests::{ACME, BETA, STRANGER, Stage};
use serde_json::{Value, json};

const BASE: [&str; 3] = ["Sweeps", "BadConfiguration", "BadPolicy"];
const CALLS: [&str; 2] = ["ApiCalls", "ApiRetries"];
const WAITING: [&str; 4] = ["Undecided", "UndecidedOldestAge", "Held", "HeldOldestAge"];
const DOMAINS: [&str; 4] = ["DomainsVerified", "DomainsPending", "DomainsFailed", "DomainsWaitingLongest"];
const NOTICES_SENT: [&str; 2] = ["NoticesSent", "NoticesNotSent"];
/// Ten seconds.
const LEFT: Duration = Duration::from_secs(10);

async fn accept_with(acceptor: &Acceptor, stage: &Stage, event: Value, left: Duration) -> (Option<Failure>, Figures) {
    let answer = acceptor.handle(event.to_string().as_bytes(), stage.region.now(), Deadline::after(left)).await;
    let figures = Figures::of(&answer);
    (answer.result.err(), figures)
}

/// One event to a new acceptor.
async fn accept(stage: &Stage, event: Value) -> Figures {
    accept_with(&stage.acceptor(), stage, event, LEFT).await.1
}

#[tokio::test]
async fn decisions_are_counted_once_and_what_is_held_as_long_as_it_is() {
    let mut stage = Stage::new();
    let (service, other) = (stage.service(), stage.service());
    for account in [ACME, BETA, STRANGER] {
        stage.connect(&service, account);
    }
    stage.connect(&other, ACME);
    stage.region.step(Duration::from_secs(10));
    stage.calls();
    let first = accept(&stage, json!({})).await;
    assert_eq!(first.some(BASE), [Some(1), Some(0), Some(0)]);
    assert_eq!(first.some(WAITING), [Some(0), Some(0), Some(1), Some(11)]);
    assert_eq!(first.some(["OpenServices", "NoticesSent", "DomainsPending"]), [Some(0), None, None]);
    assert_eq!(first.some(CALLS), [Some(stage.calls().len() as u64), Some(0)]);
    assert_eq!(
        first.service(&service),
        [("Accepted", &[1][..]), ("HeldNew", &[1]), ("Rejected", &[1]), ("TimeToAccept", &[13])]
    );
    assert_eq!(first.service(&other), [("Accepted", &[1][..]), ("TimeToAccept", &[10])]);

    stage.region.step(Duration::from_secs(49));
    let second = accept(&stage, json!({})).await;
    assert_eq!(second.some(WAITING), [Some(0), Some(0), Some(1), Some(60)]);
    assert!(second.of_services.is_empty(), "{second:?}");

    stage.region.world().services.get_mut(&other).unwrap().acceptance_required = false;
    assert_eq!(accept(&stage, json!({})).await.some(["OpenServices"]), [Some(1)]);
}

#[tokio::test]
async fn whoever_was_told_of_one_service_says_nothing_of_all() {
    let stage = Stage::new();
    let service = stage.service();
    stage.connect(&service, STRANGER);
    let figures = accept(&stage, json!({"serviceIds": [service]})).await;
    assert_eq!(figures.some(["Sweeps", "Held", "Undecided", "OpenServices"]), [None; 4]);
    assert_eq!(figures.service(&service), [("HeldNew", &[1][..])]);
}

#[tokio::test]
async fn a_call_that_is_made_again_is_a_retry_whatever_it_does() {
    let mut stage = Stage::new();
    stage.connect(&stage.service(), ACME);
    let times = [
        ("DescribeVpcEndpointServiceConfigurations", 1, FaultKind::Reset),
        ("DescribeVpcEndpointConnections", 2, FaultKind::Throttled),
        ("AcceptVpcEndpointConnections", 1, FaultKind::Throttled),
        ("CreateTags", 1, FaultKind::Throttled),
    ];
    for (action, times, kind) in times {
        stage.break_next(action, times, kind);
    }
    stage.calls();
    let figures = accept(&stage, json!({})).await;
    assert_eq!(figures.some(["Sweeps", "Undecided"]), [Some(1), Some(0)]);
    let calls = stage.calls();
    assert_eq!((figures.some(CALLS), calls.len()), ([Some(9), Some(5)], 9), "{calls:?}");
}

#[tokio::test]
async fn two_invocations_at_once_do_not_count_each_others_calls() {
    let mut stage = Stage::new();
    stage.connect(&stage.service(), STRANGER);
    accept(&stage, json!({})).await;
    stage.calls();
    let acceptor = stage.acceptor();
    // For so many that are not this account's nothing is listed before that is known.
    let foreign: Vec<String> = (0..201).map(|n| format!("vpce-svc-{n:x}")).collect();
    let (all, none) = tokio::join!(
        accept_with(&acceptor, &stage, json!({}), LEFT),
        accept_with(&acceptor, &stage, json!({"serviceIds": foreign}), LEFT),
    );
    assert_eq!((all.1.some(CALLS), none.1.some(CALLS)), ([Some(2), Some(0)], [Some(1), Some(0)]));
    assert_eq!(stage.calls().len(), 3);
}

#[tokio::test]
async fn what_could_not_be_decided_is_told_with_its_age_and_is_no_success() {
    let stage = Stage::new();
    let service = stage.service();
    stage.connect(&service, ACME);
    stage.region.step(Duration::from_secs(600));
    for (kind, fails) in [(FaultKind::Throttled, true), (FaultKind::Unauthorized, false)] {
        stage.break_next("AcceptVpcEndpointConnections", u32::MAX, kind);
        let acceptor = stage.acceptor();
        let (failure, figures) = accept_with(&acceptor, &stage, json!({}), Duration::from_secs(1)).await;
        assert_eq!(matches!(failure, Some(Failure::Retry(_))), fails, "{failure:?}");
        assert_eq!(figures.some(["Sweeps"]), [(!fails).then_some(1)]);
        assert_eq!(figures.some(WAITING), [Some(1), Some(600), Some(0), Some(0)]);
        assert_eq!(figures.service(&service), []);
        stage.region.mend();
    }
    // Without a read nothing is known of anything.
    stage.break_next("DescribeVpcEndpointConnections", u32::MAX, FaultKind::Throttled);
    let (failure, figures) = accept_with(&stage.acceptor(), &stage, json!({}), Duration::from_secs(1)).await;
    assert!(matches!(failure, Some(Failure::ReadFailed(_))), "{failure:?}");
    assert_eq!(figures.some(["Sweeps", "Undecided", "BadPolicy"]), [None, None, Some(0)]);
    assert!(figures.some(CALLS).iter().all(|calls| calls.is_some_and(|calls| calls > 0)), "{figures:?}");
}

#[tokio::test]
async fn a_bad_policy_is_counted_at_every_event_until_it_is_mended() {
    let stage = Stage::new();
    let acceptor = stage.acceptor();
    stage.write("bad.cedar", "permit(principal, action, resource);");
    for event in [json!({}), json!({"what": "ever"})] {
        let (failure, figures) = accept_with(&acceptor, &stage, event, LEFT).await;
        assert!(matches!(failure, Some(Failure::BadPolicy(_))), "{failure:?}");
        assert_eq!((figures.some(BASE), figures.some(CALLS)), ([None, Some(0), Some(1)], [Some(0), Some(0)]));
    }
    std::fs::remove_file(stage.policy.path().join("bad.cedar")).unwrap();
    let (_, figures) = accept_with(&acceptor, &stage, json!({}), LEFT).await;
    assert_eq!(figures.some(BASE), [Some(1), Some(0), Some(0)]);
    let (_, figures) = accept_with(&acceptor, &stage, json!({"what": "ever"}), LEFT).await;
    assert_eq!(figures.some(BASE), [None, Some(0), Some(0)]);
}

#[tokio::test]
async fn a_batch_is_counted_like_any_event_and_succeeds_only_as_a_whole() {
    let stage = Stage::new();
    let services = [stage.service(), stage.service()];
    services.iter().for_each(|service| drop(stage.connect(service, ACME)));
    let batch = |bodies: &[Value]| {
        let record = |(n, body): (usize, &Value)| json!({"messageId": n.to_string(), "eventSource": "aws:sqs", "body": body.to_string()});
        json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
    };
    let at = |service: &str| json!({"serviceIds": [service]});
    let everything = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let figures = accept(&stage, batch(&[at(&services[0]), at(&services[1])])).await;
    assert_eq!(figures.some(["Sweeps"]), [None]);
    for service in &services {
        assert_eq!(figures.service(service)[0], ("Accepted", &[1][..]));
    }

    stage.connect(&services[0], ACME);
    stage.break_next("AcceptVpcEndpointConnections", u32::MAX, FaultKind::Throttled);
    let acceptor = stage.acceptor();
    let (failure, figures) =
        accept_with(&acceptor, &stage, batch(std::slice::from_ref(&everything)), Duration::from_secs(1)).await;
    assert_eq!((failure, figures.some(["Sweeps", "Undecided"])), (None, [None, Some(1)]));
    stage.region.mend();
    let figures = accept(&stage, batch(&[everything])).await;
    assert_eq!(figures.some(["Sweeps", "Undecided"]), [Some(1), Some(0)]);
}

#[tokio::test]
async fn observe_counts_what_waits_and_nothing_as_done() {
    let stage = Stage::new().observing();
    for account in [ACME, BETA, STRANGER] {
        stage.connect(&stage.service(), account);
    }
    let figures = accept(&stage, json!({})).await;
    assert_eq!(figures.some(["Sweeps", "Undecided", "Held"]), [Some(1), Some(2), Some(1)]);
    assert!(figures.of_services.is_empty(), "{figures:?}");
}

/// One event to a new verifier.
async fn verify(domains: &Domains, event: Value) -> Figures {
    Figures::of(&domains.answer(&domains.verifier(), event, LEFT).await)
}

#[tokio::test]
async fn a_name_is_pending_with_its_age_until_it_is_verified() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    let first = verify(&domains, json!({})).await;
    assert_eq!((first.some(DOMAINS), first.some(["Sweeps"])), ([Some(0), Some(1), Some(0), Some(0)], [Some(1)]));
    domains.region().step(PROPAGATION);
    let second = verify(&domains, json!({})).await;
    let waited = PROPAGATION.as_secs();
    assert_eq!(second.some(DOMAINS), [Some(0), Some(1), Some(0), Some(waited)]);
    domains.region().step(Duration::from_secs(10));
    let again = verify(&domains, json!({})).await;
    assert_eq!(again.some(["DomainsWaitingLongest"]), [Some(waited + 10)], "what is written anew began when it began");
    domains.region().step(CHECK);
    assert_eq!(verify(&domains, json!({"serviceIds": [service]})).await.some(DOMAINS), [None; 4]);
    let third = verify(&domains, json!({})).await;
    assert_eq!(third.some(DOMAINS), [Some(1), Some(0), Some(0), Some(0)]);

    // A name that is lost begins to wait when that is seen.
    domains.become_state(&service, DnsState::Failed);
    let lost = verify(&domains, json!({})).await;
    assert_eq!(lost.some(DOMAINS), [Some(0), Some(0), Some(1), Some(0)]);
    assert_eq!(lost.some(NOTICES_SENT), [Some(1), Some(0)]);
    domains.region().step(Duration::from_secs(60));
    let later = verify(&domains, json!({})).await;
    assert_eq!(later.some(DOMAINS), [Some(0), Some(1), Some(0), Some(60)]);
}

#[tokio::test]
async fn a_notice_of_a_domain_is_counted_where_it_went() {
    let mut domains = Domains::new().await;
    domains.service("api.example.org");
    domains.stage.break_next("Publish", u32::MAX, FaultKind::Unauthorized);
    assert_eq!(verify(&domains, json!({})).await.some(NOTICES_SENT), [Some(0), Some(1)]);
    domains.region().mend();
    assert_eq!(verify(&domains, json!({})).await.some(NOTICES_SENT), [Some(1), Some(0)]);
    assert_eq!(verify(&domains, json!({})).await.some(NOTICES_SENT), [Some(0), Some(0)]);
    // A line of the log is no message.
    domains.config.operator_topic = None;
    domains.service("api.example.net");
    assert_eq!(verify(&domains, json!({})).await.some(NOTICES_SENT), [Some(0), Some(0)]);
}

/// One event to a new notifier.
async fn tell(notices: &Notices, event: Value) -> Figures {
    Figures::of(&notices.answer(&notices.notifier(), event, LEFT).await)
}

#[tokio::test]
async fn notices_are_counted_and_the_time_until_each_available_one() {
    let notices = Notices::new();
    let service = notices.stage.service();
    let endpoint = notices.connection(&service, ACME, "pending");
    notices.connection(&service, ACME, "rejected");
    notices.region().step(Duration::from_secs(99));
    notices.become_state(&endpoint, "available");
    let figures = tell(&notices, json!({})).await;
    assert_eq!((figures.some(NOTICES_SENT), figures.some(["Sweeps", "Held"])), ([Some(2), Some(0)], [Some(1), None]));
    assert_eq!(figures.service(&service), [("TimeToAvailable", &[100][..])]);
    let again = tell(&notices, json!({})).await;
    assert_eq!((again.some(NOTICES_SENT), again.of_services.is_empty()), ([Some(0), Some(0)], true));
}

#[tokio::test]
async fn what_could_not_be_published_is_counted_as_long_as_it_is_due() {
    let notices = Notices::new();
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    notices.delete_topic(NOTICES);
    // The operators are told of it, once by a process, which is a message too.
    let notifier = notices.notifier();
    for sent in [1, 0] {
        let figures = Figures::of(&notices.answer(&notifier, json!({}), LEFT).await);
        assert_eq!(figures.some(NOTICES_SENT), [Some(sent), Some(1)]);
        assert!(figures.of_services.is_empty(), "{figures:?}");
    }
    notices.topic(NOTICES);
    notices.stage.break_next("PublishBatch", 1, FaultKind::Throttled);
    let figures = tell(&notices, json!({})).await;
    assert_eq!((figures.some(NOTICES_SENT), figures.some(["ApiRetries"])), ([Some(1), Some(0)], [Some(1)]));
}

#[tokio::test]
async fn what_could_not_be_marked_was_not_told_in_full() {
    let notices = Notices::new();
    let service = notices.stage.service();
    notices.connection(&service, ACME, "available");
    // A dry run is refused, so that nobody is told.
    notices.stage.break_next("CreateTags", u32::MAX, FaultKind::Unauthorized);
    assert_eq!(tell(&notices, json!({})).await.some(NOTICES_SENT), [Some(0), Some(1)]);
    notices.region().mend();
    let mut observing = Notices::new();
    observing.connection(&observing.stage.service(), ACME, "available");
    observing.config.mode = privatelink_core::config::Mode::Observe;
    assert_eq!(tell(&observing, json!({})).await.some(NOTICES_SENT), [Some(0), Some(0)]);
}
