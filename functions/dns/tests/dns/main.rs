//! Real name servers on this machine's ports, and what is seen of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that finds something else must fail"
)]

mod addresses;
mod given;
mod server;
mod signed;
mod troubles;
mod world;
mod zone;
mod zones;

use std::time::Duration;

use privatelink_core::ids::DnsName;
use tokio::time::Instant;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
