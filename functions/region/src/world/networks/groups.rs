//! Security groups and their rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::Cidr;
use super::Vpc;

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it lets through.
    pub rules: Vec<Rule>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What a security group lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Whether it is about what goes out, and not about what comes in.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for all.
    pub protocol: String,
    /// The first port. A rule for all protocols has none.
    pub from_port: Option<i32>,
    /// The last port.
    pub to_port: Option<i32>,
    /// From whom, or to whom.
    pub peer: Peer,
    /// What it is for.
    pub description: Option<String>,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// Whoever has an address of these.
    Cidr(Cidr),
    /// Whoever is in that security group.
    Group(String),
}

impl Rule {
    /// Whether it lets through what another one does, whatever it is for.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { id: _, egress, protocol, from_port, to_port, peer, description: _ } = self;
        let like = (&other.egress, &other.protocol, &other.from_port, &other.to_port, &other.peer);
        (egress, protocol, from_port, to_port, peer) == like
    }

    fn all(id: String, egress: bool, peer: Peer) -> Self {
        Self { id, egress, protocol: "-1".to_owned(), from_port: None, to_port: None, peer, description: None }
    }
}

impl SecurityGroup {
    /// A new group, as EC2 makes them: everything may go out, and into the default group whatever comes out of it.
    pub(super) fn new(id: &str, name: &str, vpc: &Vpc, mut rule_id: impl FnMut() -> String) -> Self {
        let every_ipv4 = [Cidr::new([0, 0, 0, 0].into(), 0)].into_iter().flatten();
        let every_ipv6 = vpc.ipv6_cidr.and_then(|_| Cidr::new([0_u8; 16].into(), 0));
        let everybody = every_ipv4.chain(every_ipv6).map(Peer::Cidr);
        let mut rules: Vec<_> = everybody.map(|peer| Rule::all(rule_id(), true, peer)).collect();
        let default = name == "default";
        if default {
            rules.push(Rule::all(rule_id(), false, Peer::Group(id.to_owned())));
        }
        let description = if default { "default VPC security group" } else { name };
        Self {
            id: id.to_owned(),
            vpc: vpc.id.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            rules,
            tags: BTreeMap::new(),
        }
    }
}
