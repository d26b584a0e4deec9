//! What a warm process knows better than a read that lags behind: what it told, and what the operators heard of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use privatelink_core::ids::ConnectionId;
use privatelink_core::notice::{Mark, remember};
use privatelink_core::observed::Observed;
use time::{Duration, OffsetDateTime};

/// For how long it is remembered what was told: far longer than any read lags behind. After that the tags alone count,
/// so that whoever takes one away has the notice sent again.
const LAG: Duration = Duration::minutes(15);

type Tags = Vec<(&'static str, String)>;

#[derive(Debug)]
pub(super) struct Kept {
    /// What this process's claims are known by.
    pub process: u64,
    inner: Mutex<Inner>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { process: fastrand::u64(..), inner: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Inner {
    told: BTreeMap<ConnectionId, Told>,
    /// The ids of the notices that the operators were told could not be delivered.
    undeliverable: BTreeSet<String>,
}

/// What was told of a connection.
#[derive(Debug)]
struct Told {
    at: OffsetDateTime,
    tags: Tags,
    /// Whether the tags were written. A notice that was sent and is not marked is owed its mark.
    marked: bool,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A notice was sent, and has these marks to be written; or they were written without one.
    pub(super) fn told(&self, mark: &Mark<'_>, at: OffsetDateTime, marked: bool) {
        let told = Told { at, tags: mark.tags.clone(), marked };
        self.lock().told.insert(mark.connection.clone(), told);
    }

    /// Adds to what was read of connections what was told of them.
    pub(super) fn remind(&self, observed: &mut Observed, now: OffsetDateTime) {
        let told = &mut self.lock().told;
        told.retain(|_, told| !told.marked || now - told.at < LAG);
        for connection in &mut observed.connections {
            if let Some(told) = connection.id.as_ref().and_then(|id| told.get(id)) {
                remember(&mut connection.tags, &told.tags);
            }
        }
    }

    /// The marks that are owed to the connections that were observed.
    pub(super) fn owed<'o>(&self, observed: &'o Observed) -> Vec<Mark<'o>> {
        let told = &self.lock().told;
        let owed = observed.connections.iter().filter_map(|of| {
            let connection = of.id.as_ref()?;
            let told = told.get(connection).filter(|told| !told.marked)?;
            let (service, endpoint, tags) = (&of.service, &of.endpoint, told.tags.clone());
            Some(Mark { service, endpoint, connection, tags, claim: String::new() })
        });
        owed.collect()
    }

    /// Whether the operators were told that a notice could not be delivered.
    pub(super) fn knows_undeliverable(&self, id: &str) -> bool {
        self.lock().undeliverable.contains(id)
    }

    pub(super) fn undeliverable(&self, id: String) {
        self.lock().undeliverable.insert(id);
    }
}
