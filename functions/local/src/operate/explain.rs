//! `privatelink explain`: what is decided about a connection, by which policies, and what was missing.

use clap::Args;
use privatelink_aws::folder::load;
use privatelink_core::ids::{AccountId, EndpointId, ServiceId};
use privatelink_core::observed::{EndpointState, Service, Tags};
use privatelink_core::policy::{Counts, Decision, Facts, HoldReason, NearMiss, Verdict};

use super::{Ending, Place, Session, ago};
use crate::style::{BAD, BOLD, DIM, GOOD, WAITS, paint};

/// What the command is told.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["endpoint", "account"])))]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// A connection that exists: the id of its endpoint
    #[arg(long, value_name = "VPCE")]
    endpoint: Option<String>,
    /// A connection that does not exist: the account that would ask. No AWS account is looked at
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Its endpoint's Region
    #[arg(long, default_value = "us-west-2", conflicts_with = "endpoint")]
    region: String,
    /// The service's Region
    #[arg(long, default_value = "us-west-2", conflicts_with = "endpoint")]
    service_region: String,
    /// A tag of the service, `key=value`; may be given several times
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "endpoint")]
    service_tag: Vec<String>,
    /// `ipv4`, `dualstack` or `ipv6`
    #[arg(long, default_value = "ipv4", conflicts_with = "endpoint")]
    ip_address_type: String,
    /// How long it has waited, in seconds
    #[arg(long, default_value_t = 0, conflicts_with = "endpoint")]
    age: i64,
    /// How many other connections its account has
    #[arg(long, default_value_t = 0, conflicts_with = "endpoint")]
    account_connections: i64,
    /// How many other connections its consumer has; those of its account if left out
    #[arg(long, conflicts_with = "endpoint")]
    consumer_connections: Option<i64>,
    /// How many other connections the service has; those of its consumer if left out
    #[arg(long, conflicts_with = "endpoint")]
    service_connections: Option<i64>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    match (&arguments.endpoint, &arguments.account) {
        (Some(endpoint), _) => {
            let endpoint = EndpointId::parse(endpoint)?;
            existing(arguments.place, &endpoint).await
        }
        (None, Some(account)) => {
            let account = AccountId::parse(account)?;
            hypothetical(arguments, account)
        }
        (None, None) => Err("name a connection with `--endpoint`, or an account with `--account`".into()),
    }
}

async fn existing(place: Place, endpoint: &EndpointId) -> Ending {
    let session = Session::open(place).await?;
    let Some(connection) = session.observed.connections.iter().find(|found| found.endpoint == *endpoint) else {
        return Err(format!("`{endpoint}` is connected to none of the services that are looked at").into());
    };
    let who = session.consumer(connection).map_or_else(|| "whom nobody lists".to_owned(), |name| format!("of {name}"));
    let age = ago((session.now - connection.created).whole_seconds());
    let state = connection.state.word();
    anstream::println!("{endpoint}: account {} {who}, {state}, made {age} ago", connection.owner);
    let judged = session.judged();
    match judged.iter().find(|judged| judged.connection.endpoint == *endpoint) {
        None => anstream::println!("a connection that is `{state}` is left as it is"),
        Some(judged) => {
            if connection.state != EndpointState::PendingAcceptance {
                anstream::println!("it is live already, and judged as if it asked now:");
            }
            tell(&judged.facts, &judged.verdict);
        }
    }
    Ok(())
}

fn hypothetical(arguments: Arguments, account: AccountId) -> Ending {
    let policy = load(arguments.place.folder().as_ref())?;
    let mut tags = Tags::new();
    for tag in &arguments.service_tag {
        let (key, value) = tag.split_once('=').ok_or_else(|| format!("`{tag}` is no tag; one is `key=value`"))?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    let service = Service {
        id: ServiceId::parse("vpce-svc-00000000000000000")?,
        name: format!("com.amazonaws.vpce.{}.vpce-svc-00000000000000000", arguments.service_region),
        private_dns: None,
        ip_address_types: ["ipv4".to_owned(), "ipv6".to_owned()].into(),
        acceptance_required: true,
        tags,
        region: arguments.service_region,
    };
    let consumer = arguments.consumer_connections.unwrap_or(arguments.account_connections);
    let facts = Facts {
        cross_region: arguments.region != service.region,
        endpoint_id: EndpointId::parse("vpce-00000000000000000")?,
        endpoint_region: arguments.region,
        ip_address_type: arguments.ip_address_type,
        age_seconds: arguments.age,
        counts: Counts {
            account_connections: arguments.account_connections,
            consumer_connections: consumer,
            service_connections: arguments.service_connections.unwrap_or(consumer),
        },
        account,
    };
    let who = policy.consumers().of(&facts.account);
    let who = who.map_or_else(|| "whom nobody lists".to_owned(), |consumer| format!("of {}", consumer.name));
    anstream::println!("account {} {who}", facts.account);
    let judge = policy.at(&service).map_err(|error| error.to_string())?;
    tell(&facts, &judge.judge(&facts));
    Ok(())
}

fn tell(facts: &Facts, verdict: &Verdict) {
    let Verdict { decision, policies, nearest, errors } = verdict;
    let by = policies.join(" ");
    let (style, word, why) = match decision {
        Decision::Accept => (GOOD, "accepted", format!("by {by}")),
        Decision::Reject => (BAD, "rejected", format!("by {by}")),
        Decision::Hold(HoldReason::NoPolicyMatched) => (WAITS, "held", "no policy accepts it or rejects it".to_owned()),
        Decision::Hold(HoldReason::Forbidden) => (WAITS, "held", format!("{by} forbids to accept it")),
        Decision::Hold(HoldReason::PolicyError) => (WAITS, "held", "a policy failed".to_owned()),
    };
    anstream::println!("{}: {why}", paint(style, word));
    for error in errors {
        anstream::println!("  {error}");
    }
    for NearMiss { policy, failed } in nearest {
        anstream::println!("  {} needs", paint(BOLD, policy));
        for clause in failed {
            anstream::println!("    {clause}");
        }
    }
    let Counts { account_connections, consumer_connections, service_connections } = facts.counts;
    let counted = format!(
        "endpoint in {}, {}, waits for {}; other connections: {account_connections} of the account, \
         {consumer_connections} of the consumer, {service_connections} of the service",
        facts.endpoint_region,
        facts.ip_address_type,
        ago(facts.age_seconds),
    );
    anstream::println!("{}", paint(DIM, &counted));
}
