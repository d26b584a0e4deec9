//! Domain names as Route 53 keeps them: in lower case, with a trailing dot, unusual characters as `\ooo`.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::form;

/// A domain name, label by label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(Vec<Vec<u8>>);

impl Name {
    /// Reads a name, with or without its trailing dot.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in Route 53's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = |code: &str, words: &str| Err(format!("{code} ({words}) encountered with '{text}'"));
        if text == "." {
            return Ok(Self(Vec::new()));
        }
        let mut labels = Vec::new();
        let mut label = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'.' => labels.push(std::mem::take(&mut label)),
                b'\\' => match octal(rest) {
                    Some((byte, after)) => {
                        label.push(byte.to_ascii_lowercase());
                        rest = after;
                    }
                    None => label.push(byte),
                },
                b'!'..=b'~' => label.push(byte.to_ascii_lowercase()),
                _ => return fault("UnsupportedCharacter", "Value contains unsupported characters"),
            }
        }
        if !text.ends_with('.') {
            labels.push(label);
        }
        if labels.iter().any(Vec::is_empty) {
            return fault("DomainLabelEmpty", "Domain label is empty");
        }
        if labels.iter().any(|label| label.len() > 63) {
            return fault("DomainLabelTooLong", "Domain label is too long");
        }
        // On the wire every label has a byte for its length, and the root another.
        if labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1 > 255 {
            return fault("DomainNameTooLong", "Domain name is too long");
        }
        Ok(Self(labels))
    }

    /// The name of labels that came over the wire, where their lengths were held to.
    pub(crate) fn of_labels<'l>(labels: impl Iterator<Item = &'l [u8]>) -> Self {
        Self(labels.map(<[u8]>::to_ascii_lowercase).collect())
    }

    /// The name one label above; none above the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_first()?;
        Some(Self(above.to_vec()))
    }

    /// The name of one more label, below this.
    pub(crate) fn below(&self, label: &str) -> Self {
        Self(std::iter::once(label.as_bytes().to_vec()).chain(self.0.iter().cloned()).collect())
    }

    /// This name and those above it but the root, the highest first.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = Self> {
        (0..self.0.len()).rev().filter_map(|at| self.0.get(at..)).map(|labels| Self(labels.to_vec()))
    }

    /// Its labels as bytes, the leftmost first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Whether it is that name or lies below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        self.0.ends_with(&zone.0)
    }

    /// What names are sorted by: `com.example.www.`. The trailing dot counts, and sorts `com.example-a.` before
    /// `com.example.`.
    fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        for label in self.0.iter().rev() {
            key.extend_from_slice(label);
            key.push(b'.');
        }
        key
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        // A dot inside a label can make equal keys of different names.
        self.key().cmp(&other.key()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for label in &self.0 {
            for &byte in label {
                match byte {
                    b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03o}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::text(deserializer, "a domain name", Self::parse)
    }
}

/// Reads the three octal digits after a backslash.
pub(super) fn octal(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(3)?;
    if !digits.iter().all(|digit| matches!(digit, b'0'..=b'7')) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u8::from_str_radix(digits, 8).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Name::parse(text).map_or_else(|fault| fault, |name| name.to_string())
    }

    #[test]
    fn names_are_lowered_dotted_and_escaped() {
        for (given, kept) in [
            ("Example.COM", "example.com."),
            ("example.com.", "example.com."),
            ("_x-1.example.com", "_x-1.example.com."),
            ("*.example.com", r"\052.example.com."),
            (r"\052.Example.com", r"\052.example.com."),
            (r"a\056b.example.com", r"a\056b.example.com."),
            (r"\101.example.com", "a.example.com."),
            (r"a\b.example.com", r"a\134b.example.com."),
            (".", "."),
        ] {
            assert_eq!(shown(given), kept);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for given in ["", "a..b", ".a", "ü.example.com", "a b.example.com"] {
            assert!(Name::parse(given).is_err(), "{given}");
        }
        let label = "a".repeat(63);
        assert!(Name::parse(&label).is_ok());
        assert!(shown(&format!("{label}a")).starts_with("DomainLabelTooLong"));
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert!(Name::parse(&longest).is_ok());
        assert!(shown(&format!("{longest}a")).starts_with("DomainNameTooLong"));
    }

    #[test]
    fn names_are_sorted_by_their_labels_from_the_right() {
        let sorted =
            ["example-a.com", "example.com", "*.example.com", "-.example.com", "a.example.com", "b.a.example.com"];
        let mut names: Vec<_> = sorted.iter().rev().map(|name| Name::parse(name).unwrap()).collect();
        names.sort();
        let sorted: Vec<_> = sorted.iter().map(|name| Name::parse(name).unwrap()).collect();
        assert_eq!(names, sorted);
    }

    #[test]
    fn a_name_lies_within_its_parents_and_not_within_its_lookalikes() {
        let name = Name::parse("a.example.com").unwrap();
        assert!(name.is_within(&name));
        assert!(name.is_within(&Name::parse("example.com").unwrap()));
        assert!(!name.is_within(&Name::parse("xample.com").unwrap()));
        assert!(!name.is_within(&Name::parse("b.a.example.com").unwrap()));
    }
}
