//! What a warm process knows of the endpoints that it changed. Nothing else knows it: in a consumer's account nothing
//! is written but settings.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use privatelink_core::endpoint::{Change, Memory};
use privatelink_core::ids::EndpointId;
use time::OffsetDateTime;

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<BTreeMap<EndpointId, Memory>>);

impl Kept {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new run begins.
    pub(super) fn begin(&self) {
        self.lock().values_mut().for_each(Memory::begin);
    }

    pub(super) fn memories(&self) -> BTreeMap<EndpointId, Memory> {
        self.lock().clone()
    }

    pub(super) fn took(&self, change: &Change, at: OffsetDateTime) {
        self.lock().entry(change.endpoint.clone()).or_default().took(change, at);
    }

    pub(super) fn not_taken(&self, change: &Change) {
        self.lock().entry(change.endpoint.clone()).or_default().not_taken(change);
    }
}
