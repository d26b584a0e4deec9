//! What there is in the world: services and endpoints, and the drafts that they are made from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Built, Interface};
use crate::state::form;

/// A word of EC2's. It has a name of its own since serde takes whatever looks like `&str` for a part of what it reads.
pub type Word = &'static str;

/// EC2's words for the kinds of endpoints that there are here.
pub(crate) const KINDS: &[Word] = &["GatewayLoadBalancer", "Interface"];

/// EC2's words for the states of endpoints.
pub(crate) const STATES: &[Word] =
    &["pendingAcceptance", "pending", "available", "deleting", "deleted", "rejected", "failed", "expired", "partial"];

/// An endpoint service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its id.
    pub id: String,
    /// The account that owns it.
    pub owner: String,
    /// Whether a connection waits for its owner.
    pub acceptance_required: bool,
    /// Its load balancers' ARNs.
    pub load_balancers: Vec<String>,
    /// Whether they are Gateway Load Balancers. Such services send no notifications.
    pub gateway: bool,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: Vec<String>,
    /// The private DNS name.
    pub private_dns_name: Option<PrivateDnsName>,
    /// From which other Regions one may connect.
    pub supported_regions: BTreeSet<String>,
    /// Who may connect: ids of permissions by principal, which is `*` or an ARN.
    pub principals: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Service {
    /// EC2's word for its kind, which is that of its endpoints as well.
    pub fn kind(&self) -> &'static str {
        if self.gateway { "GatewayLoadBalancer" } else { "Interface" }
    }
}

/// A private DNS name, and the TXT record that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateDnsName {
    /// The name.
    pub name: String,
    /// The TXT record's first label.
    pub record: String,
    /// The TXT record's value.
    pub value: String,
    /// How far the proof has come.
    pub state: DnsState,
    /// Whether its owner asked for a look at the record that is still to come.
    pub(crate) asked: bool,
    /// The look that is to come. One that was foreseen before it is none any more.
    pub(crate) look: u64,
}

/// How far a private DNS name is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DnsState {
    /// Nobody has looked yet.
    PendingVerification,
    /// The record is there.
    Verified,
    /// The record was not there.
    Failed,
}

impl DnsState {
    /// EC2's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::PendingVerification => "pendingVerification",
            Self::Verified => "verified",
            Self::Failed => "failed",
        }
    }
}

/// An endpoint, which is a connection to its service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// The connection's id.
    pub connection_id: String,
    /// The service's id.
    pub service: String,
    /// EC2's word for its kind.
    #[serde(deserialize_with = "form::kind")]
    pub kind: Word,
    /// The account that owns it.
    pub owner: String,
    /// Its VPC.
    pub vpc: String,
    /// Its Region.
    pub region: String,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// Which addresses its names have: `ipv4`, `dualstack`, `ipv6` or `service-defined`.
    pub dns_record_ip_type: String,
    /// Whether the service's private DNS name leads to it in its VPC.
    pub private_dns_enabled: bool,
    /// Its network interfaces, by their subnets.
    pub subnets: BTreeMap<String, Interface>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// What is in force of it, once it was available.
    pub built: Option<Built>,
    /// When it was made.
    #[serde(with = "form::moment")]
    pub created: OffsetDateTime,
    /// EC2's words for its states, with since when. The last one is its state.
    #[serde(with = "form::history")]
    pub history: Vec<(OffsetDateTime, Word)>,
    /// The provider's tags.
    pub connection_tags: BTreeMap<String, String>,
    /// The consumer's tags.
    pub tags: BTreeMap<String, String>,
}

impl Endpoint {
    /// EC2's word for its state.
    pub fn state(&self) -> &'static str {
        self.history.last().map_or("", |(_, state)| state)
    }

    /// The state as a read sees it that lags behind.
    pub fn state_at(&self, at: OffsetDateTime) -> &'static str {
        let seen = self.history.iter().rev().find(|(since, _)| *since <= at);
        seen.or(self.history.first()).map_or("", |(_, state)| state)
    }

    /// Whether its service may not be taken away from under it.
    pub fn is_live(&self) -> bool {
        matches!(self.state(), "pendingAcceptance" | "pending" | "available")
    }
}

/// What somebody wants a new service to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDraft {
    /// Whether connections wait.
    pub acceptance_required: bool,
    /// Its load balancers' ARNs.
    pub load_balancers: Vec<String>,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: Vec<String>,
    /// The private DNS name.
    pub private_dns_name: Option<String>,
    /// From which other Regions one may connect.
    pub supported_regions: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What somebody wants a new endpoint to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointDraft {
    /// The service's name.
    pub service_name: String,
    /// The VPC.
    pub vpc: String,
    /// Its Region; this one, where it is left out.
    pub region: Option<String>,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// Which addresses its names have; those that it has itself, where it is left out.
    pub dns_record_ip_type: Option<String>,
    /// Whether the service's private DNS name is to lead to it.
    pub private_dns_enabled: bool,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// The consumer's tags.
    pub tags: BTreeMap<String, String>,
}
