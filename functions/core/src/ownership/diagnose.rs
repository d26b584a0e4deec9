//! What stands between a TXT record and whoever wants to read it: one cause, named from what DNS answered.

use std::fmt::Write;

use crate::diagnosis::Diagnosis;
use crate::dns::{Answer, Delegation, Seen, ServerAnswer, Signatures, Trouble};
use crate::ids::DnsName;

use super::record_set::quoted;
use super::zone::{HostedZone, shares_a_server};

/// What every value of AWS's begins with.
const PREFIX: &str = "vpce:";

/// A cause, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub diagnosis: Diagnosis,
    /// What was seen.
    pub detail: String,
    /// What to do: a command, or the exact record.
    pub fix: String,
}

impl Finding {
    /// A cause with what to do.
    pub fn new(diagnosis: Diagnosis, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { diagnosis, detail: detail.into(), fix: fix.into() }
    }
}

/// A record as a line of a zone file: what a person pastes.
pub fn zone_line(record: &DnsName, value: &str) -> String {
    format!("{record}. 300 IN TXT {}", quoted(value.as_bytes()))
}

/// Whether the world can read that value in the record; if not, why.
///
/// `zone` is the hosted zone that holds the record, where there is one of this account's.
///
/// # Errors
///
/// The cause.
pub fn readable(expected: &str, seen: &Seen, zone: Option<&HostedZone>) -> Result<(), Finding> {
    let Seen { record, delegation: _, given, answers, passed_over: _, doubled: _, signatures } = seen;
    let good = |answer: &&ServerAnswer| says(&answer.answer, expected);
    let trouble = |answer: &&ServerAnswer| matches!(answer.answer, Answer::Trouble(_));
    let behind: Vec<_> = answers.iter().filter(|answer| !good(answer) && !trouble(answer)).collect();
    if !answers.iter().any(|answer| good(&answer)) {
        return Err(unreadable(expected, seen, zone, &behind));
    }
    if *given && let Some(finding) = delegated_wrong(seen, zone) {
        return Err(finding);
    }
    if !behind.is_empty() {
        let detail = format!("{} of {} name servers do not have it: {}", behind.len(), answers.len(), names(&behind));
        let fix = format!("wait a few minutes; if it stays, mend the zone's copies on {}", names(&behind));
        return Err(Finding::new(Diagnosis::ServersBehind, detail, fix));
    }
    if let Signatures::Broken(why) = signatures {
        return Err(dnssec(record, seen, why));
    }
    Ok(())
}

fn says(answer: &Answer, expected: &str) -> bool {
    matches!(answer, Answer::Values(values) if values.iter().any(|value| value == expected.as_bytes()))
}

fn names(answers: &[&ServerAnswer]) -> String {
    answers.iter().map(|answer| answer.server.as_str()).collect::<Vec<_>>().join(", ")
}

/// Nobody has the value.
fn unreadable(expected: &str, seen: &Seen, zone: Option<&HostedZone>, answered: &[&ServerAnswer]) -> Finding {
    if let Some(finding) = another_value(expected, seen) {
        return finding;
    }
    // Servers that the zone was not given answer for somebody else, whatever they say.
    if let Some(finding) = delegated_wrong(seen, zone) {
        return finding;
    }
    if answered.is_empty() {
        return in_trouble(seen);
    }
    let Seen { record, doubled, .. } = seen;
    let line = zone_line(record, expected);
    if doubled.as_ref().is_some_and(|doubled| says(doubled, expected)) {
        let host = match &seen.delegation {
            Delegation::To { zone, .. } => {
                record.as_str().strip_suffix(&format!(".{zone}")).unwrap_or(record.as_str()).to_owned()
            }
            Delegation::Nobody | Delegation::Unknown(_) => record.to_string(),
        };
        return Finding::new(
            Diagnosis::RecordUnderDoubledName,
            "the record stands under its name with the domain once more behind it: the DNS host adds the domain itself",
            format!("enter `{host}` as the record's name at the DNS host, so that it becomes: {line}"),
        );
    }
    let detail = format!("{} know no TXT record `{record}`", names(answered));
    Finding::new(Diagnosis::RecordMissing, detail, format!("publish this record: {line}"))
}

/// Something is there that resembles the value, or belongs to another one.
fn another_value(expected: &str, seen: &Seen) -> Option<Finding> {
    let found: Vec<&Vec<u8>> = seen
        .answers
        .iter()
        .filter_map(|answer| match &answer.answer {
            Answer::Values(values) => Some(values),
            Answer::NoRecord | Answer::NoName | Answer::Trouble(_) => None,
        })
        .flatten()
        .collect();
    let has = |test: &dyn Fn(&[u8]) -> bool| found.iter().find(|value| test(value)).copied();
    let inside = |value: &[u8]| {
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        value.is_some_and(|value| value.eq_ignore_ascii_case(expected.as_bytes()))
    };
    let cut = |value: &[u8]| value.len() > PREFIX.len() && expected.as_bytes().starts_with(value);
    const EXACT: &str = "the value has to be exactly this, every letter in its case";
    const BARE: &str = "enter the value without quotes, so that the record becomes";
    const BESIDE: &str = "add this value beside what is there, and take nothing away";
    let wrong = [
        (
            Diagnosis::ValueLowerCased,
            "the value's letters are in another case",
            EXACT,
            has(&|value| value.eq_ignore_ascii_case(expected.as_bytes())),
        ),
        (Diagnosis::ValueQuotedTwice, "the quotes are a part of the value", BARE, has(&inside)),
        (Diagnosis::ValueCut, "only the beginning of the value is there", EXACT, has(&cut)),
        (
            Diagnosis::ValueOfEarlierToken,
            "the value is that of another name or of an earlier one",
            BESIDE,
            has(&|value| value.starts_with(PREFIX.as_bytes())),
        ),
        (Diagnosis::ValueDiffers, "something else is there", BESIDE, has(&|_| true)),
    ];
    let (diagnosis, detail, fix, value) =
        wrong.into_iter().find_map(|(diagnosis, detail, fix, value)| Some((diagnosis, detail, fix, value?)))?;
    let line = zone_line(&seen.record, expected);
    Some(Finding::new(diagnosis, format!("{detail}: {}", quoted(value)), format!("{fix}: {line}")))
}

