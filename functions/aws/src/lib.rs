//! Observes and applies: the only crate that knows the AWS SDK.
//!
//! - [`clock`]: the time, which a simulation may put its own in the place of.
//! - [`client`]: concrete SDK clients from the configuration; nothing stands between them and the code.
//! - `calls`: how often one invocation calls AWS, for its metrics.
//! - [`error`]: what an SDK error means: come again, give up, or find the one id that spoils the call.
//! - [`observe`]: reads every page, and turns the SDK's types into the core's at once.
//! - [`route53`]: zones and records, in the own account and in others.
//! - [`permissions`]: reads who may ask for connections.
//! - [`apply`]: carries a plan out; every effect is tried, and the first failure hides nothing.
//! - [`doctor`]: dry runs of what would be written.
//! - [`deadline`]: how long an invocation may go on trying.
//! - [`folder`]: the policy folder, read again when it changes.
//! - [`topics`]: notices, on their way to SNS.
//! - [`acceptor`], [`verifier`], [`notifier`], [`configurator`]: these in a row, as the functions and the command line both run them.
//!
//! # Invariants
//!
//! - No SDK type is in a signature outside this crate but the clients themselves.
//! - A failed read is an error and never an empty list.
//! - HTTP 200 is not success: Accept and Reject answer with `unsuccessful` items.

pub mod acceptor;
pub mod apply;
mod calls;
mod chunks;
pub mod client;
pub mod clock;
pub mod configurator;
mod connector;
pub mod deadline;
pub mod doctor;
pub mod error;
pub mod folder;
pub mod notifier;
pub mod observe;
pub mod permissions;
mod roots;
pub mod route53;
pub mod topics;
pub mod verifier;
