//! What comes in records: SNS's and SQS's Lambda events, and the notices and events that they carry.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{LARGEST_EVENT, Look, Record, Side, Trigger, Unrecognized, eventbridge, notification, unrecognized};
use crate::ids::{EndpointId, FoundId, ServiceId, ids_in};
use crate::json;

/// The kinds of this product's own notices, which come back to it through SNS and SQS.
const NOTICES: [&str; 10] = [
    "EndpointConnectionAvailable",
    "EndpointConnectionRejected",
    "EndpointConnectionFailed",
    "EndpointConnectionExpired",
    "EndpointConnectionHeld",
    "DomainRecordRequired",
    "DomainVerificationFailed",
    "DomainVerificationLost",
    "DomainVerified",
    "NoticeUndeliverable",
];

/// An SNS or an SQS Lambda event.
pub(super) fn read(records: &Value, side: Side) -> Result<Trigger<FoundId>, Unrecognized> {
    let Some(records) = records.as_array().filter(|records| !records.is_empty()) else {
        return unrecognized("`Records` is no list of at least one record");
    };
    let source = |record: &Value| {
        let source = record.get("EventSource").or_else(|| record.get("eventSource"));
        source.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if records.iter().all(|record| source(record) == "aws:sns") {
        let mut look = Look::Nowhere;
        for record in records {
            look = look.and(sns(record.get("Sns").unwrap_or(&Value::Null), side)?);
        }
        return Ok(Trigger { look, batch: None });
    }
    if records.iter().all(|record| source(record) == "aws:sqs") {
        return sqs(records, side);
    }
    unrecognized("records that are neither all of SNS nor all of SQS")
}

/// An SQS batch: a record that is not recognised is that record's failure alone.
fn sqs(records: &[Value], side: Side) -> Result<Trigger<FoundId>, Unrecognized> {
    let mut look = Look::Nowhere;
    let mut batch = Vec::with_capacity(records.len());
    for record in records {
        let Some(id) = record.get("messageId").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return unrecognized("an SQS record without `messageId` can not be answered");
        };
        let of_record = record.get("body").and_then(Value::as_str).and_then(|body| queued(body, side).ok());
        if let Some(of_record) = of_record.clone() {
            look = look.and(of_record);
        }
        batch.push(Record { id: id.to_owned(), look: of_record });
    }
    Ok(Trigger { look, batch: Some(batch) })
}

/// The body of an SQS message: SNS's envelope, or any of the events itself.
fn queued(body: &str, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    if let Ok(Value::Object(envelope)) = json::read(body.as_bytes())
        && envelope.contains_key("TopicArn")
    {
        return sns(&Value::Object(envelope), side);
    }
    match event_in(body, side)? {
        Some(look) => Ok(look),
        // Without SNS's envelope nothing but an id shows that a text is a connection notification.
        None if ids_in(body).next().is_some() => notification(&Value::String(body.to_owned()), side),
        None => unrecognized("a text with no id in it"),
    }
}

/// What SNS delivered: an event of ours, a notice of ours, or else the connection notification itself.
fn sns(envelope: &Value, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    let kind = envelope.get("Type").and_then(Value::as_str).unwrap_or("Notification");
    if kind != "Notification" {
        return unrecognized("an SNS message that is no notification");
    }
    let Some(message) = envelope.get("Message").and_then(Value::as_str) else {
        return unrecognized("an SNS notification without `Message`");
    };
    match event_in(message, side)? {
        Some(look) => Ok(look),
        None => notification(&Value::String(message.to_owned()), side),
    }
}

/// The event or the notice that a text is, if it is one.
fn event_in(text: &str, side: Side) -> Result<Option<Look<FoundId>>, Unrecognized> {
    if text.len() > LARGEST_EVENT {
        return unrecognized(format!("{} bytes are more than any source sends", text.len()));
    }
    let Ok(Value::Object(event)) = json::read(text.as_bytes()) else {
        return Ok(None);
    };
    if event.contains_key("detail-type") {
        return eventbridge(&event, side).map(Some);
    }
    if event.contains_key("schemaVersion") {
        return notice(&event, side).map(Some);
    }
    Ok(None)
}

/// This product's own notice: its service is the place to look at, and for a consumer its endpoint, if it is about one.
fn notice(event: &Map<String, Value>, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    let text = |pointer: &str| event.get(pointer).and_then(Value::as_str).unwrap_or_default();
    let id = |part: &str| event.get(part).map(|part| part.get("id").and_then(Value::as_str).unwrap_or_default());
    let service = id("service").and_then(|id| ServiceId::parse(id).ok());
    let endpoint = id("endpoint").filter(|_| side == Side::Consumer).map(EndpointId::parse).transpose();
    match (service, endpoint) {
        (Some(service), Ok(endpoint)) if text("schemaVersion") == "1" && NOTICES.contains(&text("type")) => {
            let id = endpoint.map_or(FoundId::Service(service), FoundId::Endpoint);
            Ok(Look::At(BTreeSet::from([id])))
        }
        _ => unrecognized("a document that is no notice of version 1"),
    }
}
