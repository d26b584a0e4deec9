//! The whole matrix: each operation that a scene's function calls there, against each fault.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, Often};
use super::play::{Ended, NextProcess, Play, Prepared};
use super::scene::Scene;
use super::way::{Operation, Trouble};
use super::word::Word;
use crate::simulation::functions::Function;
use crate::stage::outcomes;

/// One fault of one operation, and what came of it.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Where.
    pub scene: Scene,
    /// Of which operation.
    pub of: Operation,
    /// Which.
    pub fault: Fault,
    /// How often.
    pub often: Often,
    /// What came of it.
    pub word: Word,
    /// What the function answered: its outcomes, counted, or the failure.
    pub answer: String,
}

/// The matrix.
#[derive(Debug, Default)]
pub struct Matrix {
    /// The rows, in order: whose, and which operation.
    pub rows: Vec<(Function, Operation)>,
    /// The cells.
    pub cells: Vec<Cell>,
    /// What did not hold.
    pub broken: Vec<String>,
    /// The operations that each function called, whatever went wrong.
    pub called: BTreeSet<String>,
}

impl Matrix {
    /// Plays all of it.
    pub fn play() -> Self {
        let mut matrix = Self::default();
        for scene in Scene::ALL {
            matrix.play_scene(scene);
        }
        let known: BTreeSet<&String> = matrix.rows.iter().map(|(_, of)| &of.action).collect();
        let unknown = matrix.called.iter().filter(|action| !known.contains(action));
        matrix.broken.extend(unknown.map(|action| format!("{action} is called, and in no row")));
        matrix
    }

    fn play_scene(&mut self, scene: Scene) {
        let prepared = Prepared::new(scene);
        let mut play = Play::begin(&prepared);
        let ended = play.look();
        let open = play.set.open();
        let calls: BTreeMap<Operation, usize> = play.way.book().calls.clone();
        let good = Word::of(&ended, &play, &open) == Word::Done;
        if !good || (!open.is_empty() && scene != Scene::NotYet) {
            self.broken.push(format!("{scene:?} does not end well by itself: {ended:?}, {open:?}"));
        }
        play.go_on(Often::Once, NextProcess::Same);
        self.note(&format!("{scene:?} without a fault"), &mut play);
        drop(play);
        // Each operation where it is first met.
        let new = calls.into_keys().map(|of| (scene.function(), of)).filter(|row| !self.rows.contains(row));
        let new: Vec<_> = new.collect();
        self.rows.extend(new.iter().cloned());
        for (_, of) in new {
            self.play_row(&prepared, &of, &open);
        }
    }

    fn play_row(&mut self, prepared: &Prepared, of: &Operation, open: &[String]) {
        let mut followed = BTreeSet::new();
        let faults: BTreeSet<Fault> =
            Fault::COLUMNS.iter().flat_map(|(_, faults)| *faults).map(|fault| fault.of(of)).collect();
        for fault in faults.into_iter().filter(|fault| fault.concerns(of)) {
            for often in Often::ALL {
                let trouble = Trouble { of: of.clone(), often, fault };
                let (mut play, ended) = begin(prepared, &trouble);
                let word = Word::of(&ended, &play, open);
                self.check(&trouble, word, &mut play);
                let answer = said(&ended);
                // What comes after is played once for each thing that can have come of it, and not where nothing is left.
                let state = (often, word, play.set.open(), play.set.told(), play.set.untagged(), effects(&answer));
                let ended_well = word == Word::Done && often == Often::Once && open.is_empty();
                if followed.insert(state) && !ended_well {
                    let untouched = play.way.book().writes.is_empty();
                    play.go_on(often, NextProcess::Same);
                    if play.set.untagged() > 0 && !word.lacks_tags() {
                        play.broken.push("a decision stays without its tags".to_owned());
                    }
                    self.judge_copies(&trouble, NextProcess::Same, &play);
                    self.note(&title(&trouble), &mut play);
                    drop(play);
                    // Who finds the world as it was, and knows nothing else, is who looks without a fault; and an acceptor
                    // keeps nothing that a new one would not know.
                    if !untouched && prepared.set.scene.function() != Function::Acceptor {
                        let (mut play, _) = begin(prepared, &trouble);
                        play.go_on(often, NextProcess::New);
                        self.judge_copies(&trouble, NextProcess::New, &play);
                        self.note(&title(&trouble), &mut play);
                    }
                }
                self.cells.push(Cell { scene: prepared.set.scene, of: of.clone(), fault, often, word, answer });
            }
        }
    }

    /// What has to hold right after the look.
    fn check(&mut self, trouble: &Trouble, word: Word, play: &mut Play<'_>) {
        play.judge("at once");
        let claims = play.way.book().writes.keys().all(|of| of.part == "the claim");
        if word == Word::Unread && !claims {
            play.broken.push("it could not read, and wrote something all the same".to_owned());
        }
        self.judge_copies(trouble, NextProcess::Same, play);
        self.note(&title(trouble), play);
    }

    /// Nobody is told twice, except where the answer of publishing was lost, or the mark that it was published could not
    /// be written before the process ended.
    fn judge_copies(&mut self, trouble: &Trouble, process: NextProcess, play: &Play<'_>) {
        let copies = play.set.told().into_iter().filter(|(_, copies)| *copies > 1);
        let publishing = trouble.of.action.starts_with("Publish") && trouble.fault.hides_effect();
        let marking = process == NextProcess::New && ["the mark", "the memory of a notice"].contains(&trouble.of.part);
        if !publishing && !marking {
            let told = copies.map(|((topic, kind, id), copies)| format!("{topic}: {kind} {id} {copies} times"));
            self.broken.extend(told.map(|told| format!("{}: {process:?}: {told}", title(trouble))));
        }
    }

    fn note(&mut self, what: &str, play: &mut Play<'_>) {
        self.broken.extend(play.broken.drain(..).map(|broken| format!("{what}: {broken}")));
        self.called.extend(play.way.book().ever.iter().cloned());
    }
}

fn begin<'p>(prepared: &'p Prepared, trouble: &Trouble) -> (Play<'p>, Ended) {
    let mut play = Play::begin(prepared);
    play.hides_pages = trouble.fault == Fault::PageEmpty;
    play.break_calls(Some(trouble.clone()));
    let ended = play.look();
    (play, ended)
}

fn title(trouble: &Trouble) -> String {
    format!("{}: {:?} {:?}", trouble.of, trouble.fault, trouble.often)
}

/// What a function answered, in one line.
fn said(ended: &Ended) -> String {
    match ended {
        Ok(answer) => {
            let outcomes = outcomes(answer).into_iter().map(|(outcome, n)| format!("{n} {outcome}"));
            outcomes.collect::<Vec<_>>().join(", ")
        }
        Err(failure) => {
            // In a failed read AWS's code stands first, and in what is to be tried again last.
            let mut quoted = failure.message().split('`').skip(1).step_by(2);
            let code = if failure.kind() == "Retry" { quoted.last() } else { quoted.next() };
            code.map_or_else(|| failure.kind().to_owned(), |code| format!("{} {code}", failure.kind()))
        }
    }
}

/// The answer without AWS's codes.
fn effects(answer: &str) -> Vec<String> {
    let effect = |outcome: &str| outcome.rsplit_once(' ').map_or(outcome, |(effect, _)| effect).to_owned();
    answer.split(", ").map(effect).collect()
}
