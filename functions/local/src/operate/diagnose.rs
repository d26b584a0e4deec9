//! `privatelink diagnose`: what the world's DNS says of a private DNS name's record, and what is wrong with it.
//!
//! It asks as `domain-verifier` asks: the domain's own name servers, one by one, or those that are named.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use privatelink_aws::deadline::Deadline;
use privatelink_aws::verifier::Verifier;
use privatelink_core::dns::{Answer, Delegation, Seen, ServerAnswer, Signatures};
use privatelink_core::ids::DnsName;
use privatelink_core::ownership::{Finding, HostedZone, Place, Proof, quoted, readable};
use privatelink_core::trigger::Look;
use privatelink_dns::Dns;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Ending;
use crate::style::{BAD, BOLD, DIM, GOOD, WAITS, paint};

/// How long it may ask.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A private DNS name of a service of this account, or, with `--record` and `--value`, any name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    from: super::Place,
    /// The first label of the TXT record that AWS names: `_6e86v84tqgqubxbwii1m`
    #[arg(long, value_name = "LABEL", requires = "value")]
    record: Option<String>,
    /// The value that AWS names: `vpce:l6p0ERxlTt45jevFwOCp`
    #[arg(long, value_name = "VALUE", requires = "record")]
    value: Option<String>,
    /// Name servers to ask instead of the domain's own, with their ports; `PRIVATELINK_DNS_SERVER` if left out
    #[arg(long, value_name = "IP:PORT", value_delimiter = ',')]
    server: Vec<SocketAddr>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { name, from, record, value, server, json } = arguments;
    let given = servers(server)?;
    let dns = if given.is_empty() { Dns::system() } else { Dns::servers(given) };
    let (proof, zone) = match (record, value) {
        (Some(label), Some(value)) => {
            let record = DnsName::folded(&name)?.without_wildcard().below(&label)?;
            (Proof { record, value }, None)
        }
        _ => of_service(&name, &from).await?,
    };
    let seen = dns.seen(&proof.record, &proof.value, Instant::now() + PATIENCE).await;
    let found = readable(&proof.value, &seen, zone.as_ref());
    if json {
        anstream::println!("{}", as_json(&proof, &seen, found.as_ref().err()));
    } else {
        show(&proof, &seen);
        match &found {
            Ok(()) => anstream::println!("{} the world can read it", paint(GOOD, "ok")),
            Err(Finding { diagnosis, detail, fix }) => {
                anstream::println!("{} {detail}", paint(BAD, &diagnosis.to_string()));
                anstream::println!("{} {fix}", paint(BOLD, "to do:"));
            }
        }
    }
    found.map_err(|finding| format!("{name}: {}", finding.diagnosis).into())
}

