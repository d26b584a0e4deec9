//! How long an invocation may go on trying, and the one loop that tries again.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::calls;
use crate::clock::{self, sleep, timeout};
use crate::error::{CallError, Meaning};

/// An attempt that has not been answered after this long is given up, and made again; sooner, where there is less time.
const ATTEMPT: Duration = Duration::from_secs(10);
/// No attempt is given up before this, unless the time is over.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(500);
/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The times by which the parts of an invocation have to be through.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// No connection is accepted or rejected after this: its tag would not be written any more.
    pub decisions: Instant,
    /// Nothing is tried after this: what is left of the time is for the report.
    pub end: Instant,
}

impl Deadline {
    /// Divides the time that is left.
    pub fn after(left: Duration) -> Self {
        let report = (left / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
        // A tag that is not written any more costs more than what is not begun: a decision that nobody can read, a message
        // that is told twice.
        let tags = (left / 5).clamp(Duration::from_millis(50), Duration::from_secs(2));
        let now = clock::now();
        Self { decisions: now + left.saturating_sub(report + tags), end: now + left.saturating_sub(report) }
    }
}

/// Makes one attempt, which ends by the deadline whether it is answered or not. `again` says that it is not the first.
pub(crate) async fn attempt<T>(
    by: Instant,
    again: bool,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    calls::count(again);
    let left = by.saturating_duration_since(clock::now());
    // Whoever waits for one answer to the end keeps others from being asked, and can not ask again.
    let patience = (left / 3).clamp(SHORTEST_ATTEMPT, ATTEMPT).min(left);
    timeout(patience, call).await.unwrap_or_else(|| Err(CallError::timed_out()))
}

/// The pause before attempt number `n`, the second being 1: it doubles, and no two callers keep step.
pub(crate) fn pause(n: u32) -> Duration {
    let (first, longest) = PAUSES;
    let whole = first.saturating_mul(1 << n.saturating_sub(1).min(16)).min(longest);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Calls until there is an answer, until the answer is a no that stays, or until the deadline.
///
/// # Errors
///
/// The last error.
pub(crate) async fn until<T, F>(by: Instant, mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut attempts = 0;
    loop {
        let error = match attempt(by, attempts > 0, call()).await {
            Err(error) if error.meaning == Meaning::ComeAgain => error,
            answer => return answer,
        };
        attempts += 1;
        let pause = pause(attempts);
        if clock::now() + pause >= by {
            return Err(error);
        }
        sleep(pause).await;
    }
}
