//! The commands of operators: the same reading, judging and writing that the function does, asked for by a person.
//!
//! Where AWS is, and who asks, comes from the SDK's own variables; with `AWS_ENDPOINT_URL` that is a simulated Region.

pub(crate) mod credentials;
pub(crate) mod decide;
pub(crate) mod diagnose;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod revoke;
pub(crate) mod whois;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::deadline::Deadline;
use privatelink_aws::doctor::Check;
use privatelink_aws::notifier::Notifier;
use privatelink_aws::verifier::{Looked, Verifier};
use privatelink_core::accept::{Judged, judge_all};
use privatelink_core::notice::NoticeEffect;
use privatelink_core::observed::{Connection, Observed};
use privatelink_core::plan::{Decided, Effect, Plan};
use privatelink_core::policy::Policy;
use privatelink_core::principals::{Difference, differences};
use privatelink_core::report::{Ended, Outcome};
use privatelink_core::trigger::Look;
use time::OffsetDateTime;

use crate::style::{BAD, GOOD, WAITS, paint};

/// How a command ends, with what the person is told where it ends badly.
pub(crate) type Ending = Result<(), Box<dyn Error>>;

/// How long a command may go on trying.
const PATIENCE: Duration = Duration::from_secs(120);

/// What every command of an operator is told.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The policy folder; `PRIVATELINK_POLICY_DIR`, or `infra/policy`, if left out
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Ask as this profile of the `aws` command line; without it the SDK's variables say who asks, or the default profile
    /// where they are not set
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl Place {
    /// The policy folder that is meant.
    fn folder(&self) -> String {
        let named = self.policy.as_ref().map(|folder| folder.display().to_string());
        let named = named.or_else(|| std::env::var("PRIVATELINK_POLICY_DIR").ok());
        named.unwrap_or_else(|| "infra/policy".to_owned())
    }
}

/// A look at the account.
pub(crate) struct Session {
    acceptor: Acceptor,
    verifier: Verifier,
    /// Without a topic nobody is told anything, and there is nothing to plan.
    notifier: Option<Notifier>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) observed: Observed,
    pub(crate) plan: Plan,
    pub(crate) now: OffsetDateTime,
}

impl Session {
    /// Reads the variables, the policy and the account.
    pub(crate) async fn open(place: Place) -> Result<Self, Box<dyn Error>> {
        let keys = credentials::from_tool(place.profile.as_deref())?;
        let variable = |name: &str| keys.get(name).cloned().or_else(|| std::env::var(name).ok());
        let folder = place.folder();
        let lookup = |name: &str| match name {
            "PRIVATELINK_POLICY_DIR" => Some(folder.clone()),
            // A person who asks for something to be done means it.
            "PRIVATELINK_MODE" => None,
            _ => variable(name),
        };
        let acceptor = Acceptor::from_vars(lookup)?;
        let verifier = Verifier::from_vars(lookup)?;
        let topic = variable("PRIVATELINK_NOTICE_TOPIC_ARN");
        let notifier = topic.map(|_| Notifier::from_vars(lookup)).transpose()?;
        let policy = acceptor.policy()?;
        let now = OffsetDateTime::now_utc();
        let (observed, plan) = acceptor.plan(&policy, &Look::Everything, now, Deadline::after(PATIENCE)).await?;
        Ok(Self { acceptor, verifier, notifier, policy, observed, plan, now })
    }

