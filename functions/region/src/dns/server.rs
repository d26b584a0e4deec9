//! Name servers on loopback, over UDP and TCP: a resolver, the four name servers of Route 53's zones, one for all that
//! is elsewhere, and one for the top-level domains.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_server::Server;
use tokio::net::{TcpListener, UdpSocket};

use super::view::Voice;
use super::wire::{Addresses, Handler};
use crate::Region;

/// How long a TCP connection may be idle.
pub(super) const IDLE: Duration = Duration::from_secs(10);
/// How many answers may wait to be written to a TCP connection.
pub(super) const WAITING: usize = 32;
/// How many servers there are.
const SERVERS: u8 = 7;
/// How often a port that is free for all is looked for.
const TRIES: usize = 50;

/// Where the servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All at 127.0.0.1: the resolver on that port, the others on those that follow it; on any free ones, if it is 0.
    /// It works everywhere, but a client can not find the name servers by their addresses.
    Ports(u16),
    /// All on that port, or on one that is free with all of them, if it is 0: the resolver at 127.0.0.1, the name servers
    /// at 127.0.0.2 to 127.0.0.5, the one elsewhere at 127.0.0.6, and that of the top-level domains at 127.0.0.7. A client
    /// finds each by its name. Linux has all of these addresses; others have to be given them.
    Addresses(u16),
}

/// How the servers are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where they are.
    pub layout: Layout,
    /// Whether the resolver knows only IPv6 addresses of the name servers: the same, mapped (`::ffff:127.0.0.2`).
    pub ipv6_only: bool,
}

/// Name servers that answer until this is dropped.
pub struct NameServers {
    resolver: SocketAddr,
    name_servers: [SocketAddr; 4],
    elsewhere: SocketAddr,
    registry: SocketAddr,
    running: Vec<Server<Handler>>,
}

impl std::fmt::Debug for NameServers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resolver, name_servers, elsewhere, registry, running: _ } = self;
        let mut shown = f.debug_struct("NameServers");
        shown.field("resolver", resolver).field("name_servers", name_servers);
        shown.field("elsewhere", elsewhere).field("registry", registry);
        shown.finish_non_exhaustive()
    }
}

impl NameServers {
    /// Where the resolver is.
    pub fn resolver(&self) -> SocketAddr {
        self.resolver
    }

    /// Where the name servers of Route 53's zones are, in the order in which each zone names its own.
    pub fn name_servers(&self) -> [SocketAddr; 4] {
        self.name_servers
    }

    /// Where the name servers of all other domains are.
    pub fn elsewhere(&self) -> SocketAddr {
        self.elsewhere
    }

    /// Where the name servers of the top-level domains are.
    pub fn registry(&self) -> SocketAddr {
        self.registry
    }

    /// Stops, and comes back when every task has ended and every port is free again. What is under way is given up.
    pub async fn stop(mut self) {
        for server in &mut self.running {
            // What a listener ended with is nobody's matter any more.
            let _ = server.shutdown_gracefully().await;
        }
    }
}

/// Answers from a Region's DNS. It has to be called within a tokio runtime.
///
/// # Errors
///
/// An address or a port can not be had.
pub async fn serve(region: &Region, options: Options) -> io::Result<NameServers> {
    let sockets = bind(options.layout).await?;
    let mut bound = Vec::new();
    for (udp, _) in &sockets {
        bound.push(udp.local_addr()?);
    }
    let [resolver, first, second, third, fourth, elsewhere, registry] = bound.as_slice() else {
        return Err(io::Error::other("there are not as many sockets as servers"));
    };
    let name_servers = [*first, *second, *third, *fourth];
    let said = |at: &SocketAddr| match at.ip() {
        IpAddr::V4(address) if options.ipv6_only => IpAddr::V6(address.to_ipv6_mapped()),
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    };
    let own = name_servers.each_ref().map(said);
    let addresses = Addresses { name_servers: own, elsewhere: said(elsewhere), registry: said(registry) };
    let voices = [Voice::Resolver { unchecked: false }].into_iter();
    let voices = voices.chain((0..4).map(Voice::NameServer)).chain([Voice::Elsewhere, Voice::Registry]);
    let mut running = Vec::new();
    for ((udp, tcp), voice) in sockets.into_iter().zip(voices) {
        let handler = Handler { region: region.clone(), voice, addresses: Some(addresses.clone()), inside: None };
        let mut server = Server::new(handler);
        server.register_socket(udp);
        server.register_listener(tcp, IDLE, WAITING);
        running.push(server);
    }
    Ok(NameServers { resolver: *resolver, name_servers, elsewhere: *elsewhere, registry: *registry, running })
}

/// A UDP and a TCP socket for each server, on the same port.
async fn bind(layout: Layout) -> io::Result<Vec<(UdpSocket, TcpListener)>> {
    let mut sockets = Vec::new();
    match layout {
        Layout::Ports(first) => {
            for at in 0..SERVERS {
                let port = if first == 0 { Some(0) } else { first.checked_add(at.into()) };
                let port = port.ok_or_else(|| io::Error::other("there is no port above 65535"))?;
                sockets.push(bind_one(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?);
            }
        }
        Layout::Addresses(0) => return bind_row().await,
        Layout::Addresses(port) => {
            for host in 1..=SERVERS {
                sockets.push(bind_one(SocketAddr::from(([127, 0, 0, host], port))).await?);
            }
        }
    }
    Ok(sockets)
}

/// The addresses on one port that is free at all of them.
async fn bind_row() -> io::Result<Vec<(UdpSocket, TcpListener)>> {
    let mut tried = 0;
    loop {
        let mut sockets = vec![bind_one(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?];
        let port = sockets.first().map_or(Ok(0), |(udp, _)| Ok::<_, io::Error>(udp.local_addr()?.port()))?;
        let error = loop {
            let host = sockets.len() + 1;
            let Some(host) = u8::try_from(host).ok().filter(|host| *host <= SERVERS) else { return Ok(sockets) };
            match bind_one(SocketAddr::from(([127, 0, 0, host], port))).await {
                Ok(pair) => sockets.push(pair),
                Err(error) => break error,
            }
        };
        tried += 1;
        if error.kind() != io::ErrorKind::AddrInUse || tried == TRIES {
            return Err(error);
        }
    }
}

/// UDP and TCP at one address. A free port is one that is free for both.
async fn bind_one(at: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tried = 0;
    loop {
        let tcp = TcpListener::bind(at).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) if at.port() == 0 && tried < TRIES && error.kind() == io::ErrorKind::AddrInUse => tried += 1,
            Err(error) => return Err(error),
        }
    }
}
