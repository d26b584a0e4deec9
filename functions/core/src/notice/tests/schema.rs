//! Holds a value to a JSON Schema. It knows the words that the published form uses, and stops at any other: a word that
//! nobody checks would look like a promise that is kept.

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;

/// What a value lacks to be of that form, each with where it stands.
pub(super) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Check { root: schema, faults: &mut faults }.check(schema, value, "");
    faults
}

struct Check<'c> {
    root: &'c Value,
    faults: &'c mut Vec<String>,
}

impl Check<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        for (word, rule) in schema.as_object().expect("a schema is an object") {
            let wrong = match word.as_str() {
                "$schema" | "$defs" | "title" | "description" => continue,
                "$ref" => {
                    let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    self.check(self.root.pointer(pointer).expect("what is referred to is there"), value, at);
                    continue;
                }
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(rule, value, &format!("{at}/{name}"));
                        }
                    }
                    continue;
                }
                "items" => {
                    for (value, n) in value.as_array().into_iter().flatten().zip(0..) {
                        self.check(rule, value, &format!("{at}/{n}"));
                    }
                    continue;
                }
                "additionalProperties" => {
                    assert_eq!(rule, false, "only that there are none can be checked");
                    let known = schema["properties"].as_object().unwrap();
                    object(value).keys().any(|name| !known.contains_key(name))
                }
                "oneOf" => rule.as_array().unwrap().iter().filter(|rule| self.fits(rule, value)).count() != 1,
                "required" => rule.as_array().unwrap().iter().any(|name| value.get(name.as_str().unwrap()).is_none()),
                "type" => match rule.as_array() {
                    Some(types) => !types.iter().any(|kind| is(value, kind)),
                    None => !is(value, rule),
                },
                "const" => value != rule,
                "minimum" => value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap()),
                "pattern" => value.as_str().is_some_and(|text| !matches(text, rule.as_str().unwrap())),
                "format" => match rule.as_str().unwrap() {
                    "date-time" => {
                        value.as_str().is_some_and(|text| time::OffsetDateTime::parse(text, &Rfc3339).is_err())
                    }
                    "uint" => value.is_number() && !value.is_u64(),
                    "uint32" => value.is_number() && value.as_u64().is_none_or(|number| u32::try_from(number).is_err()),
                    other => panic!("nothing here knows the format `{other}`"),
                },
                other => panic!("nothing here knows the word `{other}`"),
            };
            if wrong {
                self.faults.push(format!("{at}: {value} against {word} {rule}"));
            }
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        Check { root: self.root, faults: &mut faults }.check(schema, value, "");
        faults.is_empty()
    }
}

/// The fields of an object; what is none has none.
fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("nothing here knows the type `{other}`"),
    }
}

/// Patterns of one kind alone: `^prefix[0-9a-f]{1,17}$`.
fn matches(text: &str, pattern: &str) -> bool {
    let whole = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("}$")).expect("a pattern is of all text");
    let (prefix, rest) = whole.split_once('[').unwrap();
    let (class, counts) = rest.split_once("]{").unwrap();
    assert!(prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "`{pattern}` is of another kind");
    let letters: Vec<char> = class.chars().collect();
    let ranges: Vec<_> = letters
        .chunks(3)
        .map(|range| match range {
            [from, '-', to] => *from..=*to,
            other => panic!("`{other:?}` is no range of `{pattern}`"),
        })
        .collect();
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    let Some(rest) = text.strip_prefix(prefix) else { return false };
    (least.parse().unwrap()..=most.parse::<usize>().unwrap()).contains(&rest.chars().count())
        && rest.chars().all(|c| ranges.iter().any(|range| range.contains(&c)))
}

#[test]
fn each_word_finds_what_is_wrong() {
    use serde_json::json;
    for (schema, right, wrong) in [
        (json!({"type": "string"}), json!("a"), json!(1)),
        (json!({"type": ["string", "null"]}), json!(null), json!(1)),
        (json!({"type": "integer", "minimum": 0}), json!(0), json!(-1)),
        (json!({"format": "uint32"}), json!(4_294_967_295_u64), json!(4_294_967_296_u64)),
        (json!({"format": "uint"}), json!(0), json!(0.5)),
        (json!({"format": "date-time"}), json!("2026-01-31T12:00:00Z"), json!("2026-01-31")),
        (json!({"const": "1"}), json!("1"), json!(1)),
        (json!({"oneOf": [{"const": 1}, {"const": 2}]}), json!(2), json!(3)),
        (json!({"oneOf": [{"const": 1}, {"type": "integer"}]}), json!(2), json!(1)),
        (json!({"required": ["a"]}), json!({"a": null}), json!({"b": 1})),
        (json!({"properties": {"a": {"type": "null"}}}), json!({"b": 1}), json!({"a": 1})),
        (json!({"properties": {"a": {}}, "additionalProperties": false}), json!({"a": 1}), json!({"b": 1})),
        (json!({"items": {"type": "string"}}), json!([]), json!(["a", 1])),
        (json!({"$ref": "#/$defs/A", "$defs": {"A": {"const": 1}}}), json!(1), json!(2)),
        (json!({"pattern": "^vpce-[0-9a-f]{1,17}$"}), json!("vpce-0a"), json!("vpce-0g")),
        (
            json!({"pattern": "^vpce-[0-9a-f]{1,17}$"}),
            json!("vpce-01234567890123456"),
            json!("vpce-012345678901234567"),
        ),
        (json!({"pattern": "^[0-9]{12}$"}), json!("111122223333"), json!("11112222333")),
    ] {
        assert_eq!(faults(&schema, &right), [""; 0], "{schema} {right}");
        assert_ne!(faults(&schema, &wrong), [""; 0], "{schema} {wrong}");
    }
}

#[test]
#[should_panic(expected = "nothing here knows the word `maxLength`")]
fn a_word_that_nobody_checks_is_no_promise() {
    faults(&serde_json::json!({"maxLength": 1}), &Value::Null);
}
