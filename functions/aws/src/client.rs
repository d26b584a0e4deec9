//! SDK clients, built once before the first event.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Builder, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use privatelink_core::config::AwsConfig;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(2);

/// The HTTP client that talks to AWS over the network.
pub fn network() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// An EC2 client that speaks through `http`.
///
/// Region and keys come from the configuration and nowhere else: a search for profiles and metadata services would
/// cost a function its start, and find nothing. Retries are [`crate::deadline`]'s and not the SDK's, because they have
/// to know when the invocation ends and leave the last error to be told.
pub fn ec2(config: &AwsConfig, http: SharedHttpClient) -> aws_sdk_ec2::Client {
    let AwsConfig { region, access_key_id, secret_access_key, session_token, ec2_endpoint, .. } = config;
    let credentials =
        Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "environment variables");
    let mut builder = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        .credentials_provider(credentials)
        .http_client(http)
        .sleep_impl(TokioSleep::new())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build());
    builder.set_endpoint_url(ec2_endpoint.clone());
    aws_sdk_ec2::Client::from_conf(builder.build())
}
