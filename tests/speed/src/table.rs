//! What was measured, as the README shows it: one table, and which of the targets are reached.

use serde_json::Value;

use crate::jobs::Kind;
use crate::measure::{Course, Results, Samples, median};

const MIB: f64 = 1024.0 * 1024.0;

/// What ours are to reach, beside Python's or the function that does nothing.
const START_AND_FIRST: f64 = 30.0;
const WARM: f64 = 5.0;
const MEMORY: f64 = 8.0;

/// What the start may be, as so many times that of the function that does nothing.
fn most_start(kind: Kind) -> f64 {
    match kind {
        // It has a policy to load.
        Kind::Acceptor => 3.0,
        Kind::Verifier | Kind::Notifier | Kind::Configurator | Kind::Prober => 1.5,
    }
}

/// What the package may be, in MiB.
fn most_size(kind: Kind) -> f64 {
    match kind {
        Kind::Acceptor => 4.0,
        Kind::Verifier | Kind::Notifier | Kind::Configurator | Kind::Prober => 2.5,
    }
}

fn size(sizes: &Value, runner: &str, name: &str) -> f64 {
    sizes[runner][name].as_f64().unwrap_or(f64::NAN) / MIB
}

fn ms(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

fn mib(mib: f64) -> String {
    if mib < 0.1 { format!("{:.1} KiB", mib * 1024.0) } else { format!("{mib:.1} MiB") }
}

fn row(name: &str, runner: &str, samples: &Samples, size: f64) -> String {
    let Samples { starts, firsts, warm, peak } = samples;
    let cells = [ms(median(starts)), ms(median(firsts)), ms(samples.both()), ms(median(warm)), mib(*peak), mib(size)];
    format!("| {name} | {runner} | {} |\n", cells.join(" | "))
}

/// One target, with each function's figure, which reaches it if it is at most the most.
fn target(what: &str, figures: &[(Kind, f64, f64)], show: impl Fn(f64) -> String) -> String {
    let missed: Vec<&str> = figures.iter().filter(|(_, it, most)| it > most).map(|(kind, ..)| kind.name()).collect();
    let verdict = if missed.is_empty() {
        "reached by all".to_owned()
    } else if missed.len() == figures.len() {
        "reached by none".to_owned()
    } else {
        format!("not reached by {}", missed.join(", "))
    };
    let shown: Vec<String> = figures.iter().map(|(_, it, _)| show(*it)).collect();
    format!("- {what}: {} — {verdict}\n", shown.join(", "))
}

/// The whole section.
pub(crate) fn section(course: &Course, results: &Results, sizes: &Value) -> String {
    let Results { jobs, nothing: [empty, empty_python] } = results;
    let mut text = String::from(
        "| function | in | start | first | start + first | warm | peak memory | package |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for (kind, [ours, python]) in jobs {
        let name = kind.name();
        text += &row(&format!("`{name}`"), "Rust", ours, size(sizes, "rust", name));
        text += &row("", "Python", python, size(sizes, "python", name));
    }
    text += &row("one that does nothing", "Rust", empty, size(sizes, "rust", "empty-function"));
    text += &row("", "Python", empty_python, size(sizes, "python", "empty-function"));

    let words = |key: &str| sizes["about"][key].as_str().unwrap_or("?").to_owned();
    text += &format!(
        "\nMedians of {} starts and {} warm invocations each, in turn, on one machine ({}), Python {} with boto3 {} and \
         awslambdaric {}. The package is a zip file; of Python's, boto3 and the runtime client, which Lambda brings, are \
         left out ({}), {}. The half second that the notifier waits after its claim, in either language, is taken off.\n\n",
        course.starts,
        course.warm,
        words("machine"),
        words("python"),
        words("boto3"),
        words("awslambdaric"),
        mib(sizes["about"]["runtime"].as_f64().unwrap_or(f64::NAN) / MIB),
        words("cedar"),
    );

    let each = |figure: &dyn Fn(Kind, &Samples, &Samples) -> (f64, f64)| -> Vec<(Kind, f64, f64)> {
        let figure = |(kind, [ours, python]): &(Kind, [Samples; 2])| {
            let (it, most) = figure(*kind, ours, python);
            (*kind, it, most)
        };
        jobs.iter().map(figure).collect()
    };
    let share = |share: f64| format!("1/{:.1}", 1.0 / share);
    text += "In the order of the table:\n\n";
    text += &target(
        &format!("start + first at most 1/{START_AND_FIRST} of Python's"),
        &each(&|_, ours, python| (ours.both() / python.both(), 1.0 / START_AND_FIRST)),
        share,
    );
    text += &target(
        "start at most 1.5 times that of the function that does nothing, 3 times with Cedar",
        &each(&|kind, ours, _| (median(&ours.starts) / median(&empty.starts), most_start(kind))),
        |times| format!("{times:.1}"),
    );
    text += &target(
        &format!("warm at most 1/{WARM} of Python's"),
        &each(&|_, ours, python| (median(&ours.warm) / median(&python.warm), 1.0 / WARM)),
        share,
    );
    text += &target(
        &format!("peak memory at most 1/{MEMORY} of Python's"),
        &each(&|_, ours, python| (ours.peak / python.peak, 1.0 / MEMORY)),
        share,
    );
    text += &target(
        "package at most 2.5 MiB, 4 MiB with Cedar",
        &each(&|kind, _, _| (size(sizes, "rust", kind.name()), most_size(kind))),
        mib,
    );
    text
}
