//! The way from a function to the Region on which one call goes wrong, or all from one call on; and the book of what was
//! called.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use privatelink_region::Region;
use privatelink_region::faults::{self, When};

use super::fault::{Fault, How, Often};
use crate::calls::recorded;
use crate::simulation::functions::Function;
use crate::simulation::network::action;

/// What a call is for that asks for another page than the first.
pub const LATER_PAGE: &str = "a later page";

/// An operation, and what it is called for where a function calls it for several things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// AWS's word.
    pub action: String,
    /// What for, in a word or two; empty, where it is called for one thing.
    pub part: &'static str,
}

impl Operation {
    /// Whether AWS is another one after it.
    pub fn changes_something(&self) -> bool {
        let reads = ["Describe", "List", "Get", "Assume"].iter().any(|read| self.action.starts_with(read));
        !reads && self.part != "the dry run"
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, part } = self;
        if part.is_empty() { f.write_str(action) } else { write!(f, "{action}, {part}") }
    }
}

/// Which calls go wrong: the first of an operation, and perhaps all after it.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Of which operation.
    pub of: Operation,
    /// Whether others follow.
    pub often: Often,
    /// In which way.
    pub fault: Fault,
}

/// What came of the calls.
#[derive(Debug, Default)]
pub struct Book {
    /// How often each operation was called.
    pub calls: BTreeMap<Operation, usize>,
    /// The operations that were called at all, however long ago.
    pub ever: BTreeSet<String>,
    /// How often each operation took effect that changes something.
    pub writes: BTreeMap<Operation, usize>,
    trouble: Option<Trouble>,
}

/// The way.
#[derive(Clone)]
pub struct Way {
    region: Region,
    book: Arc<Mutex<Book>>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("book", &self.book).finish_non_exhaustive()
    }
}

impl Way {
    /// A way on which all is well.
    pub fn new(region: &Region) -> Self {
        Self { region: region.clone(), book: Arc::default() }
    }

    /// The book.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// A function's way.
    pub fn client(&self, function: Function) -> SharedHttpClient {
        let name = match function {
            Function::Acceptor => "connection-acceptor",
            Function::Verifier => "domain-verifier",
            Function::Notifier => "availability-notifier",
            Function::Configurator => "endpoint-configurator",
        };
        recorded(name, SharedHttpClient::new(self.clone()))
    }

    /// From now on these calls go wrong; none, with nothing.
    pub fn break_calls(&self, trouble: Option<Trouble>) {
        let mut book = self.book();
        book.calls.clear();
        book.writes.clear();
        book.trouble = trouble;
    }

    /// What a request is. A look that a function takes because of what it has just written is another one.
    fn operation(&self, request: &HttpRequest) -> Operation {
        let (action, mut part) = (action(request), part(request));
        let looks =
            ["DescribeVpcEndpointServiceConfigurations", "DescribeVpcEndpointConnections", "DescribeVpcEndpoints"];
        if part.is_empty() && looks.contains(&action.as_str()) && !self.book().writes.is_empty() {
            part = "after a write";
        }
        Operation { action, part }
    }

    /// Notes a call, and says whether it goes wrong.
    fn fate(&self, of: &Operation) -> Option<Fault> {
        let mut book = self.book();
        book.ever.insert(of.action.clone());
        let number = book.calls.entry(of.clone()).or_default();
        *number += 1;
        let number = *number;
        let trouble = book.trouble.as_ref().filter(|trouble| trouble.of == *of)?;
        let hit = match trouble.often {
            Often::Once => number == 1,
            Often::ForEver => true,
        };
        hit.then_some(trouble.fault)
    }

    /// Brings a call to the Region, which answers at once.
    async fn carry(&self, of: &Operation, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let answer = self.region.call(request).await;
        let good = answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == 200);
        if good && of.changes_something() {
            *self.book().writes.entry(of.clone()).or_default() += 1;
        }
        answer
    }
}

impl HttpClient for Way {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = self.clone();
        HttpConnectorFuture::new(async move {
            let of = way.operation(&request);
            let Some(fault) = way.fate(&of) else { return way.carry(&of, request).await };
            let (how, when) = fault.how();
            if let How::Answer(kind) = how {
                way.region.break_next(faults::Fault { action: of.action.clone(), times: 1, kind, when });
                let answer = match when {
                    // What did not take effect is in no book.
                    When::Before => way.region.call(request).await,
                    When::After | When::Never => way.carry(&of, request).await,
                };
                way.region.mend();
                return answer;
            }
            if when == When::After {
                drop(way.carry(&of, request).await);
            }
            match how {
                How::Reset => Err(ConnectorError::io("connection reset by peer".into())),
                How::Empty => Ok(empty(&of.action)),
                How::Silence | How::Answer(_) => std::future::pending().await,
            }
        })
    }
}

fn body(request: &HttpRequest) -> String {
    String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned()
}

/// What a call is for, read from what it says.
fn part(request: &HttpRequest) -> &'static str {
    let body = body(request);
    let has = |word: &str| body.contains(word);
    if has("&NextToken=") || request.uri().contains("hostedzoneid=") {
        LATER_PAGE
    } else if !has("Action=CreateTags") {
        ""
    } else if has("DryRun=true") {
        "the dry run"
    } else if has("told%3Dverified") {
        "the memory of a notice"
    } else if has("privatelink%3Adomain") {
        "the memory"
    } else if has("privatelink%3Anotified") {
        "the mark"
    } else if has("privatelink%3Anotifying") {
        "the claim"
    } else {
        "the decision"
    }
}

/// A page with nothing on it, and none after it.
fn empty(action: &str) -> HttpResponse {
    let inside = match action {
        "ListHostedZonesByName" => {
            "<HostedZones></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
        }
        _ => "<requestId>1</requestId>",
    };
    let body = format!("<{action}Response>{inside}</{action}Response>");
    HttpResponse::new(200.try_into().unwrap(), body.into())
}
