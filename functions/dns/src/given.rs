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

use crate::answer::{dns_name, refusal, servers_of, wire_name, zone_of_denial};
use crate::ask::{Question, ask};
use crate::signatures::ds_in;

/// More questions than this on the way up are asked of nobody.
const STEPS: usize = 16;

/// The closest delegated zone around a name, by one server's word: asked from the name upwards.
pub(crate) async fn delegation(server: SocketAddr, name: &DnsName, by: Instant) -> Delegation {
    upwards(server, name, by).await.unwrap_or_else(Delegation::Unknown)
}

async fn upwards(server: SocketAddr, name: &DnsName, by: Instant) -> Result<Delegation, Trouble> {
    let mut asked = wire_name(name)?;
    for _ in 0..STEPS {
        if asked.is_root() {
            break;
        }
        let message = ask(server, &Question::recursive(&asked, RecordType::NS), by).await?;
        if let Some(trouble) = refusal(&message) {
            return Err(trouble);
        }
        // Its own, or those that it sends one to.
        let named = message
            .answers
            .iter()
            .chain(&message.authorities)
            .find(|record| record.record_type() == RecordType::NS && record.name.zone_of(&asked))
            .map(|record| &record.name);
        if let Some((zone, wire)) = named.and_then(|zone| Some((dns_name(zone)?, zone))) {
            return Ok(Delegation::To { zone, servers: servers_of(&message, wire) });
        }
        asked = match zone_of_denial(&message) {
            Some(zone) if zone.is_root() => return Ok(Delegation::Nobody),
            Some(zone) if zone.zone_of(&asked) && *zone != asked => zone.clone(),
            Some(_) | None => asked.base_name(),
        };
    }
    Err(Trouble::Other("no answer names a zone".to_owned()))
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
