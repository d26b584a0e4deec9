//! A small world for the tests of the core.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses a part of it")]

use privatelink_core::ids::{AccountId, ConnectionId, EndpointId, ServiceId};
use privatelink_core::observed::{Connection, DnsNameState, EndpointState, Observed, PrivateDns, Service, TxtRecord};
use privatelink_core::policy::{Policy, PolicyFaults, Sources};
use time::{Duration, OffsetDateTime};

pub const NOW: OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);

pub const CONSUMERS: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333", "111122224444"]
groups = ["partners"]
maxConnections = 2
[[consumer]]
name = "beta"
accounts = ["222233334444"]
groups = ["blocked"]
"#;

pub fn load(cedar: &str) -> Result<Policy, PolicyFaults> {
    let files: Sources = [("consumers.toml", CONSUMERS), ("a.cedar", cedar)].into_iter().collect();
    Policy::load(&files)
}

pub fn policy(cedar: &str) -> Policy {
    load(cedar).unwrap()
}

pub fn service_id(n: u32) -> ServiceId {
    ServiceId::parse(&format!("vpce-svc-{n:017x}")).unwrap()
}

pub fn endpoint_id(n: u32) -> EndpointId {
    EndpointId::parse(&format!("vpce-{n:017x}")).unwrap()
}

pub fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

pub fn service(n: u32) -> Service {
    Service {
        id: service_id(n),
        name: format!("com.amazonaws.vpce.us-west-2.{}", service_id(n)),
        region: "us-west-2".to_owned(),
        private_dns: Some(PrivateDns {
            name: "api.example.com".to_owned(),
            state: DnsNameState::Verified,
            record: Some(TxtRecord {
                label: "_6e86v84tqgqubxbwii1m".to_owned(),
                value: "vpce:l6p0ERxlTt45jevFwOCp".to_owned(),
            }),
        }),
        ip_address_types: ["ipv4".to_owned()].into(),
        acceptance_required: true,
        tags: [("team".to_owned(), "edge".to_owned()), ("privatelink:domain".to_owned(), "x".to_owned())].into(),
    }
}

/// A connection to service 1 that came `age` seconds ago.
pub fn connection(n: u32, owner: &str, state: &str, age: i64) -> Connection {
    Connection {
        service: service_id(1),
        endpoint: endpoint_id(n),
        id: Some(ConnectionId::parse(&format!("vpce-con-{n:017x}")).unwrap()),
        owner: account(owner),
        state: EndpointState::from_word(state),
        created: NOW - Duration::seconds(age),
        region: "us-west-2".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        dns_names: Vec::new(),
        tags: Default::default(),
    }
}

pub fn tagged(mut connection: Connection, decision: &str, policy: &str) -> Connection {
    connection.tags.insert("privatelink:decision".to_owned(), decision.to_owned());
    connection.tags.insert("privatelink:policy".to_owned(), policy.to_owned());
    connection
}

pub fn world(connections: Vec<Connection>) -> Observed {
    Observed { services: [(service_id(1), service(1))].into(), connections, ..Observed::default() }
}
