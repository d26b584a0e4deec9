//! Security groups and their rules, as their account sees them.

use super::vpcs;
use super::{Fields, Filter, bounded_page, check_tags, dry_run, tag_set};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Peer, Rule, SecurityGroup, World};
use crate::xml::{Element, element, list, text};

/// The filters by what a group lets in; those by what it lets out have `egress.` before them.
const PERMISSION: [&str; 7] = [
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.ipv6-cidr",
    "ip-permission.protocol",
    "ip-permission.to-port",
    "ip-permission.user-id",
];

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let network = vpcs::network(world, caller);
    let (ids, names) = (params.list("GroupId"), params.list("GroupName"));
    let egress = PERMISSION.map(|name| format!("egress.{name}"));
    let mut known = vec!["description", "group-id", "group-name", "owner-id", "tag-key", "tag:", "vpc-id"];
    known.extend(PERMISSION);
    known.extend(egress.iter().map(String::as_str));
    let filters = Filter::take(params, &known)?;
    for id in &ids {
        network.group(id)?;
    }
    let mut found: Vec<&SecurityGroup> = network.groups.values().collect();
    if let Some(name) = names.iter().find(|name| !found.iter().any(|group| group.name == **name)) {
        // The same words as of an id.
        network.group(name)?;
    }
    found.retain(|group| ids.is_empty() || ids.contains(&group.id));
    found.retain(|group| names.is_empty() || names.contains(&group.name));
    found.retain(|group| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "description" => filter.matches(&group.description),
            "group-id" => filter.matches(&group.id),
            "group-name" => filter.matches(&group.name),
            "owner-id" => filter.matches(&caller.account),
            "vpc-id" => filter.matches(&group.vpc),
            name => {
                let (egress, of) = match name.strip_prefix("egress.") {
                    Some(of) => (true, of),
                    None => (false, name),
                };
                match of.strip_prefix("ip-permission.") {
                    Some(part) => {
                        let mut rules = group.rules.iter().filter(|rule| rule.egress == egress);
                        rules.any(|rule| has(rule, part, filter, &caller.account))
                    }
                    None => check_tags(filter, &group.tags),
                }
            }
        })
    });
    let (found, next) = bounded_page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("securityGroupInfo", found.iter().map(|group| fields(group, caller)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// Whether a rule has a filter's value in one of its parts.
fn has(rule: &Rule, part: &str, filter: &Filter, account: &str) -> bool {
    let port = |port: Option<i32>| port.is_some_and(|port| filter.matches(&port.to_string()));
    match (part, &rule.peer) {
        ("protocol", _) => filter.matches(&rule.protocol),
        ("from-port", _) => port(rule.from_port),
        ("to-port", _) => port(rule.to_port),
        ("cidr", Peer::Cidr(block)) => block.is_ipv4() && filter.matches(&block.to_string()),
        ("ipv6-cidr", Peer::Cidr(block)) => !block.is_ipv4() && filter.matches(&block.to_string()),
        ("group-id", Peer::Group(id)) => filter.matches(id),
        ("user-id", Peer::Group(_)) => filter.matches(account),
        (_, Peer::Cidr(_) | Peer::Group(_)) => false,
    }
}

pub(super) fn describe_rules(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let network = vpcs::network(world, caller);
    let ids = params.list("SecurityGroupRuleId");
    let filters = Filter::take(params, &["group-id", "security-group-rule-id", "tag:"])?;
    let groups = network.groups.values();
    let mut found: Vec<_> =
        groups.flat_map(|group| group.rules.iter().map(move |rule| (group.id.as_str(), rule))).collect();
    if let Some(id) = ids.iter().find(|id| !found.iter().any(|(_, rule)| rule.id == **id)) {
        let message = format!("The security group rule ID '{id}' does not exist");
        return Err(super::ApiError::new(400, "InvalidSecurityGroupRuleId.NotFound", &message));
    }
    found.retain(|(_, rule)| ids.is_empty() || ids.contains(&rule.id));
    found.retain(|(group, rule)| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "group-id" => filter.matches(group),
            "security-group-rule-id" => filter.matches(&rule.id),
            // Rules have no tags here.
            _ => false,
        })
    });
    let (found, next) = bounded_page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let items = found.iter().map(|(group, rule)| rule_fields(group, rule, caller));
    let mut answer = vec![list("securityGroupRuleSet", items)];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

