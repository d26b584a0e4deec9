//! Filter policies: which messages a subscription gets, by their attributes or by what is in their text.
//!
//! - `condition`: what a value has to be.
//!
//! What is refused is refused in SNS's words, which are those of the engine that it shares with EventBridge. Not known is
//! what SNS has not: `wildcard`, and `anything-but` of anything else than values and a prefix.

mod condition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use self::condition::Scalar;
use self::condition::{Condition, OPERATORS};
use super::message::Message;
use super::{Attribute, invalid};
use crate::error::ApiError;

/// The most keys of a policy, and the most combinations of its conditions.
const KEYS: usize = 5;
const COMBINATIONS: usize = 150;

/// What a policy looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The message's attributes.
    #[default]
    MessageAttributes,
    /// The message's text, which is JSON then. Any other text is let through by no policy.
    MessageBody,
}

impl Scope {
    /// Reads SNS's word.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`.
    pub fn parse(word: &str) -> Result<Self, ApiError> {
        match word {
            "MessageAttributes" => Ok(Self::MessageAttributes),
            "MessageBody" => Ok(Self::MessageBody),
            other => Err(invalid(&format!(
                "Attributes Reason: FilterPolicyScope: Invalid value [{other}]. Please use either MessageBody or \
                 MessageAttributes"
            ))),
        }
    }
}

/// A filter policy. An empty one lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct FilterPolicy {
    scope: Scope,
    /// Its JSON.
    text: String,
    rules: Vec<Rule>,
}

/// A policy as it is kept. Its JSON is a text there, too: numbers in it are then read as SNS reads them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    scope: Scope,
    policy: String,
}

/// What has to hold, all of one object's at once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// Under a key there is a value for which one of these holds.
    Key(String, Vec<Condition>),
    /// Under a key there is an object for which all of these hold.
    Nested(String, Vec<Rule>),
    /// All of one of these hold.
    Or(Vec<Vec<Rule>>),
}

impl Default for FilterPolicy {
    fn default() -> Self {
        Self { scope: Scope::default(), text: "{}".to_owned(), rules: Vec::new() }
    }
}

impl FilterPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with what is wrong in it.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, ApiError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| refuse(&format!("failed to parse JSON. {error}")))?;
        let policy = value.as_object().ok_or_else(|| refuse("Filter is not an object"))?;
        if policy.len() > KEYS {
            return Err(refuse("Filter policy can not have more than 5 keys"));
        }
        let rules = rules(policy).map_err(|problem| refuse(&problem))?;
        if scope == Scope::MessageAttributes && rules.iter().any(Rule::is_nested) {
            let problem = "Filter policy scope MessageAttributes does not support nested filter policy";
            return Err(invalid(problem));
        }
        if combinations(&rules, 1, 1) > COMBINATIONS {
            return Err(refuse("Filter policy is too complex"));
        }
        Ok(Self { scope, text: value.to_string(), rules })
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether it lets a message through.
    pub(super) fn lets_through(&self, message: &Message) -> bool {
        if self.is_empty() {
            return true;
        }
        match self.scope {
            Scope::MessageAttributes => Self::by_attributes(&self.rules, &message.attributes),
            Scope::MessageBody => match serde_json::from_str(&message.body) {
                Ok(Value::Object(body)) => all_hold(&self.rules, &body),
                Ok(_) | Err(_) => false,
            },
        }
    }

    fn by_attributes(rules: &[Rule], attributes: &BTreeMap<String, Attribute>) -> bool {
        rules.iter().all(|rule| match rule {
            Rule::Key(key, conditions) => {
                let attribute = attributes.get(key).filter(|attribute| !attribute.is_binary());
                let values = attribute.map(Attribute::scalars);
                conditions.iter().any(|condition| condition.holds(values.as_deref()))
            }
            Rule::Nested(..) => false,
            Rule::Or(alternatives) => alternatives.iter().any(|rules| Self::by_attributes(rules, attributes)),
        })
    }
}

