//! The way in from other processes: HTTP on a loopback address.

use std::convert::Infallible;
use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::{Answer, Region, Reply, Request, control};

/// Answers on a listener until the future is dropped. It has to be polled within a tokio runtime.
///
/// # Errors
///
/// The listener can accept no more connections.
pub async fn serve(region: Region, listener: TcpListener) -> io::Result<Infallible> {
    loop {
        let (stream, _) = listener.accept().await?;
        let region = region.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&region, request));
            // A reset is a service that fails: the connection ends there, and its end is nobody's error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(region: &Region, request: http::Request<Incoming>) -> io::Result<http::Response<Full<Bytes>>> {
    let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let authorization = authorization.unwrap_or_default().to_owned();
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    let request = Request { method, path, query, authorization, body };
    let reply = if request.path.starts_with(control::PATH) {
        Reply::Answer(control::answer(region, &request))
    } else {
        region.answer(&request)
    };
    match reply {
        Reply::Answer(Answer { status, headers, body }) => {
            let mut response =
                http::Response::builder().status(status).header("content-type", "text/xml;charset=UTF-8");
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Full::from(body)).map_err(io::Error::other)
        }
        Reply::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        Reply::Silence => std::future::pending().await,
    }
}
