//! What came of an invocation: the one value that is returned, logged and counted.

mod answer;
mod returned;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::config::Mode;
use crate::ids::{EndpointId, ServiceId};
use crate::metrics::Metrics;
use crate::plan::{Decided, Effect, EffectKind, Reason, Skip};
use crate::probe::{self, Probed};
use crate::trigger::Trigger;

pub use answer::{Answer, ready};
use returned::{Item, Returned, Truncated, fitting};

/// Lambda takes answers of 6 MiB; what would go beyond this many bytes is counted instead.
const LARGEST_ANSWER: usize = 5 * 1024 * 1024;

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It took effect.
    Done,
    /// It had taken effect before, or what it was meant for is gone.
    AlreadyDone,
    /// AWS says no, with this code, and will say so again; or what was tried does not work, for this cause.
    Refused(String),
    /// It did not take effect for a reason that passes, with this code.
    Retry(String),
    /// In `observe` mode it was not tried.
    Planned,
}

impl Ended {
    /// The word of the return value.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyDone => "already-done",
            Self::Refused(_) => "refused",
            Self::Retry(_) => "retry",
            Self::Planned => "planned",
        }
    }

    /// AWS's error code, where there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(code) | Self::Retry(code) => Some(code),
            Self::Done | Self::AlreadyDone | Self::Planned => None,
        }
    }
}

/// What came of one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was done.
    pub effect: EffectKind,
    /// To what, and why.
    pub about: About,
    /// How it ended.
    pub ended: Ended,
}

/// What an effect was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A connection about which something was decided. A decision and its tag share it.
    Decision(Arc<Decided>),
    /// A name that was tried.
    Probe(Arc<Probed>),
    /// Anything else.
    Thing(Arc<Thing>),
}

/// What an effect was done to that decided nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The service.
    pub service: ServiceId,
    /// The consumer's endpoint, where it is about one.
    pub endpoint: Option<EndpointId>,
    /// What else the return value says of it, under names of its own.
    pub more: BTreeMap<&'static str, String>,
}

impl About {
    /// The service that it belongs to.
    pub fn service(&self) -> &ServiceId {
        match self {
            Self::Decision(decided) => &decided.service,
            Self::Probe(probed) => &probed.service,
            Self::Thing(thing) => &thing.service,
        }
    }

    /// The endpoint, where it is about one.
    pub fn endpoint(&self) -> Option<&EndpointId> {
        match self {
            Self::Decision(decided) => Some(&decided.endpoint),
            Self::Probe(probed) => Some(&probed.endpoint),
            Self::Thing(thing) => thing.endpoint.as_ref(),
        }
    }

    /// The one id that names it best.
    pub fn id(&self) -> &str {
        self.endpoint().map_or(self.service().as_str(), |endpoint| endpoint.as_str())
    }
}

impl Outcome {
    /// A decision that ended that way.
    pub fn of(effect: Effect, ended: Ended) -> Self {
        let kind = effect.kind();
        Self { effect: kind, about: About::Decision(Arc::new(effect.into_decided())), ended }
    }

    /// An effect on anything else that ended that way.
    pub fn of_thing(effect: EffectKind, thing: Thing, ended: Ended) -> Self {
        Self { effect, about: About::Thing(Arc::new(thing)), ended }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { effect, about, ended } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("effect", effect)?;
        map.serialize_entry("serviceId", about.service())?;
        if let Some(endpoint) = about.endpoint() {
            map.serialize_entry("endpointId", endpoint)?;
        }
        match about {
            About::Decision(decided) => map.serialize_entry("policy", &decided.policy)?,
            About::Probe(probed) => probed.tried.fields(&mut map)?,
            About::Thing(thing) => thing.more.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?,
        }
        map.serialize_entry("result", ended.word())?;
        match about {
            // What is wrong there is no code of AWS's, and stands there as `cause`.
            About::Probe(_) => {}
            About::Decision(_) | About::Thing(_) => {
                if let Some(code) = ended.code() {
                    map.serialize_entry("code", code)?;
                }
            }
        }
        map.end()
    }
}

/// Everything that came of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The function.
    pub function: &'static str,
    /// Whether it acted.
    pub mode: Mode,
    /// The digest of the policy that it decided by, if it did by one.
    pub policy_digest: Option<String>,
    /// What came of each effect.
    pub outcomes: Vec<Outcome>,
    /// What was left as it is.
    pub skipped: Vec<Skip>,
    /// Notices for operators who have no topic: lines of the log.
    pub said: Vec<Value>,
    /// What a prober needs to know; of one function alone.
    pub endpoints: Option<Vec<probe::Endpoint>>,
    /// What the function counted of it.
    pub metrics: Metrics,
}

impl Report {
    /// The value that the function returns, or the failure that the invocation ends with.
    ///
    /// An SQS batch is always answered, and names the records that are to come again.
    ///
    /// # Errors
    ///
    /// [`Failure::Retry`] if anything is to be tried again.
    pub fn answer(&self, trigger: &Trigger) -> Result<Box<RawValue>, Failure> {
        let Some(batch) = &trigger.batch else {
            return match self.to_retry().next() {
                None => self.returned(None),
                Some(first) => Err(Failure::Retry(format!(
                    "{} of {} effects did not take place yet; the first is `{}` of `{}`: `{}`",
                    self.to_retry().count(),
                    self.outcomes.len(),
                    first.effect,
                    first.about.id(),
                    first.ended.code().unwrap_or_default(),
                ))),
            };
        };
        let retried: BTreeSet<_> = self.to_retry().map(|outcome| outcome.about.service()).collect();
        let failed = batch.iter().filter(|record| match &record.look {
            Some(look) => retried.iter().any(|service: &&ServiceId| look.sees(service)),
            None => true,
        });
        self.returned(Some(failed.map(Item::of).collect()))
    }