    /// Everything that is judged, as it is judged.
    pub(crate) fn judged(&self) -> Vec<Judged<'_>> {
        judge_all(&self.policy, &self.observed, self.now)
    }

    /// The name of the consumer that a connection belongs to, if anybody lists it.
    pub(crate) fn consumer(&self, connection: &Connection) -> Option<&str> {
        self.policy.consumers().of(&connection.owner).map(|consumer| consumer.name.as_str())
    }

    /// Tries what the functions would write, and writes nothing.
    pub(crate) async fn examine(&self, domains: &Looked) -> Vec<Check> {
        let mut checks = self.acceptor.examine(&self.observed, Deadline::after(PATIENCE)).await;
        checks.extend(self.verifier.examine(domains, Deadline::after(PATIENCE)).await);
        if let Some(notifier) = &self.notifier {
            checks.extend(notifier.examine(self.policy.consumers(), Deadline::after(PATIENCE)).await);
        }
        // The operators' topic is that of two functions.
        checks.dedup_by(|a, b| a.question == b.question);
        checks
    }

    /// Looks at the private DNS names, which takes the zones and the world's DNS.
    pub(crate) async fn domains(&self) -> Result<Looked, Box<dyn Error>> {
        let domains = self.verifier.domains()?;
        Ok(self.verifier.look(&domains, &Look::Everything, self.now, Deadline::after(PATIENCE)).await?)
    }

    /// Who is to be told what, if there is a topic.
    pub(crate) fn notices(&self) -> Plan<NoticeEffect<'_>> {
        match &self.notifier {
            Some(notifier) => notifier.plan(&self.observed, self.policy.consumers(), self.now),
            None => Plan::default(),
        }
    }

    /// Tells whoever is to be told, as things stand by now, and tells what came of it.
    pub(crate) async fn tell(&self) -> Ending {
        let Some(notifier) = &self.notifier else { return Ok(()) };
        let deadline = Deadline::after(PATIENCE);
        let report = notifier.run(self.policy.consumers(), &Look::Everything, self.now, deadline).await?;
        for notice in &report.said {
            anstream::println!("{notice}");
        }
        show(&report.outcomes)
    }

    /// Does what is to be done about the private DNS names, and tells what came of it.
    pub(crate) async fn prove(&self) -> Ending {
        let domains = self.verifier.domains()?;
        let report = self.verifier.run(&domains, &Look::Everything, self.now, Deadline::after(PATIENCE)).await?;
        for notice in &report.said {
            anstream::println!("{notice}");
        }
        show(&report.outcomes)
    }

    /// What differs between who may ask for connections and who is listed.
    pub(crate) async fn differences(&self) -> Result<Vec<Difference>, Box<dyn Error>> {
        let mut all = Vec::new();
        for service in self.observed.services.keys() {
            let allowed = self.acceptor.allowed_principals(service, Deadline::after(PATIENCE)).await?;
            all.extend(differences(service, &allowed, self.policy.consumers()));
        }
        Ok(all)
    }

    /// Does it, and tells what came of it.
    pub(crate) async fn carry_out(&self, effects: Vec<Effect>) -> Ending {
        show(&self.acceptor.apply(effects, Deadline::after(PATIENCE)).await)
    }
}

/// Tells what came of it.
fn show(outcomes: &[Outcome]) -> Ending {
    for Outcome { effect, about, ended } in outcomes {
        let style = match ended {
            Ended::Done | Ended::AlreadyDone | Ended::Planned => GOOD,
            Ended::Refused(_) => BAD,
            Ended::Retry(_) => WAITS,
        };
        let code = ended.code().map(|code| format!(" {code}")).unwrap_or_default();
        anstream::println!("{effect:12}  {} {}{code}", about.id(), paint(style, ended.word()));
    }
    let failed = outcomes.iter().filter(|outcome| outcome.ended.code().is_some()).count();
    if failed > 0 { Err(format!("{failed} of {} did not take place", outcomes.len()).into()) } else { Ok(()) }
}

/// What a person decides about a connection: no policy did.
pub(crate) fn by_hand(judged: &Judged<'_>) -> Decided {
    let Judged { connection, facts, .. } = judged;
    Decided {
        service: connection.service.clone(),
        endpoint: connection.endpoint.clone(),
        connection: connection.id.clone(),
        policy: Vec::new(),
        facts: facts.clone(),
    }
}

/// Asks, unless the person has said yes already.
pub(crate) fn confirmed(question: &str, yes: bool) -> Result<bool, Box<dyn Error>> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err("nobody is there to say yes; `--yes` says it beforehand".into());
    }
    anstream::print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Ends the process as the command ended.
pub(crate) fn end(ending: Ending) -> ExitCode {
    match ending {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("privatelink: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How long ago something was, in the largest unit of which there is at least one.
pub(crate) fn ago(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
