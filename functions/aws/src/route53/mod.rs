//! Route 53: the zones of an account and what stands in them, with as few calls as the listings allow.
//!
//! - `order`: which names a page answers for.
//! - [`zones`]: the zone that a name belongs into.
//! - [`records`]: the record sets of a zone, exchanged as a whole or not at all.
//! - [`accounts`]: the own account, and those that are reached through a role.
//! - `pace`: no faster than AWS allows.

pub mod accounts;
mod order;
mod pace;
pub mod records;
pub mod zones;

use privatelink_core::ids::DnsName;

/// A name as Route 53 writes it: with a final dot, and with `\052` for a wildcard.
fn name_of(text: &str) -> Option<DnsName> {
    DnsName::folded(&text.replace("\\052", "*")).ok()
}
