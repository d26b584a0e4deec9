//! One condition of a filter policy: what a value has to be.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::world::Cidr;

/// SNS's words for conditions. An object with one of these keys is no alternative of an `$or`.
pub(super) const OPERATORS: [&str; 8] =
    ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// How many parts a number has: SNS looks at five digits behind the point.
const PARTS: f64 = 100_000.0;

/// The largest number that may be compared with.
const LARGEST: f64 = 1e9;

/// A value that conditions look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sns) enum Scalar {
    /// A text.
    Text(String),
    /// A number, in parts.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

impl Scalar {
    /// A list or an object is none.
    pub(in crate::sns) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(is) => Some(Self::Bool(*is)),
            Value::Number(number) => Some(Self::number(number.as_f64().unwrap_or_default())),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A number, as exactly as SNS has it. One that is out of all bounds is at the bound.
    #[expect(clippy::cast_possible_truncation, reason = "a float that does not fit is cast to the nearest that does")]
    pub(in crate::sns) fn number(number: f64) -> Self {
        Self::Number((number * PARTS).round() as i64)
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) | Self::Null => None,
        }
    }
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Equals(Scalar),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Scalar>),
    AnythingButPrefix(String),
    Numeric(Range),
    Cidr(Cidr),
    Exists(bool),
}

/// From where to where numbers go, in parts, and whether these are among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Range {
    from: Option<(i64, bool)>,
    to: Option<(i64, bool)>,
}

impl Condition {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        if let Value::Object(object) = value {
            return Self::parse_expression(object);
        }
        let scalar = Scalar::of(value).map(Self::Equals);
        scalar.ok_or_else(|| "Match value must be String, number, true, false, or null".to_owned())
    }

    fn parse_expression(object: &Map<String, Value>) -> Result<Self, String> {
        let mut entries = object.iter();
        let (Some((kind, pattern)), None) = (entries.next(), entries.next()) else {
            return Err("Only one key allowed in match expression".to_owned());
        };
        let text = || {
            let text = pattern.as_str().map(ToOwned::to_owned);
            text.ok_or_else(|| format!("{kind} match pattern must be a string"))
        };
        match kind.as_str() {
            "prefix" => text().map(Self::Prefix),
            "suffix" => text().map(Self::Suffix),
            "equals-ignore-case" => text().map(|text| Self::EqualsIgnoreCase(text.to_lowercase())),
            "exists" => {
                let exists = pattern.as_bool().map(Self::Exists);
                exists.ok_or_else(|| "exists match pattern must be either true or false.".to_owned())
            }
            "anything-but" => Self::parse_anything_but(pattern),
            "numeric" => {
                let terms = pattern.as_array().ok_or("Value of numeric must be an array.")?;
                Range::parse(terms).map(Self::Numeric)
            }
            "cidr" => {
                // The engine does say `prefix`.
                cidr(pattern.as_str().ok_or("prefix match pattern must be a string")?).map(Self::Cidr)
            }
            _ => Err(format!("Unrecognized match type {kind}")),
        }
    }

    fn parse_anything_but(pattern: &Value) -> Result<Self, String> {
        const MIXED: &str =
            "Inside anything-but list, either all values are number or string, mixed type is not supported";
        match pattern {
            Value::Array(values) if values.is_empty() => Err("Empty arrays are not allowed".to_owned()),
            Value::Array(values) => {
                let one_kind = values.iter().all(Value::is_string) || values.iter().all(Value::is_number);
                let scalars = values.iter().map(Scalar::of).collect::<Option<_>>().filter(|_| one_kind);
                scalars.map(Self::AnythingBut).ok_or_else(|| MIXED.to_owned())
            }
            Value::Object(object) => match object.iter().next() {
                Some((kind, Value::String(prefix))) if kind == "prefix" && object.len() == 1 => {
                    Ok(Self::AnythingButPrefix(prefix.clone()))
                }
                Some((kind, _)) if kind == "prefix" => Err("prefix match pattern must be a string".to_owned()),
                Some((kind, _)) => Err(format!("Unsupported anything-but pattern: {kind}")),
                None => Err("Only one key allowed in match expression".to_owned()),
            },
            Value::Null | Value::Bool(_) => Err(MIXED.to_owned()),
            Value::String(_) | Value::Number(_) => Ok(Self::AnythingBut(Scalar::of(pattern).into_iter().collect())),
        }
    }

    /// Whether it holds for one of the values, if there is anything at all. What is not there meets only `exists: false`.
    pub(super) fn holds(&self, values: Option<&[Scalar]>) -> bool {
        if let Self::Exists(exists) = self {
            return values.is_some() == *exists;
        }
        values.unwrap_or_default().iter().any(|value| self.holds_for(value))
    }

    fn holds_for(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Equals(wanted), value) => wanted == value,
            (Self::AnythingBut(others), value) => !others.contains(value),
            (Self::AnythingButPrefix(prefix), value) => !value.text().is_some_and(|text| text.starts_with(prefix)),
            (Self::EqualsIgnoreCase(wanted), Scalar::Text(text)) => text.to_lowercase() == *wanted,
            (Self::Prefix(prefix), Scalar::Text(text)) => text.starts_with(prefix),
            (Self::Suffix(suffix), Scalar::Text(text)) => text.ends_with(suffix),
            (Self::Cidr(block), Scalar::Text(text)) => text.parse().is_ok_and(|address| block.has(address)),
            (Self::Numeric(range), Scalar::Number(number)) => range.holds(*number),
            (
                Self::EqualsIgnoreCase(_) | Self::Prefix(_) | Self::Suffix(_) | Self::Cidr(_),
                Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null,
            )
            | (Self::Numeric(_), Scalar::Text(_) | Scalar::Bool(_) | Scalar::Null)
            | (Self::Exists(_), _) => false,
        }
    }
}

