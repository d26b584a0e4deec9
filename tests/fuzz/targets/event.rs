//! Any payload, as the provider's and the consumer's functions read it.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use privatelink_core::ids::{EndpointId, FoundId, ServiceId};
use privatelink_core::trigger::{Look, Trigger};
use privatelink_fuzz::{is_endpoint, is_service, refusal};
use serde_json::Value;
use serde_json::value::RawValue;

/// What one event may name.
const MOST_IDS: usize = 1000;

fuzz_target!(|payload: &[u8]| {
    let provider = Trigger::parse(payload);
    let consumer = Trigger::parse_consumers(payload);
    match &provider {
        Ok(trigger) => check(trigger, payload, ServiceId::as_str, is_service),
        Err(error) => refusal(error),
    }
    match &consumer {
        Ok(trigger) => check(trigger, payload, text, |id| is_service(id) || is_endpoint(id)),
        Err(error) => refusal(error),
    }
    if let Ok(trigger) = &consumer {
        // An endpoint that no service is known of is not looked at, and does not become a look at everything.
        let known = trigger.clone().at_services(|_: &EndpointId| None);
        assert_eq!(known.look == Look::Everything, trigger.look == Look::Everything);
        check(&known, payload, ServiceId::as_str, is_service);
    }
    if provider.is_ok() || consumer.is_ok() {
        form(payload);
    }
    // What counts is what the JSON says, and not how it is written. The library reads one key as its own, which then is
    // not written again.
    if let Ok(value) = serde_json::from_slice::<Value>(payload)
        && !std::str::from_utf8(payload).is_ok_and(has_own_key)
    {
        let again = value.to_string();
        assert_eq!(Trigger::parse(again.as_bytes()), provider);
        assert_eq!(Trigger::parse_consumers(again.as_bytes()), consumer);
    }
});

/// Whether anything in a JSON text has the key by which `serde_json` knows a [`RawValue`].
fn has_own_key(json: &str) -> bool {
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        fields.iter().any(|(key, value)| key == "$serde_json::private::RawValue" || has_own_key(value.get()))
    } else {
        serde_json::from_str::<Vec<&RawValue>>(json).is_ok_and(|items| items.iter().any(|item| has_own_key(item.get())))
    }
}

/// What is accepted is an object with the keys of one of the forms, by the word of another reader than the product's.
fn form(payload: &[u8]) {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(payload).expect("an object");
    let has = |key: &str| fields.contains_key(key);
    let direct = fields.keys().all(|key| key == "serviceIds" || key == "endpointIds");
    assert!(has("Records") || (has("source") && has("detail-type")) || direct, "{:?}", fields.keys());
}

fn text(id: &FoundId) -> &str {
    match id {
        FoundId::Service(id) => id.as_str(),
        FoundId::Endpoint(id) => id.as_str(),
    }
}

fn check<I: Ord + Clone>(
    trigger: &Trigger<I>,
    payload: &[u8],
    text: impl Fn(&I) -> &str + Copy,
    is_id: impl Fn(&str) -> bool + Copy,
) {
    let payload = std::str::from_utf8(payload).expect("what is accepted is JSON");
    look(&trigger.look, payload, text, is_id);
    let Some(batch) = &trigger.batch else { return };
    assert!(!batch.is_empty(), "a batch without a record");
    let mut all = Look::Nowhere;
    for record in batch {
        assert!(!record.id.is_empty(), "a record that can not be named");
        if let Some(of_record) = &record.look {
            look(of_record, payload, text, is_id);
            if let Look::At(ids) = of_record {
                assert!(ids.len() <= MOST_IDS, "{} ids in one record", ids.len());
            }
            all = all.and(of_record.clone());
        }
    }
    assert!(all == trigger.look, "a batch looks where its records do");
}

fn look<I: Ord>(look: &Look<I>, payload: &str, text: impl Fn(&I) -> &str, is_id: impl Fn(&str) -> bool) {
    let Look::At(ids) = look else { return };
    assert!(!ids.is_empty(), "a look at nothing in particular");
    for id in ids {
        let id = text(id);
        assert!(is_id(id), "`{id}` is no id");
        // Letters, digits and `-` are written as they are, but for who writes them as `\u0061`.
        assert!(payload.contains("\\u") || payload.contains(id), "`{id}` was never in it");
    }
}
