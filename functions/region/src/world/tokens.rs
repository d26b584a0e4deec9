//! Client tokens: what was made by calls that bore one, so that the same call again makes nothing more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::World;

/// What a call with a client token made. Tokens are told apart by their account and their operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// With which parameters, the token itself left out.
    pub wanted: BTreeMap<String, String>,
}

impl World {
    /// Forgets the tokens of things that are there no more: the same call then makes another.
    pub(crate) fn forget_tokens(&mut self) {
        let Self { tokens, services, endpoints, notifications, .. } = self;
        tokens.retain(|_, Made { id, .. }| {
            services.contains_key(id) || endpoints.contains_key(id) || notifications.contains_key(id)
        });
    }
}
