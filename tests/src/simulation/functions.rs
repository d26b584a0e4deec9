//! The functions as Lambda runs them: processes that are begun and reused, one invocation at a time in each, and dropped
//! at whatever moment.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Wake;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_aws::configurator::Configurator;
use privatelink_aws::deadline::Deadline;
use privatelink_aws::notifier::Notifier;
use privatelink_aws::verifier::Verifier;
use privatelink_core::config::{AcceptorConfig, ConfiguratorConfig, NotifierConfig, VerifierConfig};
use privatelink_core::report::Answer;
use privatelink_dns::Dns;
use privatelink_region::Region;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::network::Network;
use super::sky::Sky;

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `connection-acceptor`.
    Acceptor,
    /// `domain-verifier`.
    Verifier,
    /// `availability-notifier`.
    Notifier,
    /// `endpoint-configurator`.
    Configurator,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Acceptor, Self::Verifier, Self::Notifier, Self::Configurator];
}

/// What the functions are told.
#[derive(Debug, Clone)]
pub struct Configs {
    /// The acceptor.
    pub acceptor: AcceptorConfig,
    /// The verifier.
    pub verifier: VerifierConfig,
    /// The notifier.
    pub notifier: NotifierConfig,
    /// The consumer's configurator.
    pub configurator: ConfiguratorConfig,
}

enum Code {
    Acceptor(Rc<Acceptor>),
    Verifier(Rc<Verifier>),
    Notifier(Rc<Notifier>),
    Configurator(Rc<Configurator>),
}

/// A process that runs a function, and is kept for its next event.
pub struct Process {
    /// Which function.
    pub function: Function,
    code: Code,
    at_work: Arc<AtomicU64>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Process {
    /// Begins one.
    pub fn new(function: Function, configs: &Configs, region: &Region, network: &Arc<Network>) -> Self {
        let at_work = Arc::new(AtomicU64::new(0));
        Self::over(network.way(&at_work), at_work, function, configs, region)
    }

    /// Begins one that speaks to the Region in that way, which may look up which invocation is at work.
    pub fn over(
        http: SharedHttpClient,
        at_work: Arc<AtomicU64>,
        function: Function,
        configs: &Configs,
        region: &Region,
    ) -> Self {
        let code = match function {
            Function::Acceptor => {
                let config = configs.acceptor.clone();
                let ec2 = client::ec2(&config.aws, http);
                Code::Acceptor(Rc::new(Acceptor::new(config, ec2)))
            }
            Function::Verifier => {
                let dns = Dns::said(Sky(region.clone()));
                Code::Verifier(Rc::new(Verifier::new(configs.verifier.clone(), &http, dns)))
            }
            Function::Notifier => Code::Notifier(Rc::new(Notifier::new(configs.notifier.clone(), &http))),
            Function::Configurator => {
                Code::Configurator(Rc::new(Configurator::new(configs.configurator.clone(), &http)))
            }
        };
        Self { function, code, at_work }
    }

    fn handle(
        &self,
        payload: Vec<u8>,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Pin<Box<dyn Future<Output = Answer>>> {
        macro_rules! handled {
            ($code:expr) => {{
                let code = Rc::clone($code);
                Box::pin(async move { code.handle(&payload, now, deadline).await })
            }};
        }
        match &self.code {
            Code::Acceptor(code) => handled!(code),
            Code::Verifier(code) => handled!(code),
            Code::Notifier(code) => handled!(code),
            Code::Configurator(code) => handled!(code),
        }
    }

    /// Gives it an event.
    pub fn invoke(self, id: u64, payload: Vec<u8>, now: OffsetDateTime, at: Instant, left: Duration) -> Invocation {
        self.at_work.store(id, Ordering::Relaxed);
        let work = self.handle(payload, now, Deadline::after(left));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Invocation { id, process: self, work, woken, polls: 0, dies: None, end: at + left }
    }
}

/// Whether there is something to do.
#[derive(Debug)]
pub struct Woken(pub AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A function at work on an event.
pub struct Invocation {
    /// Its number.
    pub id: u64,
    /// Where it works.
    pub process: Process,
    /// Its work.
    pub work: Pin<Box<dyn Future<Output = Answer>>>,
    /// Whether it has something to do.
    pub woken: Arc<Woken>,
    /// How often it did something.
    pub polls: u32,
    /// After how many times it dies, if it does.
    pub dies: Option<u32>,
    /// When Lambda ends it.
    pub end: Instant,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("id", &self.id).field("process", &self.process).finish_non_exhaustive()
    }
}
