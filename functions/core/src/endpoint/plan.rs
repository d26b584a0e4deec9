//! What is to be done about endpoints: one change each at the most, and a reason for everything that is left.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::fix::Fixer;
use super::private::{self, Holders};
use super::{
    Change, Endpoint, EndpointSettings, Memory, Obstacle, Part, Seen, Setting, TAG_PORTS, Wish, addresses, ports_in,
    skip,
};
use crate::ids::{EndpointId, FoundId, ServiceId};
use crate::notice::shown::shown;
use crate::observed::EndpointState;
use crate::plan::{Plan, Reason, Skip};
use crate::trigger::Look;

/// Whether a look means that endpoint: by its own id, or by its service's.
fn means(look: &Look<FoundId>, endpoint: &Endpoint) -> bool {
    let of_service = |id: &ServiceId| look.sees(&FoundId::Service(id.clone()));
    look.sees(&FoundId::Endpoint(endpoint.id.clone())) || endpoint.service.as_ref().is_some_and(of_service)
}

/// Whether an id is that of an endpoint that bears the tag, or of such an endpoint's service.
fn is_known(id: &FoundId, seen: &Seen) -> bool {
    match id {
        FoundId::Endpoint(id) => seen.endpoints.contains_key(id),
        FoundId::Service(id) => seen.endpoints.values().any(|endpoint| endpoint.service.as_ref() == Some(id)),
    }
}

/// What is to be done about several endpoints.
#[derive(Debug, Default)]
pub struct EndpointsPlan {
    /// What is to be set, and what is left and why.
    pub plan: Plan<Change>,
    /// Whether an endpoint will be ready, or show what was set, without anybody's doing.
    pub under_way: bool,
}

/// What is to be done about the endpoints that a look means. In what order they were read makes no difference.
pub fn plan_endpoints(
    seen: &Seen,
    look: &Look<FoundId>,
    settings: &EndpointSettings,
    memories: &BTreeMap<EndpointId, Memory>,
    now: OffsetDateTime,
) -> EndpointsPlan {
    let Seen { endpoints, unreadable, denied, offers: _, subnets: _, vpcs: _, interfaces: _, rules: _ } = seen;
    let holders = private::holders(seen);
    let mut all = EndpointsPlan::default();
    let EndpointsPlan { plan, under_way } = &mut all;
    for endpoint in endpoints.values().filter(|endpoint| means(look, endpoint)) {
        let memory = memories.get(&endpoint.id).cloned().unwrap_or_default();
        let one = of_endpoint(endpoint, seen, settings, &memory, &holders, now);
        plan.effects.extend(one.plan.effects);
        plan.skipped.extend(one.plan.skipped);
        *under_way |= one.under_way;
    }
    if let Look::At(asked) = look {
        plan.skipped.extend(asked.iter().filter(|id| !is_known(id, seen)).map(not_ours));
    }
    plan.skipped.extend(unreadable.iter().map(Skip::unreadable));
    plan.skipped.extend(denied.iter().map(|(part, code)| not_allowed(*part, code)));
    all
}

/// What is to be done about one endpoint.
pub fn plan_endpoint(
    endpoint: &Endpoint,
    seen: &Seen,
    settings: &EndpointSettings,
    memory: &Memory,
    now: OffsetDateTime,
) -> Plan<Change> {
    of_endpoint(endpoint, seen, settings, memory, &private::holders(seen), now).plan
}

fn of_endpoint(
    endpoint: &Endpoint,
    seen: &Seen,
    settings: &EndpointSettings,
    memory: &Memory,
    holders: &Holders<'_>,
    now: OffsetDateTime,
) -> EndpointsPlan {
    let fixer = Fixer::new(endpoint, settings);
    let left = |skipped: Vec<Skip>, under_way| EndpointsPlan { plan: Plan { effects: Vec::new(), skipped }, under_way };
    let service = match (&endpoint.service, endpoint.is_interface()) {
        (Some(service), true) => service,
        (_, false) => {
            let detail = format!("an endpoint of the type `{}` has none of these settings", shown(&endpoint.kind));
            return left(vec![skip(endpoint, Reason::AlreadyRight, Some(detail), None)], false);
        }
        (None, true) => {
            let detail = format!("its service, `{}`, is no provider's endpoint service", shown(&endpoint.service_name));
            return left(vec![skip(endpoint, Reason::Foreign, Some(detail), None)], false);
        }
    };
    let mut skipped: Vec<Skip> = bad_ports(endpoint, &fixer).into_iter().collect();
    if let Some(unready) = unready(endpoint, &fixer) {
        skipped.push(unready);
        return left(skipped, endpoint.state == EndpointState::Pending);
    }
    let mut change = Change {
        service: service.clone(),
        endpoint: endpoint.id.clone(),
        ip_address_type: None,
        dns_record_ip_type: None,
        private_dns: false,
    };
    let mut obstacles = Vec::new();
    match addresses::wish(endpoint, seen, settings) {
        Wish::Right => {}
        Wish::Set((addresses, records)) => {
            (change.ip_address_type, change.dns_record_ip_type) = (addresses, records);
        }
        Wish::Not(these) => obstacles.extend(these),
    }
    match private::wish(endpoint, seen, settings, holders) {
        Wish::Right => {}
        Wish::Set(()) => change.private_dns = true,
        Wish::Not(these) => obstacles.extend(these),
    }
    let mut effects = Vec::new();
    let mut due = Vec::new();
    let mut under_way = false;
    let parts = change.parts();
    let wanted = !parts.is_empty();
    for (setting, part) in change.settings().zip(parts) {
        if memory.is_set_now(setting) {
            let detail = format!("{setting} was set a moment ago, and AWS does not show it yet");
            skipped.push(skip(endpoint, Reason::NotReady, Some(detail), None));
            under_way = true;
        } else if memory.is_undone(setting, now) {
            skipped.push(undone(endpoint, setting, fixer.by_hand(&part)));
        } else if !memory.was_not_taken(setting) {
            due.push(part);
        }
    }
    if let Some(all) = due.into_iter().reduce(join) {
        effects.push(all);
    }
    for (at, Obstacle { detail, fix }) in obstacles.iter().enumerate() {
        // What is not known of a service stands in the way of both.
        if !obstacles.iter().take(at).any(|earlier| earlier.detail == *detail) {
            skipped.push(skip(endpoint, Reason::NotReady, Some(detail.clone()), fix.clone()));
        }
    }
    if !wanted && obstacles.is_empty() {
        skipped.push(skip(endpoint, Reason::AlreadyRight, None, None));
    }
    EndpointsPlan { plan: Plan { effects, skipped }, under_way }
}

