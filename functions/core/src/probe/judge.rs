//! From what was found to what it means.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::sync::Arc;

use super::cause::{no_record, not_found, strange, timed_out, turned_away, unresolved};
use super::{Cause, Contact, Endpoint, Family, Found, NameKind, Question, Reached, Refusal, Resolved, Target, Vantage};
use crate::ids::DnsName;

/// One name, family and port, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The endpoint, where it is known.
    pub endpoint: Option<Arc<Endpoint>>,
    /// The name.
    pub name: DnsName,
    /// What it stands for.
    pub kind: NameKind,
    /// The family.
    pub family: Family,
    /// The port.
    pub port: NonZeroU16,
    /// The addresses that the name has.
    pub addresses: Vec<IpAddr>,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of one name, family and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Works {
        /// The status of the HTTP answer, if one was asked for.
        status: Option<u16>,
    },
    /// It does not.
    Refused(Refusal),
    /// It could not be tried from here, for this reason.
    NotTested(String),
}

/// How far a name of a family gets without a connection.
pub(super) enum Standing {
    /// To these addresses, which are to be connected to.
    Connect(Vec<IpAddr>),
    /// Nowhere.
    Refused(Refusal),
    /// It was not asked for.
    NotTested(String),
}

const NO_TIME: &str = "there was no time left for it";

/// Judges everything that was tried of the targets.
pub fn judge(targets: &[Target], from: Vantage, found: &Found) -> Vec<Tried> {
    let mut all = Vec::new();
    for target in targets {
        for family in &target.families {
            for port in &target.ports {
                let verdict = match standing(target, *family, from, found) {
                    Standing::Refused(refusal) => Verdict::Refused(refusal),
                    Standing::NotTested(why) => Verdict::NotTested(why),
                    Standing::Connect(addresses) => contacted(target, &addresses, *port, from, found),
                };
                all.push(Tried {
                    endpoint: target.endpoint.clone(),
                    name: target.name.clone(),
                    kind: target.kind,
                    family: *family,
                    port: *port,
                    addresses: answer(target, *family, found),
                    verdict,
                });
            }
        }
    }
    all
}

/// What a name's addresses of a family are worth.
pub(super) fn standing(target: &Target, family: Family, from: Vantage, found: &Found) -> Standing {
    let resolved = |family| found.resolved.get(&Question { name: target.asked(), family });
    match resolved(family) {
        None => Standing::NotTested(NO_TIME.to_owned()),
        Some(Resolved::Trouble(trouble)) => Standing::Refused(unresolved(target, trouble)),
        Some(Resolved::NoName) => Standing::Refused(not_found(target, from)),
        Some(Resolved::NoRecord | Resolved::To(_)) => {
            let addresses = answer(target, family, found);
            if addresses.is_empty() {
                return Standing::Refused(without_address(target, family, from, found));
            }
            match strangers(target, &addresses, family, found) {
                Some((strangers, public)) => Standing::Refused(strange(target, &strangers, public, from)),
                None => Standing::Connect(addresses),
            }
        }
    }
}

/// The addresses that a name has, but for those that a resolver makes out of IPv4's for networks without.
fn answer(target: &Target, family: Family, found: &Found) -> Vec<IpAddr> {
    match found.resolved.get(&Question { name: target.asked(), family }) {
        Some(Resolved::To(addresses)) => addresses.iter().filter(|address| !is_nat64(address)).copied().collect(),
        Some(Resolved::NoRecord | Resolved::NoName | Resolved::Trouble(_)) | None => Vec::new(),
    }
}

/// Why a name that exists has no address of a family. Whose answer that is, its other family shows.
fn without_address(target: &Target, family: Family, from: Vantage, found: &Found) -> Refusal {
    let other = match family {
        Family::Ipv4 => Family::Ipv6,
        Family::Ipv6 => Family::Ipv4,
    };
    let addresses = answer(target, other, found);
    match strangers(target, &addresses, other, found) {
        Some((strangers, public)) => strange(target, &strangers, public, from),
        None if addresses.is_empty() && target.kind == NameKind::Private => not_found(target, from),
        None => no_record(target, family),
    }
}

