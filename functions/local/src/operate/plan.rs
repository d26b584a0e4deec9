//! `privatelink plan` and `privatelink apply`: what the function would do now.

use clap::Args;
use privatelink_core::plan::Plan;
use serde_json::json;

use super::{Ending, Place, Session, confirmed};

/// What `plan` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `apply` is told.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    place: Place,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Shows the plan.
pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { place, json } = arguments;
    let session = Session::open(place).await?;
    let differences = session.differences().await?;
    let Plan { effects, skipped } = &session.plan;
    if json {
        let effects: Vec<_> = effects
            .iter()
            .map(|effect| {
                let decided = effect.decided();
                json!({"effect": effect.kind(), "serviceId": decided.service, "endpointId": decided.endpoint,
                       "policy": decided.policy, "facts": decided.facts})
            })
            .collect();
        let principals: Vec<_> = differences.iter().map(ToString::to_string).collect();
        anstream::println!("{}", json!({"effects": effects, "skipped": skipped, "principals": principals}));
    } else {
        anstream::print!("{}", session.plan);
        for difference in differences {
            anstream::println!("{difference}");
        }
    }
    Ok(())
}

/// Shows the plan, and carries it out after a yes.
pub(crate) async fn apply(arguments: ApplyArguments) -> Ending {
    let ApplyArguments { place, yes } = arguments;
    let mut session = Session::open(place).await?;
    anstream::print!("{}", session.plan);
    let effects = std::mem::take(&mut session.plan.effects);
    if effects.is_empty() || !confirmed(&format!("do these {} things?", effects.len()), yes)? {
        return Ok(());
    }
    session.carry_out(effects).await
}
