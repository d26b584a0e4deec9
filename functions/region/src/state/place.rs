//! Where in a document something is, as a JSON Pointer; and that no key in it stands twice, which serde_json lets pass.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::StateFault;

/// The pointer to something: `/services/vpce-svc-0a/owner`.
pub(super) fn pointer<'s>(steps: impl IntoIterator<Item = &'s str>) -> String {
    steps.into_iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// What serde_json found, and where.
pub(super) fn unreadable(text: &str, error: &serde_json::Error) -> StateFault {
    if error.is_syntax() || error.is_eof() {
        return StateFault::of(format!("this is no JSON: {error}"));
    }
    let place = place(text, error.line(), error.column());
    if place.is_empty() {
        return StateFault::of(format!("this is no state of a Region: {error}"));
    }
    StateFault::of(format!("`{place}`: {error}"))
}

/// A value that is being read.
enum Open {
    /// An object, at a key or behind it, or where the next key is to come.
    Object { key: Option<String>, next: bool },
    /// An array, at its item of that number.
    Array(usize),
}

/// The pointer to the last value that begins before a place in a JSON text, or to what is around it.
fn place(text: &str, line: usize, column: usize) -> String {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let end = lines.map(str::len).sum::<usize>() + column;
    let bytes = text.as_bytes();
    let mut rest = bytes.get(..end).unwrap_or(bytes);
    let mut open = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, open.last_mut()) {
            (b'{', _) => open.push(Open::Object { key: None, next: true }),
            (b'[', _) => open.push(Open::Array(0)),
            (b'}' | b']', _) => {
                open.pop();
            }
            (b',', Some(Open::Array(at))) => *at += 1,
            (b',', Some(Open::Object { key, next })) => (*key, *next) = (None, true),
            (b'"', top) => {
                let (string, after) = string(rest);
                rest = after;
                if let Some(Open::Object { key, next }) = top
                    && *next
                {
                    (*key, *next) = (Some(string), false);
                }
            }
            (_, _) => {}
        }
    }
    let steps = open.into_iter().filter_map(|open| match open {
        Open::Object { key, .. } => key,
        Open::Array(at) => Some(at.to_string()),
    });
    pointer(steps.collect::<Vec<_>>().iter().map(String::as_str))
}

/// A JSON string behind its first quotation mark, and what is behind it. Escapes other than those of quotation marks
/// and backslashes stay as they are written.
fn string(bytes: &[u8]) -> (String, &[u8]) {
    let mut string = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, rest.split_first()) {
            (b'"', _) => break,
            (b'\\', Some((&escaped @ (b'"' | b'\\'), after))) => {
                string.push(escaped);
                rest = after;
            }
            (_, _) => string.push(byte),
        }
    }
    (String::from_utf8_lossy(&string).into_owned(), rest)
}

/// Refuses what is no JSON, and a key that an object has twice.
pub(super) fn check_keys(text: &str) -> Result<(), StateFault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let checked = Keys.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    checked.map_err(|error| unreadable(text, &error))
}

/// Any value, of which nothing is kept.
struct Keys;

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` is there twice")));
            }
            keys.insert(key);
            entries.next_value_seed(Self)?;
        }
        Ok(())
    }
}
