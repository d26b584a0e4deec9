//! Which connections are accepted, rejected or held: the rule of `connection-acceptor`.
//!
//! Only what is `pendingAcceptance` is judged, the oldest request first, and whoever was accepted before counts for
//! whoever comes after. On any doubt a connection stays as it is, and is reported.

use std::collections::HashMap;

use time::OffsetDateTime;

use crate::ids::AccountId;
use crate::observed::{Connection, EndpointState, Observed, Service, TAG_DECISION, TAG_POLICY, Unreadable};
use crate::plan::{Decided, Effect, Plan, Reason, Skip, policy_tag};
use crate::policy::{Consumers, Counts, Decision, Facts, HoldReason, Judge, Policy, Verdict};

/// Decides about everything that was observed.
pub fn plan_acceptance(policy: &Policy, observed: &Observed, now: OffsetDateTime) -> Plan {
    let Observed { services, connections, foreign, unreadable } = observed;
    let mut plan = Plan::default();
    for service in services.values() {
        let of_service = connections.iter().filter(|connection| connection.service == service.id);
        plan_service(policy, service, of_service.collect(), now, &mut plan);
    }
    plan.skipped.extend(foreign.iter().map(|service| Skip::service(service, Reason::Foreign)));
    plan.skipped.extend(unreadable.iter().map(|Unreadable { service, endpoint, fault }| Skip {
        service_id: service.clone(),
        endpoint_id: endpoint.clone(),
        reason: Reason::UnknownState,
        policy: Vec::new(),
        nearest: Vec::new(),
        detail: Some(fault.clone()),
    }));
    plan
}

fn plan_service(
    policy: &Policy,
    service: &Service,
    mut connections: Vec<&Connection>,
    now: OffsetDateTime,
    plan: &mut Plan,
) {
    if !service.acceptance_required {
        plan.skipped.push(Skip::service(&service.id, Reason::AcceptanceNotRequired));
    }
    let judge = match policy.at(service) {
        Ok(judge) => judge,
        Err(error) => {
            let detail = Some(format!("the service can not be judged: {error}"));
            return plan.skipped.push(Skip { detail, ..Skip::service(&service.id, Reason::PolicyError) });
        }
    };
    connections.sort_by(|a, b| (a.created, &a.endpoint).cmp(&(b.created, &b.endpoint)));
    let mut census = Census::of(policy.consumers(), &connections);
    let (waiting, others): (Vec<_>, Vec<_>) =
        connections.into_iter().partition(|connection| connection.state == EndpointState::PendingAcceptance);

    for connection in others {
        plan.skipped.push(leave(&judge, &census, service, connection));
    }
    for connection in waiting {
        let facts = facts(&census, service, connection, (now - connection.created).whole_seconds().max(0));
        let verdict = judge.judge(&facts);
        if verdict.decision == Decision::Accept {
            census.accepted(connection);
        }
        decide(connection, facts, verdict, plan);
    }
}

/// A connection that does not wait: nothing is done to it, and it is said if the policy would not let it in today.
fn leave(judge: &Judge<'_>, census: &Census<'_>, service: &Service, connection: &Connection) -> Skip {
    let skip = |reason| Skip::connection(&service.id, &connection.endpoint, reason);
    if let EndpointState::Unknown(word) = &connection.state {
        let shown: String = word.chars().take(64).collect();
        return Skip { detail: Some(format!("the state `{shown}` is not known")), ..skip(Reason::UnknownState) };
    }
    if !connection.state.is_live() {
        return skip(Reason::NotPending);
    }
    // Judged as if it asked today: how old a connection is says nothing about a request that was answered long ago.
    let verdict = judge.judge(&facts(census, service, connection, 0));
    match verdict.decision {
        Decision::Accept => skip(Reason::NotPending),
        Decision::Reject | Decision::Hold(_) => {
            Skip { policy: verdict.policies, nearest: verdict.nearest, ..skip(Reason::NoLongerPermitted) }
        }
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

fn decide(connection: &Connection, facts: Facts, verdict: Verdict, plan: &mut Plan) {
    let Verdict { decision, policies, nearest, errors } = verdict;
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
