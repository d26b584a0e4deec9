//! Record sets: read from a request, held to what their type allows, and written into answers.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::body::Node;
use super::name::{Name, octal};
use super::{enum_fault, invalid_batch, invalid_input};
use crate::error::ApiError;
use crate::state::form;
use crate::xml::{Element, element, text};

/// The types of records that Route 53 knows.
const KINDS: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB",
    "HTTPS",
];

/// What tells apart record sets of one name and type. It is kept and compared, and decides nothing.
pub(crate) const ROUTING: [&str; 4] = ["Weight", "Region", "Failover", "MultiValueAnswer"];

/// What a record set is found by, in the order in which Route 53 lists them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordKey {
    /// Its name.
    pub name: Name,
    /// Its type: `TXT`.
    pub kind: String,
    /// What tells it apart from others of the same name and type.
    pub identifier: Option<String>,
}

/// A record set without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSet {
    /// Its values and how long they live, or where they are found.
    pub data: RecordData,
    /// `Weight`, `Region`, `Failover` or `MultiValueAnswer`.
    #[serde(deserialize_with = "form::routing")]
    pub routing: BTreeMap<&'static str, String>,
    /// The id of its health check.
    pub health_check: Option<String>,
}

/// What a record set answers with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RecordData {
    /// Values of its own.
    Values {
        /// How many seconds they live.
        ttl: u32,
        /// The values, as they were written.
        values: Vec<String>,
    },
    /// What another name answers with.
    Alias {
        /// The zone of the target.
        zone: String,
        /// The target, as it was written.
        target: String,
        /// Whether it depends on the target's health.
        evaluate_health: bool,
    },
}

impl RecordSet {
    /// A record set of plain values.
    pub fn simple(ttl: u32, values: Vec<String>) -> Self {
        Self { data: RecordData::Values { ttl, values }, routing: BTreeMap::new(), health_check: None }
    }

    /// Its values, if it has some of its own.
    pub fn values(&self) -> &[String] {
        match &self.data {
            RecordData::Values { values, .. } => values,
            RecordData::Alias { .. } => &[],
        }
    }

    /// Whether it is the same, whatever the order of its values.
    pub(super) fn same(&self, other: &Self) -> bool {
        let sorted = |set: &Self| {
            let mut set = set.clone();
            match &mut set.data {
                RecordData::Values { values, .. } => values.sort(),
                RecordData::Alias { .. } => {}
            }
            set
        };
        sorted(self) == sorted(other)
    }

