//! Real listeners on this machine's addresses, a real name server, and what is found out about them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that finds something else must fail"
)]

mod connections;
mod names;
mod times;
mod world;
