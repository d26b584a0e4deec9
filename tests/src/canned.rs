//! An EC2 that answers as a test says, for answers that the simulated Region does not give: those that lack what AWS may
//! leave out, and listings that end late.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// A request's parameters, by name; the operation's name is `Action`.
pub type Params = BTreeMap<String, String>;

/// What is answered: the inside of a response's document, or an error's HTTP status and code.
pub type Answered = Result<String, (u16, &'static str)>;

/// An EC2 that answers so, and keeps what it was asked.
#[derive(Clone)]
pub struct Canned {
    answer: Arc<dyn Fn(&Params) -> Answered + Send + Sync>,
    asked: Arc<Mutex<Vec<Params>>>,
}

impl Canned {
    /// An EC2 that answers by this function.
    pub fn new(answer: impl Fn(&Params) -> Answered + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default() }
    }

    /// The way to it.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The requests of an operation that were made so far.
    pub fn asked(&self, action: &str) -> Vec<Params> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|params| params["Action"] == action).cloned().collect()
    }
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answer: _, asked } = self;
        f.debug_struct("Canned").field("asked", asked).finish_non_exhaustive()
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let params: Params = body.split('&').filter_map(|pair| pair.split_once('=')).map(decoded).collect();
        let (status, body) = match (self.answer)(&params) {
            Ok(inside) => {
                let action = &params["Action"];
                let xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/";
                (
                    200,
                    format!("<{action}Response xmlns=\"{xmlns}\"><requestId>1</requestId>{inside}</{action}Response>"),
                )
            }
            Err((status, code)) => {
                let error = format!("<Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>");
                (status, format!("<Response>{error}<RequestID>1</RequestID></Response>"))
            }
        };
        self.asked.lock().unwrap().push(params);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body.into())))
    }
}

/// A name and a value as they were before they were put into a body.
fn decoded((name, value): (&str, &str)) -> (String, String) {
    let mut bytes = value.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    (name.to_owned(), String::from_utf8(text).unwrap())
}
