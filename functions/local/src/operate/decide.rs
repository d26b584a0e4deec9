//! `privatelink accept` and `privatelink reject`: a person decides about one connection that waits.

use clap::Args;
use privatelink_core::ids::EndpointId;
use privatelink_core::observed::EndpointState;
use privatelink_core::plan::Effect;

use super::{Ending, Place, Session, by_hand, confirmed};

/// What the commands are told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The endpoint's id
    #[arg(value_name = "VPCE")]
    endpoint: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(arguments: Arguments, accept: bool) -> Ending {
    let Arguments { place, endpoint, yes } = arguments;
    let endpoint = EndpointId::parse(&endpoint)?;
    let session = Session::open(place).await?;
    let judged = session.judged();
    let Some(judged) = judged.iter().find(|judged| judged.connection.endpoint == endpoint) else {
        return Err(format!("`{endpoint}` does not wait at any of the services that are looked at").into());
    };
    let connection = judged.connection;
    if connection.state != EndpointState::PendingAcceptance {
        let hint = if accept { "" } else { "; `privatelink revoke` cuts live connections off" };
        return Err(format!("`{endpoint}` is `{}` and does not wait{hint}", connection.state.word()).into());
    }
    let who = session.consumer(connection).unwrap_or("nobody lists it");
    let verb = if accept { "accept" } else { "reject" };
    let question = format!("{verb} {endpoint} of account {} ({who}) to {}?", connection.owner, connection.service);
    if !confirmed(&question, yes)? {
        return Ok(());
    }
    let decided = by_hand(judged);
    session.carry_out(vec![if accept { Effect::Accept(decided) } else { Effect::Reject(decided) }]).await
}
