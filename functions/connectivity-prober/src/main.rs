//! The Lambda function that tries an endpoint from inside its VPC.

use connectivity_prober::{Prober, answer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let prober = Prober::from_vars(|name| std::env::var(name).ok());
    privatelink_lambda::serve(|invocation| answer(&prober, invocation)).await
}
