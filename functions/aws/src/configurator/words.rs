//! The SDK's types in the core's words. What may be missing is let be missing; what nothing can be decided without is
//! named.

use std::collections::BTreeSet;
use std::net::IpAddr;

use aws_sdk_ec2::types::{NetworkInterface, SecurityGroupRule, ServiceDetail, Tag, VpcEndpoint};
use privatelink_core::endpoint::{Endpoint, Offer, Subnet};
use privatelink_core::ids::{EndpointId, FoundId, ServiceId, ids_in};
use privatelink_core::observed::{DnsNameState, EndpointState, PrivateDns, Tags, Unreadable};
use privatelink_core::probe::InboundRule;
use time::OffsetDateTime;

pub(super) fn endpoint(from: VpcEndpoint) -> Result<Endpoint, Unreadable> {
    let id = EndpointId::parse(from.vpc_endpoint_id().unwrap_or_default()).map_err(|error| Unreadable {
        service: None,
        endpoint: from.vpc_endpoint_id.clone(),
        fault: error.to_string(),
    })?;
    let service_name = from.service_name().unwrap_or_default().to_owned();
    let last_error = from.last_error().and_then(|error| error.message().or(error.code()));
    let failure = from.failure_reason().or(last_error).filter(|why| !why.is_empty());
    let groups = from.groups().iter().filter_map(|group| group.group_id().map(ToOwned::to_owned));
    let records = from.dns_options().and_then(|options| options.dns_record_ip_type());
    Ok(Endpoint {
        id,
        kind: from.vpc_endpoint_type().map_or("", |kind| kind.as_str()).to_owned(),
        // The SDK's enum knows only words that EC2 does not send; its text is the word that was sent.
        state: EndpointState::from_word(from.state().map_or("", |state| state.as_str())),
        service: service_in(&service_name),
        service_name,
        service_region: from.service_region().filter(|region| !region.is_empty()).map(ToOwned::to_owned),
        vpc: from.vpc_id().unwrap_or_default().to_owned(),
        subnets: from.subnet_ids().iter().cloned().collect(),
        groups: groups.collect(),
        interfaces: from.network_interface_ids().iter().cloned().collect(),
        ip_address_type: from.ip_address_type().map_or("ipv4", |kind| kind.as_str()).to_ascii_lowercase(),
        dns_record_ip_type: records.map(|kind| kind.as_str().to_ascii_lowercase()),
        private_dns_enabled: from.private_dns_enabled().unwrap_or(false),
        dns_names: from.dns_entries().iter().filter_map(|entry| entry.dns_name().map(ToOwned::to_owned)).collect(),
        created: from.creation_timestamp().and_then(|at| OffsetDateTime::from_unix_timestamp(at.secs()).ok()),
        tags: tags(from.tags()),
        failure: failure.map(ToOwned::to_owned),
    })
}

/// The service of a provider that a service's name ends in; AWS's own have other names.
fn service_in(name: &str) -> Option<ServiceId> {
    ids_in(name).find_map(|id| match id {
        FoundId::Service(id) => Some(id),
        FoundId::Endpoint(_) => None,
    })
}

fn tags(tags: &[Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// A service with its name.
pub(super) fn offer(from: &ServiceDetail) -> Option<(String, Offer)> {
    let name = from.service_name()?.to_owned();
    let types = from.supported_ip_address_types().iter().map(|kind| kind.as_str().to_ascii_lowercase());
    let others = || from.private_dns_names().iter().find_map(|name| name.private_dns_name());
    let private = from.private_dns_name().filter(|name| !name.is_empty()).or_else(others);
    let state = from.private_dns_name_verification_state().map_or("", |state| state.as_str());
    let private_dns =
        private.map(|name| PrivateDns { name: name.to_owned(), state: DnsNameState::from_word(state), record: None });
    Some((name, Offer { ip_address_types: types.collect(), private_dns }))
}

pub(super) fn subnet(from: &aws_sdk_ec2::types::Subnet) -> Option<(String, Subnet)> {
    let six = from.ipv6_cidr_block_association_set().iter().any(|block| {
        let state = block.ipv6_cidr_block_state().and_then(|state| state.state()).map(|state| state.as_str());
        block.ipv6_cidr_block().is_some() && state.is_none_or(|state| state.eq_ignore_ascii_case("associated"))
    });
    let native = from.ipv6_native() == Some(true);
    let subnet = Subnet {
        zone: from.availability_zone().map(ToOwned::to_owned),
        zone_id: from.availability_zone_id().map(ToOwned::to_owned),
        ipv4: !native && from.cidr_block().is_some_and(|block| !block.is_empty()),
        ipv6: six,
    };
    Some((from.subnet_id()?.to_owned(), subnet))
}

pub(super) fn interface(from: &NetworkInterface) -> Option<(String, BTreeSet<IpAddr>)> {
    let four = from.private_ip_addresses().iter().filter_map(|address| address.private_ip_address());
    let six = from.ipv6_addresses().iter().filter_map(|address| address.ipv6_address());
    // The first of each family stands apart too.
    let all = four.chain(six).chain(from.private_ip_address()).chain(from.ipv6_address());
    Some((from.network_interface_id()?.to_owned(), all.filter_map(|address| address.parse().ok()).collect()))
}

/// A rule for what comes in; those for what goes out are of no interest.
pub(super) fn rule(from: &SecurityGroupRule) -> Option<InboundRule> {
    if from.is_egress() == Some(true) {
        return None;
    }
    let group = || from.referenced_group_info().and_then(|group| group.group_id());
    let source = from.cidr_ipv4().or(from.cidr_ipv6()).or(from.prefix_list_id()).or_else(group)?;
    Some(InboundRule {
        security_group_id: from.group_id()?.to_owned(),
        protocol: from.ip_protocol().unwrap_or("-1").to_owned(),
        from_port: Some(from.from_port().unwrap_or(-1)),
        to_port: Some(from.to_port().unwrap_or(-1)),
        source: source.to_owned(),
    })
}
