//! What the scenarios stand on: a stage with a simulated Region and a policy folder, and a Lambda to run binaries in.
//!
//! A helper that finds something other than it was promised has found a failure, and panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else must fail"
)]

pub mod calls;
pub mod canned;
pub mod cost;
pub mod domains;
pub mod endpoints;
pub mod faults;
pub mod figures;
pub mod lambda;
pub mod listeners;
pub mod meanwhile;
pub mod names;
pub mod notices;
pub mod simulation;
pub mod stage;

pub use stage::{ACME, BETA, PROVIDER, STRANGER, Stage};
