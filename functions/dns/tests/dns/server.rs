//! A name server on a port of this machine, over UDP and TCP, that says what a function says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Answers a question, or nothing. It may look at whether the question came over TCP.
pub(crate) type Handler = Arc<dyn Fn(&Message, bool) -> Option<Message> + Send + Sync>;

pub(crate) async fn serve(handler: Handler) -> SocketAddr {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().unwrap();
    tokio::spawn(over_udp(udp, handler.clone()));
    tokio::spawn(over_tcp(tcp, handler));
    address
}

async fn over_udp(socket: UdpSocket, handler: Handler) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let query = Message::from_vec(&buffer[..length]).unwrap();
        if let Some(answer) = handler(&query, false) {
            let room = query.edns.as_ref().map_or(512, |edns| usize::from(edns.max_payload()));
            let mut bytes = answer.to_vec().unwrap();
            if bytes.len() > room {
                // As a careless server does it: in the middle of a record, with the bit set that says so.
                bytes.truncate(room);
                bytes[2] |= 0x02;
            }
            socket.send_to(&bytes, from).await.unwrap();
        }
    }
}

async fn over_tcp(listener: TcpListener, handler: Handler) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let length = stream.read_u16().await.unwrap();
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        if let Some(answer) = handler(&Message::from_vec(&query).unwrap(), true) {
            let bytes = answer.to_vec().unwrap();
            stream.write_u16(u16::try_from(bytes.len()).unwrap()).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    }
}
