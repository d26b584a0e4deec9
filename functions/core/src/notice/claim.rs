//! Who is about to tell: two notifiers that see the same connection at the same time would both publish.
//!
//! AWS has no tag that is written only if nobody else wrote it. So whoever is about to tell writes a claim, waits until
//! a claim that somebody else wrote at the same time must have been seen by one of the two, and reads again: the last
//! claim stands, and whoever finds another's in its place leaves the telling to that one. A claim ends by itself, so
//! that a process that died with it costs time and no notice.

use std::fmt;

use time::{Duration, OffsetDateTime};

use crate::observed::{TAG_NOTIFYING, Tags};

/// What the word begins with that says whose a claim is. No state does.
pub(super) const CLAIMANT: char = '@';

/// For how long a claim stands, and how much longer for each message that its owner has to send.
const STANDS: (Duration, Duration) = (Duration::seconds(5), Duration::milliseconds(10));
/// No claim stands longer than this, whatever it says.
const LONGEST: Duration = Duration::minutes(5);

/// Whose a claim is, and until when it stands: `@5c1f03aa:1769860805000`, with milliseconds of the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// A number that no other process has.
    pub by: u64,
    /// When it ends.
    pub until: OffsetDateTime,
}

impl Claim {
    /// A claim of a process that needs so long for a look, and has so many messages to send.
    pub fn new(by: u64, now: OffsetDateTime, look: Duration, messages: usize) -> Self {
        let (first, each) = STANDS;
        // It waits for two looks' time, looks once more, and may be slower at it than before.
        let sending = each.saturating_mul(i32::try_from(messages).unwrap_or(i32::MAX));
        let lasts = first.saturating_add(look.saturating_mul(4)).saturating_add(sending);
        Self { by, until: now + lasts.min(LONGEST) }
    }

    /// The claim of somebody else that stands on a connection.
    pub fn of_another(tags: &Tags, by: u64, now: OffsetDateTime) -> Option<Self> {
        let word = tags.get(TAG_NOTIFYING)?.split_whitespace().next_back()?;
        let claim = Self::parse(word).filter(|claim| claim.by != by)?;
        (now < claim.until && claim.until <= now + LONGEST).then_some(claim)
    }

    fn parse(word: &str) -> Option<Self> {
        let (by, until) = word.strip_prefix(CLAIMANT)?.split_once(':')?;
        let until = OffsetDateTime::from_unix_timestamp_nanos(until.parse::<i128>().ok()?.checked_mul(1_000_000)?);
        Some(Self { by: u64::from_str_radix(by, 16).ok()?, until: until.ok()? })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, until } = self;
        write!(f, "{CLAIMANT}{by:x}:{}", until.unix_timestamp_nanos() / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);

    fn found(value: &str, now: OffsetDateTime) -> Option<Claim> {
        Claim::of_another(&[(TAG_NOTIFYING.to_owned(), value.to_owned())].into(), 1, now)
    }

    #[test]
    fn a_claim_stands_until_its_end_for_everybody_but_its_owner() {
        let claim = Claim::new(0x1f, NOW, Duration::ZERO, 0);
        let value = format!("available {claim}");
        assert_eq!(value, "available @1f:1769860805000");
        assert_eq!(found(&value, NOW + Duration::milliseconds(4_999)), Some(claim));
        assert_eq!(found(&value, claim.until), None);
        assert_eq!(found(&Claim::new(1, NOW, Duration::ZERO, 0).to_string(), NOW), None);
    }

    #[test]
    fn who_is_slow_or_has_much_to_send_claims_for_longer_and_nobody_for_ever() {
        assert_eq!(Claim::new(2, NOW, Duration::SECOND, 1_000).until, NOW + Duration::seconds(19));
        assert_eq!(Claim::new(2, NOW, Duration::ZERO, usize::MAX).until, NOW + LONGEST);
        assert_eq!(Claim::new(2, NOW, Duration::MAX, 1).until, NOW + LONGEST);
        let far = Claim { by: 2, until: NOW + LONGEST + Duration::seconds(1) };
        assert_eq!(found(&far.to_string(), NOW), None);
    }

    #[test]
    fn what_is_no_claim_stands_in_nobodys_way() {
        for value in ["", "available", "@", "@1f", "@1f:", "@x:1769860805000", "@1f:x", "@1f:1769860805000 available"] {
            assert_eq!(found(value, NOW), None, "{value}");
        }
        assert_eq!(found(&format!("@1f:{}", i128::MAX), NOW), None);
    }
}
