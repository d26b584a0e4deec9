//! Filter policies: which messages a subscription gets, by their attributes.
//!
//! Known: exact strings, `prefix`, `anything-but` (strings, or a prefix) and `exists`. What AWS knows beyond that is
//! refused when somebody subscribes, rather than matched wrongly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Attribute, invalid};
use crate::error::ApiError;

/// The most keys of a policy, and the most combinations of its conditions.
const KEYS: usize = 5;
const COMBINATIONS: usize = 150;

/// A filter policy. An empty one lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct FilterPolicy(BTreeMap<String, Vec<Condition>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Equals(String),
    Prefix(String),
    AnythingBut(Vec<String>),
    AnythingButPrefix(String),
    Exists(bool),
}

impl FilterPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with what is wrong in it.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |problem: &str| invalid(&format!("Attributes Reason: FilterPolicy: {problem}"));
        let value: Value =
            serde_json::from_str(text).map_err(|error| refuse(&format!("failed to parse JSON. {error}")))?;
        let Value::Object(keys) = value else { return Err(refuse("Filter is not an object")) };
        if keys.len() > KEYS {
            return Err(refuse("Filter policy can not have more than 5 keys"));
        }
        let mut policy = BTreeMap::new();
        for (key, conditions) in keys {
            let conditions = match conditions {
                Value::Array(conditions) if conditions.is_empty() => {
                    return Err(refuse("Empty arrays are not allowed"));
                }
                Value::Array(conditions) => conditions,
                Value::Object(_) => {
                    let problem = "Filter policy scope MessageAttributes does not support nested filter policy";
                    return Err(invalid(problem));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    return Err(refuse(&format!("\"{key}\" must be an object or an array")));
                }
            };
            let conditions = conditions.iter().map(Condition::parse).collect::<Result<_, _>>();
            policy.insert(key, conditions.map_err(|problem| refuse(&problem))?);
        }
        if policy.values().map(Vec::len).product::<usize>() > COMBINATIONS {
            return Err(refuse("Filter policy is too complex"));
        }
        Ok(Self(policy))
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it lets a message with these attributes through: for every key one condition has to hold.
    pub fn lets_through(&self, attributes: &BTreeMap<String, Attribute>) -> bool {
        self.0.iter().all(|(key, conditions)| {
            let attribute = attributes.get(key);
            conditions.iter().any(|condition| condition.holds(attribute))
        })
    }
}

impl TryFrom<Value> for FilterPolicy {
    type Error = String;

    fn try_from(policy: Value) -> Result<Self, String> {
        Self::parse(&policy.to_string()).map_err(|error| error.message)
    }
}

impl From<FilterPolicy> for Value {
    fn from(FilterPolicy(policy): FilterPolicy) -> Self {
        let conditions = |of: Vec<Condition>| of.into_iter().map(Condition::into_value).collect::<Self>();
        policy.into_iter().map(|(key, of)| (key, conditions(of))).collect()
    }
}

