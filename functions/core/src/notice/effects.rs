//! What the notifier does: notices that are published and tags that are written, and what is said of both.

use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;

use super::{Claim, Kind, News, Notice, Undelivered};
use crate::ids::{ConnectionId, EndpointId, ServiceId, TopicArn};
use crate::observed::{Connection, TAG_NOTIFIED, TAG_NOTIFIED_DOMAIN, TAG_NOTIFYING};
use crate::plan::EffectKind;
use crate::report::Thing;

/// One thing that the notifier does.
#[derive(Debug, Clone, PartialEq)]
pub enum NoticeEffect<'o> {
    /// Publish a notice, then mark what it told of.
    Publish(Publish<'o>),
    /// Mark a connection as known, and tell nobody.
    Mark(Mark<'o>),
}

/// A notice, where it goes, and what remembers that it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish<'o> {
    /// The notice.
    pub notice: Notice<'o>,
    /// Where it goes.
    pub to: Target<'o>,
    /// The connections that it tells of, one or, where several are held, many.
    pub marks: Vec<Mark<'o>>,
}

/// Where a notice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'o> {
    /// To a topic.
    Topic(&'o TopicArn),
    /// To the log: it is the operators', and they have no topic.
    Log,
}

/// A connection, and the tags that remember what was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark<'o> {
    /// The service.
    pub service: &'o ServiceId,
    /// The consumer's endpoint.
    pub endpoint: &'o EndpointId,
    /// What bears the tags.
    pub connection: &'o ConnectionId,
    /// What is written when it was told.
    pub tags: Vec<(&'static str, String)>,
    /// The states that were told and the one that is about to be: what a claim's [`TAG_NOTIFYING`] begins with.
    pub claim: String,
}

impl<'o> Mark<'o> {
    pub(super) fn new(
        connection: &'o Connection,
        id: &'o ConnectionId,
        tags: Vec<(&'static str, String)>,
        claim: String,
    ) -> Self {
        Self { service: &connection.service, endpoint: &connection.endpoint, connection: id, tags, claim }
    }

    /// What is written before it is told.
    pub fn claimed(&self, claim: Claim) -> Self {
        let value = format!("{} {claim}", self.claim);
        Self { tags: vec![(TAG_NOTIFYING, value)], claim: String::new(), ..*self }
    }

    /// What the return value says of it, under [`EffectKind::Tag`].
    pub fn thing(&self) -> Thing {
        let named = |key: &str| match key {
            TAG_NOTIFIED => Some("notified"),
            TAG_NOTIFIED_DOMAIN => Some("notifiedDomain"),
            TAG_NOTIFYING => Some("notifying"),
            _ => None,
        };
        let more = self.tags.iter().filter_map(|(key, value)| Some((named(key)?, value.clone())));
        Thing { service: self.service.clone(), endpoint: Some(self.endpoint.clone()), more: more.collect() }
    }
}

impl<'o> Publish<'o> {
    /// What the return value says of it, under [`EffectKind::Publish`].
    pub fn thing(&self) -> Thing {
        let mut more = BTreeMap::from([("type", self.notice.kind().to_string()), ("id", self.notice.id())]);
        if let Target::Topic(topic) = self.to {
            more.insert("topicArn", topic.to_string());
        }
        let Connection { service, endpoint, owner, .. } = self.notice.connection;
        // By it the log is searched for what was done for a consumer.
        more.insert("consumerAccount", owner.to_string());
        Thing { service: service.clone(), endpoint: Some(endpoint.clone()), more }
    }

    /// Where it tells a consumer that its connection is available: the service, and how many seconds it took since the
    /// connection was made.
    pub fn time_to_available(&self, now: OffsetDateTime) -> Option<(ServiceId, u64)> {
        let Connection { service, created, .. } = self.notice.connection;
        let took = u64::try_from((now - *created).whole_seconds()).unwrap_or(0);
        (self.notice.kind() == Kind::EndpointConnectionAvailable).then(|| (service.clone(), took))
    }

    /// The notice to the operators that this one was refused, with SNS's code. It marks nothing.
    pub fn undeliverable(&self, code: &str) -> Notice<'o> {
        let topic = match self.to {
            Target::Topic(topic) => Some(topic),
            Target::Log => None,
        };
        let (kind, id) = (self.notice.kind(), self.notice.id());
        let news = News::Undeliverable(Undelivered { kind, id, topic, code: code.to_owned() });
        Notice { news, ..self.notice.clone() }
    }
}

impl NoticeEffect<'_> {
    /// What is done, in the word of the return value.
    pub fn kind(&self) -> EffectKind {
        match self {
            Self::Publish(_) => EffectKind::Publish,
            Self::Mark(_) => EffectKind::Tag,
        }
    }

    /// What the return value says of it.
    pub fn thing(&self) -> Thing {
        match self {
            Self::Publish(publish) => publish.thing(),
            Self::Mark(mark) => mark.thing(),
        }
    }
}

impl fmt::Display for NoticeEffect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7}  ", self.kind())?;
        match self {
            Self::Publish(Publish { notice, to, marks }) => {
                let Connection { service, endpoint, owner, .. } = notice.connection;
                write!(f, "{} of {endpoint} of {owner} to {service}", notice.kind())?;
                if marks.len() > 1 {
                    write!(f, " and {} more", marks.len() - 1)?;
                }
                match to {
                    Target::Topic(topic) => write!(f, ", through {topic}"),
                    Target::Log => write!(f, ", in the log"),
                }
            }
            Self::Mark(Mark { service, endpoint, connection: _, tags, claim: _ }) => {
                let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "{endpoint} to {service}: {}", tags.join(", "))
            }
        }
    }
}
