//! A TXT record set as Route 53 writes it, and what a value of it says.
//!
//! A value is one or more strings in quotes, `"v=spf1 -all" "more"`, in which `"` and `\` stand behind a `\` and any
//! byte may be `\` and three octal digits. A resolver hands the strings of a value on as one.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat>

use serde::Serialize;

/// The most values that a record set of Route 53's may have.
pub const MOST_VALUES: usize = 400;
/// The longest string of a value, in bytes. It is DNS's own limit.
const LONGEST_STRING: usize = 255;

/// A simple TXT record set: what it was read as, so that exactly that can be taken away again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TxtSet {
    /// How many seconds its values live.
    pub ttl: i64,
    /// The values, in quotes, as Route 53 writes them.
    pub values: Vec<String>,
}

impl TxtSet {
    /// Whether one of the values says exactly that.
    pub fn says(&self, text: &str) -> bool {
        self.values.iter().any(|value| unquoted(value).is_some_and(|said| said == text.as_bytes()))
    }

    /// The set with one more value. Nothing that was there is changed by a byte.
    #[must_use]
    pub fn with(&self, text: &str) -> Self {
        let mut values = self.values.clone();
        values.push(quoted(text.as_bytes()));
        Self { ttl: self.ttl, values }
    }
}

/// What a value in quotes says, its strings put together. Nothing, where it is not in the form of a value.
pub fn unquoted(value: &str) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    let mut rest = value.trim().bytes().peekable();
    rest.peek()?;
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' => continue,
            b'"' => {}
            // A value without quotes is one string up to the next space.
            bare => {
                said.push(escaped(bare, &mut rest)?);
                while let Some(byte) = rest.next_if(|byte| !matches!(byte, b' ' | b'\t')) {
                    said.push(escaped(byte, &mut rest)?);
                }
                continue;
            }
        }
        loop {
            match rest.next()? {
                b'"' => break,
                byte => said.push(escaped(byte, &mut rest)?),
            }
        }
    }
    Some(said)
}

/// A byte, or what stands behind a backslash in its place.
fn escaped(byte: u8, rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    if byte != b'\\' {
        return Some(byte);
    }
    match rest.next()? {
        first @ b'0'..=b'7' => {
            let octal = |digit: u8| matches!(digit, b'0'..=b'7').then(|| u32::from(digit - b'0'));
            let number = octal(first)? * 64 + octal(rest.next()?)? * 8 + octal(rest.next()?)?;
            u8::try_from(number).ok()
        }
        other => Some(other),
    }
}

/// A text as a value in quotes, in as many strings as it takes.
pub fn quoted(text: &[u8]) -> String {
    let strings: Vec<String> = text.chunks(LONGEST_STRING).map(string).collect();
    if strings.is_empty() { "\"\"".to_owned() } else { strings.join(" ") }
}

fn string(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            other => quoted.push_str(&format!("\\{other:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(value: &str) -> Option<String> {
        unquoted(value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_value_is_read_in_all_its_forms() {
        for (value, expected) in [
            (r#""vpce:l6p0ERxlTt45jevFwOCp""#, "vpce:l6p0ERxlTt45jevFwOCp"),
            (r#""vpce:l6p0" "ERxlTt45jevFwOCp""#, "vpce:l6p0ERxlTt45jevFwOCp"),
            (r#""a"	"b"  "c""#, "abc"),
            (r#""say \"hi\" \\ there""#, r#"say "hi" \ there"#),
            (r#""b\303\274cher""#, "bücher"),
            (r#""""#, ""),
            ("bare", "bare"),
            (r#"bare "quoted""#, "barequoted"),
        ] {
            assert_eq!(said(value).as_deref(), Some(expected), "{value}");
        }
        for broken in ["", "   ", r#"""#, r#""open"#, r#""\"#, r#""\9"#, r#""\40""#, r#""\777""#] {
            // `\9` is a 9, but the quote behind it never closes.
            assert_eq!(said(broken), None, "{broken}");
        }
    }

    #[test]
    fn only_the_very_same_value_says_it() {
        let set = |value: &str| TxtSet { ttl: 300, values: vec![r#""v=spf1 -all""#.to_owned(), value.to_owned()] };
        assert!(set(r#""vpce:AbC""#).says("vpce:AbC"));
        for other in [r#""vpce:abc""#, r#""\"vpce:AbC\"""#, r#""vpce:Ab""#, r#""vpce:AbC ""#] {
            assert!(!set(other).says("vpce:AbC"), "{other}");
        }
    }

    #[test]
    fn a_value_is_added_and_nothing_else_is_touched() {
        let before = TxtSet { ttl: 60, values: vec![r#""\303\274" "x""#.to_owned()] };
        let after = before.with("vpce:AbC");
        assert_eq!(after, TxtSet { ttl: 60, values: vec![r#""\303\274" "x""#.to_owned(), r#""vpce:AbC""#.to_owned()] });
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let value = quoted(&bytes);
            prop_assert!(value.is_ascii());
            prop_assert_eq!(unquoted(&value), Some(bytes));
        }

        #[test]
        fn no_text_is_too_broken_to_be_looked_at(text in "\\PC{0,40}") {
            drop(unquoted(&text));
        }
    }
}
