//! `connection-acceptor`: one event through all the rooms.

use std::sync::Arc;

use aws_sdk_ec2::Client;
use futures_util::FutureExt;
use privatelink_core::accept::plan_acceptance;
use privatelink_core::config::{AcceptorConfig, Mode};
use privatelink_core::ids::ServiceId;
use privatelink_core::metrics::{Metrics, Waiting};
use privatelink_core::observed::Observed;
use privatelink_core::plan::{Effect, Plan};
use privatelink_core::policy::Policy;
use privatelink_core::report::{Answer, Ended, Failure, Outcome, Report, ready};
use privatelink_core::trigger::Look;
use time::OffsetDateTime;

use crate::apply::{Owed, apply};
use crate::calls::counted;
use crate::client;
use crate::clock;
use crate::deadline::Deadline;
use crate::doctor::{Check, examine};
use crate::folder::PolicyFolder;
use crate::observe::observe;
use crate::permissions::allowed_principals;

/// The function's name.
pub const FUNCTION: &str = "connection-acceptor";

/// Everything that the function keeps between events.
#[derive(Debug)]
pub struct Acceptor {
    config: AcceptorConfig,
    ec2: Client,
    folder: PolicyFolder,
    owed: Owed,
}

impl Acceptor {
    /// Reads the variables, builds the client, and reads the policy before the first event comes.
    ///
    /// # Errors
    ///
    /// [`Failure::BadConfiguration`] with every fault of the variables. A fault of the policy is told at each event,
    /// until the files are mended.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let config =
            AcceptorConfig::from_vars(&lookup).map_err(|faults| Failure::BadConfiguration(faults.to_string()))?;
        let ec2 = client::ec2(&config.aws, client::network(&config.aws, lookup));
        Ok(Self::new(config, ec2))
    }

    /// The same with a client that exists.
    pub fn new(config: AcceptorConfig, ec2: Client) -> Self {
        let folder = PolicyFolder::new(&config.policy_dir);
        // Kept for the first event, which tells it if it has a fault.
        drop(folder.current());
        Self { config, ec2, folder, owed: Owed::default() }
    }

    /// The policy as it is now.
    ///
    /// # Errors
    ///
    /// [`Failure::BadPolicy`] with every fault of the folder.
    pub fn policy(&self) -> Result<Arc<Policy>, Failure> {
        self.folder.current().map_err(|faults| Failure::BadPolicy(faults.to_string()))
    }

    /// Takes one event from its bytes to its answer.
    pub async fn handle(&self, payload: &[u8], now: OffsetDateTime, deadline: Deadline) -> Answer {
        let (policy, trigger) = match ready(self.policy(), payload) {
            Ok(ready) => ready,
            Err(failure) => return Answer::failed(FUNCTION, failure),
        };
        let (ran, calls) = counted(self.run(&policy, &trigger.look, now, deadline).boxed_local()).await;
        Answer::of(ran, calls, FUNCTION, self.config.mode, &trigger)
    }

    /// Looks, decides, and acts if that is the mode.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`].
    pub async fn run(
        &self,
        policy: &Policy,
        look: &Look,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<Report, Failure> {
        let begun = clock::now();
        let (observed, plan) = self.plan(policy, look, now, deadline).await?;
        let waiting = (*look == Look::Everything).then(|| Waiting::of(&observed, &plan, now));
        // It is large, and nothing is needed of it any more.
        drop(observed);
        let Plan { effects, skipped } = plan;
        let outcomes = self.apply(effects, deadline).await;
        let mut metrics = Metrics::default();
        metrics.decisions(&outcomes, clock::since(begun));
        if let Some(waiting) = waiting {
            metrics.waiting(&waiting.after(&outcomes));
        }
        let mode = self.config.mode;
        let policy_digest = Some(policy.digest().to_owned());
        Ok(Report {
            function: FUNCTION,
            mode,
            policy_digest,
            outcomes,
            skipped,
            said: Vec::new(),
            metrics,
            endpoints: None,
        })
    }

    /// The principals that may ask for connections to a service.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`].
    pub async fn allowed_principals(&self, service: &ServiceId, deadline: Deadline) -> Result<Vec<String>, Failure> {
        allowed_principals(&self.ec2, service, deadline.end).await
    }

    /// Tries what would be written, and writes nothing.
    pub async fn examine(&self, observed: &Observed, deadline: Deadline) -> Vec<Check> {
        examine(&self.ec2, observed, deadline.end).await
    }

    /// Carries effects out, if that is the mode.
    pub async fn apply(&self, effects: Vec<Effect>, deadline: Deadline) -> Vec<Outcome> {
        match self.config.mode {
            Mode::Enforce => apply(&self.ec2, effects, &self.owed, deadline).await,
            Mode::Observe => effects.into_iter().map(|effect| Outcome::of(effect, Ended::Planned)).collect(),
        }
    }

    /// Looks and decides, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`].
    pub async fn plan(
        &self,
        policy: &Policy,
        look: &Look,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<(Observed, Plan), Failure> {
        let AcceptorConfig { aws, service_tag, .. } = &self.config;
        let observed = observe(&self.ec2, &aws.region, service_tag.as_ref(), look, deadline.decisions).await?;
        let plan = plan_acceptance(policy, &observed, now);
        Ok((observed, plan))
    }
}
