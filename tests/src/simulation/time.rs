//! The time of a simulation: it stands while anybody has something to do, and then leaps to whatever comes next.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::Waker;

use privatelink_aws::clock::Time;
use tokio::time::Instant;

/// The time, and who waits for it.
#[derive(Debug)]
pub struct Leaps {
    now: Cell<Instant>,
    waiting: RefCell<BTreeMap<(Instant, u64), Waker>>,
    number: Cell<u64>,
}

impl Leaps {
    /// A time that begins now.
    pub fn new() -> Self {
        Self { now: Cell::new(Instant::now()), waiting: RefCell::default(), number: Cell::new(0) }
    }

    /// When the first of those is to be woken who wait.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.borrow().keys().next().map(|(at, _)| *at)
    }

    /// It is that time. Whoever waited for it is woken, in the order of their times.
    pub fn leap(&self, to: Instant) {
        self.now.set(to);
        let mut waiting = self.waiting.borrow_mut();
        while let Some(entry) = waiting.first_entry() {
            if entry.key().0 > to {
                break;
            }
            entry.remove().wake();
        }
    }
}

impl Default for Leaps {
    fn default() -> Self {
        Self::new()
    }
}

impl Time for Leaps {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn wake(&self, at: Instant, waker: &Waker) {
        self.number.set(self.number.get() + 1);
        self.waiting.borrow_mut().insert((at, self.number.get()), waker.clone());
    }
}
