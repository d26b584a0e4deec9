//! The Lambda function that tells consumers what became of their connections.

use availability_notifier::answer;
use privatelink_aws::notifier::Notifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // The clients are ready before the first event is asked for.
    let notifier = Notifier::from_vars(|name| std::env::var(name).ok());
    privatelink_lambda::serve(|invocation| answer(&notifier, invocation)).await
}
