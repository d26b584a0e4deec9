//! What the world's DNS says: one of a zone's name servers, a server that the network reaches, and a resolver.

use time::OffsetDateTime;

use super::delegation::{Cut, Host};
use super::zone::{self, Code, HOPS, Record, Response};
use super::{DnsFaultKind, ServerFault};
use crate::route53::Name;
use crate::world::World;

/// A DS record to which nobody has the key: key tag, algorithm, digest type, digest.
const DS: &str = "60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A";
/// How long what the domains above say may be kept, in seconds.
const TTL: u32 = 900;

/// What becomes of a question to a name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It answers.
    Response(Response),
    /// It answers, and over UDP only that it has to be asked over TCP.
    Cut(Response),
    /// It never answers.
    Silence,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A resolver that validates, unless it is told not to check.
    Resolver {
        /// Whether it is told not to check.
        unchecked: bool,
    },
    /// The servers that come at that place, from 0 to 3, of the name servers of each zone of Route 53's. The first also
    /// says what the domains above delegate.
    NameServer(usize),
    /// The name server of all that is not in Route 53.
    Elsewhere,
    /// The name server of the top-level domains.
    Registry,
}

impl World {
    /// What somebody hears who asks.
    pub fn ask(&self, voice: Voice, name: &Name, kind: &str, at: OffsetDateTime) -> Heard {
        match voice {
            Voice::Resolver { unchecked } => Heard::Response(self.resolve(name, kind, at, 0, unchecked)),
            Voice::NameServer(index) => self.name_server_says(index, name, kind, at),
            Voice::Elsewhere => match self.cuts(name, at).last() {
                Some(cut) if cut.is_elsewhere() => self.hear(cut, 0, Host::Elsewhere, name, kind, at),
                Some(_) | None => Heard::Response(Response::failed(Code::Refused)),
            },
            Voice::Registry => Heard::Response(self.registry_says(name, kind, at)),
        }
    }

    /// What is in a top-level domain: delegations, each with its DS record where there is one.
    fn registry_says(&self, name: &Name, kind: &str, at: OffsetDateTime) -> Response {
        match self.cuts(name, at).first() {
            None => registry(name, kind),
            Some(cut) if kind == "DS" && cut.zone == *name => self.ds(None, name, at),
            Some(cut) => Response { authority: cut.records(), ..Response::failed(Code::NoError) },
        }
    }

    /// What a resolver answers that asks a zone's name servers in their order, beginning with one of them, until one
    /// gives an answer.
    pub fn resolve(&self, name: &Name, kind: &str, at: OffsetDateTime, first: usize, unchecked: bool) -> Response {
        let mut answers = Vec::new();
        let mut name = name.clone();
        for _ in 0..HOPS {
            let mut said = self.resolve_once(&name, kind, at, first, unchecked);
            said.authoritative = false;
            let next = said.leads_to(kind);
            answers.append(&mut said.answers);
            match next {
                Some(next) => name = next,
                None if said.code == Code::ServFail => return said,
                None => return Response { answers, ..said },
            }
        }
        Response::failed(Code::ServFail)
    }

    pub(super) fn resolve_once(
        &self,
        name: &Name,
        kind: &str,
        at: OffsetDateTime,
        first: usize,
        unchecked: bool,
    ) -> Response {
        if let Some(said) = self.endpoint_says(name, kind) {
            return said;
        }
        let cuts = self.cuts(name, at);
        let Some(cut) = cuts.last() else { return registry(name, kind) };
        if let Some(said) = self.said_above(&cuts, name, kind, at) {
            return said;
        }
        if !unchecked && cuts.iter().any(|cut| self.dns.has(&cut.zone, &DnsFaultKind::DnssecBroken)) {
            return Response::failed(Code::ServFail);
        }
        let servers = cut.servers.iter().cycle().skip(first).take(cut.servers.len());
        let heard = servers.filter_map(|server| match self.hear(cut, server.index, server.host, name, kind, at) {
            Heard::Response(said) | Heard::Cut(said) => Some(said),
            Heard::Silence => None,
        });
        let mut usable = heard.filter(|said| matches!(said.code, Code::NoError | Code::NxDomain));
        usable.next().unwrap_or_else(|| Response::failed(Code::ServFail))
    }

