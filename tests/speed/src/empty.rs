//! A Lambda function that does nothing: what any function in Rust pays for the runtime alone.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let nothing = async |_: LambdaEvent<Value>| Ok::<_, Error>(Value::Null);
    Runtime::new(service_fn(nothing)).run().await
}
