//! One cell: a scene is set, something goes wrong in it, and it is seen what came of it, then and after it was mended.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use privatelink_aws::clock::{self, Time};
use privatelink_core::report::Failure;
use serde_json::{Value, json};

use super::fault::Often;
use super::scene::{Scene, Set};
use super::way::{Trouble, Way};
use crate::simulation::functions::{Function, Process};
use crate::simulation::time::Leaps;

/// How long Lambda gives an invocation.
const LEFT: Duration = Duration::from_secs(10);
/// What the functions draw by lot is drawn from this.
const SEED: u64 = 7;

/// A scene that is set, up to where something is to go wrong.
#[derive(Debug)]
pub struct Prepared {
    /// The scene.
    pub set: Set,
    /// Its world, with which every play begins.
    pub world: String,
    way: Way,
    /// An acceptor, which keeps nothing between its events but its policy, and takes long to read that.
    acceptor: RefCell<Option<Process>>,
}

impl Prepared {
    /// Sets a scene.
    pub fn new(scene: Scene) -> Self {
        let set = scene.set();
        let way = Way::new(&set.region);
        let world = set.region.save().unwrap();
        let mut prepared = Self { set, world, way, acceptor: RefCell::default() };
        for pause in scene.before() {
            let mut play = Play::begin(&prepared);
            play.look().unwrap();
            play.pass(*pause);
            drop(play);
            prepared.world = prepared.set.region.save().unwrap();
        }
        prepared
    }
}

/// A scene in which a function is at work.
#[derive(Debug)]
pub struct Play<'p> {
    prepared: &'p Prepared,
    /// The scene.
    pub set: &'p Set,
    /// The function's way to the Region.
    pub way: &'p Way,
    /// Whether pages come back empty, so that nobody can know what stood there.
    pub hides_pages: bool,
    time: Rc<Leaps>,
    process: Option<Process>,
    /// What did not hold.
    pub broken: Vec<String>,
}

/// What an invocation came to.
pub type Ended = Result<Value, Failure>;

impl<'p> Play<'p> {
    /// Begins with a scene as it was prepared. Whoever looks first knows only what AWS knows.
    pub fn begin(prepared: &'p Prepared) -> Self {
        fastrand::seed(SEED);
        let time = Rc::new(Leaps::new());
        clock::simulate(Some(Rc::clone(&time) as Rc<dyn Time>));
        let Prepared { set, world, way, acceptor } = prepared;
        set.region.restore(world).unwrap();
        way.break_calls(None);
        let process = acceptor.borrow_mut().take();
        Self { prepared, set, way, hides_pages: false, time, process, broken: Vec::new() }
    }

    /// Lets time pass.
    pub fn pass(&self, pause: Duration) {
        self.set.region.step(pause);
        self.time.leap(clock::now() + pause);
    }

    /// From now on these calls go wrong; none, with nothing.
    pub fn break_calls(&self, trouble: Option<Trouble>) {
        self.way.break_calls(trouble);
    }

    /// The function looks at everything once.
    pub fn look(&mut self) -> Ended {
        let (function, region) = (self.set.scene.function(), &self.set.region);
        let process = self.process.take().unwrap_or_else(|| {
            Process::over(self.way.client(function), Arc::default(), function, &self.set.configs, region)
        });
        let begun = clock::now();
        let mut invocation = process.invoke(1, json!({}).to_string().into_bytes(), region.now(), begun, LEFT);
        let waker = Waker::from(Arc::clone(&invocation.woken));
        loop {
            invocation.woken.0.store(false, Ordering::Relaxed);
            if let Poll::Ready(answer) = invocation.work.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.process = Some(invocation.process);
                return answer.value();
            }
            if invocation.woken.0.load(Ordering::Relaxed) {
                continue;
            }
            let next = self.time.next().unwrap_or(invocation.end);
            if next >= invocation.end {
                self.broken.push(format!("the invocation was not through after {LEFT:?}"));
                return Err(Failure::Retry("Lambda ended it".to_owned()));
            }
            self.set.region.step(next - clock::now());
            self.time.leap(next);
        }
    }

    /// Looks once more after all is mended, which brings everything to its end.
    fn come_right(&mut self, how: &str) {
        self.break_calls(None);
        self.pass(self.set.scene.pause());
        if let Err(failure) = self.look() {
            self.broken.push(format!("{how}: the sweep after it was mended failed: {failure}"));
        }
        self.broken.extend(self.set.open().into_iter().map(|open| format!("{how}: after a sweep, {open}")));
    }

    /// Looks once more, and finds nothing to do.
    fn stay_right(&mut self, how: &str) {
        let told = self.set.told();
        self.pass(Duration::from_secs(60));
        drop(self.look());
        if self.set.told() != told {
            self.broken.push(format!("{how}: a further sweep told something"));
        }
    }

    /// Notes what is that must not be.
    pub fn judge(&mut self, how: &str) {
        self.broken.extend(self.set.forbidden(self.hides_pages).into_iter().map(|what| format!("{how}: {what}")));
    }
}

impl Drop for Play<'_> {
    fn drop(&mut self) {
        clock::simulate(None);
        if self.set.scene.function() == Function::Acceptor {
            *self.prepared.acceptor.borrow_mut() = self.process.take();
        }
    }
}

impl Play<'_> {
    /// What comes after the look in which something went wrong.
    pub fn go_on(&mut self, often: Often, process: NextProcess) {
        let how = process.word();
        if often == Often::ForEver && !self.way.book().writes.is_empty() {
            // It still goes wrong with the next sweep.
            self.pass(Duration::from_secs(60));
            drop(self.look());
            self.judge(how);
        }
        if process == NextProcess::New && self.set.scene.function() != Function::Acceptor {
            self.process = None;
        }
        self.come_right(how);
        if process == NextProcess::New {
            self.stay_right(how);
        }
        self.judge(how);
    }
}

/// Who looks once all is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextProcess {
    /// The process that met the trouble.
    Same,
    /// One that knows only what AWS knows.
    New,
}

impl NextProcess {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Same, Self::New];

    fn word(self) -> &'static str {
        match self {
            Self::Same => "the same process",
            Self::New => "a new process",
        }
    }
}
