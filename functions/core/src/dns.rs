//! What the world's DNS says of one TXT record: facts that the shell asks for, and nothing that it concluded.
//!
//! A domain's own name servers are asked one by one, because that is what shows which of them is behind; a recursive
//! resolver would show whatever it happened to keep.

use std::fmt;
use std::net::IpAddr;

use crate::ids::DnsName;

/// Everything that was found out about a TXT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The record's whole name: `_6e86v84tqgqubxbwii1m.example.com`.
    pub record: DnsName,
    /// Which zone the record belongs to in the eyes of the world, and who is named to answer for it.
    pub delegation: Delegation,
    /// Whether servers that were given were asked, rather than those that are named for the zone: then the world may
    /// ask others.
    pub given: bool,
    /// What each name server that could be asked answered.
    pub answers: Vec<ServerAnswer>,
    /// Name servers that have only addresses of a kind that does not work from here. They are not behind: they were not
    /// asked.
    pub passed_over: Vec<String>,
    /// What stands at the record's name with the zone's name once more behind it, which is what some DNS hosts make of
    /// a whole name. Asked for only where the record was not found.
    pub doubled: Option<Answer>,
    /// What a validating resolver has to go by.
    pub signatures: Signatures,
}

/// Who answers for a name in the eyes of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delegation {
    /// The closest zone above the record that is delegated, and the name servers that are named for it by the zone above,
    /// in order. Where none of them answers, a zone below it may be delegated too: they would be the ones to say so. Only
    /// a top-level domain is never named on such ground.
    To {
        /// The zone.
        zone: DnsName,
        /// Its name servers.
        servers: Vec<DnsName>,
    },
    /// Not even a name's top-level domain answers for it.
    Nobody,
    /// It could not be found out.
    Unknown(Trouble),
}

/// What one name server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAnswer {
    /// The server's name; its address, where it was named by that alone.
    pub server: String,
    /// The address that was asked; nothing where the server's name has none, or it could not be found out.
    pub address: Option<IpAddr>,
    /// The answer.
    pub answer: Answer,
}

/// An answer to a question for TXT records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Their values, each with its strings put together, as bytes.
    Values(Vec<Vec<u8>>),
    /// The name exists, and has no TXT record.
    NoRecord,
    /// The name does not exist.
    NoName,
    /// There was no answer that says anything of the record.
    Trouble(Trouble),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// `SERVFAIL`.
    ServFail,
    /// `REFUSED`.
    Refused,
    /// The server does not answer for the zone, though it is named for it.
    NotAuthoritative,
    /// Nothing came in time.
    TimedOut,
    /// It could not be reached, with the cause.
    Unreachable(String),
    /// Something else, in a few words.
    Other(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServFail => f.write_str("SERVFAIL"),
            Self::Refused => f.write_str("REFUSED"),
            Self::NotAuthoritative => f.write_str("not authoritative"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable(why) => write!(f, "not reachable ({why})"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// What the parent's DS records and the zone's keys say of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signatures {
    /// The parent has no DS record: nobody asks for signatures.
    Unsigned,
    /// A key of the zone is the one that the parent names, and the record's signature is of now.
    Sound,
    /// They do not fit, and validating resolvers answer `SERVFAIL`. In a few words, why.
    Broken(String),
    /// It could not be found out, or was not asked for.
    Unknown,
}
