//! What has to hold after a seed, judged by what AWS itself knows: the Region's histories, its topics' deliveries and its
//! zones. The policies are judged by [`super::rules`], which has them from nobody.

use std::collections::BTreeMap;

use privatelink_region::sns::Protocol;
use privatelink_region::world::{DnsState, Endpoint, World};
use serde_json::Value;
use time::OffsetDateTime;

use super::Simulation;
use super::network::{Book, Decided};
use super::rules::{Verdict, consumer};

/// Something that does not hold.
#[derive(Debug, Clone)]
pub struct Violation {
    /// What.
    pub what: String,
    /// What the timeline is to be searched for.
    pub about: Vec<String>,
}

fn violation(what: String, about: &[&str]) -> Violation {
    Violation { what, about: about.iter().map(|about| (*about).to_owned()).collect() }
}

/// Whether an endpoint was a live connection all the time from one moment to another.
fn was_live(endpoint: &Endpoint, from: OffsetDateTime, to: OffsetDateTime) -> bool {
    let live = |state: &str| matches!(state, "pending" | "available");
    let within = endpoint.history.iter().filter(|(at, _)| from < *at && *at <= to);
    endpoint.created <= from && live(endpoint.state_at(from)) && within.into_iter().all(|(_, state)| live(state))
}

/// Whether an endpoint is in another Region than the service.
fn is_abroad(world: &World, endpoint: &Endpoint) -> bool {
    endpoint.region != world.settings.name
}

impl Simulation {
    /// Everything that does not hold.
    pub(super) fn judge(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.network.book(|book| {
            self.judge_decisions(book, &mut found);
            self.judge_notices(book, &mut found);
        });
        self.judge_waiting(&mut found);
        self.judge_names(&mut found);
        self.judge_endpoints(&mut found);
        found
    }

    /// Nothing was accepted or rejected that no policy permitted which was in force while that was being decided.
    fn judge_decisions(&self, book: &Book, found: &mut Vec<Violation>) {
        let world = self.region.world();
        for (place, decided) in book.decided.iter().enumerate() {
            let Decided { at, invocation, since, accepted, endpoint } = decided;
            let of = &world.endpoints[endpoint];
            // The fewest connections that any look can have shown: those that were there all the while, and those that
            // the same invocation accepted before.
            let from = *since - self.first_lag;
            let own = |other: &Endpoint| {
                let before = &book.decided[..place];
                before
                    .iter()
                    .any(|before| before.accepted && before.invocation == *invocation && before.endpoint == other.id)
            };
            let others = world.endpoints.values().filter(|other| {
                other.id != of.id
                    && other.service == of.service
                    && consumer(&other.owner) == consumer(&of.owner)
                    && (own(other) || was_live(other, from, *at))
            });
            let others = others.count();
            let wanted = if *accepted { Verdict::Accept } else { Verdict::Reject };
            let last = self.rules.iter().rposition(|(since_rule, _)| *since_rule <= *since).unwrap_or(0);
            let mut rules = self.rules[last..].iter().filter(|(since_rule, _)| *since_rule <= *at);
            if !rules.any(|(_, rule)| rule.judge(&of.owner, is_abroad(&world, of), others) == wanted) {
                let what = format!("{endpoint} of {} was decided {wanted:?} with {others} others", of.owner);
                found.push(violation(what, &[endpoint, "policy ", &format!("call {invocation}:")]));
            }
        }
    }

    /// Whoever waits at the end is one whom the policy lets wait.
    fn judge_waiting(&self, found: &mut Vec<Violation>) {
        let world = self.region.world();
        let Some((_, rule)) = self.rules.last() else { return };
        for endpoint in world.endpoints.values().filter(|endpoint| endpoint.state() == "pendingAcceptance") {
            let others = world.endpoints.values().filter(|other| {
                other.id != endpoint.id
                    && other.service == endpoint.service
                    && consumer(&other.owner) == consumer(&endpoint.owner)
                    && matches!(other.state(), "pending" | "available")
            });
            let verdict = rule.judge(&endpoint.owner, is_abroad(&world, endpoint), others.count());
            if verdict != Verdict::Hold {
                let what = format!("{} of {} still waits, and {rule:?} says {verdict:?}", endpoint.id, endpoint.owner);
                found.push(violation(what, &[&endpoint.id, "policy "]));
            }
        }
    }