    /// Reads a `ResourceRecordSet`. What is wrong with the form spoils the request; what is wrong with names and values
    /// is for [`faults`] to say.
    pub(super) fn read(node: &Node) -> Result<(RecordKey, Self), ApiError> {
        let known = ["Name", "Type", "SetIdentifier", "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId"];
        let unlived = ["GeoLocation", "GeoProximityLocation", "CidrRoutingConfig", "TrafficPolicyInstanceId"];
        node.only(&[&known[..], &ROUTING, &unlived].concat())?;
        if let Some(name) = unlived.into_iter().find(|name| node.child(name).is_some()) {
            return Err(invalid_input(&format!("{name} is not simulated here.")));
        }
        let name = Name::parse(node.require("Name")?.text()?)
            .map_err(|fault| invalid_batch(vec![format!("FATAL problem: {fault}")]))?;
        let kind = node.require("Type")?.text()?.to_owned();
        if !is_kind(&kind) {
            return Err(enum_fault(&kind, "type"));
        }
        let ttl = node.number::<u32>("TTL")?.filter(|ttl| i32::try_from(*ttl).is_ok());
        let data = match (ttl, node.child("ResourceRecords"), node.child("AliasTarget")) {
            (Some(ttl), Some(records), None) => RecordData::Values { ttl, values: read_values(records)? },
            (None, None, Some(alias)) => {
                alias.only(&["HostedZoneId", "DNSName", "EvaluateTargetHealth"])?;
                let evaluate_health =
                    alias.require("EvaluateTargetHealth").and(alias.boolean("EvaluateTargetHealth"))?;
                RecordData::Alias {
                    zone: alias.require("HostedZoneId")?.text()?.to_owned(),
                    target: alias.require("DNSName")?.text()?.to_owned(),
                    evaluate_health: evaluate_health.unwrap_or(false),
                }
            }
            _ => {
                return Err(invalid_input(&format!(
                    "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
                     TrafficPolicyInstanceId], in Change with [Name={name}, Type={kind}, SetIdentifier={}]",
                    node.text_of("SetIdentifier")?.unwrap_or("null")
                )));
            }
        };
        let mut routing = BTreeMap::new();
        for name in ROUTING {
            if let Some(value) = node.text_of(name)? {
                routing.insert(name, value.to_owned());
            }
        }
        let identifier = node.text_of("SetIdentifier")?.map(ToOwned::to_owned);
        if identifier.is_some() != (routing.len() == 1) {
            return Err(invalid_input(
                "Invalid request: SetIdentifier goes with exactly one of Weight, Region, Failover, MultiValueAnswer",
            ));
        }
        let health_check = node.text_of("HealthCheckId")?.map(ToOwned::to_owned);
        Ok((RecordKey { name, kind, identifier }, Self { data, routing, health_check }))
    }

    /// Writes a `ResourceRecordSet`.
    pub(super) fn element(&self, key: &RecordKey) -> Element {
        let mut fields = vec![text("Name", &key.name), text("Type", &key.kind)];
        fields.extend(key.identifier.as_ref().map(|identifier| text("SetIdentifier", identifier)));
        fields.extend(self.routing.iter().map(|(name, value)| text(name, value)));
        match &self.data {
            RecordData::Values { ttl, values } => {
                let records = values.iter().map(|value| element("ResourceRecord", vec![text("Value", value)]));
                fields.push(text("TTL", ttl));
                fields.push(element("ResourceRecords", records.collect()));
            }
            RecordData::Alias { zone, target, evaluate_health } => {
                let target = [text("HostedZoneId", zone), text("DNSName", target)];
                let health = text("EvaluateTargetHealth", evaluate_health);
                fields.push(element("AliasTarget", target.into_iter().chain([health]).collect()));
            }
        }
        fields.extend(self.health_check.as_ref().map(|id| text("HealthCheckId", id)));
        element("ResourceRecordSet", fields)
    }
}

/// Whether Route 53 has records of such a type.
pub(crate) fn is_kind(kind: &str) -> bool {
    KINDS.contains(&kind)
}

fn read_values(records: &Node) -> Result<Vec<String>, ApiError> {
    let mut values = Vec::new();
    for record in records.items("ResourceRecord")? {
        let value = record.only(&["Value"])?.require("Value")?.text()?;
        if value.chars().count() > 4000 {
            return Err(invalid_input("Value too long: Member must have length less than or equal to 4000"));
        }
        values.push(value.to_owned());
    }
    Ok(values)
}

/// What is wrong with a record set's values, in the words of a change batch's messages. Looked at are TXT, SPF, A, AAAA,
/// CNAME and NS; of other types Route 53 looks at more than this does.
pub(super) fn faults(kind: &str, values: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    if values.len() > 400 {
        faults.push("Cannot have more than 400 records in a RRSet.".to_owned());
    }
    if matches!(kind, "CNAME" | "SOA") && values.len() > 1 {
        faults.push(format!("Cannot have more than 1 records in a {kind} RRSet."));
    }
    for (at, value) in values.iter().enumerate() {
        if values.iter().take(at).any(|former| former == value) {
            faults.push(format!("Duplicate Resource Record: '{value}'"));
        }
        if let Err(fault) = check(kind, value) {
            faults.push(format!("Invalid Resource Record: 'FATAL problem: {fault} encountered with '{value}''"));
        }
    }
    faults
}

fn check(kind: &str, value: &str) -> Result<(), &'static str> {
    let illegal = |right: bool, fault| if right { Ok(()) } else { Err(fault) };
    match kind {
        "TXT" | "SPF" => strings(value).map(|_| ()),
        "A" => {
            illegal(value.parse::<Ipv4Addr>().is_ok(), "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")
        }
        "AAAA" => illegal(
            value.parse::<Ipv6Addr>().is_ok(),
            "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
        ),
        "CNAME" | "NS" => {
            illegal(Name::parse(value).is_ok(), "UnsupportedCharacter (Value contains unsupported characters)")
        }
        _ => illegal(!value.trim().is_empty(), "RRDATANotEnoughTokens (Value is empty)"),
    }
}

