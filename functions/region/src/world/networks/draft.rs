//! Making VPCs, and changing them. EC2's own operations for that are not simulated: a VPC is said as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::{Cidr, World};
use super::{Network, SecurityGroup, Subnet, Vpc};

/// What somebody wants a VPC to be. Without an id it is a new one; with that of one that is there, what is said changes
/// that one, and what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VpcDraft {
    /// Its id.
    #[serde(default)]
    pub vpc_id: Option<String>,
    /// Its IPv4 addresses; those of EC2's default VPCs, where a new one says nothing.
    #[serde(default)]
    pub cidr_block: Option<Cidr>,
    /// Its IPv6 addresses.
    #[serde(default)]
    pub ipv6_cidr_block: Option<Cidr>,
    /// Whether there is a resolver in it. There is in a new one, if nothing is said.
    #[serde(default)]
    pub enable_dns_support: Option<bool>,
    /// Whether things in it have names. They have none in a new one, if nothing is said.
    #[serde(default)]
    pub enable_dns_hostnames: Option<bool>,
    /// Subnets that are to be there.
    #[serde(default)]
    pub subnets: Vec<SubnetDraft>,
    /// Security groups that are to be there.
    #[serde(default)]
    pub security_groups: Vec<GroupDraft>,
}

/// What somebody wants a subnet to be. One that is there is changed as a VPC is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubnetDraft {
    /// Its id.
    #[serde(default)]
    pub subnet_id: Option<String>,
    /// Its IPv4 addresses.
    #[serde(default)]
    pub cidr_block: Option<Cidr>,
    /// Its IPv6 addresses. Without others it is a subnet for IPv6 only.
    #[serde(default)]
    pub ipv6_cidr_block: Option<Cidr>,
    /// The name of its Availability Zone; the Region's first, where a new one says nothing.
    #[serde(default)]
    pub availability_zone: Option<String>,
}

/// What somebody wants a security group to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GroupDraft {
    /// Its id.
    #[serde(default)]
    pub group_id: Option<String>,
    /// Its name.
    pub group_name: String,
}

impl World {
    /// Makes a VPC with its subnets and security groups, or changes one that is there. From then on the account has in
    /// that Region only what was made, and calls that name anything else are refused. The answer is the draft with all
    /// ids, among the groups also the default one.
    ///
    /// # Errors
    ///
    /// What can not be so.
    pub fn make_vpc(&mut self, owner: &str, region: Option<&str>, draft: VpcDraft) -> Result<VpcDraft, String> {
        let region = region.unwrap_or(&self.settings.name).to_owned();
        let place = (owner.to_owned(), region.clone());
        let mut network = self.networks.get(&place).cloned().unwrap_or_default();
        let id = draft.vpc_id.clone().unwrap_or_else(|| self.id("vpc-"));
        let new = !network.vpcs.contains_key(&id);
        let vpc = network.vpcs.entry(id.clone()).or_insert_with(|| Vpc {
            id: id.clone(),
            cidr: DEFAULT,
            ipv6_cidr: None,
            dns_support: true,
            dns_hostnames: false,
            tags: BTreeMap::new(),
        });
        vpc.cidr = draft.cidr_block.unwrap_or(vpc.cidr);
        vpc.ipv6_cidr = draft.ipv6_cidr_block.or(vpc.ipv6_cidr);
        vpc.dns_support = draft.enable_dns_support.unwrap_or(vpc.dns_support);
        vpc.dns_hostnames = draft.enable_dns_hostnames.unwrap_or(vpc.dns_hostnames);
        if !vpc.cidr.is_ipv4() || vpc.ipv6_cidr.is_some_and(|block| block.is_ipv4()) {
            return Err(format!("the blocks of the VPC `{id}` are not one of IPv4 and one of IPv6"));
        }
        let vpc = vpc.clone();
        for subnet in draft.subnets {
            let id = subnet.subnet_id.clone().unwrap_or_else(|| self.id("subnet-"));
            network.put_subnet(id, &vpc, subnet, &region)?;
        }
        let default = GroupDraft { group_id: None, group_name: "default".to_owned() };
        for GroupDraft { group_id, group_name } in draft.security_groups.into_iter().chain(new.then_some(default)) {
            let id = group_id.unwrap_or_else(|| self.id("sg-"));
            let of_name = |group: &&SecurityGroup| group.vpc == vpc.id && group.name == group_name && group.id != id;
            // The default group may have been among those that were asked for.
            if let Some(other) = network.groups.values().find(of_name) {
                if group_name == "default" {
                    continue;
                }
                return Err(format!("`{}` is the security group `{group_name}` of `{}` already", other.id, vpc.id));
            }
            let group = SecurityGroup::new(&id, &group_name, &vpc, || self.id("sgr-"));
            network.groups.entry(id).or_insert(group).name = group_name;
        }
        network.made = true;
        let made = network.draft_of(&vpc);
        self.networks.insert(place, network);
        Ok(made)
    }
}

