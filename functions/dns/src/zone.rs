//! A zone as it is delegated: its name, its servers, and where one reaches them.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, RecordData, RecordType};
use privatelink_core::dns::Delegation;
use privatelink_core::ids::DnsName;

use crate::answer::{dns_name, servers_of};

/// A zone that is delegated.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    /// Its name.
    pub(crate) name: DnsName,
    /// Who is named for it.
    pub(crate) servers: Vec<NameServer>,
    /// The server of the zone above that said so. A top-level domain's is not asked.
    pub(crate) above: Option<SocketAddr>,
}

/// A name server.
#[derive(Debug, Clone)]
pub(crate) struct NameServer {
    /// Its name.
    pub(crate) name: DnsName,
    /// The addresses that were told with its name, as far as the zone above may tell them.
    pub(crate) glue: Vec<IpAddr>,
}

impl Zone {
    /// The zone that an answer names servers for. `teller` is whose answer it is.
    pub(crate) fn told(message: &Message, zone: &Name, teller: &DnsName, above: Option<SocketAddr>) -> Option<Self> {
        let servers: Vec<_> = servers_of(message, zone)
            .into_iter()
            .map(|name| {
                let glue = if name.is_within(teller) { addresses_of(message, &name) } else { Vec::new() };
                NameServer { name, glue }
            })
            .collect();
        Some(Self { name: dns_name(zone).filter(|_| !servers.is_empty())?, servers, above })
    }

    /// Whether it stands right below the root.
    pub(crate) fn is_top_level(&self) -> bool {
        !self.name.as_str().contains('.')
    }

    /// The core's words for it.
    pub(crate) fn delegation(&self) -> Delegation {
        Delegation::To {
            zone: self.name.clone(),
            servers: self.servers.iter().map(|server| server.name.clone()).collect(),
        }
    }
}

/// The addresses that an answer tells of a name, aliases or not.
pub(crate) fn addresses_in(message: &Message) -> impl Iterator<Item = IpAddr> + '_ {
    message.answers.iter().filter_map(|record| address(&record.data))
}

fn addresses_of(message: &Message, server: &DnsName) -> Vec<IpAddr> {
    message
        .additionals
        .iter()
        .filter(|record| dns_name(&record.name).as_ref() == Some(server))
        .filter_map(|record| address(&record.data))
        .collect()
}

fn address(data: &RData) -> Option<IpAddr> {
    let v4 = || Some(A::try_borrow(data)?.0.into());
    let v6 = || Some(AAAA::try_borrow(data)?.0.into());
    v4().or_else(v6)
}

/// The zone that an answer delegates on the way to `name`: one strictly below `zone`, with its servers.
pub(crate) fn cut_below(message: &Message, zone: &DnsName, name: &Name) -> Option<Name> {
    message
        .answers
        .iter()
        .chain(&message.authorities)
        .filter(|record| record.record_type() == RecordType::NS && record.name.zone_of(name))
        .find(|record| is_strictly_below(&record.name, zone))
        .map(|record| record.name.clone())
}

/// Whether a name stands below a zone and is not the zone itself.
pub(crate) fn is_strictly_below(name: &Name, zone: &DnsName) -> bool {
    dns_name(name).is_some_and(|name| name != *zone && name.is_within(zone))
}
