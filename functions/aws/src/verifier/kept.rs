//! What a warm process knows better than a read that lags behind: what it remembered last, and the changes it made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use privatelink_core::ids::ServiceId;
use privatelink_core::observed::DnsNameState;
use privatelink_core::ownership::{Change, Domain, Memory};
use time::OffsetDateTime;

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    memories: HashMap<ServiceId, Memory>,
    /// The last change of a zone that was made for a service, by the record's label.
    changes: HashMap<ServiceId, (String, Change)>,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of a service, given what its tag says.
    pub(super) fn memory(&self, service: &ServiceId, tag: Memory) -> Memory {
        match self.lock().memories.get(service) {
            Some(kept) => tag.newer(kept.clone()),
            None => tag,
        }
    }

    /// Notes that a name is verified of which nothing else is known: should it be so no more, that is a loss.
    pub(super) fn saw(&self, domain: &Domain, now: OffsetDateTime) {
        if let (DnsNameState::Verified, Some(record), true) =
            (&domain.private_dns.state, &domain.private_dns.record, domain.memory.is_bare())
        {
            let memory = Memory { verified: true, at: Some(now), ..Memory::of(&record.label) };
            self.remember(&domain.service, memory);
        }
    }

    pub(super) fn remember(&self, service: &ServiceId, memory: Memory) {
        self.lock().memories.insert(service.clone(), memory);
    }

    /// The change that was made for a record of a service, as it was last heard of.
    pub(super) fn change(&self, service: &ServiceId, label: &str) -> Option<Change> {
        self.lock().changes.get(service).filter(|(of, _)| of == label).map(|(_, change)| change.clone())
    }

    pub(super) fn changed(&self, service: &ServiceId, label: &str, change: Change) {
        self.lock().changes.insert(service.clone(), (label.to_owned(), change));
    }
}
