//! What is tried of an endpoint, by which names, and what is wrong where it does not work.
//!
//! ```text
//! facts -> targets -> questions -> [answers] -> contacts -> [reached] -> tried
//! ```
//!
//! What stands in brackets the shell finds out; everything else is decided here. A question or a contact for which
//! nothing was found was not tried in time, which is no failure.

mod cause;
mod facts;
mod found;
mod judge;
mod report;
mod rules;
mod text;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::DnsName;

pub use cause::{Cause, Refusal};
pub use facts::{Addresses, CONFIGURATOR, Endpoint, InboundRule, Name, NameKind, VpcDns, endpoints_in};
pub use found::{Contact, Found, Question, Reached, Resolved, contacts, questions};
pub use judge::{Tried, Verdict, judge};
pub use report::{Probed, report, targets};
pub use text::text;

/// The two Internet Protocols, which are tried apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    pub fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The type of its DNS records.
    pub fn record(self) -> &'static str {
        match self {
            Self::Ipv4 => "A",
            Self::Ipv6 => "AAAA",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// From where it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vantage {
    /// From inside the endpoint's VPC, where everything has to work.
    Inside,
    /// From anywhere, most likely not from there, where a private DNS name is not to be found.
    Anywhere,
}

/// The path of an HTTP request: it begins with `/` and holds no space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpPath(String);

/// Longer paths ask for nothing that a probe would.
const LONGEST_PATH: usize = 1024;

impl HttpPath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HttpPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let good = path.starts_with('/') && path.len() <= LONGEST_PATH && path.bytes().all(|b| b.is_ascii_graphic());
        let shown = || path.chars().take(64).collect::<String>();
        if good { Ok(Self(path)) } else { Err(format!("`{}` is no path like `/health`, in ASCII", shown())) }
    }
}

/// One name, with all that is tried of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name as it is told.
    pub name: DnsName,
    /// What it stands for.
    pub kind: NameKind,
    /// The endpoint that it is a name of, where that is known.
    pub endpoint: Option<Arc<Endpoint>>,
    /// The families that have to work.
    pub families: Vec<Family>,
    /// The ports.
    pub ports: Vec<NonZeroU16>,
    /// The name that a certificate has to hold, where TLS is tried.
    pub tls: Option<DnsName>,
    /// The path of an HTTP request, where one is made.
    pub http: Option<HttpPath>,
}

/// The label that stands for a `*`: any will do, and this one says who asks.
const WILDCARDS_LABEL: &str = "privatelink-probe";

/// A name that can be asked for: of a wildcard, one that it stands for.
pub fn concrete(name: &DnsName) -> DnsName {
    match name.as_str().strip_prefix("*.") {
        // The longest wildcards have no room for a label below them; what they stand for is then asked for itself.
        Some(_) => {
            let above = name.without_wildcard();
            above.below(WILDCARDS_LABEL).unwrap_or(above)
        }
        None => name.clone(),
    }
}

impl Target {
    /// The targets of an endpoint: each of its names, once.
    pub fn of(endpoint: &Arc<Endpoint>) -> Vec<Self> {
        let mut targets: Vec<Self> = Vec::new();
        for Name { name, kind, availability_zone_id: _ } in &endpoint.names {
            if targets.iter().any(|target| target.name == *name) {
                continue;
            }
            let families = Family::BOTH.into_iter().filter(|family| endpoint.families.contains(family));
            let certificate = endpoint.private_name().unwrap_or(name);
            let mut ports = endpoint.ports.clone();
            ports.sort_unstable();
            ports.dedup();
            targets.push(Self {
                name: name.clone(),
                kind: *kind,
                endpoint: Some(Arc::clone(endpoint)),
                families: families.collect(),
                ports,
                tls: endpoint.tls.then(|| concrete(certificate)),
                http: endpoint.http.clone(),
            });
        }
        targets
    }

    /// The name that is asked for.
    pub fn asked(&self) -> DnsName {
        concrete(&self.name)
    }
}
