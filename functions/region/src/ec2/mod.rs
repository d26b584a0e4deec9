//! EC2's operations: each takes its parameters, changes the world, and writes its answer.

mod connections;
mod endpoints;
mod fitting;
mod groups;
mod ingress;
mod interfaces;
mod notifications;
mod offers;
mod services;
#[cfg(test)]
mod stories;
mod tags;
mod tokens;
mod vpcs;

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::query::Params;
use crate::service::{Call, Caller};
use crate::world::World;
use crate::xml::{self, Element};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;

use crate::{Answer, cloudtrail};

/// The version of EC2's API.
pub(crate) const VERSION: &str = "2016-11-15";

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The most items on a page of a listing.
const LONGEST_PAGE: usize = 1000;

/// The fields of an operation's answer.
type Fields = Result<Vec<Element>, ApiError>;

/// An operation.
type Operation = fn(&mut World, &Caller, &mut Params) -> Fields;

/// Carries one call out, and leaves CloudTrail's record of it.
pub(crate) fn dispatch(world: &mut World, call: Call, request_id: &str) -> Result<Answer, ApiError> {
    let Some(operation) = operation(&call.action) else {
        let message = format!("The action {} is not valid for this web service.", call.action);
        return Err(ApiError::new(400, "InvalidAction", &message));
    };
    let Call { caller, action, mut params } = call.clone();
    let fields = operation(world, &caller, &mut params);
    cloudtrail::record(world, &call, request_id, fields.as_deref());
    Ok(Answer::xml(response(&action, request_id, &fields?)))
}

/// Whether an operation of that name would change anything.
pub(crate) fn changes(action: &str) -> bool {
    operation(action).is_some() && !action.starts_with("Describe")
}

fn operation(action: &str) -> Option<Operation> {
    Some(match action {
        "CreateVpcEndpointServiceConfiguration" => services::create,
        "DescribeVpcEndpointServiceConfigurations" => services::describe,
        "ModifyVpcEndpointServiceConfiguration" => services::modify,
        "DeleteVpcEndpointServiceConfigurations" => services::delete,
        "StartVpcEndpointServicePrivateDnsVerification" => services::start_verification,
        "ModifyVpcEndpointServicePermissions" => offers::permit,
        "DescribeVpcEndpointServicePermissions" => offers::describe_permissions,
        "DescribeVpcEndpointServices" => offers::describe,
        "CreateVpcEndpointConnectionNotification" => notifications::create,
        "DescribeVpcEndpointConnectionNotifications" => notifications::describe,
        "CreateVpcEndpoint" => endpoints::create,
        "DescribeVpcEndpoints" => endpoints::describe,
        "ModifyVpcEndpoint" => endpoints::modify,
        "DeleteVpcEndpoints" => endpoints::delete,
        "DescribeVpcs" => vpcs::describe,
        "DescribeVpcAttribute" => vpcs::describe_attribute,
        "ModifyVpcAttribute" => vpcs::modify_attribute,
        "DescribeSubnets" => vpcs::describe_subnets,
        "DescribeSecurityGroups" => groups::describe,
        "DescribeSecurityGroupRules" => groups::describe_rules,
        "AuthorizeSecurityGroupIngress" => ingress::authorize,
        "DescribeNetworkInterfaces" => interfaces::describe,
        "DescribeVpcEndpointConnections" => connections::describe,
        "AcceptVpcEndpointConnections" => connections::accept,
        "RejectVpcEndpointConnections" => connections::reject,
        "CreateTags" => tags::create,
        "DeleteTags" => tags::delete,
        _ => return None,
    })
}

/// The body of an answer.
fn response(action: &str, request_id: &str, fields: &[Element]) -> String {
    let mut out = format!("<{action}Response xmlns=\"{NAMESPACE}\">");
    xml::text("requestId", request_id).write(&mut out);
    fields.iter().for_each(|field| field.write(&mut out));
    out.push_str(&format!("</{action}Response>"));
    out
}

/// The body of a refusal.
pub(crate) fn error_body(error: &ApiError, request_id: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>");
    let fields = vec![xml::text("Code", &error.code), xml::text("Message", &error.message)];
    xml::element("Errors", vec![xml::element("Error", fields)]).write(&mut out);
    xml::text("RequestID", request_id).write(&mut out);
    out.push_str("</Response>");
    out
}

/// A filter of a Describe call.
struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filter {
    /// Takes the filters.
    ///
    /// # Errors
    ///
    /// A filter without a name or values, or of a name that the operation does not know.
    fn take(params: &mut Params, known: &[&str]) -> Result<Vec<Self>, ApiError> {
        let mut filters = Vec::new();
        for mut structure in params.structures("Filter") {
            let name = structure.require("Name")?;
            let values = structure.list("Value");
            structure.finish()?;
            let tag = name.starts_with("tag:") && known.contains(&"tag:");
            if !known.contains(&name.as_str()) && !tag {
                return Err(ApiError::invalid(format!("The filter '{name}' is invalid")));
            }
            // A filter without values is left out, as if nobody had asked for it: the trap that EC2 really sets.
            if !values.is_empty() {
                if values.len() > 200 {
                    return Err(ApiError::new(
                        400,
                        "FilterLimitExceeded",
                        "The maximum number of filter values is 200",
                    ));
                }
                filters.push(Self { name, values });
            }
        }
        Ok(filters)
    }

    fn matches(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| like(pattern.as_bytes(), value.as_bytes()))
    }
}

