//! Network interfaces: those that endpoints have in their subnets.

use super::vpcs;
use super::{ApiError, Fields, Filter, bounded_page, check_tags, dry_run, tag_set};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Endpoint, Interface, Network, World, zone_id};
use crate::xml::{Element, element, list, text};

/// An interface, with what it is of.
struct Shown<'w> {
    interface: &'w Interface,
    endpoint: &'w Endpoint,
    subnet: &'w str,
    zone: &'w str,
}

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let network = vpcs::network(world, caller);
    let ids = params.list("NetworkInterfaceId");
    // There are none that are shown only if one asks for it.
    params.boolean("IncludeManagedResources")?;
    let known = [
        "addresses.private-ip-address",
        "availability-zone",
        "availability-zone-id",
        "description",
        "group-id",
        "interface-type",
        "ipv6-addresses.ipv6-address",
        "network-interface-id",
        "owner-id",
        "private-ip-address",
        "requester-managed",
        "status",
        "subnet-id",
        "tag-key",
        "tag:",
        "vpc-id",
    ];
    let filters = Filter::take(params, &known)?;
    let mut found = shown(world, &network, caller);
    if let Some(id) = ids.iter().find(|id| !found.iter().any(|shown| shown.interface.id == **id)) {
        let message = format!("The networkInterface ID '{id}' does not exist");
        return Err(ApiError::new(400, "InvalidNetworkInterfaceID.NotFound", &message));
    }
    found.retain(|shown| ids.is_empty() || ids.contains(&shown.interface.id));
    found.retain(|shown| filters.iter().all(|filter| matches(shown, filter, caller)));
    let (found, next) = bounded_page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("networkInterfaceSet", found.iter().map(|shown| fields(shown, &network, caller)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// The interfaces of an account's endpoints. They go when their endpoint does.
fn shown<'w>(world: &'w World, network: &'w Network, caller: &Caller) -> Vec<Shown<'w>> {
    let own = world.endpoints.values().filter(|endpoint| endpoint.is_of(&caller.account, &caller.region));
    let there = own.filter(|endpoint| endpoint.state() != "deleted");
    let interfaces = there.flat_map(|endpoint| {
        endpoint.subnets.iter().map(move |(subnet, interface)| {
            let zone = network.subnets.get(subnet).map_or("", |subnet| &subnet.zone);
            Shown { interface, endpoint, subnet, zone }
        })
    });
    interfaces.collect()
}

fn matches(Shown { interface, endpoint, subnet, zone }: &Shown<'_>, filter: &Filter, caller: &Caller) -> bool {
    let (ipv4, ipv6) = endpoint.addresses(interface);
    match filter.name.as_str() {
        "addresses.private-ip-address" | "private-ip-address" => {
            ipv4.is_some_and(|address| filter.matches(&address.to_string()))
        }
        "availability-zone" => filter.matches(zone),
        "availability-zone-id" => filter.matches(&zone_id(zone)),
        "description" => filter.matches(&description(endpoint)),
        "group-id" => endpoint.security_groups.iter().any(|group| filter.matches(group)),
        "interface-type" => filter.matches(kind(endpoint)),
        "ipv6-addresses.ipv6-address" => ipv6.is_some_and(|address| filter.matches(&address.to_string())),
        "network-interface-id" => filter.matches(&interface.id),
        "owner-id" => filter.matches(&caller.account),
        "requester-managed" => filter.matches("true"),
        "status" => filter.matches("in-use"),
        "subnet-id" => filter.matches(subnet),
        "vpc-id" => filter.matches(&endpoint.vpc),
        _ => check_tags(filter, &std::collections::BTreeMap::new()),
    }
}

fn description(endpoint: &Endpoint) -> String {
    format!("VPC Endpoint Interface {}", endpoint.id)
}

fn kind(endpoint: &Endpoint) -> &'static str {
    if endpoint.kind == "Interface" { "vpc_endpoint" } else { "gateway_load_balancer_endpoint" }
}

fn fields(Shown { interface, endpoint, subnet, zone }: &Shown<'_>, network: &Network, caller: &Caller) -> Vec<Element> {
    let (ipv4, ipv6) = endpoint.addresses(interface);
    let groups = endpoint.security_groups.iter().map(|id| {
        let name = network.groups.get(id).map_or(id, |group| &group.name);
        vec![text("groupId", id), text("groupName", name)]
    });
    let mut fields = vec![
        text("networkInterfaceId", &interface.id),
        text("subnetId", subnet),
        text("vpcId", &endpoint.vpc),
        text("availabilityZone", zone),
        text("availabilityZoneId", zone_id(zone)),
        text("description", description(endpoint)),
        text("ownerId", &caller.account),
        text("requesterManaged", true),
        text("status", "in-use"),
        text("macAddress", mac(&interface.id)),
        text("sourceDestCheck", true),
        list("groupSet", groups),
        list("ipv6AddressesSet", ipv6.map(|address| vec![text("ipv6Address", address)])),
        text("interfaceType", kind(endpoint)),
        tag_set(&std::collections::BTreeMap::new()),
    ];
    // The second of the two is what an interface of IPv6 alone has in the place of the first.
    match (ipv4, ipv6) {
        (Some(address), _) => {
            let private = || text("privateIpAddress", address);
            fields.push(private());
            fields
                .push(element("privateIpAddressesSet", vec![element("item", vec![private(), text("primary", true)])]));
        }
        (None, Some(address)) => fields.extend([text("ipv6Address", address), text("ipv6Native", true)]),
        (None, None) => {}
    }
    fields
}

/// An address of Ethernet that somebody gave out himself, from the last digits of an id.
fn mac(id: &str) -> String {
    let digits = id.get(id.len().saturating_sub(10)..).unwrap_or_default();
    let pairs = (0..10).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or("00"));
    std::iter::once("02").chain(pairs).collect::<Vec<_>>().join(":")
}
