//! Topics: made, listed, opened to other accounts, and deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fields, Fifo, Permission, Topic, boolean, invalid, map, page, region_and_account, topic, topic_arn};
use crate::answers::members;
use crate::error::ApiError;
use crate::query::Params;
use crate::service::Caller;
use crate::world::World;
use crate::xml::text;

/// The longest name, with its suffix.
const LONGEST_NAME: usize = 256;

pub(super) fn create(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let name = params.take("Name").ok_or_else(|| ApiError::null("name"))?;
    let attributes = map(params, "Attributes")?;
    let tags = tags(params)?;
    params.finish()?;
    let made = Topic { tags, ..draft(&attributes)? };
    check_name(&name, made.fifo.is_some())?;
    let arn = format!("arn:aws:sns:{}:{}:{name}", caller.region, caller.account);
    if let Some(topic) = world.sns.topics.get(&arn) {
        if !made.tags.is_empty() && made.tags != topic.tags {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
        // What is not named may be as it is.
        let differs = attributes.keys().any(|attribute| match attribute.as_str() {
            "DisplayName" => made.display_name != topic.display_name,
            "ContentBasedDeduplication" => content_based(&made) != content_based(topic),
            _ => made.fifo.is_some() != topic.fifo.is_some(),
        });
        if differs {
            return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
        }
    } else {
        world.sns.topics.insert(arn.clone(), made);
    }
    Ok(vec![text("TopicArn", arn)])
}

pub(super) fn content_based(topic: &Topic) -> bool {
    topic.fifo.as_ref().is_some_and(|fifo| fifo.content_based)
}

/// The topic that the attributes ask for.
fn draft(attributes: &BTreeMap<String, String>) -> Result<Topic, ApiError> {
    let mut topic = Topic::default();
    let (mut fifo, mut content_based) = (false, false);
    for (name, value) in attributes {
        match name.as_str() {
            "FifoTopic" => fifo = boolean(name, value)?,
            "ContentBasedDeduplication" => content_based = boolean(name, value)?,
            "DisplayName" => topic.display_name.clone_from(value),
            other => return Err(invalid(&format!("Attributes Reason: {other} is not simulated here"))),
        }
    }
    if content_based && !fifo {
        let problem = "Attributes Reason: Content-based deduplication can only be set for FIFO topics";
        return Err(invalid(problem));
    }
    topic.fifo = fifo.then(|| Fifo::new(content_based));
    Ok(topic)
}

fn check_name(name: &str, fifo: bool) -> Result<(), ApiError> {
    let stem = if fifo { name.strip_suffix(".fifo").unwrap_or_default() } else { name };
    let right = !stem.is_empty()
        && name.len() <= LONGEST_NAME
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match (right, fifo) {
        (true, _) => Ok(()),
        (false, false) => Err(invalid("Topic Name")),
        (false, true) => Err(invalid(
            "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, \
             numbers, underscores, and hyphens, and must be between 1 and 256 characters long.",
        )),
    }
}

/// Takes `Tags.member.N`.
fn tags(params: &mut Params) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for mut tag in params.subtree("Tags").structures("member") {
        let key = tag.take("Key").ok_or_else(|| ApiError::null("tags"))?;
        let value = tag.take("Value").ok_or_else(|| ApiError::null("tags"))?;
        tag.finish()?;
        if tags.insert(key, value).is_some() {
            return Err(invalid("Duplicated keys are not allowed."));
        }
    }
    Ok(tags)
}

/// A topic that is not there is deleted already.
pub(super) fn delete(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    params.finish()?;
    match topic(world, caller, &arn, "DeleteTopic") {
        Err(error) if error.code != "NotFound" => return Err(error),
        Ok(_) | Err(_) => world.sns.topics.remove(&arn),
    };
    Ok(Vec::new())
}

pub(super) fn add_permission(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    let label = params.take("Label").ok_or_else(|| ApiError::null("label"))?;
    let accounts: BTreeSet<_> = params.subtree("AWSAccountId").list("member").into_iter().collect();
    let actions = params.subtree("ActionName").list("member").into_iter().collect();
    params.finish()?;
    if accounts.is_empty() || accounts.iter().any(|id| id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit())) {
        return Err(invalid("AWSAccountId"));
    }
    let topic = topic(world, caller, &arn, "AddPermission")?;
    if topic.permissions.contains_key(&label) {
        return Err(invalid("Statement already exists"));
    }
    topic.permissions.insert(label, Permission { accounts, actions });
    Ok(Vec::new())
}

/// The caller's topics in the Region that it asks.
pub(super) fn list(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let token = params.take("NextToken");
    params.finish()?;
    let here = (caller.region.as_str(), caller.account.as_str());
    let own = world.sns.topics.keys().filter(|arn| region_and_account(arn).is_ok_and(|of| of == here));
    let (found, next) = page(world, token, own.collect())?;
    let mut fields = vec![members("Topics", found.into_iter().map(|arn| vec![text("TopicArn", arn)]))];
    fields.extend(next);
    Ok(fields)
}
