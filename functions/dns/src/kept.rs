//! What stays true long enough to be asked for once a run: who answers for a zone, and where. A TXT record is never kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use privatelink_core::ids::DnsName;
use tokio::time::Instant;

/// A run looks at all domains within seconds, and the next one is to see what changed since.
const FRESH: Duration = Duration::from_secs(30);

/// Answers by name, for half a minute.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<HashMap<DnsName, (Instant, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// What was found out, if that was just now.
    pub(crate) fn get(&self, name: &DnsName) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(name).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, value)| value.clone())
    }

    /// Keeps it, and forgets what is old.
    pub(crate) fn put(&self, name: DnsName, value: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| at.elapsed() < FRESH);
        kept.insert(name, (Instant::now(), value));
    }
}
