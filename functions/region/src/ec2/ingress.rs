//! AuthorizeSecurityGroupIngress: what a security group lets in from now on.

use std::net::IpAddr;

use super::{ApiError, Fields, dry_run, groups, vpcs};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Cidr, Network, Peer, Rule, World};
use crate::xml::{list, text};

/// The most rules of one direction.
const MOST: usize = 60;

pub(super) fn authorize(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let id = params.require("GroupId")?;
    let mut permissions = params.structures("IpPermissions");
    // One permission may be said without a list.
    let mut single = Params::default();
    for name in ["IpProtocol", "FromPort", "ToPort", "CidrIp"] {
        if let Some(value) = params.take(name) {
            single.put(name, value);
        }
    }
    let dry_run = dry_run(params);
    params.finish()?;
    let network = vpcs::network(world, caller);
    if single.children().next().is_some() {
        permissions.push(single);
    }
    let mut rules = Vec::new();
    for mut permission in permissions {
        rules.extend(read(&mut permission, &network)?);
        permission.finish()?;
    }
    if rules.is_empty() {
        return Err(ApiError::missing("IpPermissions"));
    }
    let group = network.group(&id)?;
    let inbound: Vec<&Rule> = group.rules.iter().filter(|rule| !rule.egress).collect();
    for (at, rule) in rules.iter().enumerate() {
        let earlier = rules.iter().take(at);
        if inbound.iter().copied().chain(earlier).any(|other| rule.is_like(other)) {
            return Err(duplicate(rule));
        }
    }
    if inbound.len() + rules.len() > MOST {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(ApiError::new(400, "RulesPerSecurityGroupLimitExceeded", message));
    }
    dry_run?;
    for rule in &mut rules {
        rule.id = world.id("sgr-");
    }
    let items: Vec<_> = rules.iter().map(|rule| groups::rule_fields(&id, rule, caller)).collect();
    if let Some(group) = world.networks.get_mut(&vpcs::place(caller)).and_then(|network| network.groups.get_mut(&id)) {
        group.rules.extend(rules);
    }
    Ok(vec![text("return", true), list("securityGroupRuleSet", items)])
}

/// One permission: a rule for each of its peers.
fn read(permission: &mut Params, network: &Network) -> Result<Vec<Rule>, ApiError> {
    let protocol = protocol(&permission.require("IpProtocol")?)?;
    let from = port(permission, "FromPort")?;
    let to = port(permission, "ToPort")?;
    let (from_port, to_port) = match protocol.as_str() {
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let message = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.";
                return Err(ApiError::invalid(message));
            };
            if from > to || from < 0 || to > 65_535 {
                return Err(ApiError::invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
            }
            (Some(from), Some(to))
        }
        "icmp" | "icmpv6" => (Some(from.unwrap_or(-1)), Some(to.unwrap_or(-1))),
        // All ports of all other protocols.
        _ => (None, None),
    };
    let rule = |peer, description| Rule {
        id: String::new(),
        egress: false,
        protocol: protocol.clone(),
        from_port,
        to_port,
        peer,
        description,
    };
    let mut rules = Vec::new();
    if let Some(block) = permission.take("CidrIp") {
        rules.push(rule(Peer::Cidr(cidr(&block, true)?), None));
    }
    for (ranges, field, ipv4) in [("IpRanges", "CidrIp", true), ("Ipv6Ranges", "CidrIpv6", false)] {
        for mut range in permission.structures(ranges) {
            let block = cidr(&range.require(field)?, ipv4)?;
            rules.push(rule(Peer::Cidr(block), range.take("Description")));
            range.finish()?;
        }
    }
    for mut pair in permission.structures("Groups") {
        let (id, name) = (pair.take("GroupId"), pair.take("GroupName"));
        let description = pair.take("Description");
        // Groups of others are not seen here, nor those of VPCs that one has a peering with.
        for part in ["UserId", "VpcId", "VpcPeeringConnectionId", "PeeringStatus"] {
            pair.take(part);
        }
        pair.finish()?;
        let named = name.as_ref().and_then(|name| network.groups.values().find(|group| group.name == *name));
        let id = id.or_else(|| named.map(|group| group.id.clone())).or(name).unwrap_or_default();
        rules.push(rule(Peer::Group(network.group(&id)?.id.clone()), description));
    }
    if let Some(mut prefix_list) = permission.structures("PrefixListIds").pop() {
        let id = prefix_list.take("PrefixListId").unwrap_or_default();
        let message = format!("The prefix list ID '{id}' does not exist");
        return Err(ApiError::new(400, "InvalidPrefixListID.NotFound", &message));
    }
    Ok(rules)
}

fn port(permission: &mut Params, name: &str) -> Result<Option<i32>, ApiError> {
    let Some(value) = permission.take(name) else { return Ok(None) };
    let port = value.parse().map(Some);
    port.map_err(|_| ApiError::invalid(format!("Value ({value}) for parameter {name} is invalid.")))
}

/// A protocol by its name, as far as it has one with EC2, or by its number.
fn protocol(said: &str) -> Result<String, ApiError> {
    let name = match said.to_ascii_lowercase().as_str() {
        "tcp" | "6" => "tcp",
        "udp" | "17" => "udp",
        "icmp" | "1" => "icmp",
        "icmpv6" | "58" => "icmpv6",
        "-1" | "all" => "-1",
        number if number.parse::<u8>().is_ok() => return Ok(number.to_owned()),
        _ => return Err(ApiError::invalid(format!("Invalid value '{said}' for IP protocol. Unknown protocol."))),
    };
    Ok(name.to_owned())
}

/// A block. What is behind its bits is dropped, as EC2 does.
fn cidr(text: &str, ipv4: bool) -> Result<Cidr, ApiError> {
    let block = text.split_once('/').and_then(|(address, bits)| {
        let address: IpAddr = address.parse().ok()?;
        Cidr::new(address, bits.parse().ok()?)
    });
    let block = block.filter(|block| block.is_ipv4() == ipv4);
    block.ok_or_else(|| ApiError::invalid(format!("CIDR block {text} is malformed")))
}

fn duplicate(rule: &Rule) -> ApiError {
    let peer = match &rule.peer {
        Peer::Cidr(block) => block.to_string(),
        Peer::Group(id) => id.clone(),
    };
    let ports = match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
        _ => String::new(),
    };
    let protocol = if rule.protocol == "-1" { "ALL".to_owned() } else { rule.protocol.to_uppercase() };
    let message = format!("the specified rule \"peer: {peer}, {protocol}{ports}, ALLOW\" already exists");
    ApiError::new(400, "InvalidPermission.Duplicate", &message)
}
