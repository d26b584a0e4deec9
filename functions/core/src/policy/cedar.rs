//! The `*.cedar` files: taken apart policy by policy, so that every fault has its file and its line, then validated
//! strictly against the schema.

use std::collections::BTreeMap;

use cedar_policy::{Effect, Policy as CedarPolicy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

use super::entities::Names;
use super::nearest::Clauses;
use super::{Consumers, Fault, Sources};

/// The schema in Cedar's other form: it is read in a seventh of the time, and to read it was more than half of loading
/// a policy.
const SCHEMA_JSON: &str = include_str!("privatelink.cedarschema.json");

/// All policies of a folder, by the ids that their authors gave them.
#[derive(Debug)]
pub(super) struct CedarPolicies {
    pub(super) set: PolicySet,
    pub(super) clauses: Clauses,
    places: BTreeMap<String, Place>,
    warnings: Vec<Fault>,
}

/// Where a policy stands.
#[derive(Debug, Clone)]
struct Place {
    file: String,
    line: usize,
    text: String,
}

impl Place {
    fn of(statement: &Statement<'_>, file: &str) -> Self {
        Self { file: file.to_owned(), line: statement.line, text: statement.text.to_owned() }
    }

    /// The line of a place inside the policy's text.
    fn line_at(&self, offset: usize) -> usize {
        self.line + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn fault(&self, error: &(impl Diagnostic + ?Sized)) -> Fault {
        let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let mut what = lower(error.to_string());
        if let Some(help) = error.help() {
            what = format!("{what} ({help})");
        }
        Fault::new(&self.file, Some(self.line_at(offset)), what)
    }
}

impl CedarPolicies {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn read(sources: &Sources, faults: &mut Vec<Fault>) -> Self {
        let mut this =
            Self { set: PolicySet::new(), clauses: Clauses::default(), places: BTreeMap::new(), warnings: Vec::new() };
        let before = faults.len();
        if sources.cedar().next().is_none() {
            faults.push(Fault::new("*.cedar", None, "the folder holds no policy; without one nothing can be decided"));
        }
        for (file, bytes) in sources.cedar() {
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    for statement in statements(text) {
                        this.add(Place::of(&statement, file), faults);
                    }
                }
                Err(error) => faults.push(Fault::new(file, None, format!("not UTF-8: {error}"))),
            }
        }
        if this.places.is_empty() && faults.len() == before {
            faults.push(Fault::new("*.cedar", None, "the files hold no policy; without one nothing can be decided"));
        }
        this.validate(faults);
        match Clauses::of(this.set.policies()) {
            Ok(clauses) => this.clauses = clauses,
            Err(error) => faults.push(Fault::new("*.cedar", None, error)),
        }
        this
    }

    fn add(&mut self, place: Place, faults: &mut Vec<Fault>) {
        let policy = match CedarPolicy::parse(None, &place.text) {
            Ok(policy) => policy,
            Err(errors) => return faults.extend(errors.iter().map(|error| place.fault(error))),
        };
        let mut fault = |what: String| faults.push(Fault::new(&place.file, Some(place.line), what));
        let Some(id) = policy.annotation("id").map(ToOwned::to_owned) else {
            return fault("a policy without a name; put `@id(\"…\")` before it".to_owned());
        };
        // These are the characters that every AWS tag takes: the id is written into one.
        let tag = |c: char| c.is_ascii_alphanumeric() || "+-=._:/@".contains(c);
        if id.is_empty() || !id.chars().all(tag) {
            return fault(format!(
                "the id `{id}` is empty or holds a character other than letters, digits and `+-=._:/@`"
            ));
        }
        if let Some(first) = self.places.get(&id) {
            return fault(format!("the id `{id}` is that of the policy at {}:{} already", first.file, first.line));
        }
        match self.set.add(policy.new_id(PolicyId::new(&id))) {
            Ok(()) => {
                self.places.insert(id, place);
            }
            Err(error) => fault(error.to_string()),
        }
    }

    fn validate(&mut self, faults: &mut Vec<Fault>) {
        let schema = match Schema::from_json_str(SCHEMA_JSON) {
            Ok(schema) => schema,
            Err(error) => return faults.push(Fault::new("privatelink.cedarschema", None, error.to_string())),
        };
        let result = Validator::new(schema).validate(&self.set, ValidationMode::Strict);
        let placed = |id: &PolicyId, error: &dyn Diagnostic| match self.places.get::<str>(id.as_ref()) {
            Some(place) => place.fault(error),
            None => Fault::new("*.cedar", None, error.to_string()),
        };
        faults.extend(result.validation_errors().map(|error| placed(error.policy_id(), error)));
        let warnings = result.validation_warnings().map(|warning| placed(warning.policy_id(), warning));
        self.warnings = warnings.collect();
    }

    /// Cedar's own warnings, and the groups, consumers and accounts that a policy names and no consumer has.
    pub(super) fn warnings(&self, consumers: &Consumers) -> Vec<String> {
        let names = Names::new();
        let mut warnings: Vec<String> = self.warnings.iter().map(ToString::to_string).collect();
        for policy in self.set.policies() {
            let Some(place) = self.places.get::<str>(policy.id().as_ref()) else { continue };
            for uid in policy.entity_literals() {
                let id = uid.id().unescaped();
                let missing = if uid == names.group(id) && !consumers.iter().any(|c| c.groups.iter().any(|g| g == id)) {
                    "no consumer is in the group"
                } else if uid == names.consumer(id) && !consumers.iter().any(|c| c.name == id) {
                    "`consumers.toml` does not list the consumer"
                } else {
                    continue;
                };
                let offset = place.text.find(&format!("\"{id}\"")).unwrap_or(0);
                let warning = format!("policy `{}`: {missing} `{id}`", policy.id());
                warnings.push(Fault::new(&place.file, Some(place.line_at(offset)), warning).to_string());
            }
        }
        warnings
    }
}

