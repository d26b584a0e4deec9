//! Which connections are accepted, rejected or held: the rule of `connection-acceptor`.
//!
//! Only what is `pendingAcceptance` is judged, the oldest request first, and whoever was accepted before counts for
//! whoever comes after. On any doubt a connection stays as it is, and is reported.

use std::collections::HashMap;

use time::OffsetDateTime;

use crate::ids::AccountId;
use crate::observed::{Connection, EndpointState, Observed, Service, TAG_DECISION, TAG_POLICY};
use crate::plan::{Decided, Effect, Plan, Reason, Skip, policy_tag};
use crate::policy::{Consumers, Counts, Decision, Facts, HoldReason, Policy, Verdict};

/// Decides about everything that was observed.
pub fn plan_acceptance(policy: &Policy, observed: &Observed, now: OffsetDateTime) -> Plan {
    let Observed { services, connections, foreign, unreadable } = observed;
    let mut plan = Plan::default();
    for service in services.values() {
        plan_service(policy, service, in_order(connections, service), now, &mut plan);
    }
    plan.skipped.extend(foreign.iter().map(|service| Skip::service(service, Reason::Foreign)));
    plan.skipped.extend(unreadable.iter().map(Skip::unreadable));
    plan
}

/// Everything that is judged, each with what it was judged by: for whoever wants to see more than what is to be done.
pub fn judge_all<'o>(policy: &Policy, observed: &'o Observed, now: OffsetDateTime) -> Vec<Judged<'o>> {
    let services = observed.services.values();
    let judged = services.map(|service| judge_service(policy, service, in_order(&observed.connections, service), now));
    judged.flat_map(Result::unwrap_or_default).collect()
}

/// A service's connections, the oldest first.
fn in_order<'o>(connections: &'o [Connection], service: &Service) -> Vec<&'o Connection> {
    let mut connections: Vec<_> = connections.iter().filter(|connection| connection.service == service.id).collect();
    connections.sort_by(|a, b| (a.created, &a.endpoint).cmp(&(b.created, &b.endpoint)));
    connections
}

fn plan_service(
    policy: &Policy,
    service: &Service,
    connections: Vec<&Connection>,
    now: OffsetDateTime,
    plan: &mut Plan,
) {
    if !service.acceptance_required {
        plan.skipped.push(Skip::service(&service.id, Reason::AcceptanceNotRequired));
    }
    let still = connections.iter().filter(|connection| !is_judged(connection));
    plan.skipped.extend(still.map(|connection| leave(connection)));
    match judge_service(policy, service, connections, now) {
        Ok(judged) => judged.into_iter().for_each(|judged| decide(judged, plan)),
        Err(error) => {
            let detail = Some(format!("the service can not be judged: {error}"));
            plan.skipped.push(Skip { detail, ..Skip::service(&service.id, Reason::PolicyError) });
        }
    }
}

/// A connection with what it was judged by, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<'o> {
    /// The connection.
    pub connection: &'o Connection,
    /// What it was judged by.
    pub facts: Facts,
    /// What the policy says of it.
    pub verdict: Verdict,
}

/// Judges those of a service's connections that wait or are live, in the order in which they come.
fn judge_service<'o>(
    policy: &Policy,
    service: &Service,
    connections: Vec<&'o Connection>,
    now: OffsetDateTime,
) -> Result<Vec<Judged<'o>>, Box<dyn std::error::Error + Send + Sync>> {
    let judge = policy.at(service)?;
    let mut census = Census::of(policy.consumers(), &connections);
    let waits = |connection: &&Connection| connection.state == EndpointState::PendingAcceptance;
    let (waiting, others): (Vec<_>, Vec<_>) = connections.into_iter().filter(|c| is_judged(c)).partition(waits);

    let mut judged = Vec::with_capacity(waiting.len() + others.len());
    for connection in others {
        // As if it asked today: how old a connection is says nothing about a request that was answered long ago.
        let facts = facts(&census, service, connection, 0);
        judged.push(Judged { connection, verdict: judge.judge(&facts), facts });
    }
    for connection in waiting {
        let facts = facts(&census, service, connection, (now - connection.created).whole_seconds().max(0));
        let verdict = judge.judge(&facts);
        if verdict.decision == Decision::Accept {
            census.accepted(connection);
        }
        judged.push(Judged { connection, facts, verdict });
    }
    Ok(judged)
}

fn is_judged(connection: &Connection) -> bool {
    connection.state.is_live() || connection.state == EndpointState::PendingAcceptance
}

