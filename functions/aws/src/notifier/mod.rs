//! `availability-notifier`: one event through all the rooms, and round again while a connection is on its way.
//!
//! A look, a plan, and then for what is due: the claim, another look, the notices, and the tags.

mod carry;
mod claim;
mod kept;
mod post;
mod tags;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::FutureExt;
use privatelink_core::config::{Mode, NotifierConfig};
use privatelink_core::ids::{ConnectionId, TopicArn};
use privatelink_core::metrics::Metrics;
use privatelink_core::notice::{NoticeEffect, NoticeSettings, is_under_way, plan_notices};
use privatelink_core::observed::Observed;
use privatelink_core::plan::{EffectKind, Plan, Reason, Skip};
use privatelink_core::policy::Consumers;
use privatelink_core::report::{Answer, Ended, Failure, Outcome, Report, ready};
use privatelink_core::trigger::Look;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::calls::counted;
use crate::client;
use crate::clock::{self, sleep, sleep_until};
use crate::deadline::Deadline;
use crate::doctor::{Check, examine_topics};
use crate::folder::load_consumers;
use crate::observe::observe;
use crate::topics::Topics;

pub use carry::Done;
use claim::Claims;
use kept::Kept;

/// The function's name.
pub const FUNCTION: &str = "availability-notifier";

/// From one look to the next: with the claim and the look after it, what changes is told within five seconds.
const AGAIN: Duration = Duration::from_secs(4);
/// From a claim to the look that shows whether it stands, at least; longer where the look before it took longer.
const SETTLED: Duration = Duration::from_millis(500);
/// What a look may take beyond that for each connection, until it counts as slow: a page of a thousand in a second.
const FAIR: Duration = Duration::from_millis(1);
/// How often a slow look is taken again before anything is claimed by it.
const AGAIN_IF_SLOW: usize = 2;

/// Everything that the function keeps between events.
#[derive(Debug)]
pub struct Notifier {
    config: NotifierConfig,
    settings: NoticeSettings,
    ec2: Client,
    topics: Topics,
    kept: Kept,
}

