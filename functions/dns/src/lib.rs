//! Asks the world's DNS for one TXT record, one name server at a time, and says what was answered; and the system's
//! resolver for addresses.
//!
//! What it means is decided in `privatelink_core`. Nothing here knows AWS.
//!
//! # Invariants
//!
//! - A TXT record is never taken from a cache, neither ours nor, where its zone answers, a resolver's.
//! - A server that says nothing costs two seconds at most, and holds up none of the others.
//! - What could not be found out is said to be unknown, and is never taken for "nothing there".

mod addresses;
mod answer;
mod ask;
mod given;
mod kept;
mod recorded;
mod resolvers;
mod seen;
mod signatures;
mod upwards;
mod world;
mod zone;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use privatelink_core::dns::{Delegation, Seen, Trouble};
use privatelink_core::ids::DnsName;
use privatelink_core::probe::{Family, Resolved};
use tokio::time::{Instant, timeout_at};

pub use recorded::Recorded;

use kept::Kept;
use resolvers::{PORT, Resolvers};
use world::World;

/// Whom to ask. One of these serves a whole run: it keeps for half a minute who answers for a zone.
pub struct Dns(Way);

enum Way {
    /// Each domain's own name servers.
    World(Box<World>),
    /// These instead.
    Given(Vec<SocketAddr>),
    /// Nobody is asked: this says what the world would.
    Said(Box<dyn Says>),
}

/// A world that says of itself what would be seen of it, for whoever simulates one.
pub trait Says: Send + Sync {
    /// Everything that is to be known of the TXT record of that name.
    fn seen(&self, record: &DnsName) -> Seen;

    /// Who answers for a name.
    fn delegation(&self, name: &DnsName) -> Delegation;
}

impl Dns {
    /// The domains' own name servers, found with the system's resolvers.
    pub fn system() -> Self {
        Self::found_by(Resolvers::system(), |ip| (ip, PORT).into())
    }

    /// The domains' own name servers, found with these resolvers. `reach` says where a name server's address is reached,
    /// which in a test is a port of this machine.
    pub fn with(resolvers: Vec<SocketAddr>, reach: impl Fn(IpAddr) -> SocketAddr + Send + Sync + 'static) -> Self {
        Self::found_by(Resolvers::these(resolvers), reach)
    }

    /// These servers instead of the domains' own, each of them; the first also for who answers for a name.
    pub fn servers(servers: Vec<SocketAddr>) -> Self {
        Self(Way::Given(servers))
    }

    /// A world that is not asked over a network.
    pub fn said(world: impl Says + 'static) -> Self {
        Self(Way::Said(Box::new(world)))
    }

    fn found_by(resolvers: Resolvers, reach: impl Fn(IpAddr) -> SocketAddr + Send + Sync + 'static) -> Self {
        Self(Way::World(Box::new(World {
            resolvers,
            reach: Box::new(reach),
            zones: Kept::default(),
            addresses: Kept::default(),
            ds: Kept::default(),
        })))
    }

    /// Everything that is to be known of the TXT record of that name. `expected` is the value that is looked for: only
    /// where no server has it, it is looked for under the doubled name too.
    pub async fn seen(&self, record: &DnsName, expected: &str, by: Instant) -> Seen {
        match &self.0 {
            Way::World(world) => seen::in_the_world(world, record, expected, by).await,
            Way::Given(servers) => seen::at_servers(servers, record, expected, by).await,
            Way::Said(world) => world.seen(record),
        }
    }

    /// The addresses of a name, as a program here would be told them: by the system's resolvers, or the first of the
    /// servers that were given that says anything.
    pub async fn addresses(&self, name: &DnsName, family: Family, by: Instant) -> Resolved {
        let asked = async {
            match &self.0 {
                Way::World(world) => addresses::addresses(&world.resolvers, name, family, by).await,
                Way::Given(servers) => addresses::addresses(&Resolvers::these(servers.clone()), name, family, by).await,
                Way::Said(_) => Resolved::Trouble(Trouble::TimedOut),
            }
        };
        timeout_at(by, asked).await.unwrap_or(Resolved::Trouble(Trouble::TimedOut))
    }

    /// Who answers for a name: the closest delegated zone around it, and the servers that are named for that.
    pub async fn delegation(&self, name: &DnsName, by: Instant) -> Delegation {
        match &self.0 {
            Way::World(world) => match world.zone_of(name, by).await {
                Ok(Some(zone)) => zone.delegation(),
                Ok(None) => Delegation::Nobody,
                Err(trouble) => Delegation::Unknown(trouble),
            },
            Way::Given(servers) => seen::delegation_at(servers, name, by).await,
            Way::Said(world) => world.delegation(name),
        }
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::World(world) => f.debug_tuple("World").field(&world.resolvers).finish(),
            Way::Given(servers) => f.debug_tuple("Given").field(servers).finish(),
            Way::Said(_) => f.write_str("Said"),
        }
    }
}
