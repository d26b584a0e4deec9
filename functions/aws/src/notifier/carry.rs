//! Carries a plan of notices out: what is published is marked, and what is refused is told to the operators.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use privatelink_core::ids::ServiceId;
use privatelink_core::notice::{Mark, Notice, NoticeEffect, Publish, Target};
use privatelink_core::observed::Observed;
use privatelink_core::plan::EffectKind;
use privatelink_core::report::{About, Ended, Outcome, Thing};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Notifier;
use super::post::post;
use super::tags::{self, Marked, alike};
use crate::chunks::{TAGGED, chunks};
use crate::clock::sleep;
use crate::deadline::Deadline;
use crate::error::{CallError, Meaning};

/// Where nothing was published for so long, what was is marked, and does not wait for the rest.
const STALL: Duration = Duration::from_secs(2);

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Done {
    /// What came of each effect.
    pub outcomes: Vec<Outcome>,
    /// What the operators are told through the log.
    pub said: Vec<Value>,
    /// How long it took until consumers were told that their connections are available: each service, with seconds.
    pub available: Vec<(ServiceId, u64)>,
}

impl Done {
    /// Adds what came of a later look: what was tried again there ended as it ended there.
    pub(super) fn follow(&mut self, later: Self) {
        let open = |outcome: &Outcome| matches!(outcome.ended, Ended::Retry(_) | Ended::Refused(_));
        if self.outcomes.iter().any(open) {
            let key = |outcome: &Outcome| {
                let more = match &outcome.about {
                    About::Decision(_) | About::Probe(_) => None,
                    About::Thing(thing) => Some(thing.more.clone()),
                };
                (outcome.effect, outcome.about.id().to_owned(), more)
            };
            let tried: BTreeSet<_> = later.outcomes.iter().map(key).collect();
            self.outcomes.retain(|outcome| !open(outcome) || !tried.contains(&key(outcome)));
        }
        self.outcomes.extend(later.outcomes);
        self.said.extend(later.said);
        self.available.extend(later.available);
    }
}

/// What is carried out in one look.
struct Carrier<'c, 'o> {
    notifier: &'c Notifier,
    now: OffsetDateTime,
    deadline: Deadline,
    done: Done,
    /// The notices that were refused, each with the code.
    refused: Vec<(&'c Publish<'o>, String)>,
    /// What was published and is not marked yet.
    unmarked: Vec<&'c Mark<'o>>,
}

