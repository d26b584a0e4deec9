//! Any bytes in, a [`Trigger`] out: where to look, and nothing else.
//!
//! An event is a hint and never a fact. Whoever can put an event in front of a function can make it look at the API,
//! and can not make it do anything that the API does not call for.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::ids::{EndpointId, FoundId, ServiceId, ids_in};

/// The largest payload that Lambda hands to a function, in bytes.
pub(crate) const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;
/// The largest single event that any of the sources sends, in bytes: EventBridge, SNS and SQS stop here or before.
const LARGEST_EVENT: usize = 1024 * 1024;
/// More ids than this in one event are no hint any more.
const MOST_IDS: usize = 1000;

/// The provider-side calls whose CloudTrail records are a reason to look.
const CALLS: [&str; 6] = [
    "CreateVpcEndpointServiceConfiguration",
    "ModifyVpcEndpointServiceConfiguration",
    "ModifyVpcEndpointServicePermissions",
    "AcceptVpcEndpointConnections",
    "RejectVpcEndpointConnections",
    "StartVpcEndpointServicePrivateDnsVerification",
];

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

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// At every service.
    Everything,
    /// At these services, of which there is at least one.
    At(BTreeSet<ServiceId>),
    /// Nowhere: the event tells of something that did not happen.
    Nowhere,
}

impl Look {
    /// Looks where either does.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Nowhere, look) | (look, Self::Nowhere) => look,
            (Self::At(mut these), Self::At(those)) => {
                these.extend(those);
                Self::At(these)
            }
        }
    }

    /// Whether it looks at that service.
    pub fn sees(&self, service: &ServiceId) -> bool {
        match self {
            Self::Everything => true,
            Self::At(services) => services.contains(service),
            Self::Nowhere => false,
        }
    }
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Where to look.
    pub look: Look,
    /// For an SQS batch its records, since it is answered record by record.
    pub batch: Option<Vec<Record>>,
}

/// One record of an SQS batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SQS's message id, by which a failed record is named.
    pub id: String,
    /// Where it says to look; nothing if it is not recognised.
    pub look: Option<Look>,
}

/// An event that is none of those that the functions take. Nothing is changed on its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecognized(String);

impl fmt::Display for Unrecognized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event not recognised: {}", self.0)
    }
}

impl std::error::Error for Unrecognized {}

