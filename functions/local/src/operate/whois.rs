//! `privatelink whois`: whose endpoint that is, also when it is gone.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use privatelink_aws::folder::load_consumers;
use privatelink_core::history::{Entry, history};
use privatelink_core::ids::{AccountId, EndpointId};
use privatelink_core::policy::Consumers;
use privatelink_core::proxy::{Who, read};
use serde_json::{Value, json};

use super::{Ending, Place, Session, ago};

/// What the command is told.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["endpoint", "proxy_header"])))]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The endpoint's id
    #[arg(value_name = "VPCE")]
    endpoint: Option<String>,
    /// The first bytes of a connection as a target sees it, in hex: the endpoint is the one that its Proxy Protocol v2
    /// header names
    #[arg(long, value_name = "HEX")]
    proxy_header: Option<String>,
    /// Look for it in a log of the functions, for one that is gone; no AWS account is looked at
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { place, endpoint, proxy_header, log, json } = arguments;
    let endpoint = match (endpoint, proxy_header) {
        (Some(id), _) => EndpointId::parse(&id)?,
        (None, Some(header)) => named_by(&header)?,
        (None, None) => return Err("name an endpoint, or give a header with `--proxy-header`".into()),
    };
    match log {
        Some(file) => {
            let consumers = load_consumers(place.folder().as_ref())?;
            let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let entries = history(&String::from_utf8_lossy(&text), &endpoint);
            logged(&consumers, &endpoint, &entries, json)
        }
        None => live(place, &endpoint, json).await,
    }
}

/// The endpoint that a header names.
fn named_by(header: &str) -> Result<EndpointId, Box<dyn Error>> {
    let header = read(&bytes(header)?)?;
    header.endpoint.ok_or_else(|| match header.who {
        Who::Proxy => "the load balancer made that connection itself, to see whether the target is healthy".into(),
        Who::Client { source, .. } => format!("{source} did not come through PrivateLink").into(),
        Who::Unknown => "that connection did not come through PrivateLink".into(),
    })
}

/// Bytes in hex, as the usual tools print them: with or without spaces and colons.
fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digits: String = hex.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let all = (0..digits.len()).step_by(2).map(pair);
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    all.collect::<Option<_>>()
        .filter(|_| is_hex)
        .ok_or_else(|| "a header is given in hex, two digits a byte".to_owned())
}

async fn live(place: Place, endpoint: &EndpointId, json: bool) -> Ending {
    let session = Session::open(place).await?;
    let Some(connection) = session.observed.connections.iter().find(|found| found.endpoint == *endpoint) else {
        return Err(format!(
            "`{endpoint}` is connected to none of the services that are looked at; if it is gone, `--log FILE` finds it \
             in a log of the functions"
        )
        .into());
    };
    let consumer = session.consumer(connection);
    if json {
        let told = json!({
            "endpointId": endpoint,
            "consumer": consumer,
            "account": connection.owner,
            "serviceId": connection.service,
            "state": connection.state.word(),
            "region": connection.region,
        });
        anstream::println!("{told}");
        return Ok(());
    }
    let age = ago((session.now - connection.created).whole_seconds());
    anstream::println!(
        "{endpoint}: account {} {}, {}, in {}, to {}, made {age} ago",
        connection.owner,
        of(consumer),
        connection.state.word(),
        connection.region,
        connection.service,
    );
    Ok(())
}

fn logged(consumers: &Consumers, endpoint: &EndpointId, entries: &[Entry], json: bool) -> Ending {
    let account = entries.iter().rev().find_map(|entry| entry.account.as_ref());
    let Some(account) = account else {
        return Err(format!("that log holds no decision about `{endpoint}`").into());
    };
    let consumer = consumers.of(account).map(|consumer| consumer.name.as_str());
    if json {
        let entries: Vec<_> = entries.iter().map(as_json).collect();
        anstream::println!(
            "{}",
            json!({"endpointId": endpoint, "consumer": consumer, "account": account, "history": entries})
        );
    } else {
        show(endpoint, account, consumer, entries);
    }
    Ok(())
}

fn show(endpoint: &EndpointId, account: &AccountId, consumer: Option<&str>, entries: &[Entry]) {
    let region = entries.iter().find_map(|entry| entry.region.as_deref());
    let region = region.map(|region| format!(", in {region}")).unwrap_or_default();
    anstream::println!("{endpoint}: account {account} {}{region}", of(consumer));
    for Entry { time, effect, result, policy, service, account: _, region: _ } in entries {
        let by = if policy.is_empty() { String::new() } else { format!(", by {}", policy.join(" ")) };
        let to = service.as_ref().map(|service| format!(" at {service}")).unwrap_or_default();
        anstream::println!("  {}  {effect}{to}{by}: {result}", time.as_deref().unwrap_or("?"));
    }
}

fn of(consumer: Option<&str>) -> String {
    consumer.map_or_else(|| "whom nobody lists".to_owned(), |name| format!("of {name}"))
}

fn as_json(entry: &Entry) -> Value {
    let Entry { time, effect, result, policy, service, account, region } = entry;
    json!({"time": time, "effect": effect, "result": result, "policy": policy, "serviceId": service,
           "account": account, "region": region})
}
