//! What the tests connect to: listeners that behave in one way each, and certificates.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;

use privatelink_core::probe::{Endpoint, Target, targets};
use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) const NAME: &str = "api.example.com";

/// What a listener does with each connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Takes it and says nothing.
    Nothing,
    /// Closes it at once.
    Closes,
    /// Waits for something, and answers this, as it is.
    Says(&'static str),
    /// The same over TLS.
    SaysOverTls(TlsAcceptor, &'static str),
}

/// Listens on a port of an address.
pub(crate) async fn listen(at: &str, does: Does) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, does.clone()));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, does: Does) {
    match does {
        Does::Nothing => tokio::time::sleep(std::time::Duration::from_secs(60)).await,
        Does::Closes => {}
        Does::Says(what) => {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(what.as_bytes()).await;
        }
        Does::SaysOverTls(acceptor, what) => {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(what.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    }
}

/// A port of an address where connections are neither taken nor refused: its queue is full, and the system drops what
/// comes more.
pub(crate) async fn silent(at: &str) -> (SocketAddr, Vec<TcpStream>) {
    let at: SocketAddr = at.parse().unwrap();
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
    socket.bind(at).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    let patience = std::time::Duration::from_millis(300);
    while let Ok(Ok(stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
        queue.push(stream);
        assert!(queue.len() < 10, "connections are taken on and on");
    }
    // Nobody accepts, and nothing is closed while the test lasts.
    std::mem::forget(listener);
    (address, queue)
}

/// An authority that signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::called("an authority")
    }

    pub(crate) fn called(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A server with a certificate for that name.
    pub(crate) fn server(&self, name: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_after = date_time_ymd(2001, 1, 1);
            params.not_before = date_time_ymd(2000, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// An endpoint with that private name, those addresses and that port, and whatever else is said.
pub(crate) fn endpoint(addresses: &[IpAddr], port: u16, more: Value) -> Vec<Target> {
    let family = |v4: bool| addresses.iter().filter(|address| address.is_ipv4() == v4).collect::<Vec<_>>();
    let mut facts = json!({
        "id": "vpce-0a", "state": "available", "serviceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0b",
        "ipAddressType": "dualstack", "ports": [NonZeroU16::new(port).unwrap()],
        "names": [{"name": NAME, "kind": "private"}],
        "addresses": {"ipv4": family(true), "ipv6": family(false)},
        "inboundRules": [{"securityGroupId": "sg-0c", "protocol": "-1", "source": "127.0.0.0/8"}],
    });
    facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let facts: Endpoint = serde_json::from_value(facts).unwrap();
    targets(vec![facts]).0
}
