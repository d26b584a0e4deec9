//! VPCs, as far as endpoints live in them: subnets, security groups, and the attributes that decide over their DNS.
//!
//! - `draft`: what somebody wants to be there.
//! - `groups`: security groups and their rules.
//! - `imagined`: what an account names that nobody made.

mod draft;
mod groups;
mod imagined;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::draft::{GroupDraft, SubnetDraft, VpcDraft};
pub use self::groups::{Peer, Rule, SecurityGroup};
use super::{Cidr, World};
use crate::error::ApiError;

/// Where a network is: an account, and a Region.
pub type Place = (String, String);

/// The VPCs of one account in one Region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Whether somebody made a VPC on purpose. From then on only what was made is there.
    pub made: bool,
    /// The VPCs, by id.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Their subnets, by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// Their security groups, by id.
    pub groups: BTreeMap<String, SecurityGroup>,
}

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// Its IPv4 addresses.
    pub cidr: Cidr,
    /// Its IPv6 addresses.
    pub ipv6_cidr: Option<Cidr>,
    /// Whether there is a resolver in it.
    pub dns_support: bool,
    /// Whether things in it have names; private DNS needs this too.
    pub dns_hostnames: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Vpc {
    /// Whether names that only it knows are known in it.
    pub fn has_private_dns(&self) -> bool {
        self.dns_support && self.dns_hostnames
    }
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its IPv4 addresses. A subnet for IPv6 only has none.
    pub cidr: Option<Cidr>,
    /// Its IPv6 addresses.
    pub ipv6_cidr: Option<Cidr>,
    /// The name of its Availability Zone.
    pub zone: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The id of an Availability Zone, from its name: `usw2-az1` of `us-west-2a`. Elsewhere the order of the letters is not
/// the same for each account; here it is.
pub fn zone_id(zone: &str) -> String {
    let (region, letter) = zone.split_at(zone.len().saturating_sub(1));
    let number = letter.bytes().next().map_or(0, |letter| letter.wrapping_sub(b'a').wrapping_add(1));
    let mut parts = region.split('-');
    let mut id = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let short = match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            other if other.bytes().all(|byte| byte.is_ascii_digit()) => other,
            other => other.get(..1).unwrap_or_default(),
        };
        id.push_str(short);
    }
    format!("{id}-az{number}")
}

/// What an endpoint needs of a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'w> {
    pub(crate) vpc: &'w str,
    pub(crate) subnets: &'w [String],
    pub(crate) groups: &'w [String],
}

impl World {
    /// A network with all that is asked for, which is not kept yet.
    ///
    /// # Errors
    ///
    /// EC2's, for what is not there or not in that VPC.
    pub(crate) fn network_with(&self, place: &Place, wish: Wish<'_>) -> Result<Network, ApiError> {
        let mut network = self.networks.get(place).cloned().unwrap_or_default();
        network.imagine(&place.1, wish);
        let Wish { vpc, subnets, groups } = wish;
        network.vpc(vpc)?;
        let mut zones = BTreeMap::new();
        for id in subnets {
            let subnet = network.subnet(id)?;
            if subnet.vpc != vpc {
                let message = format!("The subnet ID '{id}' is not in the VPC {vpc}");
                return Err(ApiError::new(400, "InvalidParameter", &message));
            }
            if zones.insert(&subnet.zone, id).is_some_and(|other| other != id) {
                let message = format!(
                    "Found another VPC endpoint subnet in the availability zone of {id}. VPC endpoint subnets should \
                     be in different availability zones supported by the VPC endpoint service."
                );
                return Err(ApiError::new(400, "DuplicateSubnetsInSameZone", &message));
            }
        }
        for id in groups {
            if network.group(id)?.vpc != vpc {
                let message = format!("The security group '{id}' does not belong to the VPC {vpc}");
                return Err(ApiError::new(400, "InvalidParameter", &message));
            }
        }
        Ok(network)
    }

    /// The network of an account in a Region, if there is anything in it.
    pub fn network(&self, owner: &str, region: &str) -> Option<&Network> {
        self.networks.get(&(owner.to_owned(), region.to_owned()))
    }
}

impl Network {
    /// A VPC.
    ///
    /// # Errors
    ///
    /// `InvalidVpcID.NotFound`.
    pub fn vpc(&self, id: &str) -> Result<&Vpc, ApiError> {
        let none = || ApiError::new(400, "InvalidVpcID.NotFound", &format!("The vpc ID '{id}' does not exist"));
        self.vpcs.get(id).ok_or_else(none)
    }

    /// A subnet.
    ///
    /// # Errors
    ///
    /// `InvalidSubnetID.NotFound`.
    pub fn subnet(&self, id: &str) -> Result<&Subnet, ApiError> {
        let none = || ApiError::new(400, "InvalidSubnetID.NotFound", &format!("The subnet ID '{id}' does not exist"));
        self.subnets.get(id).ok_or_else(none)
    }

    /// A security group.
    ///
    /// # Errors
    ///
    /// `InvalidGroup.NotFound`.
    pub fn group(&self, id: &str) -> Result<&SecurityGroup, ApiError> {
        let none = || ApiError::new(400, "InvalidGroup.NotFound", &format!("The security group '{id}' does not exist"));
        self.groups.get(id).ok_or_else(none)
    }

    /// The group that a VPC has from the beginning.
    pub fn default_group(&self, vpc: &str) -> Option<&SecurityGroup> {
        self.groups.values().find(|group| group.vpc == vpc && group.name == "default")
    }

    pub(super) fn tags_of(&mut self, id: &str) -> Option<&mut BTreeMap<String, String>> {
        let Self { made: _, vpcs, subnets, groups } = self;
        let vpc = vpcs.get_mut(id).map(|vpc| &mut vpc.tags);
        let subnet = vpc.or_else(|| subnets.get_mut(id).map(|subnet| &mut subnet.tags));
        subnet.or_else(|| groups.get_mut(id).map(|group| &mut group.tags))
    }
}

#[cfg(test)]
mod tests {
    use super::zone_id;

    #[test]
    fn zones_have_the_ids_that_aws_gives_them() {
        for (zone, id) in [
            ("us-west-2a", "usw2-az1"),
            ("eu-central-1c", "euc1-az3"),
            ("ap-southeast-2b", "apse2-az2"),
            ("us-gov-west-1a", "usgw1-az1"),
            ("ap-northeast-1a", "apne1-az1"),
        ] {
            assert_eq!(zone_id(zone), id);
        }
    }
}
