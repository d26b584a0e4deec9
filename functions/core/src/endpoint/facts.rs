//! The `endpoints` of the return value: all that a test from inside the VPC needs to know, since it can ask AWS nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::{Serialize, Serializer};

use super::{AddressType, Endpoint, EndpointSettings, InboundRule, Part, Seen, TAG_PORTS, VpcDns, ports_in};
use crate::ids::{DnsName, EndpointId};
use crate::notice::names::{Place, is_zone_id, place};
use crate::observed::EndpointState;

/// What is told of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    id: EndpointId,
    #[serde(serialize_with = "word")]
    state: EndpointState,
    service_name: String,
    ip_address_type: String,
    names: Vec<Name>,
    addresses: Addresses,
    ports: Vec<NonZeroU16>,
    inbound_rules: Vec<InboundRule>,
    vpc_dns: VpcDns,
    /// The families that have to work, where that is not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    families: Option<&'static [&'static str]>,
    /// The fields that say nothing because they could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<&'static str>,
}

fn word<S: Serializer>(state: &EndpointState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.word())
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    kind: Kind,
    name: DnsName,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Regional,
    Zonal,
    Private,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Addresses {
    ipv4: Vec<IpAddr>,
    ipv6: Vec<IpAddr>,
}

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
        families: (settings.ip_address_type != AddressType::Dualstack).then(|| settings.ip_address_type.families()),
        unread: unread.into_iter().filter(|(part, _)| seen.denied.contains_key(part)).map(|(_, field)| field).collect(),
    }
}

/// The endpoint's names: the Regional one, then those of zones, then private ones.
fn names(endpoint: &Endpoint, seen: &Seen) -> Vec<Name> {
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for text in &endpoint.dns_names {
        // What is no name can not be looked up.
        let Ok(name) = DnsName::folded(text) else { continue };
        let (kind, availability_zone_id) = match place(text, &endpoint.id) {
            Place::Regional => (Kind::Regional, None),
            Place::Zone(zone) => (Kind::Zonal, zone_id(zone, endpoint, seen)),
            Place::Other => (Kind::Private, None),
        };
        names.insert(Name { kind, name, availability_zone_id });
    }
    // AWS lists the private name among the others; where it does not, the service says which it is.
    if endpoint.private_dns_enabled && !names.iter().any(|name| name.kind == Kind::Private) {
        let offer = seen.offers.get(&endpoint.service_name).and_then(|offer| offer.private_dns.as_ref());
        let name = offer.and_then(|dns| DnsName::folded(&dns.name).ok());
        names.extend(name.map(|name| Name { kind: Kind::Private, name, availability_zone_id: None }));
    }
    names.into_iter().collect()
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
    let (ipv4, ipv6) = all.into_iter().partition(IpAddr::is_ipv4);
    Addresses { ipv4, ipv6 }
}
