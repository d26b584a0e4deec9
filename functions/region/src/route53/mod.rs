//! Route 53, in REST with XML: an operation is a method and a path, its parameters stand in the path, in the query
//! string and in a body.

mod body;
mod changes;
mod listing;
mod name;
mod record;
mod state;
#[cfg(test)]
mod tests;
mod zones;

use time::OffsetDateTime;
use time::macros::format_description;

pub use self::name::Name;
pub(crate) use self::record::{ROUTING, is_kind};
pub use self::record::{RecordData, RecordKey, RecordSet, strings};
pub use self::state::{Change, Records, Route53, Zone, ZoneDraft};
use crate::error::ApiError;
use crate::query::Params;
use crate::service::{Call, Caller};
use crate::world::World;
use crate::xml::{self, Element, element, text};
use crate::{Answer, Request};

/// The namespace of all its documents, which ends with the version of its API.
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// What an operation answers with, without its outermost element.
struct Document {
    status: u16,
    headers: Vec<(&'static str, String)>,
    fields: Vec<Element>,
}

impl Document {
    fn of(fields: Vec<Element>) -> Self {
        Self { status: 200, headers: Vec::new(), fields }
    }
}

/// Reads a call: its operation, and as parameters the query string's, the path's `Id`, and the `Body`.
pub(crate) fn read(request: &Request) -> Result<(String, Params), ApiError> {
    let path: Vec<_> = request.path.trim_matches('/').split('/').collect();
    let (action, id) = match (request.method.as_str(), path.as_slice()) {
        ("POST", ["2013-04-01", "hostedzone"]) => ("CreateHostedZone", None),
        ("GET", ["2013-04-01", "hostedzone", id]) => ("GetHostedZone", Some(id)),
        ("GET", ["2013-04-01", "hostedzonesbyname"]) => ("ListHostedZonesByName", None),
        ("GET", ["2013-04-01", "hostedzone", id, "rrset"]) => ("ListResourceRecordSets", Some(id)),
        ("POST", ["2013-04-01", "hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", Some(id)),
        ("GET", ["2013-04-01", "change", id]) => ("GetChange", Some(id)),
        (method, _) => {
            let message = format!("The operation {method} {} is not simulated here.", request.path);
            return Err(ApiError::new(400, "InvalidAction", &message));
        }
    };
    let mut params = Params::default();
    for (key, value) in form_urlencoded::parse(request.query.as_bytes()) {
        params.put(&key, value.into_owned());
    }
    if let Some(id) = id {
        if id.chars().count() > 32 {
            return Err(invalid_input(&format!("Invalid id '{id}': Member must have length less than or equal to 32")));
        }
        params.put("Id", (*id).to_owned());
    }
    let body = String::from_utf8(request.body.clone());
    params.put("Body", body.map_err(|_| invalid_input("Invalid XML ; Invalid byte of a UTF-8 sequence."))?);
    Ok((action.to_owned(), params))
}

/// Carries one call out.
pub(crate) fn dispatch(world: &mut World, call: Call, request_id: &str) -> Result<Answer, ApiError> {
    let Call { caller: Caller { account, .. }, action, mut params } = call;
    let params = &mut params;
    let document = match action.as_str() {
        "CreateHostedZone" => zones::create(world, &account, params),
        "GetHostedZone" => zones::get(world, &account, params),
        "ListHostedZonesByName" => zones::list_by_name(world, &account, params),
        "ListResourceRecordSets" => listing::list(world, &account, params),
        "ChangeResourceRecordSets" => changes::change(world, &account, params),
        "GetChange" => changes::get(world, &account, params),
        _ => Err(ApiError::new(400, "InvalidAction", &format!("The action {action} is not simulated here."))),
    };
    let Document { status, mut headers, fields } = document.map_err(|mut error| {
        if !world.settings.change_batch_errors_apart {
            error.messages.clear();
        }
        error
    })?;
    headers.push(("x-amzn-requestid", request_id.to_owned()));
    let mut body = format!("<?xml version=\"1.0\"?>\n<{action}Response xmlns=\"{NAMESPACE}\">");
    fields.iter().for_each(|field| field.write(&mut body));
    body.push_str(&format!("</{action}Response>"));
    Ok(Answer { status, headers, body })
}

/// The body of a refusal. A change batch's faults have a form of their own, with a message for each.
pub(crate) fn error_body(error: &ApiError, request_id: &str) -> String {
    let (root, fields) = if error.messages.is_empty() {
        let kind = if error.status < 500 { "Sender" } else { "Receiver" };
        let fields = vec![text("Type", kind), text("Code", &error.code), text("Message", &error.message)];
        ("ErrorResponse", element("Error", fields))
    } else {
        let messages = error.messages.iter().map(|message| text("Message", message));
        ("InvalidChangeBatch", element("Messages", messages.collect()))
    };
    let mut out = format!("<?xml version=\"1.0\"?>\n<{root} xmlns=\"{NAMESPACE}\">");
    fields.write(&mut out);
    xml::text("RequestId", request_id).write(&mut out);
    out.push_str(&format!("</{root}>"));
    out
}

/// What Route 53 says of too many requests.
pub(crate) fn throttled() -> ApiError {
    ApiError::new(400, "Throttling", "Rate exceeded")
}

fn invalid_input(message: &str) -> ApiError {
    ApiError::new(400, "InvalidInput", message)
}

fn enum_fault(value: &str, field: &str) -> ApiError {
    invalid_input(&format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy \
         enum value set"
    ))
}

fn invalid_batch(messages: Vec<String>) -> ApiError {
    let message = format!("[{}]", messages.join(", "));
    ApiError { messages, ..ApiError::new(400, "InvalidChangeBatch", &message) }
}

fn denied(account: &str) -> ApiError {
    let message = format!("User: arn:aws:iam::{account}:root is not authorized to access this resource");
    ApiError::new(403, "AccessDenied", &message)
}

/// A zone of the caller's own.
fn own_zone<'a>(world: &'a World, account: &str, id: &str) -> Result<&'a Zone, ApiError> {
    match world.route53.zones.get(id) {
        None => Err(ApiError::new(404, "NoSuchHostedZone", &format!("No hosted zone found with ID: {id}"))),
        Some(zone) if zone.owner != account => Err(denied(account)),
        Some(zone) => Ok(zone),
    }
}

/// The size of a page: what was asked for, where that is not more than the operation's most.
fn most_items(world: &World, params: &mut Params, most: usize) -> Result<usize, ApiError> {
    let asked = match params.take("maxitems") {
        None => most,
        Some(text) => match text.parse() {
            Ok(asked @ 1..) => asked,
            _ => return Err(invalid_input(&format!("Invalid value '{text}' for maxitems: expecting a number from 1"))),
        },
    };
    Ok(asked.min(most).min(world.settings.page).max(1))
}

fn change_info(change: &Change, now: OffsetDateTime) -> Element {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let submitted = change.submitted.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default();
    let mut fields = vec![
        text("Id", format!("/change/{}", change.id)),
        text("Status", if change.in_sync <= now { "INSYNC" } else { "PENDING" }),
        text("SubmittedAt", submitted),
    ];
    fields.extend(change.comment.as_ref().map(|comment| text("Comment", comment)));
    element("ChangeInfo", fields)
}
