//! What happened, for whoever has to find out why a seed failed.

use std::sync::Mutex;

use privatelink_region::Region;
use time::OffsetDateTime;

use crate::stage::START;

/// How much of it is shown.
const LINES: usize = 60;

/// What happened, in order.
#[derive(Debug)]
pub struct Timeline {
    region: Region,
    lines: Mutex<Vec<(OffsetDateTime, String)>>,
}

impl Timeline {
    /// A timeline in which nothing happened yet.
    pub fn new(region: &Region) -> Self {
        Self { region: region.clone(), lines: Mutex::default() }
    }

    /// Adds what happens now.
    pub fn say(&self, line: String) {
        let now = self.region.now();
        self.lines.lock().unwrap().push((now, line));
    }

    /// Everything that happened, as one number: two plays of one seed have the same.
    pub fn digest(&self) -> u64 {
        // FNV-1a: it need not be a secret, and has to be the same on every machine.
        let lines = self.lines.lock().unwrap();
        let bytes = lines.iter().flat_map(|(at, line)| format!("{at}{line}").into_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The lines that name a thing, and those of the invocations that did; the last of them, if they are many.
    pub fn about(&self, things: &[String], all: bool) -> String {
        let lines = self.lines.lock().unwrap();
        let named = |line: &&(OffsetDateTime, String)| all || things.iter().any(|thing| line.1.contains(thing));
        let found: Vec<_> = lines.iter().filter(named).collect();
        let shown = &found[if all { 0 } else { found.len().saturating_sub(LINES) }..];
        let line =
            |(at, line): &&(OffsetDateTime, String)| format!("{:>10.3} {line}\n", (*at - START).as_seconds_f64());
        shown.iter().map(line).collect()
    }
}