/// Two parts of one change, together.
fn join(one: Change, other: Change) -> Change {
    Change {
        ip_address_type: one.ip_address_type.or(other.ip_address_type),
        dns_record_ip_type: one.dns_record_ip_type.or(other.dns_record_ip_type),
        private_dns: one.private_dns || other.private_dns,
        ..one
    }
}

/// Why nothing is set on an endpoint that is not available.
fn unready(endpoint: &Endpoint, fixer: &Fixer<'_>) -> Option<Skip> {
    let not_ready = |detail: &str, fix| Some(skip(endpoint, Reason::NotReady, Some(detail.to_owned()), fix));
    let dead = |what: &str| {
        let why = endpoint.failure.as_ref().map(|why| format!(" (`{}`)", shown(why))).unwrap_or_default();
        let detail = format!("{what}{why}; delete it and make it anew, which is never done here");
        Some(skip(endpoint, Reason::NotReady, Some(detail), fixer.delete()))
    };
    match &endpoint.state {
        EndpointState::Available => None,
        EndpointState::Pending => not_ready("it is pending, and nothing is set until it is available", None),
        EndpointState::PendingAcceptance => not_ready("its provider has not accepted it yet", fixer.accept()),
        EndpointState::Rejected => dead("its provider has rejected it"),
        EndpointState::Failed => dead("AWS could not make it ready"),
        EndpointState::Expired => dead("nobody accepted it in time"),
        EndpointState::Deleting | EndpointState::Deleted => not_ready("it is being deleted, or gone", None),
        EndpointState::Unknown(word) => {
            let detail = format!("it is in the state `{}`, which nobody here knows", shown(word));
            Some(skip(endpoint, Reason::UnknownState, Some(detail), None))
        }
    }
}

fn undone(endpoint: &Endpoint, setting: Setting, fix: Option<String>) -> Skip {
    let detail = format!(
        "{setting} was set twice within a day and undone each time, by Terraform perhaps, or by a person; it is left as it \
         is. Have the other leave it alone (Terraform: `ignore_changes`), then set it once by hand"
    );
    skip(endpoint, Reason::Held, Some(detail), fix)
}

fn bad_ports(endpoint: &Endpoint, fixer: &Fixer<'_>) -> Option<Skip> {
    let text = endpoint.tags.get(TAG_PORTS)?;
    let bad = ports_in(text).err()?;
    let detail = format!("the tag `{TAG_PORTS}` holds `{}`, which is no port; the usual ports are tried", shown(bad));
    Some(skip(endpoint, Reason::NotReady, Some(detail), fixer.ports()))
}

fn not_ours(id: &FoundId) -> Skip {
    let (service_id, endpoint_id) = match id {
        FoundId::Service(id) => (Some(id.clone()), None),
        FoundId::Endpoint(id) => (None, Some(id.to_string())),
    };
    let (policy, nearest, reason) = (Vec::new(), Vec::new(), Reason::Foreign);
    Skip { service_id, endpoint_id, reason, policy, nearest, detail: None, fix: None }
}

fn not_allowed(part: Part, code: &str) -> Skip {
    let lost = match part {
        Part::Offers | Part::Subnets => "what depends on it is not set",
        Part::VpcDns => "no private DNS is turned on",
        Part::Interfaces => "the endpoints' addresses are not known",
        Part::Rules => "what the security groups let in is not known",
    };
    let call = part.call();
    Skip {
        service_id: None,
        endpoint_id: None,
        reason: Reason::NotReady,
        policy: Vec::new(),
        nearest: Vec::new(),
        detail: Some(format!("{call} ended with `{}`: {lost}", shown(code))),
        fix: Some(format!("allow `ec2:{call}` on `*` in the policy of this function's role")),
    }
}
