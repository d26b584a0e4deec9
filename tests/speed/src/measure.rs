//! Programs are started and given events, in turn, so that the machine's weather hits all of them alike.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use privatelink_runtime::Function;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::jobs::{Job, Kind};

/// Longer than anything takes that is measured here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is measured, and how often.
pub(crate) struct Course {
    /// The folder with the release programs.
    pub(crate) programs: PathBuf,
    /// The Python with boto3.
    pub(crate) python: PathBuf,
    /// The folder with the functions in Python.
    pub(crate) modules: PathBuf,
    /// The policy folder.
    pub(crate) policy: PathBuf,
    /// Which functions.
    pub(crate) kinds: Vec<Kind>,
    /// How often each program is started.
    pub(crate) starts: usize,
    /// How often each one is invoked that is warm.
    pub(crate) warm: usize,
}

/// Who does a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Ours.
    Rust,
    /// The same job in Python.
    Python,
}

impl Runner {
    /// Both.
    pub(crate) const BOTH: [Self; 2] = [Self::Rust, Self::Python];

    fn program(self, course: &Course, kind: Kind) -> Command {
        match self {
            Self::Rust => Command::new(course.programs.join(kind.name())),
            Self::Python => python(course, &kind.name().replace('-', "_")),
        }
    }
}

/// As AWS's images start a function.
fn python(course: &Course, module: &str) -> Command {
    let mut command = Command::new(&course.python);
    command.args(["-m", "awslambdaric", &format!("{module}.handler")]).current_dir(&course.modules);
    command
}

/// What one program showed: seconds, and MiB.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// From the start of the process to its first poll.
    pub(crate) starts: Vec<f64>,
    /// From handing out the first event to its answer.
    pub(crate) firsts: Vec<f64>,
    /// The same of later events.
    pub(crate) warm: Vec<f64>,
    /// The most resident memory that the process had which took the warm ones.
    pub(crate) peak: f64,
}

/// The middle one.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Samples {
    /// The median of start and first invocation together.
    pub(crate) fn both(&self) -> f64 {
        let both: Vec<f64> = self.starts.iter().zip(&self.firsts).map(|(start, first)| start + first).collect();
        median(&both)
    }
}

/// What was found out.
pub(crate) struct Results {
    /// Each job, by ours and in Python.
    pub(crate) jobs: Vec<(Kind, [Samples; 2])>,
    /// What does nothing: a function in Rust, and one in Python.
    pub(crate) nothing: [Samples; 2],
}

/// What a job's answers are held against: the first one of ours.
#[derive(Default)]
struct Expected {
    first: Option<(Vec<String>, Vec<String>)>,
    later: Option<(Vec<String>, Vec<String>)>,
}

/// Runs the course.
pub(crate) async fn run(course: &Course) -> Results {
    let mut jobs = Vec::new();
    for &kind in &course.kinds {
        let mut job = Job::new(kind, &course.policy).await;
        // What is new to a function at its first look, and is remembered in the Region, is none of what is measured.
        let (function, _) = start(Runner::Rust.program(course, kind), &job.variables()).await;
        let event = job.prepare();
        invoke(&function, &event).await;
        job.clear();
        jobs.push((job, [Samples::default(), Samples::default()], Expected::default()));
    }
    let mut nothing = [Samples::default(), Samples::default()];

    for round in 0..course.starts {
        say(&format!("start {} of {}", round + 1, course.starts));
        for (job, samples, expected) in &mut jobs {
            for (runner, samples) in Runner::BOTH.into_iter().zip(samples) {
                let (function, started) = start(runner.program(course, job.kind), &job.variables()).await;
                samples.starts.push(started);
                samples.firsts.push(work(&function, job, &mut expected.first, runner).await);
            }
        }
        for (program, samples) in does_nothing(course).into_iter().zip(&mut nothing) {
            let (function, started) = start(program, &[]).await;
            samples.starts.push(started);
            samples.firsts.push(invoke(&function, b"{}").await.0);
        }
    }

    for (job, samples, expected) in &mut jobs {
        say(&format!("{}, warm", job.kind.name()));
        let mut functions = Vec::new();
        for runner in Runner::BOTH {
            let (function, _) = start(runner.program(course, job.kind), &job.variables()).await;
            work(&function, job, &mut expected.first, runner).await;
            functions.push((runner, function));
        }
        for _ in 0..course.warm {
            sleep(job.kind.pause()).await;
            for ((runner, function), samples) in functions.iter().zip(samples.iter_mut()) {
                samples.warm.push(work(function, job, &mut expected.later, *runner).await);
            }
        }
        for ((_, function), samples) in functions.iter().zip(samples) {
            samples.peak = function.peak();
        }
    }
    for (program, samples) in does_nothing(course).into_iter().zip(&mut nothing) {
        let (function, _) = start(program, &[]).await;
        for _ in 0..=course.warm {
            samples.warm.push(invoke(&function, b"{}").await.0);
        }
        samples.warm.remove(0);
        samples.peak = function.peak();
    }
    Results { jobs: jobs.into_iter().map(|(job, samples, _)| (job.kind, samples)).collect(), nothing }
}

fn does_nothing(course: &Course) -> [Command; 2] {
    [Command::new(course.programs.join("empty-function")), python(course, "empty_function")]
}

async fn start(program: Command, variables: &[(&'static str, String)]) -> (Function, f64) {
    let what = format!("{program:?}");
    let function = Function::start(program, variables).await;
    let Ok(took) = timeout(PATIENCE, function.ready()).await else {
        panic!("{what} does not come up: {:?}", function.log());
    };
    (function, took.as_secs_f64())
}

async fn invoke(function: &Function, event: &[u8]) -> (f64, Value) {
    let begun = Instant::now();
    let ended = timeout(PATIENCE, function.invoke_within(event, PATIENCE)).await;
    let took = begun.elapsed().as_secs_f64();
    match ended {
        Ok(Ok(answer)) => (took, answer),
        other => panic!("it ended with {other:?}: {:?}", function.log()),
    }
}

/// One event of a job. Whoever does it, the calls and what is told of them are the same.
async fn work(
    function: &Function,
    job: &mut Job,
    expected: &mut Option<(Vec<String>, Vec<String>)>,
    runner: Runner,
) -> f64 {
    let event = job.prepare();
    let (took, answer) = invoke(function, &event).await;
    let found = job.check(&answer);
    let expected = expected.get_or_insert_with(|| {
        say(&format!("{}: {} after {:?}", job.kind.name(), found.1.join(", "), found.0));
        found.clone()
    });
    assert_eq!(found, *expected, "{} in {runner:?} did something else: {answer}", job.kind.name());
    took - job.kind.waits()
}

/// Says how far it is, where it is in nobody's way.
fn say(what: &str) {
    eprintln!("speed: {what}");
}

/// The size of every package, as the folder's `sizes.py` finds it, in bytes.
pub(crate) fn sizes(course: &Course) -> Value {
    let script = course.modules.join("sizes.py");
    let arguments: [&Path; 4] = [&script, &course.programs, &course.modules, &course.policy];
    let output = Command::new(&course.python).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
