//! Who is at work does what he has to do, in an order that the seed draws, and dies when the seed says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use privatelink_aws::clock;

use super::Simulation;
use super::events::By;
use super::functions::{Function, Invocation, Process};
use super::invariants::Violation;

impl Simulation {
    /// Everybody who has something to do does it, one by one, in an order that the seed draws.
    pub(super) fn work(&mut self) {
        loop {
            let woken = |(_, invocation): &(usize, &Invocation)| invocation.woken.0.load(Ordering::Relaxed);
            let woken: Vec<usize> = self.at_work.iter().enumerate().filter(woken).map(|(place, _)| place).collect();
            let Some(place) = self.random.choice(woken) else { return };
            let invocation = &mut self.at_work[place];
            invocation.woken.0.store(false, Ordering::Relaxed);
            invocation.polls += 1;
            if invocation.dies.is_some_and(|dies| invocation.polls > dies) {
                let dead = self.at_work.remove(place);
                self.timeline.say(format!("call {}: dies", dead.id));
                self.network.book(|book| book.excused.insert(dead.id));
                continue;
            }
            let waker = Waker::from(Arc::clone(&invocation.woken));
            if let Poll::Ready(answer) = invocation.work.as_mut().poll(&mut Context::from_waker(&waker)) {
                let done = self.at_work.remove(place);
                let said = answer.result.as_ref().map_or_else(ToString::to_string, |_| "ends".to_owned());
                self.timeline.say(format!("call {}: {said}", done.id));
                self.idle.push(done.process);
            }
            self.hear(By::Function);
        }
    }

    /// Lambda ends whoever is not through by then.
    pub(super) fn end_late(&mut self) {
        let now = clock::now();
        while let Some(place) = self.at_work.iter().position(|invocation| invocation.end <= now) {
            let late = self.at_work.remove(place);
            self.timeline.say(format!("call {}: out of time", late.id));
            self.network.book(|book| book.excused.insert(late.id));
            self.violations.push(Violation {
                what: format!("call {} does not end in its time", late.id),
                about: vec![format!("call {}:", late.id)],
            });
        }
    }

    pub(super) fn invoke(&mut self, function: Function, payload: Vec<u8>) {
        let kept = self.idle.iter().position(|process| process.function == function);
        let process = match kept.filter(|_| self.random.u8(..12) > 0) {
            Some(place) => self.idle.remove(place),
            None => Process::new(function, &self.configs, &self.region, &self.network),
        };
        self.number += 1;
        let (id, now) = (self.number, self.region.now());
        let short = self.deadly && self.random.u8(..4) == 0;
        let left = Duration::from_millis(if short { self.random.u64(2_000..20_000) } else { 60_000 });
        self.network.book(|book| book.begun.insert(id, now));
        self.timeline.say(format!("call {id}: {function:?} with {left:?}"));
        let mut invocation = process.invoke(id, payload, now, clock::now(), left);
        if self.deadly && self.random.u8(..5) == 0 {
            invocation.dies = Some(self.random.u32(1..60));
        }
        self.at_work.push(invocation);
    }
}
