//! The names of endpoints: those that everybody can ask for, and those that only their VPC knows.
//!
//! As at AWS, an endpoint's own names are in public DNS, with its private addresses. The service's private DNS name leads
//! to it in its VPC alone, as soon as that is in force; whoever asks elsewhere hears what the world says of that name.
//! A VPC without DNS support has no resolver, and what is asked there is never answered. Private hosted zones of
//! Route 53 are not seen: they are nobody's who is simulated here.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use hickory_server::Server;
use time::OffsetDateTime;

use super::server::{IDLE, WAITING};
use super::view::{Heard, Voice};
use super::wire::Handler;
use super::zone::{Code, HOPS, Record, Response};
use crate::Region;
use crate::route53::Name;
use crate::world::{Endpoint, World};

/// How long an endpoint's addresses may be kept, in seconds.
const TTL: u32 = 60;

/// Under which the names of all endpoints are.
const DOMAIN: &str = "vpce.amazonaws.com";

/// A VPC, as one finds it: its account, its Region, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// The account that owns it.
    pub owner: String,
    /// Its Region.
    pub region: String,
    /// Its id.
    pub vpc: String,
}

impl World {
    /// What somebody hears who asks from within a VPC.
    pub fn ask_inside(&self, inside: &Inside, name: &Name, kind: &str, at: OffsetDateTime) -> Heard {
        let network = self.network(&inside.owner, &inside.region);
        let vpc = network.and_then(|network| network.vpcs.get(&inside.vpc));
        if vpc.is_none_or(|vpc| !vpc.dns_support) {
            return Heard::Silence;
        }
        let mut answers = Vec::new();
        let mut name = name.clone();
        for _ in 0..HOPS {
            let own = self.private_says(inside, &name, kind);
            let mut said = own.unwrap_or_else(|| self.resolve_once(&name, kind, at, 0, false));
            said.authoritative = false;
            let next = said.leads_to(kind);
            answers.append(&mut said.answers);
            match next {
                Some(next) => name = next,
                None => return Heard::Response(Response { answers, ..said }),
            }
        }
        Heard::Response(Response::failed(Code::ServFail))
    }

    /// What everybody hears of a name under that of all endpoints.
    pub(super) fn endpoint_says(&self, name: &Name, kind: &str) -> Option<Response> {
        let domain = Name::parse(DOMAIN).ok().filter(|domain| name.is_within(domain))?;
        let soa = soa(&domain);
        if domain == *name {
            return Some(Response::nothing(Code::NoError, Some(soa)));
        }
        let wanted = name.to_string();
        let wanted = wanted.trim_end_matches('.');
        let found = self.endpoints.values().find_map(|endpoint| {
            endpoint.built.as_ref()?;
            let network = self.network(&endpoint.owner, &endpoint.region)?;
            let mut zones = endpoint.subnets.keys().filter_map(|id| network.subnets.get(id)).map(|subnet| &subnet.zone);
            if endpoint.dns_name() == wanted {
                return Some((endpoint, None));
            }
            zones.find(|zone| endpoint.zonal_dns_name(zone) == wanted).map(|zone| (endpoint, Some(zone.as_str())))
        });
        let Some((endpoint, zone)) = found else { return Some(Response::nothing(Code::NxDomain, Some(soa))) };
        Some(self.addresses_say(endpoint, zone, name, kind, soa))
    }

