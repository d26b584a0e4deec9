//! What a warm process knows better than a read that lags behind: what it remembered last, and the changes it made.

use std::collections::{HashMap, HashSet};
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
    /// The services whose tag could not be written, and does not say what is remembered.
    owed: HashSet<ServiceId>,
    /// The last change of a zone that was made for a service, by the record's label.
    changes: HashMap<ServiceId, (String, Change)>,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of a service, given what its tag says.
    pub(super) fn memory(&self, service: &ServiceId, tag: Memory) -> Memory {
        let mut inner = self.lock();
        let Some(kept) = inner.memories.get(service) else { return tag };
        let newer = tag.clone().newer(kept.clone());
        // What was thought to have failed took effect, or another process knows better.
        if newer == tag {
            inner.owed.remove(service);
        }
        newer
    }

    /// Whether the service's tag is still to be written.
    pub(super) fn owes(&self, service: &ServiceId) -> bool {
        self.lock().owed.contains(service)
    }

    /// Notes that a name is verified of which nothing else is known: should it be so no more, that is a loss.
    pub(super) fn saw(&self, domain: &Domain, now: OffsetDateTime) {
        // What its tag says may be of another name, and is to be exchanged first.
        if self.owes(&domain.service) {
            return;
        }
        if let (DnsNameState::Verified, Some(record), true) =
            (&domain.private_dns.state, &domain.private_dns.record, domain.memory.is_bare())
        {
            let memory = Memory { verified: true, at: Some(now), ..Memory::of(&record.label) };
            self.remember(&domain.service, memory, false);
        }
    }

    /// Notes what is remembered; `owed` says that the service's tag does not say it.
    pub(super) fn remember(&self, service: &ServiceId, memory: Memory, owed: bool) {
        let mut inner = self.lock();
        inner.memories.insert(service.clone(), memory);
        if owed {
            inner.owed.insert(service.clone());
        } else {
            inner.owed.remove(service);
        }
    }

    /// The change that was made for a record of a service, as it was last heard of.
    pub(super) fn change(&self, service: &ServiceId, label: &str) -> Option<Change> {
        self.lock().changes.get(service).filter(|(of, _)| of == label).map(|(_, change)| change.clone())
    }

    pub(super) fn changed(&self, service: &ServiceId, label: &str, change: Change) {
        self.lock().changes.insert(service.clone(), (label.to_owned(), change));
    }
}

#[cfg(test)]
mod tests {
    use privatelink_core::observed::{PrivateDns, TxtRecord};
    use privatelink_core::ownership::Place;

    use super::*;

    #[test]
    fn a_tag_that_is_owed_is_owed_although_the_name_is_verified_meanwhile() {
        let service = ServiceId::parse("vpce-svc-0a").unwrap();
        let domain = Domain {
            service: service.clone(),
            private_dns: PrivateDns {
                name: "api.example.com".to_owned(),
                state: DnsNameState::Verified,
                record: Some(TxtRecord { label: "_new".to_owned(), value: "vpce:x".to_owned() }),
            },
            memory: Memory::of("_new"),
            place: Place::NotAsked,
            change: None,
            seen: None,
        };
        for owed in [true, false] {
            let kept = Kept::default();
            kept.remember(&service, domain.memory.clone(), owed);
            kept.saw(&domain, OffsetDateTime::UNIX_EPOCH);
            assert_eq!((kept.owes(&service), kept.memory(&service, Memory::default()).verified), (owed, !owed));
        }
    }
}
