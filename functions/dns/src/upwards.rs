//! Who answers for a name by the word of somebody who is asked about it and then about the names above it.

use hickory_proto::rr::RecordType;
use privatelink_core::dns::Trouble;
use privatelink_core::ids::DnsName;
use tokio::time::Instant;

use crate::answer::{dns_name, servers_of, wire_name, zone_of_denial};
use crate::ask::Question;
use crate::resolvers::Resolvers;

/// More questions than this on the way up are asked of nobody.
const STEPS: usize = 16;

/// The closest delegated zone around a name, and its servers; nothing where the root itself denies the name.
pub(crate) async fn upwards(
    resolvers: &Resolvers,
    name: &DnsName,
    by: Instant,
) -> Result<Option<(DnsName, Vec<DnsName>)>, Trouble> {
    let mut asked = wire_name(name)?;
    for _ in 0..STEPS {
        if asked.is_root() {
            break;
        }
        let message = resolvers.ask(&Question::recursive(&asked, RecordType::NS), by).await?;
        // The zone's own, or those that one is sent to.
        let named = message
            .answers
            .iter()
            .chain(&message.authorities)
            .find(|record| record.record_type() == RecordType::NS && record.name.zone_of(&asked))
            .map(|record| &record.name);
        if let Some((zone, wire)) = named.and_then(|zone| Some((dns_name(zone)?, zone))) {
            return Ok(Some((zone, servers_of(&message, wire))));
        }
        asked = match zone_of_denial(&message) {
            Some(zone) if zone.is_root() => return Ok(None),
            Some(zone) if zone.zone_of(&asked) && *zone != asked => zone.clone(),
            Some(_) | None => asked.base_name(),
        };
    }
    Err(Trouble::Other("no answer names a zone".to_owned()))
}
