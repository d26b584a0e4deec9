//! What is counted of an invocation, and the form in which CloudWatch reads it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;
mod emf;

use std::collections::BTreeMap;
use std::time::Duration;

use common::*;
use privatelink_core::accept::plan_acceptance;
use privatelink_core::config::Mode;
use privatelink_core::metrics::{Calls, Metric, Metrics, Names, Waiting};
use privatelink_core::observed::{DnsNameState, Observed};
use privatelink_core::ownership::{Domain, Memory, Place};
use privatelink_core::plan::{Effect, EffectKind, Plan, Reason, Skip};
use privatelink_core::report::{Answer, Ended, Failure, Outcome, Report, Thing};
use privatelink_core::trigger::{Look, Record, Trigger};
use serde_json::json;

const PARTNERS: &str = r#"
    @id("in") permit(principal in PrivateLink::Group::"partners", action == PrivateLink::Action::"Accept", resource);
    @id("out") permit(principal in PrivateLink::Group::"blocked", action == PrivateLink::Action::"Reject", resource);
"#;
const ACME: &str = "111122223333";
const BETA: &str = "222233334444";
const STRANGER: &str = "999999999999";

/// The service that a document is of, and its values.
type Document = (Option<String>, BTreeMap<String, Vec<u64>>);

/// All documents, each as CloudWatch reads it.
fn read(metrics: &Metrics) -> Vec<Document> {
    let documents = metrics.documents("f", NOW).map(|document| {
        let (mut dimensions, metrics) = emf::read(&document).unwrap();
        assert_eq!(dimensions.remove("function").as_deref(), Some("f"));
        let service = dimensions.remove("service");
        assert!(dimensions.is_empty(), "{dimensions:?}");
        (service, metrics)
    });
    documents.collect()
}

/// The function's own figures.
fn of_function(metrics: &Metrics) -> BTreeMap<String, u64> {
    let documents = read(metrics).into_iter().filter(|(service, _)| service.is_none());
    documents.flat_map(|(_, metrics)| metrics).map(|(name, values)| (name, values[0])).collect()
}

