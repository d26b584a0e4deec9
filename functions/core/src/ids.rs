//! The ids that AWS gives to things, parsed once at the door and trusted after it.
//!
//! An id can not be empty: an empty service id in a filter would list the connections of every service.

mod topic;

use std::fmt;

use serde::{Serialize, Serializer};

pub use topic::TopicArn;

/// What was given where an id was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    /// The form that was wanted, for a person: "`vpce-svc-` and hex digits".
    wanted: &'static str,
    /// What was there instead.
    given: String,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hostile id can be long, and this text goes to a log.
        let shown: String = self.given.chars().take(64).collect();
        write!(f, "`{shown}` is not {}", self.wanted)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads the id, or says what was there instead.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { wanted: $wanted, given: text.to_owned() })
                }
            }

            /// The id as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

id!(
    /// An endpoint service of a provider: `vpce-svc-` and hex digits.
    ServiceId,
    "an endpoint service's id (`vpce-svc-` and at most 17 hex digits)",
    |text| text.strip_prefix(SERVICE).is_some_and(is_hex)
);
id!(
    /// A VPC endpoint of a consumer: `vpce-` and hex digits.
    EndpointId,
    "a VPC endpoint's id (`vpce-` and at most 17 hex digits)",
    |text| text.strip_prefix(ENDPOINT).is_some_and(is_hex)
);
id!(
    /// A connection of an endpoint to a service, the thing that bears the provider's tags: `vpce-con-…`.
    ConnectionId,
    "a connection's id (`vpce-con-…`)",
    |text| text
        .strip_prefix("vpce-con-")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
);
id!(
    /// An AWS account: twelve digits, of which the first may be zeros.
    AccountId,
    "an AWS account id (12 digits)",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);

id!(
    /// A name of DNS's without its final dot, in lower case: labels of 1 to 63 letters, digits, `-` and `_`, which do
    /// not begin or end with a `-`, and at most 253 characters in all. A first label `*` is let through.
    DnsName,
    "a DNS name in lower case (labels of letters, digits, `-` and `_`, 253 characters at most)",
    |text| text.len() <= 253
        && text.strip_prefix("*.").unwrap_or(text).split('.').all(is_label)
);

impl DnsName {
    /// The name in DNS's own indifference to case and to a final dot.
    pub fn folded(text: &str) -> Result<Self, InvalidId> {
        Self::parse(&text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase())
    }

    /// What a wildcard stands under; every other name as it is.
    pub fn without_wildcard(&self) -> Self {
        Self(self.0.strip_prefix("*.").unwrap_or(&self.0).into())
    }

    /// The name and all names above it, the longest first, down to the last label.
    pub fn and_above(&self) -> impl Iterator<Item = Self> + '_ {
        std::iter::successors(Some(&*self.0), |name| name.split_once('.').map(|(_, above)| above))
            .map(|name| Self(name.into()))
    }

    /// Whether this is `above` or stands below it.
    pub fn is_within(&self, above: &Self) -> bool {
        self.0.strip_suffix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// A name one label below this one.
    pub fn below(&self, label: &str) -> Result<Self, InvalidId> {
        Self::folded(&format!("{label}.{self}"))
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'_'))
}

const SERVICE: &str = "vpce-svc-";
const ENDPOINT: &str = "vpce-";
/// EC2's long ids have 17 hex digits, its old short ones 8.
const HEX_DIGITS: usize = 17;

