//! A zone in a few lines of text, and what its servers answer.

use std::collections::BTreeSet;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

#[derive(Clone)]
pub(crate) struct Zone {
    pub(crate) apex: Name,
    pub(crate) records: Vec<Record>,
}

pub(crate) fn wire(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

/// Lines of `name TYPE data`; the data of a TXT record is the rest of the line as it is.
pub(crate) fn zone(apex: &str, lines: &str) -> Zone {
    let soa = SOA::new(wire("ns"), wire("root"), 1, 900, 900, 900, 60);
    let mut records = vec![Record::from_rdata(wire(apex), 60, RData::SOA(soa))];
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (owner, rest) = line.split_once(' ').unwrap();
        let (kind, data) = rest.split_once(' ').unwrap();
        let data = match kind {
            "A" => RData::A(A(data.parse().unwrap())),
            "AAAA" => RData::AAAA(AAAA(data.parse().unwrap())),
            "NS" => RData::NS(NS(wire(data))),
            "CNAME" => RData::CNAME(CNAME(wire(data))),
            "TXT" => RData::TXT(TXT::from_bytes(data.as_bytes().chunks(255).collect())),
            other => panic!("{other}"),
        };
        records.push(Record::from_rdata(wire(owner), 60, data));
    }
    Zone { apex: wire(apex), records }
}

impl Zone {
    fn at<'a>(&'a self, owner: &'a Name, kind: RecordType) -> impl Iterator<Item = Record> + 'a {
        self.records.iter().filter(move |r| r.name == *owner && r.record_type() == kind).cloned()
    }

    /// Where a name is delegated below the zone.
    fn cut(&self, asked: &Name, kind: RecordType) -> Option<&Name> {
        let owner = &self
            .records
            .iter()
            .find(|r| r.record_type() == RecordType::NS && r.name != self.apex && r.name.zone_of(asked))?
            .name;
        (owner != asked || kind != RecordType::DS).then_some(owner)
    }

    fn answer(&self, query: &Message) -> Message {
        let mut answer = reply(query, ResponseCode::NoError);
        let (asked, kind) = (query.queries[0].name(), query.queries[0].query_type());
        if let Some(cut) = self.cut(asked, kind) {
            let servers: Vec<_> = self.at(cut, RecordType::NS).collect();
            let named: BTreeSet<_> = servers.iter().map(|r| r.data.to_string()).collect();
            answer.add_additionals(self.records.iter().filter(|r| named.contains(&r.name.to_string())).cloned());
            answer.add_authorities(servers);
            return answer;
        }
        answer.metadata.authoritative = true;
        let mut found: Vec<_> = self.at(asked, kind).collect();
        if found.is_empty() {
            found = self.at(asked, RecordType::CNAME).collect();
        }
        if found.is_empty() {
            found = self.at(&asked.clone().into_wildcard(), kind).collect();
            found.iter_mut().for_each(|r| r.name = asked.clone());
        }
        if found.is_empty() {
            if !self.records.iter().any(|r| asked.zone_of(&r.name)) {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            answer.add_authorities(self.at(&self.apex, RecordType::SOA));
        }
        answer.add_answers(found);
        answer
    }
}

pub(crate) fn reply(query: &Message, code: ResponseCode) -> Message {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.add_queries(query.queries.clone());
    answer.metadata.response_code = code;
    answer
}

/// What a server says that has these zones: the deepest one that fits answers.
pub(crate) fn authority(zones: &[Zone], query: &Message) -> Message {
    let (asked, kind) = (query.queries[0].name(), query.queries[0].query_type());
    let fits = |zone: &&Zone| zone.apex.zone_of(asked) && !(kind == RecordType::DS && zone.apex == *asked);
    match zones.iter().filter(fits).max_by_key(|zone| zone.apex.num_labels()) {
        Some(zone) => zone.answer(query),
        None => reply(query, ResponseCode::Refused),
    }
}

/// What a recursive resolver says that has found all these zones.
pub(crate) fn resolver(zones: &[Zone], query: &Message) -> Message {
    let (asked, kind) = (query.queries[0].name(), query.queries[0].query_type());
    let mut answer = reply(query, ResponseCode::NoError);
    answer.metadata.recursion_available = true;
    let all = || zones.iter().flat_map(|zone| &zone.records);
    answer.add_answers(all().filter(|r| r.name == *asked && r.record_type() == kind).cloned());
    if !all().any(|r| r.name == *asked) {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer
}