    fn to_retry(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.ended, Ended::Retry(_)))
    }

    /// The return value. Where it would be too large for Lambda, the rest is counted in `truncated`.
    fn returned(&self, batch_item_failures: Option<Vec<Item<'_>>>) -> Result<Box<RawValue>, Failure> {
        let Self { function, mode, policy_digest, outcomes, skipped, said: _, endpoints, metrics: _ } = self;
        let mut returned = Returned {
            function,
            mode: *mode,
            policy_digest: policy_digest.as_deref(),
            outcomes,
            skipped,
            endpoints: endpoints.as_deref(),
            truncated: None,
            error: None,
            batch_item_failures,
        };
        let whole = returned.write()?;
        if whole.get().len() <= LARGEST_ANSWER {
            return Ok(whole);
        }
        drop(whole);
        let mut room = LARGEST_ANSWER;
        returned.endpoints = endpoints.as_ref().map(|endpoints| fitting(endpoints, &mut room));
        returned.outcomes = fitting(outcomes, &mut room);
        returned.skipped = fitting(skipped, &mut room);
        let left = |all: usize, shown: usize| all - shown;
        returned.truncated = Some(Truncated {
            outcomes: left(outcomes.len(), returned.outcomes.len()),
            skipped: left(skipped.len(), returned.skipped.len()),
            endpoints: left(endpoints.as_ref().map_or(0, Vec::len), returned.endpoints.map_or(0, <[_]>::len)),
        });
        returned.write()
    }

    /// The one line that tells an operator what an invocation came to: counts, and no list that could grow.
    pub fn summary(&self) -> Value {
        let mut effects: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        for Outcome { effect, ended, about: _ } in &self.outcomes {
            *effects.entry(effect.to_string()).or_default().entry(ended.word()).or_default() += 1;
        }
        let mut skipped: BTreeMap<Reason, usize> = BTreeMap::new();
        for skip in &self.skipped {
            *skipped.entry(skip.reason).or_default() += 1;
        }
        let skipped: BTreeMap<_, _> = skipped.iter().map(|(reason, n)| (reason.word(), n)).collect();
        json!({
            "message": "report",
            "function": self.function,
            "mode": self.mode,
            "policyDigest": self.policy_digest,
            "outcomes": effects,
            "skipped": skipped,
        })
    }

    /// The audit trail: one line for each decision that was carried out, or would be, with the facts it was made from.
    ///
    /// Tags die with their connection; these lines stay. A connection that is held as before is no new decision.
    pub fn audit(&self) -> impl Iterator<Item = Value> {
        let new = self.outcomes.iter().filter(|outcome| outcome.effect != EffectKind::Tag);
        new.map(|outcome @ Outcome { effect, about, ended }| match about {
            About::Decision(decided) => {
                let Decided { service, endpoint, connection, policy, facts } = decided.as_ref();
                json!({
                    "message": "decision",
                    "function": self.function,
                    "mode": self.mode,
                    "decision": effect,
                    "serviceId": service,
                    "endpointId": endpoint,
                    "connectionId": connection,
                    "policy": policy,
                    "policyDigest": self.policy_digest,
                    "facts": facts,
                    "result": ended.word(),
                    "code": ended.code(),
                })
            }
            About::Probe(_) | About::Thing(_) => {
                let mut line = json!(outcome);
                if let Value::Object(fields) = &mut line {
                    fields.insert("message".to_owned(), "effect".into());
                    fields.insert("function".to_owned(), self.function.into());
                    fields.insert("mode".to_owned(), json!(self.mode));
                }
                line
            }
        })
    }
}

/// Why an invocation came to nothing, or has to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A variable is missing or wrong.
    BadConfiguration(String),
    /// The policy folder has a fault.
    BadPolicy(String),
    /// The event is none of those that the function takes.
    UnrecognizedEvent(String),
    /// AWS did not say how things stand, and without that nothing is decided.
    ReadFailed(String),
    /// Something did not take effect for a reason that passes.
    Retry(String),
}

impl Failure {
    /// Lambda's error type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadConfiguration(_) => "BadConfiguration",
            Self::BadPolicy(_) => "BadPolicy",
            Self::UnrecognizedEvent(_) => "UnrecognizedEvent",
            Self::ReadFailed(_) => "ReadFailed",
            Self::Retry(_) => "Retry",
        }
    }

    /// What happened, and what to do.
    pub fn message(&self) -> &str {
        match self {
            Self::BadConfiguration(message)
            | Self::BadPolicy(message)
            | Self::UnrecognizedEvent(message)
            | Self::ReadFailed(message)
            | Self::Retry(message) => message,
        }
    }

    /// The answer to an event about which nothing could be read: an SQS batch comes again record by record, everything
    /// else fails.
    ///
    /// # Errors
    ///
    /// Itself, for everything but a failed read in an SQS batch.
    pub fn answer(self, function: &str, mode: Mode, trigger: &Trigger) -> Result<Box<RawValue>, Self> {
        let (Self::ReadFailed(message), Some(batch)) = (&self, &trigger.batch) else {
            return Err(self);
        };
        let returned = Returned {
            function,
            mode,
            policy_digest: None,
            outcomes: &[],
            skipped: &[],
            endpoints: None,
            truncated: None,
            error: Some(json!({"type": self.kind(), "message": message})),
            batch_item_failures: Some(batch.iter().map(Item::of).collect()),
        };
        returned.write()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests;
