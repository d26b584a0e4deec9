//! How the functions' calls, time and memory grow with the connections: `tests/speed/growth`, which builds what this needs.
//!
//! Each function is its release program, with a Region on the other side of loopback whose token buckets are EC2's and
//! whose time is the wall's. It looks at everything again and again until there is nothing left to do. The time beside
//! which its own is put is what the buckets alone would take, were nothing else to take any: to give out a token for each
//! of the calls that were answered.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a command that measures, and is to end where it finds something else"
)]

mod plot;
mod runs;

use std::env;
use std::path::PathBuf;

use crate::runs::{Job, Run};

/// The share of the buckets' time that a function may need.
const MOST: f64 = 1.1;
/// Where the buckets take less than this, in seconds, they are not what decides.
const SHORT: f64 = 5.0;

fn row(run: &Run) -> String {
    let Run { job, connections, calls, refused, took, floor, peak, invocations } = run;
    let share = if *floor < SHORT { "–".to_owned() } else { format!("{:.2}", took / floor) };
    format!(
        "| {} | {connections} | {calls} | {refused} | {took:.2} s | {floor:.2} s | {share} | {peak:.1} MiB | {invocations} |\n",
        job.name()
    )
}

fn main() {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [programs, picture] = arguments.try_into().unwrap();
    let most = env::var("MOST").map_or(100_000, |text| text.parse().unwrap());
    // One thread, and so one core: the other is the function's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let only = env::var("ONLY").ok();
    let mut all = Vec::new();
    for job in Job::BOTH.into_iter().filter(|job| only.as_deref().is_none_or(|only| only == job.name())) {
        for connections in [10, 100, 1_000, 10_000, 100_000].into_iter().filter(|connections| *connections <= most) {
            let run = runtime.block_on(runs::run(&programs, job, connections));
            eprint!("growth: {}", row(&run));
            all.push(run);
        }
    }
    plot::write(&picture, &all).unwrap();
    println!(
        "| function | connections | calls | refused | time | the buckets' own | of it | peak memory | invocations |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    all.iter().for_each(|run| print!("{}", row(run)));
    let long: Vec<&Run> = all.iter().filter(|run| run.floor >= SHORT).collect();
    let reached = long.iter().filter(|run| run.took <= run.floor * MOST).count();
    println!(
        "\nWhere the buckets alone take {SHORT} seconds or more, at most {MOST} times their time is wanted: reached by \
         {reached} of {}.",
        long.len()
    );
}
