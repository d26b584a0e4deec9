//! The consumer's side: what is to be set on its own interface endpoints, what can not be and what would make it
//! possible, and the facts that a test from inside the VPC needs.
//!
//! - `observed`: what was read of the endpoints and of all that surrounds them. [`Seen`].
//! - `plan`: at most one change of each endpoint. [`plan_endpoint`], [`plan_endpoints`].
//! - `addresses`: the IP address type and the DNS record type; `private`: the private DNS name.
//! - `change`: what one change sets, and the memory of earlier ones. [`Change`], [`Memory`].
//! - `fix`: every command that a person is told.
//! - `facts`: the `endpoints` of the return value. [`facts`](facts()).
//!
//! # What is never done
//!
//! - An endpoint is not made, not deleted and not replaced. One without the tag is not in [`Seen`], and not touched.
//! - Private DNS is turned on where that is asked for, and never off.
//! - Nobody is fought: what this process has set twice within a day, and something else has undone, it leaves and says
//!   so. It knows that from its own memory and from nothing else. The settings of endpoints are all that may be written
//!   in the consumer's account, and AWS does not say who changed one, or when; so a process that starts anew begins
//!   counting anew, and two that run at the same time count apart.

mod addresses;
mod change;
mod facts;
mod fix;
mod observed;
mod plan;
mod private;

use std::fmt;
use std::num::NonZeroU16;

use crate::ids::ServiceId;
use crate::plan::{Reason, Skip};

pub use change::{Change, Memory, Setting};
pub use facts::facts;
pub use observed::{Endpoint, Offer, Part, Seen, Subnet};
pub use plan::{EndpointsPlan, plan_endpoint, plan_endpoints};

/// The key of the tag on an endpoint with the ports that are to be tried.
pub const TAG_PORTS: &str = "privatelink:ports";

/// What endpoints are to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSettings {
    /// The Region of the endpoints.
    pub region: String,
    /// Which addresses they are to have, and which DNS records.
    pub ip_address_type: AddressType,
    /// Whether their services' private DNS names are to lead to them.
    pub private_dns: bool,
    /// The ports that are to be tried, where an endpoint's tag does not say others.
    pub ports: Vec<NonZeroU16>,
}

/// Which families of addresses an endpoint has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressType {
    /// IPv4 alone.
    Ipv4,
    /// Both.
    Dualstack,
    /// IPv6 alone.
    Ipv6,
}

impl AddressType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ipv4, Self::Dualstack, Self::Ipv6];

    /// EC2's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Dualstack => "dualstack",
            Self::Ipv6 => "ipv6",
        }
    }

    /// Reads EC2's word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The families, in EC2's words.
    pub fn families(self) -> &'static [&'static str] {
        match self {
            Self::Ipv4 => &["ipv4"],
            Self::Dualstack => &["ipv4", "ipv6"],
            Self::Ipv6 => &["ipv6"],
        }
    }
}

impl fmt::Display for AddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads a list of ports: numbers with commas or spaces between them. Spaces, since not every way to write a tag lets
/// commas through.
///
/// # Errors
///
/// The first word that is no port; nothing, if there is none at all.
pub fn ports_in(text: &str) -> Result<Vec<NonZeroU16>, &str> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    // A port is digits alone: the standard library would take `+443`.
    let port = |word: &str| word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok()).flatten();
    let mut ports = words.map(|word| port(word).ok_or(word)).collect::<Result<Vec<NonZeroU16>, _>>()?;
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() { Err("") } else { Ok(ports) }
}

/// Something that is wanted and can not be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Obstacle {
    /// What stands in the way.
    detail: String,
    /// The command that would take it away.
    fix: Option<String>,
}

impl Obstacle {
    fn new(detail: impl Into<String>, fix: Option<String>) -> Self {
        Self { detail: detail.into(), fix }
    }
}

/// What is to be done about one kind of setting.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish<T> {
    /// Nothing: it is as it is wanted, or not asked for.
    Right,
    /// Set this.
    Set(T),
    /// It can not be set, for these reasons.
    Not(Vec<Obstacle>),
}

/// An endpoint that is left as it is.
fn skip(endpoint: &Endpoint, reason: Reason, detail: Option<String>, fix: Option<String>) -> Skip {
    let Endpoint { id, service, .. } = endpoint;
    let service: Option<ServiceId> = service.clone();
    Skip {
        service_id: service,
        endpoint_id: Some(id.to_string()),
        reason,
        policy: Vec::new(),
        nearest: Vec::new(),
        detail,
        fix,
    }
}

#[cfg(test)]
mod tests;