fn arn(caller: &Caller, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", caller.region, caller.account)
}

fn fields(group: &SecurityGroup, caller: &Caller) -> Vec<Element> {
    vec![
        text("groupId", &group.id),
        text("groupName", &group.name),
        text("groupDescription", &group.description),
        text("ownerId", &caller.account),
        text("vpcId", &group.vpc),
        text("securityGroupArn", arn(caller, "security-group", &group.id)),
        permissions("ipPermissions", group, false, caller),
        permissions("ipPermissionsEgress", group, true, caller),
        tag_set(&group.tags),
    ]
}

/// The rules of one direction: those of the same ports are one permission.
fn permissions(name: &'static str, group: &SecurityGroup, egress: bool, caller: &Caller) -> Element {
    let rules: Vec<&Rule> = group.rules.iter().filter(|rule| rule.egress == egress).collect();
    let ports = |rule: &Rule| (rule.protocol.clone(), rule.from_port, rule.to_port);
    let mut all: Vec<_> = rules.iter().map(|rule| ports(rule)).collect();
    all.sort();
    all.dedup();
    let items = all.into_iter().map(|of| {
        let rules: Vec<&&Rule> = rules.iter().filter(|rule| ports(rule) == of).collect();
        let described = |rule: &Rule, first: Vec<Element>| {
            let description = rule.description.as_ref().map(|words| text("description", words));
            first.into_iter().chain(description).collect::<Vec<_>>()
        };
        let ranges = |ipv4, field| {
            let blocks = rules.iter().filter_map(move |rule| match &rule.peer {
                Peer::Cidr(block) if block.is_ipv4() == ipv4 => Some(described(rule, vec![text(field, block)])),
                Peer::Cidr(_) | Peer::Group(_) => None,
            });
            blocks.collect::<Vec<_>>()
        };
        let groups = rules.iter().filter_map(|rule| match &rule.peer {
            Peer::Group(id) => Some(described(rule, vec![text("userId", &caller.account), text("groupId", id)])),
            Peer::Cidr(_) => None,
        });
        let (protocol, from, to) = &of;
        let mut fields = vec![text("ipProtocol", protocol)];
        fields.extend(from.map(|port| text("fromPort", port)));
        fields.extend(to.map(|port| text("toPort", port)));
        fields.extend([
            list("groups", groups),
            list("ipRanges", ranges(true, "cidrIp")),
            list("ipv6Ranges", ranges(false, "cidrIpv6")),
            list("prefixListIds", []),
        ]);
        fields
    });
    list(name, items)
}

/// A rule by itself. One for all protocols has the ports -1 here.
pub(super) fn rule_fields(group: &str, rule: &Rule, caller: &Caller) -> Vec<Element> {
    let mut fields = vec![
        text("securityGroupRuleId", &rule.id),
        text("groupId", group),
        text("groupOwnerId", &caller.account),
        text("isEgress", rule.egress),
        text("ipProtocol", &rule.protocol),
        text("fromPort", rule.from_port.unwrap_or(-1)),
        text("toPort", rule.to_port.unwrap_or(-1)),
    ];
    fields.push(match &rule.peer {
        Peer::Cidr(block) => text(if block.is_ipv4() { "cidrIpv4" } else { "cidrIpv6" }, block),
        Peer::Group(id) => element("referencedGroupInfo", vec![text("groupId", id), text("userId", &caller.account)]),
    });
    fields.extend(rule.description.as_ref().map(|words| text("description", words)));
    fields.extend([list("tagSet", []), text("securityGroupRuleArn", arn(caller, "security-group-rule", &rule.id))]);
    fields
}
