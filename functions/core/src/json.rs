//! JSON from outside, read as what it says.
//!
//! `serde_json` reads an object whose one key is `$serde_json::private::RawValue` as the text in it, wherever a program
//! is built with the feature `raw_value`, as the functions are: it is how it hands texts through. From outside, such an
//! object would be another event than it says, and deeper than the reader lets anything be. Here it is an object.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document.
///
/// # Errors
///
/// The bytes are no JSON, or it is more than 127 levels deep.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes).map(|Plain(value)| value)
}

struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Plain(value)) = values.next_element()? {
            read.push(value);
        }
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some((key, Plain(value))) = fields.next_entry::<String, Plain>()? {
            read.insert(key, value);
        }
        Ok(read.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RAW: &str = "$serde_json::private::RawValue";

    #[test]
    fn every_kind_of_value_is_read() {
        let value = json!({"a": [null, true, -1, u64::MAX, 1.5, "x\u{e9}\n"], "b": {}, "": [], "c": {"d": [[]]}});
        assert_eq!(read(value.to_string().as_bytes()).unwrap(), value);
        assert_eq!(read(br#"{"a": 1, "a": 2}"#).unwrap(), json!({"a": 2}));
        for broken in [&b""[..], b"{", b"{} {}", b"\xff", b"1e999", b"[1,]"] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn no_key_makes_an_object_anything_else() {
        for object in [json!({RAW: "{}"}), json!({RAW: 7}), json!({RAW: "no JSON", "a": 1}), json!([{RAW: "[]"}])] {
            assert_eq!(read(object.to_string().as_bytes()).unwrap(), object);
        }
    }

    #[test]
    fn nothing_is_deeper_than_the_reader_lets_it_be() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(deep(127).as_bytes()).is_ok() && read(deep(128).as_bytes()).is_err());
        let object = json!({RAW: deep(127)});
        assert_eq!(read(format!("[{object}]").as_bytes()).unwrap(), json!([object]));
    }
}
