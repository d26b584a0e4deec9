//! What CloudWatch counts of an invocation: the words, and the figures that belong to them.
//!
//! - `count`: from what came of an invocation to its figures.
//! - `standing`: how things stand that wait: connections, and private DNS names.
//! - `document`: the figures in CloudWatch's embedded metric format.
//!
//! Figures are of the function, or of one of the services. Policies, endpoints and accounts stay in the log: each would
//! be a metric of its own, which costs money, and is nobody's business but that of whoever may read the log.

mod count;
mod document;
mod standing;

use std::collections::BTreeMap;

use crate::ids::ServiceId;

pub use count::Calls;
pub use standing::{Names, Waiting};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "PrivateLink";

/// What a metric is counted in, in CloudWatch's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things or events.
    Count,
    /// Whole seconds.
    Seconds,
}

impl Unit {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
        }
    }
}

/// Makes the words of a list, so that none is spelt in two ways and none is left out of [`Metric::ALL`].
macro_rules! vocabulary {
    ($($(#[$said:meta])+ $name:ident: $unit:ident,)+) => {
        /// A metric, under the name that CloudWatch shows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($(#[$said])+ $name,)+
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it is counted in.
            pub fn unit(self) -> Unit {
                match self {
                    $(Self::$name => Unit::$unit,)+
                }
            }
        }
    };
}

vocabulary! {
    /// An invocation looked at everything and succeeded.
    Sweeps: Count,
    /// An invocation was answered with `BadConfiguration`.
    BadConfiguration: Count,
    /// An invocation was answered with `BadPolicy`.
    BadPolicy: Count,
    /// Requests to AWS, each attempt for itself.
    ApiCalls: Count,
    /// Those of them that tried again what an attempt before had not got answered.
    ApiRetries: Count,
    /// Services that let everyone in.
    OpenServices: Count,
    /// Connections that wait, and are not decided yet.
    Undecided: Count,
    /// How old the oldest of them is.
    UndecidedOldestAge: Seconds,
    /// Connections that the policy leaves to a person.
    Held: Count,
    /// How old the oldest of them is.
    HeldOldestAge: Seconds,
    /// Messages that were published.
    NoticesSent: Count,
    /// Messages that were due, and could not be published or marked as told.
    NoticesNotSent: Count,
    /// Private DNS names that are verified.
    DomainsVerified: Count,
    /// Private DNS names whose check has not ended.
    DomainsPending: Count,
    /// Private DNS names in any other state.
    DomainsFailed: Count,
    /// For how long the name that waits longest has not been verified.
    DomainsWaitingLongest: Seconds,
    /// Names of endpoints that work over one family and at one port.
    ProbesDone: Count,
    /// Those that do not.
    ProbesRefused: Count,
    /// Those that could not be tried from where the prober is.
    ProbesNotTested: Count,
    /// Connections that were accepted.
    Accepted: Count,
    /// Connections that were rejected.
    Rejected: Count,
    /// Connections that were held for the first time.
    HeldNew: Count,
    /// From a connection's making until it was accepted.
    TimeToAccept: Seconds,
    /// From a connection's making until its consumer was told that it is available.
    TimeToAvailable: Seconds,
}

/// The figures of one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Figures {
    numbers: BTreeMap<Metric, u64>,
    /// A number for each of several events.
    lists: BTreeMap<Metric, Vec<u64>>,
}

/// All figures of one invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    of_function: Figures,
    of_services: BTreeMap<ServiceId, Figures>,
}

impl Metrics {
    fn set(&mut self, metric: Metric, value: u64) {
        self.of_function.numbers.insert(metric, value);
    }

    fn of(&mut self, service: &ServiceId) -> &mut Figures {
        self.of_services.entry(service.clone()).or_default()
    }
}

impl Figures {
    fn one_more(&mut self, metric: Metric) {
        *self.numbers.entry(metric).or_default() += 1;
    }

    fn push(&mut self, metric: Metric, value: u64) {
        self.lists.entry(metric).or_default().push(value);
    }
}
