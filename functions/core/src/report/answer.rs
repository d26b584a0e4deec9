//! What one event came to: its answer, its lines of the log, and what is counted of it.

use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::{Failure, Report};
use crate::config::Mode;
use crate::metrics::{Calls, Metrics};
use crate::trigger::{Look, Trigger};

/// What one event came to.
#[derive(Debug)]
pub struct Answer {
    /// The function.
    pub function: &'static str,
    /// The value that is returned, or the failure that the invocation ends with.
    pub result: Result<Box<RawValue>, Failure>,
    /// What is logged of it, where it got so far.
    pub report: Option<Report>,
    /// What is counted of it, however it ended.
    pub metrics: Metrics,
}

/// What has to be there before anything is looked at: whatever the function decides by, and an event that it takes.
///
/// # Errors
///
/// A fault of the one or the other. A fault of the former is told at every event, whatever the event is.
pub fn ready<C>(decides_by: Result<C, Failure>, payload: &[u8]) -> Result<(C, Trigger), Failure> {
    let decides_by = decides_by?;
    let trigger = Trigger::parse(payload).map_err(|error| Failure::UnrecognizedEvent(error.to_string()))?;
    Ok((decides_by, trigger))
}

impl Answer {
    /// What a run came to, as the event wants it answered.
    pub fn of(
        ran: Result<Report, Failure>,
        calls: Calls,
        function: &'static str,
        mode: Mode,
        trigger: &Trigger,
    ) -> Self {
        match ran {
            Ok(mut report) => {
                let result = report.answer(trigger);
                let mut metrics = std::mem::take(&mut report.metrics);
                metrics.ended(result.as_ref().err(), calls);
                // A batch is answered whatever becomes of it, and is no success for that.
                if trigger.look == Look::Everything && report.to_retry().next().is_none() {
                    metrics.swept();
                }
                Self { function, result, report: Some(report), metrics }
            }
            Err(failure) => {
                let mut metrics = Metrics::default();
                metrics.ended(Some(&failure), calls);
                Self { function, result: failure.answer(function, mode, trigger), report: None, metrics }
            }
        }
    }

    /// The answer to an event that was not looked into.
    pub fn failed(function: &'static str, failure: Failure) -> Self {
        let mut metrics = Metrics::default();
        metrics.ended(Some(&failure), Calls::default());
        Self { function, result: Err(failure), report: None, metrics }
    }

    /// The lines of which CloudWatch makes metrics.
    pub fn counted(&self, at: OffsetDateTime) -> impl Iterator<Item = Value> {
        self.metrics.documents(self.function, at)
    }

    /// The lines of the log, made one by one: what was done, what operators are told, then the summary.
    pub fn log(&self) -> impl Iterator<Item = Value> {
        self.report.iter().flat_map(|report| {
            let told = report.said.iter().cloned();
            report.audit().chain(told).chain(std::iter::once_with(|| report.summary()))
        })
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
