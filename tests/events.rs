//! Every file of `events/`, read and run: none is an orphan, and none does what it should not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::SqsEvent;
use privatelink_aws::deadline::Deadline;
use privatelink_core::ids::{EndpointId, FoundId, ServiceId};
use privatelink_core::probe::endpoints_in;
use privatelink_core::report::Failure;
use privatelink_core::trigger::{Look, Trigger};
use privatelink_region::Region;
use privatelink_tests::domains::Domains;
use privatelink_tests::endpoints::{BOTH, BOTH_TOO, Endpoints};
use privatelink_tests::{ACME, STRANGER, Stage};
use serde_json::Value;

/// The service that the events name.
const SERVICE: &str = "vpce-svc-0123456789abcdef0";
/// The endpoint that they name.
const ENDPOINT: &str = "vpce-0aa11bb22cc33dd44";

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A look at everything.
    Everything,
    /// A look at [`SERVICE`].
    Service,
    /// No look at all.
    Nowhere,
    /// A look at a service that is another account's.
    Foreign,
    /// `UnrecognizedEvent`.
    Refused,
}

const EVENTS: &[(&str, Expect)] = &[
    ("cloudtrail-accept.json", Expect::Service),
    ("cloudtrail-create-service.json", Expect::Service),
    ("cloudtrail-failed-call.json", Expect::Nowhere),
    ("cloudtrail-failed-start-verification.json", Expect::Nowhere),
    ("cloudtrail-modify-permissions.json", Expect::Service),
    ("cloudtrail-modify-service.json", Expect::Service),
    ("cloudtrail-parameters-omitted.json", Expect::Everything),
    ("cloudtrail-reject.json", Expect::Service),
    ("cloudtrail-remove-private-dns-name.json", Expect::Service),
    ("cloudtrail-start-verification.json", Expect::Service),
    ("connection-notification-object.json", Expect::Service),
    ("connection-notification-prose.json", Expect::Service),
    ("connection-notification-without-id.json", Expect::Everything),
    ("direct-everything.json", Expect::Everything),
    ("direct-endpoints.json", Expect::Refused),
    ("direct-services.json", Expect::Service),
    ("schedule.json", Expect::Everything),
    ("scheduler.json", Expect::Everything),
    ("sns-bus-event.json", Expect::Service),
    ("sns-notice-domain-verified.json", Expect::Service),
    ("sns-notice.json", Expect::Service),
    ("sns-notification-json.json", Expect::Service),
    ("sns-notification-prose.json", Expect::Service),
    ("sqs-batch.json", Expect::Service),
    ("sqs-notice.json", Expect::Service),
    ("sqs-raw-notification.json", Expect::Service),
    ("sqs-sns-envelope.json", Expect::Service),
    ("hostile/array.json", Expect::Refused),
    ("hostile/consumer-side-key.json", Expect::Refused),
    ("hostile/deeply-nested.json", Expect::Refused),
    ("hostile/empty-endpoint-list.json", Expect::Refused),
    ("hostile/empty-records.json", Expect::Refused),
    ("hostile/empty-service-id.json", Expect::Refused),
    ("hostile/empty-service-list.json", Expect::Refused),
    ("hostile/empty.json", Expect::Refused),
    ("hostile/foreign-source.json", Expect::Refused),
    ("hostile/forged-available.json", Expect::Service),
    ("hostile/forged-verified.json", Expect::Service),
    ("hostile/message-is-a-number.json", Expect::Refused),
    ("hostile/misspelt-key.json", Expect::Refused),
    ("hostile/not-json.txt", Expect::Refused),
    ("hostile/not-utf8.json", Expect::Refused),
    ("hostile/notice-of-another-version.json", Expect::Refused),
    ("hostile/notice-of-foreign-endpoint.json", Expect::Service),
    ("hostile/notice-without-endpoint-id.json", Expect::Service),
    ("hostile/notification-without-message.json", Expect::Refused),
    ("hostile/null.json", Expect::Refused),
    ("hostile/other-call.json", Expect::Refused),
    ("hostile/other-service-call.json", Expect::Refused),
    ("hostile/pretended-schedule.json", Expect::Refused),
    ("hostile/report-of-another-function.json", Expect::Refused),
    ("hostile/s3-records.json", Expect::Refused),
    ("hostile/service-of-another-account.json", Expect::Foreign),
    ("hostile/sqs-with-garbage.json", Expect::Service),
    ("hostile/sqs-without-message-id.json", Expect::Refused),
    ("hostile/subscription-confirmation.json", Expect::Refused),
    ("hostile/truncated.json", Expect::Refused),
    ("hostile/wildcard-service-id.json", Expect::Refused),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

#[test]
fn no_event_is_an_orphan() {
    let mut found = BTreeSet::new();
    for part in ["", "hostile"] {
        for entry in fs::read_dir(folder().join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.insert(path.strip_prefix(folder()).unwrap().display().to_string());
            }
        }
    }
    let listed: BTreeSet<_> = EVENTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn every_event_is_read_as_what_it_is() {
    let at = |id: &str| Look::At([ServiceId::parse(id).unwrap()].into());
    for (name, expect) in EVENTS {
        let look = Trigger::parse(&read(name)).map(|trigger| trigger.look);
        let expected = match expect {
            Expect::Everything => Some(Look::Everything),
            Expect::Service => Some(at(SERVICE)),
            Expect::Nowhere => Some(Look::Nowhere),
            Expect::Foreign => Some(at("vpce-svc-0fedcba9876543210")),
            Expect::Refused => None,
        };
        assert_eq!(look.ok(), expected, "{name}");
    }
}

/// Puts the events' own endpoint in the place of one that was made.
fn rename_endpoint(region: &Region, made: &str, id: &str) {
    let mut world = region.world();
    let mut endpoint = world.endpoints.remove(made).unwrap();
    endpoint.id = id.to_owned();
    world.endpoints.insert(id.to_owned(), endpoint);
}

/// Puts the events' own service in the place of one that was made.
fn rename(region: &Region, made: &str) {
    let mut world = region.world();
    let mut service = world.services.remove(made).unwrap();
    service.id = SERVICE.to_owned();
    world.services.insert(SERVICE.to_owned(), service);
}

#[tokio::test]
async fn every_event_leads_to_what_the_api_calls_for_and_no_more() {
    for (name, expect) in EVENTS {
        let mut stage = Stage::new();
        rename(&stage.region, &stage.service());
        let [welcome, stranger] = [ACME, STRANGER].map(|account| stage.connect(SERVICE, account));
        stage.calls();
        let deadline = Deadline::after(Duration::from_secs(10));
        let result = stage.acceptor().handle(&read(name), stage.region.now(), deadline).await.value();
        let states = [&welcome, &stranger].map(|endpoint| stage.state(endpoint));
        match expect {
            Expect::Everything | Expect::Service => {
                assert_eq!(states, ["pending", "pendingAcceptance"], "{name}");
            }
            Expect::Foreign => {
                assert_eq!(states, ["pendingAcceptance", "pendingAcceptance"], "{name}");
                assert_eq!(result.unwrap()["skipped"][0]["reason"], "foreign", "{name}");
                assert_eq!(stage.writes(), [""; 0], "{name}");
            }
            Expect::Nowhere => {
                assert_eq!(result.unwrap()["outcomes"], Value::Array(Vec::new()), "{name}");
                assert_eq!(stage.calls(), [], "{name}");
            }
            Expect::Refused => {
                assert!(matches!(result, Err(Failure::UnrecognizedEvent(_))), "{name}: {result:?}");
                assert_eq!(stage.calls(), [], "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_verifier_looks_where_every_event_says_and_believes_nothing_more() {
    for (name, expect) in EVENTS {
        let mut domains = Domains::new().await;
        let zone = domains.zone("example.com");
        rename(domains.region(), &domains.service("api.example.com"));
        let other = domains.service("www.example.com");
        domains.stage.calls();
        let deadline = Deadline::after(Duration::from_secs(10));
        let result = domains.verifier().handle(&read(name), domains.region().now(), deadline).await.value();
        let written = [SERVICE, &other].map(|service| domains.txt(&zone, &domains.proof(service).0).is_some());
        // Whatever an event says of them: nothing is proved, and nobody is told that it is.
        assert_eq!([SERVICE, &other].map(|service| domains.state(service)), ["pendingVerification"; 2], "{name}");
        assert_eq!(domains.mails(), [""; 0], "{name}");
        let expected = match expect {
            Expect::Everything => [true, true],
            Expect::Service => [true, false],
            Expect::Nowhere | Expect::Foreign | Expect::Refused => [false, false],
        };
        assert_eq!(written, expected, "{name}");
        match expect {
            Expect::Everything | Expect::Service => drop(result.unwrap()),
            Expect::Foreign => {
                assert_eq!(result.unwrap()["skipped"][0]["reason"], "foreign", "{name}");
                assert_eq!(domains.writes().len(), 0, "{name}");
            }
            Expect::Nowhere => {
                assert_eq!(result.unwrap()["outcomes"], Value::Array(Vec::new()), "{name}");
                assert_eq!(domains.stage.calls(), [], "{name}");
            }
            Expect::Refused => {
                assert!(matches!(result, Err(Failure::UnrecognizedEvent(_))), "{name}: {result:?}");
                assert_eq!(domains.stage.calls(), [], "{name}");
            }
        }
    }
}

/// Where a consumer's function looks: at an endpoint of its own wherever an event names one.
fn consumers_look(name: &str, expect: Expect) -> Option<Look<FoundId>> {
    let endpoint = |id: &str| FoundId::Endpoint(EndpointId::parse(id).unwrap());
    let service = FoundId::Service(ServiceId::parse(SERVICE).unwrap());
    let at = |ids: &[FoundId]| Some(Look::At(ids.iter().cloned().collect()));
    match name {
        "cloudtrail-reject.json" => at(&[endpoint(ENDPOINT), endpoint("vpce-0ee55ff66aa77bb88")]),
        "sqs-batch.json" | "hostile/consumer-side-key.json" => at(&[service, endpoint(ENDPOINT)]),
        "cloudtrail-create-service.json"
        | "cloudtrail-modify-permissions.json"
        | "cloudtrail-modify-service.json"
        | "cloudtrail-remove-private-dns-name.json"
        | "cloudtrail-start-verification.json"
        | "direct-services.json"
        | "hostile/forged-verified.json" => at(&[service]),
        "direct-endpoints.json" => at(&[endpoint(ENDPOINT)]),
        "hostile/notice-of-foreign-endpoint.json" => at(&[endpoint("vpce-0fedcba9876543210")]),
        "hostile/notice-without-endpoint-id.json" => None,
        _ => match expect {
            Expect::Everything => Some(Look::Everything),
            Expect::Service | Expect::Foreign => at(&[endpoint(ENDPOINT)]),
            Expect::Nowhere => Some(Look::Nowhere),
            Expect::Refused => None,
        },
    }
}

#[tokio::test]
async fn the_configurator_looks_where_every_event_says_and_touches_no_other() {
    for (name, expect) in EVENTS {
        let bytes = read(name);
        let look = Trigger::parse_consumers(&bytes).map(|trigger| trigger.look).ok();
        assert_eq!(look, consumers_look(name, *expect), "{name}");

        // The events' own endpoint, another one to another service, and one that an event may name and nobody tagged.
        let mut endpoints = Endpoints::new();
        rename(endpoints.region(), &endpoints.service.clone());
        let other_service = endpoints.another_service("www.example.com");
        let ours = endpoints.available(SERVICE, &[BOTH]);
        let other = endpoints.available(&other_service, &[BOTH]);
        let foreign = endpoints.made(ACME, &other_service, &[BOTH_TOO], false);
        endpoints.become_state(&foreign, "available");
        rename_endpoint(endpoints.region(), &ours, ENDPOINT);
        rename_endpoint(endpoints.region(), &foreign, "vpce-0fedcba9876543210");
        endpoints.stage.calls();
        let deadline = Deadline::after(Duration::from_secs(10));
        let result = endpoints.configurator().handle(&bytes, endpoints.region().now(), deadline).await.value();
        let was_set = |endpoint: &str| endpoints.set(endpoint).0 == "dualstack";
        let is_set = [ENDPOINT, other.as_str(), "vpce-0fedcba9876543210"].map(was_set);
        let expected = match &look {
            None | Some(Look::Nowhere) => [false; 3],
            Some(Look::Everything) => [true, true, false],
            Some(Look::At(_)) => [*name != "hostile/notice-of-foreign-endpoint.json", false, false],
        };
        assert_eq!(is_set, expected, "{name}");
        match look {
            None => {
                assert!(matches!(result, Err(Failure::UnrecognizedEvent(_))), "{name}: {result:?}");
                assert_eq!(endpoints.stage.calls(), [], "{name}");
            }
            Some(Look::Nowhere) => {
                assert_eq!(result.unwrap()["endpoints"], Value::Array(Vec::new()), "{name}");
                assert_eq!(endpoints.stage.calls(), [], "{name}");
            }
            Some(_) if *name == "hostile/notice-of-foreign-endpoint.json" => {
                assert_eq!(result.unwrap()["skipped"][0]["reason"], "foreign", "{name}");
                assert_eq!(endpoints.stage.writes(), [""; 0], "{name}");
            }
            Some(_) => drop(result.unwrap()),
        }
    }
}

#[test]
fn the_prober_takes_none_of_these() {
    for (name, _) in EVENTS {
        assert!(endpoints_in(&read(name)).is_err(), "{name}");
    }
}

#[test]
fn the_good_events_have_the_forms_that_lambda_sends() {
    for (name, _) in EVENTS.iter().filter(|(name, _)| !name.starts_with("hostile/")) {
        let bytes = read(name);
        let fits = match name.split('-').next().unwrap() {
            "sns" => serde_json::from_slice::<SnsEvent>(&bytes).map(drop),
            "sqs" => serde_json::from_slice::<SqsEvent>(&bytes).map(drop),
            "direct" => Ok(()),
            _ => serde_json::from_slice::<EventBridgeEvent>(&bytes).map(drop),
        };
        assert!(fits.is_ok(), "{name}: {fits:?}");
    }
}

#[tokio::test]
async fn an_enormous_event_is_refused() {
    let mut domains = Domains::new().await;
    domains.stage.connect(&domains.service("api.example.com"), ACME);
    domains.stage.calls();
    for (front, back) in [("{\"serviceIds\":[\"", "\"]}"), ("{\"x\":\"", "\"}"), ("", "")] {
        let payload = format!("{front}{}{back}", "vpce-svc-0123456789abcdef0 ".repeat(250_000));
        let deadline = Deadline::after(Duration::from_secs(10));
        let answer = domains.stage.acceptor().handle(payload.as_bytes(), domains.region().now(), deadline).await;
        assert!(matches!(answer.result, Err(Failure::UnrecognizedEvent(message)) if message.len() < 300));
        let answer = domains.verifier().handle(payload.as_bytes(), domains.region().now(), deadline).await;
        assert!(matches!(answer.result, Err(Failure::UnrecognizedEvent(message)) if message.len() < 300));
    }
    assert_eq!(domains.stage.calls(), []);
}
