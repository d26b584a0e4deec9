//! The `endpoints` of the return value: all that a test from inside the VPC needs to know, since it can ask AWS nothing.
//! They are of the types that [`crate::probe`] reads.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{AddressType, Endpoint, EndpointSettings, Part, Seen, TAG_PORTS, ports_in};
use crate::ids::DnsName;
use crate::notice::names::{Place, is_zone_id, place};
use crate::probe::{Addresses, Endpoint as Facts, Family, InboundRule, Name, NameKind};

/// What is told of all interface endpoints that bear the tag, whatever an event named.
pub fn facts(seen: &Seen, settings: &EndpointSettings) -> Vec<Facts> {
    let interfaces = seen.endpoints.values().filter(|endpoint| endpoint.is_interface());
    interfaces.map(|endpoint| of_endpoint(endpoint, seen, settings)).collect()
}

fn of_endpoint(endpoint: &Endpoint, seen: &Seen, settings: &EndpointSettings) -> Facts {
    let own = endpoint.tags.get(TAG_PORTS).and_then(|text| ports_in(text).ok());
    let rules: BTreeSet<&InboundRule> =
        seen.rules.iter().filter(|rule| endpoint.groups.contains(&rule.security_group_id)).collect();
    let unread = [(Part::Interfaces, "addresses"), (Part::Rules, "inboundRules"), (Part::VpcDns, "vpcDns")];
    Facts {
        id: endpoint.id.clone(),
        state: endpoint.state.clone(),
        service_name: endpoint.service_name.clone(),
        ip_address_type: endpoint.ip_address_type.clone(),
        names: names(endpoint, seen),
        addresses: addresses(endpoint, seen),
        ports: own.unwrap_or_else(|| settings.ports.clone()),
        inbound_rules: rules.into_iter().cloned().collect(),
        vpc_dns: seen.vpcs.get(&endpoint.vpc).copied().unwrap_or_default(),
        families: match settings.ip_address_type {
            AddressType::Ipv4 => vec![Family::Ipv4],
            AddressType::Dualstack => Family::BOTH.to_vec(),
            AddressType::Ipv6 => vec![Family::Ipv6],
        },
        unread: unread
            .into_iter()
            .filter(|(part, _)| seen.denied.contains_key(part))
            .map(|(_, field)| field.to_owned())
            .collect(),
        tls: false,
        http: None,
    }
}

/// The endpoint's names: the Regional one, then those of zones, then private ones.
fn names(endpoint: &Endpoint, seen: &Seen) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for text in &endpoint.dns_names {
        // What is no name can not be looked up.
        let Ok(name) = DnsName::folded(text) else { continue };
        let (kind, availability_zone_id) = match place(text, &endpoint.id) {
            Place::Regional => (NameKind::Regional, None),
            Place::Zone(zone) => (NameKind::Zonal, zone_id(zone, endpoint, seen)),
            Place::Other => (NameKind::Private, None),
        };
        names.push(Name { kind, name, availability_zone_id });
    }
    // AWS lists the private name among the others; where it does not, the service says which it is.
    if endpoint.private_dns_enabled && !names.iter().any(|name| name.kind == NameKind::Private) {
        let offer = seen.offers.get(&endpoint.service_name).and_then(|offer| offer.private_dns.as_ref());
        let name = offer.and_then(|dns| DnsName::folded(&dns.name).ok());
        names.extend(name.map(|name| Name { kind: NameKind::Private, name, availability_zone_id: None }));
    }
    names.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    names.dedup();
    names
}

/// The id of the zone that stands in a name, by the zone's name or by its id.
fn zone_id(zone: &str, endpoint: &Endpoint, seen: &Seen) -> Option<String> {
    if is_zone_id(zone) {
        return Some(zone.to_owned());
    }
    let mut subnets = endpoint.subnets.iter().filter_map(|id| seen.subnets.get(id));
    subnets.find(|subnet| subnet.zone.as_deref() == Some(zone)).and_then(|subnet| subnet.zone_id.clone())
}

fn addresses(endpoint: &Endpoint, seen: &Seen) -> Addresses {
    let all: BTreeSet<IpAddr> =
        endpoint.interfaces.iter().filter_map(|id| seen.interfaces.get(id)).flatten().copied().collect();
    let mut addresses = Addresses::default();
    for address in all {
        match address {
            IpAddr::V4(address) => addresses.ipv4.push(address),
            IpAddr::V6(address) => addresses.ipv6.push(address),
        }
    }
    addresses
}