/// That of EC2's default VPCs.
const DEFAULT: Cidr = Cidr { address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(172, 31, 0, 0)), bits: 16 };

impl Network {
    fn put_subnet(&mut self, id: String, vpc: &Vpc, draft: SubnetDraft, region: &str) -> Result<(), String> {
        let subnet = self.subnets.entry(id.clone()).or_insert_with(|| Subnet {
            id: id.clone(),
            vpc: vpc.id.clone(),
            cidr: None,
            ipv6_cidr: None,
            zone: format!("{region}a"),
            tags: BTreeMap::new(),
        });
        if subnet.vpc != vpc.id {
            return Err(format!("the subnet `{id}` is in the VPC `{}`", subnet.vpc));
        }
        subnet.cidr = draft.cidr_block.or(subnet.cidr);
        subnet.ipv6_cidr = draft.ipv6_cidr_block.or(subnet.ipv6_cidr);
        if let Some(zone) = draft.availability_zone {
            subnet.zone = zone;
        }
        let letter = subnet
            .zone
            .strip_prefix(region)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_lowercase()));
        if !letter {
            return Err(format!("`{}` is no Availability Zone of {region}", subnet.zone));
        }
        let (ipv4, ipv6) = (subnet.cidr, subnet.ipv6_cidr);
        if ipv4.is_none() && ipv6.is_none() {
            return Err(format!("the subnet `{id}` has no block of addresses"));
        }
        let outside = ipv4.is_some_and(|block| !vpc.cidr.holds(&block))
            || ipv6.is_some_and(|block| !vpc.ipv6_cidr.is_some_and(|all| all.holds(&block)));
        if outside {
            return Err(format!("the blocks of the subnet `{id}` are not within those of its VPC"));
        }
        Ok(())
    }

    fn draft_of(&self, vpc: &Vpc) -> VpcDraft {
        let subnets = self.subnets.values().filter(|subnet| subnet.vpc == vpc.id).map(|subnet| SubnetDraft {
            subnet_id: Some(subnet.id.clone()),
            cidr_block: subnet.cidr,
            ipv6_cidr_block: subnet.ipv6_cidr,
            availability_zone: Some(subnet.zone.clone()),
        });
        let groups = self.groups.values().filter(|group| group.vpc == vpc.id);
        let groups =
            groups.map(|group| GroupDraft { group_id: Some(group.id.clone()), group_name: group.name.clone() });
        VpcDraft {
            vpc_id: Some(vpc.id.clone()),
            cidr_block: Some(vpc.cidr),
            ipv6_cidr_block: vpc.ipv6_cidr,
            enable_dns_support: Some(vpc.dns_support),
            enable_dns_hostnames: Some(vpc.dns_hostnames),
            subnets: subnets.collect(),
            security_groups: groups.collect(),
        }
    }
}
