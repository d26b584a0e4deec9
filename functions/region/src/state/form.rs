//! How things are written in a document where serde's own way would not do: exactly, and read back as nothing else.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::route53::ROUTING;
use crate::world::{KINDS, STATES, Word};

/// The most that is counted. Nobody comes near, and there is room to count on.
const MOST: u64 = 1 << 53;

/// Reads what is written as a string. What is wrong with it is said where it stands.
pub(crate) fn text<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    what: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<P>(&'static str, P);

    impl<T, E: Display, P: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<P> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
            let Self(what, parse) = self;
            parse(text).map_err(|problem| F::custom(format_args!("`{text}` is not {what}: {problem}")))
        }
    }

    deserializer.deserialize_str(Text(what, parse))
}

/// One of some words.
fn word<'de, D: Deserializer<'de>>(deserializer: D, what: &'static str, words: &[Word]) -> Result<Word, D::Error> {
    text(deserializer, what, |text| {
        let found = words.iter().find(|word| **word == text);
        found.copied().ok_or_else(|| format!("expected one of `{}`", words.join("`, `")))
    })
}

/// EC2's word for a kind of endpoints.
pub(crate) fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    word(deserializer, "a kind of endpoints", KINDS)
}

/// A number that can still be counted on.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        count @ 0..=MOST => Ok(count),
        more => Err(D::Error::custom(format_args!("`{more}` is more than anybody counts to"))),
    }
}

/// What tells apart record sets of one name and type.
pub(crate) fn routing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Word, String>, D::Error> {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    struct Routing(Word);

    impl<'de> Deserialize<'de> for Routing {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            word(deserializer, "what routes", &ROUTING).map(Self)
        }
    }

    let routing = BTreeMap::<Routing, String>::deserialize(deserializer)?;
    Ok(routing.into_iter().map(|(Routing(word), value)| (word, value)).collect())
}

/// A time, to the nanosecond.
pub(crate) mod moment {
    use serde::ser::Error;
    use serde::{Deserializer, Serializer};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    /// Times that are further away can not be reckoned with: there is nothing before the year 0 and after 9999.
    const YEARS: std::ops::RangeInclusive<i32> = 1..=9000;

    pub(crate) fn serialize<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.format(&Rfc3339).map_err(S::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
        super::text(deserializer, "a time", |text| match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(at) if YEARS.contains(&at.year()) => Ok(at),
            Ok(_) => Err(format!("expected a year from {} to {}", YEARS.start(), YEARS.end())),
            Err(error) => Err(error.to_string()),
        })
    }
}

/// The states of an endpoint, with since when.
pub(crate) mod history {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use time::OffsetDateTime;

    use super::{STATES, Word, moment, word};

    #[derive(Serialize, Deserialize)]
    struct Entry(#[serde(with = "moment")] OffsetDateTime, #[serde(deserialize_with = "state")] Word);

    fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        word(deserializer, "a state of endpoints", STATES)
    }

    pub(crate) fn serialize<S: Serializer>(
        history: &[(OffsetDateTime, Word)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(history.iter().map(|&(since, state)| Entry(since, state)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(OffsetDateTime, Word)>, D::Error> {
        let history = Vec::<Entry>::deserialize(deserializer)?;
        Ok(history.into_iter().map(|Entry(since, state)| (since, state)).collect())
    }
}

/// A zone's record sets as the world sees them, with from when on.
pub(crate) mod seen {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use time::OffsetDateTime;

    use super::{moment, pairs};
    use crate::route53::Records;

    #[derive(Serialize)]
    struct Shown<'s>(#[serde(with = "moment")] &'s OffsetDateTime, #[serde(with = "pairs")] &'s Records);

    #[derive(Deserialize)]
    struct Read(#[serde(with = "moment")] OffsetDateTime, #[serde(with = "pairs")] Records);

    pub(crate) fn serialize<S: Serializer>(
        seen: &[(OffsetDateTime, Records)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(seen.iter().map(|(from, records)| Shown(from, records)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(OffsetDateTime, Records)>, D::Error> {
        let seen = Vec::<Read>::deserialize(deserializer)?;
        Ok(seen.into_iter().map(|Read(from, records)| (from, records)).collect())
    }
}

/// A map whose keys are no strings: a list of keys with their values.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let mut map = BTreeMap::new();
        for (at, (key, value)) in Vec::<(K, V)>::deserialize(deserializer)?.into_iter().enumerate() {
            if map.insert(key, value).is_some() {
                return Err(D::Error::custom(format_args!("item {at} of the list has the key of an earlier one")));
            }
        }
        Ok(map)
    }
}

/// The state of a random generator. As a JSON number it would lose its last digits in most other hands.
pub(crate) mod random {
    use fastrand::Rng;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(random: &Rng, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", random.get_seed()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rng, D::Error> {
        super::text(deserializer, "a random generator's state", |text| {
            let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let seed = u64::from_str_radix(text, 16).ok().filter(|_| digits);
            seed.map(Rng::with_seed).ok_or("expected 16 hexadecimal digits")
        })
    }
}

/// What is left in a bucket. serde_json reads a number's last bit wrongly now and then.
pub(crate) mod tokens {
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(tokens: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(tokens)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        super::text(deserializer, "a number of requests", |text| {
            let tokens = text.parse().ok().filter(|tokens: &f64| tokens.is_finite() && !tokens.is_sign_negative());
            tokens.ok_or("expected a number from 0")
        })
    }
}
