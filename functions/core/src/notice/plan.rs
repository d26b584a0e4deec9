//! Which connections have something to be told, to whom, and the tags that mark it.
//!
//! Whoever was told stands in the connection's own tags, so that a connection that goes pending and available again
//! because its consumer changed it is told of nothing. A state that nobody knows is reported and not told.

use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;

use super::told::{self, Told};
use super::{News, Notice, Undelivered, names};
use crate::ids::{AccountId, ConnectionId, EndpointId, ServiceId, TopicArn};
use crate::observed::{
    Connection, EndpointState, Observed, Service, TAG_DECISION, TAG_NOTIFIED, TAG_NOTIFIED_DOMAIN, TAG_NOTIFYING,
    Unreadable,
};
use crate::plan::{EffectKind, Plan, Reason, Skip};
use crate::policy::Consumers;
use crate::report::Thing;

/// What the product's own tags begin with.
const OWN_TAGS: &str = "privatelink:";

/// To whom notices go, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeSettings {
    /// The topic for consumers that name none of their own.
    pub default_topic: TopicArn,
    /// The topic for the operators; without it what is theirs goes to the log.
    pub operator_topic: Option<TopicArn>,
    /// An older connection without a tag of this product's is known as it is found, and not told of that.
    pub notify_since: Option<OffsetDateTime>,
}

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
    /// The value of [`TAG_NOTIFYING`] for whoever has to see, before it publishes, that tags can be written: the states
    /// that were told, and the one that is about to be.
    pub claim: String,
}

/// Decides who is told what.
pub fn plan_notices<'o>(
    observed: &'o Observed,
    consumers: &'o Consumers,
    settings: &'o NoticeSettings,
    now: OffsetDateTime,
) -> Plan<NoticeEffect<'o>> {
    let Observed { services, connections, foreign, unreadable } = observed;
    let mut planner = Planner { consumers, settings, now, held: BTreeMap::new(), plan: Plan::default() };
    let mut connections: Vec<_> = connections.iter().collect();
    // One that two pages of an answer show is one.
    connections.sort_by_key(|c| (&c.service, c.created, &c.endpoint, c.state.word()));
    connections.dedup_by_key(|c| (&c.service, &c.endpoint));
    for connection in connections {
        if let Some(service) = services.get(&connection.service) {
            planner.connection(service, connection);
        }
    }
    let mut plan = planner.finish();
    plan.skipped.extend(foreign.iter().map(|service| Skip::service(service, Reason::Foreign)));
    plan.skipped.extend(unreadable.iter().map(|Unreadable { service, endpoint, fault }| Skip {
        service_id: service.clone(),
        endpoint_id: endpoint.clone(),
        reason: Reason::UnknownState,
        policy: Vec::new(),
        nearest: Vec::new(),
        detail: Some(fault.clone()),
        fix: None,
    }));
    plan
}

/// Whether something is on its way that will be told of when it has come, without anybody's doing.
pub fn is_under_way(observed: &Observed) -> bool {
    let accepted = |connection: &Connection| connection.tags.get(TAG_DECISION).is_some_and(|d| d == "accepted");
    observed.connections.iter().any(|connection| match connection.state {
        EndpointState::Pending => true,
        // It was accepted, and the read lags behind that.
        EndpointState::PendingAcceptance => accepted(connection),
        EndpointState::Available
        | EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired
        | EndpointState::Deleting
        | EndpointState::Deleted
        | EndpointState::Unknown(_) => false,
    })
}

struct Planner<'o> {
    consumers: &'o Consumers,
    settings: &'o NoticeSettings,
    now: OffsetDateTime,
    /// What waits for a person and was not told, by service and account, the oldest first.
    held: BTreeMap<(&'o ServiceId, &'o AccountId), Vec<Held<'o>>>,
    plan: Plan<NoticeEffect<'o>>,
}

struct Held<'o> {
    service: &'o Service,
    connection: &'o Connection,
    mark: Mark<'o>,
}

