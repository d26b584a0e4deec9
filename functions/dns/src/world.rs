//! The way the world goes: from a top-level domain down, each zone's own servers naming those of the next.
//!
//! A recursive resolver is asked only for the servers of top-level domains and for addresses. It would keep a delegation
//! for days that the registrar has changed meanwhile, and says nothing but `SERVFAIL` of one that leads nowhere.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hickory_proto::dnssec::rdata::DS;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use privatelink_core::dns::Trouble;
use privatelink_core::ids::DnsName;
use tokio::time::Instant;

use crate::answer::{refusal, wire_name, zone_of_denial};
use crate::ask::{Question, ask, has_route};
use crate::kept::Kept;
use crate::resolvers::Resolvers;
use crate::signatures::ds_in;
use crate::zone::{NameServer, Zone, addresses_in, cut_below, is_strictly_below};

/// How many of a zone's servers are asked at once for the next zone, and how often, before the zone counts as silent.
const AT_ONCE: usize = 3;
const ROUNDS: usize = 2;
/// No honest tree is deeper between a top-level domain and a record.
const DEPTH: usize = 16;

/// The resolvers, and what was found out in the last half minute.
pub(crate) struct World {
    pub(crate) resolvers: Resolvers,
    /// Where a name server's address is reached: at port 53, except in tests.
    pub(crate) reach: Box<dyn Fn(IpAddr) -> SocketAddr + Send + Sync>,
    pub(crate) zones: Kept<Zone>,
    pub(crate) addresses: Kept<Vec<IpAddr>>,
    pub(crate) ds: Kept<Vec<DS>>,
}

/// Where a name server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// There.
    At(IpAddr, SocketAddr),
    /// It has only IPv6 addresses, and there is no IPv6 here.
    PassedOver,
    /// Its name has no address.
    Nowhere,
}

/// What a zone's servers say of a name below it.
enum Step {
    /// It is theirs.
    Here,
    /// It belongs to this zone, or to one below it.
    Down(Zone),
}

impl World {
    /// The closest delegated zone around a name; nothing where not even its top-level domain exists.
    pub(crate) async fn zone_of(&self, name: &DnsName, by: Instant) -> Result<Option<Zone>, Trouble> {
        let mut zone = match name.and_above().find_map(|above| self.zones.get(&above)) {
            Some(zone) => zone,
            None => match self.top_level(name, by).await? {
                Some(zone) => zone,
                None => return Ok(None),
            },
        };
        for _ in 0..DEPTH {
            match self.step(&zone, name, by).await {
                Ok(Step::Here) => break,
                Ok(Step::Down(next)) => {
                    self.zones.put(next.name.clone(), next.clone());
                    zone = next;
                }
                // A top-level domain answers: it is the way there that is closed.
                Err(trouble) if zone.is_top_level() => return Err(trouble),
                // The zone is delegated to servers that do not answer, and that is what is to be known of it.
                Err(_) => break,
            }
        }
        Ok(Some(zone))
    }

    async fn top_level(&self, name: &DnsName, by: Instant) -> Result<Option<Zone>, Trouble> {
        let Some(top) = name.and_above().last() else { return Ok(None) };
        let wire = wire_name(&top)?;
        let message = self.resolvers.ask(&Question::recursive(&wire, RecordType::NS), by).await?;
        if message.metadata.response_code == ResponseCode::NXDomain {
            return Ok(None);
        }
        let zone = Zone::told(&message, &wire, &top, None)
            .ok_or_else(|| Trouble::Other(format!("the resolver names no server for `{top}`")))?;
        self.zones.put(top, zone.clone());
        Ok(Some(zone))
    }

    async fn step(&self, zone: &Zone, name: &DnsName, by: Instant) -> Result<Step, Trouble> {
        let name = wire_name(name)?;
        let apex = wire_name(&zone.name)?;
        let mut asked = name.clone();
        while asked != apex {
            let (server, message) = self.any(zone, &Question::own(&asked, RecordType::NS), by).await?;
            if let Some(cut) = cut_below(&message, &zone.name, &name) {
                let next = Zone::told(&message, &cut, &zone.name, Some(server));
                return Ok(next.map_or(Step::Here, Step::Down));
            }
            asked = match zone_of_denial(&message) {
                // The same server answers for a zone below, and was not asked for that one's servers.
                Some(below) if is_strictly_below(below, &zone.name) && below.zone_of(&asked) && *below != asked => {
                    below.clone()
                }
                Some(_) => return Ok(Step::Here),
                // An alias hides whose zone it stands in.
                None => asked.base_name(),
            };
        }
        Ok(Step::Here)
    }

