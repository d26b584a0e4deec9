//! What came of an invocation: the one value that is returned, logged and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::config::Mode;
use crate::ids::ServiceId;
use crate::plan::{Decided, Effect, EffectKind, Reason, Skip};
use crate::trigger::{Record, Trigger};

/// Lambda takes answers of 6 MiB; what would go beyond this many bytes is counted instead.
const LARGEST_ANSWER: usize = 5 * 1024 * 1024;

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It took effect.
    Done,
    /// It had taken effect before, or what it was meant for is gone.
    AlreadyDone,
    /// AWS says no, with this code, and will say so again.
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
    /// To what, and why. A decision and its tag share it.
    pub decided: Arc<Decided>,
    /// How it ended.
    pub ended: Ended,
}

impl Outcome {
    /// An effect that ended that way.
    pub fn of(effect: Effect, ended: Ended) -> Self {
        let kind = effect.kind();
        Self { effect: kind, decided: Arc::new(effect.into_decided()), ended }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { effect, decided, ended } = self;
        let Decided { service, endpoint, connection: _, policy, facts: _ } = decided.as_ref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("effect", effect)?;
        map.serialize_entry("serviceId", service)?;
        map.serialize_entry("endpointId", endpoint)?;
        map.serialize_entry("policy", policy)?;
        map.serialize_entry("result", ended.word())?;
        if let Some(code) = ended.code() {
            map.serialize_entry("code", code)?;
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
    /// The digest of the policy that it decided by.
    pub policy_digest: String,
    /// What came of each effect.
    pub outcomes: Vec<Outcome>,
    /// What was left as it is.
    pub skipped: Vec<Skip>,
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
                    first.decided.endpoint,
                    first.ended.code().unwrap_or_default(),
                ))),
            };
        };
        let retried: BTreeSet<_> = self.to_retry().map(|outcome| &outcome.decided.service).collect();
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
        let Self { function, mode, policy_digest, outcomes, skipped } = self;
        let mut returned = Returned {
            function,
            mode: *mode,
            policy_digest: Some(policy_digest),
            outcomes,
            skipped,
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
        returned.outcomes = fitting(outcomes, &mut room);
        returned.skipped = fitting(skipped, &mut room);
        let left = |all: usize, shown: usize| all - shown;
        returned.truncated = Some(Truncated {
            outcomes: left(outcomes.len(), returned.outcomes.len()),
            skipped: left(skipped.len(), returned.skipped.len()),
        });
        returned.write()
    }

    /// The one line that tells an operator what an invocation came to: counts, and no list that could grow.
    pub fn summary(&self) -> Value {
        let mut effects: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        for Outcome { effect, ended, decided: _ } in &self.outcomes {
            *effects.entry(effect.to_string()).or_default().entry(ended.word()).or_default() += 1;
        }
        let mut skipped: BTreeMap<Reason, usize> = BTreeMap::new();
        for skip in &self.skipped {
            *skipped.entry(skip.reason).or_default() += 1;
        }
        let skipped: BTreeMap<_, _> =
            skipped.iter().map(|(reason, n)| (reason.to_string().replace(' ', "-"), n)).collect();
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
        let decisions = self.outcomes.iter().filter(|outcome| outcome.effect != EffectKind::Tag);
        decisions.map(|Outcome { effect, decided, ended }| {
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
        })
    }
}

/// The return value, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Returned<'r> {
    function: &'r str,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_digest: Option<&'r str>,
    outcomes: &'r [Outcome],
    skipped: &'r [Skip],
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<Truncated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_item_failures: Option<Vec<Item<'r>>>,
}

#[derive(Serialize)]
struct Truncated {
    outcomes: usize,
    skipped: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'r> {
    item_identifier: &'r str,
}

impl<'r> Item<'r> {
    fn of(record: &'r Record) -> Self {
        Self { item_identifier: &record.id }
    }
}

impl Returned<'_> {
    fn write(&self) -> Result<Box<RawValue>, Failure> {
        to_raw_value(self).map_err(|error| Failure::Retry(format!("the return value can not be written: {error}")))
    }
}

/// As many entries as there is room for, in bytes of JSON.
fn fitting<'e, T: Serialize>(entries: &'e [T], room: &mut usize) -> &'e [T] {
    let fits = |entry: &&T| {
        let size = serde_json::to_string(entry).map_or(usize::MAX, |text| text.len() + 1);
        let left = room.checked_sub(size);
        *room = left.unwrap_or(0);
        left.is_some()
    };
    let shown = entries.iter().take_while(fits).count();
    entries.get(..shown).unwrap_or_default()
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

/// What one event came to.
#[derive(Debug)]
pub struct Answer {
    /// The value that is returned, or the failure that the invocation ends with.
    pub result: Result<Box<RawValue>, Failure>,
    /// What is logged of it, where it got so far.
    pub report: Option<Report>,
}

