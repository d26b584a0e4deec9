//! Why a private DNS name is not proved, in one word each, and what to do about it.

use std::fmt;

/// What stands between a private DNS name and `verified`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Diagnosis {
    /// The name is no legal name.
    IllegalName,
    /// No public hosted zone that can be reached holds it.
    NoPublicZone,
    /// Only private hosted zones hold it, and the world does not see those.
    PrivateZoneOnly,
    /// The configuration says that a person publishes the record, and it is not there yet.
    RecordRequired,
    /// The zone could not be read.
    ZoneUnreadable,
    /// The record set can take no more values.
    RecordSetFull,
    /// Something that is no set of values stands where the record belongs.
    RecordNotSimple,
    /// The world delegates the zone to nobody.
    ZoneNotDelegated,
    /// The world delegates the zone to other name servers than those of the hosted zone.
    ZoneDelegatedElsewhere,
    /// The name servers do not know the record.
    RecordMissing,
    /// The record stands under its name with the zone's name once more behind it.
    RecordUnderDoubledName,
    /// The value is there in other letters' case.
    ValueLowerCased,
    /// The value is there with its quotes as a part of it.
    ValueQuotedTwice,
    /// Only the beginning of the value is there.
    ValueCut,
    /// A value of an earlier name or another service is there, and not this one's.
    ValueOfEarlierToken,
    /// Something else is there.
    ValueDiffers,
    /// Some of the name servers do not have the record yet.
    ServersBehind,
    /// The name servers fail.
    ServersFailing,
    /// The name servers refuse to answer.
    ServersRefusing,
    /// The name servers do not answer in time.
    ServersTimeOut,
    /// No way leads to the name servers.
    ServersUnreachable,
    /// Validating resolvers reject everything that the zone says.
    DnssecBroken,
    /// All is right, and AWS's check said no: it is made again.
    CheckFailed,
}

impl Diagnosis {
    /// The word of the return value and of notices.
    pub fn word(self) -> &'static str {
        match self {
            Self::IllegalName => "illegal-name",
            Self::NoPublicZone => "no-public-zone",
            Self::PrivateZoneOnly => "private-zone-only",
            Self::RecordRequired => "record-required",
            Self::ZoneUnreadable => "zone-unreadable",
            Self::RecordSetFull => "record-set-full",
            Self::RecordNotSimple => "record-not-simple",
            Self::ZoneNotDelegated => "zone-not-delegated",
            Self::ZoneDelegatedElsewhere => "zone-delegated-elsewhere",
            Self::RecordMissing => "record-missing",
            Self::RecordUnderDoubledName => "record-under-doubled-name",
            Self::ValueLowerCased => "value-lower-cased",
            Self::ValueQuotedTwice => "value-quoted-twice",
            Self::ValueCut => "value-cut",
            Self::ValueOfEarlierToken => "value-of-earlier-token",
            Self::ValueDiffers => "value-differs",
            Self::ServersBehind => "servers-behind",
            Self::ServersFailing => "servers-failing",
            Self::ServersRefusing => "servers-refusing",
            Self::ServersTimeOut => "servers-time-out",
            Self::ServersUnreachable => "servers-unreachable",
            Self::DnssecBroken => "dnssec-broken",
            Self::CheckFailed => "check-failed",
        }
    }

    /// Whether it may end by itself.
    pub fn passes(self) -> bool {
        match self {
            Self::RecordMissing
            | Self::ServersBehind
            | Self::ServersFailing
            | Self::ServersRefusing
            | Self::ServersTimeOut
            | Self::ServersUnreachable
            | Self::CheckFailed => true,
            Self::IllegalName
            | Self::NoPublicZone
            | Self::PrivateZoneOnly
            | Self::RecordRequired
            | Self::ZoneUnreadable
            | Self::RecordSetFull
            | Self::RecordNotSimple
            | Self::ZoneNotDelegated
            | Self::ZoneDelegatedElsewhere
            | Self::RecordUnderDoubledName
            | Self::ValueLowerCased
            | Self::ValueQuotedTwice
            | Self::ValueCut
            | Self::ValueOfEarlierToken
            | Self::ValueDiffers
            | Self::DnssecBroken => false,
        }
    }

    /// Whether all that is wanted is that a person publishes the record.
    pub fn asks_for_record(self) -> bool {
        matches!(self, Self::RecordRequired | Self::NoPublicZone | Self::PrivateZoneOnly)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word().replace('-', " "))
    }
}
