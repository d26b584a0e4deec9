//! The time that passes while an invocation works.
//!
//! It is the machine's. A simulation puts its own in the place of it, for its own thread alone: hours then pass at once,
//! and everything happens in the same order whenever it is played again.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// A time that somebody else lets pass.
pub trait Time {
    /// The time.
    fn now(&self) -> Instant;

    /// Wakes a task once it is that time.
    fn wake(&self, at: Instant, waker: &Waker);
}

thread_local! {
    static SIMULATED: RefCell<Option<Rc<dyn Time>>> = const { RefCell::new(None) };
}

/// From now on this is the time of everything that works on this thread; the machine's, with nothing.
pub fn simulate(time: Option<Rc<dyn Time>>) {
    SIMULATED.replace(time);
}

fn simulated() -> Option<Rc<dyn Time>> {
    SIMULATED.with_borrow(Clone::clone)
}

/// The time.
pub fn now() -> Instant {
    simulated().map_or_else(Instant::now, |time| time.now())
}

/// How long ago that was.
pub(crate) fn since(then: Instant) -> Duration {
    now().saturating_duration_since(then)
}

/// Waits until then.
pub async fn sleep_until(at: Instant) {
    if simulated().is_none() {
        return tokio::time::sleep_until(at).await;
    }
    poll_fn(move |task| match simulated() {
        Some(time) if time.now() < at => {
            time.wake(at, task.waker());
            Poll::Pending
        }
        Some(_) | None => Poll::Ready(()),
    })
    .await;
}

/// Waits for so long.
pub async fn sleep(length: Duration) {
    sleep_until(now() + length).await;
}

/// What the work comes to, if it takes no longer than that.
pub(crate) async fn timeout<T>(length: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = sleep(length) => None,
    }
}
