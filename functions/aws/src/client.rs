//! SDK clients, built once before the first event.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use privatelink_core::config::AwsConfig;

use crate::connector::OneConnector;
use crate::error::root_element;
use crate::roots::roots;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(2);

/// Of a body this much is read to see what it is, in bytes.
const BEGINNING: usize = 512;

/// The HTTP client that talks to AWS over the network.
pub fn network(config: &AwsConfig, lookup: impl Fn(&str) -> Option<String>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    OneConnector::of(match roots(config, lookup) {
        Some(roots) => builder.tls_context(roots).build_https(),
        None => builder.build_https(),
    })
}

/// Who asks: the keys that the configuration has.
pub(crate) fn own_keys(config: &AwsConfig) -> Credentials {
    let AwsConfig { access_key_id, secret_access_key, session_token, .. } = config;
    Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "environment variables")
}

/// Sees that what came under HTTP 200 is an answer of EC2's. Of an operation that returns nothing, such as CreateTags,
/// the SDK does not read the body: whatever a proxy on the way says would be success.
#[derive(Debug)]
struct IsAnAnswer;

impl Intercept for IsAnAnswer {
    fn name(&self) -> &'static str {
        "IsAnAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default().trim_ascii_end();
        let beginning = String::from_utf8_lossy(body.get(..BEGINNING).unwrap_or(body));
        // What was cut off on the way has no end.
        let has_end = |root: &str| body.ends_with(format!("</{root}>").as_bytes()) || body.ends_with(b"/>");
        let is_whole = |root: String| root.ends_with("Response") && has_end(&root);
        if response.status().is_success() && !root_element(beginning.as_bytes()).is_some_and(is_whole) {
            return Err("the body is no answer of EC2's".into());
        }
        Ok(())
    }
}

/// A client of one service.
///
/// Region and keys come from the configuration and nowhere else: a search for profiles and metadata services would
/// cost a function its start, and find nothing. Retries are [`crate::deadline`]'s and not the SDK's, because they have
/// to know when the invocation ends and leave the last error to be told.
macro_rules! client {
    ($sdk:ident, $region:expr, $keys:expr, $endpoint:expr, $http:expr $(, $interceptor:expr)?) => {{
        let mut builder = $sdk::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new($region))
            .credentials_provider($keys)
            .http_client($http)
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build());
        builder.set_endpoint_url($endpoint);
        $(builder = builder.interceptor($interceptor);)?
        $sdk::Client::from_conf(builder.build())
    }};
}

/// An EC2 client that speaks through `http`.
pub fn ec2(config: &AwsConfig, http: SharedHttpClient) -> aws_sdk_ec2::Client {
    client!(aws_sdk_ec2, config.region.clone(), own_keys(config), config.ec2_endpoint.clone(), http, IsAnAnswer)
}

/// A Route 53 client with those keys, which may be another account's.
pub(crate) fn route53(config: &AwsConfig, keys: Credentials, http: SharedHttpClient) -> aws_sdk_route53::Client {
    client!(aws_sdk_route53, config.region.clone(), keys, config.route53_endpoint.clone(), http)
}

/// An SNS client for the topics of a Region, which need not be the configuration's.
pub(crate) fn sns(config: &AwsConfig, region: &str, http: SharedHttpClient) -> aws_sdk_sns::Client {
    client!(aws_sdk_sns, region.to_owned(), own_keys(config), config.sns_endpoint.clone(), http)
}

/// An STS client of the configuration's Region.
pub(crate) fn sts(config: &AwsConfig, http: SharedHttpClient) -> aws_sdk_sts::Client {
    client!(aws_sdk_sts, config.region.clone(), own_keys(config), config.sts_endpoint.clone(), http)
}
