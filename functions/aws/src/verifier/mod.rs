//! `domain-verifier`: one event through all the rooms, and round again while something is under way.

mod carry;
mod kept;
mod places;
mod publish;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::FutureExt;
use privatelink_core::config::{Mode, VerifierConfig};
use privatelink_core::ids::ServiceId;
use privatelink_core::metrics::{Metrics, Names};
use privatelink_core::observed::{Observed, TAG_DOMAIN};
use privatelink_core::ownership::{Domain, DomainPlan, Domains, Memory, Step, plan_ownership, stale};
use privatelink_core::plan::{Reason, Skip};
use privatelink_core::report::{Answer, Failure, Outcome, Report, ready};
use privatelink_core::trigger::Look;
use privatelink_dns::Dns;
use serde_json::Value;
use time::OffsetDateTime;

use crate::calls::counted;
use crate::client;
use crate::clock::{self, sleep};
use crate::deadline::Deadline;
use crate::doctor::{Check, examine_domains, examine_topics};
use crate::folder::load_domains;
use crate::observe::observe_services;
use crate::route53::accounts::Accounts;
use crate::topics::Topics;

use kept::Kept;

/// The function's name.
pub const FUNCTION: &str = "domain-verifier";

/// How long it waits before it looks again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often it looks at once after it has written something: for the change, for the record that somebody else wrote
/// in between, and for the check.
const ROUNDS_AT_ONCE: usize = 4;

/// Everything that the function keeps between events.
#[derive(Debug)]
pub struct Verifier {
    config: VerifierConfig,
    ec2: Client,
    accounts: Accounts,
    topics: Topics,
    dns: Dns,
    kept: Kept,
}

/// One look at all domains, with what is to be done about each.
#[derive(Debug)]
pub struct Looked {
    /// What was read of the services.
    pub observed: Observed,
    /// Each domain with its plan.
    pub domains: Vec<(Domain, DomainPlan)>,
    /// The services about which there is nothing to plan.
    pub skipped: Vec<Skip>,
}