    /// Everybody was told, and nobody twice of whom nothing excuses it.
    fn judge_notices(&self, book: &Book, found: &mut Vec<Violation>) {
        let world = self.region.world();
        let mut told: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        for (place, delivery) in world.sns.deliveries.iter().enumerate() {
            if delivery.protocol != Protocol::Sqs {
                continue;
            }
            let document: Value = serde_json::from_str(&delivery.message).unwrap();
            let kind = document["type"].as_str().unwrap_or_default();
            let sender = book.sent.get(&place).copied().unwrap_or_default();
            let others = document["others"].as_array().into_iter().flatten();
            for id in others.chain([&document["endpoint"]["id"]]).filter_map(Value::as_str) {
                told.entry((kind.to_owned(), id.to_owned())).or_default().push(sender);
            }
        }
        for ((kind, id), senders) in &told {
            let unheard = |sender: &u64| book.unheard.get(sender).is_some_and(|calls| *calls > 0);
            // A mark that comes late takes the place of what another one marked since, of whatever kind that was.
            let of_any_kind = told.iter().filter(|((_, other), _)| other == id).flat_map(|(_, senders)| senders);
            let excused = of_any_kind.filter(|sender| book.excused.contains(sender) || unheard(sender)).count();
            if id.starts_with("vpce-") && kind != "DomainVerified" && senders.len() > 1 + excused {
                let what = format!("{kind} of {id} was told {} times, by {senders:?}", senders.len());
                let calls: Vec<String> = senders.iter().map(|sender| format!("call {sender}:")).collect();
                let mut about: Vec<&str> = calls.iter().map(String::as_str).collect();
                about.push(id);
                found.push(violation(what, &about));
            }
        }
        for endpoint in world.endpoints.values() {
            let held = endpoint.connection_tags.get("privatelink:decision").is_some_and(|decision| decision == "held");
            let kind = match endpoint.state() {
                "available" => "EndpointConnectionAvailable",
                "rejected" => "EndpointConnectionRejected",
                "pendingAcceptance" if held => "EndpointConnectionHeld",
                "pendingAcceptance" => {
                    found.push(violation(format!("{} waits, and bears no `held`", endpoint.id), &[&endpoint.id]));
                    continue;
                }
                _ => continue,
            };
            if !told.contains_key(&(kind.to_owned(), endpoint.id.clone())) {
                found.push(violation(format!("nobody was told {kind} of {}", endpoint.id), &[&endpoint.id]));
            }
        }
    }

    /// No value of somebody else's is lost, and every name is verified whose record can be made.
    fn judge_names(&self, found: &mut Vec<Violation>) {
        let world = self.region.world();
        let is_there = |key, value| {
            let mut zones = self.zones.iter().map(|zone| &world.route53.zones[zone]);
            zones.any(|zone| zone.records.get(key).is_some_and(|set| set.values().contains(value)))
        };
        for (key, value) in &self.foreigns {
            if !is_there(key, value) {
                found.push(violation(format!("{value} is lost at {}", key.name), &["somebody", "ChangeResource"]));
            }
        }
        for service in world.services.values() {
            let Some(name) = &service.private_dns_name else { continue };
            let can_be = [".example.com", ".example.org"].iter().any(|zone| name.name.ends_with(zone));
            if can_be && name.state != DnsState::Verified {
                let what = format!("{} of {} is {}", name.name, service.id, name.state.word());
                found.push(violation(what, &[&service.id, "Verification", "ChangeResource"]));
            }
        }
    }

    /// The consumer's endpoints have what is wanted, but for those that the consumer changed by hand.
    fn judge_endpoints(&self, found: &mut Vec<Violation>) {
        let world = self.region.world();
        // One of a Gateway Load Balancer is none of the configurator's.
        let managed = |endpoint: &&Endpoint| !endpoint.tags.is_empty() && endpoint.kind == "Interface";
        let managed = world.endpoints.values().filter(managed);
        for endpoint in managed.filter(|endpoint| endpoint.state() == "available") {
            if endpoint.ip_address_type != "dualstack" && !self.touched.contains(&endpoint.id) {
                let what = format!("{} has {} only", endpoint.id, endpoint.ip_address_type);
                found.push(violation(what, &[&endpoint.id, "ModifyVpcEndpoint"]));
            }
        }
    }
}
