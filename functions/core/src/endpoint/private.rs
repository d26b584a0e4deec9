//! The private DNS name of an endpoint's service, which leads to one endpoint of a VPC and to no other.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::addresses::no_offer;
use super::fix::Fixer;
use super::{Endpoint, EndpointSettings, Obstacle, Part, Seen, Wish};
use crate::ids::EndpointId;
use crate::notice::shown::shown;
use crate::observed::DnsNameState;

/// To which endpoint each private name of each VPC leads, or is to lead.
pub(super) type Holders<'s> = BTreeMap<(&'s str, String), &'s EndpointId>;

/// One endpoint for each private name of each VPC: that to which it leads, and else the oldest.
pub(super) fn holders(seen: &Seen) -> Holders<'_> {
    let mut order: Vec<&Endpoint> = seen.endpoints.values().collect();
    let age = |endpoint: &Endpoint| endpoint.created.map_or(i64::MAX, OffsetDateTime::unix_timestamp);
    order.sort_by_key(|endpoint| (!endpoint.private_dns_enabled, age(endpoint), &endpoint.id));
    let mut holders = Holders::new();
    for endpoint in order {
        let live = endpoint.state.is_live() && endpoint.is_interface();
        if let Some(name) = name_of(endpoint, seen).filter(|_| live) {
            holders.entry((&endpoint.vpc, name)).or_insert(&endpoint.id);
        }
    }
    holders
}

/// The private DNS name of an endpoint's service.
fn name_of(endpoint: &Endpoint, seen: &Seen) -> Option<String> {
    let dns = seen.offers.get(&endpoint.service_name)?.private_dns.as_ref()?;
    Some(dns.name.to_ascii_lowercase())
}

pub(super) fn wish(endpoint: &Endpoint, seen: &Seen, settings: &EndpointSettings, holders: &Holders<'_>) -> Wish<()> {
    if !settings.private_dns || endpoint.private_dns_enabled {
        return Wish::Right;
    }
    let fixer = Fixer::new(endpoint, settings);
    let Some(offer) = seen.offers.get(&endpoint.service_name) else {
        return Wish::Not(vec![no_offer(endpoint, seen)]);
    };
    let Some(dns) = &offer.private_dns else {
        let detail = "its service has no private DNS name; its provider can give it one";
        return Wish::Not(vec![Obstacle::new(detail, fixer.name())]);
    };
    let mut obstacles = Vec::new();
    let name = shown(&dns.name);
    match &dns.state {
        DnsNameState::Verified => {}
        DnsNameState::PendingVerification | DnsNameState::Failed => {
            let detail = format!("its service's private DNS name `{name}` is not verified; its provider can have it");
            obstacles.push(Obstacle::new(detail, fixer.verify()));
        }
        DnsNameState::Unknown(word) => {
            let detail =
                format!("whether `{name}` is verified AWS says in a word that is not known: `{}`", shown(word));
            obstacles.push(Obstacle::new(detail, None));
        }
    }
    obstacles.extend(of_vpc(endpoint, seen, &fixer));
    let holder = name_of(endpoint, seen).and_then(|name| holders.get(&(endpoint.vpc.as_str(), name)).copied());
    if let Some(other) = holder.filter(|id| **id != endpoint.id).and_then(|id| seen.endpoints.get(id)) {
        let detail = if other.private_dns_enabled {
            format!("`{name}` leads to {} in this VPC, and can lead to one endpoint only", other.id)
        } else {
            format!("`{name}` can lead to one endpoint of this VPC only, and {} is older", other.id)
        };
        let fix = other.private_dns_enabled.then(|| fixer.give_away(other)).flatten();
        obstacles.push(Obstacle::new(detail, fix));
    }
    if obstacles.is_empty() { Wish::Set(()) } else { Wish::Not(obstacles) }
}

/// A private name takes both DNS attributes of the VPC.
fn of_vpc(endpoint: &Endpoint, seen: &Seen, fixer: &Fixer<'_>) -> Vec<Obstacle> {
    let dns = seen.vpcs.get(&endpoint.vpc).copied().unwrap_or_default();
    let attributes = [
        ("enableDnsSupport", dns.support, "enable-dns-support"),
        ("enableDnsHostnames", dns.hostnames, "enable-dns-hostnames"),
    ];
    let obstacle = |(name, is, option): (&str, Option<bool>, &str)| match is {
        Some(true) => None,
        Some(false) => Some(Obstacle::new(format!("`{name}` of its VPC is off"), fixer.attribute(option))),
        None if seen.denied.contains_key(&Part::VpcDns) => {
            Some(Obstacle::new(format!("`{name}` of its VPC could not be read"), None))
        }
        None => Some(Obstacle::new(format!("AWS does not say whether `{name}` of its VPC is on"), None)),
    };
    attributes.into_iter().filter_map(obstacle).collect()
}