/// Whether a policy permits.
pub(super) fn permits(policy: &CedarPolicy) -> bool {
    policy.effect() == Effect::Permit
}

/// A few of Cedar's sentences begin with a capital letter, as no other fault does.
fn lower(mut sentence: String) -> String {
    // Of a word that is all capitals, the first stays as well.
    let all_capitals = sentence.chars().nth(1).is_some_and(char::is_uppercase);
    if let Some(first) = sentence.get_mut(..1).filter(|_| !all_capitals) {
        first.make_ascii_lowercase();
    }
    sentence
}

/// One policy's text with the line where it begins.
struct Statement<'t> {
    line: usize,
    text: &'t str,
}

/// Takes a file apart at the semicolons that end its policies: those outside strings and comments.
fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    let mut push = |from: usize, to: usize| {
        let line = text.bytes().take(from).filter(|byte| *byte == b'\n').count() + 1;
        found.push(Statement { line, text: text.get(from..to).unwrap_or_default() });
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            c if c.is_whitespace() => {}
            ';' => push(start.take().unwrap_or(at), at + 1),
            '"' => {
                start.get_or_insert(at);
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    if let Some(from) = start {
        push(from, text.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use cedar_policy::SchemaFragment;
    use serde_json::Value;

    use super::*;
    use crate::policy::SCHEMA;

    #[test]
    fn both_forms_of_the_schema_say_the_same() {
        let (fragment, warnings) = SchemaFragment::from_cedarschema_str(SCHEMA).unwrap();
        assert_eq!(warnings.count(), 0);
        let written: Value = serde_json::from_str(SCHEMA_JSON).unwrap();
        let wanted = fragment.to_json_value().unwrap();
        assert_eq!(written, wanted, "privatelink.cedarschema.json is to be\n{wanted:#}");
    }

    fn split(text: &str) -> Vec<(usize, &str)> {
        statements(text).into_iter().map(|statement| (statement.line, statement.text)).collect()
    }

    #[test]
    fn a_file_is_taken_apart_at_the_ends_of_its_policies() {
        let text = "// one; two\n@id(\"a;\\\"b\")\npermit(p);\n\n  forbid(q) // ; \n;x";
        assert_eq!(split(text), [(2, "@id(\"a;\\\"b\")\npermit(p);"), (5, "forbid(q) // ; \n;"), (6, "x")]);
        assert_eq!(split("  // nothing\n"), []);
        assert_eq!(split("\"never ends;"), [(1, "\"never ends;")]);
        assert_eq!(split("a / b;"), [(1, "a / b;")]);
    }
}
