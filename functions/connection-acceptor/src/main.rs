//! The Lambda function that judges endpoint connections.

use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::deadline::Deadline;
use privatelink_lambda::{Invocation, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // A process that dies while it starts says nothing anywhere: a bad configuration is kept, and every event gets it.
    let acceptor = Acceptor::from_vars(|name| std::env::var(name).ok());
    let acceptor = &acceptor;
    serve(|Invocation { payload, now, left }| async move {
        match acceptor {
            Ok(acceptor) => acceptor.handle(&payload, now, Deadline::after(left)).await,
            Err(failure) => failure.clone().into(),
        }
    })
    .await
}
