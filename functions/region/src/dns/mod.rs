//! The world's DNS: what everybody reads who asks for a name, and what can be wrong with it.
//!
//! There is one truth, [`World::ask`](crate::world::World::ask), which is computed from Route 53's public zones as they
//! are seen at a time, from what is published elsewhere, and from the faults that somebody asked for. The name servers
//! on the wire ([`serve`]) and EC2's look at a private DNS name's record both live on it.
//!
//! - `zone`: what one zone's record sets say.
//! - `delegation`: which zone's name servers answer for a name.
//! - `view`: what a name server says, and what a resolver makes of it.
//! - `inside`: the names of endpoints, and what only a VPC knows.
//! - `faults`: what can be wrong.
//! - `server` and `wire`: the same over UDP and TCP.

mod delegation;
mod faults;
mod inside;
mod server;
#[cfg(test)]
mod tests;
mod view;
mod wire;
mod zone;

pub use self::faults::{Dns, DnsFault, DnsFaultKind, ServerFault};
pub use self::inside::{Inside, VpcResolver, serve_inside};
pub use self::server::{Layout, NameServers, Options, serve};
pub use self::view::{Heard, Voice};
pub use self::zone::{Code, Record, Response};