impl Verifier {
    /// Reads the variables and builds the clients.
    ///
    /// # Errors
    ///
    /// [`Failure::BadConfiguration`] with every fault of the variables.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let config =
            VerifierConfig::from_vars(&lookup).map_err(|faults| Failure::BadConfiguration(faults.to_string()))?;
        let dns = if config.dns_servers.is_empty() { Dns::system() } else { Dns::servers(config.dns_servers.clone()) };
        let http = client::network(&config.aws, lookup);
        Ok(Self::new(config, &http, dns))
    }

    /// The same with an HTTP client and name servers that exist.
    pub fn new(config: VerifierConfig, http: &SharedHttpClient, dns: Dns) -> Self {
        Self {
            ec2: client::ec2(&config.aws, http.clone()),
            accounts: Accounts::new(&config.aws, http),
            topics: Topics::new(&config.aws, http),
            config,
            dns,
            kept: Kept::default(),
        }
    }

    /// The domains that are published in another way than in the account's own zones.
    ///
    /// # Errors
    ///
    /// [`Failure::BadPolicy`] with every fault of the file.
    pub fn domains(&self) -> Result<Domains, Failure> {
        let Some(folder) = &self.config.policy_dir else { return Ok(Domains::default()) };
        load_domains(Path::new(folder)).map_err(|faults| Failure::BadPolicy(faults.to_string()))
    }

    /// Takes one event from its bytes to its answer.
    pub async fn handle(&self, payload: &[u8], now: OffsetDateTime, deadline: Deadline) -> Answer {
        let (domains, trigger) = match ready(self.domains(), payload) {
            Ok(ready) => ready,
            Err(failure) => return Answer::failed(FUNCTION, failure),
        };
        let (ran, calls) = counted(self.run(&domains, &trigger.look, now, deadline).boxed_local()).await;
        Answer::of(ran, calls, FUNCTION, self.config.mode, &trigger)
    }

    /// Looks, decides, and acts if that is the mode; again, for as long as something is under way and there is time.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`], if nothing could be read. Once something was done, a read that fails ends the looking.
    pub async fn run(
        &self,
        domains: &Domains,
        look: &Look,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<Report, Failure> {
        let begun = clock::now();
        let watch_until = deadline.decisions.min(begun + self.config.watch);
        let is_sweep = *look == Look::Everything;
        let mut look = look.clone();
        let mut names = Names::default();
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut said: Vec<Value> = Vec::new();
        let mut skipped: BTreeMap<Option<ServiceId>, Vec<Skip>> = BTreeMap::new();
        let mut stale: Vec<Skip> = Vec::new();
        let mut at_once = 0;
        loop {
            let looked = match self.look(domains, &look, now + clock::since(begun), deadline).await {
                Ok(looked) => looked,
                Err(failure) if outcomes.is_empty() => return Err(failure),
                Err(_) => break,
            };
            let mut latest: BTreeMap<Option<ServiceId>, Vec<Skip>> = BTreeMap::new();
            for skip in looked.skipped {
                latest.entry(skip.service_id.clone()).or_default().push(skip);
            }
            let mut under_way = BTreeSet::new();
            let mut plans = Vec::new();
            for (domain, mut plan) in looked.domains {
                names.saw(&domain, now + clock::since(begun));
                if plan.under_way {
                    under_way.insert(domain.service.clone());
                }
                latest.insert(Some(domain.service.clone()), std::mem::take(&mut plan.skipped));
                stale.extend(plan.stale.take());
                plans.push((domain, plan));
            }
            skipped.extend(latest);
            let written = match self.config.mode {
                Mode::Observe => {
                    outcomes.extend(plans.iter().flat_map(|(domain, plan)| carry::planned(domain, plan)));
                    break;
                }
                Mode::Enforce => {
                    let work = |(domain, plan): (Domain, DomainPlan)| {
                        let service = looked.observed.services.get(&domain.service)?;
                        Some(carry::Work { service, domain, plan })
                    };
                    let works = plans.into_iter().filter_map(work).collect();
                    let last = at_once >= ROUNDS_AT_ONCE;
                    let done = self.carry_out(works, now + clock::since(begun), last, deadline).await;
                    outcomes.extend(done.outcomes);
                    said.extend(done.said);
                    done.written
                }
            };
            if !written.is_empty() && at_once < ROUNDS_AT_ONCE {
                at_once += 1;
                look = Look::At(written);
            } else if !under_way.is_empty() && clock::now() + AGAIN < watch_until {
                at_once = 0;
                sleep(AGAIN).await;
                look = Look::At(under_way);
            } else {
                break;
            }
        }
        let skipped = stale.into_iter().chain(skipped.into_values().flatten()).collect();
        let mut metrics = Metrics::default();
        metrics.notices(&outcomes);
        if is_sweep {
            metrics.names(&names);
        }
        Ok(Report {
            function: FUNCTION,
            mode: self.config.mode,
            policy_digest: None,
            outcomes,
            skipped,
            said,
            metrics,
            endpoints: None,
        })
    }

    /// Looks at everything that matters, decides, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`].
    pub async fn look(
        &self,
        domains: &Domains,
        look: &Look,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<Looked, Failure> {
        let VerifierConfig { aws, service_tag, .. } = &self.config;
        let by = deadline.decisions;
        let observed = observe_services(&self.ec2, &aws.region, service_tag.as_ref(), look, by).await?;
        let mut skipped: Vec<Skip> =
            observed.foreign.iter().map(|service| Skip::service(service, Reason::Foreign)).collect();
        skipped.extend(observed.unreadable.iter().map(Skip::unreadable));
        // Nothing is written to a service that has no name any more, so that this is said for as long as it has none.
        let nameless = observed.services.values().filter(|service| service.private_dns.is_none());
        skipped
            .extend(nameless.filter_map(|service| stale(&service.id, &Memory::parse(service.tags.get(TAG_DOMAIN)?))));
        let named = observed.services.values().filter_map(|service| {
            let private_dns = service.private_dns.clone()?;
            let tag = service.tags.get(TAG_DOMAIN).map(|tag| Memory::parse(tag)).unwrap_or_default();
            let memory = self.kept.memory(&service.id, tag);
            Some(places::Named { service: service.id.clone(), private_dns, memory })
        });
        let found = self.places(domains, named.collect(), by).await;
        let domains = found.into_iter().map(|domain| {
            let mut plan = plan_ownership(&domain, now);
            let remembers = plan.steps.iter().any(|step| matches!(step, Step::Remember(_)));
            if self.kept.owes(&domain.service) && !remembers {
                plan.steps.push(Step::Remember(domain.memory.clone()));
            }
            self.kept.saw(&domain, now);
            (domain, plan)
        });
        Ok(Looked { domains: domains.collect(), observed, skipped })
    }

    /// What a plan would come to, as the return value says it.
    pub fn planned(domain: &Domain, plan: &DomainPlan) -> Vec<Outcome> {
        carry::planned(domain, plan)
    }

    /// Tries what would be written for a domain, and writes nothing.
    pub async fn examine(&self, looked: &Looked, deadline: Deadline) -> Vec<Check> {
        let mut checks = examine_domains(&self.ec2, &looked.domains, deadline.end).await;
        let operators = self.config.operator_topic.as_slice();
        checks.extend(examine_topics(&self.topics, operators, deadline.end).await);
        checks
    }
}