impl Range {
    /// Reads `["=", 1]`, `[">", 1]` or `[">", 1, "<=", 2]`.
    fn parse(terms: &[Value]) -> Result<Self, String> {
        let (first, rest) = terms.split_first().ok_or("Invalid member in numeric match: ]")?;
        let operator = first.as_str().ok_or_else(|| format!("Invalid member in numeric match: {first}"))?;
        let (bound, rest) = Self::bound(operator, rest)?;
        let lower = |including| Self { from: Some((bound, including)), to: None };
        let upper = |including| Self { from: None, to: Some((bound, including)) };
        let mut range = match operator {
            "=" => Self { from: Some((bound, true)), to: Some((bound, true)) },
            ">" => lower(false),
            ">=" => lower(true),
            "<" => upper(false),
            "<=" => upper(true),
            _ => return Err(format!("Unrecognized numeric range operator: {operator}")),
        };
        let Some((second, rest)) = rest.split_first() else { return Ok(range) };
        if range.to.is_some() {
            return Err("Too many elements in numeric expression".to_owned());
        }
        let operator = second.as_str().ok_or_else(|| format!("Bad value in numeric range: {second}"))?;
        if !matches!(operator, "<" | "<=") {
            return Err(format!("Bad numeric range operator: {operator}"));
        }
        let (top, rest) = Self::bound(operator, rest)?;
        if top <= bound {
            return Err("Bottom must be less than top".to_owned());
        }
        if !rest.is_empty() {
            return Err("Too many terms in numeric range expression".to_owned());
        }
        range.to = Some((top, operator == "<="));
        Ok(range)
    }

    /// The number behind an operator, and what is behind it.
    fn bound<'t>(operator: &str, terms: &'t [Value]) -> Result<(i64, &'t [Value]), String> {
        if !matches!(operator, "=" | ">" | ">=" | "<" | "<=") {
            return Err(format!("Unrecognized numeric range operator: {operator}"));
        }
        let word = if operator == "=" { "equals" } else { operator };
        let number = terms.split_first().and_then(|(number, rest)| Some((number.as_number()?, rest)));
        let (number, rest) = number.ok_or_else(|| format!("Value of {word} must be numeric"))?;
        match number.as_f64().filter(|number| number.abs() <= LARGEST).map(Scalar::number) {
            Some(Scalar::Number(parts)) => Ok((parts, rest)),
            _ => Err("Value must be between -1.0E9 and 1.0E9, inclusive".to_owned()),
        }
    }

    fn holds(&self, number: i64) -> bool {
        let above = self.from.is_none_or(|(from, including)| number > from || including && number == from);
        let below = self.to.is_none_or(|(to, including)| number < to || including && number == to);
        above && below
    }
}

/// Reads `10.0.0.0/8`.
fn cidr(text: &str) -> Result<Cidr, String> {
    let Some((address, bits)) = text.split_once('/').filter(|(_, bits)| !bits.contains('/')) else {
        return Err("Malformed CIDR, one '/' required".to_owned());
    };
    let bits: i64 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer")?;
    let address: IpAddr = address.parse().map_err(|_| format!("Nonstandard IP address: {address}"))?;
    let (name, most) = if address.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
    let block = u8::try_from(bits).ok().and_then(|bits| Cidr::new(address, bits));
    block.ok_or_else(|| format!("{name} mask bits must be < {}", most + 1))
}