impl Notifier {
    /// Reads the variables and builds the clients.
    ///
    /// # Errors
    ///
    /// [`Failure::BadConfiguration`] with every fault of the variables.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let config =
            NotifierConfig::from_vars(&lookup).map_err(|faults| Failure::BadConfiguration(faults.to_string()))?;
        let http = client::network(&config.aws, lookup);
        Ok(Self::new(config, &http))
    }

    /// The same with an HTTP client that exists.
    pub fn new(config: NotifierConfig, http: &SharedHttpClient) -> Self {
        let NotifierConfig { aws, notice_topic, operator_topic, notify_since, .. } = &config;
        Self {
            ec2: client::ec2(aws, http.clone()),
            topics: Topics::new(aws, http),
            settings: NoticeSettings {
                default_topic: notice_topic.clone(),
                operator_topic: operator_topic.clone(),
                notify_since: *notify_since,
            },
            config,
            kept: Kept::default(),
        }
    }

    /// The consumers, with the topics that they named. The file is read at every event, since it is small.
    ///
    /// # Errors
    ///
    /// [`Failure::BadPolicy`] with every fault of the file.
    pub fn consumers(&self) -> Result<Consumers, Failure> {
        load_consumers(Path::new(&self.config.policy_dir)).map_err(|faults| Failure::BadPolicy(faults.to_string()))
    }

    /// Takes one event from its bytes to its answer.
    pub async fn handle(&self, payload: &[u8], now: OffsetDateTime, deadline: Deadline) -> Answer {
        let (consumers, trigger) = match ready(self.consumers(), payload) {
            Ok(ready) => ready,
            Err(failure) => return Answer::failed(FUNCTION, failure),
        };
        let (ran, calls) = counted(self.run(&consumers, &trigger.look, now, deadline).boxed_local()).await;
        Answer::of(ran, calls, FUNCTION, self.config.mode, &trigger)
    }

    /// Looks, decides, and tells if that is the mode; again, for as long as a connection is on its way and there is
    /// time.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`], if nothing could be read. Once something was done, a read that fails ends the looking.
    pub async fn run(
        &self,
        consumers: &Consumers,
        look: &Look,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<Report, Failure> {
        let begun = clock::now();
        let watch_until = deadline.decisions.min(begun + self.config.watch);
        let mut look = look.clone();
        let mut all = Done::default();
        let mut foreign = Vec::new();
        let mut skipped = Vec::new();
        loop {
            let looked = clock::now();
            let at = now + clock::since(begun);
            let observed = match self.look(&look, at, deadline).await {
                Ok(observed) => observed,
                Err(failure) if all.outcomes.is_empty() => return Err(failure),
                Err(_) => break,
            };
            let under_way = is_under_way(&observed);
            let Round { done, skipped: left, others } = match self.config.mode {
                Mode::Observe => {
                    let Plan { effects, skipped } = self.plan(&observed, consumers, at);
                    let planned =
                        |effect: &NoticeEffect<'_>| Outcome::of_thing(effect.kind(), effect.thing(), Ended::Planned);
                    let done = Done { outcomes: effects.iter().map(planned).collect(), ..Done::default() };
                    Round { done, skipped, others: None }
                }
                Mode::Enforce => match self.tell(&look, observed, consumers, looked, at, deadline).await {
                    Ok(told) => told,
                    Err(failure) if all.outcomes.is_empty() => return Err(failure),
                    Err(_) => break,
                },
            };
            all.follow(done);
            skipped = left;
            // Who looks at everything the next time does not ask for the ids again that an event named.
            if let Look::At(_) = look {
                foreign.extend(skipped.iter().filter(|skip| skip.reason == Reason::Foreign).cloned());
                skipped.retain(|skip| skip.reason != Reason::Foreign);
            }
            // What somebody else was about to tell, and did not because it died, is told by a later look.
            let (again, until) = match others {
                None => (looked + AGAIN, watch_until),
                Some(claimed) => (looked + AGAIN.min(claimed), deadline.decisions),
            };
            if !(under_way || others.is_some()) || self.config.mode == Mode::Observe || again >= until {
                break;
            }
            sleep_until(again).await;
            look = Look::Everything;
        }
        skipped.extend(foreign);
        let Done { outcomes, said, available } = all;
        let mut metrics = Metrics::default();
        metrics.notices_and_marks(&outcomes);
        available.iter().for_each(|(service, seconds)| metrics.told_available(service, *seconds));
        let skipped = without_told(skipped, &outcomes);
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

    /// Looks, and adds what this process knows better.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`].
    pub async fn look(&self, look: &Look, now: OffsetDateTime, deadline: Deadline) -> Result<Observed, Failure> {
        let NotifierConfig { aws, service_tag, .. } = &self.config;
        let mut observed = observe(&self.ec2, &aws.region, service_tag.as_ref(), look, deadline.decisions).await?;
        self.kept.remind(&mut observed, now);
        Ok(observed)
    }

    /// Asks whether the topics are there: the default one, the operators', and those of consumers.
    pub async fn examine(&self, consumers: &Consumers, deadline: Deadline) -> Vec<Check> {
        let own = consumers.iter().filter_map(|consumer| consumer.topic.clone());
        let operators = self.settings.operator_topic.clone();
        let all: BTreeSet<TopicArn> = own.chain(operators).chain([self.settings.default_topic.clone()]).collect();
        let all: Vec<TopicArn> = all.into_iter().collect();
        examine_topics(&self.topics, &all, deadline.end).await
    }

    /// Decides who is told what, and changes nothing.
    pub fn plan<'o>(
        &'o self,
        observed: &'o Observed,
        consumers: &'o Consumers,
        now: OffsetDateTime,
    ) -> Plan<NoticeEffect<'o>> {
        plan_notices(observed, consumers, &self.settings, now)
    }

    /// Tells what is due and nobody else is about to tell, and says what came of it and what was left alone.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`], if the look after the claim could not be had, or not while it stood: nothing is told
    /// then.
    async fn tell(
        &self,
        look: &Look,
        mut observed: Observed,
        consumers: &Consumers,
        mut looked: Instant,
        mut now: OffsetDateTime,
        mut deadline: Deadline,
    ) -> Result<Round, Failure> {
        // A claim takes the place of one that was made since the look, and whoever made that one waits no longer than a
        // look should take: so nothing is claimed by what was seen long ago.
        for _ in 0..AGAIN_IF_SLOW {
            let fair = SETTLED + FAIR.saturating_mul(observed.connections.len().try_into().unwrap_or(u32::MAX));
            if clock::since(looked) <= fair || self.plan(&observed, consumers, now).effects.is_empty() {
                break;
            }
            now += clock::since(looked);
            looked = clock::now();
            observed = self.look(look, now, deadline).await?;
        }
        let mut others = self.claimed_by_others(&observed, now);
        leave_out(&mut observed, |id| others.contains_key(id));
        let effects = self.plan(&observed, consumers, now).effects;
        let took = clock::since(looked);
        let claims = self.claim(&observed, &effects, now + took, took, deadline.decisions).await;
        let Claims { mut ours, until, refused } = claims;
        drop(effects);
        if !ours.is_empty() {
            // There can be thousands of them, and they are read once more.
            drop(observed);
            // At the most half of the time that is left: the rest is for the look, and for telling.
            let left = deadline.decisions.saturating_duration_since(clock::now());
            let settled = SETTLED.max(clock::since(looked) * 2);
            sleep(settled.min(left / 2)).await;
            let at = now;
            observed = loop {
                let again = clock::now();
                let now = at + clock::since(looked);
                let seen = self.look(look, now, deadline).await?;
                others.extend(self.claimed_by_others(&seen, now));
                ours.retain(|id| !others.contains_key(id));
                // Nothing is told once another may claim it.
                let Ok(stands) = Duration::try_from(until - (at + clock::since(looked))) else {
                    return Err(Failure::ReadFailed(
                        "the look after the claim took longer than the claim stands".to_owned(),
                    ));
                };
                // What was read is as old as the look is long, and whoever was slow before it claimed may have done
                // that meanwhile: no look that is longer than the wait after the claim shows that it stands.
                if clock::since(again) <= settled {
                    deadline.decisions = deadline.decisions.min(clock::now() + stands);
                    break seen;
                }
            };
        }
        // Those that wait together are one notice, which then has another oldest one. What became due only now is
        // not claimed, and told by the next look.
        let effects = self.plan(&observed, consumers, now).effects;
        let due = claim::marks(&effects).map(|(mark, _)| mark.connection);
        let unclaimed: BTreeSet<_> = due.filter(|id| !ours.contains(*id)).cloned().collect();
        drop(effects);
        leave_out(&mut observed, |id| unclaimed.contains(id));
        let Plan { effects, mut skipped } = self.plan(&observed, consumers, now);
        let mut done = self.carry_out(&observed, &effects, now, deadline).await;
        done.outcomes.extend(refused.into_values());
        let wait = others.values().map(|(claim, _)| claim.until - now).min();
        let wait = wait.map(|wait| wait.try_into().unwrap_or(Duration::ZERO));
        skipped.extend(others.into_values().map(|(_, skip)| skip));
        Ok(Round { done, skipped, others: wait })
    }
}

/// What came of one look.
struct Round {
    done: Done,
    skipped: Vec<Skip>,
    /// From the look to the end of the first claim of somebody else's.
    others: Option<Duration>,
}

/// Takes connections out of what was read.
fn leave_out(observed: &mut Observed, which: impl Fn(&ConnectionId) -> bool) {
    observed.connections.retain(|connection| !connection.id.as_ref().is_some_and(&which));
}

/// What was told a moment ago is not also reported as told before.
fn without_told(mut skipped: Vec<Skip>, outcomes: &[Outcome]) -> Vec<Skip> {
    let told = outcomes.iter().filter(|outcome| outcome.effect == EffectKind::Publish);
    let told: BTreeSet<&str> = told.map(|outcome| outcome.about.id()).collect();
    skipped.retain(|skip| {
        let of_told = skip.endpoint_id.as_deref().is_some_and(|endpoint| told.contains(endpoint));
        skip.reason != Reason::AlreadyTold || !of_told
    });
    skipped
}