/// The world asks other servers than those that have the record, or none.
fn delegated_wrong(seen: &Seen, hosted: Option<&HostedZone>) -> Option<Finding> {
    let own = |hosted: &HostedZone| match &hosted.name_servers {
        Some(servers) => servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        None => format!("those that `aws route53 get-hosted-zone --id {}` shows", hosted.id),
    };
    match (&seen.delegation, hosted) {
        (Delegation::Nobody, None) => Some(Finding::new(
            Diagnosis::ZoneNotDelegated,
            format!("nobody answers for `{}` or any name above it", seen.record),
            "register the domain, and name its name servers at the registrar",
        )),
        (Delegation::Nobody, Some(hosted)) => Some(Finding::new(
            Diagnosis::ZoneNotDelegated,
            format!("nobody answers for `{}`", hosted.name),
            format!("name these servers for `{}` at the registrar: {}", hosted.name, own(hosted)),
        )),
        (Delegation::To { zone, servers }, Some(hosted)) if hosted.name.is_within(zone) && hosted.name != *zone => {
            // Servers that say nothing do not say either that they answer themselves.
            let answers = !zone.as_str().contains('.')
                || seen.answers.iter().any(|asked| !matches!(asked.answer, Answer::Trouble(_)));
            answers.then(|| {
                Finding::new(
                    Diagnosis::ZoneNotDelegated,
                    format!("`{zone}` does not delegate `{}`: it answers itself, from {}", hosted.name, list(servers)),
                    format!("make an NS record for `{}` in `{zone}` with these servers: {}", hosted.name, own(hosted)),
                )
            })
        }
        (Delegation::To { zone, servers }, Some(hosted)) if *zone != hosted.name => Some(Finding::new(
            Diagnosis::ZoneDelegatedElsewhere,
            format!("`{zone}`, below `{}`, is delegated to {}", hosted.name, list(servers)),
            format!("publish the record in the zone `{zone}`, or take its NS record out of `{}`", hosted.name),
        )),
        (Delegation::To { zone, servers }, Some(hosted))
            if hosted.name_servers.as_ref().is_some_and(|own| !own.is_empty()) && !shares_a_server(hosted, servers) =>
        {
            Some(Finding::new(
                Diagnosis::ZoneDelegatedElsewhere,
                format!("`{zone}` is delegated to {}, and the hosted zone {} has others", list(servers), hosted.id),
                format!("name these servers for `{zone}` at the registrar or in the zone above: {}", own(hosted)),
            ))
        }
        (Delegation::To { .. } | Delegation::Unknown(_), _) => None,
    }
}

fn list(servers: &[DnsName]) -> String {
    servers.iter().map(DnsName::as_str).collect::<Vec<_>>().join(", ")
}

fn dnssec(record: &DnsName, seen: &Seen, why: &str) -> Finding {
    let zone = match &seen.delegation {
        Delegation::To { zone, .. } => zone,
        Delegation::Nobody | Delegation::Unknown(_) => record,
    };
    Finding::new(
        Diagnosis::DnssecBroken,
        format!("validating resolvers reject `{zone}`: {why}"),
        format!(
            "make the DS record of `{zone}` at the registrar that of the key the zone is signed with, or remove it"
        ),
    )
}

/// No server says anything of the record.
fn in_trouble(seen: &Seen) -> Finding {
    let Seen { record, delegation, given: _, answers, passed_over, doubled: _, signatures } = seen;
    if let Signatures::Broken(why) = signatures {
        return dnssec(record, seen, why);
    }
    let troubles: Vec<(&str, &Trouble)> = answers
        .iter()
        .filter_map(|answer| match &answer.answer {
            Answer::Trouble(trouble) => Some((answer.server.as_str(), trouble)),
            Answer::Values(_) | Answer::NoRecord | Answer::NoName => None,
        })
        .chain(match delegation {
            Delegation::Unknown(trouble) => Some(("the resolver", trouble)),
            Delegation::To { .. } | Delegation::Nobody => None,
        })
        .collect();
    let mut detail = String::new();
    for (server, trouble) in &troubles {
        let _ = write!(detail, "{}{server}: {trouble}", if detail.is_empty() { "" } else { ", " });
    }
    if troubles.is_empty() {
        detail = match passed_over.as_slice() {
            [] => "no name server is known".to_owned(),
            servers => format!("only IPv6 leads to {}, and there is none here", servers.join(", ")),
        };
    }
    let any = |wanted: fn(&Trouble) -> bool| troubles.iter().any(|(_, trouble)| wanted(trouble));
    let diagnosis = if any(|trouble| matches!(trouble, Trouble::ServFail | Trouble::Other(_))) {
        Diagnosis::ServersFailing
    } else if any(|trouble| matches!(trouble, Trouble::Refused | Trouble::NotAuthoritative)) {
        Diagnosis::ServersRefusing
    } else if any(|trouble| matches!(trouble, Trouble::TimedOut)) {
        Diagnosis::ServersTimeOut
    } else {
        Diagnosis::ServersUnreachable
    };
    Finding::new(diagnosis, detail, format!("ask the servers yourself: dig +norecurse TXT {record} @<server>"))
}

#[cfg(test)]
mod tests;
