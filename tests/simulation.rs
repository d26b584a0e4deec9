//! Many seeds of [`privatelink_tests::simulation`]: as many as fit in two minutes, two hundred at least; more by `SEEDS`.
//!
//! | variable | meaning |
//! |---|---|
//! | `SEEDS=100000` | so many seeds, however long that takes |
//! | `SEED=17` | that one alone, with all that happened in it |
//! | `FIRST=1` | the first seed |
//!
//! # What the seeds find
//!
//! The code was broken in these ways, one at a time, and the first seed that found it out is the one beside it. Seeds
//! are drawn anew whenever the simulation's own code changes, so that the numbers say how many it takes and not which.
//!
//! | what was broken | seed | what did not hold |
//! |---|---|---|
//! | whoever is accepted does not count for those that come after in the same run | 1 | a connection was accepted beyond the limit |
//! | what is published is not marked | 1 | a consumer was told three times |
//! | a TXT record set is exchanged for our value alone | 4 | somebody else's value was lost |
//! | only the first page of a listing is read | 1 | connections waited, and nobody was told |
//! | a policy is read once and never again | 1 | a connection was decided by a policy that was no longer in force |
//! | another notifier's claim is not heeded | 4 | the operators were told twice |
//! | the record of `*.c.example.com` is looked for below the asterisk | 1 | the name was never verified |
//! | no attempt is given up that is not answered | 1 | an invocation did not end in its time |
//! | what is held is tagged with every look | 1 | a further sweep changed something |
//! | the configurator says that it changed an endpoint, and does not | 1 | an endpoint had IPv4 only |
//! | a refused call with several ids is not halved | 1 | a connection waited, and no tag said why |
//! | a message that was not answered counts as published | 6 | nobody was told that a connection waits |
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that finds something else must fail")]

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use privatelink_tests::simulation::{Played, play};

/// How long the seeds are played that nobody counted.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many at least.
const LEAST: u64 = 200;
/// How many failures are told.
const TOLD: usize = 5;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// What is wrong with a seed, with the command that plays it again.
fn failure(seed: u64, all: bool) -> (Option<Played>, Option<String>) {
    let replay = format!(
        "SEED={seed} cargo test --workspace --test simulation \
         whatever_goes_wrong_everything_comes_right -- --nocapture"
    );
    let Ok(played) = catch_unwind(AssertUnwindSafe(|| play(seed))) else {
        return (None, Some(format!("seed {seed} panicked\n{replay}\n")));
    };
    let mut told = String::new();
    if all {
        println!("{}", played.timeline.about(&[], true));
    }
    for violation in &played.violations {
        told += &format!("seed {seed}: {}\n", violation.what);
        if !all {
            told += &played.timeline.about(&violation.about, false);
        }
    }
    let failed = (!told.is_empty()).then(|| format!("{told}{replay}\n"));
    (Some(played), failed)
}

#[test]
fn whatever_goes_wrong_everything_comes_right() {
    if let Some(seed) = variable("SEED") {
        let (_, failed) = failure(seed, true);
        assert_eq!(failed, None);
        return;
    }
    let (begun, seeds) = (Instant::now(), variable("SEEDS"));
    let next = AtomicU64::new(variable("FIRST").unwrap_or(1));
    let first = next.load(Ordering::Relaxed);
    let enough = AtomicBool::new(false);
    let (failures, sums) = (Mutex::new(Vec::new()), Mutex::new((0, 0, 0, Duration::ZERO)));
    let wanted = |seed: u64| match seeds {
        Some(seeds) => seed < first + seeds,
        None => seed < first + LEAST || begun.elapsed() < PATIENCE,
    };
    let worker = || {
        while !enough.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !wanted(seed) {
                return;
            }
            let (played, failed) = failure(seed, false);
            if let Some(Played { calls, invocations, length, .. }) = played {
                let mut sums = sums.lock().unwrap();
                *sums = (sums.0 + 1, sums.1 + calls, sums.2 + invocations, sums.3 + length);
            }
            if let Some(failed) = failed {
                let mut failures = failures.lock().unwrap();
                failures.push((seed, failed));
                enough.store(failures.len() >= TOLD, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    let (played, calls, invocations, length) = sums.into_inner().unwrap();
    // Straight to where it is read: of a test that passes, nothing else that it prints is shown.
    let _ = writeln!(
        std::io::stderr(),
        "{played} seeds in {:.0} s: {} days of the Region, {invocations} invocations and deeds, {calls} calls",
        begun.elapsed().as_secs_f64(),
        length.as_secs() / 86_400
    );
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let failures: Vec<String> = failures.into_iter().map(|(_, failed)| failed).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_seed_is_the_same_whenever_it_is_played() {
    for seed in 1..=2 {
        let plays = [play(seed), play(seed)].map(|played| (played.timeline.digest(), played.calls));
        assert_eq!(plays[0], plays[1], "seed {seed}");
    }
}