impl Unrecognized {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

fn unrecognized<T>(why: impl Into<String>) -> Result<T, Unrecognized> {
    Err(Unrecognized::new(why))
}

impl Trigger {
    /// Reads the payload of an invocation of one of the provider's functions.
    pub fn parse(payload: &[u8]) -> Result<Self, Unrecognized> {
        if payload.len() > LARGEST_PAYLOAD {
            return unrecognized(format!("{} bytes are more than Lambda's 6 MiB", payload.len()));
        }
        let value: Value = match serde_json::from_slice(payload) {
            Ok(value) => value,
            Err(error) => return unrecognized(format!("no JSON: {error}")),
        };
        let Value::Object(event) = value else {
            return unrecognized("not a JSON object");
        };
        if let Some(records) = event.get("Records") {
            return records_of(records);
        }
        if payload.len() > LARGEST_EVENT {
            return unrecognized(format!("{} bytes are more than any source sends", payload.len()));
        }
        let look = if event.contains_key("source") || event.contains_key("detail-type") {
            eventbridge(&event)?
        } else {
            direct(&event)?
        };
        Ok(Self { look, batch: None })
    }
}

/// `{}`, or `{"serviceIds": ["vpce-svc-…"]}`, and nothing beside it: a misspelt key must not mean "everything".
fn direct(event: &Map<String, Value>) -> Result<Look, Unrecognized> {
    if let Some(key) = event.keys().find(|key| *key != "serviceIds") {
        let shown: String = key.chars().take(64).collect();
        return unrecognized(format!(
            "unknown key `{shown}`; a direct call is `{{}}` or `{{\"serviceIds\": [\"vpce-svc-…\"]}}`"
        ));
    }
    let Some(ids) = event.get("serviceIds") else {
        return Ok(Look::Everything);
    };
    let Some(ids) = ids.as_array().filter(|ids| !ids.is_empty()) else {
        return unrecognized("`serviceIds` is no list of at least one id; leave it out to look at everything");
    };
    if ids.len() > MOST_IDS {
        return unrecognized(format!("{} ids; at most {MOST_IDS} are taken", ids.len()));
    }
    let mut services = BTreeSet::new();
    for id in ids {
        match id.as_str().map(ServiceId::parse) {
            Some(Ok(id)) => {
                services.insert(id);
            }
            Some(Err(error)) => return unrecognized(format!("in `serviceIds`: {error}")),
            None => return unrecognized("`serviceIds` holds something that is no string"),
        }
    }
    Ok(Look::At(services))
}

/// An event of EventBridge or of EventBridge Scheduler.
fn eventbridge(event: &Map<String, Value>) -> Result<Look, Unrecognized> {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("source"), text("detail-type")) {
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Look::Everything),
        ("privatelink", "Endpoint Connection Notification") => match event.get("detail").and_then(|d| d.get("message"))
        {
            Some(message) => notification(message),
            None => unrecognized("a connection notification without `detail.message`"),
        },
        ("aws.ec2", "AWS API Call via CloudTrail") => match event.get("detail") {
            Some(Value::Object(detail)) => cloudtrail(detail),
            _ => unrecognized("a CloudTrail event without `detail`"),
        },
        (source, kind) => {
            let shown = |text: &str| text.chars().take(64).collect::<String>();
            unrecognized(format!("nothing here takes `{}` from `{}`", shown(kind), shown(source)))
        }
    }
}

/// The record of one API call. A call that failed changed nothing, so it is no reason to look.
fn cloudtrail(detail: &Map<String, Value>) -> Result<Look, Unrecognized> {
    let called = detail.get("eventName").and_then(Value::as_str).unwrap_or_default();
    let by = detail.get("eventSource").and_then(Value::as_str).unwrap_or_default();
    if by != "ec2.amazonaws.com" || !CALLS.contains(&called) {
        let shown: String = called.chars().take(64).collect();
        return unrecognized(format!("nothing here follows from a call of `{shown}`"));
    }
    if detail.get("errorCode").is_some_and(|code| !code.is_null()) {
        return Ok(Look::Nowhere);
    }
    // CloudTrail leaves out parameters of more than 100 KB: no id is then no reason to look nowhere.
    let mut ids = Vec::new();
    for part in ["requestParameters", "responseElements"] {
        collect_ids(detail.get(part).unwrap_or(&Value::Null), &mut ids)?;
    }
    Ok(look_at(ids))
}

/// The text of a connection notification, which AWS does not document, or the object that it was.
fn notification(message: &Value) -> Result<Look, Unrecognized> {
    match message {
        Value::String(_) | Value::Object(_) => {
            let mut ids = Vec::new();
            collect_ids(message, &mut ids)?;
            Ok(look_at(ids))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            unrecognized("a connection notification whose message is neither a text nor an object")
        }
    }
}

fn look_at(ids: Vec<FoundId>) -> Look {
    let services: BTreeSet<_> = ids
        .into_iter()
        .filter_map(|id| match id {
            FoundId::Service(id) => Some(id),
            // Which service an endpoint belongs to is not known here, and the events do not say it for certain.
            FoundId::Endpoint(EndpointId { .. }) => None,
        })
        .collect();
    if services.is_empty() { Look::Everything } else { Look::At(services) }
}

