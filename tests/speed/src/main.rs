//! How fast the functions are: `tests/speed/run`, which builds all that this needs and says where it is.
//!
//! Each function is its release program in a process of its own, beside the same job in Python and beside functions that
//! do nothing, with the Region on the other side of loopback. It prints Markdown, and judges nothing but which of the
//! targets are reached. It fails where two that are compared did not do the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a command that measures, and is to end where it finds something else"
)]

mod jobs;
mod measure;
mod table;
mod world;

use std::env;
use std::path::PathBuf;

use crate::jobs::Kind;
use crate::measure::Course;

fn count(variable: &str, otherwise: usize) -> usize {
    env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn main() {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [programs, python, modules, policy] = folders.try_into().unwrap();
    let only = env::var("ONLY").ok();
    let kinds = Kind::ALL.into_iter().filter(|kind| only.as_deref().is_none_or(|only| only == kind.name())).collect();
    let (starts, warm) = (count("STARTS", 30), count("WARM", 200));
    let course = Course { programs, python, modules, policy, kinds, starts, warm };
    // One thread, and so one core: the other is the function's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let results = runtime.block_on(measure::run(&course));
    print!("{}", table::section(&course, &results, &measure::sizes(&course)));
}
