//! How things stand that wait: connections for a decision or a person, private DNS names for their proof.

use std::collections::{BTreeMap, HashSet};

use time::OffsetDateTime;

use super::{Metric, Metrics};
use crate::ids::ServiceId;
use crate::observed::{DnsNameState, EndpointState, Observed};
use crate::ownership::Domain;
use crate::plan::{Effect, EffectKind, Plan, Reason};
use crate::report::{About, Ended, Outcome};

/// Some things, and how old the oldest is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Group {
    count: u64,
    oldest: u64,
}

impl Group {
    fn add(&mut self, age: u64) {
        self.count += 1;
        self.oldest = self.oldest.max(age);
    }
}

/// The connections that wait after an invocation that looked at all of them, and the services that let everyone in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    undecided: Group,
    held: Group,
    open_services: u64,
}

impl Waiting {
    /// What waits whatever becomes of a plan. All that outlives what was observed are numbers.
    pub fn of(observed: &Observed, plan: &Plan, now: OffsetDateTime) -> Self {
        let Plan { effects, skipped } = plan;
        let decided = effects.iter().filter(|effect| matches!(effect, Effect::Accept(_) | Effect::Reject(_)));
        let decided: HashSet<&str> = decided.map(|effect| effect.decided().endpoint.as_str()).collect();
        let held = skipped.iter().filter(|skip| is_held(skip.reason));
        let held: HashSet<&str> = held.filter_map(|skip| skip.endpoint_id.as_deref()).collect();
        let mut waiting = Self::default();
        let pending = observed.connections.iter().filter(|of| of.state == EndpointState::PendingAcceptance);
        for connection in pending {
            let (endpoint, age) = (connection.endpoint.as_str(), seconds(now - connection.created));
            if held.contains(endpoint) {
                waiting.held.add(age);
            } else if !decided.contains(endpoint) {
                // Its service could not be judged.
                waiting.undecided.add(age);
            }
        }
        let open = observed.services.values().filter(|service| !service.acceptance_required);
        Self { open_services: open.count() as u64, ..waiting }
    }

    /// The same after the plan was carried out: what was decided and did not take effect is undecided.
    #[must_use]
    pub fn after(mut self, outcomes: &[Outcome]) -> Self {
        for Outcome { effect, about, ended } in outcomes {
            if let (EffectKind::Accept | EffectKind::Reject, About::Decision(decided)) = (effect, about)
                && !matches!(ended, Ended::Done | Ended::AlreadyDone)
            {
                self.undecided.add(u64::try_from(decided.facts.age_seconds).unwrap_or(0));
            }
        }
        self
    }
}

/// Whether a connection that was left alone for that reason waits for a person.
fn is_held(reason: Reason) -> bool {
    matches!(reason, Reason::NoPolicyMatched | Reason::Forbidden | Reason::PolicyError)
}

/// How the private DNS names stand, as they were last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<ServiceId, Name>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    state: DnsNameState,
    /// For how long it has not been verified, as far as that is remembered.
    waiting: u64,
}

impl Names {
    /// Notes how one stands now.
    pub fn saw(&mut self, domain: &Domain, now: OffsetDateTime) {
        let state = domain.private_dns.state.clone();
        let since = domain.waiting_since().filter(|_| state != DnsNameState::Verified);
        let waiting = since.map_or(0, |since| seconds(now - since));
        self.0.insert(domain.service.clone(), Name { state, waiting });
    }
}

impl Metrics {
    /// The connections that wait.
    pub fn waiting(&mut self, waiting: &Waiting) {
        let Waiting { undecided, held, open_services } = waiting;
        self.set(Metric::OpenServices, *open_services);
        self.set(Metric::Undecided, undecided.count);
        self.set(Metric::UndecidedOldestAge, undecided.oldest);
        self.set(Metric::Held, held.count);
        self.set(Metric::HeldOldestAge, held.oldest);
    }

    /// The private DNS names, by AWS's word for each.
    pub fn names(&mut self, names: &Names) {
        let (mut verified, mut pending, mut failed) = (0, 0, 0);
        for Name { state, waiting: _ } in names.0.values() {
            match state {
                DnsNameState::Verified => verified += 1,
                DnsNameState::PendingVerification => pending += 1,
                DnsNameState::Failed | DnsNameState::Unknown(_) => failed += 1,
            }
        }
        self.set(Metric::DomainsVerified, verified);
        self.set(Metric::DomainsPending, pending);
        self.set(Metric::DomainsFailed, failed);
        let longest = names.0.values().map(|name| name.waiting).max();
        self.set(Metric::DomainsWaitingLongest, longest.unwrap_or(0));
    }
}

/// Whole seconds; none, where the clocks of AWS and of the function differ.
fn seconds(age: time::Duration) -> u64 {
    u64::try_from(age.whole_seconds()).unwrap_or(0)
}
