//! What SNS takes: a subject, a message of two forms, and attributes by which a subscription filters.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::document::{Document, SCHEMA_VERSION};

/// SNS's limit for a message with its attributes, in bytes.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub const LARGEST_MESSAGE: usize = 256 * 1024;

/// The longest `MessageDeduplicationId`, in characters.
const LONGEST_DEDUPLICATION_ID: usize = 128;

/// The type that every attribute has.
const STRING: &str = "String";

/// A message as it is published, with `MessageStructure` `json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The notice's id. An ordered topic drops a second message with the same one.
    pub id: String,
    /// At most 100 ASCII characters.
    pub subject: String,
    /// A JSON object: the document, as a string, under `default`, and the same said to a person under `email`.
    pub body: String,
    /// The attributes, all of the type `String`.
    pub attributes: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Body<'b> {
    default: &'b str,
    email: &'b str,
}

impl Message {
    /// Puts a message together. Where it would be too large, the document's lists are cut; all else in it is short.
    pub(super) fn new(subject: String, mut document: Document<'_>, email: &str) -> Self {
        let mut message = Self { id: document.id.clone(), subject, body: String::new(), attributes: of(&document) };
        let mut most = usize::MAX;
        loop {
            message.body = json(&Body { default: &json(&document), email });
            if message.size() <= LARGEST_MESSAGE || most == 0 {
                return message;
            }
            // Of a list that is too long a half of what would fit is as good as three quarters: its count is what
            // matters then.
            most = most.min(16 * 1024) / 2;
            document.shorten(most);
        }
    }

    /// What an ordered topic keeps in order: the notices about one connection, or about one service's domain.
    pub fn group(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// By what an ordered topic knows a second copy: the id, or a digest of one that is too long or has other
    /// characters than SNS takes.
    pub fn deduplication_id(&self) -> String {
        if self.id.len() <= LONGEST_DEDUPLICATION_ID && self.id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return self.id.clone();
        }
        Sha256::digest(&self.id).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How much of [`LARGEST_MESSAGE`] it takes. The subject is counted too, to be on the safe side.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + STRING.len() + value.len());
        self.subject.len() + self.body.len() + attributes.sum::<usize>()
    }
}

/// What has only strings and lists in it can always be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn of(document: &Document<'_>) -> Vec<(&'static str, String)> {
    let mut attributes =
        vec![("type", document.kind.word().to_owned()), ("serviceId", document.service.id.to_string())];
    if let Some(endpoint) = &document.endpoint {
        attributes.push(("endpointId", endpoint.id.to_string()));
        attributes.push(("consumerAccount", endpoint.account.to_string()));
    }
    // SNS takes no attribute without a value.
    if !document.service.region.is_empty() {
        attributes.push(("region", document.service.region.to_owned()));
    }
    attributes.push(("schemaVersion", SCHEMA_VERSION.to_owned()));
    attributes
}
