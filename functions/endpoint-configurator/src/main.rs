//! The Lambda function that configures a consumer's endpoints.

use endpoint_configurator::answer;
use privatelink_aws::configurator::Configurator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // The client is ready before the first event is asked for.
    let configurator = Configurator::from_vars(|name| std::env::var(name).ok());
    privatelink_lambda::serve(|invocation| answer(&configurator, invocation)).await
}