/// Those of the addresses that are not the endpoint's, and whether one of them is the world's. Where the endpoint's are
/// not known, only those of the world are strangers.
fn strangers(target: &Target, addresses: &[IpAddr], family: Family, found: &Found) -> Option<(Vec<IpAddr>, bool)> {
    let own = target.endpoint.as_ref().map(|endpoint| &endpoint.addresses).filter(|own| !own.is_empty());
    let strangers: Vec<IpAddr> = match own {
        Some(own) => addresses.iter().filter(|address| !own.contains(address)).copied().collect(),
        // A VPC's IPv6 addresses look like everybody's: what its IPv4 addresses are like tells more.
        None if family == Family::Ipv6 => {
            let ipv4 = answer(target, Family::Ipv4, found);
            if ipv4.iter().any(is_public) { addresses.to_vec() } else { Vec::new() }
        }
        None => addresses.iter().filter(|address| is_public(address)).copied().collect(),
    };
    let public = strangers.iter().any(is_public);
    (!strangers.is_empty()).then_some((strangers, public))
}

/// All addresses have to work: whoever connects is given any of them.
fn contacted(target: &Target, addresses: &[IpAddr], port: NonZeroU16, from: Vantage, found: &Found) -> Verdict {
    let all: Vec<(Contact, Option<&Reached>)> = target
        .contacts(addresses, port)
        .into_iter()
        .map(|contact| {
            let reached = found.reached.get(&contact);
            (contact, reached)
        })
        .collect();
    let elsewhere = all.iter().any(|(_, reached)| matches!(reached, Some(Reached::Works { .. })));
    let (mut refusal, mut untested, mut works) = (None::<Refusal>, None, None);
    for (contact, reached) in all {
        match one(target, &contact, reached, elsewhere, from) {
            Verdict::Works { status } => works = works.or(status),
            Verdict::NotTested(why) => untested = untested.or(Some(why)),
            Verdict::Refused(next) => match &mut refusal {
                None => refusal = Some(next),
                // The first one says what to do, and the others that they fail too.
                Some(first) => first.detail = format!("{}; {}", first.detail, next.detail),
            },
        }
    }
    match (refusal, untested) {
        (Some(refusal), _) => Verdict::Refused(refusal),
        (None, Some(why)) => Verdict::NotTested(why),
        (None, None) => Verdict::Works { status: works },
    }
}

/// What came of one contact.
fn one(target: &Target, contact: &Contact, reached: Option<&Reached>, elsewhere: bool, from: Vantage) -> Verdict {
    let Contact { address, port, tls, http } = contact;
    let at = |what: String| format!("{address} port {port} {what}");
    let Some(reached) = reached else { return Verdict::NotTested(NO_TIME.to_owned()) };
    Verdict::Refused(match reached {
        Reached::Works { status } => return Verdict::Works { status: *status },
        Reached::NotTried(why) => return Verdict::NotTested(why.clone()),
        Reached::NoRoute(why) => {
            let family = Family::of(address);
            return Verdict::NotTested(format!("there is no {family} route to {address} from here: {why}"));
        }
        Reached::TimedOut { source } => timed_out(target, *address, *source, *port, elsewhere, from),
        Reached::Refused => turned_away(*address, *port, "refuses the connection"),
        Reached::Cut(how) => turned_away(*address, *port, &format!("takes the connection and {how}")),
        Reached::BadCertificate(why) => {
            let name = tls.as_ref().map_or("", DnsName::as_str);
            Refusal::new(
                Cause::WrongCertificate,
                at(format!("has no certificate for `{name}` that is trusted here: {why}")),
                format!("let the provider serve a certificate for `{name}` on port {port}, with its whole chain"),
            )
        }
        Reached::NoTls(why) => Refusal::new(
            Cause::NoTls,
            at(format!("does not speak TLS: {why}")),
            format!("let the provider see what listens on port {port}, or try that port without TLS"),
        ),
        Reached::NoHttp(why) => Refusal::new(
            Cause::NoHttp,
            at(format!("does not speak HTTP: {why}")),
            format!("let the provider see what listens on port {port}, or try that port without an HTTP request"),
        ),
        Reached::ServerError(status) => {
            let path = http.as_ref().map_or("", |(_, path)| path.as_str());
            let fix = "let the provider look at the service itself: the network is in order";
            Refusal::new(Cause::ServerError, at(format!("answers `{path}` with status {status}")), fix)
        }
        Reached::Failed(why) => Refusal::new(
            Cause::Unreachable,
            at(format!("can not be connected to: {why}")),
            "see to what the system says of this network",
        ),
    })
}

/// Whether an address is the world's. A VPC's IPv6 addresses are too.
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, _, _] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let own = address.is_private() || address.is_loopback() || address.is_link_local() || shared;
            !own && *address != Ipv4Addr::UNSPECIFIED
        }
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000),
    }
}

/// Whether it stands for an IPv4 address where there is no IPv4: <https://datatracker.ietf.org/doc/html/rfc6052>.
fn is_nat64(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.segments().starts_with(&[0x64, 0xff9b, 0, 0, 0, 0]))
}

#[cfg(test)]
mod tests;
