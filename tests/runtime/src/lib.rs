//! A Lambda service for one function: the Runtime API on loopback, and the function as a process.
//!
//! It knows neither what a function does nor AWS's SDK, so that a benchmark that needs no more is built in a minute.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that finds something other than it was promised has found a failure"
)]

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How an invocation ended: with a value, or with an error's type and message.
pub type Ended = Result<Value, (String, String)>;

/// A function that runs, and ends with this.
#[derive(Debug)]
pub struct Function {
    process: Child,
    begun: Instant,
    shared: Arc<Shared>,
    log: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Default)]
struct Shared {
    first_poll: OnceLock<Instant>,
    polled: Notify,
    events: Mutex<VecDeque<(Vec<u8>, Duration)>>,
    more_events: Notify,
    ended: Mutex<VecDeque<Ended>>,
    more_ended: Notify,
}

impl Function {
    /// Starts a program with these variables, those of Lambda's own, and none of this process's.
    pub async fn start(mut program: Command, variables: &[(&str, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        program
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(variables.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::piped());
        let begun = Instant::now();
        let mut process = program.spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Self { process, begun, shared, log }
    }

    /// Waits until the function asks for its first event, and says how long that took from the start of its process.
    pub async fn ready(&self) -> Duration {
        loop {
            if let Some(polled) = self.shared.first_poll.get() {
                return *polled - self.begun;
            }
            self.shared.polled.notified().await;
        }
    }

    /// Sends one event and waits for what comes of it. The function is told that it has that much time.
    pub async fn invoke_within(&self, payload: &[u8], left: Duration) -> Ended {
        self.shared.events.lock().unwrap().push_back((payload.to_vec(), left));
        self.shared.more_events.notify_one();
        loop {
            if let Some(ended) = self.shared.ended.lock().unwrap().pop_front() {
                return ended;
            }
            self.shared.more_ended.notified().await;
        }
    }

    /// The same with a minute's time.
    pub async fn invoke(&self, payload: &[u8]) -> Ended {
        self.invoke_within(payload, Duration::from_secs(60)).await
    }

    /// The lines that the function has written so far, which are all those of the invocations that have ended.
    pub fn log(&self) -> Vec<String> {
        // The process has written them before it answered; the thread that reads them may be behind by a moment.
        std::thread::sleep(Duration::from_millis(100));
        self.log.lock().unwrap().clone()
    }

    /// The same lines, each of which is JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.log().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most resident memory that the process has had so far, in MiB. Only Linux tells it.
    pub fn peak(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(f64::NAN);
        kib / 1024.0
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| runtime_api(request, Arc::clone(&shared)));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn runtime_api(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    if path.ends_with("/invocation/next") {
        if shared.first_poll.set(Instant::now()).is_ok() {
            shared.polled.notify_one();
        }
        let (payload, left) = loop {
            let event = shared.events.lock().unwrap().pop_front();
            match event {
                Some(event) => break event,
                None => shared.more_events.notified().await,
            }
        };
        let since_epoch = Duration::try_from(OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH).unwrap();
        return Response::builder()
            // As Lambda says it. The runtime client of Python's does not survive an answer without it.
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            .header("lambda-runtime-deadline-ms", (since_epoch + left).as_millis().to_string())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-west-2:999988887777:function:function")
            .body(Full::from(payload))
            .map_err(io::Error::other);
    }
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let ended = match path.rsplit('/').next() {
        Some("response") => Ok(value),
        Some("error") => Err((text("errorType"), text("errorMessage"))),
        other => panic!("the runtime posted to {other:?}"),
    };
    shared.ended.lock().unwrap().push_back(ended);
    shared.more_ended.notify_one();
    Response::builder().status(202).body(Full::default()).map_err(io::Error::other)
}
