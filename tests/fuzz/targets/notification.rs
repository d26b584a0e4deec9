//! The text of a connection notification, in every wrapping in which it can come: the same text means the same look.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use privatelink_core::ids::{EndpointId, FoundId, ServiceId};
use privatelink_core::trigger::{Look, Trigger};
use privatelink_fuzz::ids_in;
use serde_json::{Value, json};

/// What one event may name. Counted are places, and not different ids.
const MOST_IDS: usize = 1000;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // A text of so many bytes can not hold too many ids; what then happens is no matter of the wrapping.
    if text.len() > MOST_IDS * "vpce-0".len() {
        return;
    }
    let expected = looks(&text);
    // On the bus the message is a text, whatever is in it.
    check(&bus(&json!(text)), Some(&expected));
    check(&sns(&bus(&json!(text))), Some(&expected));
    check(&sqs(&envelope(&bus(&json!(text)))), Some(&expected));
    check(&sqs(&bus(&json!(text))), Some(&expected));

    // As SNS brings it, a text that is an event or a notice of this product's is read as that.
    let object = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    let is = |key| object.as_ref().is_some_and(|object| object.contains_key(key));
    if is("detail-type") || is("schemaVersion") || is("TopicArn") {
        // Then the wrappings agree with each other, if not with what stands in the text.
        assert_eq!(read(&sns(&text)), read(&sqs(&envelope(&text))));
        return;
    }
    check(&sns(&text), Some(&expected));
    check(&sqs(&envelope(&text)), Some(&expected));
    // Without an envelope, nothing but an id shows what it is.
    let has_id = expected.1 != Look::Everything;
    check(&sqs(&text), has_id.then_some(&expected));
    if let Some(object) = object {
        // The pipe turns a text that is JSON into an object, of which each key is there once. What is escaped can be
        // an id that the text does not show, or hide one that it shows.
        let object = Value::Object(object);
        let text = object.to_string();
        let found = read(&bus(&object)).expect("a notification is never refused");
        assert!(text.contains('\\') || found == looks(&text), "{found:?} in {text}");
    }
});

/// Of the provider's functions, and of the consumer's.
type Looks = (Look<FoundId>, Look<FoundId>);

/// Where a text says to look, by the second opinion.
fn looks(text: &str) -> Looks {
    let (services, endpoints) = ids_in(text);
    let look = |ids: BTreeSet<FoundId>| if ids.is_empty() { Look::Everything } else { Look::At(ids) };
    let services = look(services.into_iter().map(|id| FoundId::Service(ServiceId::parse(id).unwrap())).collect());
    let endpoints = look(endpoints.into_iter().map(|id| FoundId::Endpoint(EndpointId::parse(id).unwrap())).collect());
    let consumers = if endpoints == Look::Everything { services.clone() } else { endpoints };
    (services, consumers)
}

/// Where the provider's and the consumer's functions look; nothing where they refuse it, or the one record in it.
fn read(event: &str) -> Option<Looks> {
    let services = |look: Look| match look {
        Look::Everything => Look::Everything,
        Look::At(ids) => Look::At(ids.into_iter().map(FoundId::Service).collect()),
        Look::Nowhere => Look::Nowhere,
    };
    let provider = Trigger::parse(event.as_bytes()).ok()?;
    let provider = match provider.batch.as_deref() {
        None => provider.look,
        Some([record]) => record.look.clone()?,
        Some(records) => panic!("one record has become {}", records.len()),
    };
    let consumer = Trigger::parse_consumers(event.as_bytes()).ok()?;
    let consumer = match consumer.batch.as_deref() {
        None => consumer.look,
        Some([record]) => record.look.clone()?,
        Some(records) => panic!("one record has become {}", records.len()),
    };
    Some((services(provider), consumer))
}

fn check(event: &str, expected: Option<&Looks>) {
    assert_eq!(read(event).as_ref(), expected, "{event}");
}

fn bus(message: &Value) -> String {
    json!({"version": "0", "source": "privatelink", "detail-type": "Endpoint Connection Notification",
           "detail": {"topicArn": "arn:aws:sns:us-west-2:111122223333:t", "messageId": "m", "subject": null,
                      "message": message}})
    .to_string()
}

fn sns(message: &str) -> String {
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification",
           "TopicArn": "arn:aws:sns:us-west-2:111122223333:t", "Subject": "s", "Message": message}}]})
    .to_string()
}

fn envelope(message: &str) -> String {
    json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-west-2:111122223333:t", "Message": message}).to_string()
}

fn sqs(body: &str) -> String {
    json!({"Records": [{"messageId": "m", "eventSource": "aws:sqs", "body": body}]}).to_string()
}
