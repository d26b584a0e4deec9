//! The rules of the infrastructure, read from its template: which event is handed to which function.

use std::error::Error;

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::simulated::Function;

/// The template that an account is given.
const TEMPLATE: &str = include_str!("../../../infra/provider.yaml");

/// The rules, each with the function that it invokes.
#[derive(Debug)]
pub(crate) struct Rules(Vec<(Function, Fields)>);

/// What is wanted of an object's fields.
type Fields = Vec<(String, Wanted)>;

/// What is wanted of a field.
#[derive(Debug)]
enum Wanted {
    /// An object with these fields.
    Object(Fields),
    /// Any of these.
    Any(Vec<Matcher>),
}

/// What a field may be.
#[derive(Debug)]
enum Matcher {
    /// This, or an array with this in it.
    Is(Value),
    /// It is there, or it is not.
    Exists(bool),
    /// A text that begins otherwise.
    AnythingButPrefix(String),
}

impl Matcher {
    fn takes(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Exists(exists), found) => found.is_some() == *exists,
            (Self::Is(value), Some(Value::Array(found))) => found.contains(value),
            (Self::Is(value), Some(found)) => value == found,
            (Self::AnythingButPrefix(prefix), Some(Value::String(found))) => !found.starts_with(prefix.as_str()),
            (Self::Is(_) | Self::AnythingButPrefix(_), _) => false,
        }
    }
}

impl Rules {
    /// The template's rules, as they stand in an account.
    ///
    /// # Errors
    ///
    /// The template has a pattern with something that is not known here.
    pub(crate) fn of_template(account: &str) -> Result<Self, Box<dyn Error>> {
        let documents = YamlLoader::load_from_str(TEMPLATE)?;
        let resources = documents.first().and_then(|template| template["Resources"].as_hash());
        let mut rules = Vec::new();
        for resource in resources.into_iter().flat_map(|resources| resources.values()) {
            let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str();
            let function = Function::ALL.into_iter().find(|function| binary == Some(function.name()));
            let events = resource["Properties"]["Events"].as_hash();
            let events = events.into_iter().flat_map(|events| events.values());
            for event in events.filter(|event| event["Type"].as_str() == Some("EventBridgeRule")) {
                let function = function.ok_or("a rule of the template invokes a function that is not known")?;
                rules.push((function, fields(&event["Properties"]["Pattern"], account)?));
            }
        }
        if rules.is_empty() { Err("the template has no rules".into()) } else { Ok(Self(rules)) }
    }

    /// The functions that an event is handed to, each once for each of its rules that takes it.
    pub(crate) fn takers(&self, event: &Value) -> impl Iterator<Item = Function> {
        let takes = |(_, wanted): &&(Function, Fields)| event.as_object().is_some_and(|event| have(event, wanted));
        self.0.iter().filter(takes).map(|(function, _)| *function)
    }
}

/// A pattern as the template has it, with the account that its functions of CloudFormation stand for.
fn fields(pattern: &Yaml, account: &str) -> Result<Fields, Box<dyn Error>> {
    let pattern = pattern.as_hash().ok_or("a pattern of the template is no mapping")?;
    let field = |(key, wanted): (&Yaml, &Yaml)| {
        let key = key.as_str().ok_or("a pattern's key is no text")?;
        let unknown = || format!("the pattern's `{key}` is of a kind that is not known here");
        let wanted = match wanted {
            Yaml::Hash(_) => Wanted::Object(fields(wanted, account)?),
            Yaml::Array(values) => {
                let matchers = values.iter().map(|value| matcher(value, account));
                Wanted::Any(matchers.collect::<Option<_>>().ok_or_else(unknown)?)
            }
            Yaml::Real(_)
            | Yaml::Integer(_)
            | Yaml::String(_)
            | Yaml::Boolean(_)
            | Yaml::Alias(_)
            | Yaml::Null
            | Yaml::BadValue => return Err(unknown().into()),
        };
        Ok((key.to_owned(), wanted))
    };
    pattern.iter().map(field).collect()
}