impl From<FilterPolicy> for Saved {
    fn from(FilterPolicy { scope, text, rules: _ }: FilterPolicy) -> Self {
        Self { scope, policy: text }
    }
}

impl TryFrom<Saved> for FilterPolicy {
    type Error = String;

    fn try_from(Saved { scope, policy }: Saved) -> Result<Self, String> {
        Self::parse(&policy, scope).map_err(|error| error.message)
    }
}

fn refuse(problem: &str) -> ApiError {
    invalid(&format!("Attributes Reason: FilterPolicy: {problem}"))
}

fn rules(policy: &Map<String, Value>) -> Result<Vec<Rule>, String> {
    policy.iter().map(|(key, value)| Rule::read(key, value)).collect()
}

impl Rule {
    fn read(key: &str, value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(items) if items.is_empty() => Err("Empty arrays are not allowed".to_owned()),
            Value::Array(items) => match alternatives(key, items) {
                Some(alternatives) => Ok(Self::Or(alternatives.into_iter().map(rules).collect::<Result<_, _>>()?)),
                None => {
                    let conditions = items.iter().map(Condition::parse).collect::<Result<_, _>>()?;
                    Ok(Self::Key(key.to_owned(), conditions))
                }
            },
            Value::Object(nested) if nested.is_empty() => Err("Empty objects are not allowed".to_owned()),
            Value::Object(nested) => Ok(Self::Nested(key.to_owned(), rules(nested)?)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(format!("\"{key}\" must be an object or an array"))
            }
        }
    }

    fn is_nested(&self) -> bool {
        match self {
            Self::Key(..) => false,
            Self::Nested(..) => true,
            Self::Or(alternatives) => alternatives.iter().flatten().any(Self::is_nested),
        }
    }
}

/// The alternatives of `$or`. It is the name of an attribute like any other, unless it has two objects at least, and none
/// with a key that is an operator.
fn alternatives<'v>(key: &str, items: &'v [Value]) -> Option<Vec<&'v Map<String, Value>>> {
    let of_keys = |object: &&Map<String, Value>| !object.keys().any(|key| OPERATORS.contains(&key.as_str()));
    let objects: Option<Vec<_>> = items.iter().map(|item| item.as_object().filter(of_keys)).collect();
    objects.filter(|objects| key == "$or" && objects.len() >= 2)
}

/// How many combinations there are: the values of all keys multiplied, each by how deep it lies, and those of
/// alternatives added up.
fn combinations(rules: &[Rule], depth: usize, before: usize) -> usize {
    rules.iter().fold(before, |before, rule| match rule {
        Rule::Key(_, conditions) => before.saturating_mul(conditions.len()).saturating_mul(depth),
        Rule::Nested(_, rules) => combinations(rules, depth + 1, before),
        Rule::Or(alternatives) => {
            let each = alternatives.iter().map(|rules| combinations(rules, depth, before));
            each.fold(0, usize::saturating_add)
        }
    })
}

/// Whether all hold for one object. Of a list of objects, they have to hold for the same one.
fn all_hold(rules: &[Rule], object: &Map<String, Value>) -> bool {
    rules.iter().all(|rule| match rule {
        Rule::Key(key, conditions) => {
            let values = object.get(key).and_then(leaves);
            conditions.iter().any(|condition| condition.holds(values.as_deref()))
        }
        Rule::Nested(key, rules) => match object.get(key) {
            Some(Value::Object(nested)) => all_hold(rules, nested),
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_object).any(|nested| all_hold(rules, nested))
            }
            // What is not there can still be asked to be absent.
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                all_hold(rules, &Map::new())
            }
        },
        Rule::Or(alternatives) => alternatives.iter().any(|rules| all_hold(rules, object)),
    })
}

/// The values under a key. An object is none, so that nothing is there.
fn leaves(value: &Value) -> Option<Vec<Scalar>> {
    if let Value::Array(items) = value {
        return Some(items.iter().filter_map(leaves).flatten().collect());
    }
    Scalar::of(value).map(|scalar| vec![scalar])
}
