//! The Lambda function that proves private DNS names.

use domain_verifier::answer;
use privatelink_aws::verifier::Verifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // The clients are ready before the first event is asked for.
    let verifier = Verifier::from_vars(|name| std::env::var(name).ok());
    privatelink_lambda::serve(|invocation| answer(&verifier, invocation)).await
}