fn numbers(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn decided(plan: Plan, mut end: impl FnMut(&Effect) -> Ended) -> Vec<Outcome> {
    plan.effects.into_iter().map(|effect| Outcome::of(effect.clone(), end(&effect))).collect()
}

fn refused() -> Ended {
    Ended::Refused("UnauthorizedOperation".to_owned())
}

fn retry() -> Ended {
    Ended::Retry("RequestLimitExceeded".to_owned())
}

/// Of each kind of decision one, made twenty seconds after the connection.
fn three() -> (Observed, Plan) {
    let pending = |n, owner| connection(n, owner, "pendingAcceptance", 20);
    let observed = world(vec![pending(1, ACME), pending(2, BETA), pending(3, STRANGER)]);
    let plan = plan_acceptance(&policy(PARTNERS), &observed, NOW);
    (observed, plan)
}

#[test]
fn what_took_effect_is_counted_for_its_service_with_the_time_it_took() {
    let mut metrics = Metrics::default();
    metrics.decisions(&decided(three().1, |_| Ended::Done), Duration::from_millis(3900));
    let expected = [("Accepted", 1), ("HeldNew", 1), ("Rejected", 1), ("TimeToAccept", 23)];
    let expected = expected.map(|(name, value)| (name.to_owned(), vec![value]));
    assert_eq!(read(&metrics), [(Some(service_id(1).to_string()), expected.into())]);
}

#[test]
fn what_did_not_take_effect_is_not_counted_as_done() {
    for ended in [Ended::Planned, Ended::AlreadyDone, refused(), retry()] {
        let mut metrics = Metrics::default();
        metrics.decisions(&decided(three().1, |_| ended.clone()), Duration::ZERO);
        metrics.notices(&[publish(ended.clone(), true)]);
        assert_eq!(of_function(&metrics)["NoticesSent"], 0, "{ended:?}");
        assert_eq!(read(&metrics).len(), 1, "{ended:?}: nothing is of a service");
    }
}

#[test]
fn many_values_go_on_in_further_documents_and_the_numbers_do_not() {
    let all = r#"@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);"#;
    let pending = (1..=250).map(|n| connection(n, STRANGER, "pendingAcceptance", i64::from(n))).collect();
    let plan = plan_acceptance(&policy(all), &world(pending), NOW);
    let mut metrics = Metrics::default();
    metrics.decisions(&decided(plan, |_| Ended::Done), Duration::ZERO);
    let documents = read(&metrics);
    let sizes: Vec<_> = documents.iter().map(|(_, metrics)| metrics["TimeToAccept"].len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let mut values: Vec<u64> = documents.iter().flat_map(|(_, metrics)| metrics["TimeToAccept"].clone()).collect();
    values.sort_unstable();
    assert_eq!(values, (1..=250).collect::<Vec<u64>>());
    let accepted: Vec<_> = documents.iter().filter_map(|(_, metrics)| metrics.get("Accepted")).collect();
    assert_eq!(accepted, [&vec![250]]);
}

#[test]
fn who_waits_for_a_person_and_who_for_the_function_are_told_apart() {
    let (mut observed, plan) = three();
    observed.connections.push(connection(4, STRANGER, "available", 9_000));
    let waiting = |plan: &Plan, end: fn(&Effect) -> Ended| {
        let mut metrics = Metrics::default();
        metrics.waiting(&Waiting::of(&observed, plan, NOW).after(&decided(plan.clone(), end)));
        of_function(&metrics)
    };
    let expected = |undecided, age| {
        let held = [("Held", 1), ("HeldOldestAge", 20), ("OpenServices", 0)];
        numbers(&[&held[..], &[("Undecided", undecided), ("UndecidedOldestAge", age)]].concat())
    };
    assert_eq!(waiting(&plan, |_| Ended::Done), expected(0, 0));
    assert_eq!(waiting(&plan, |_| Ended::AlreadyDone), expected(0, 0));
    // A tag that could not be written leaves nobody undecided.
    for end in [|_: &Effect| retry(), |_: &Effect| refused(), |_: &Effect| Ended::Planned] {
        assert_eq!(waiting(&plan, end), expected(2, 20));
    }
    // A service that can not be judged.
    let unjudged = Skip::service(&service_id(1), Reason::PolicyError);
    let plan = Plan { effects: Vec::new(), skipped: vec![unjudged] };
    assert_eq!(waiting(&plan, |_| Ended::Done)["Undecided"], 3);
}

#[test]
fn a_service_that_lets_everyone_in_is_counted() {
    let mut observed = world(Vec::new());
    observed.services.get_mut(&service_id(1)).unwrap().acceptance_required = false;
    observed.services.insert(service_id(2), service(2));
    let mut metrics = Metrics::default();
    metrics.waiting(&Waiting::of(&observed, &Plan::default(), NOW));
    assert_eq!(of_function(&metrics)["OpenServices"], 1);
}

fn publish(ended: Ended, to_a_topic: bool) -> Outcome {
    let topic = ("topicArn", "arn:aws:sns:us-west-2:999988887777:notices".to_owned());
    let more = [topic].into_iter().filter(|_| to_a_topic).collect();
    Outcome::of_thing(EffectKind::Publish, Thing { service: service_id(1), endpoint: None, more }, ended)
}

#[test]
fn messages_are_counted_and_lines_of_the_log_are_not() {
    let tag = Outcome { effect: EffectKind::Tag, ..publish(retry(), false) };
    let outcomes = [
        publish(Ended::Done, true),
        publish(Ended::Done, false),
        publish(Ended::AlreadyDone, true),
        publish(refused(), true),
        publish(retry(), false),
        tag,
    ];
    let mut metrics = Metrics::default();
    metrics.notices(&outcomes);
    assert_eq!(of_function(&metrics), numbers(&[("NoticesSent", 1), ("NoticesNotSent", 2)]));
    metrics.notices_and_marks(&outcomes);
    assert_eq!(of_function(&metrics), numbers(&[("NoticesSent", 1), ("NoticesNotSent", 3)]));
}

#[test]
fn names_are_counted_by_their_state_and_the_longest_wait_is_told() {
    let domain = |n: u32, state: &str, label: &str, waiting: i64| {
        let mut private_dns = service(n).private_dns.unwrap();
        private_dns.state = DnsNameState::from_word(state);
        let waiting = Some(NOW - time::Duration::seconds(waiting));
        let memory = Memory { waiting, ..Memory::of(label) };
        Domain { service: service_id(n), private_dns, memory, place: Place::NotAsked, change: None, seen: None }
    };
    let label = service(1).private_dns.unwrap().record.unwrap().label;
    let mut names = Names::default();
    let mut told = |domains: &[Domain]| {
        domains.iter().for_each(|domain| names.saw(domain, NOW));
        let mut metrics = Metrics::default();
        metrics.names(&names);
        let figures = of_function(&metrics);
        ["Verified", "Pending", "Failed", "WaitingLongest"].map(|name| figures[&format!("Domains{name}")])
    };
    assert_eq!(told(&[]), [0, 0, 0, 0]);
    // What is remembered of a verified name, or of another one, is no wait of this one.
    assert_eq!(
        told(&[domain(1, "verified", &label, 900), domain(2, "pendingVerification", "_old", 800)]),
        [1, 1, 0, 0]
    );
    assert_eq!(told(&[domain(3, "failed", &label, 70), domain(4, "expired", &label, 60)]), [1, 1, 2, 70]);
    // A later look at one of them counts in its place.
    assert_eq!(told(&[domain(3, "verified", &label, 70)]), [2, 1, 1, 60]);
}

fn report(outcomes: Vec<Outcome>) -> Report {
    Report {
        function: "f",
        mode: Mode::Enforce,
        policy_digest: None,
        outcomes,
        skipped: Vec::new(),
        said: Vec::new(),
        metrics: Metrics::default(),
        endpoints: None,
    }
}

fn answer(look: Look, batch: Option<Vec<Record>>, ran: Result<Vec<Outcome>, Failure>) -> BTreeMap<String, u64> {
    let calls = Calls { made: 5, again: 2 };
    of_function(&Answer::of(ran.map(report), calls, "f", Mode::Enforce, &Trigger { look, batch }).metrics)
}

#[test]
fn only_who_looked_at_everything_and_succeeded_has_swept() {
    let record = || Some(vec![Record { id: "1".to_owned(), look: Some(Look::Everything) }]);
    let base = [("ApiCalls", 5), ("ApiRetries", 2), ("BadConfiguration", 0), ("BadPolicy", 0)];
    let swept = numbers(&[&base[..], &[("Sweeps", 1)]].concat());
    let base = numbers(&base);
    let ended = |ended| Ok(vec![publish(ended, true)]);
    assert_eq!(answer(Look::Everything, None, ended(Ended::Done)), swept);
    assert_eq!(answer(Look::Everything, None, ended(refused())), swept);
    assert_eq!(answer(Look::Everything, record(), ended(Ended::Done)), swept);
    assert_eq!(answer(Look::At([service_id(1)].into()), None, ended(Ended::Done)), base);
    assert_eq!(answer(Look::Nowhere, None, ended(Ended::Done)), base);
    assert_eq!(answer(Look::Everything, None, ended(retry())), base);
    // Both of these batches are answered, and are no success.
    assert_eq!(answer(Look::Everything, record(), ended(retry())), base);
    assert_eq!(answer(Look::Everything, record(), Err(Failure::ReadFailed(String::new()))), base);
}

#[test]
fn whoever_fails_says_whether_it_was_the_policy_or_the_configuration() {
    let counted = |failure| of_function(&Answer::failed("f", failure).metrics);
    let expected = |configuration, policy| {
        let calls = [("ApiCalls", 0), ("ApiRetries", 0)];
        numbers(&[&calls[..], &[("BadConfiguration", configuration), ("BadPolicy", policy)]].concat())
    };
    assert_eq!(counted(Failure::BadConfiguration(String::new())), expected(1, 0));
    assert_eq!(counted(Failure::BadPolicy(String::new())), expected(0, 1));
    assert_eq!(counted(Failure::UnrecognizedEvent(String::new())), expected(0, 0));
}

#[test]
fn no_policy_no_endpoint_and_no_account_is_in_a_document() {
    let (observed, plan) = three();
    let outcomes = decided(plan.clone(), |_| Ended::Done);
    let line = report(outcomes.clone()).audit().next().unwrap();
    let personal = [&line["facts"]["account"], &line["endpointId"], &line["policy"][0]];
    let personal = personal.map(|word| word.as_str().unwrap().to_owned());
    let mut metrics = Metrics::default();
    metrics.decisions(&outcomes, Duration::ZERO);
    metrics.waiting(&Waiting::of(&observed, &plan, NOW));
    let text: String = metrics.documents("f", NOW).map(|document| document.to_string()).collect();
    assert!(text.contains(service_id(1).as_str()));
    assert!(personal.iter().all(|word| !text.contains(&format!("\"{word}\""))), "{text}");
}

#[test]
fn a_document_that_breaks_the_form_is_found() {
    let mut metrics = Metrics::default();
    metrics.decisions(&decided(three().1, |_| Ended::Done), Duration::ZERO);
    let good = metrics.documents("f", NOW).next().unwrap();
    emf::read(&good).unwrap();
    let metric = "/_aws/CloudWatchMetrics/0/Metrics/0";
    for (pointer, value) in [
        ("/Accepted", json!("1")),
        ("/TimeToAccept", json!([])),
        ("/TimeToAccept", json!(vec![1; 101])),
        ("/service", json!(7)),
        ("/_aws/Timestamp", json!(1_769_860_800)),
        ("/_aws/CloudWatchMetrics/0/Dimensions", json!(["function"])),
        ("/_aws/CloudWatchMetrics/0/Dimensions/0", json!(["function"])),
        (metric, json!({"Name": "Missing", "Unit": "Count"})),
        (metric, json!({"Name": "Accepted", "Unit": "Pieces"})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value.clone();
        assert!(emf::read(&bad).is_err(), "{pointer} {value}");
    }
    assert_eq!(Metric::Accepted.unit().word(), "Count");
}
