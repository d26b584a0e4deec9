//! An answer that is there as bytes, of a recording or of a test: read as if a server had just sent it.
//!
//! Whoever is on the way can make these bytes. What is read out of an answer anywhere is read out of it here too, by the
//! same functions and without a network, so that it can be shown that no bytes are too much for them.

use std::net::IpAddr;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{RecordType, SerialNumber};
use privatelink_core::dns::{Answer, Delegation, Signatures, Trouble};
use privatelink_core::ids::DnsName;

use crate::answer::{Said, said, wire_name, zone_of_denial};
use crate::ask::read;
use crate::signatures::{ds_in, judge};
use crate::zone::{Zone, addresses_in, cut_below};

/// All that is read out of one answer to a question for TXT records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What it says of the record; nothing where it sends on to another name.
    pub answer: Option<Answer>,
    /// The zone that it delegates on the way to the record.
    pub delegation: Option<Delegation>,
    /// The addresses in it.
    pub addresses: Vec<IpAddr>,
    /// What its signatures are worth, if the DS records and the keys in it are taken for the zone's.
    pub signatures: Signatures,
}

impl Recorded {
    /// Reads an answer to the question for a record, as it comes from a server that should answer for `zone` itself.
    /// Nothing, where it is none to that question, whose id is taken to be the answer's own. `now` is in seconds since
    /// 1970, in the arithmetic of serial numbers.
    ///
    /// # Errors
    ///
    /// The bytes are no message.
    pub fn read(received: &[u8], record: &DnsName, zone: &DnsName, now: u32) -> Result<Option<Self>, Trouble> {
        let name = wire_name(record)?;
        let mut query = Message::query();
        query.add_query(Query::query(name.clone(), RecordType::TXT));
        if let Some(&[high, low]) = received.get(..2) {
            query.metadata.id = u16::from_be_bytes([high, low]);
        }
        let Some(message) = read(&query, received)? else { return Ok(None) };
        let cut = cut_below(&message, zone, &name).or_else(|| zone_of_denial(&message).cloned());
        let wire_zone = wire_name(zone)?;
        let ds = ds_in(&message, &wire_zone);
        Ok(Some(Self {
            answer: match said(&message, &name, true) {
                Said::This(answer) => Some(answer),
                Said::Alias(_) => None,
            },
            delegation: cut.and_then(|cut| Zone::told(&message, &cut, zone, None)).map(|zone| zone.delegation()),
            addresses: addresses_in(&message).collect(),
            signatures: judge(&wire_zone, &ds, &message, &name, &message, SerialNumber::new(now)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with two strings in one TXT record, with those flags.
    fn message(flags: [u8; 2]) -> Vec<u8> {
        let question = b"\x02_a\x07example\x03com\0\0\x10\0\x01";
        let record = b"\xc0\x0c\0\x10\0\x01\0\0\x01\x2c\0\x0a\x05vpce:\x03AbC";
        [&[0x12, 0x34], &flags[..], b"\0\x01\0\x01\0\0\0\0", question, record].concat()
    }

    fn recorded(bytes: &[u8], record: &str) -> Result<Option<Recorded>, Trouble> {
        Recorded::read(bytes, &DnsName::parse(record).unwrap(), &DnsName::parse("com").unwrap(), 0)
    }

    #[test]
    fn the_bytes_of_an_answer_say_what_a_server_would_have() {
        let read = recorded(&message([0x84, 0]), "_a.example.com").unwrap().unwrap();
        assert_eq!(read.answer, Some(Answer::Values(vec![b"vpce:AbC".to_vec()])));
        let refused = recorded(&message([0x84, 5]), "_a.example.com").unwrap().unwrap();
        assert_eq!(refused.answer, Some(Answer::Trouble(Trouble::Refused)));
    }

    #[test]
    fn what_is_no_answer_to_the_question_says_nothing() {
        assert_eq!(recorded(&message([0x84, 0]), "_b.example.com"), Ok(None));
        assert_eq!(recorded(&message([0, 0]), "_a.example.com"), Ok(None), "a question is no answer");
        let whole = message([0x84, 0]);
        for length in 0..whole.len() {
            assert!(recorded(&whole[..length], "_a.example.com").is_err(), "{length}");
        }
    }
}
