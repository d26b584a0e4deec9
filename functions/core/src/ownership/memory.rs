//! What is remembered of a domain between two runs: one tag of its service, read and written.
//!
//! ```text
//! for=_6e86v84tqgqubxbwii1m at=1769860800 check=1769860700x3 since=1769860000 waiting=1769860000 told=failed/record-missing
//! ```
//!
//! A memory is of one TXT record. A service that gets another name gets another record, and is begun anew.

use std::fmt;

use time::OffsetDateTime;

/// The longest value that a tag may have, in characters.
const LONGEST_TAG_VALUE: usize = 256;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The first label of the TXT record that it is about.
    pub label: String,
    /// When it was written, to tell which of two is the newer.
    pub at: Option<OffsetDateTime>,
    /// Whether the name was seen `verified`.
    pub verified: bool,
    /// What the operators were last told.
    pub told: Option<String>,
    /// How often they were told something.
    pub news: u32,
    /// The check that was last started.
    pub check: Option<Checks>,
    /// The id of the change of the zone that was not in sync when it was last asked about.
    pub change: Option<String>,
    /// Since when the record is not readable that should be.
    pub since: Option<OffsetDateTime>,
    /// Since when the name has not been verified, as far as there was a reason to write anything. By itself it is none.
    pub waiting: Option<OffsetDateTime>,
}

/// The checks of one record that were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// When the last one was.
    pub last: OffsetDateTime,
    /// How many there were.
    pub count: u32,
}

impl Memory {
    /// An empty memory of a record.
    pub fn of(label: &str) -> Self {
        Self { label: label.to_owned(), ..Self::default() }
    }

    /// Reads a tag's value. What is not understood is left out: somebody else's text can make this product look again,
    /// and not make it forget more than there was.
    pub fn parse(tag: &str) -> Self {
        let mut memory = Self::default();
        for word in tag.split(' ') {
            match word.split_once('=') {
                Some(("for", label)) => memory.label = label.to_owned(),
                Some(("at", at)) => memory.at = time(at),
                Some(("told", told)) => memory.told = Some(told.to_owned()),
                Some(("news", news)) => memory.news = news.parse().unwrap_or_default(),
                Some(("check", check)) => memory.check = checks(check),
                Some(("change", change)) => memory.change = Some(change.to_owned()),
                Some(("since", since)) => memory.since = time(since),
                Some(("waiting", waiting)) => memory.waiting = time(waiting),
                None if word == "verified" => memory.verified = true,
                _ => {}
            }
        }
        memory
    }

    /// The newer of two, of which one may be older than what was written since.
    pub fn newer(self, other: Self) -> Self {
        if other.at > self.at { other } else { self }
    }

    /// The memory as far as it is of that record.
    #[must_use]
    pub fn about(self, label: &str) -> Self {
        if self.label == label { self } else { Self::of(label) }
    }

    /// Whether nothing is remembered but, perhaps, that the name was seen verified. A name that was verified before
    /// anything else was known of it is nobody's news, and not worth a write.
    pub fn is_bare(&self) -> bool {
        let Self { label, at, verified, waiting, .. } = self.clone();
        *self == Self { label, at, verified, waiting, ..Self::default() }
    }

    /// Whether both say the same, whenever they were written and however long the name has been waiting.
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { at: None, waiting: None, ..self.clone() } == Self { at: None, waiting: None, ..other.clone() }
    }
}

impl fmt::Display for Memory {
    /// The tag's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, at, verified, told, news, check, change, since, waiting } = self;
        let stamp = |at: &OffsetDateTime| at.unix_timestamp();
        let mut words = vec![format!("for={label}")];
        words.extend(at.as_ref().map(|at| format!("at={}", stamp(at))));
        words.extend(verified.then(|| "verified".to_owned()));
        words.extend(check.as_ref().map(|Checks { last, count }| format!("check={}x{count}", stamp(last))));
        words.extend(since.as_ref().map(|since| format!("since={}", stamp(since))));
        words.extend(waiting.as_ref().map(|waiting| format!("waiting={}", stamp(waiting))));
        words.extend(told.as_ref().map(|told| format!("told={told}")));
        words.extend((*news > 0).then(|| format!("news={news}")));
        words.extend(change.as_ref().map(|change| format!("change={change}")));
        // What matters most stands first. An id that AWS one day makes longer is left out rather than cut.
        let mut length = 0;
        words.retain(|word| {
            let fits = length + word.len() < LONGEST_TAG_VALUE;
            length += if fits { word.len() + 1 } else { 0 };
            fits
        });
        f.write_str(&words.join(" "))
    }
}

fn time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(text.parse::<u32>().ok()?.into()).ok()
}

fn checks(text: &str) -> Option<Checks> {
    let (last, count) = text.split_once('x')?;
    Some(Checks { last: time(last)?, count: count.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);

    fn full() -> Memory {
        Memory {
            label: "_6e86v84tqgqubxbwii1m".to_owned(),
            at: Some(AT),
            verified: true,
            told: Some("lost/record-missing".to_owned()),
            news: 4,
            check: Some(Checks { last: AT, count: 7 }),
            change: Some("C2682N5HXP0BZ4".to_owned()),
            since: Some(AT),
            waiting: Some(AT),
        }
    }

    #[test]
    fn a_memory_reads_back_as_itself() {
        for memory in [Memory::of("_x"), full()] {
            assert_eq!(Memory::parse(&memory.to_string()), memory);
        }
        assert_eq!(Memory::parse(""), Memory::default());
    }

    #[test]
    fn a_tag_holds_whole_words_only() {
        let long = Memory { label: "l".repeat(63), change: Some("C".repeat(200)), ..full() };
        let text = long.to_string();
        assert!(text.len() <= 256, "{text}");
        assert_eq!(Memory::parse(&text), Memory { change: None, ..long });
        let legal = |c: char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c);
        assert!(full().to_string().chars().all(legal));
    }

    #[test]
    fn a_tag_that_somebody_else_wrote_is_no_reason_to_fail() {
        for text in
            ["x", "for=", "at=never check=3 check=x check=-1x5 since=99999999999999999999 waiting=x", "told", "=", "  "]
        {
            let memory = Memory::parse(text);
            let times = (memory.at, memory.since, memory.waiting);
            assert_eq!((memory.check, memory.told, times), (None, None, (None, None, None)), "{text}");
        }
    }

    #[test]
    fn the_newer_memory_wins_and_another_records_is_forgotten() {
        let older = full();
        let newer = Memory { at: Some(AT + time::Duration::SECOND), verified: false, ..full() };
        assert_eq!(older.clone().newer(newer.clone()), newer);
        assert_eq!(newer.clone().newer(older.clone()), newer);
        assert_eq!(older.clone().about("_other"), Memory::of("_other"));
        assert!(older.says_the_same(&Memory { at: None, ..full() }));
    }
}
