//! What has to hold of a scene: what must never be, whatever goes wrong; and what has to be at the end.

use std::collections::BTreeMap;

use privatelink_region::sns::Protocol;
use privatelink_region::world::DnsState;
use serde_json::Value;

use super::scene::{FOREIGN, Scene, Set};

/// How often each notice arrived: by topic, type and id.
pub type Told = BTreeMap<(String, String, String), usize>;

impl Set {
    /// What arrived in the queues.
    pub fn told(&self) -> Told {
        let mut told = Told::new();
        let world = self.region.world();
        for delivery in world.sns.deliveries.iter().filter(|delivery| delivery.protocol == Protocol::Sqs) {
            let document: Value = serde_json::from_str(&delivery.message).unwrap();
            let text = |key: &str| document[key].as_str().unwrap().to_owned();
            let topic = delivery.topic.rsplit(':').next().unwrap().to_owned();
            *told.entry((topic, text("type"), text("id"))).or_default() += 1;
        }
        told
    }

    /// What is that must not be. Where pages come back empty, nobody can know how many connections a limit leaves.
    pub fn forbidden(&self, hides_pages: bool) -> Vec<String> {
        let mut found = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                found.push(what);
            }
        };
        let states = |what: &str| -> Vec<(String, String)> {
            let world = self.region.world();
            let of = |id: &str| (id.to_owned(), world.endpoints[id].state().to_owned());
            self.of(what).into_iter().map(of).collect()
        };
        for (what, allowed) in [
            ("held", &["pendingAcceptance"][..]),
            (
                "too many",
                if hides_pages { &["pendingAcceptance", "pending", "available"] } else { &["pendingAcceptance"] },
            ),
            ("partner", &["pendingAcceptance", "pending", "available"]),
            ("blocked", &["pendingAcceptance", "rejected"]),
            ("live", &["available"]),
        ] {
            for (id, state) in states(what) {
                hold(allowed.contains(&state.as_str()), format!("{id}, which is {what}, is {state}"));
            }
        }
        for id in self.of("not managed") {
            let kind = self.region.world().endpoints[id].ip_address_type.clone();
            hold(kind == "ipv4", format!("{id} is nobody's to change, and is {kind}"));
        }
        if self.scene.has_foreign_values() {
            for zone in self.of("zone") {
                hold(self.values(zone).contains(FOREIGN), format!("a value of somebody else's is lost in {zone}"));
            }
        }
        found
    }

    /// What is still to be done, which is nothing at the end.
    pub fn open(&self) -> Vec<String> {
        match self.scene {
            Scene::Requests => self.undecided(),
            Scene::News => self.untold(),
            Scene::Name | Scene::Elsewhere => self.unwritten(),
            Scene::Readable | Scene::NotYet => self.unasked(),
            Scene::Verified => self.unknown(),
            Scene::Endpoint | Scene::Endpoints => self.unset(),
        }
    }

    /// How many connections were accepted or rejected and do not say by which policy.
    pub fn untagged(&self) -> usize {
        let world = self.region.world();
        let requests = ["partner", "too many", "blocked"].into_iter().flat_map(|what| self.of(what));
        let decided = requests.filter(|id| world.endpoints[*id].state() != "pendingAcceptance");
        decided.filter(|id| !world.endpoints[*id].connection_tags.contains_key("privatelink:decision")).count()
    }

    fn undecided(&self) -> Vec<String> {
        let world = self.region.world();
        let mut open = Vec::new();
        let waits = |id: &str| world.endpoints[id].state() == "pendingAcceptance";
        let held = |id: &str| {
            let tags = &world.endpoints[id].connection_tags;
            waits(id) && tags.get("privatelink:decision").is_some_and(|decision| decision == "held")
        };
        if self.of("blocked").into_iter().any(waits) {
            open.push("the blocked are not turned away".to_owned());
        }
        if !self.of("held").into_iter().all(held) {
            open.push("what is held does not say so".to_owned());
        }
        let partners: Vec<&str> = self.of("partner").into_iter().chain(self.of("too many")).collect();
        let (waiting, accepted): (Vec<&str>, Vec<&str>) = partners.into_iter().partition(|id| waits(id));
        if accepted.len() < 2 {
            open.push(format!("{} partners are accepted", accepted.len()));
        }
        if !waiting.into_iter().all(held) {
            open.push("a partner waits who is not held".to_owned());
        }
        open
    }

    fn untold(&self) -> Vec<String> {
        let told = self.told();
        let world = self.region.world();
        let mut open = Vec::new();
        for state in ["available", "rejected", "held"] {
            for id in self.of(state) {
                let endpoint = &world.endpoints[id];
                let notice = format!("{}/{state}", endpoint.connection_id);
                if !told.keys().any(|(_, _, id)| *id == notice) {
                    open.push(format!("nobody was told {notice}"));
                }
                if endpoint.connection_tags.get("privatelink:notified").is_none_or(|tag| tag != state) {
                    open.push(format!("{id} is not marked {state}"));
                }
            }
        }
        open
    }

    fn unwritten(&self) -> Vec<String> {
        let pairs = self.of("zone").into_iter().zip(self.of("value"));
        let lacking = pairs.filter(|(zone, value)| !self.values(zone).contains(*value));
        lacking.map(|(zone, _)| format!("the record is not in {zone}")).collect()
    }

    fn unasked(&self) -> Vec<String> {
        let world = self.region.world();
        let mut open = Vec::new();
        for id in self.of("name") {
            let service = &world.services[id];
            let verified = service.private_dns_name.as_ref().unwrap().state == DnsState::Verified;
            let asked = service.tags.get("privatelink:domain").is_some_and(|memory| memory.contains("check="));
            if !verified && !asked {
                open.push(format!("{id} does not remember a check"));
            }
        }
        open
    }

    fn unknown(&self) -> Vec<String> {
        let told = self.told();
        let world = self.region.world();
        let mut open = Vec::new();
        for id in self.of("name") {
            let service = &world.services[id];
            if service.private_dns_name.as_ref().unwrap().state != DnsState::Verified {
                open.push(format!("{id} is not verified"));
            }
            if !service.tags.get("privatelink:domain").is_some_and(|memory| memory.contains("told=verified")) {
                open.push(format!("{id} does not remember that it was told"));
            }
        }
        let kinds = told.keys().filter(|(_, kind, _)| kind == "DomainVerified").count();
        if kinds < self.of("name").len() {
            open.push(format!("of {kinds} names it was told that they are verified"));
        }
        open
    }

    fn unset(&self) -> Vec<String> {
        let world = self.region.world();
        let mut open = Vec::new();
        for id in self.of("managed") {
            let endpoint = &world.endpoints[id];
            let set = (endpoint.ip_address_type.as_str(), endpoint.private_dns_enabled);
            if set != ("dualstack", true) {
                open.push(format!("{id} is {set:?}"));
            }
        }
        open
    }
}

impl Scene {
    fn has_foreign_values(self) -> bool {
        match self {
            Self::Name | Self::Elsewhere | Self::Readable | Self::Verified => true,
            Self::Requests | Self::News | Self::NotYet | Self::Endpoint | Self::Endpoints => false,
        }
    }
}