/// A connection about which there is nothing to judge.
fn leave(connection: &Connection) -> Skip {
    let skip = |reason| Skip::connection(&connection.service, &connection.endpoint, reason);
    match &connection.state {
        EndpointState::Unknown(word) => {
            let shown: String = word.chars().take(64).collect();
            Skip { detail: Some(format!("the state `{shown}` is not known")), ..skip(Reason::UnknownState) }
        }
        EndpointState::PendingAcceptance
        | EndpointState::Pending
        | EndpointState::Available
        | EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired
        | EndpointState::Deleting
        | EndpointState::Deleted => skip(Reason::NotPending),
    }
}

fn facts(census: &Census<'_>, service: &Service, connection: &Connection, age_seconds: i64) -> Facts {
    Facts {
        account: connection.owner.clone(),
        endpoint_id: connection.endpoint.clone(),
        endpoint_region: connection.region.clone(),
        cross_region: connection.region != service.region,
        ip_address_type: connection.ip_address_type.clone(),
        age_seconds,
        counts: census.without(connection),
    }
}

fn decide(judged: Judged<'_>, plan: &mut Plan) {
    let Judged { connection, facts, verdict: Verdict { decision, policies, nearest, errors } } = judged;
    if connection.state.is_live() {
        // Nothing is done to it, and it is said if the policy would not let it in today.
        let reason = if decision == Decision::Accept { Reason::NotPending } else { Reason::NoLongerPermitted };
        let skip = Skip::connection(&connection.service, &connection.endpoint, reason);
        let policy = if decision == Decision::Accept { Vec::new() } else { policies };
        return plan.skipped.push(Skip { policy, nearest, ..skip });
    }
    let tagged = |key: &str| connection.tags.get(key).map(String::as_str);
    let value = policy_tag(&policies);
    let decided = Decided {
        service: connection.service.clone(),
        endpoint: connection.endpoint.clone(),
        connection: connection.id.clone(),
        policy: policies.clone(),
        facts,
    };
    let reason = match decision {
        Decision::Accept => return plan.effects.push(Effect::Accept(decided)),
        Decision::Reject => return plan.effects.push(Effect::Reject(decided)),
        Decision::Hold(HoldReason::NoPolicyMatched) => Reason::NoPolicyMatched,
        Decision::Hold(HoldReason::Forbidden) => Reason::Forbidden,
        Decision::Hold(HoldReason::PolicyError) => Reason::PolicyError,
    };
    match (tagged(TAG_DECISION), tagged(TAG_POLICY)) {
        // Without the connection's own id there is nothing that could be tagged.
        _ if decided.connection.is_none() => {}
        (Some("held"), Some(policy)) if policy == value => {}
        (Some("held"), _) => plan.effects.push(Effect::Tag(decided)),
        (_, _) => plan.effects.push(Effect::Hold(decided)),
    }
    plan.skipped.push(Skip {
        policy: policies,
        nearest,
        detail: (!errors.is_empty()).then(|| errors.join("; ")),
        ..Skip::connection(&connection.service, &connection.endpoint, reason)
    });
}

/// How many connections a service has, by whom.
struct Census<'c> {
    consumers: &'c Consumers,
    by_account: HashMap<&'c AccountId, i64>,
    by_consumer: HashMap<&'c str, i64>,
    all: i64,
}

impl<'c> Census<'c> {
    fn of(consumers: &'c Consumers, connections: &[&'c Connection]) -> Self {
        let mut census = Self { consumers, by_account: HashMap::new(), by_consumer: HashMap::new(), all: 0 };
        for connection in connections.iter().filter(|connection| counts(connection)) {
            census.add(connection);
        }
        census
    }

    /// One that was not counted before now is, whether or not the call that accepts it will succeed.
    fn accepted(&mut self, connection: &'c Connection) {
        if !counts(connection) {
            self.add(connection);
        }
    }

    fn add(&mut self, connection: &'c Connection) {
        self.all += 1;
        *self.by_account.entry(&connection.owner).or_default() += 1;
        if let Some(consumer) = self.consumers.of(&connection.owner) {
            *self.by_consumer.entry(&consumer.name).or_default() += 1;
        }
    }

    /// What one connection is judged by: all the others.
    fn without(&self, connection: &Connection) -> Counts {
        let itself = i64::from(counts(connection));
        let account = self.by_account.get(&connection.owner).copied().unwrap_or(0);
        let consumer = match self.consumers.of(&connection.owner) {
            Some(consumer) => self.by_consumer.get(consumer.name.as_str()).copied().unwrap_or(0),
            None => account,
        };
        Counts {
            account_connections: account - itself,
            consumer_connections: consumer - itself,
            service_connections: self.all - itself,
        }
    }
}

/// Whether a connection counts: it is live, or it was accepted and the read lags behind that.
fn counts(connection: &Connection) -> bool {
    let accepted = || connection.tags.get(TAG_DECISION).is_some_and(|decision| decision == "accepted");
    connection.state.is_live() || (connection.state == EndpointState::PendingAcceptance && accepted())
}
