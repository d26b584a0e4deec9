//! Who is told what, and in which words: the rule of `availability-notifier`, and the form of every notice.
//!
//! - `plan`: which connections have something to be told, to whom, and the tags that mark it. [`plan_notices`].
//! - `effects`: what a plan of notices is made of.
//! - `claim`: who is about to tell, where two notifiers look at the same time.
//! - `told`: what a connection's tags remember of what was told before.
//! - `document`: the form that programs read. Its JSON Schema is `infra/notice.schema.json`.
//! - `text`: every sentence that a person reads, and every command. `steps`, `mail` and `shown` serve it.
//! - `domain`: the notices to the operators about private DNS names, for the rule that finds them.
//! - `message`: what SNS takes, never over its limit.
//!
//! There is no Cedar here: what the policy decided stands in the tags. A plan holds what a notice is made of and not
//! the notice, so that thousands of them cost little until each is published.

mod claim;
mod document;
mod domain;
mod effects;
mod mail;
mod message;
pub(crate) mod names;
mod plan;
pub(crate) mod shown;
mod steps;
mod text;
mod told;

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

use crate::ids::TopicArn;
use crate::observed::{Connection, Service};
use crate::policy::Consumer;

pub use claim::Claim;
pub use document::{Document, Step};
pub use domain::{DomainNews, DomainNotice, Record};
pub use effects::{Mark, NoticeEffect, Publish, Target};
pub use message::{LARGEST_MESSAGE, Message};
pub use plan::{NoticeSettings, is_under_way, plan_notices};
pub use told::remember;

/// What a notice is about, in the word of its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Kind {
    /// A connection is ready for traffic.
    EndpointConnectionAvailable,
    /// A connection was turned away, or cut.
    EndpointConnectionRejected,
    /// AWS could not make a connection ready.
    EndpointConnectionFailed,
    /// Nobody accepted a connection in time.
    EndpointConnectionExpired,
    /// A connection waits for a person.
    EndpointConnectionHeld,
    /// A person must publish the record that proves a private DNS name.
    DomainRecordRequired,
    /// The proof of a private DNS name failed.
    DomainVerificationFailed,
    /// A private DNS name was proved, and is no longer.
    DomainVerificationLost,
    /// A private DNS name is proved.
    DomainVerified,
    /// A notice could not be delivered.
    NoticeUndeliverable,
}

impl Kind {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::EndpointConnectionAvailable => "EndpointConnectionAvailable",
            Self::EndpointConnectionRejected => "EndpointConnectionRejected",
            Self::EndpointConnectionFailed => "EndpointConnectionFailed",
            Self::EndpointConnectionExpired => "EndpointConnectionExpired",
            Self::EndpointConnectionHeld => "EndpointConnectionHeld",
            Self::DomainRecordRequired => "DomainRecordRequired",
            Self::DomainVerificationFailed => "DomainVerificationFailed",
            Self::DomainVerificationLost => "DomainVerificationLost",
            Self::DomainVerified => "DomainVerified",
            Self::NoticeUndeliverable => "NoticeUndeliverable",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A notice about a connection: all that it is made of, and none of its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice<'o> {
    pub(crate) news: News<'o>,
    pub(crate) service: &'o Service,
    pub(crate) connection: &'o Connection,
    pub(crate) consumer: Option<&'o Consumer>,
    pub(crate) time: OffsetDateTime,
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News<'o> {
    Available,
    Rejected,
    Failed,
    Expired,
    /// It waits for a person, as do those others of the same account and service.
    Held {
        others: Vec<&'o Connection>,
    },
    /// The service's private DNS name is proved.
    Verified,
    Undeliverable(Undelivered<'o>),
}

/// A notice that did not arrive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Undelivered<'o> {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) topic: Option<&'o TopicArn>,
    /// SNS's error code.
    pub(crate) code: String,
}

impl Notice<'_> {
    /// Its type.
    pub fn kind(&self) -> Kind {
        match &self.news {
            News::Available => Kind::EndpointConnectionAvailable,
            News::Rejected => Kind::EndpointConnectionRejected,
            News::Failed => Kind::EndpointConnectionFailed,
            News::Expired => Kind::EndpointConnectionExpired,
            News::Held { .. } => Kind::EndpointConnectionHeld,
            News::Verified => Kind::DomainVerified,
            News::Undeliverable(_) => Kind::NoticeUndeliverable,
        }
    }

    /// What every copy of it bears: one for each connection and state.
    pub fn id(&self) -> String {
        // A connection without an id of its own is never told of; its endpoint's would still be right.
        let connection = self.connection.id.as_ref().map_or(self.connection.endpoint.as_str(), |id| id.as_str());
        match &self.news {
            News::Available => format!("{connection}/{}", told::AVAILABLE),
            News::Rejected => format!("{connection}/{}", told::REJECTED),
            News::Failed => format!("{connection}/{}", told::FAILED),
            News::Expired => format!("{connection}/{}", told::EXPIRED),
            News::Held { .. } => format!("{connection}/{}", told::HELD),
            News::Verified => {
                let name = names::verified(self.service).map(|name| name.to_string());
                format!("{connection}/verified/{}", name.unwrap_or_default())
            }
            News::Undeliverable(undelivered) => format!("{}/undeliverable", undelivered.id),
        }
    }

    /// What programs read of it.
    pub fn document(&self) -> Document<'_> {
        Document::of(self)
    }

    /// What SNS takes of it.
    pub fn message(&self) -> Message {
        Message::new(mail::subject_of(self), self.document(), &mail::of(self))
    }
}

#[cfg(test)]
mod tests;
