//! The function, apart from its process: the binary hands it what Lambda sends, the command line what its Region sends.

use privatelink_aws::configurator::{Configurator, FUNCTION};
use privatelink_aws::deadline::Deadline;
use privatelink_core::report::{Answer, Failure};
use privatelink_lambda::Invocation;

/// Answers one event.
///
/// A process that dies while it starts says nothing anywhere, so a configuration that is wrong is kept, and every event
/// is answered with it.
pub async fn answer(configurator: &Result<Configurator, Failure>, invocation: Invocation) -> Answer {
    let Invocation { payload, now, left } = invocation;
    match configurator {
        Ok(configurator) => configurator.handle(&payload, now, Deadline::after(left)).await,
        Err(failure) => Answer::failed(FUNCTION, failure.clone()),
    }
}
