//! Servers that are asked instead of the world's: a test's, or those of a network that is not the world's.
//!
//! They may know TXT records and nothing else. Whatever else they say, or do not say, is unknown, and keeps nobody waiting.

use std::net::SocketAddr;

use hickory_proto::dnssec::rdata::DS;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use privatelink_core::dns::{Delegation, Trouble};
use privatelink_core::ids::DnsName;
use tokio::time::Instant;

use crate::answer::{refusal, wire_name};
use crate::ask::{Question, ask};
use crate::resolvers::Resolvers;
use crate::signatures::ds_in;
use crate::upwards::upwards;

/// The closest delegated zone around a name, by one server's word.
pub(crate) async fn delegation(server: SocketAddr, name: &DnsName, by: Instant) -> Delegation {
    match upwards(&Resolvers::these(vec![server]), name, by).await {
        Ok(Some((zone, servers))) => Delegation::To { zone, servers },
        Ok(None) => Delegation::Nobody,
        Err(trouble) => Delegation::Unknown(trouble),
    }
}

/// The DS records of a zone, by one server's word.
pub(crate) async fn ds(server: SocketAddr, zone: &DnsName, by: Instant) -> Result<Vec<DS>, Trouble> {
    let name = wire_name(zone)?;
    let message = ask(server, &Question::recursive(&name, RecordType::DS), by).await?;
    let ds = ds_in(&message, &name);
    let meta = &message.metadata;
    let says_none = meta.response_code == ResponseCode::NoError && (meta.authoritative || meta.recursion_available);
    if ds.is_empty() && !says_none {
        return Err(refusal(&message).unwrap_or(Trouble::NotAuthoritative));
    }
    Ok(ds)
}
