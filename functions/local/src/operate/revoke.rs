//! `privatelink revoke`: live connections are cut off, and it is said what keeps them out.
//!
//! Rejecting a live connection ends it. Neither a policy nor the removal of a principal does: both only look at requests
//! that are still to come, so that all three belong together.

use std::collections::BTreeSet;

use clap::Args;
use privatelink_core::accept::Judged;
use privatelink_core::ids::{AccountId, EndpointId};
use privatelink_core::plan::Effect;

use super::{Ending, Place, Session, by_hand, confirmed};
use crate::style::{BOLD, paint};

/// What the command is told.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("whom").required(true).args(["consumer", "account", "endpoint"])))]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// All connections of a consumer, by its name in consumers.toml
    #[arg(long)]
    consumer: Option<String>,
    /// All connections of an account
    #[arg(long)]
    account: Option<String>,
    /// One connection, by its endpoint's id
    #[arg(long, value_name = "VPCE")]
    endpoint: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { place, consumer, account, endpoint, yes } = arguments;
    let account = account.as_deref().map(AccountId::parse).transpose()?;
    let endpoint = endpoint.as_deref().map(EndpointId::parse).transpose()?;
    let session = Session::open(place).await?;
    if let Some(name) = &consumer
        && !session.policy.consumers().iter().any(|consumer| consumer.name == *name)
    {
        return Err(format!("`consumers.toml` does not list the consumer `{name}`").into());
    }
    let meant = |judged: &&Judged<'_>| {
        let connection = judged.connection;
        connection.state.is_live()
            && consumer.as_deref().is_none_or(|name| session.consumer(connection) == Some(name))
            && account.as_ref().is_none_or(|account| connection.owner == *account)
            && endpoint.as_ref().is_none_or(|endpoint| connection.endpoint == *endpoint)
    };
    let judged = session.judged();
    let cut: Vec<_> = judged.iter().filter(meant).collect();
    if cut.is_empty() {
        anstream::println!("no live connection is meant by that");
    } else {
        for Judged { connection, .. } in &cut {
            let who = session.consumer(connection).unwrap_or("?");
            let (endpoint, owner, service) = (&connection.endpoint, &connection.owner, &connection.service);
            anstream::println!("cut  {endpoint} of {owner} ({who}) to {service}, {}", connection.state.word());
        }
        let question = format!("cut these {} connections off? Their traffic ends at once", cut.len());
        if !confirmed(&question, yes)? {
            return Ok(());
        }
        session.carry_out(cut.iter().map(|judged| Effect::Reject(by_hand(judged))).collect()).await?;
    }
    let accounts: BTreeSet<_> = match (&consumer, &account) {
        (Some(name), _) => {
            let listed = session.policy.consumers().iter().filter(|consumer| consumer.name == *name);
            listed.flat_map(|consumer| &consumer.accounts).cloned().collect()
        }
        (None, Some(account)) => BTreeSet::from([account.clone()]),
        (None, None) => cut.iter().map(|judged| judged.connection.owner.clone()).collect(),
    };
    keep_out(consumer.as_deref(), &accounts, session.observed.services.keys());
    Ok(())
}

/// Prints the policy that keeps them from coming back, and the principals that let them ask.
fn keep_out<'s>(
    consumer: Option<&str>,
    accounts: &BTreeSet<AccountId>,
    services: impl Iterator<Item = &'s privatelink_core::ids::ServiceId>,
) {
    anstream::println!("\n{}", paint(BOLD, "This keeps them from coming back, put into the policy folder:"));
    let forbid = |id: &str, principal: &str| {
        anstream::println!("@id(\"revoked-{id}\")");
        anstream::println!("forbid ({principal}, action == PrivateLink::Action::\"Accept\", resource);");
    };
    match consumer {
        Some(name) => {
            // A consumer's name may hold what an id may not.
            let id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            forbid(&id, &format!("principal in PrivateLink::Consumer::\"{quoted}\""));
        }
        None => accounts.iter().for_each(|account| {
            forbid(account.as_str(), &format!("principal == PrivateLink::Account::\"{account}\""));
        }),
    }
    anstream::println!("\n{}", paint(BOLD, "And this keeps them from asking, if they are allowed by account:"));
    let principals: Vec<_> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    for service in services {
        anstream::println!("aws ec2 modify-vpc-endpoint-service-permissions --service-id {service} \\");
        anstream::println!("  --remove-allowed-principals {}", principals.join(" "));
    }
}
