//! What a report comes to.

use super::*;
use crate::trigger::{Look, Record};

fn service(n: usize) -> ServiceId {
    ServiceId::parse(&format!("vpce-svc-{n:x}")).unwrap()
}

fn outcome(n: usize, ended: Ended) -> Outcome {
    let decided = Decided {
        service: service(n),
        endpoint: EndpointId::parse("vpce-0a").unwrap(),
        connection: None,
        policy: vec!["p".to_owned()],
        facts: crate::policy::Facts {
            account: crate::ids::AccountId::parse("111122223333").unwrap(),
            endpoint_id: EndpointId::parse("vpce-0a").unwrap(),
            endpoint_region: "us-west-2".to_owned(),
            cross_region: false,
            ip_address_type: "ipv4".to_owned(),
            age_seconds: 7,
            counts: Default::default(),
        },
    };
    Outcome { effect: EffectKind::Accept, about: About::Decision(Arc::new(decided)), ended }
}

fn report(outcomes: Vec<Outcome>) -> Report {
    Report {
        function: "f",
        mode: Mode::Enforce,
        policy_digest: Some("d".to_owned()),
        outcomes,
        skipped: Vec::new(),
        said: Vec::new(),
        endpoints: None,
        metrics: Default::default(),
    }
}

fn value(answer: Result<Box<RawValue>, Failure>) -> Value {
    serde_json::from_str(answer.unwrap().get()).unwrap()
}

fn trigger(records: Option<&[(&str, Option<Look>)]>) -> Trigger {
    let record = |(id, look): &(&str, Option<Look>)| Record { id: (*id).to_owned(), look: look.clone() };
    Trigger { look: Look::Everything, batch: records.map(|records| records.iter().map(record).collect()) }
}

#[test]
fn the_return_value_has_the_promised_shape() {
    let refused = report(vec![outcome(1, Ended::Done), outcome(2, Ended::Refused("UnauthorizedOperation".to_owned()))]);
    let answer = value(refused.answer(&trigger(None)));
    let expected = json!({
        "function": "f", "mode": "enforce", "policyDigest": "d", "skipped": [],
        "outcomes": [
            {"effect": "accept", "serviceId": "vpce-svc-1", "endpointId": "vpce-0a", "policy": ["p"], "result": "done"},
            {"effect": "accept", "serviceId": "vpce-svc-2", "endpointId": "vpce-0a", "policy": ["p"],
             "result": "refused", "code": "UnauthorizedOperation"},
        ],
    });
    assert_eq!(answer, expected);
}

#[test]
fn a_retry_fails_the_invocation_but_not_a_batch() {
    let report = report(vec![outcome(1, Ended::Done), outcome(2, Ended::Retry("RequestLimitExceeded".to_owned()))]);
    assert!(matches!(report.answer(&trigger(None)), Err(Failure::Retry(_))));
    let at = |n| Some(Look::At([service(n)].into()));
    let records = [("a", at(1)), ("b", at(2)), ("c", None), ("d", Some(Look::Everything)), ("e", Some(Look::Nowhere))];
    let answer = value(report.answer(&trigger(Some(&records))));
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": "b"}, {"itemIdentifier": "c"}, {"itemIdentifier": "d"}])
    );
}

#[test]
fn an_answer_that_would_be_too_large_for_lambda_counts_what_it_leaves_out() {
    let mut report = report(vec![outcome(1, Ended::Done); 10]);
    let endpoint = EndpointId::parse("vpce-0123456789abcdef0").unwrap();
    report.skipped = vec![Skip::connection(&service(1), &endpoint, Reason::NotPending); 100_000];
    let answer = value(report.answer(&trigger(None)));
    let shown = answer["skipped"].as_array().unwrap().len();
    assert!(answer.to_string().len() < 6 * 1024 * 1024 && shown > 10_000);
    assert_eq!(answer["outcomes"].as_array().unwrap().len(), 10);
    assert_eq!(answer["truncated"], json!({"outcomes": 0, "skipped": 100_000 - shown}));
}

#[test]
fn only_a_failed_read_is_answered_for_a_batch() {
    let records = [("a", None)];
    let batch = trigger(Some(&records));
    let read = Failure::ReadFailed("no".to_owned());
    assert!(read.clone().answer("f", Mode::Enforce, &trigger(None)).is_err());
    assert_eq!(value(read.answer("f", Mode::Enforce, &batch))["batchItemFailures"], json!([{"itemIdentifier": "a"}]));
    assert!(Failure::BadPolicy(String::new()).answer("f", Mode::Enforce, &batch).is_err());
}
