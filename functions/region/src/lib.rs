//! A simulated AWS Region in which PrivateLink connections live their life.
//!
//! One world in memory, spoken to as AWS is: in EC2's Query protocol, in process as the HTTP connector under real SDK
//! clients ([`Region::http_client`]), or over loopback HTTP ([`server::serve`]). What is known of AWS is behaved as
//! known; what nobody could confirm is a [`Settings`] field, so that both possibilities can be tried.
//!
//! - [`clock`]: the Region's time, which runs by itself or is stepped.
//! - [`world`]: services, endpoints and what becomes of them; nothing of HTTP.
//! - [`sns`]: topics, and what they delivered; `sts`: who one is, and whom one may be.
//! - [`service`]: which AWS service a request is for; `ec2` and its like hold the operations: parameters checked,
//!   answers written.
//! - [`route53`]: zones, their record sets, and what the world sees of them.
//! - [`dns`]: what the world reads in DNS, and the name servers that say it.
//! - [`query`], `answers` and [`xml`]: the protocol.
//! - [`error`]: how a refusal is said.
//! - [`requests`]: the requests that came last, for whoever wants to hold them against AWS's models.
//! - [`buckets`]: request throttling.
//! - [`faults`]: what goes wrong on request.
//! - [`happening`]: what a listener is told, and the events that it becomes.
//! - `cloudtrail`: the records of EC2's calls that [`happening`] tells of.
//! - [`state`]: the whole world as one document, to be saved and loaded.
//! - [`connector`] and [`server`]: the two ways in; [`control`]: what AWS has not.

mod answers;
pub mod buckets;
pub mod clock;
mod cloudtrail;
pub mod connector;
pub mod control;
pub mod dns;
mod ec2;
pub mod error;
pub mod faults;
pub mod happening;
pub mod query;
pub mod requests;
pub mod route53;
pub mod server;
pub mod service;
pub mod sns;
pub mod state;
mod sts;
pub mod world;
pub mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::clock::Clock;
use crate::error::ApiError;
use crate::faults::{Fault, Faults, When};
use crate::happening::Happening;
use crate::service::{Caller, Service};
use crate::world::World;

/// How this Region is to behave where AWS leaves it open, or where a test wants it otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The Region's name.
    pub name: String,
    /// What ids, delays and tokens are drawn from: the same seed makes the same world.
    pub seed: u64,
    /// Whether requests are throttled as AWS throttles them.
    pub throttling: bool,
    /// The most endpoint ids that one Accept or Reject takes. AWS documents none.
    pub most_endpoint_ids: Option<usize>,
    /// Whether an endpoint id that is not known spoils the whole call, rather than being an `unsuccessful` item.
    pub unknown_id_spoils_call: bool,
    /// How far DescribeVpcEndpointConnections lags behind what was written.
    pub read_lag: Duration,
    /// How long after a change of a zone Route 53 refuses the next with `PriorRequestNotComplete`. AWS documents no time.
    pub prior_request_seconds: Option<u64>,
    /// Whether `InvalidChangeBatch` comes in a form of its own, as AWS documents it, rather than in that of all other
    /// errors, as it was seen since 2024.
    pub change_batch_errors_apart: bool,
    /// The most items on a page, where it is less than what was asked for.
    pub page: usize,
    /// The ARNs of the roles that nobody may assume.
    pub refused_roles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "us-west-2".to_owned(),
            seed: 1,
            throttling: true,
            most_endpoint_ids: None,
            unknown_id_spoils_call: false,
            read_lag: Duration::ZERO,
            prior_request_seconds: None,
            change_batch_errors_apart: false,
            page: 1000,
            refused_roles: Vec::new(),
        }
    }
}

/// A Region, shared by all who hold it.
#[derive(Debug, Clone)]
pub struct Region(Arc<Mutex<World>>);

/// One HTTP request, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query string, without its question mark.
    pub query: String,
    /// The `Authorization` header, whose access key id is the account, or that of a role's session.
    pub authorization: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// There is an answer.
    Answer(Answer),
    /// The connection breaks before there is an answer.
    Reset,
    /// There is never an answer.
    Silence,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type, which is that of XML.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer with HTTP 200.
    pub fn xml(body: String) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }
}

impl Region {
    /// An empty Region.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self(Arc::new(Mutex::new(World::new(settings, clock))))
    }

    /// The world as it is now. A panic while somebody looked at it changes nothing about it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.catch_up();
        world
    }

    /// The Region's time.
    pub fn now(&self) -> OffsetDateTime {
        self.world().now()
    }

    /// Lets that much time pass at once. What was due on the way happens in its order.
    pub fn step(&self, by: Duration) {
        let mut world = self.world();
        world.clock.step(by);
        world.catch_up();
    }

    /// Tells of everything that happens from now on.
    pub fn listen(&self) -> UnboundedReceiver<Happening> {
        let (sender, receiver) = unbounded_channel();
        self.world().listeners.push(sender);
        receiver
    }

    /// Asks for the next calls of an operation to go wrong.
    pub fn break_next(&self, fault: Fault) {
        self.world().faults.add(fault);
    }

    /// Takes back all faults that are still to come.
    pub fn mend(&self) {
        self.world().faults = Faults::default();
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request) -> Reply {
        let mut world = self.world();
        world.requests.push(request);
        let request_id = world.request_id();
        let reply = Self::answer_as(world, request, &request_id);
        match reply {
            Reply::Answer(mut answer) => {
                answer.headers.push(("x-amzn-requestid", request_id));
                Reply::Answer(answer)
            }
            Reply::Reset | Reply::Silence => reply,
        }
    }

    fn answer_as(mut world: MutexGuard<'_, World>, request: &Request, request_id: &str) -> Reply {
        let caller = match Caller::of(&request.authorization, &world.sessions) {
            Ok(caller) => caller,
            Err(error) => return Reply::Answer(Service::Ec2.refuse(&error, request_id)),
        };
        let service = caller.service;
        let refuse = |error: &ApiError| Reply::Answer(service.refuse(error, request_id));
        let call = match service.read(caller, request) {
            Ok(call) => call,
            Err(error) => return refuse(&error),
        };
        let (action, account) = (call.action.clone(), call.caller.account.clone());
        let fault = world.faults.next(&action);
        // Items are refused by a call that is carried out, whenever somebody wants them to be.
        let before = |fault: &&Fault| fault.when == When::Before && fault.kind.items().is_none();
        if let Some(Fault { kind, .. }) = fault.as_ref().filter(before) {
            world.log_call(&action, &account, Err(&kind.code(service)));
            if let Some(error) = kind.refusal(service) {
                cloudtrail::record(&mut world, &call, request_id, Err(&error));
            }
            return kind.reply(service, request_id);
        }
        if let Err(error) = world.throttle(service, &account, &action) {
            world.log_call(&action, &account, Err(&error.code));
            cloudtrail::record(&mut world, &call, request_id, Err(&error));
            return refuse(&error);
        }
        let items = fault.as_ref().and_then(|fault| fault.kind.items());
        world.refuse_items = items.map(|(code, half)| (code.to_owned(), half));
        let answer = service.dispatch(&mut world, call, request_id);
        world.refuse_items = None;
        world.log_call(&action, &account, answer.as_ref().map(|_| ()).map_err(|error| error.code.as_str()));
        match (fault, answer) {
            (Some(Fault { kind, .. }), _) if kind.items().is_none() => kind.reply(service, request_id),
            (_, Ok(answer)) => Reply::Answer(answer),
            (_, Err(error)) => refuse(&error),
        }
    }
}
