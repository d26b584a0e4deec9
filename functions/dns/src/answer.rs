//! What a message says of a record, in the core's words.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, NS, TXT};
use hickory_proto::rr::{Name, RecordData, RecordType};
use privatelink_core::dns::{Answer, Trouble};
use privatelink_core::ids::DnsName;

/// A chain of aliases that is longer leads nowhere.
const ALIASES: usize = 8;

/// What a message says of the TXT records of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// All that there is to say.
    This(Answer),
    /// The name stands for another one, of which the server does not speak.
    Alias(Name),
}

/// Reads an answer to a question for TXT records. `own` is whether the server should answer for the zone itself, and not
/// pass on what others say.
pub(crate) fn said(message: &Message, name: &Name, own: bool) -> Said {
    if let Some(trouble) = refusal(message) {
        return Said::This(Answer::Trouble(trouble));
    }
    let end = end_of_aliases(message, name);
    let values: Vec<Vec<u8>> = message
        .answers
        .iter()
        .filter(|record| record.name == end)
        .filter_map(|record| TXT::try_borrow(&record.data))
        .map(|txt| txt.txt_data.concat())
        .collect();
    if !values.is_empty() {
        return Said::This(Answer::Values(values));
    }
    if end != *name {
        return Said::Alias(end);
    }
    let meta = &message.metadata;
    let passed_on = !meta.authoritative && (own || (!meta.recursion_available && is_referral(message)));
    Said::This(if passed_on {
        Answer::Trouble(Trouble::NotAuthoritative)
    } else if meta.response_code == ResponseCode::NXDomain {
        Answer::NoName
    } else {
        Answer::NoRecord
    })
}

/// Why a message answers nothing. That a name does not exist is an answer.
pub(crate) fn refusal(message: &Message) -> Option<Trouble> {
    let code = message.metadata.response_code;
    let trouble = |wanted, trouble| (code == wanted).then_some(trouble);
    if matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return None;
    }
    trouble(ResponseCode::ServFail, Trouble::ServFail)
        .or(trouble(ResponseCode::Refused, Trouble::Refused))
        .or(trouble(ResponseCode::NotAuth, Trouble::NotAuthoritative))
        .or_else(|| Some(Trouble::Other(format!("answers `{}`", code.to_str()))))
}

/// Whether it only names other servers.
fn is_referral(message: &Message) -> bool {
    message.answers.is_empty() && message.authorities.iter().any(|record| record.record_type() == RecordType::NS)
}

/// Where a name's aliases lead, as far as a message says.
pub(crate) fn end_of_aliases(message: &Message, name: &Name) -> Name {
    let mut end = name.clone();
    for _ in 0..ALIASES {
        let mut here = message.answers.iter().filter(|record| record.name == end);
        match here.find_map(|record| CNAME::try_borrow(&record.data)) {
            Some(target) => end = target.0.clone(),
            None => break,
        }
    }
    end
}

/// Whose zone a negative answer comes from.
pub(crate) fn zone_of_denial(message: &Message) -> Option<&Name> {
    message.authorities.iter().find(|record| record.record_type() == RecordType::SOA).map(|record| &record.name)
}

/// The name servers that an answer or a referral names for a zone.
pub(crate) fn servers_of(message: &Message, zone: &Name) -> Vec<DnsName> {
    let mut servers: Vec<DnsName> = message
        .answers
        .iter()
        .chain(&message.authorities)
        .filter(|record| record.name == *zone)
        .filter_map(|record| NS::try_borrow(&record.data))
        .filter_map(|server| dns_name(&server.0))
        .collect();
    servers.sort();
    servers.dedup();
    servers
}

/// The core's form of a name. One with other characters than a host's can not be anybody's server or zone.
pub(crate) fn dns_name(name: &Name) -> Option<DnsName> {
    DnsName::folded(&name.to_ascii()).ok()
}

/// The wire's form of a name.
pub(crate) fn wire_name(name: &DnsName) -> Result<Name, Trouble> {
    Name::from_ascii(format!("{name}.")).map_err(|err| Trouble::Other(format!("`{name}` can not be asked for: {err}")))
}