impl<'o> Planner<'o> {
    fn connection(&mut self, service: &'o Service, connection: &'o Connection) {
        let told = Told::of(&connection.tags);
        let (news, state) = match &connection.state {
            EndpointState::Unknown(word) => {
                let shown: String = word.chars().take(64).collect();
                let detail = format!("the state `{shown}` is not known; nobody is told");
                return self.skip_because(connection, Reason::UnknownState, detail);
            }
            // Who deletes an endpoint knows it.
            EndpointState::Deleting | EndpointState::Deleted => return self.skip(connection, Reason::AlreadyRight),
            _ if self.is_known(connection) => return self.know(service, connection),
            EndpointState::Pending => return self.skip(connection, Reason::NotReady),
            EndpointState::PendingAcceptance if !is_held(connection) => {
                return self.skip(connection, Reason::NotReady);
            }
            EndpointState::PendingAcceptance => (News::Held { others: Vec::new() }, told::HELD),
            EndpointState::Available => (News::Available, told::AVAILABLE),
            EndpointState::Rejected => (News::Rejected, told::REJECTED),
            EndpointState::Failed => (News::Failed, told::FAILED),
            EndpointState::Expired => (News::Expired, told::EXPIRED),
        };
        let verified = names::verified(service).filter(|_| news == News::Available).map(|name| name.to_string());
        let verified = verified.filter(|name| connection.tags.get(TAG_NOTIFIED_DOMAIN) != Some(name));
        let (news, state, domain) = match (told.contains(state), verified) {
            (false, verified) => (news, Some(state), verified),
            (true, Some(verified)) => (News::Verified, None, Some(verified)),
            (true, None) => return self.skip(connection, Reason::AlreadyTold),
        };
        let Some(id) = &connection.id else {
            let detail = "AWS gave no id of the connection, so that no tag can be written: nobody is told";
            return self.skip_because(connection, Reason::UnknownState, detail.to_owned());
        };
        let mut tags = state.map(|state| told.with(state)).unwrap_or_default();
        tags.extend(domain.map(|name| (TAG_NOTIFIED_DOMAIN, name)));
        let mark = Mark::new(connection, id, tags, told.claim(state));
        if matches!(news, News::Held { .. }) {
            let group = self.held.entry((&service.id, &connection.owner)).or_default();
            return group.push(Held { service, connection, mark });
        }
        let consumer = self.consumers.of(&connection.owner);
        let topic = consumer.and_then(|consumer| consumer.topic.as_ref()).unwrap_or(&self.settings.default_topic);
        let notice = Notice { news, service, connection, consumer, time: self.now };
        self.plan.effects.push(NoticeEffect::Publish(Publish { notice, to: Target::Topic(topic), marks: vec![mark] }));
    }

    /// Whether a connection was there before anybody was to be told, and nothing of this product's has touched it.
    fn is_known(&self, connection: &Connection) -> bool {
        self.settings.notify_since.is_some_and(|since| connection.created < since)
            && !connection.tags.keys().any(|key| key.starts_with(OWN_TAGS))
    }

    fn know(&mut self, service: &Service, connection: &'o Connection) {
        if let Some(id) = &connection.id {
            let verified = names::verified(service).map(|name| name.to_string());
            let tags = told::known(&connection.state, verified);
            self.plan.effects.push(NoticeEffect::Mark(Mark::new(connection, id, tags, String::new())));
        }
        self.skip(connection, Reason::BeforeNotifySince);
    }

    fn skip(&mut self, connection: &Connection, reason: Reason) {
        self.plan.skipped.push(Skip::connection(&connection.service, &connection.endpoint, reason));
    }

    fn skip_because(&mut self, connection: &Connection, reason: Reason, detail: String) {
        let skip = Skip::connection(&connection.service, &connection.endpoint, reason);
        self.plan.skipped.push(Skip { detail: Some(detail), ..skip });
    }

    /// What one account has waiting at one service is one notice.
    fn finish(self) -> Plan<NoticeEffect<'o>> {
        let Self { consumers, settings, now, held, mut plan } = self;
        let to = settings.operator_topic.as_ref().map_or(Target::Log, Target::Topic);
        for group in held.into_values() {
            let mut others = Vec::with_capacity(group.len());
            let mut marks = Vec::with_capacity(group.len());
            let mut oldest = None;
            for Held { service, connection, mark } in group {
                marks.push(mark);
                match oldest {
                    None => oldest = Some((service, connection)),
                    Some(_) => others.push(connection),
                }
            }
            if let Some((service, connection)) = oldest {
                let consumer = consumers.of(&connection.owner);
                let notice = Notice { news: News::Held { others }, service, connection, consumer, time: now };
                plan.effects.push(NoticeEffect::Publish(Publish { notice, to, marks }));
            }
        }
        plan
    }
}

fn is_held(connection: &Connection) -> bool {
    connection.tags.get(TAG_DECISION).is_some_and(|decision| decision == told::HELD)
}

impl<'o> Mark<'o> {
    fn new(connection: &'o Connection, id: &'o ConnectionId, tags: Vec<(&'static str, String)>, claim: String) -> Self {
        Self { service: &connection.service, endpoint: &connection.endpoint, connection: id, tags, claim }
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
        let Connection { service, endpoint, .. } = self.notice.connection;
        Thing { service: service.clone(), endpoint: Some(endpoint.clone()), more }
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
