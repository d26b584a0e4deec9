//! From what came of an invocation to its figures.

use std::time::Duration;

use super::{Metric, Metrics};
use crate::ids::ServiceId;
use crate::plan::EffectKind;
use crate::report::{About, Ended, Failure, Outcome};

/// How often AWS was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All attempts.
    pub made: u64,
    /// Those that were not the first.
    pub again: u64,
}

impl Metrics {
    /// What every invocation has, however it ended: an alarm needs noughts to know that all is well.
    pub(crate) fn ended(&mut self, failure: Option<&Failure>, calls: Calls) {
        let bad_configuration = matches!(failure, Some(Failure::BadConfiguration(_)));
        let bad_policy = matches!(failure, Some(Failure::BadPolicy(_)));
        self.set(Metric::BadConfiguration, bad_configuration.into());
        self.set(Metric::BadPolicy, bad_policy.into());
        let Calls { made, again } = calls;
        self.set(Metric::ApiCalls, made);
        self.set(Metric::ApiRetries, again);
    }

    /// Everything was looked at, and all of it went well.
    pub(crate) fn swept(&mut self) {
        self.set(Metric::Sweeps, 1);
    }

    /// The decisions that took effect, `took` after the time that ages are counted to.
    pub fn decisions(&mut self, outcomes: &[Outcome], took: Duration) {
        for Outcome { effect, about, ended } in outcomes {
            let (About::Decision(decided), Ended::Done) = (about, ended) else { continue };
            match effect {
                EffectKind::Accept => {
                    let age = u64::try_from(decided.facts.age_seconds).unwrap_or(0);
                    let figures = self.of(&decided.service);
                    figures.one_more(Metric::Accepted);
                    figures.push(Metric::TimeToAccept, age + took.as_secs());
                }
                EffectKind::Reject => self.of(&decided.service).one_more(Metric::Rejected),
                EffectKind::Hold => self.of(&decided.service).one_more(Metric::HeldNew),
                EffectKind::Tag
                | EffectKind::Publish
                | EffectKind::WriteRecord
                | EffectKind::StartCheck
                | EffectKind::ModifyEndpoint
                | EffectKind::Probe => {}
            }
        }
    }

    /// The messages that went out, and those that should have. What is only written to the log is no message.
    pub fn notices(&mut self, outcomes: &[Outcome]) {
        self.count_notices(outcomes, |effect| effect == EffectKind::Publish);
    }

    /// The same where every tag marks what was told: a message that is not marked will be sent again.
    pub fn notices_and_marks(&mut self, outcomes: &[Outcome]) {
        self.count_notices(outcomes, |effect| matches!(effect, EffectKind::Publish | EffectKind::Tag));
    }

    fn count_notices(&mut self, outcomes: &[Outcome], is_due: impl Fn(EffectKind) -> bool) {
        let (mut sent, mut not_sent) = (0, 0);
        for Outcome { effect, about, ended } in outcomes.iter().filter(|outcome| is_due(outcome.effect)) {
            match ended {
                Ended::Done => sent += u64::from(*effect == EffectKind::Publish && names_a_topic(about)),
                Ended::Refused(_) | Ended::Retry(_) => not_sent += 1,
                Ended::AlreadyDone | Ended::Planned => {}
            }
        }
        self.set(Metric::NoticesSent, sent);
        self.set(Metric::NoticesNotSent, not_sent);
    }

    /// The names, families and ports that were probed, and how many could not be.
    pub fn probes(&mut self, outcomes: &[Outcome], not_tested: u64) {
        let ended =
            |done: bool| outcomes.iter().filter(|outcome| (outcome.ended == Ended::Done) == done).count() as u64;
        self.set(Metric::ProbesDone, ended(true));
        self.set(Metric::ProbesRefused, ended(false));
        self.set(Metric::ProbesNotTested, not_tested);
    }

    /// A consumer was told that its connection is available, so many seconds after it was made.
    pub fn told_available(&mut self, service: &ServiceId, after: u64) {
        self.of(service).push(Metric::TimeToAvailable, after);
    }
}

fn names_a_topic(about: &About) -> bool {
    match about {
        About::Decision(_) | About::Probe(_) => false,
        About::Thing(thing) => thing.more.contains_key("topicArn"),
    }
}
