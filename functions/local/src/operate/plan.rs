//! `privatelink plan` and `privatelink apply`: what the functions would do now.

use std::path::PathBuf;

use clap::Args;
use privatelink_aws::folder::load;
use privatelink_aws::verifier::{Looked, Verifier};
use privatelink_core::change::{Change, changes};
use privatelink_core::notice::NoticeEffect;
use privatelink_core::ownership::{Domain, DomainPlan};
use privatelink_core::plan::Plan;
use privatelink_core::report::{Ended, Outcome};
use serde_json::{Value, json};

use super::{Ending, Place, Session, confirmed};

/// What `plan` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Show only what the policy folder would decide differently than this one, about the connections that are there
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
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
    let Arguments { place, against, json } = arguments;
    let session = Session::open(place).await?;
    if let Some(folder) = against {
        let before = load(&folder)?;
        return show_changes(&changes(&before, &session.policy, &session.observed, session.now), &session, json);
    }
    let differences = session.differences().await?;
    let domains = session.domains().await?;
    let notices = session.notices();
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
        let domains: Vec<_> = domains.domains.iter().map(domain_as_json).collect();
        let notices = notices.effects.iter();
        let notices: Vec<_> =
            notices.map(|effect| Outcome::of_thing(effect.kind(), effect.thing(), Ended::Planned)).collect();
        let plan = json!({"effects": effects, "skipped": skipped, "principals": principals, "domains": domains,
                          "notices": notices});
        anstream::println!("{plan}");
    } else {
        anstream::print!("{}", session.plan);
        show_domains(&domains);
        show_notices(&notices);
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
    let domains = session.domains().await?;
    show_domains(&domains);
    let effects = std::mem::take(&mut session.plan.effects);
    let steps: usize = domains.domains.iter().map(|(_, plan)| plan.steps.len()).sum();
    let notices = session.notices();
    show_notices(&notices);
    let due = notices.effects.len();
    let things = effects.len() + steps + due;
    if things == 0 || !confirmed(&format!("do these {things} things?"), yes)? {
        return Ok(());
    }
    // What became of the one is no reason not to do the other.
    let connections = session.carry_out(effects).await;
    let domains = if steps > 0 { session.prove().await } else { Ok(()) };
    let told = if due > 0 { session.tell().await } else { Ok(()) };
    connections.and(domains).and(told)
}

/// Shows who would be told what: a backlog is long, and seen before it is sent.
fn show_notices(plan: &Plan<NoticeEffect<'_>>) {
    for effect in &plan.effects {
        anstream::println!("{effect}");
    }
}

/// Shows what is decided differently, and how much is not.
fn show_changes(changes: &[Change], session: &Session, json: bool) -> Ending {
    if json {
        anstream::println!("{}", json!({"changes": changes}));
        return Ok(());
    }
    for change in changes {
        anstream::println!("{change}");
    }
    anstream::println!("{} of {} connections are decided differently", changes.len(), session.judged().len());
    Ok(())
}

fn show_domains(looked: &Looked) {
    for (_, plan) in &looked.domains {
        anstream::print!("{plan}");
    }
}

fn domain_as_json((domain, plan): &(Domain, DomainPlan)) -> Value {
    let Domain { service, private_dns, .. } = domain;
    json!({
        "serviceId": service,
        "privateDnsName": private_dns.name,
        "state": private_dns.state.word(),
        "effects": Verifier::planned(domain, plan),
        "skipped": plan.skipped,
    })
}
