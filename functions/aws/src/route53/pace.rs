//! No faster than AWS allows: Route 53 takes ten requests a second from an account, after a burst of fifty.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::{self, sleep_until};

/// How many requests may be made at once. Others use the account as well, and some of the fifty are left to them.
const BURST: u32 = 30;
/// The time between two requests once the burst is used up.
const BETWEEN: Duration = Duration::from_millis(100);

/// Gives one request after the other its turn.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    /// Waits until a request may be made, or answers that it may not be made by then.
    pub(super) async fn turn(&self, by: Instant) -> bool {
        let now = clock::now();
        let turn = {
            let mut full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // The time at which the whole burst is there again. Each request moves it on.
            let next = full.unwrap_or(now).max(now) + BETWEEN;
            let turn = next.checked_sub(BETWEEN * BURST).unwrap_or(now).max(now);
            if turn >= by {
                return false;
            }
            *full = Some(next);
            turn
        };
        // A timer that is due at once still costs a millisecond.
        if turn > now {
            sleep_until(turn).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_free_and_the_rest_is_paced() {
        let pace = Pace::default();
        let start = Instant::now();
        let by = start + Duration::from_secs(60);
        for _ in 0..BURST {
            assert!(pace.turn(by).await);
        }
        assert!(start.elapsed() < BETWEEN * 5, "the burst took {:?}", start.elapsed());
        for _ in 0..5 {
            assert!(pace.turn(by).await);
        }
        let took = start.elapsed();
        assert!(took >= BETWEEN * 4, "five more took {took:?}");
        assert!(!pace.turn(Instant::now()).await, "there is no time left");
    }
}