fn is_hex(text: &str) -> bool {
    (1..=HEX_DIGITS).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Every service id and endpoint id that stands in a text, in prose or in JSON, in the order of their places.
///
/// AWS documents neither the subject nor the message of a connection notification, so its text is searched for the
/// one thing that is certain to be in it.
pub fn ids_in(text: &str) -> impl Iterator<Item = FoundId> + '_ {
    text.match_indices(ENDPOINT).filter_map(|(at, _)| {
        let mut before = text.get(..at)?.chars().rev();
        let last = before.next();
        // The letter of JSON's `\n` and its like is none of a word's.
        let is_escape = matches!(last, Some('b' | 'f' | 'n' | 'r' | 't')) && before.next() == Some('\\');
        if last.is_some_and(|c| c.is_ascii_alphanumeric()) && !is_escape {
            return None;
        }
        let rest = text.get(at..)?;
        let prefix = if rest.starts_with(SERVICE) { SERVICE } else { ENDPOINT };
        let tail = rest.get(prefix.len()..)?;
        let digits = tail.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        // `vpce-con-…` begins with a hex digit, and is no endpoint.
        if tail.get(digits..)?.chars().next().is_some_and(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        let id = rest.get(..prefix.len() + digits)?;
        if prefix == SERVICE {
            ServiceId::parse(id).ok().map(FoundId::Service)
        } else {
            EndpointId::parse(id).ok().map(FoundId::Endpoint)
        }
    })
}

/// What [`ids_in`] finds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundId {
    /// An endpoint service.
    Service(ServiceId),
    /// A VPC endpoint.
    Endpoint(EndpointId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        ids_in(text)
            .map(|id| match id {
                FoundId::Service(id) => id.to_string(),
                FoundId::Endpoint(id) => id.to_string(),
            })
            .collect()
    }

    #[test]
    fn ids_are_found_in_prose_and_in_json() {
        let prose = "Endpoint vpce-0aa11bb22cc33dd44 asks for vpce-svc-0123456789abcdef0.";
        assert_eq!(found(prose), ["vpce-0aa11bb22cc33dd44", "vpce-svc-0123456789abcdef0"]);
        assert_eq!(found(r#"{"VpcEndpointId":"vpce-12345678"}"#), ["vpce-12345678"]);
        assert_eq!(found("com.amazonaws.vpce.us-west-2.vpce-svc-0a,"), ["vpce-svc-0a"]);
        assert_eq!(found(r#"{"text":"New request\nvpce-svc-0b\tof\r\nvpce-0a"}"#), ["vpce-svc-0b", "vpce-0a"]);
        assert_eq!(found(r"nvpce-0a \xvpce-0b"), [""; 0]);
        assert_eq!(found("vpce-0a1-xyz.vpce-svc-0b2.us-west-2.vpce.amazonaws.com"), ["vpce-0a1", "vpce-svc-0b2"]);
    }

    #[test]
    fn what_is_no_endpoint_is_not_found() {
        for text in
            ["vpce-con-0123456789abcdef0", "vpce-nfn-0123", "vpce-", "vpce-svc-", "xvpce-0a", "vpce-0G", "VPCE-0A"]
        {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        let long = format!("vpce-svc-{}", "a".repeat(1_000_000));
        assert_eq!(found(&long), [""; 0]);
    }

    #[test]
    fn an_id_is_never_empty() {
        for text in ["", "vpce-svc-", "vpce-svc-xyz", "vpce-svc-0A", " vpce-svc-0a", "vpce-0a"] {
            assert!(ServiceId::parse(text).is_err(), "{text:?}");
        }
        assert!(AccountId::parse("11112222333").is_err());
        assert!(AccountId::parse("1111222233334").is_err());
        assert!(AccountId::parse("１１１１２２２２３３３３").is_err());
        assert_eq!(AccountId::parse("000022223333").unwrap().as_str(), "000022223333");
    }

    #[test]
    fn a_dns_name_is_held_to_the_rules_of_names() {
        for name in
            ["example.com", "_6e86v84tqgqubxbwii1m.example.com", "*.example.com", "xn--bcher-kva.example", "com"]
        {
            assert!(DnsName::parse(name).is_ok(), "{name}");
        }
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = ["a23456789"; 26].join(".");
        for name in [
            "",
            ".",
            "a..b",
            "example.com.",
            "Example.com",
            "-a.com",
            "a-.com",
            "a b.com",
            "a.*.com",
            "*",
            "bücher.example",
        ]
        .into_iter()
        .chain([long_label.as_str(), long_name.as_str()])
        {
            assert!(DnsName::parse(name).is_err(), "{name}");
        }
        assert_eq!(DnsName::folded("EXAMPLE.com.").unwrap().as_str(), "example.com");
    }

    #[test]
    fn names_know_what_stands_above_them() {
        let name = DnsName::parse("*.a.example.com").unwrap();
        let above: Vec<_> = name.without_wildcard().and_above().map(|name| name.to_string()).collect();
        assert_eq!(above, ["a.example.com", "example.com", "com"]);
        let within = |name, above| DnsName::parse(name).unwrap().is_within(&DnsName::parse(above).unwrap());
        assert!(within("a.example.com", "example.com") && within("example.com", "example.com"));
        assert!(!within("badexample.com", "example.com") && !within("com", "example.com"));
    }

    #[test]
    fn a_service_id_is_no_endpoint_id() {
        assert!(EndpointId::parse("vpce-svc-0123").is_err());
        assert!(EndpointId::parse("vpce-con-0123").is_err());
    }
}
