//! Whether what is wanted of an endpoint goes together with its service, its subnets and its VPC.
//!
//! AWS documents the codes of these refusals as `InvalidParameter` at most. The words on private DNS are those that were
//! seen; those on addresses are our own.

use super::ApiError;
use crate::world::{DnsState, Endpoint, Network, Service, World};

fn refuse(message: &str) -> ApiError {
    ApiError::new(400, "InvalidParameter", message)
}

/// Whether an endpoint with such addresses can have such records.
pub(super) fn fits(addresses: &str, records: &str) -> bool {
    matches!(
        (addresses, records),
        (_, "service-defined") | ("ipv4", "ipv4") | ("ipv6", "ipv6") | ("dualstack", "ipv4" | "ipv6" | "dualstack")
    )
}

pub(super) fn check_ip_address_type(addresses: &str, records: Option<&str>) -> Result<(), ApiError> {
    if !matches!(addresses, "ipv4" | "dualstack" | "ipv6") {
        return Err(ApiError::invalid(format!("'{addresses}' is not a valid IP address type.")));
    }
    match records.filter(|records| !fits(addresses, records)) {
        Some(records) => Err(refuse(&format!(
            "The DNS record IP type '{records}' is invalid for an endpoint with the IP address type {addresses}."
        ))),
        None => Ok(()),
    }
}

/// Whether a service takes such addresses.
pub(super) fn check_support(service: &Service, name: &str, addresses: &str) -> Result<(), ApiError> {
    let supports = |kind: &str| service.ip_address_types.iter().any(|supported| supported == kind);
    let supported = match addresses {
        "dualstack" => supports("ipv4") && supports("ipv6"),
        kind => supports(kind),
    };
    if supported {
        return Ok(());
    }
    Err(refuse(&format!("The IP address type {addresses} is not supported by the service {name}.")))
}

/// Whether there are such addresses in all subnets. For IPv6 alone the guide asks for subnets of IPv6 alone.
pub(super) fn check_subnets<'s>(
    network: &Network,
    mut subnets: impl Iterator<Item = &'s String>,
    addresses: &str,
) -> Result<(), ApiError> {
    let lacks = |id: &String| {
        let Some(subnet) = network.subnets.get(id) else { return false };
        let has = (subnet.cidr.is_some(), subnet.ipv6_cidr.is_some());
        match addresses {
            "dualstack" => has != (true, true),
            "ipv6" => has != (false, true),
            _ => !has.0,
        }
    };
    match subnets.find(|id| lacks(id)) {
        Some(id) => Err(refuse(&format!("The IP address type {addresses} is not supported by the subnet {id}."))),
        None => Ok(()),
    }
}

/// Whether the service has a name that may be used.
pub(super) fn check_private_dns(service: &Service, name: &str) -> Result<(), ApiError> {
    let why = match service.private_dns_name.as_ref().map(|name| name.state) {
        Some(DnsState::Verified) => return Ok(()),
        Some(DnsState::PendingVerification | DnsState::Failed) => "has not verified the private DNS name",
        None => "does not provide a private DNS name",
    };
    Err(refuse(&format!("Private DNS can't be enabled because the service {name} {why}.")))
}

/// Whether that name can be known in a VPC, and is not yet known there as somebody else's. The endpoint that asks is
/// nobody else.
pub(super) fn check_vpc_dns(
    world: &World,
    network: &Network,
    vpc: &str,
    service: &Service,
    asks: Option<&Endpoint>,
    place: (&str, &str),
) -> Result<(), ApiError> {
    if !network.vpc(vpc)?.has_private_dns() {
        return Err(refuse(&format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for \
             {vpc}"
        )));
    }
    let Some(name) = service.private_dns_name.as_ref().map(|name| name.name.as_str()) else { return Ok(()) };
    let (owner, region) = place;
    let has_name = |endpoint: &&Endpoint| {
        let of = world.services.get(&endpoint.service).and_then(|service| service.private_dns_name.as_ref());
        let here = (endpoint.owner.as_str(), endpoint.region.as_str(), endpoint.vpc.as_str()) == (owner, region, vpc);
        let other = asks.is_none_or(|asks| asks.id != endpoint.id);
        other && here && endpoint.private_dns_enabled && endpoint.is_live() && of.is_some_and(|of| of.name == name)
    };
    let zone = |zone: &crate::route53::Zone| {
        let here = (region.to_owned(), vpc.to_owned());
        zone.owner == owner && zone.vpcs.contains(&here) && zone.name.to_string().trim_end_matches('.') == name
    };
    if world.endpoints.values().any(|endpoint| has_name(&endpoint)) || world.route53.zones.values().any(zone) {
        return Err(refuse(&format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name} in the VPC \
             {vpc}"
        )));
    }
    Ok(())
}
