//! TLS, as far as it shows whose certificate is served, with the same ring as the SDK's.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use privatelink_core::ids::DnsName;
use privatelink_core::probe::Reached;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ClientConfig, Error, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a handshake may take.
const SHAKE: Duration = Duration::from_secs(5);

/// What handshakes are made with. It is made when the first one is, since reading the system's certificates takes time.
#[derive(Default)]
pub(crate) struct Tls {
    /// Whose certificates are believed; those that the system believes, where nobody is named.
    pub(crate) trusted: Option<Vec<CertificateDer<'static>>>,
    /// The same ready for use, or why it is not.
    connector: OnceLock<Result<TlsConnector, String>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("trusted", &self.trusted.as_ref().map(Vec::len)).finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn trusting(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self { trusted: Some(certificates), connector: OnceLock::new() }
    }

    /// Makes a handshake that ends with a certificate for that name.
    pub(crate) async fn handshake(
        &self,
        name: &DnsName,
        stream: TcpStream,
        by: Instant,
    ) -> Result<TlsStream<TcpStream>, Reached> {
        let connector = self.connector.get_or_init(|| self.made()).as_ref();
        let connector = connector.map_err(|error| Reached::NotTried(error.clone()))?;
        let server = ServerName::try_from(name.as_str().to_owned())
            .map_err(|error| Reached::NotTried(format!("`{name}` can stand in no certificate: {error}")))?;
        match timeout_at(by.min(Instant::now() + SHAKE), connector.connect(server, stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(Reached::NoTls("the handshake is not answered".to_owned())),
        }
    }

    fn made(&self) -> Result<TlsConnector, String> {
        let mut roots = RootCertStore::empty();
        let certificates = match &self.trusted {
            Some(certificates) => certificates.clone(),
            None => rustls_native_certs::load_native_certs().certs,
        };
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err("this system trusts no certificate; `SSL_CERT_FILE` names a file of them".to_owned());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS can not be spoken here: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// What a handshake failed of.
fn failed(error: &io::Error) -> Reached {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(why)) => Reached::BadCertificate(why.to_string()),
        Some(Error::AlertReceived(AlertDescription::UnrecognisedName)) => {
            Reached::BadCertificate("the server knows no such name".to_owned())
        }
        Some(other) => Reached::NoTls(other.to_string()),
        None => Reached::Cut(format!("cuts it in the TLS handshake ({error})")),
    }
}
