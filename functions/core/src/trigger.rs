//! Any bytes in, a [`Trigger`] out: where to look, and nothing else.
//!
//! An event is a hint and never a fact. Whoever can put an event in front of a function can make it look at the API,
//! and can not make it do anything that the API does not call for.

mod records;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::ids::{EndpointId, FoundId, InvalidId, ServiceId, ids_in};
use crate::json;

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

/// Where to look: at services, and in a consumer's account also at endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look<I = ServiceId> {
    /// At everything.
    Everything,
    /// At these, of which there is at least one.
    At(BTreeSet<I>),
    /// Nowhere: the event tells of something that did not happen.
    Nowhere,
}

impl<I: Ord> Look<I> {
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

    /// Whether it looks at that.
    pub fn sees(&self, id: &I) -> bool {
        match self {
            Self::Everything => true,
            Self::At(ids) => ids.contains(id),
            Self::Nowhere => false,
        }
    }

    fn map<J: Ord>(self, other: impl Fn(I) -> Option<J>) -> Look<J> {
        match self {
            Self::Everything => Look::Everything,
            Self::At(ids) => {
                let ids: BTreeSet<J> = ids.into_iter().filter_map(other).collect();
                if ids.is_empty() { Look::Nowhere } else { Look::At(ids) }
            }
            Self::Nowhere => Look::Nowhere,
        }
    }
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger<I = ServiceId> {
    /// Where to look.
    pub look: Look<I>,
    /// For an SQS batch its records, since it is answered record by record.
    pub batch: Option<Vec<Record<I>>>,
}

/// One record of an SQS batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<I = ServiceId> {
    /// SQS's message id, by which a failed record is named.
    pub id: String,
    /// Where it says to look; nothing if it is not recognised.
    pub look: Option<Look<I>>,
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

/// On which side of PrivateLink the function works that reads an event: what an event names is not of use to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// It knows services. Which service an endpoint belongs to is not known there, and the events do not say it for
    /// certain.
    Provider,
    /// It knows endpoints of its own.
    Consumer,
}

impl Trigger {
    /// Reads the payload of an invocation of one of the provider's functions.
    ///
    /// # Errors
    ///
    /// It is none of the events that they take.
    pub fn parse(payload: &[u8]) -> Result<Self, Unrecognized> {
        Ok(Trigger::read(payload, Side::Provider)?.map(|id| match id {
            FoundId::Service(id) => Some(id),
            FoundId::Endpoint(_) => None,
        }))
    }
}

impl Trigger<FoundId> {
    /// Reads the payload of an invocation of one of the consumer's functions.
    ///
    /// # Errors
    ///
    /// It is none of the events that they take.
    pub fn parse_consumers(payload: &[u8]) -> Result<Self, Unrecognized> {
        Self::read(payload, Side::Consumer)
    }

    /// The same with services alone, for the report, which knows an outcome by its service.
    pub fn at_services(self, service_of: impl Fn(&EndpointId) -> Option<ServiceId>) -> Trigger {
        self.map(|id| match id {
            FoundId::Service(id) => Some(id),
            FoundId::Endpoint(id) => service_of(&id),
        })
    }

    fn map(self, other: impl Fn(FoundId) -> Option<ServiceId>) -> Trigger {
        let Self { look, batch } = self;
        let of_record = |Record { id, look }| Record { id, look: look.map(|look: Look<FoundId>| look.map(&other)) };
        let batch = batch.map(|batch| batch.into_iter().map(of_record).collect());
        Trigger { look: look.map(&other), batch }
    }

    fn read(payload: &[u8], side: Side) -> Result<Self, Unrecognized> {
        if payload.len() > LARGEST_PAYLOAD {
            return unrecognized(format!("{} bytes are more than Lambda's 6 MiB", payload.len()));
        }
        let value = match json::read(payload) {
            Ok(value) => value,
            Err(error) => return unrecognized(format!("no JSON: {error}")),
        };
        let Value::Object(event) = value else {
            return unrecognized("not a JSON object");
        };
        if let Some(records) = event.get("Records") {
            return records::read(records, side);
        }
        if payload.len() > LARGEST_EVENT {
            return unrecognized(format!("{} bytes are more than any source sends", payload.len()));
        }
        let look = if event.contains_key("source") || event.contains_key("detail-type") {
            eventbridge(&event, side)?
        } else {
            direct(&event, side)?
        };
        Ok(Self { look, batch: None })
    }
}

