//! What the autopilot decides, and nothing of how it gets there.
//!
//! ```text
//! bytes -> Trigger -> Observed -> Plan -> Vec<Outcome> -> Report
//!   runtime  here      aws reads   here    aws writes      here
//! ```
//!
//! - [`trigger`]: any event, as a hint of where to look. It is never a fact.
//! - [`observed`]: what was read, in this product's own words; [`dns`]: what the world's name servers answered.
//! - [`policy`]: `consumers.toml` and the Cedar files; one connection, judged. Only this module knows Cedar.
//! - [`accept`]: what is to be done about all connections.
//! - [`ownership`]: what is to be done about all private DNS names.
//! - [`notice`]: who is told what, and in which words.
//! - [`endpoint`]: what is to be set on a consumer's own endpoints.
//! - [`probe`]: what is tried of an endpoint from inside its VPC, and what is wrong where it does not work.
//! - [`proxy`]: which endpoint a connection came through, as the provider's target reads it.
//! - [`plan`]: effects, and the reasons for doing nothing.
//! - [`principals`]: who may ask, against who is listed.
//! - [`report`]: what came of it: the return value, the log, and the failures; [`metrics`]: what is counted of it.
//! - [`history`]: what the log tells of an endpoint afterwards.
//! - [`diagnosis`]: why a private DNS name is not proved.
//! - [`config`]: the variables.
//! - [`ids`]: the ids of AWS's things.
//!
//! # Invariants
//!
//! - Nothing here looks at a clock, the environment, a file or the network: they are arguments.
//! - A plan is a function of what was observed, the policy and the time. Applied and observed again, it is empty.
//! - Whatever is in doubt is left as it is, with a reason.

pub mod accept;
pub mod change;
pub mod config;
pub mod diagnosis;
pub mod dns;
pub mod endpoint;
pub mod history;
pub mod ids;
mod json;
pub mod metrics;
pub mod notice;
pub mod observed;
pub mod ownership;
pub mod plan;
pub mod policy;
pub mod principals;
pub mod probe;
pub mod proxy;
pub mod report;
mod tables;
pub mod trigger;