/// The ids in every string of a JSON value, keys included. Its depth is bounded by the reader of the JSON.
fn collect_ids(value: &Value, found: &mut Vec<FoundId>) -> Result<(), Unrecognized> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => found.extend(ids_in(text).take(MOST_IDS + 1)),
        Value::Array(values) => {
            for value in values {
                collect_ids(value, found)?;
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                found.extend(ids_in(key).take(MOST_IDS + 1));
                collect_ids(value, found)?;
            }
        }
    }
    if found.len() > MOST_IDS {
        return unrecognized(format!("more than {MOST_IDS} ids"));
    }
    Ok(())
}

/// An SNS or an SQS Lambda event.
fn records_of(records: &Value) -> Result<Trigger, Unrecognized> {
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
            look = look.and(sns(record.get("Sns").unwrap_or(&Value::Null))?);
        }
        return Ok(Trigger { look, batch: None });
    }
    if records.iter().all(|record| source(record) == "aws:sqs") {
        return sqs(records);
    }
    unrecognized("records that are neither all of SNS nor all of SQS")
}

/// An SQS batch: a record that is not recognised is that record's failure alone.
fn sqs(records: &[Value]) -> Result<Trigger, Unrecognized> {
    let mut look = Look::Nowhere;
    let mut batch = Vec::with_capacity(records.len());
    for record in records {
        let Some(id) = record.get("messageId").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return unrecognized("an SQS record without `messageId` can not be answered");
        };
        let of_record = record.get("body").and_then(Value::as_str).and_then(|body| queued(body).ok());
        if let Some(of_record) = of_record.clone() {
            look = look.and(of_record);
        }
        batch.push(Record { id: id.to_owned(), look: of_record });
    }
    Ok(Trigger { look, batch: Some(batch) })
}

/// The body of an SQS message: SNS's envelope, or any of the events itself.
fn queued(body: &str) -> Result<Look, Unrecognized> {
    if let Ok(Value::Object(envelope)) = serde_json::from_str::<Value>(body)
        && envelope.contains_key("TopicArn")
    {
        return sns(&Value::Object(envelope));
    }
    match event_in(body)? {
        Some(look) => Ok(look),
        // Without SNS's envelope nothing but an id shows that a text is a connection notification.
        None if ids_in(body).next().is_some() => notification(&Value::String(body.to_owned())),
        None => unrecognized("a text with no id in it"),
    }
}

/// What SNS delivered: an event of ours, a notice of ours, or else the connection notification itself.
fn sns(envelope: &Value) -> Result<Look, Unrecognized> {
    let kind = envelope.get("Type").and_then(Value::as_str).unwrap_or("Notification");
    if kind != "Notification" {
        return unrecognized("an SNS message that is no notification");
    }
    let Some(message) = envelope.get("Message").and_then(Value::as_str) else {
        return unrecognized("an SNS notification without `Message`");
    };
    match event_in(message)? {
        Some(look) => Ok(look),
        None => notification(&Value::String(message.to_owned())),
    }
}

/// The event or the notice that a text is, if it is one.
fn event_in(text: &str) -> Result<Option<Look>, Unrecognized> {
    if text.len() > LARGEST_EVENT {
        return unrecognized(format!("{} bytes are more than any source sends", text.len()));
    }
    let Ok(Value::Object(event)) = serde_json::from_str::<Value>(text) else {
        return Ok(None);
    };
    if event.contains_key("detail-type") {
        return eventbridge(&event).map(Some);
    }
    if event.contains_key("schemaVersion") {
        return notice(&event).map(Some);
    }
    Ok(None)
}

/// This product's own notice: its service is the place to look at.
fn notice(event: &Map<String, Value>) -> Result<Look, Unrecognized> {
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    let version = event.get("schemaVersion").and_then(Value::as_str).unwrap_or_default();
    let service = event.get("service").and_then(|service| service.get("id")).and_then(Value::as_str);
    match service.map(ServiceId::parse) {
        Some(Ok(id)) if version == "1" && NOTICES.contains(&kind) => Ok(Look::At(BTreeSet::from([id]))),
        _ => unrecognized("a document that is no notice of version 1"),
    }
}

#[cfg(test)]
mod tests;
