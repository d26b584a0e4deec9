//! Publishing: one message, a batch, and the order of FIFO topics.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::message::{Draft, MOST_BYTES, Message};
use super::{Delivery, Fields, invalid, no_topic, topic, topic_arn};
use crate::answers::members;
use crate::error::ApiError;
use crate::happening::What;
use crate::query::Params;
use crate::service::Caller;
use crate::state::form;
use crate::world::World;
use crate::xml::{Element, text};

/// The most messages of a batch.
const BATCH: usize = 10;

/// For how long a FIFO topic knows a message again.
const DEDUPLICATION: Duration = Duration::minutes(5);

/// The number of a FIFO topic's first message, and how far the next one is from it.
const FIRST_NUMBER: u64 = 10_000_000_000_000_000_000;
const NUMBER_STEP: u64 = 1_000;

/// What a FIFO topic remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fifo {
    /// Whether messages without an id of their own are told apart by their text.
    pub content_based: bool,
    #[serde(with = "form::pairs")]
    known: BTreeMap<Key, Published>,
    #[serde(deserialize_with = "form::count")]
    count: u64,
}

/// What a FIFO topic knows a message again by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Key {
    Id(String),
    /// AWS takes a hash of it.
    Content(String),
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Published {
    #[serde(with = "form::moment")]
    pub(super) at: OffsetDateTime,
    pub(super) message_id: String,
    pub(super) sequence: Option<u64>,
}

impl Published {
    fn fields(&self) -> Vec<Element> {
        let mut fields = vec![text("MessageId", &self.message_id)];
        fields.extend(self.sequence.map(|number| text("SequenceNumber", number)));
        fields
    }
}

impl Fifo {
    /// Nothing was published yet.
    pub fn new(content_based: bool) -> Self {
        Self { content_based, ..Self::default() }
    }

    /// Numbers a message, or gives what became of it when it came before.
    fn admit(&mut self, message: &Message, published: Published) -> Result<(Published, bool), ApiError> {
        if message.group.is_none() {
            return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
        }
        let key = match &message.deduplication {
            Some(id) => Key::Id(id.clone()),
            None if self.content_based => Key::Content(message.body.clone()),
            None => {
                return Err(invalid(
                    "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                     provided explicitly",
                ));
            }
        };
        self.known.retain(|_, known| published.at - known.at < DEDUPLICATION);
        if let Some(known) = self.known.get(&key) {
            return Ok((known.clone(), true));
        }
        let number = FIRST_NUMBER.saturating_add(self.count.saturating_mul(NUMBER_STEP));
        self.count += 1;
        let published = Published { sequence: Some(number), ..published };
        self.known.insert(key, published.clone());
        Ok((published, false))
    }
}

pub(super) fn one(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let (topic_arn, target) = (params.take("TopicArn"), params.take("TargetArn"));
    let draft = Draft::take(params)?;
    params.finish()?;
    let arn =
        topic_arn.or(target).ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value for required parameter"))?;
    topic(world, caller, &arn, "Publish")?;
    Ok(publish(world, &arn, draft)?.fields())
}

/// Each message succeeds or fails alone, as long as the batch itself is one.
pub(super) fn batch(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    let mut entries = Vec::new();
    for mut entry in params.subtree("PublishBatchRequestEntries").structures("member") {
        let id = entry.take("Id").ok_or_else(|| ApiError::null("publishBatchRequestEntries"))?;
        entries.push((id, Draft::take(&mut entry)?));
        entry.finish()?;
    }
    params.finish()?;
    check_batch(&entries)?;
    topic(world, caller, &arn, "Publish")?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (place, (id, draft)) in entries.into_iter().enumerate() {
        let result = match world.refused_item(place) {
            Some(error) => Err(error),
            None => publish(world, &arn, draft),
        };
        let mut fields = vec![text("Id", id)];
        match result {
            Ok(published) => {
                fields.extend(published.fields());
                successful.push(fields);
            }
            Err(ApiError { code, message, .. }) => {
                let fault = !matches!(code.as_str(), "InternalError" | "InternalFailure" | "Throttled");
                fields.extend([text("Code", code), text("Message", message), text("SenderFault", fault)]);
                failed.push(fields);
            }
        }
    }
    Ok(vec![members("Successful", successful), members("Failed", failed)])
}

fn check_batch(entries: &[(String, Draft)]) -> Result<(), ApiError> {
    let refuse = |code, message| Err(ApiError::new(400, code, message));
    if entries.is_empty() {
        return refuse("EmptyBatchRequest", "The batch request doesn't contain any entries.");
    }
    if entries.len() > BATCH {
        let message = "The batch request contains more entries than permissible.";
        return refuse("TooManyEntriesInBatchRequest", message);
    }
    let is_id = |id: &str| {
        (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if !entries.iter().all(|(id, _)| is_id(id)) {
        let message = "The Id of a batch entry in a batch request doesn't abide by the specification.";
        return refuse("InvalidBatchEntryId", message);
    }
    if entries.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len() < entries.len() {
        let message = "Two or more batch entries in the request have the same Id.";
        return refuse("BatchEntryIdsNotDistinct", message);
    }
    if entries.iter().map(|(_, draft)| draft.bytes()).sum::<usize>() > MOST_BYTES {
        let message = "The length of all the batch messages put together is more than the limit.";
        return refuse("BatchRequestTooLong", message);
    }
    Ok(())
}

/// Publishes to a topic that the caller may publish to: every subscription whose filter lets the message through has
/// it at once.
fn publish(world: &mut World, arn: &str, draft: Draft) -> Result<Published, ApiError> {
    let message = draft.checked()?;
    let published = Published { at: world.now(), message_id: world.uuid(), sequence: None };
    let topic = world.sns.topics.get_mut(arn).ok_or_else(no_topic)?;
    let (published, again) = match &mut topic.fifo {
        Some(fifo) => fifo.admit(&message, published)?,
        None if message.deduplication.is_some() => {
            return Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not \
                 valid for this topic type",
            ));
        }
        None => (published, false),
    };
    if again {
        return Ok(published);
    }
    let subscriptions = topic.subscriptions.iter().filter(|to| to.filter.lets_through(&message));
    let deliveries: Vec<_> = subscriptions.map(|to| Delivery::new(arn, to, &message, &published)).collect();
    for delivery in deliveries {
        let Delivery { topic, protocol, endpoint, subject, message, attributes, .. } = delivery.clone();
        world.tell(delivery.at, What::Delivered { topic, protocol, endpoint, subject, message, attributes });
        world.sns.deliveries.push(delivery);
    }
    Ok(published)
}