impl Condition {
    fn into_value(self) -> Value {
        match self {
            Self::Equals(text) => json!(text),
            Self::Prefix(prefix) => json!({"prefix": prefix}),
            Self::AnythingBut(texts) => json!({"anything-but": texts}),
            Self::AnythingButPrefix(prefix) => json!({"anything-but": {"prefix": prefix}}),
            Self::Exists(exists) => json!({"exists": exists}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let object = match value {
            Value::String(text) => return Ok(Self::Equals(text.clone())),
            Value::Object(object) => object,
            Value::Array(_) => return Err("Match value must be String, number, true, false, or null".to_owned()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                return Err(format!("the match value {value} is not simulated here"));
            }
        };
        let mut entries = object.iter();
        let (Some((kind, pattern)), None) = (entries.next(), entries.next()) else {
            return Err("Only one key allowed in match expression".to_owned());
        };
        match (kind.as_str(), pattern) {
            ("prefix", Value::String(prefix)) => Ok(Self::Prefix(prefix.clone())),
            ("prefix", _) => Err("prefix match pattern must be a string".to_owned()),
            ("exists", Value::Bool(exists)) => Ok(Self::Exists(*exists)),
            ("exists", _) => Err("exists match pattern must be either true or false.".to_owned()),
            ("anything-but", pattern) => Self::parse_anything_but(pattern),
            ("suffix" | "equals-ignore-case" | "numeric" | "cidr" | "wildcard", _) => {
                Err(format!("the match type {kind} is not simulated here"))
            }
            _ => Err(format!("Unrecognized match type {kind}")),
        }
    }

    fn parse_anything_but(pattern: &Value) -> Result<Self, String> {
        let wrong = || format!("the anything-but pattern {pattern} is not simulated here");
        match pattern {
            Value::String(text) => Ok(Self::AnythingBut(vec![text.clone()])),
            Value::Array(texts) if !texts.is_empty() => {
                let texts = texts.iter().map(|text| text.as_str().map(ToOwned::to_owned)).collect::<Option<_>>();
                texts.map(Self::AnythingBut).ok_or_else(wrong)
            }
            Value::Object(object) if object.len() == 1 => {
                let prefix = object.get("prefix").and_then(Value::as_str).map(ToOwned::to_owned);
                prefix.map(Self::AnythingButPrefix).ok_or_else(wrong)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
        }
    }

    /// An attribute that is not there meets only `exists: false`.
    fn holds(&self, attribute: Option<&Attribute>) -> bool {
        if let Self::Exists(exists) = self {
            return attribute.is_some() == *exists;
        }
        let values = attribute.map(Attribute::strings).unwrap_or_default();
        values.iter().any(|value| match self {
            Self::Equals(text) => value == text,
            Self::Prefix(prefix) => value.starts_with(prefix),
            Self::AnythingBut(texts) => !texts.contains(value),
            Self::AnythingButPrefix(prefix) => !value.starts_with(prefix),
            Self::Exists(_) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets(policy: &str, attributes: &[(&str, &str, &str)]) -> bool {
        let attributes = attributes.iter().map(|(name, data_type, value)| {
            let attribute = Attribute { data_type: (*data_type).to_owned(), value: (*value).to_owned() };
            ((*name).to_owned(), attribute)
        });
        FilterPolicy::parse(policy).unwrap().lets_through(&attributes.collect())
    }

    #[test]
    fn each_key_must_be_met_by_one_of_its_conditions() {
        let policy = r#"{"type": ["Available", "Rejected"], "region": [{"prefix": "eu-"}]}"#;
        assert!(lets(policy, &[("type", "String", "Rejected"), ("region", "String", "eu-west-1")]));
        assert!(!lets(policy, &[("type", "String", "Held"), ("region", "String", "eu-west-1")]));
        assert!(!lets(policy, &[("type", "String", "Rejected"), ("region", "String", "us-west-2")]));
        assert!(!lets(policy, &[("type", "String", "Rejected")]));
        assert!(lets("{}", &[]));
    }

    #[test]
    fn anything_but_needs_an_attribute_that_is_something_else() {
        let policy = r#"{"type": [{"anything-but": ["Held", "Failed"]}]}"#;
        assert!(lets(policy, &[("type", "String", "Available")]));
        assert!(!lets(policy, &[("type", "String", "Failed")]));
        assert!(!lets(policy, &[]));
        assert!(!lets(
            r#"{"type": [{"anything-but": {"prefix": "Domain"}}]}"#,
            &[("type", "String", "DomainVerified")]
        ));
    }

    #[test]
    fn exists_looks_only_whether_the_attribute_is_there() {
        for (policy, there) in [(r#"{"a": [{"exists": true}]}"#, true), (r#"{"a": [{"exists": false}]}"#, false)] {
            assert_eq!(lets(policy, &[("a", "Number", "1")]), there);
            assert_eq!(lets(policy, &[("b", "String", "x")]), !there);
        }
    }

    #[test]
    fn one_member_of_an_array_is_enough_and_a_number_is_no_string() {
        assert!(lets(r#"{"a": ["y"]}"#, &[("a", "String.Array", r#"["x", "y"]"#)]));
        assert!(!lets(r#"{"a": ["z"]}"#, &[("a", "String.Array", r#"["x", "y"]"#)]));
        assert!(!lets(r#"{"a": ["1"]}"#, &[("a", "Number", "1")]));
    }

    #[test]
    fn a_wrong_policy_is_refused_in_sns_words() {
        for (policy, problem) in [
            ("{", "failed to parse JSON"),
            (r#"{"a": "x"}"#, "\"a\" must be an object or an array"),
            (r#"{"a": []}"#, "Empty arrays are not allowed"),
            (r#"{"a": {"b": ["x"]}}"#, "does not support nested filter policy"),
            (r#"{"a": [["x"]]}"#, "Match value must be String, number, true, false, or null"),
            (r#"{"a": [{"like": "x"}]}"#, "Unrecognized match type like"),
            (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
            (r#"{"a": [{"prefix": "x", "exists": true}]}"#, "Only one key allowed in match expression"),
            (r#"{"a": [{"exists": "no"}]}"#, "exists match pattern must be either true or false."),
            (r#"{"a": [{"numeric": ["=", 1]}]}"#, "the match type numeric is not simulated here"),
            (
                r#"{"a": ["x"], "b": ["x"], "c": ["x"], "d": ["x"], "e": ["x"], "f": ["x"]}"#,
                "Filter policy can not have more than 5 keys",
            ),
        ] {
            let error = FilterPolicy::parse(policy).unwrap_err();
            assert_eq!((error.status, error.code.as_str()), (400, "InvalidParameter"));
            assert!(error.message.contains(problem), "{policy}: {}", error.message);
        }
        let many = serde_json::json!({"a": vec!["x"; 13], "b": vec!["x"; 12]}).to_string();
        assert!(FilterPolicy::parse(&many).unwrap_err().message.ends_with("Filter policy is too complex"));
    }
}
