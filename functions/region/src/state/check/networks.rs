//! Whether VPCs hang together, and endpoints are in what is there.

use std::collections::BTreeMap;

use super::Problems;
use crate::world::{Endpoint, Network, Peer, Place};

pub(super) fn check(
    problems: &mut Problems,
    networks: &BTreeMap<Place, Network>,
    endpoints: &BTreeMap<String, Endpoint>,
) {
    for (at, network) in networks.values().enumerate() {
        let at = at.to_string();
        let Network { made: _, vpcs, subnets, groups } = network;
        for (key, vpc) in vpcs {
            let steps = ["networks", &at, "1", "vpcs", key];
            problems.id(&steps, &vpc.id);
            if !vpc.cidr.is_ipv4() || vpc.ipv6_cidr.is_some_and(|block| block.is_ipv4()) {
                problems.add(&steps, "its blocks are not one of IPv4 and one of IPv6");
            }
            if network.default_group(key).is_none() {
                problems.add(&steps, "it has no security group `default`");
            }
        }
        for (key, subnet) in subnets {
            let steps = ["networks", &at, "1", "subnets", key];
            problems.id(&steps, &subnet.id);
            if !vpcs.contains_key(&subnet.vpc) {
                problems.add(&steps, format!("there is no VPC `{}`", subnet.vpc));
            }
            let wrong = subnet.cidr.is_some_and(|block| !block.is_ipv4())
                || subnet.ipv6_cidr.is_some_and(|block| block.is_ipv4())
                || (subnet.cidr, subnet.ipv6_cidr) == (None, None);
            if wrong {
                problems.add(&steps, "its blocks are not one of IPv4, or one of IPv6, or both");
            }
        }
        for (key, group) in groups {
            let steps = ["networks", &at, "1", "groups", key];
            problems.id(&steps, &group.id);
            if !vpcs.contains_key(&group.vpc) {
                problems.add(&steps, format!("there is no VPC `{}`", group.vpc));
            }
            for rule in &group.rules {
                if let Peer::Group(other) = &rule.peer
                    && !groups.contains_key(other)
                {
                    problems.add(&steps, format!("its rule `{}` names `{other}`, which is not there", rule.id));
                }
            }
        }
    }
    for (key, endpoint) in endpoints {
        let steps = ["endpoints", key];
        let Some(network) = networks.get(&(endpoint.owner.clone(), endpoint.region.clone())) else {
            problems.add(&steps, format!("its owner has no VPC in {}", endpoint.region));
            continue;
        };
        let mut missing = Vec::new();
        missing.extend(Some(&endpoint.vpc).filter(|id| !network.vpcs.contains_key(*id)));
        missing.extend(endpoint.subnets.keys().filter(|id| !network.subnets.contains_key(*id)));
        missing.extend(endpoint.security_groups.iter().filter(|id| !network.groups.contains_key(*id)));
        for id in missing {
            problems.add(&steps, format!("it is in `{id}`, which is not there"));
        }
    }
}
