//! Which connections have something to be told, to whom, and the tags that mark it.
//!
//! Whoever was told stands in the connection's own tags, so that a connection that goes pending and available again
//! because its consumer changed it is told of nothing. A state that nobody knows is reported and not told.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::told::{self, Told};
use super::{Mark, News, Notice, NoticeEffect, Publish, Target, names};
use crate::ids::{AccountId, ServiceId, TopicArn};
use crate::observed::{Connection, EndpointState, Observed, Service, TAG_DECISION, TAG_NOTIFIED_DOMAIN};
use crate::plan::{Plan, Reason, Skip};
use crate::policy::Consumers;

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
    plan.skipped.extend(unreadable.iter().map(Skip::unreadable));
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
        let mut tags = state.map_or_else(|| told.as_it_is(), |state| told.with(state));
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

/// Whether the policy held it, whatever a person decided since.
pub(super) fn is_held(connection: &Connection) -> bool {
    connection.tags.get(TAG_DECISION).is_some_and(|decision| decision == told::HELD)
}
