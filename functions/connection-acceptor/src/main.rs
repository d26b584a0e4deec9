//! The Lambda function that judges endpoint connections.

use connection_acceptor::answer;
use privatelink_aws::acceptor::Acceptor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // The client and the policy are ready before the first event is asked for.
    let acceptor = Acceptor::from_vars(|name| std::env::var(name).ok());
    privatelink_lambda::serve(|invocation| answer(&acceptor, invocation)).await
}
