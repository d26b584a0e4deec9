//! `privatelink probe`: does a name work from here, and if not, why.
//!
//! It tries what `connectivity-prober` tries, but knows nothing of the endpoint. On a laptop a private DNS name is not to
//! be found, and whatever the world answers for it is not the endpoint: both are said as they are.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use clap::Args;
use privatelink_core::ids::DnsName;
use privatelink_core::probe::{Family, HttpPath, NameKind, Target, Vantage, Verdict, concrete, judge, text};
use privatelink_dns::Dns;
use privatelink_probe::Probe;
use serde_json::json;
use tokio::time::Instant;

use super::Ending;
use super::diagnose::servers;

/// How long it may try.
const PATIENCE: Duration = Duration::from_secs(25);
/// What the names end in that AWS itself gives to endpoints; those of China have one label more.
const OF_AWS: [&str; 2] = ["vpce.amazonaws.com", "vpce.amazonaws.com.cn"];

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A name of an endpoint: one of AWS's, or the service's private DNS name
    #[arg(value_name = "NAME")]
    name: String,
    /// A TCP port to connect to; may be given several times
    #[arg(long, value_name = "PORT", default_value = "443")]
    port: Vec<NonZeroU16>,
    /// Make a TLS handshake, and hold the certificate against the name
    #[arg(long)]
    tls: bool,
    /// Make one HTTP request for this path: over TLS with `--tls`, else in the open
    #[arg(long, value_name = "PATH")]
    http: Option<String>,
    /// Servers to ask instead of the system's resolver, with their ports; `PRIVATELINK_DNS_SERVER` if left out
    #[arg(long, value_name = "IP:PORT", value_delimiter = ',')]
    server: Vec<SocketAddr>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { name, mut port, tls, http, server, json } = arguments;
    let name = DnsName::folded(&name)?;
    let given = servers(server)?;
    let dns = if given.is_empty() { Dns::system() } else { Dns::servers(given) };
    let of_aws = OF_AWS.iter().any(|tail| name.as_str().ends_with(&format!(".{tail}")));
    port.sort_unstable();
    port.dedup();
    let targets = [Target {
        kind: if of_aws { NameKind::Regional } else { NameKind::Private },
        endpoint: None,
        families: Family::BOTH.to_vec(),
        ports: port,
        tls: tls.then(|| concrete(&name)),
        http: http.map(HttpPath::try_from).transpose()?,
        name,
    }];
    let found = Probe::new(dns).find(&targets, Vantage::Anywhere, Instant::now() + PATIENCE).await;
    let tried = judge(&targets, Vantage::Anywhere, &found);
    if json {
        anstream::println!("{}", json!({ "probes": tried }));
    } else {
        anstream::print!("{}", text(&tried));
    }
    let refused = tried.iter().filter(|tried| matches!(tried.verdict, Verdict::Refused(_))).count();
    if refused > 0 { Err(format!("{refused} of {} do not work from here", tried.len()).into()) } else { Ok(()) }
}