impl Notifier {
    /// Carries effects out, every one of them, and writes the marks that are owed from before.
    pub async fn carry_out(
        &self,
        observed: &Observed,
        effects: &[NoticeEffect<'_>],
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Done {
        let owed = self.kept.owed(observed);
        let mut carrier = Carrier {
            notifier: self,
            now,
            deadline,
            done: Done::default(),
            refused: Vec::new(),
            unmarked: owed.iter().collect(),
        };
        carrier.carry(effects).await;
        carrier.undeliverable().await;
        carrier.done
    }
}

impl<'c, 'o> Carrier<'c, 'o> {
    async fn carry(&mut self, effects: &'c [NoticeEffect<'o>]) {
        let mut letters: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut publishes = Vec::new();
        for effect in effects {
            match effect {
                NoticeEffect::Mark(mark) => self.unmarked.push(mark),
                NoticeEffect::Publish(publish) => match publish.to {
                    Target::Topic(topic) => {
                        letters.entry(topic).or_default().push((publishes.len(), &publish.notice));
                        publishes.push(publish);
                    }
                    Target::Log => {
                        self.say(&publish.notice);
                        self.published(publish);
                    }
                },
            }
        }
        let notifier = self.notifier;
        let Deadline { decisions, end } = self.deadline;
        let mut post = pin!(post(&notifier.topics, letters, decisions).fuse());
        let mut marking = FuturesUnordered::new();
        let mut open = true;
        loop {
            for marks in self.due(open) {
                marking.push(tags::write(&notifier.ec2, marks, end));
            }
            tokio::select! {
                // In this order and not by lot, so that what was seen once can be seen again.
                biased;
                posted = post.next(), if open => match posted {
                    None => open = false,
                    Some(posted) => for (number, answer) in posted {
                        if let Some(publish) = publishes.get(number) {
                            self.posted(publish, answer);
                        }
                    }
                },
                Some(marked) = marking.next(), if !marking.is_empty() => self.marked(marked),
                () = sleep(STALL), if open && !self.unmarked.is_empty() => {
                    for marks in self.due(false) {
                        marking.push(tags::write(&notifier.ec2, marks, end));
                    }
                }
                else => return,
            }
        }
    }

    /// The marks that are to be written now: while more is being published, only as many as fill a call.
    fn due(&mut self, more: bool) -> Vec<Vec<&'c Mark<'o>>> {
        if self.unmarked.is_empty() || more && self.unmarked.len() < TAGGED {
            return Vec::new();
        }
        let groups = alike(std::mem::take(&mut self.unmarked));
        let (due, left): (Vec<_>, Vec<_>) = groups
            .into_values()
            .flat_map(|marks| chunks(marks, TAGGED))
            .partition(|marks| !more || marks.len() == TAGGED);
        self.unmarked = left.into_iter().flatten().collect();
        due
    }

    fn posted(&mut self, publish: &'c Publish<'o>, answer: Result<(), CallError>) {
        match answer.map_err(ended) {
            Ok(()) => self.published(publish),
            Err(ended) => {
                if let Ended::Refused(code) = &ended {
                    self.refused.push((publish, code.clone()));
                }
                self.report(EffectKind::Publish, publish.thing(), ended);
            }
        }
    }

    fn published(&mut self, publish: &'c Publish<'o>) {
        self.report(EffectKind::Publish, publish.thing(), Ended::Done);
        self.done.available.extend(publish.time_to_available(self.now));
        for mark in &publish.marks {
            self.notifier.kept.told(mark, self.now, false);
            self.unmarked.push(mark);
        }
    }

    fn marked(&mut self, marked: Vec<Marked<'_, '_>>) {
        for (mark, answer) in marked {
            let ended = match answer {
                Ok(()) => Ended::Done,
                // Its consumer has deleted it meanwhile.
                Err(error) if error.meaning == Meaning::Over => Ended::AlreadyDone,
                Err(error) => ended(error),
            };
            if matches!(ended, Ended::Done | Ended::AlreadyDone) {
                self.notifier.kept.told(mark, self.now, true);
            }
            self.report(EffectKind::Tag, mark.thing(), ended);
        }
    }

    fn say(&mut self, notice: &Notice<'_>) {
        self.done.said.push(json!({"message": "notice", "notice": notice.document()}));
    }

    fn report(&mut self, effect: EffectKind, thing: Thing, ended: Ended) {
        self.done.outcomes.push(Outcome::of_thing(effect, thing, ended));
    }

    /// Tells the operators, once, of what could not be delivered; through the log, where that is all that is left.
    async fn undeliverable(&mut self) {
        let kept = &self.notifier.kept;
        let refused = std::mem::take(&mut self.refused);
        let notices = refused.iter().map(|(publish, code)| (*publish, publish.undeliverable(code)));
        let notices: Vec<_> = notices.filter(|(_, notice)| !kept.knows_undeliverable(&notice.id())).collect();
        let topic = self.notifier.settings.operator_topic.as_ref();
        let mut letters: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (number, (publish, notice)) in notices.iter().enumerate() {
            match topic.filter(|topic| publish.to != Target::Topic(topic)) {
                Some(topic) => letters.entry(topic).or_default().push((number, notice)),
                // It was for the operators, and their topic did not take it.
                None => {
                    self.say(notice);
                    kept.undeliverable(notice.id());
                }
            }
        }
        let topics = &self.notifier.topics;
        let mut post = pin!(post(topics, letters, self.deadline.end));
        while let Some(posted) = post.next().await {
            for (number, answer) in posted {
                let Some((_, notice)) = notices.get(number) else { continue };
                let ended = answer.map_or_else(ended, |()| Ended::Done);
                if matches!(ended, Ended::Refused(_)) {
                    self.say(notice);
                }
                if !matches!(ended, Ended::Retry(_)) {
                    kept.undeliverable(notice.id());
                }
                let thing =
                    Publish { notice: notice.clone(), to: topic.map_or(Target::Log, Target::Topic), marks: Vec::new() };
                self.report(EffectKind::Publish, thing.thing(), ended);
            }
        }
    }
}

/// How a call that failed ended.
pub(super) fn ended(error: CallError) -> Ended {
    match error.meaning {
        Meaning::ComeAgain => Ended::Retry(error.code),
        Meaning::NotAllowed | Meaning::NoSuchService | Meaning::Over | Meaning::Refused => Ended::Refused(error.code),
    }
}
