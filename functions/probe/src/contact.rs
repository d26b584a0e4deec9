//! One address and one port: is there a way, is there somebody, who is it, and what does it say.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use privatelink_core::probe::{Contact, Reached};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use crate::http::said;
use crate::tls::Tls;

/// How long a connection may take to open. A lost first packet is sent again after one second, and after three.
const OPEN: Duration = Duration::from_secs(4);
/// A wait that was cut shorter than this shows nothing.
const ENOUGH: Duration = Duration::from_millis(1500);

/// Tries it; nothing, where there was no time to find anything out.
pub(crate) async fn contact(contact: &Contact, tls: &Tls, by: Instant) -> Option<Reached> {
    let Contact { address, port, tls: name, http: _ } = contact;
    let there = SocketAddr::new(*address, port.get());
    let source = match source(there).await {
        Ok(source) => source,
        Err(error) => return Some(Reached::NoRoute(error.to_string())),
    };
    let begun = Instant::now();
    let stream = match timeout_at(by.min(begun + OPEN), TcpStream::connect(there)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Some(refused(&error, source)),
        Err(_) => return (begun.elapsed() >= ENOUGH).then_some(Reached::TimedOut { source }),
    };
    Some(match name {
        None => said(stream, contact, by).await,
        Some(name) => match tls.handshake(name, stream, by).await {
            Ok(stream) => said(stream, contact, by).await,
            Err(reached) => reached,
        },
    })
}

/// The address that this system would use to go there, if it knows a way. No packet is sent.
async fn source(there: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match there {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(there).await?;
    Ok(socket.local_addr()?.ip())
}

/// Why no connection was made.
fn refused(error: &io::Error, source: IpAddr) -> Reached {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NetworkUnreachable, TimedOut};
    let is = |kind| error.kind() == kind;
    if is(ConnectionRefused) {
        Reached::Refused
    } else if is(ConnectionReset) {
        Reached::Cut("resets it".to_owned())
    } else if is(TimedOut) {
        Reached::TimedOut { source }
    } else if is(NetworkUnreachable) {
        Reached::NoRoute(error.to_string())
    } else {
        Reached::Failed(error.to_string())
    }
}
