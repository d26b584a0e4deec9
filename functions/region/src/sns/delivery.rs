//! What a subscriber gets: the form that a message has in each protocol.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::message::Message;
use super::publish::Published;
use super::{Attribute, Subscription};
use crate::state::form;

/// Over what a message is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Mail.
    Email,
    /// A queue.
    Sqs,
    /// A function.
    Lambda,
    /// A POST request.
    Https,
}

impl Protocol {
    /// Reads SNS's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Email, Self::Sqs, Self::Lambda, Self::Https].into_iter().find(|protocol| protocol.as_str() == word)
    }

    /// SNS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
            Self::Https => "https",
        }
    }
}

/// A message that was brought to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// When.
    #[serde(with = "form::moment")]
    pub at: OffsetDateTime,
    /// The message's id.
    pub message_id: String,
    /// The topic's ARN.
    pub topic: String,
    /// Over what.
    pub protocol: Protocol,
    /// To whom: an address, a URL, or an ARN.
    pub endpoint: String,
    /// The message's subject.
    pub subject: Option<String>,
    /// What the subscriber got, in the form of its protocol.
    pub message: String,
    /// The message's attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// The group in whose order it came, from a FIFO topic.
    pub group: Option<String>,
}

impl Delivery {
    pub(super) fn new(topic: &str, subscription: &Subscription, message: &Message, published: &Published) -> Self {
        let Subscription { arn, protocol, endpoint, raw, .. } = subscription;
        let text = message.text_for(*protocol);
        let form = match protocol {
            Protocol::Email => text.to_owned(),
            Protocol::Sqs | Protocol::Https if *raw => text.to_owned(),
            Protocol::Sqs | Protocol::Https => envelope(topic, arn, text, message, published).to_string(),
            Protocol::Lambda => event(topic, arn, text, message, published).to_string(),
        };
        Self {
            at: published.at,
            message_id: published.message_id.clone(),
            topic: topic.to_owned(),
            protocol: *protocol,
            endpoint: endpoint.clone(),
            subject: message.subject.clone(),
            message: form,
            attributes: message.attributes.clone(),
            group: message.group.clone(),
        }
    }
}

/// The JSON in which queues and web servers get a message. What a message has not, its envelope has not either.
fn envelope(topic: &str, subscription: &str, text: &str, message: &Message, published: &Published) -> Value {
    let mut fields = common(topic, text, published);
    if let Some(subject) = &message.subject {
        fields.insert("Subject".to_owned(), json!(subject));
    }
    if !message.attributes.is_empty() {
        fields.insert("MessageAttributes".to_owned(), attributes(message));
    }
    fields.insert("UnsubscribeURL".to_owned(), json!(unsubscribe(topic, subscription)));
    if let Some(number) = published.sequence {
        // FIFO topics number their messages, and do not sign them.
        fields.insert("SequenceNumber".to_owned(), json!(number.to_string()));
    } else {
        fields.insert("SigningCertURL".to_owned(), json!(certificate(topic)));
        sign(&mut fields);
    }
    Value::Object(fields)
}

/// The event with which a function is called: other spellings, and a subject and attributes in any case.
fn event(topic: &str, subscription: &str, text: &str, message: &Message, published: &Published) -> Value {
    let mut fields = common(topic, text, published);
    fields.insert("Subject".to_owned(), json!(message.subject));
    fields.insert("MessageAttributes".to_owned(), attributes(message));
    fields.insert("UnsubscribeUrl".to_owned(), json!(unsubscribe(topic, subscription)));
    fields.insert("SigningCertUrl".to_owned(), json!(certificate(topic)));
    sign(&mut fields);
    json!({
        "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": fields,
        }]
    })
}

fn common(topic: &str, text: &str, published: &Published) -> Map<String, Value> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let mut fields = Map::new();
    fields.insert("Type".to_owned(), json!("Notification"));
    fields.insert("MessageId".to_owned(), json!(published.message_id));
    fields.insert("TopicArn".to_owned(), json!(topic));
    fields.insert("Message".to_owned(), json!(text));
    fields.insert("Timestamp".to_owned(), json!(published.at.format(&format).unwrap_or_default()));
    fields
}

/// Nobody can check a signature of this Region's, which has no key.
fn sign(fields: &mut Map<String, Value>) {
    fields.insert("SignatureVersion".to_owned(), json!("1"));
    fields.insert("Signature".to_owned(), json!("U0lNVUxBVEVE"));
}

fn attributes(message: &Message) -> Value {
    let attributes = message.attributes.iter();
    attributes
        .map(|(name, Attribute { data_type, value })| (name.clone(), json!({"Type": data_type, "Value": value})))
        .collect::<Map<_, _>>()
        .into()
}

fn host(topic: &str) -> String {
    format!("https://sns.{}.amazonaws.com", topic.split(':').nth(3).unwrap_or_default())
}

fn certificate(topic: &str) -> String {
    format!("{}/SimpleNotificationService-simulated.pem", host(topic))
}

fn unsubscribe(topic: &str, subscription: &str) -> String {
    format!("{}/?Action=Unsubscribe&SubscriptionArn={subscription}", host(topic))
}
