//! The addresses of a name, as a program on this machine would be told them: by the system's resolver, and not by the
//! servers of the name's own zone.
//!
//! The system's own call would do but for one thing: it hides which family failed, and why.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use privatelink_core::dns::Trouble;
use privatelink_core::ids::DnsName;
use privatelink_core::probe::{Family, Resolved};
use tokio::time::Instant;

use crate::answer::{end_of_aliases, wire_name};
use crate::ask::Question;
use crate::resolvers::Resolvers;
use crate::zone::addresses_in;

/// How many aliases are followed from answer to answer, where the resolver does not.
const HOPS: usize = 8;

/// What the first of the resolvers says that says anything.
pub(crate) async fn addresses(resolvers: &Resolvers, name: &DnsName, family: Family, by: Instant) -> Resolved {
    asked(resolvers, name, family, by).await.unwrap_or_else(Resolved::Trouble)
}

async fn asked(resolvers: &Resolvers, name: &DnsName, family: Family, by: Instant) -> Result<Resolved, Trouble> {
    let kind = match family {
        Family::Ipv4 => RecordType::A,
        Family::Ipv6 => RecordType::AAAA,
    };
    let mut name = wire_name(name)?;
    for _ in 0..HOPS {
        let message = resolvers.ask(&Question::stub(&name, kind), by).await?;
        let addresses: Vec<_> = addresses_in(&message).filter(|address| Family::of(address) == family).collect();
        if !addresses.is_empty() {
            return Ok(Resolved::To(addresses));
        }
        if message.metadata.response_code == ResponseCode::NXDomain {
            return Ok(Resolved::NoName);
        }
        let end = end_of_aliases(&message, &name);
        // A recursive resolver has followed the aliases to their end.
        if end == name || message.metadata.recursion_available {
            return Ok(Resolved::NoRecord);
        }
        name = end;
    }
    Ok(Resolved::NoRecord)
}
