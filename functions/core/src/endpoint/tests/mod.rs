//! The consumer's side: a small account, and what is planned for it.

mod facts;
mod properties;
mod rule;
mod undone;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::ids::{EndpointId, FoundId, ServiceId};
use crate::observed::{DnsNameState, EndpointState, PrivateDns};
use crate::plan::Plan;
use crate::probe::{InboundRule, VpcDns};
use crate::trigger::Look;

const NOW: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);
const SERVICE: &str = "com.amazonaws.vpce.us-west-2.vpce-svc-0b";

fn id(text: &str) -> EndpointId {
    EndpointId::parse(text).unwrap()
}

fn settings() -> EndpointSettings {
    EndpointSettings {
        region: "us-west-2".to_owned(),
        ip_address_type: AddressType::Dualstack,
        private_dns: true,
        ports: ports_in("443").unwrap(),
    }
}

/// An endpoint as it is after it was accepted: IPv4 alone, and no private DNS.
fn endpoint(text: &str) -> Endpoint {
    Endpoint {
        id: id(text),
        kind: "Interface".to_owned(),
        state: EndpointState::Available,
        service_name: SERVICE.to_owned(),
        service: ServiceId::parse("vpce-svc-0b").ok(),
        service_region: None,
        vpc: "vpc-1".to_owned(),
        subnets: ["subnet-1".to_owned(), "subnet-2".to_owned()].into(),
        groups: ["sg-1".to_owned()].into(),
        interfaces: ["eni-1".to_owned(), "eni-2".to_owned()].into(),
        ip_address_type: "ipv4".to_owned(),
        dns_record_ip_type: Some("ipv4".to_owned()),
        private_dns_enabled: false,
        dns_names: vec![format!("{text}-abcd1234.vpce-svc-0b.us-west-2.vpce.amazonaws.com")],
        created: Some(NOW),
        tags: BTreeMap::new(),
        failure: None,
    }
}

/// An account in which everything is possible, with that endpoint.
fn account(endpoints: impl IntoIterator<Item = Endpoint>) -> Seen {
    let subnet = |zone: &str, zone_id: &str| Subnet {
        zone: Some(zone.to_owned()),
        zone_id: Some(zone_id.to_owned()),
        ipv4: true,
        ipv6: true,
    };
    let private_dns = PrivateDns { name: "api.example.com".to_owned(), state: DnsNameState::Verified, record: None };
    let offer =
        Offer { ip_address_types: ["ipv4".to_owned(), "ipv6".to_owned()].into(), private_dns: Some(private_dns) };
    let on = Some(true);
    Seen {
        endpoints: endpoints.into_iter().map(|endpoint| (endpoint.id.clone(), endpoint)).collect(),
        offers: [(SERVICE.to_owned(), offer)].into(),
        subnets: [
            ("subnet-1".to_owned(), subnet("us-west-2a", "usw2-az2")),
            ("subnet-2".to_owned(), subnet("us-west-2b", "usw2-az1")),
        ]
        .into(),
        vpcs: [("vpc-1".to_owned(), VpcDns { support: on, hostnames: on })].into(),
        interfaces: [
            ("eni-1".to_owned(), BTreeSet::from(["10.0.1.5".parse().unwrap(), "2600:1f14::5".parse().unwrap()])),
            ("eni-2".to_owned(), BTreeSet::from(["10.0.0.7".parse().unwrap()])),
        ]
        .into(),
        ..Seen::default()
    }
}

fn plan(seen: &Seen, settings: &EndpointSettings) -> Plan<Change> {
    plan_endpoints(seen, &Look::Everything, settings, &BTreeMap::new(), NOW).plan
}

/// What AWS makes of the changes of a plan.
fn apply(seen: &mut Seen, changes: &[Change]) {
    for Change { service: _, endpoint, ip_address_type, dns_record_ip_type, private_dns } in changes {
        let endpoint = seen.endpoints.get_mut(endpoint).unwrap();
        if let Some(kind) = ip_address_type {
            endpoint.ip_address_type = kind.to_string();
        }
        if let Some(kind) = dns_record_ip_type {
            endpoint.dns_record_ip_type = Some(kind.to_string());
        }
        endpoint.private_dns_enabled |= private_dns;
    }
}

/// The plan in a few words: each change, and each skip as its reason.
fn told(plan: &Plan<Change>) -> Vec<String> {
    let skipped = plan.skipped.iter().map(|skip| skip.reason.word().to_owned());
    plan.effects.iter().map(ToString::to_string).chain(skipped).collect()
}

/// The details and fixes of what is left alone.
fn reasons(plan: &Plan<Change>) -> Vec<(String, Option<String>)> {
    plan.skipped.iter().map(|skip| (skip.detail.clone().unwrap_or_default(), skip.fix.clone())).collect()
}