/// What a field may be, if it is of a kind that is known.
fn matcher(value: &Yaml, account: &str) -> Option<Matcher> {
    let Yaml::Hash(operator) = value else {
        let text = value.as_str()?;
        return Some(Matcher::Is(Value::from(if text == "AWS::AccountId" { account } else { text })));
    };
    let (name, value) = operator.iter().next().filter(|_| operator.len() == 1)?;
    match name.as_str()? {
        "exists" => value.as_bool().map(Matcher::Exists),
        "anything-but" => {
            let prefix = value["prefix"].as_str()?;
            // Everything else of the template that it names is called here as it is called there.
            let prefix = prefix.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", account);
            Some(Matcher::AnythingButPrefix(prefix.replace("${", "").replace('}', "")))
        }
        _ => None,
    }
}

/// Whether an object is as it is wanted: fields of which nothing is said may be anything.
fn have(object: &Map<String, Value>, wanted: &Fields) -> bool {
    wanted.iter().all(|(key, wanted)| match (object.get(key), wanted) {
        (Some(Value::Object(found)), Wanted::Object(wanted)) => have(found, wanted),
        (None, Wanted::Object(wanted)) => have(&Map::new(), wanted),
        (Some(_), Wanted::Object(_)) => false,
        (found, Wanted::Any(matchers)) => matchers.iter().any(|matcher| matcher.takes(found)),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::json;

    use super::*;

    const ACCOUNT: &str = "999988887777";

    /// The functions that the template's rules hand the event to that is in that file.
    fn takers(name: &str, change: impl FnOnce(&mut Value)) -> Vec<Function> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
        let mut event = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        change(&mut event);
        Rules::of_template(ACCOUNT).unwrap().takers(&event).collect()
    }

    #[test]
    fn each_event_goes_to_the_functions_of_its_rules() {
        use Function::{AvailabilityNotifier, ConnectionAcceptor, DomainVerifier};
        for (name, expected) in [
            ("connection-notification-prose.json", &[ConnectionAcceptor, AvailabilityNotifier][..]),
            ("cloudtrail-create-service.json", &[DomainVerifier]),
            ("cloudtrail-modify-service.json", &[ConnectionAcceptor, DomainVerifier]),
            ("cloudtrail-modify-permissions.json", &[ConnectionAcceptor]),
            ("cloudtrail-accept.json", &[AvailabilityNotifier]),
            ("cloudtrail-failed-call.json", &[]),
            ("schedule.json", &[]),
            ("direct-everything.json", &[]),
        ] {
            assert_eq!(takers(name, |_| ()), expected, "{name}");
        }
    }

    #[test]
    fn the_acceptor_does_not_hear_of_its_own_rejections() {
        let by =
            |arn: &str| takers("cloudtrail-reject.json", |event| event["detail"]["userIdentity"]["arn"] = arn.into());
        let [own, other] = ["", "x"].map(|more| {
            by(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/ConnectionAcceptorRole{more}/connection-acceptor"))
        });
        assert_eq!(own, [Function::AvailabilityNotifier]);
        assert_eq!(other, [Function::ConnectionAcceptor, Function::AvailabilityNotifier]);
    }

    #[test]
    fn nothing_of_another_account_or_source_is_handed_on() {
        for (field, value) in [("account", json!("111122223333")), ("source", json!("aws.s3")), ("detail", json!(1))] {
            assert_eq!(takers("cloudtrail-accept.json", |event| event[field] = value), [], "{field}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_understood_is_refused() {
        for pattern in ["source: [{prefix: aws}]", "source: [{anything-but: aws}]", "source: [1]", "source: aws", "[a]"]
        {
            let pattern = YamlLoader::load_from_str(pattern).unwrap();
            assert!(fields(&pattern[0], ACCOUNT).is_err(), "{pattern:?}");
        }
    }
}