    /// What a VPC alone knows of a name.
    fn private_says(&self, inside: &Inside, name: &Name, kind: &str) -> Option<Response> {
        let Inside { owner, region, vpc } = inside;
        if !self.network(owner, region)?.vpcs.get(vpc)?.has_private_dns() {
            return None;
        }
        let there = self.endpoints.values().filter(|endpoint| endpoint.is_of(owner, region) && endpoint.vpc == *vpc);
        there.filter(|endpoint| endpoint.built.as_ref().is_some_and(|built| built.private_dns_enabled)).find_map(
            |endpoint| {
                let private = self.services.get(&endpoint.service)?.private_dns_name.as_ref()?;
                let (domain, wildcard) = match private.name.strip_prefix("*.") {
                    Some(domain) => (domain, true),
                    None => (private.name.as_str(), false),
                };
                let domain = Name::parse(domain).ok().filter(|domain| name.is_within(domain))?;
                match (wildcard, domain == *name) {
                    (false, true) | (true, false) => Some(self.addresses_say(endpoint, None, name, kind, soa(&domain))),
                    // Of the domain itself a wildcard says nothing.
                    (true, true) => None,
                    // Of what is below it, the VPC knows that it is not there.
                    (false, false) => Some(Response::nothing(Code::NxDomain, Some(soa(&domain)))),
                }
            },
        )
    }

    /// The addresses of an endpoint's interfaces, or of that in one Availability Zone, as far as its names have records of
    /// that type.
    fn addresses_say(&self, endpoint: &Endpoint, zone: Option<&str>, name: &Name, kind: &str, soa: Record) -> Response {
        let network = self.network(&endpoint.owner, &endpoint.region);
        let in_zone = |subnet: &String| {
            let subnet = network.and_then(|network| network.subnets.get(subnet));
            zone.is_none_or(|zone| subnet.is_some_and(|subnet| subnet.zone == zone))
        };
        let has_records = endpoint.built.as_ref().is_some_and(|built| built.has_records(kind));
        let interfaces = endpoint.subnets.iter().filter(|(subnet, _)| has_records && in_zone(subnet));
        // Two interfaces that were pointed at one address are one record.
        let addresses: BTreeSet<String> = interfaces
            .filter_map(|(_, interface)| {
                let (ipv4, ipv6) = endpoint.addresses(interface);
                if kind == "A" {
                    ipv4.map(|address| address.to_string())
                } else {
                    ipv6.map(|address| address.to_string())
                }
            })
            .collect();
        if addresses.is_empty() {
            return Response::nothing(Code::NoError, Some(soa));
        }
        Response::found(addresses.into_iter().map(|address| Record::new(name, kind, TTL, address)).collect())
    }
}

fn soa(domain: &Name) -> Record {
    let words = format!("ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {TTL}");
    Record::new(domain, "SOA", TTL, words)
}

/// A VPC's resolver, which answers until this is dropped.
pub struct VpcResolver {
    at: SocketAddr,
    _running: Server<Handler>,
}

impl std::fmt::Debug for VpcResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VpcResolver").field("at", &self.at).finish_non_exhaustive()
    }
}

impl VpcResolver {
    /// Where it is.
    pub fn at(&self) -> SocketAddr {
        self.at
    }
}

/// Answers as a VPC's resolver does, at 127.0.0.1, on that port, or on a free one if it is 0. It has to be called within a
/// tokio runtime.
///
/// # Errors
///
/// The port can not be had.
pub fn serve_inside(region: &Region, inside: Inside, port: u16) -> io::Result<VpcResolver> {
    let (udp, tcp) = bind(port)?;
    let at = udp.local_addr()?;
    let voice = Voice::Resolver { unchecked: false };
    let mut running = Server::new(Handler { region: region.clone(), voice, addresses: None, inside: Some(inside) });
    udp.set_nonblocking(true)?;
    tcp.set_nonblocking(true)?;
    running.register_socket(tokio::net::UdpSocket::from_std(udp)?);
    running.register_listener(tokio::net::TcpListener::from_std(tcp)?, IDLE, WAITING);
    Ok(VpcResolver { at, _running: running })
}

/// UDP and TCP on one port.
fn bind(port: u16) -> io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    let mut tried = 0;
    loop {
        let tcp = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        match std::net::UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            // A free port is one that is free for both.
            Err(error) if port == 0 && tried < 50 && error.kind() == io::ErrorKind::AddrInUse => tried += 1,
            Err(error) => return Err(error),
        }
    }
}
