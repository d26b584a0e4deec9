//! How often one invocation calls AWS.
//!
//! The figure belongs to the task that works on the invocation, so that neither a client nor a deadline has to carry it,
//! and one invocation never counts the calls of another.

use std::cell::Cell;

use futures_util::future::LocalBoxFuture;
use privatelink_core::metrics::Calls;

tokio::task_local! {
    static CALLS: Cell<Calls>;
}

/// Does the work of one invocation, and says how often it called AWS.
///
/// It is a future of its own: nested in all the others it is deeper than the compiler follows.
pub(crate) async fn counted<T>(work: LocalBoxFuture<'_, T>) -> (T, Calls) {
    let counted = async {
        let done = work.await;
        (done, CALLS.try_with(Cell::get).unwrap_or_default())
    };
    CALLS.scope(Cell::default(), counted).await
}

/// Counts one attempt, which is the first or not. Whoever is at work on no invocation counts nothing.
pub(crate) fn count(again: bool) {
    let _ = CALLS.try_with(|calls| {
        let Calls { made, again: before } = calls.get();
        calls.set(Calls { made: made + 1, again: before + u64::from(again) });
    });
}