/// A TXT value is one or more strings in quotation marks, of at most 255 characters each, between blanks. These are they,
/// as bytes.
///
/// # Errors
///
/// What is wrong with it, in Route 53's words.
pub fn strings(value: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let unquoted = "InvalidCharacterString (Value should be enclosed in quotation marks)";
    let (mut rest, mut strings) = (value.trim().as_bytes(), Vec::new());
    loop {
        rest = rest.strip_prefix(b"\"").ok_or(unquoted)?;
        let mut string = Vec::new();
        loop {
            let (&byte, after) = rest.split_first().ok_or(unquoted)?;
            rest = after;
            let byte = match byte {
                b'"' => break,
                // An escape is one character: of three octal digits, or whatever stands behind the backslash.
                b'\\' => {
                    let (byte, after) = octal(rest)
                        .or_else(|| rest.split_first().map(|(&byte, after)| (byte, after)))
                        .ok_or(unquoted)?;
                    rest = after;
                    byte
                }
                _ => byte,
            };
            string.push(byte);
        }
        if string.len() > 255 {
            return Err("CharacterStringTooLong (Value is too long)");
        }
        strings.push(string);
        if rest.is_empty() {
            return Ok(strings);
        }
        rest = rest.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn txt_values_are_quoted_strings_of_at_most_255_characters() {
        let long = "a".repeat(255);
        for right in [
            r#""vpce:abc""#,
            r#""""#,
            r#""a" "b""#,
            r#""a""b""#,
            r#""say \"hello\"""#,
            r#""back\\""#,
            &format!("\"{long}\""),
            &format!("\"{}\\303\"", "a".repeat(254)),
            &format!("\"{long}\" \"{long}\""),
        ] {
            assert_eq!(check("TXT", right), Ok(()), "{right}");
        }
        for wrong in ["vpce:abc", "\"open", "", "\"a\" b", "\"a\"b", r#""a\""#, "a \"b\""] {
            assert!(check("TXT", wrong).is_err_and(|fault| fault.starts_with("InvalidCharacterString")), "{wrong}");
        }
        assert!(check("TXT", &format!("\"{long}a\"")).is_err_and(|fault| fault.starts_with("CharacterStringTooLong")));
    }

    #[test]
    fn the_strings_of_a_txt_value_are_its_bytes_with_the_escapes_undone() {
        let of = |value: &str| strings(value).unwrap();
        assert_eq!(of(r#""vpce:aBc""#), [b"vpce:aBc"]);
        assert_eq!(of(r#""a b" "" "c""#), [&b"a b"[..], b"", b"c"]);
        assert_eq!(of(r#""say \"hi\" \\ \303\244\7""#), [b"say \"hi\" \\ \xc3\xa47"]);
    }

    #[test]
    fn addresses_and_names_are_looked_at() {
        assert_eq!(check("A", "192.0.2.1"), Ok(()));
        assert_eq!(check("AAAA", "2001:db8::1"), Ok(()));
        assert_eq!(check("CNAME", "a.example.com"), Ok(()));
        assert!(check("A", "2001:db8::1").is_err());
        assert!(check("AAAA", "192.0.2.1").is_err());
        assert!(check("CNAME", "a b").is_err());
    }

    #[test]
    fn a_set_has_at_most_400_values_and_none_twice() {
        let values = |n| (0..n).map(|n| format!("\"{n}\"")).collect::<Vec<_>>();
        assert_eq!(faults("TXT", &values(400)), Vec::<String>::new());
        assert_eq!(faults("TXT", &values(401)), ["Cannot have more than 400 records in a RRSet."]);
        assert_eq!(faults("A", &["192.0.2.1".into(), "192.0.2.1".into()]), ["Duplicate Resource Record: '192.0.2.1'"]);
    }
}
