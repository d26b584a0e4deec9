//! Real listeners on loopback for an endpoint's interfaces to be: those that take connections, and those that seem to be
//! behind a security group.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long the system takes at the most to say that a connection is made.
const PATIENCE: Duration = Duration::from_millis(300);

/// Listeners at several addresses on one port.
#[derive(Debug)]
pub struct Listeners {
    /// The port.
    pub port: u16,
    _listeners: Vec<TcpListener>,
    _queue: Vec<TcpStream>,
}

impl Listeners {
    /// Connections are made, and nothing is said: the system makes them before anybody takes them.
    pub fn open(at: &[IpAddr]) -> Self {
        let (port, listeners) = bind(at, 1024);
        Self { port, _listeners: listeners, _queue: Vec::new() }
    }

    /// Connections are neither made nor refused, as if a security group swallowed what comes: the listeners' queues are
    /// full.
    pub async fn silent(at: &[IpAddr]) -> Self {
        let (port, listeners) = bind(at, 1);
        let mut queue = Vec::new();
        for ip in at {
            let to = SocketAddr::new(*ip, port);
            while let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(to)).await {
                queue.push(stream);
            }
        }
        Self { port, _listeners: listeners, _queue: queue }
    }
}

/// Binds one port of all of them. One that is free at the first may be taken at another.
fn bind(at: &[IpAddr], backlog: u32) -> (u16, Vec<TcpListener>) {
    let bound = |ip: &IpAddr, port| {
        let socket = if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(*ip, port))?;
        socket.listen(backlog)
    };
    let all = || -> io::Result<(u16, Vec<TcpListener>)> {
        let first = bound(&at[0], 0)?;
        let port = first.local_addr()?.port();
        let others: io::Result<Vec<_>> = at[1..].iter().map(|ip| bound(ip, port)).collect();
        Ok((port, std::iter::once(first).chain(others?).collect()))
    };
    (0..50).find_map(|_| all().ok()).unwrap()
}
