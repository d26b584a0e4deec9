//! What was read in the consumer's account.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use time::OffsetDateTime;

use crate::ids::{EndpointId, ServiceId};
use crate::observed::{EndpointState, PrivateDns, Tags, Unreadable};
use crate::probe::{InboundRule, VpcDns};

/// What one look at the consumer's account found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The endpoints that bear the tag, by id.
    pub endpoints: BTreeMap<EndpointId, Endpoint>,
    /// What their services offer to this account, by the service's name. A service that AWS does not show is missing.
    pub offers: BTreeMap<String, Offer>,
    /// Their subnets, by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// The DNS attributes of their VPCs, by id.
    pub vpcs: BTreeMap<String, VpcDns>,
    /// The addresses of their network interfaces, by id.
    pub interfaces: BTreeMap<String, BTreeSet<IpAddr>>,
    /// What their security groups let in.
    pub rules: Vec<InboundRule>,
    /// What AWS answered and could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// What this function's role may not read, with AWS's code. What depends on it is not decided; all else is.
    pub denied: BTreeMap<Part, String>,
}

/// Something that is read beside the endpoints, and that a role may not be allowed to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What the services offer.
    Offers,
    /// The subnets.
    Subnets,
    /// The DNS attributes of VPCs.
    VpcDns,
    /// The network interfaces.
    Interfaces,
    /// The rules of security groups.
    Rules,
}

impl Part {
    /// The call that reads it.
    pub fn call(self) -> &'static str {
        match self {
            Self::Offers => "DescribeVpcEndpointServices",
            Self::Subnets => "DescribeSubnets",
            Self::VpcDns => "DescribeVpcAttribute",
            Self::Interfaces => "DescribeNetworkInterfaces",
            Self::Rules => "DescribeSecurityGroupRules",
        }
    }
}

/// An endpoint, as DescribeVpcEndpoints shows it to its owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Its type in EC2's word: `Interface`, and those that are none of this product's business.
    pub kind: String,
    /// How far it has come.
    pub state: EndpointState,
    /// The name of its service.
    pub service_name: String,
    /// The provider's service; AWS's own have no such id.
    pub service: Option<ServiceId>,
    /// The service's Region, where AWS says it.
    pub service_region: Option<String>,
    /// Its VPC.
    pub vpc: String,
    /// Its subnets.
    pub subnets: BTreeSet<String>,
    /// Its security groups.
    pub groups: BTreeSet<String>,
    /// Its network interfaces.
    pub interfaces: BTreeSet<String>,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// The DNS records that it has: one of the same words, or `service-defined`. AWS may leave it out.
    pub dns_record_ip_type: Option<String>,
    /// Whether its service's private DNS name leads to it.
    pub private_dns_enabled: bool,
    /// Its names, in any order.
    pub dns_names: Vec<String>,
    /// When it was made.
    pub created: Option<OffsetDateTime>,
    /// All its tags.
    pub tags: Tags,
    /// What AWS says went wrong with it.
    pub failure: Option<String>,
}

impl Endpoint {
    /// Whether it is an interface endpoint, the only type that has these settings and can be tried. One of a provider's
    /// service is, where AWS does not say its type.
    pub fn is_interface(&self) -> bool {
        self.kind.eq_ignore_ascii_case("Interface") || self.kind.is_empty() && self.service.is_some()
    }

    /// The Region of its service; its own, where nothing says otherwise.
    pub(super) fn region_of_service<'e>(&'e self, own: &'e str) -> &'e str {
        let in_name = || self.service_name.strip_prefix("com.amazonaws.vpce.")?.split('.').next();
        self.service_region.as_deref().or_else(in_name).unwrap_or(own)
    }
}

/// What a service offers to this account, as DescribeVpcEndpointServices shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// `ipv4`, `ipv6`.
    pub ip_address_types: BTreeSet<String>,
    /// Its private DNS name.
    pub private_dns: Option<PrivateDns>,
}

/// A subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subnet {
    /// The name of its zone, which means another zone in another account.
    pub zone: Option<String>,
    /// The id of its zone.
    pub zone_id: Option<String>,
    /// Whether it has IPv4 addresses.
    pub ipv4: bool,
    /// Whether it has IPv6 addresses.
    pub ipv6: bool,
}
