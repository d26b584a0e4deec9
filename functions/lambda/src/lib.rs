//! The edge: what the Lambda runtime hands in becomes an [`Invocation`], and an [`Answer`] becomes what it wants back.
//!
//! Nothing here knows what a function does, and nothing here knows AWS's SDK.

use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use privatelink_core::report::Answer;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How long an invocation is taken to last where the runtime names a deadline that is past.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(10);
/// So much of the log is gathered at most, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// One event, and what surrounds it.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The event's bytes, which need not be JSON.
    pub payload: Vec<u8>,
    /// The time.
    pub now: OffsetDateTime,
    /// How much of it is left.
    pub left: Duration,
}

/// Polls for events and answers them with `handler`, until the process is ended.
///
/// # Errors
///
/// The Runtime API can not be spoken to.
pub async fn serve<F>(handler: impl Fn(Invocation) -> F) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Answer>,
{
    let handler = Arc::new(handler);
    let service = service_fn(move |event: LambdaEvent<String>| {
        let handler = Arc::clone(&handler);
        async move { answer(event, handler.as_ref()).await }
    });
    // The runtime decodes JSON before a handler sees anything, and reports what is none in its own words. As a string
    // every payload arrives, and is refused in ours.
    let as_string = MapRequestLayer::new(|mut invocation: LambdaInvocation| {
        let text = std::str::from_utf8(&invocation.body).unwrap_or("not UTF-8");
        invocation.body = Value::from(text).to_string().into();
        invocation
    });
    Runtime::new(service).layer(as_string).run().await
}

async fn answer<F>(event: LambdaEvent<String>, handler: &impl Fn(Invocation) -> F) -> Result<Box<RawValue>, Diagnostic>
where
    F: Future<Output = Answer>,
{
    let LambdaEvent { payload, context } = event;
    let now = OffsetDateTime::now_utc();
    let deadline = Duration::from_millis(context.deadline);
    let since_epoch = Duration::try_from(now - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
    let left = deadline.checked_sub(since_epoch).filter(|left| !left.is_zero()).unwrap_or(WITHOUT_DEADLINE);

    let answer = Box::pin(handler(Invocation { payload: payload.into_bytes(), now, left })).await;
    let mut log = Log { request_id: &context.request_id, lines: Vec::new() };
    // An alarm looks at the last minutes, so that the time of a figure is that at which it is known.
    let known = OffsetDateTime::now_utc();
    for document in answer.counted(known) {
        log.add(known, "INFO", document);
    }
    for line in answer.log() {
        log.add(now, "INFO", line);
    }
    let Answer { result, report, .. } = answer;
    // It can be large, and what is returned is written once more from here on.
    drop(report);
    if let Err(failure) = &result {
        log.add(now, "ERROR", json!({"message": failure.message(), "errorType": failure.kind()}));
    }
    log.write();
    result.map_err(|failure| Diagnostic {
        error_type: failure.kind().to_owned(),
        error_message: failure.message().to_owned(),
    })
}

/// The structured log, whose lines have the fields that Lambda's own JSON logs have.
struct Log<'a> {
    request_id: &'a str,
    /// What is not written yet: a call for each line would cost more than the line.
    lines: Vec<u8>,
}

impl Log<'_> {
    fn add(&mut self, now: OffsetDateTime, level: &str, mut line: Value) {
        if let Value::Object(fields) = &mut line {
            fields.insert("timestamp".to_owned(), now.format(&Rfc3339).unwrap_or_default().into());
            fields.insert("level".to_owned(), level.into());
            fields.insert("requestId".to_owned(), self.request_id.into());
        }
        // It is written into memory, where there is always room.
        let _ = serde_json::to_writer(&mut self.lines, &line);
        self.lines.push(b'\n');
        if self.lines.len() > AT_ONCE {
            self.write();
        }
    }

    fn write(&mut self) {
        // A log that nobody reads any more is no reason to fail an invocation.
        let _ = std::io::stdout().lock().write_all(&self.lines);
        self.lines.clear();
    }
}
