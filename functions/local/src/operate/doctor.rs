//! `privatelink doctor`: would the functions work in this account?

use clap::Args;
use privatelink_aws::doctor::{Check, Finding};
use privatelink_core::plan::Reason;
use serde_json::{Value, json};

use super::{Ending, Place, Session};
use crate::style::{BAD, DIM, GOOD, WAITS, paint};

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { place, json } = arguments;
    let session = Session::open(place).await?;
    let (services, connections) = (session.observed.services.len(), session.observed.connections.len());
    let domains = session.domains().await?;
    let yes = |question: &str, because| Check { question: question.to_owned(), answer: Finding::Yes, because };
    // Without these there would be no session, and their faults would have been told.
    let mut checks = vec![
        yes("is the policy without fault?", format!("{} policies, {}", session.policy.len(), session.policy.digest())),
        yes("may services be listed?", format!("{services} services are looked at")),
        yes("may connections be listed?", format!("{connections} connections were read")),
    ];
    let open = session.plan.skipped.iter().filter(|skip| skip.reason == Reason::AcceptanceNotRequired);
    let open: Vec<_> = open.filter_map(|skip| skip.service_id.as_ref()).map(ToString::to_string).collect();
    checks.push(Check {
        question: "does every service wait for the policy?".to_owned(),
        answer: if open.is_empty() { Finding::Yes } else { Finding::No },
        because: if open.is_empty() {
            "acceptance is required at all of them".to_owned()
        } else {
            format!("{} let everybody in; `--acceptance-required` changes that", open.join(" "))
        },
    });
    checks.extend(session.examine(&domains).await);
    if json {
        let list: Vec<_> = checks.iter().map(as_json).collect();
        anstream::println!("{}", Value::from(list));
    } else {
        for Check { question, answer, because } in &checks {
            let style = match answer {
                Finding::Yes => GOOD,
                Finding::No => BAD,
                Finding::NotKnown => WAITS,
            };
            anstream::println!("{}  {question} {}", paint(style, &format!("{:9}", word(*answer))), paint(DIM, because));
        }
    }
    match checks.iter().filter(|check| check.answer == Finding::No).count() {
        0 => Ok(()),
        n => Err(format!("{n} of {} would not work", checks.len()).into()),
    }
}

fn word(answer: Finding) -> &'static str {
    match answer {
        Finding::Yes => "yes",
        Finding::No => "no",
        Finding::NotKnown => "not known",
    }
}

fn as_json(check: &Check) -> Value {
    json!({"question": check.question, "answer": word(check.answer), "because": check.because})
}
