//! VPCs and subnets, as their account sees them, and the attributes of VPCs.

use super::{ApiError, Fields, Filter, bounded_page, check_tags, dry_run, tag_set};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Cidr, Network, Place, Subnet, Vpc, World, zone_id};
use crate::xml::{Element, element, list, text};

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let network = network(world, caller);
    let ids = params.list("VpcId");
    let known = [
        "cidr",
        "cidr-block-association.association-id",
        "cidr-block-association.cidr-block",
        "cidr-block-association.state",
        "dhcp-options-id",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.state",
        "is-default",
        "owner-id",
        "state",
        "tag-key",
        "tag:",
        "vpc-id",
    ];
    let filters = Filter::take(params, &known)?;
    for id in &ids {
        network.vpc(id)?;
    }
    let mut found: Vec<&Vpc> = network.vpcs.values().collect();
    found.retain(|vpc| ids.is_empty() || ids.contains(&vpc.id));
    found.retain(|vpc| {
        let ipv6 = |filter: &Filter, value: &dyn Fn(&Cidr) -> String| {
            vpc.ipv6_cidr.as_ref().is_some_and(|block| filter.matches(&value(block)))
        };
        filters.iter().all(|filter| match filter.name.as_str() {
            "cidr" | "cidr-block-association.cidr-block" => filter.matches(&vpc.cidr.to_string()),
            "cidr-block-association.association-id" => filter.matches(&association("vpc", &vpc.id, &vpc.cidr)),
            "cidr-block-association.state" => filter.matches("associated"),
            "dhcp-options-id" => filter.matches("default"),
            "ipv6-cidr-block-association.association-id" => ipv6(filter, &|block| association("vpc", &vpc.id, block)),
            "ipv6-cidr-block-association.ipv6-cidr-block" => ipv6(filter, &Cidr::to_string),
            "ipv6-cidr-block-association.state" => ipv6(filter, &|_| "associated".to_owned()),
            "is-default" => filter.matches("false"),
            "owner-id" => filter.matches(&caller.account),
            "state" => filter.matches("available"),
            "vpc-id" => filter.matches(&vpc.id),
            _ => check_tags(filter, &vpc.tags),
        })
    });
    let (found, next) = bounded_page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("vpcSet", found.iter().map(|vpc| vpc_fields(vpc, &caller.account)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// Tells one attribute, as it is asked for.
pub(super) fn describe_attribute(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let (id, attribute) = (params.require("VpcId")?, params.require("Attribute")?);
    let dry_run = dry_run(params);
    params.finish()?;
    let network = network(world, caller);
    let vpc = network.vpc(&id)?;
    let (name, value) = match attribute.as_str() {
        "enableDnsSupport" => ("enableDnsSupport", vpc.dns_support),
        "enableDnsHostnames" => ("enableDnsHostnames", vpc.dns_hostnames),
        "enableNetworkAddressUsageMetrics" => ("enableNetworkAddressUsageMetrics", false),
        other => {
            let message = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return Err(ApiError::invalid(message));
        }
    };
    dry_run?;
    Ok(vec![text("vpcId", id), element(name, vec![text("value", value)])])
}

/// Changes one attribute. EC2 takes no two at once, and this can not be tried only.
pub(super) fn modify_attribute(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let id = params.require("VpcId")?;
    let mut attribute = |name| {
        let mut structure = params.structure(name);
        let value = structure.boolean("Value")?;
        structure.finish()?;
        Ok::<_, ApiError>(value)
    };
    let (support, hostnames) = (attribute("EnableDnsSupport")?, attribute("EnableDnsHostnames")?);
    params.finish()?;
    let refuse = |message| Err(ApiError::new(400, "InvalidParameterCombination", message));
    match (support, hostnames) {
        (None, None) => return refuse("No attributes specified."),
        (Some(_), Some(_)) => return refuse("Fields for multiple attribute types specified"),
        (Some(_), None) | (None, Some(_)) => {}
    }
    network(world, caller).vpc(&id)?;
    if let Some(vpc) = world.networks.get_mut(&place(caller)).and_then(|network| network.vpcs.get_mut(&id)) {
        vpc.dns_support = support.unwrap_or(vpc.dns_support);
        vpc.dns_hostnames = hostnames.unwrap_or(vpc.dns_hostnames);
    }
    Ok(vec![text("return", true)])
}

pub(super) fn describe_subnets(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let network = network(world, caller);
    let ids = params.list("SubnetId");
    let known = [
        "availability-zone",
        "availability-zone-id",
        "cidr-block",
        "default-for-az",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.state",
        "ipv6-native",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-arn",
        "subnet-id",
        "tag-key",
        "tag:",
        "vpc-id",
    ];
    let filters = Filter::take(params, &known)?;
    for id in &ids {
        network.subnet(id)?;
    }
    let mut found: Vec<&Subnet> = network.subnets.values().collect();
    found.retain(|subnet| ids.is_empty() || ids.contains(&subnet.id));
    found.retain(|subnet| {
        let has = |filter: &Filter, value: Option<String>| value.is_some_and(|value| filter.matches(&value));
        let ipv6 = subnet.ipv6_cidr;
        filters.iter().all(|filter| match filter.name.as_str() {
            "availability-zone" => filter.matches(&subnet.zone),
            "availability-zone-id" => filter.matches(&zone_id(&subnet.zone)),
            "cidr-block" => has(filter, subnet.cidr.map(|block| block.to_string())),
            "ipv6-cidr-block-association.association-id" => {
                has(filter, ipv6.map(|block| association("subnet", &subnet.id, &block)))
            }
            "ipv6-cidr-block-association.ipv6-cidr-block" => has(filter, ipv6.map(|block| block.to_string())),
            "ipv6-cidr-block-association.state" => has(filter, ipv6.map(|_| "associated".to_owned())),
            "ipv6-native" => filter.matches(&subnet.cidr.is_none().to_string()),
            "default-for-az" | "map-public-ip-on-launch" => filter.matches("false"),
            "owner-id" => filter.matches(&caller.account),
            "state" => filter.matches("available"),
            "subnet-arn" => filter.matches(&arn(caller, &subnet.id)),
            "subnet-id" => filter.matches(&subnet.id),
            "vpc-id" => filter.matches(&subnet.vpc),
            _ => check_tags(filter, &subnet.tags),
        })
    });
    let (found, next) = bounded_page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("subnetSet", found.iter().map(|subnet| subnet_fields(world, subnet, caller)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// Where a caller's VPCs are: in the Region that it calls.
pub(super) fn place(caller: &Caller) -> Place {
    (caller.account.clone(), caller.region.clone())
}

/// What a caller has there.
pub(super) fn network(world: &World, caller: &Caller) -> Network {
    world.networks.get(&place(caller)).cloned().unwrap_or_default()
}

fn vpc_fields(vpc: &Vpc, owner: &str) -> Vec<Element> {
    let state = || vec![text("state", "associated")];
    let ipv4 = vec![
        text("associationId", association("vpc", &vpc.id, &vpc.cidr)),
        text("cidrBlock", vpc.cidr),
        element("cidrBlockState", state()),
    ];
    let ipv6 = vpc.ipv6_cidr.map(|block| ipv6_association("vpc", &vpc.id, &block));
    let mut fields = vec![
        text("vpcId", &vpc.id),
        text("ownerId", owner),
        text("state", "available"),
        text("cidrBlock", vpc.cidr),
        list("cidrBlockAssociationSet", [ipv4]),
        text("dhcpOptionsId", "default"),
        text("instanceTenancy", "default"),
        text("isDefault", false),
        tag_set(&vpc.tags),
    ];
    // Without IPv6 there is no such set.
    fields.extend(ipv6.map(|ipv6| list("ipv6CidrBlockAssociationSet", [ipv6])));
    fields
}

fn subnet_fields(world: &World, subnet: &Subnet, caller: &Caller) -> Vec<Element> {
    let neighbours = world.endpoints.values().filter(|endpoint| endpoint.is_of(&caller.account, &caller.region));
    let used = neighbours.filter(|endpoint| endpoint.subnets.contains_key(&subnet.id)).count();
    // EC2 keeps five addresses of each subnet for itself.
    let free = subnet.cidr.map_or(0, |block| block.size()).saturating_sub(5);
    let free = free.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    // What has no IPv4 address can not be named after it.
    let names = [
        text("hostnameType", if subnet.cidr.is_some() { "ip-name" } else { "resource-name" }),
        text("enableResourceNameDnsARecord", false),
        text("enableResourceNameDnsAAAARecord", false),
    ];
    let mut fields = vec![
        text("subnetId", &subnet.id),
        text("subnetArn", arn(caller, &subnet.id)),
        text("state", "available"),
        text("ownerId", &caller.account),
        text("vpcId", &subnet.vpc),
        list(
            "ipv6CidrBlockAssociationSet",
            subnet.ipv6_cidr.map(|block| ipv6_association("subnet", &subnet.id, &block)),
        ),
        text("assignIpv6AddressOnCreation", subnet.cidr.is_none()),
        text("availableIpAddressCount", free),
        text("availabilityZone", &subnet.zone),
        text("availabilityZoneId", zone_id(&subnet.zone)),
        text("defaultForAz", false),
        text("mapPublicIpOnLaunch", false),
        text("ipv6Native", subnet.cidr.is_none()),
        text("enableDns64", false),
        element("privateDnsNameOptionsOnLaunch", names.to_vec()),
        tag_set(&subnet.tags),
    ];
    fields.extend(subnet.cidr.map(|block| text("cidrBlock", block)));
    fields
}

fn arn(caller: &Caller, subnet: &str) -> String {
    format!("arn:aws:ec2:{}:{}:subnet/{subnet}", caller.region, caller.account)
}

fn ipv6_association(of: &str, id: &str, block: &Cidr) -> Vec<Element> {
    vec![
        text("associationId", association(of, id, block)),
        text("ipv6CidrBlock", block),
        element("ipv6CidrBlockState", vec![text("state", "associated")]),
    ]
}

/// The id of the association of a block, of which a VPC or a subnet has one of each kind at most.
fn association(of: &str, id: &str, block: &Cidr) -> String {
    let digits = id.rsplit('-').next().unwrap_or_default();
    let kind = if block.is_ipv4() { "" } else { "6" };
    format!("{of}-cidr-assoc-{kind}{digits}")
}