impl Answer {
    /// The lines of the log, made one by one: the decisions, then the summary.
    pub fn log(&self) -> impl Iterator<Item = Value> {
        self.report.iter().flat_map(|report| report.audit().chain(std::iter::once_with(|| report.summary())))
    }

    /// The return value, for whoever wants to look into it.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub fn value(self) -> Result<Value, Failure> {
        let raw = self.result?;
        serde_json::from_str(raw.get()).map_err(|error| Failure::Retry(error.to_string()))
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self { result: Err(failure), report: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EndpointId;
    use crate::trigger::Look;

    fn service(n: usize) -> ServiceId {
        ServiceId::parse(&format!("vpce-svc-{n:x}")).unwrap()
    }

    fn outcome(n: usize, ended: Ended) -> Outcome {
        let decided = Decided {
            service: service(n),
            endpoint: EndpointId::parse("vpce-0a").unwrap(),
            connection: None,
            policy: vec!["p".to_owned()],
            facts: crate::policy::Facts {
                account: crate::ids::AccountId::parse("111122223333").unwrap(),
                endpoint_id: EndpointId::parse("vpce-0a").unwrap(),
                endpoint_region: "us-west-2".to_owned(),
                cross_region: false,
                ip_address_type: "ipv4".to_owned(),
                age_seconds: 7,
                counts: Default::default(),
            },
        };
        Outcome { effect: EffectKind::Accept, decided: Arc::new(decided), ended }
    }

    fn report(outcomes: Vec<Outcome>) -> Report {
        Report { function: "f", mode: Mode::Enforce, policy_digest: "d".to_owned(), outcomes, skipped: Vec::new() }
    }

    fn value(answer: Result<Box<RawValue>, Failure>) -> Value {
        serde_json::from_str(answer.unwrap().get()).unwrap()
    }

    fn trigger(records: Option<&[(&str, Option<Look>)]>) -> Trigger {
        let record = |(id, look): &(&str, Option<Look>)| Record { id: (*id).to_owned(), look: look.clone() };
        Trigger { look: Look::Everything, batch: records.map(|records| records.iter().map(record).collect()) }
    }

    #[test]
    fn the_return_value_has_the_promised_shape() {
        let refused =
            report(vec![outcome(1, Ended::Done), outcome(2, Ended::Refused("UnauthorizedOperation".to_owned()))]);
        let answer = value(refused.answer(&trigger(None)));
        let expected = json!({
            "function": "f", "mode": "enforce", "policyDigest": "d", "skipped": [],
            "outcomes": [
                {"effect": "accept", "serviceId": "vpce-svc-1", "endpointId": "vpce-0a", "policy": ["p"], "result": "done"},
                {"effect": "accept", "serviceId": "vpce-svc-2", "endpointId": "vpce-0a", "policy": ["p"],
                 "result": "refused", "code": "UnauthorizedOperation"},
            ],
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_retry_fails_the_invocation_but_not_a_batch() {
        let report = report(vec![outcome(1, Ended::Done), outcome(2, Ended::Retry("RequestLimitExceeded".to_owned()))]);
        assert!(matches!(report.answer(&trigger(None)), Err(Failure::Retry(_))));
        let at = |n| Some(Look::At([service(n)].into()));
        let records =
            [("a", at(1)), ("b", at(2)), ("c", None), ("d", Some(Look::Everything)), ("e", Some(Look::Nowhere))];
        let answer = value(report.answer(&trigger(Some(&records))));
        assert_eq!(
            answer["batchItemFailures"],
            json!([{"itemIdentifier": "b"}, {"itemIdentifier": "c"}, {"itemIdentifier": "d"}])
        );
    }

    #[test]
    fn an_answer_that_would_be_too_large_for_lambda_counts_what_it_leaves_out() {
        let mut report = report(vec![outcome(1, Ended::Done); 10]);
        let endpoint = EndpointId::parse("vpce-0123456789abcdef0").unwrap();
        report.skipped = vec![Skip::connection(&service(1), &endpoint, Reason::NotPending); 100_000];
        let answer = value(report.answer(&trigger(None)));
        let shown = answer["skipped"].as_array().unwrap().len();
        assert!(answer.to_string().len() < 6 * 1024 * 1024 && shown > 10_000);
        assert_eq!(answer["outcomes"].as_array().unwrap().len(), 10);
        assert_eq!(answer["truncated"], json!({"outcomes": 0, "skipped": 100_000 - shown}));
    }

    #[test]
    fn only_a_failed_read_is_answered_for_a_batch() {
        let records = [("a", None)];
        let batch = trigger(Some(&records));
        let read = Failure::ReadFailed("no".to_owned());
        assert!(read.clone().answer("f", Mode::Enforce, &trigger(None)).is_err());
        assert_eq!(
            value(read.answer("f", Mode::Enforce, &batch))["batchItemFailures"],
            json!([{"itemIdentifier": "a"}])
        );
        assert!(Failure::BadPolicy(String::new()).answer("f", Mode::Enforce, &batch).is_err());
    }
}