/// The servers that were named, or those of the variable.
pub(super) fn servers(named: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Box<dyn Error>> {
    match std::env::var("PRIVATELINK_DNS_SERVER") {
        Ok(list) if named.is_empty() => {
            let server = |text: &str| {
                let fault = |_| format!("`PRIVATELINK_DNS_SERVER` holds `{text}`, which is no address and port");
                text.trim().parse().map_err(fault)
            };
            Ok(list.split(',').map(server).collect::<Result<_, _>>()?)
        }
        _ => Ok(named),
    }
}

/// What AWS wants to see for a name of a service of this account, and the zone that it belongs into.
async fn of_service(name: &str, from: &super::Place) -> Result<(Proof, Option<HostedZone>), Box<dyn Error>> {
    let advice = "or name the record with `--record` and `--value`";
    let keys = super::credentials::from_tool(from.profile.as_deref()).map_err(|error| format!("{error}; {advice}"))?;
    let lookup = |variable: &str| match variable {
        "PRIVATELINK_POLICY_DIR" => Some(from.folder()),
        _ => keys.get(variable).cloned().or_else(|| std::env::var(variable).ok()),
    };
    let verifier = Verifier::from_vars(lookup).map_err(|failure| format!("{failure}; {advice}"))?;
    let domains = verifier.domains()?;
    let now = OffsetDateTime::now_utc();
    let looked = verifier.look(&domains, &Look::Everything, now, Deadline::after(PATIENCE * 2)).await?;
    let same = |given: &str| given.trim_end_matches('.').eq_ignore_ascii_case(name.trim_end_matches('.'));
    let domain = looked.domains.into_iter().map(|(domain, _)| domain).find(|domain| same(&domain.private_dns.name));
    let domain =
        domain.ok_or_else(|| format!("no service of this account has the private DNS name `{name}`; {advice}"))?;
    let proof = Proof::of(&domain.private_dns).map_err(|finding| finding.detail)?;
    let proof = proof.ok_or_else(|| format!("AWS has not told the record of `{name}` yet"))?;
    let zone = match domain.place {
        Place::Zone { zone, .. } => Some(zone),
        Place::NotAsked | Place::NoZone { .. } | Place::Person | Place::Unreadable { .. } => None,
    };
    Ok((proof, zone))
}

fn show(proof: &Proof, seen: &Seen) {
    let Seen { record, delegation, given: _, answers, passed_over, doubled, signatures } = seen;
    anstream::println!("{} {record} TXT {}", paint(BOLD, "wanted"), quoted(proof.value.as_bytes()));
    match delegation {
        Delegation::To { zone, servers } => {
            let servers: Vec<_> = servers.iter().map(DnsName::as_str).collect();
            anstream::println!("{} {zone}, delegated to {}", paint(BOLD, "zone  "), servers.join(" "));
        }
        Delegation::Nobody => anstream::println!("{} nobody answers for it", paint(BOLD, "zone  ")),
        Delegation::Unknown(trouble) => {
            anstream::println!("{} not known: {trouble}", paint(BOLD, "zone  "));
        }
    }
    for ServerAnswer { server, address, answer } in answers {
        let at = address.map(|address| address.to_string()).filter(|address| !server.contains(address.as_str()));
        let at = at.map(|at| paint(DIM, &format!(" ({at})"))).unwrap_or_default();
        anstream::println!("{} {server}{at}: {}", paint(BOLD, "server"), answer_words(answer, &proof.value));
    }
    for server in passed_over {
        anstream::println!(
            "{} {server}: {}",
            paint(BOLD, "server"),
            paint(DIM, "not asked, there is no way to it from here")
        );
    }
    if let Some(doubled) = doubled {
        anstream::println!("{} {}", paint(BOLD, "doubled name:"), answer_words(doubled, &proof.value));
    }
    let signed = match signatures {
        Signatures::Unsigned => "the zone is not signed".to_owned(),
        Signatures::Sound => "sound".to_owned(),
        Signatures::Broken(why) => paint(BAD, &format!("broken: {why}")),
        Signatures::Unknown => "not known".to_owned(),
    };
    anstream::println!("{} {signed}", paint(BOLD, "DNSSEC"));
}

fn answer_words(answer: &Answer, wanted: &str) -> String {
    match answer {
        Answer::Values(values) => {
            let good = values.iter().any(|value| value == wanted.as_bytes());
            let shown: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            paint(if good { GOOD } else { BAD }, &shown.join(", "))
        }
        Answer::NoRecord => paint(BAD, "no TXT record at this name"),
        Answer::NoName => paint(BAD, "no such name"),
        Answer::Trouble(trouble) => paint(WAITS, &trouble.to_string()),
    }
}

fn as_json(proof: &Proof, seen: &Seen, finding: Option<&Finding>) -> Value {
    let delegation = match &seen.delegation {
        Delegation::To { zone, servers } => json!({"zone": zone, "servers": servers}),
        Delegation::Nobody => Value::Null,
        Delegation::Unknown(trouble) => json!({"unknown": trouble.to_string()}),
    };
    let answer = |answer: &Answer| match answer {
        Answer::Values(values) => {
            json!({"values": values.iter().map(|value| quoted(value)).collect::<Vec<_>>()})
        }
        Answer::NoRecord => json!({"values": []}),
        Answer::NoName => json!({"nxdomain": true}),
        Answer::Trouble(trouble) => json!({"trouble": trouble.to_string()}),
    };
    let servers: Vec<_> = seen
        .answers
        .iter()
        .map(|found| json!({"server": found.server, "address": found.address, "answer": answer(&found.answer)}))
        .collect();
    let signatures = match &seen.signatures {
        Signatures::Unsigned => "unsigned".to_owned(),
        Signatures::Sound => "sound".to_owned(),
        Signatures::Broken(why) => format!("broken: {why}"),
        Signatures::Unknown => "unknown".to_owned(),
    };
    json!({
        "record": proof.record,
        "value": proof.value,
        "readable": finding.is_none(),
        "diagnosis": finding.map(|finding| finding.diagnosis.word()),
        "detail": finding.map(|finding| &finding.detail),
        "fix": finding.map(|finding| &finding.fix),
        "delegation": delegation,
        "servers": servers,
        "passedOver": seen.passed_over,
        "doubled": seen.doubled.as_ref().map(answer),
        "signatures": signatures,
    })
}
