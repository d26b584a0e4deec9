//! A record of every call that the functions make in the scenarios, for whoever holds their permissions against it.
//!
//! It is kept where `PRIVATELINK_CALLS` names a file: one JSON object a line is added to it. Where it is not set, nothing
//! is in the way between a function and its Region.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::json;

#[derive(Debug, Clone)]
struct Recorder {
    function: &'static str,
    inner: SharedHttpConnector,
    file: &'static File,
}

#[derive(Debug)]
struct Recording {
    function: &'static str,
    inner: SharedHttpClient,
    file: &'static File,
}

/// The same way to the Region, on which that function's calls are recorded if somebody asked for it.
pub fn recorded(function: &'static str, client: SharedHttpClient) -> SharedHttpClient {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os("PRIVATELINK_CALLS")?;
        Some(OpenOptions::new().create(true).append(true).open(path).unwrap())
    });
    match file {
        Some(file) => SharedHttpClient::new(Recording { function, inner: client, file }),
        None => client,
    }
}

impl HttpClient for Recording {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let Self { function, inner, file } = self;
        SharedHttpConnector::new(Recorder { function, inner: inner.http_connector(settings, parts), file })
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`
        let authorization = request.headers().get("authorization").unwrap_or_default();
        let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
        let parts: Vec<&str> = scope.split('/').collect();
        let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        let line = json!({
            "function": self.function,
            "key": parts[0],
            "region": parts[2],
            "service": parts[3],
            "method": request.method(),
            "path": path.parse::<http::Uri>().unwrap().path(),
            "query": query,
            "body": String::from_utf8_lossy(request.body().bytes().unwrap_or_default()),
        });
        // One write for each line: the tests of several programs add to one file.
        let mut file = self.file;
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.inner.call(request)
    }
}
