//! One connector for all clients of a process.
//!
//! For each client that is made the SDK's own HTTP client builds a connector and throws it away, so that certificates are
//! read by then, and another one when the client first calls; each of them reads all certificates. Connectors may differ
//! by their time-outs, and those of all clients here are alike.

use std::sync::OnceLock;

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// An HTTP client that builds one connector, and no other.
#[derive(Debug)]
pub(crate) struct OneConnector {
    inner: SharedHttpClient,
    connector: OnceLock<SharedHttpConnector>,
}

impl OneConnector {
    /// A client that calls as that one does.
    pub(crate) fn of(inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Self { inner, connector: OnceLock::new() })
    }
}

impl HttpClient for OneConnector {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.connector.get_or_init(|| self.inner.http_connector(settings, components)).clone()
    }
}