/// Whether a value is like a filter's pattern: `*` stands for any text, `?` for any one character.
fn like(pattern: &[u8], value: &[u8]) -> bool {
    match (pattern.split_first(), value.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            like(rest, value) || value.split_first().is_some_and(|(_, left)| like(pattern, left))
        }
        (Some((b'?', rest)), Some((_, left))) => like(rest, left),
        (Some((wanted, rest)), Some((found, left))) => wanted == found && like(rest, left),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// A time as EC2 writes it: in UTC, to the millisecond.
fn instant(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(FORM).unwrap_or_default()
}

/// One page of a listing, and the token of the next. A longer page than the longest is the longest.
fn page<T>(world: &World, params: &mut Params, items: Vec<T>) -> Result<(Vec<T>, Option<String>), ApiError> {
    page_up_to(usize::MAX, world, params, items)
}

/// The same of an operation that refuses to be asked for more than the longest page.
fn bounded_page<T>(world: &World, params: &mut Params, items: Vec<T>) -> Result<(Vec<T>, Option<String>), ApiError> {
    page_up_to(LONGEST_PAGE, world, params, items)
}

/// How many items a page has at most.
fn page_size(most: usize, world: &World, params: &mut Params) -> Result<usize, ApiError> {
    let asked = match params.take("MaxResults") {
        None => LONGEST_PAGE,
        Some(text) => match text.parse() {
            Ok(n @ 5..) if n <= most => usize::min(n, LONGEST_PAGE),
            _ => {
                return Err(ApiError::invalid(format!(
                    "Value ({text}) for parameter MaxResults is invalid. Expecting a value between 5 and 1000."
                )));
            }
        },
    };
    Ok(world.settings.page.min(asked))
}

fn page_up_to<T>(
    most: usize,
    world: &World,
    params: &mut Params,
    mut items: Vec<T>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = page_size(most, world, params)?;
    let from = match params.take("NextToken") {
        None => 0,
        Some(token) => {
            token.strip_prefix("page-").and_then(|from| from.parse().ok()).ok_or_else(|| invalid_token(&token))?
        }
    };
    let next = (items.len() > from + size).then(|| format!("page-{}", from + size));
    items.drain(..from.min(items.len()));
    items.truncate(size);
    Ok((items, next))
}

fn invalid_token(token: &str) -> ApiError {
    ApiError::new(400, "InvalidNextToken", &format!("The token '{token}' is invalid"))
}

/// Whether the call is only to be tried, which ends it with a refusal where it would have succeeded.
fn dry_run(params: &mut Params) -> Result<(), ApiError> {
    if params.boolean("DryRun")? == Some(true) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(ApiError::new(412, "DryRunOperation", message));
    }
    Ok(())
}

fn tag_set(tags: &BTreeMap<String, String>) -> Element {
    xml::list("tagSet", tags.iter().map(|(key, value)| vec![xml::text("key", key), xml::text("value", value)]))
}

/// Whether tags are those that a `tag-key` or `tag:<key>` filter asks for.
fn check_tags(filter: &Filter, tags: &BTreeMap<String, String>) -> bool {
    match filter.name.strip_prefix("tag:") {
        Some(key) => tags.get(key).is_some_and(|value| filter.matches(value)),
        None => tags.keys().any(|key| filter.matches(key)),
    }
}

/// Does something to each of a call's ids, which succeeds even so: an `unsuccessful` item for each one that failed.
fn unsuccessful(world: &mut World, ids: &[String], each: impl Fn(&mut World, &str) -> Result<(), ApiError>) -> Fields {
    let mut items = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let result = match world.refused_item(place) {
            Some(error) => Err(error),
            None => each(world, id),
        };
        if let Err(error) = result {
            let fields = vec![xml::text("code", error.code), xml::text("message", error.message)];
            items.push(vec![xml::element("error", fields), xml::text("resourceId", id)]);
        }
    }
    Ok(vec![xml::list("unsuccessful", items)])
}

/// Takes `TagSpecification.N` for a kind of resource.
fn tag_specification(params: &mut Params, kind: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let mut all = BTreeMap::new();
    for mut specification in params.structures("TagSpecification") {
        let of = specification.require("ResourceType")?;
        if of != kind {
            return Err(ApiError::invalid(format!("'{of}' is not a valid taggable resource type for this operation.")));
        }
        all.extend(tags::take(&mut specification)?);
        specification.finish()?;
    }
    Ok(all)
}
