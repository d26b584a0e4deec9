//! SNS topics, each in its own Region.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_sns::Client;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use privatelink_core::config::AwsConfig;
use privatelink_core::ids::TopicArn;
use privatelink_core::notice::Message;
use tokio::time::Instant;

use crate::client;
use crate::deadline::until;
use crate::error::CallError;

/// What a message's `MessageStructure` says when its body has a form for each kind of subscriber.
pub(crate) const STRUCTURE: &str = "json";

/// The most messages of one batch.
pub(crate) const BATCH: usize = 10;

/// The way to all topics.
#[derive(Debug)]
pub struct Topics {
    config: AwsConfig,
    http: SharedHttpClient,
    clients: Mutex<HashMap<String, Client>>,
}

impl Topics {
    /// A way to all topics, with the configuration's keys.
    pub fn new(config: &AwsConfig, http: &SharedHttpClient) -> Self {
        Self { config: config.clone(), http: http.clone(), clients: Mutex::default() }
    }

    /// A client in a topic's Region.
    pub(crate) fn client(&self, topic: &TopicArn) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || client::sns(&self.config, topic.region(), self.http.clone());
        clients.entry(topic.region().to_owned()).or_insert_with(new).clone()
    }

    /// Publishes one message.
    ///
    /// # Errors
    ///
    /// The last error.
    pub async fn publish(&self, topic: &TopicArn, message: &Message, by: Instant) -> Result<(), CallError> {
        let client = self.client(topic);
        let Message { id: _, subject, body, attributes } = message;
        let attributes = attribute_values(attributes)?;
        let call = || async {
            let mut call = client.publish().topic_arn(topic.as_str()).subject(subject).message(body);
            call = call.message_structure(STRUCTURE).set_message_attributes(Some(attributes.clone()));
            if topic.is_fifo() {
                call = call.message_group_id(message.group()).message_deduplication_id(message.deduplication_id());
            }
            call.send().await.map(drop).map_err(CallError::from)
        };
        until(by, call).await
    }

    /// Publishes some messages with one call, and says of each what became of it. At most [`BATCH`], and together at
    /// most [`LARGEST_MESSAGE`](privatelink_core::notice::LARGEST_MESSAGE) bytes.
    ///
    /// # Errors
    ///
    /// The call's error. Those of single messages are its answer.
    pub(crate) async fn publish_batch(
        &self,
        topic: &TopicArn,
        messages: &[&Message],
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let entries = messages.iter().enumerate().map(|(n, message)| entry(topic, n, message));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let call = self.client(topic).publish_batch().topic_arn(topic.as_str());
        let answer = call.set_publish_batch_request_entries(Some(entries)).send().await?;
        let of_message = |n: usize| {
            let id = n.to_string();
            if let Some(failed) = answer.failed().iter().find(|failed| failed.id == id) {
                let message = failed.message().unwrap_or_default();
                return Err(CallError::of_entry(&failed.code, message, failed.sender_fault));
            }
            // HTTP 200 is not success, nor is silence about a message.
            let published = answer.successful().iter().any(|entry| entry.id() == Some(id.as_str()));
            if published { Ok(()) } else { Err(CallError::unreadable("the answer leaves out an entry")) }
        };
        Ok((0..messages.len()).map(of_message).collect())
    }
}

/// One entry of a batch, known by its place in it.
fn entry(topic: &TopicArn, n: usize, message: &Message) -> Result<PublishBatchRequestEntry, CallError> {
    let Message { id: _, subject, body, attributes } = message;
    let mut entry = PublishBatchRequestEntry::builder().id(n.to_string()).subject(subject).message(body);
    entry = entry.message_structure(STRUCTURE).set_message_attributes(Some(attribute_values(attributes)?));
    if topic.is_fifo() {
        entry = entry.message_group_id(message.group()).message_deduplication_id(message.deduplication_id());
    }
    entry.build().map_err(|error| CallError::unreadable(&error.to_string()))
}

impl Topics {
    /// Whether a topic is there, for whoever may ask.
    ///
    /// # Errors
    ///
    /// The last error.
    pub async fn look(&self, topic: &TopicArn, by: Instant) -> Result<(), CallError> {
        let client = self.client(topic);
        let call = || async {
            client.get_topic_attributes().topic_arn(topic.as_str()).send().await.map(drop).map_err(CallError::from)
        };
        until(by, call).await
    }
}

/// Attributes in the SDK's words.
pub(crate) fn attribute_values(
    attributes: &[(&'static str, String)],
) -> Result<HashMap<String, MessageAttributeValue>, CallError> {
    let value = |(name, value): &(&'static str, String)| {
        let built = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        built.map(|built| ((*name).to_owned(), built)).map_err(|error| CallError::unreadable(&error.to_string()))
    };
    attributes.iter().map(value).collect()
}
