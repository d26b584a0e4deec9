//! A resolver on loopback that knows a few names' addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

/// Serves these names' addresses, and no other name, over UDP for as long as the test lasts.
pub async fn name_server(names: &[(&str, &[IpAddr])]) -> SocketAddr {
    let names: BTreeMap<String, Vec<IpAddr>> =
        names.iter().map(|(name, addresses)| (format!("{name}."), addresses.to_vec())).collect();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let query = Message::from_vec(&buffer[..length]).unwrap();
            socket.send_to(&answer(&names, &query).to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn answer(names: &BTreeMap<String, Vec<IpAddr>>, query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.add_queries(query.queries.clone());
    answer.metadata.recursion_available = true;
    let (name, kind) = (query.queries[0].name(), query.queries[0].query_type());
    match names.get(&name.to_ascii()) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(addresses) => {
            answer.add_answers(addresses.iter().filter_map(|address| record(name, kind, address)));
        }
    }
    answer
}

fn record(name: &Name, kind: RecordType, address: &IpAddr) -> Option<Record> {
    let data = match (address, kind) {
        (IpAddr::V4(address), RecordType::A) => RData::A(A(*address)),
        (IpAddr::V6(address), RecordType::AAAA) => RData::AAAA(AAAA(*address)),
        _ => return None,
    };
    Some(Record::from_rdata(name.clone(), 60, data))
}
