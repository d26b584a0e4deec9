//! The Region's time.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

/// A clock that runs by itself, at any speed, or stands until it is stepped.
#[derive(Debug, Clone)]
pub struct Clock {
    start: OffsetDateTime,
    stepped: Duration,
    /// Since when it runs, and how many of its seconds pass in one.
    running: Option<(Instant, f64)>,
}

impl Clock {
    /// A clock that stands.
    pub fn standing(at: OffsetDateTime) -> Self {
        Self { start: at, stepped: Duration::ZERO, running: None }
    }

    /// A clock that runs, `speed` times as fast as the wall's.
    pub fn running(from: OffsetDateTime, speed: f64) -> Self {
        Self { start: from, stepped: Duration::ZERO, running: Some((Instant::now(), speed)) }
    }

    /// The time.
    pub fn now(&self) -> OffsetDateTime {
        let ran = self.running.map_or(Duration::ZERO, |(since, speed)| since.elapsed().mul_f64(speed));
        self.start + self.stepped + ran
    }

    /// A clock that goes on from another time, in the way of this one.
    pub(crate) fn set(&self, at: OffsetDateTime) -> Self {
        match self.running {
            Some((_, speed)) => Self::running(at, speed),
            None => Self::standing(at),
        }
    }

    /// Puts it forward.
    pub fn step(&mut self, by: Duration) {
        self.stepped += by;
    }
}