/// `{}`, or `{"serviceIds": ["vpce-svc-…"]}`, for a consumer's function also `{"endpointIds": ["vpce-…"]}`, and nothing
/// beside it: a misspelt key must not mean "everything".
fn direct(event: &Map<String, Value>, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    let form = match side {
        Side::Provider => "`{}` or `{\"serviceIds\": [\"vpce-svc-…\"]}`",
        Side::Consumer => "`{}`, `{\"serviceIds\": [\"vpce-svc-…\"]}` or `{\"endpointIds\": [\"vpce-…\"]}`",
    };
    let mut look = if event.is_empty() { Look::Everything } else { Look::Nowhere };
    for (key, ids) in event {
        look = look.and(match (key.as_str(), side) {
            ("serviceIds", _) => listed(key, ids, |id| ServiceId::parse(id).map(FoundId::Service))?,
            ("endpointIds", Side::Consumer) => listed(key, ids, |id| EndpointId::parse(id).map(FoundId::Endpoint))?,
            _ => {
                let shown: String = key.chars().take(64).collect();
                return unrecognized(format!("unknown key `{shown}`; a direct call is {form}"));
            }
        });
    }
    Ok(look)
}

fn listed(
    key: &str,
    ids: &Value,
    parse: impl Fn(&str) -> Result<FoundId, InvalidId>,
) -> Result<Look<FoundId>, Unrecognized> {
    let Some(ids) = ids.as_array().filter(|ids| !ids.is_empty()) else {
        return unrecognized(format!("`{key}` is no list of at least one id; leave it out to look at everything"));
    };
    if ids.len() > MOST_IDS {
        return unrecognized(format!("{} ids; at most {MOST_IDS} are taken", ids.len()));
    }
    let mut found = BTreeSet::new();
    for id in ids {
        match id.as_str().map(&parse) {
            Some(Ok(id)) => {
                found.insert(id);
            }
            Some(Err(error)) => return unrecognized(format!("in `{key}`: {error}")),
            None => return unrecognized(format!("`{key}` holds something that is no string")),
        }
    }
    Ok(Look::At(found))
}

/// An event of EventBridge or of EventBridge Scheduler.
fn eventbridge(event: &Map<String, Value>, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("source"), text("detail-type")) {
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Look::Everything),
        ("privatelink", "Endpoint Connection Notification") => match event.get("detail").and_then(|d| d.get("message"))
        {
            Some(message) => notification(message, side),
            None => unrecognized("a connection notification without `detail.message`"),
        },
        ("aws.ec2", "AWS API Call via CloudTrail") => match event.get("detail") {
            Some(Value::Object(detail)) => cloudtrail(detail, side),
            _ => unrecognized("a CloudTrail event without `detail`"),
        },
        (source, kind) => {
            let shown = |text: &str| text.chars().take(64).collect::<String>();
            unrecognized(format!("nothing here takes `{}` from `{}`", shown(kind), shown(source)))
        }
    }
}

/// The record of one API call. A call that failed changed nothing, so it is no reason to look.
fn cloudtrail(detail: &Map<String, Value>, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    let called = detail.get("eventName").and_then(Value::as_str).unwrap_or_default();
    let by = detail.get("eventSource").and_then(Value::as_str);
    if by.is_some_and(|by| by != "ec2.amazonaws.com") || !CALLS.contains(&called) {
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
    Ok(look_at(ids, side))
}

/// The text of a connection notification, which AWS does not document, or the object that it was.
fn notification(message: &Value, side: Side) -> Result<Look<FoundId>, Unrecognized> {
    match message {
        Value::String(_) | Value::Object(_) => {
            let mut ids = Vec::new();
            collect_ids(message, &mut ids)?;
            Ok(look_at(ids, side))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            unrecognized("a connection notification whose message is neither a text nor an object")
        }
    }
}

fn look_at(ids: Vec<FoundId>, side: Side) -> Look<FoundId> {
    let (services, endpoints): (BTreeSet<_>, BTreeSet<_>) = ids.into_iter().partition(|id| match id {
        FoundId::Service(_) => true,
        FoundId::Endpoint(_) => false,
    });
    let ids = match side {
        Side::Consumer if !endpoints.is_empty() => endpoints,
        Side::Consumer | Side::Provider => services,
    };
    if ids.is_empty() { Look::Everything } else { Look::At(ids) }
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

#[cfg(test)]
mod tests;