    /// What the domain above a zone says of it, if it is that which is asked for: its DS record, and its name servers as
    /// they are delegated.
    fn said_above(&self, cuts: &[Cut<'_>], name: &Name, kind: &str, at: OffsetDateTime) -> Option<Response> {
        let (cut, above) = cuts.split_last().filter(|(cut, _)| cut.zone == *name)?;
        match kind {
            "NS" if !self.dns.has(name, &DnsFaultKind::NameServersFromZone) => Some(Response::found(cut.records())),
            "DS" => Some(self.ds(above.last(), name, at)),
            _ => None,
        }
    }

    /// The DS records of a zone, which are in the zone above. That is signed only if somebody broke it.
    fn ds(&self, above: Option<&Cut<'_>>, zone: &Name, at: OffsetDateTime) -> Response {
        let records = above.and_then(|above| Some((above, above.hosted()?.seen(at)?)));
        let mut found = match records {
            Some((above, records)) => zone::answer(records, &above.zone, zone, "DS").answers,
            None => Vec::new(),
        };
        found.retain(|record| record.kind == "DS" && record.name == *zone);
        if self.dns.has(zone, &DnsFaultKind::DnssecBroken) {
            found.push(Record::new(zone, "DS", TTL, DS));
        }
        if !found.is_empty() {
            return Response::found(found);
        }
        let soa = match (records, above) {
            (Some((above, records)), _) => zone::soa(records, &above.zone),
            (None, Some(above)) => Some(elsewhere_soa(above)),
            (None, None) => Some(registry_soa(zone)),
        };
        Response::nothing(Code::NoError, soa)
    }

    fn name_server_says(&self, index: usize, name: &Name, kind: &str, at: OffsetDateTime) -> Heard {
        let cuts = self.cuts(name, at);
        if index == 0 && matches!(kind, "NS" | "DS") {
            let above =
                if cuts.is_empty() { Some(registry(name, kind)) } else { self.said_above(&cuts, name, kind, at) };
            if let Some(said) = above {
                return Heard::Response(said);
            }
        }
        let own = cuts.iter().rposition(|cut| cut.hosted().is_some());
        if let Some((own, below)) = own.and_then(|own| Some((cuts.get(own)?, cuts.get(own + 1)?))) {
            let referral = Response { authority: below.records(), ..Response::failed(Code::NoError) };
            return self.unless_wrong(&own.zone, index, at, |_, _| referral.clone());
        }
        let undelegated = || if own.is_none() { self.undelegated(name) } else { None };
        let Some(cut) = undelegated().or_else(|| cuts.into_iter().last()) else {
            return Heard::Response(Response::failed(Code::Refused));
        };
        let host = match cut.hosted() {
            Some(zone) => Host::Zone(zone),
            None if cut.is_elsewhere() => Host::Elsewhere,
            None => Host::Nothing,
        };
        self.hear(&cut, index, host, name, kind, at)
    }

    /// What one of a zone's servers says.
    fn hear(&self, cut: &Cut<'_>, index: usize, host: Host<'_>, name: &Name, kind: &str, at: OffsetDateTime) -> Heard {
        let refused = || Response::failed(Code::Refused);
        self.unless_wrong(&cut.zone, index, at, |at, before| match host {
            Host::Nothing => refused(),
            Host::Elsewhere => self.with_published(elsewhere(cut, name, kind), name, kind),
            Host::Zone(zone) => {
                let records = if before { zone.seen_before(at) } else { zone.seen(at) };
                let said = records.map(|records| zone::answer(records, &cut.zone, name, kind));
                said.map_or_else(refused, |said| self.with_published(said, name, kind))
            }
        })
    }

    /// What a server says as of a time, or before the last change, if nothing else is wrong with it.
    fn unless_wrong(
        &self,
        zone: &Name,
        index: usize,
        at: OffsetDateTime,
        said: impl Fn(OffsetDateTime, bool) -> Response,
    ) -> Heard {
        match self.dns.server(zone, index) {
            None => Heard::Response(said(at, false)),
            Some(ServerFault::Servfail) => Heard::Response(Response::failed(Code::ServFail)),
            Some(ServerFault::Refused) => Heard::Response(Response::failed(Code::Refused)),
            Some(ServerFault::Silence) => Heard::Silence,
            Some(ServerFault::Truncated) => Heard::Cut(said(at, false)),
            Some(ServerFault::SecondsBehind(seconds)) => {
                Heard::Response(said(at - time::Duration::seconds(seconds.into()), false))
            }
            Some(ServerFault::BeforeLastChange) => Heard::Response(said(at, true)),
        }
    }

    /// What is published outside of Route 53 is read at its name, whoever else answers for it.
    fn with_published(&self, mut said: Response, name: &Name, kind: &str) -> Response {
        let elsewhere: Vec<_> = self.published_at(name).map(zone::quote).collect();
        if said.code == Code::NxDomain && said.answers.is_empty() && self.published_below(name) {
            said.code = Code::NoError;
        }
        if kind != "TXT" || elsewhere.is_empty() {
            return said;
        }
        let ttl = said.answers.first().map_or(TTL, |record| record.ttl);
        said.answers.extend(elsewhere.iter().map(|value| Record::new(name, kind, ttl, value)));
        Response::found(said.answers)
    }
}

/// What there is of a domain elsewhere but for what is published: itself.
fn elsewhere(cut: &Cut<'_>, name: &Name, kind: &str) -> Response {
    if cut.zone != *name {
        return Response::nothing(Code::NxDomain, Some(elsewhere_soa(cut)));
    }
    match kind {
        "NS" => Response::found(cut.records()),
        "SOA" => Response::found(vec![elsewhere_soa(cut)]),
        _ => Response::nothing(Code::NoError, Some(elsewhere_soa(cut))),
    }
}

fn elsewhere_soa(cut: &Cut<'_>) -> Record {
    let server = cut.servers.first().map(|server| server.name.to_string()).unwrap_or_default();
    Record::new(&cut.zone, "SOA", TTL, format!("{server} hostmaster.{} 1 7200 900 1209600 300", cut.zone))
}

/// The top level domains: they are there, and nothing in them but what is delegated.
fn registry(name: &Name, kind: &str) -> Response {
    let soa = registry_soa(name);
    match (name.labels().count(), kind) {
        (0 | 1, "SOA") => Response::found(vec![soa]),
        (0 | 1, "NS") => Response::found(vec![Record::new(name, kind, TTL, format!("a.nic.{}", soa.name))]),
        (0 | 1, _) => Response::nothing(Code::NoError, Some(soa)),
        _ => Response::nothing(Code::NxDomain, Some(soa)),
    }
}

/// The SOA record of the registry in which a name would be.
pub(super) fn registry_soa(name: &Name) -> Record {
    let registry = name.ancestors().next().unwrap_or_else(|| name.clone());
    Record::new(&registry, "SOA", TTL, format!("a.nic.{registry} hostmaster.nic.{registry} 1 7200 900 1209600 900"))
}
