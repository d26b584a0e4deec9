//! One HTTP request over a connection that is there, and the status of its answer.

use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use privatelink_core::probe::{Contact, Reached};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// From this status on a service says that it is broken; before, that it is there.
const BROKEN: u16 = 500;

/// What the other side says, where it is to be asked; that it is there, where not.
pub(crate) async fn said<S>(stream: S, contact: &Contact, by: Instant) -> Reached
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some((host, path)) = &contact.http else { return Reached::Works { status: None } };
    let usual = if contact.tls.is_some() { 443 } else { 80 };
    let port = contact.port.get();
    let host = if port == usual { host.to_string() } else { format!("{host}:{port}") };
    let request = http::Request::get(path.as_str())
        .header("host", host)
        .header("user-agent", "privatelink-probe")
        .header("connection", "close")
        .body(Empty::<Bytes>::new());
    let request = match request {
        Ok(request) => request,
        Err(error) => return Reached::NotTried(format!("the request can not be written: {error}")),
    };
    let answer = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await;
        connection.abort();
        answer
    };
    match timeout_at(by.min(Instant::now() + ANSWER), answer).await {
        Ok(Ok(answer)) if answer.status().as_u16() >= BROKEN => Reached::ServerError(answer.status().as_u16()),
        Ok(Ok(answer)) => Reached::Works { status: Some(answer.status().as_u16()) },
        Ok(Err(error)) if error.is_parse() => Reached::NoHttp(error.to_string()),
        Ok(Err(error)) => Reached::Cut(format!("cuts it before it answers ({error})")),
        Err(_) => Reached::NoHttp("the request is not answered".to_owned()),
    }
}
