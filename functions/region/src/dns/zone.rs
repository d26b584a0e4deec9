//! One zone's answers: what its record sets say of a name, after RFC 1034 and RFC 4592.

use crate::route53::{Name, RecordData, RecordKey, RecordSet, Records};

/// How many aliases and canonical names are followed.
pub(super) const HOPS: usize = 8;

/// A record, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Its type: `TXT`.
    pub kind: String,
    /// How many seconds it may be kept.
    pub ttl: u32,
    /// Its value, in the form in which Route 53 takes it.
    pub value: String,
}

impl Record {
    pub(super) fn new(name: &Name, kind: &str, ttl: u32, value: impl Into<String>) -> Self {
        Self { name: name.clone(), kind: kind.to_owned(), ttl, value: value.into() }
    }

    /// The text of a TXT record: its strings put together, as those who look for a token do.
    pub fn text(&self) -> Option<Vec<u8>> {
        if self.kind != "TXT" {
            return None;
        }
        crate::route53::strings(&self.value).ok().map(|strings| strings.concat())
    }
}

/// An answer's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The name is there, with or without records of the type.
    NoError,
    /// The name is not there.
    NxDomain,
    /// There is no saying.
    ServFail,
    /// That is not said here.
    Refused,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its code.
    pub code: Code,
    /// What was asked for, with the canonical names on the way.
    pub answers: Vec<Record>,
    /// The SOA record of the zone that has no more, or the name servers to which it refers.
    pub authority: Vec<Record>,
    /// Whether it speaks for a zone of its own.
    pub authoritative: bool,
}

impl Response {
    pub(super) fn failed(code: Code) -> Self {
        Self { code, answers: Vec::new(), authority: Vec::new(), authoritative: false }
    }

    pub(super) fn found(answers: Vec<Record>) -> Self {
        Self { answers, authoritative: true, ..Self::failed(Code::NoError) }
    }

    /// Nothing, in the name of a zone.
    pub(super) fn nothing(code: Code, soa: Option<Record>) -> Self {
        Self { authority: soa.into_iter().collect(), authoritative: true, ..Self::failed(code) }
    }

    /// Where the answer's last record leads, if it is not what was asked for but an alias of it.
    pub(super) fn leads_to(&self, kind: &str) -> Option<Name> {
        let last = self.answers.last().filter(|record| record.kind == "CNAME" && kind != "CNAME")?;
        Name::parse(&last.value).ok()
    }
}

/// What a zone answers. Canonical names are followed within it.
pub(super) fn answer(records: &Records, apex: &Name, name: &Name, kind: &str) -> Response {
    let mut answers = Vec::new();
    let mut name = name.clone();
    for _ in 0..HOPS {
        let Some(owner) = owner(records, apex, &name) else {
            return Response { answers, ..Response::nothing(Code::NxDomain, soa(records, apex)) };
        };
        answers.extend(values(records, &owner, &name, kind, HOPS));
        if answers.last().is_some_and(|record| record.kind == kind && record.name == name) {
            return Response::found(answers);
        }
        let canonical = values(records, &owner, &name, "CNAME", HOPS);
        let target = canonical.first().and_then(|record| Name::parse(&record.value).ok());
        answers.extend(canonical);
        match target {
            Some(target) if target.is_within(apex) => name = target,
            Some(_) => return Response::found(answers),
            None => return Response { answers, ..Response::nothing(Code::NoError, soa(records, apex)) },
        }
    }
    Response::failed(Code::ServFail)
}

/// The name whose record sets answer for a name: itself, if it or anything below it is there, or the wildcard directly
/// below the closest name above it that is there.
fn owner(records: &Records, apex: &Name, name: &Name) -> Option<Name> {
    let mut closest = name.clone();
    while !is_there(records, &closest) {
        closest = closest.parent().filter(|above| above.is_within(apex))?;
    }
    if closest == *name {
        return Some(closest);
    }
    let wildcard = closest.below("*");
    is_there(records, &wildcard).then_some(wildcard)
}

/// Names are sorted so that those below a name follow it.
fn is_there(records: &Records, name: &Name) -> bool {
    records.range(&first_of(name, "")..).next().is_some_and(|(key, _)| key.name.is_within(name))
}

fn first_of(name: &Name, kind: &str) -> RecordKey {
    RecordKey { name: name.clone(), kind: kind.to_owned(), identifier: None }
}

/// The records of that type at `owner`, in the name that was asked for. Of sets that are told apart by an identifier all
/// answer where they are for many values, and otherwise the first: weights and health decide nothing here.
fn values(records: &Records, owner: &Name, name: &Name, kind: &str, hops: usize) -> Vec<Record> {
    let sets = records.range(&first_of(owner, kind)..);
    let sets = sets.take_while(|(key, _)| key.name == *owner && key.kind == kind).map(|(_, set)| set);
    let many = |set: &&RecordSet| set.routing.contains_key("MultiValueAnswer");
    let mut found = Vec::new();
    for set in sets.clone().take(1).chain(sets.skip(1).filter(many)) {
        match &set.data {
            RecordData::Values { ttl, values } => {
                found.extend(values.iter().map(|value| Record::new(name, kind, *ttl, value)));
            }
            // What lies outside of the zone, as load balancers do, is not known here.
            RecordData::Alias { target, .. } => {
                if let (Ok(target), Some(hops)) = (Name::parse(target), hops.checked_sub(1)) {
                    found.extend(self::values(records, &target, name, kind, hops));
                }
            }
        }
    }
    found
}

/// The zone's SOA record.
pub(super) fn soa(records: &Records, apex: &Name) -> Option<Record> {
    values(records, apex, apex, "SOA", 0).pop()
}

/// A text as Route 53 takes it: in quotation marks, cut into strings that are short enough.
pub(super) fn quote(text: &str) -> String {
    let quoted = |string: &[u8]| {
        let escaped = string.iter().map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\{byte:03o}"),
        });
        format!("\"{}\"", escaped.collect::<String>())
    };
    if text.is_empty() {
        return quoted(b"");
    }
    let strings: Vec<String> = text.as_bytes().chunks(255).map(quoted).collect();
    strings.join(" ")
}
