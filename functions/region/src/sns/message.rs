//! A message: read from its parameters, and checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::Scalar;
use super::{Protocol, invalid};
use crate::error::ApiError;
use crate::query::Params;

/// The most bytes of a message with its attributes, and of all messages of a batch.
pub(super) const MOST_BYTES: usize = 256 * 1024;

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 100;

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// `String`, `String.Array`, `Number` or `Binary`.
    pub data_type: String,
    /// The value. A binary one is in Base64.
    pub value: String,
}

impl Attribute {
    /// Bytes, which filters do not see.
    pub(super) fn is_binary(&self) -> bool {
        self.data_type.starts_with("Binary")
    }

    /// The values in it, which filters look at.
    pub(super) fn scalars(&self) -> Vec<Scalar> {
        let kind = self.data_type.as_str();
        if kind == "String.Array" {
            let values = serde_json::from_str::<Vec<Value>>(&self.value).unwrap_or_default();
            return values.iter().filter_map(Scalar::of).collect();
        }
        match kind.split('.').next() {
            Some("String") => vec![Scalar::Text(self.value.clone())],
            Some("Number") => self.value.parse().map(Scalar::number).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn check(&self, name: &str) -> Result<(), ApiError> {
        let Self { data_type, value } = self;
        let kind = data_type.split('.').next().unwrap_or_default();
        let problem = match kind {
            "String" | "Number" | "Binary" if value.is_empty() => format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute \
                 type '{data_type}'."
            ),
            "Number" if !value.parse::<f64>().is_ok_and(f64::is_finite) => {
                format!("Could not cast message attribute '{name}' value to number.")
            }
            "String" | "Number" | "Binary" => return check_attribute_name(name),
            _ => format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                 prefixes is Binary, Number, and String."
            ),
        };
        Err(ApiError::new(400, "ParameterValueInvalid", &problem))
    }
}

fn check_attribute_name(name: &str) -> Result<(), ApiError> {
    let lower = name.to_ascii_lowercase();
    let right = (1..=256).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if right { Ok(()) } else { Err(invalid(&format!("Message attribute name '{name}' is not valid"))) }
}

/// A message as it came in.
#[derive(Debug)]
pub(super) struct Draft {
    subject: Option<String>,
    body: String,
    structure: Option<String>,
    attributes: BTreeMap<String, Attribute>,
    group: Option<String>,
    deduplication: Option<String>,
}

/// A message that can be published.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) subject: Option<String>,
    pub(super) body: String,
    /// The text for each protocol, and that for all others: where the body says so.
    texts: BTreeMap<String, String>,
    pub(super) attributes: BTreeMap<String, Attribute>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
}

impl Draft {
    /// Takes a message's parameters.
    pub(super) fn take(params: &mut Params) -> Result<Self, ApiError> {
        let mut attributes = BTreeMap::new();
        for mut entry in params.subtree("MessageAttributes").structures("entry") {
            let name = entry.take("Name").ok_or_else(|| ApiError::null("messageAttributes"))?;
            let mut value = entry.subtree("Value");
            entry.finish()?;
            let data_type = value.take("DataType").ok_or_else(|| ApiError::null("messageAttributes"))?;
            let (text, binary) = (value.take("StringValue"), value.take("BinaryValue"));
            value.finish()?;
            let given = if data_type.starts_with("Binary") { binary } else { text };
            attributes.insert(name, Attribute { data_type, value: given.unwrap_or_default() });
        }
        Ok(Self {
            body: params.take("Message").ok_or_else(|| ApiError::null("message"))?,
            subject: params.take("Subject"),
            structure: params.take("MessageStructure"),
            attributes,
            group: params.take("MessageGroupId"),
            deduplication: params.take("MessageDeduplicationId"),
        })
    }

    /// What counts for the limit.
    pub(super) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, Attribute { data_type, value })| {
            // A binary value counts as the bytes that it is.
            let value = if data_type.starts_with("Binary") { value.len() / 4 * 3 } else { value.len() };
            name.len() + data_type.len() + value
        });
        self.body.len() + attributes.sum::<usize>()
    }

    /// The message, if nothing is wrong with it.
    pub(super) fn checked(self) -> Result<Message, ApiError> {
        if self.body.is_empty() {
            return Err(invalid("Empty message"));
        }
        if self.bytes() > MOST_BYTES {
            return Err(invalid("Message too long"));
        }
        for (name, attribute) in &self.attributes {
            attribute.check(name)?;
        }
        if self.subject.as_deref().is_some_and(|subject| !is_subject(subject)) {
            return Err(invalid("Subject"));
        }
        let texts = match self.structure.as_deref() {
            None => BTreeMap::new(),
            Some("json") => texts(&self.body)?,
            Some(_) => return Err(invalid("MessageStructure")),
        };
        let Self { subject, body, attributes, group, deduplication, .. } = self;
        Ok(Message { subject, body, texts, attributes, group, deduplication })
    }
}

/// Mail goes under it, so that it is one line of ASCII that begins with something to be seen.
fn is_subject(subject: &str) -> bool {
    subject.len() <= LONGEST_SUBJECT
        && subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && subject.starts_with(|c: char| c.is_ascii_graphic())
}

/// The text for each protocol. What is not a string is passed over, as SNS does.
fn texts(body: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let texts: BTreeMap<String, Value> =
        serde_json::from_str(body).map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_str()?.to_owned())));
    let texts: BTreeMap<_, _> = texts.collect();
    if !texts.contains_key("default") {
        return Err(invalid("Message Structure - No default entry in JSON message body"));
    }
    Ok(texts)
}

impl Message {
    /// The text that the subscribers of a protocol get.
    pub(super) fn text_for(&self, protocol: Protocol) -> &str {
        let own = self.texts.get(protocol.as_str()).or_else(|| self.texts.get("default"));
        own.unwrap_or(&self.body)
    }
}