    /// The first answer of one of the zone's servers that leads on.
    async fn any(&self, zone: &Zone, question: &Question, by: Instant) -> Result<(SocketAddr, Message), Trouble> {
        let mut last = Trouble::Unreachable(format!("no server of `{}` has an address", zone.name));
        for servers in zone.servers.chunks(AT_ONCE).take(ROUNDS) {
            let mut answers: FuturesUnordered<_> =
                servers.iter().map(|server| self.one(zone, server, question, by)).collect();
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(answer) => return Ok(answer),
                    Err(trouble) => last = trouble,
                }
            }
        }
        Err(last)
    }

    async fn one(
        &self,
        zone: &Zone,
        server: &NameServer,
        question: &Question,
        by: Instant,
    ) -> Result<(SocketAddr, Message), Trouble> {
        let Place::At(_, address) = self.place(server, by).await? else {
            return Err(Trouble::Unreachable(format!("`{}` has no address that is reached from here", server.name)));
        };
        let message = ask(address, question, by).await?;
        match refusal(&message) {
            Some(trouble) => Err(trouble),
            None if message.metadata.authoritative => Ok((address, message)),
            None if cut_below(&message, &zone.name, &question.name).is_some() => Ok((address, message)),
            None => Err(Trouble::NotAuthoritative),
        }
    }

    /// Where a server is asked: at its IPv4 address, else at its IPv6 address where that is reached from here.
    pub(crate) async fn place(&self, server: &NameServer, by: Instant) -> Result<Place, Trouble> {
        let mut addresses = self.addresses_of(server, by).await?;
        addresses.sort_by_key(IpAddr::is_ipv6);
        for ip in &addresses {
            let address = (self.reach)(*ip);
            if has_route(address).await {
                return Ok(Place::At(*ip, address));
            }
        }
        Ok(match addresses.first() {
            None => Place::Nowhere,
            Some(IpAddr::V6(_)) => Place::PassedOver,
            // Without IPv4 there is no name server that can be asked: let the question say why.
            Some(ip) => Place::At(*ip, (self.reach)(*ip)),
        })
    }

    async fn addresses_of(&self, server: &NameServer, by: Instant) -> Result<Vec<IpAddr>, Trouble> {
        if server.glue.iter().any(IpAddr::is_ipv4) {
            return Ok(server.glue.clone());
        }
        if let Some(addresses) = self.addresses.get(&server.name) {
            return Ok(addresses);
        }
        let name = wire_name(&server.name)?;
        let question = |kind| Question::recursive(&name, kind);
        let (v4, v6) = (question(RecordType::A), question(RecordType::AAAA));
        let (v4, v6) = join(self.resolvers.ask(&v4, by), self.resolvers.ask(&v6, by)).await;
        let mut addresses = server.glue.clone();
        for message in [&v4, &v6].into_iter().flatten() {
            addresses.extend(addresses_in(message));
        }
        match v4.and(v6) {
            Err(trouble) if addresses.is_empty() => return Err(trouble),
            // What is known only in part is not kept.
            Err(_) => {}
            Ok(_) => self.addresses.put(server.name.clone(), addresses.clone()),
        }
        Ok(addresses)
    }

    /// The DS records that the zone above has of a zone: none where nobody asks for its signatures.
    pub(crate) async fn ds(&self, zone: &Zone, by: Instant) -> Result<Vec<DS>, Trouble> {
        if let Some(ds) = self.ds.get(&zone.name) {
            return Ok(ds);
        }
        let name = wire_name(&zone.name)?;
        let above = match zone.above {
            Some(above) => ask(above, &Question::own(&name, RecordType::DS), by).await,
            None => Err(Trouble::NotAuthoritative),
        };
        let message = match above {
            Ok(message) if message.metadata.authoritative && refusal(&message).is_none() => message,
            Ok(_) | Err(_) => self.resolvers.ask(&Question::recursive(&name, RecordType::DS), by).await?,
        };
        // Only a zone that exists can be said to have none.
        if message.metadata.response_code == ResponseCode::NXDomain {
            return Err(Trouble::Other(format!("the zone above does not know `{}`", zone.name)));
        }
        let ds = ds_in(&message, &name);
        self.ds.put(zone.name.clone(), ds.clone());
        Ok(ds)
    }
}
