//! SNS: topics, who may use them, and what they delivered to whom.
//!
//! A subscription is confirmed as soon as it is made, since nobody is here who could click on a link. Topics of all
//! Regions are here: which Region a call is for is said by the scope of its credentials.

mod attributes;
mod delivery;
mod filter;
mod made;
mod message;
mod publish;
mod subscriptions;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::delivery::{Delivery, Protocol};
pub use self::filter::{FilterPolicy, Scope};
pub use self::message::Attribute;
use self::publish::Fifo;
use crate::Answer;
use crate::answers::answer;
use crate::error::ApiError;
use crate::query::Params;
use crate::service::{Call, Caller};
use crate::world::World;
use crate::xml::{Element, text};

/// The API's version.
pub(crate) const VERSION: &str = "2010-03-31";

/// The XML namespace.
pub(crate) const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The most items on a page of a listing.
const PAGE: usize = 100;

/// All that SNS knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sns {
    /// The topics, by ARN.
    pub topics: BTreeMap<String, Topic>,
    /// Everything that was delivered, the oldest first.
    pub deliveries: Vec<Delivery>,
}

/// A topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What it remembers to deliver in order and once, if it is a FIFO topic.
    pub fifo: Option<Fifo>,
    /// The name that mail is sent under.
    pub display_name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What other accounts may do, by the permission's label.
    pub permissions: BTreeMap<String, Permission>,
    /// Who gets its messages.
    pub subscriptions: Vec<Subscription>,
}

/// What other accounts may do with a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The accounts.
    pub accounts: BTreeSet<String>,
    /// The operations.
    pub actions: BTreeSet<String>,
}

/// A subscription to a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Its ARN.
    pub arn: String,
    /// The account that made it.
    pub owner: String,
    /// Over what messages are brought.
    pub protocol: Protocol,
    /// To whom: an address, a URL, or an ARN.
    pub endpoint: String,
    /// Which messages.
    pub filter: FilterPolicy,
    /// Whether a message is brought as it was published, without SNS's envelope.
    pub raw: bool,
}

type Fields = Result<Vec<Element>, ApiError>;

/// Carries a call out.
pub(crate) fn dispatch(world: &mut World, call: Call, request_id: &str) -> Result<Answer, ApiError> {
    let Call { caller, action, mut params } = call;
    let params = &mut params;
    let result = match action.as_str() {
        "CreateTopic" => topics::create(world, &caller, params),
        "DeleteTopic" => topics::delete(world, &caller, params),
        "AddPermission" => topics::add_permission(world, &caller, params),
        "ListTopics" => topics::list(world, &caller, params),
        "GetTopicAttributes" => attributes::get(world, &caller, params),
        "Subscribe" => subscriptions::subscribe(world, &caller, params),
        "ListSubscriptionsByTopic" => subscriptions::list(world, &caller, params),
        "Publish" => publish::one(world, &caller, params),
        "PublishBatch" => publish::batch(world, &caller, params),
        _ => {
            let message = format!("Could not find operation {action} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", &message))
        }
    }?;
    Ok(answer(NAMESPACE, &action, &result, request_id))
}

fn invalid(problem: &str) -> ApiError {
    ApiError::new(400, "InvalidParameter", &format!("Invalid parameter: {problem}"))
}

fn no_topic() -> ApiError {
    ApiError::new(404, "NotFound", "Topic does not exist")
}

/// Takes `TopicArn`, which has to be there.
fn topic_arn(params: &mut Params) -> Result<String, ApiError> {
    params.take("TopicArn").ok_or_else(|| ApiError::null("topicArn"))
}

/// The topic, if the caller may do that with it. An ARN of another account is refused whether there is such a topic or
/// not, so that nobody learns what others have.
fn topic<'a>(world: &'a mut World, caller: &Caller, arn: &str, action: &str) -> Result<&'a mut Topic, ApiError> {
    let (region, account) = region_and_account(arn)?;
    if region != caller.region {
        return Err(no_topic());
    }
    let topic = world.sns.topics.get_mut(arn);
    if account == caller.account {
        return topic.ok_or_else(no_topic);
    }
    let permits =
        |permission: &Permission| permission.accounts.contains(&caller.account) && permission.actions.contains(action);
    topic.filter(|topic| topic.permissions.values().any(permits)).ok_or_else(|| {
        let message = format!(
            "User: {} is not authorized to perform: SNS:{action} on resource: {arn} because no resource-based policy \
             allows the SNS:{action} action",
            caller.arn(),
        );
        ApiError::new(403, "AuthorizationError", &message)
    })
}

/// The Region and the account of a topic's ARN.
pub(crate) fn region_and_account(arn: &str) -> Result<(&str, &str), ApiError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, _] => Ok((region, account)),
        // The ARN of a subscription, mostly.
        ["arn", _, "sns", _, _, _, ..] => Err(invalid("Topic Name")),
        [_, _, _, _, _, _, ..] => Err(invalid("TopicArn")),
        few => Err(invalid(&format!("TopicArn Reason: An ARN must have at least 6 elements, not {}", few.len()))),
    }
}

/// Takes a map: `Name.entry.N.key` and `.value`.
fn map(params: &mut Params, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let mut map = BTreeMap::new();
    for mut entry in params.subtree(name).structures("entry") {
        let key = entry.take("key").ok_or_else(|| ApiError::null(name))?;
        map.insert(key, entry.take("value").unwrap_or_default());
        entry.finish()?;
    }
    Ok(map)
}

/// `true` or `false`, as an attribute has it.
fn boolean(name: &str, value: &str) -> Result<bool, ApiError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(invalid(&format!("Attributes Reason: {name}: Invalid value [{other}]. Must be true or false."))),
    }
}

/// One page of a listing, and the element with the token of the next.
fn page<T>(world: &World, token: Option<String>, mut items: Vec<T>) -> Result<(Vec<T>, Option<Element>), ApiError> {
    let from = match token {
        None => 0,
        Some(token) => {
            let from = token.strip_prefix("page-").and_then(|from| from.parse().ok());
            from.ok_or_else(|| invalid("NextToken"))?
        }
    };
    let to = PAGE.min(world.settings.page).saturating_add(from);
    let next = (items.len() > to).then(|| text("NextToken", format!("page-{to}")));
    items.truncate(to);
    items.drain(..from.min(items.len()));
    Ok((items, next))
}
