//! What another policy would decide differently about the connections that are there.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

use crate::accept::{Judged, judge_all};
use crate::ids::{AccountId, EndpointId, ServiceId};
use crate::observed::{Connection, Observed};
use crate::policy::{Decision, Policy, Verdict};

/// A connection about which two policies disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The service.
    pub service_id: ServiceId,
    /// The consumer's endpoint.
    pub endpoint_id: EndpointId,
    /// Its account.
    pub account: AccountId,
    /// Whether it is live already: then nothing is done to it, whatever is decided.
    pub live: bool,
    /// What the policy in force decides; nothing where it can not judge the service.
    pub before: Option<Side>,
    /// What the other one would decide.
    pub after: Option<Side>,
}

/// What one of them decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `accept`, `reject` or `hold`.
    pub decision: &'static str,
    /// The policies behind it.
    pub policy: Vec<String>,
}

/// Judges everything by both policies, and keeps that about which they disagree, in the order of services and endpoints.
pub fn changes(before: &Policy, after: &Policy, observed: &Observed, now: OffsetDateTime) -> Vec<Change> {
    let mut changes: BTreeMap<(&ServiceId, &EndpointId), Change> = BTreeMap::new();
    let at = |connection: &Connection| Change {
        service_id: connection.service.clone(),
        endpoint_id: connection.endpoint.clone(),
        account: connection.owner.clone(),
        live: connection.state.is_live(),
        before: None,
        after: None,
    };
    for Judged { connection, facts: _, verdict } in judge_all(before, observed, now) {
        let change = changes.entry((&connection.service, &connection.endpoint)).or_insert_with(|| at(connection));
        change.before = Some(Side::of(verdict));
    }
    for Judged { connection, facts: _, verdict } in judge_all(after, observed, now) {
        let change = changes.entry((&connection.service, &connection.endpoint)).or_insert_with(|| at(connection));
        change.after = Some(Side::of(verdict));
    }
    let decision = |side: &Option<Side>| side.as_ref().map(|side| side.decision);
    changes.into_values().filter(|change| decision(&change.before) != decision(&change.after)).collect()
}

impl Side {
    fn of(verdict: Verdict) -> Self {
        let Verdict { decision, policies, nearest, errors: _ } = verdict;
        let (decision, policy) = match decision {
            Decision::Accept => ("accept", policies),
            Decision::Reject => ("reject", policies),
            // What forbade it, or else what came nearest to letting it in.
            Decision::Hold(_) if policies.is_empty() => ("hold", nearest.into_iter().map(|near| near.policy).collect()),
            Decision::Hold(_) => ("hold", policies),
        };
        Self { decision, policy }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service_id, endpoint_id, account, live, before, after } = self;
        let word = |side: &Option<Side>| side.as_ref().map_or("not judged", |side| side.decision);
        write!(f, "{} -> {}  {endpoint_id} of {account} to {service_id}", word(before), word(after))?;
        if let Some(Side { decision: _, policy }) = after.as_ref().filter(|side| !side.policy.is_empty()) {
            write!(f, ", by {}", policy.join(" "))?;
        }
        if *live { write!(f, "; it is live, and stays so") } else { Ok(()) }
    }
}
