//! The post: messages go out by topic and in batches, and no topic holds up another.
//!
//! Each topic's first batch goes alone. A topic that is gone, denies or does not answer has cost one call then, and
//! what else was for it is not tried in this look.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use privatelink_core::ids::TopicArn;
use privatelink_core::notice::{LARGEST_MESSAGE, Message, Notice};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::clock::{self, sleep};
use crate::deadline::{attempt, pause};
use crate::error::{CallError, Meaning};
use crate::topics::{BATCH, Topics};

/// How many calls are under way at the same time, to all topics and to one. Each holds ten messages in memory.
const AT_ONCE: usize = 16;
const AT_ONCE_TO_ONE: usize = 8;
/// For how long one batch is tried again in one look: the next look tries again, and has others to tell of.
const PATIENCE: Duration = Duration::from_secs(5);

/// A notice by its number.
pub(super) type Letter<'l, 'o> = (usize, &'l Notice<'o>);

/// What became of the notice of that number.
pub(super) type Posted = (usize, Result<(), CallError>);

/// Publishes notices to their topics. None is begun after `by`.
pub(super) fn post<'l, 'o: 'l>(
    topics: &'l Topics,
    letters: BTreeMap<&'l TopicArn, Vec<Letter<'l, 'o>>>,
    by: Instant,
) -> BoxStream<'l, Vec<Posted>> {
    let calls = Arc::new(Semaphore::new(AT_ONCE));
    let ways = letters.into_iter().map(move |(topic, letters)| {
        let way = Arc::new(Way { topics, topic, by, calls: Arc::clone(&calls), closed: Mutex::new(None) });
        (way, letters)
    });
    stream::iter(ways).flat_map_unordered(None, |(way, letters)| way.take(letters)).boxed()
}

/// The way to one topic.
struct Way<'l> {
    topics: &'l Topics,
    topic: &'l TopicArn,
    by: Instant,
    calls: Arc<Semaphore>,
    /// Why nothing more is sent to it.
    closed: Mutex<Option<CallError>>,
}

type Batch = Vec<(usize, Message)>;

impl<'l> Way<'l> {
    fn take<'o: 'l>(self: Arc<Self>, letters: Vec<Letter<'l, 'o>>) -> BoxStream<'l, Vec<Posted>> {
        // Messages are written when their turn comes, since thousands of them would fill the memory.
        let written = letters.into_iter().map(|(number, notice)| (number, notice.message()));
        let mut batches = Batches { written, next: None };
        let first = batches.next();
        let again = Arc::clone(&self);
        let first = stream::iter(first).then(move |batch| Arc::clone(&again).send(batch));
        let rest = stream::iter(batches).map(move |batch| Arc::clone(&self).send(batch));
        first.chain(rest.buffer_unordered(AT_ONCE_TO_ONE)).boxed()
    }

    async fn send(self: Arc<Self>, batch: Batch) -> Vec<Posted> {
        let give_up = self.by.min(clock::now() + PATIENCE);
        let mut posted = Vec::with_capacity(batch.len());
        // Each with whether it is tried again.
        let mut todo = vec![(batch, false)];
        let mut tries = 0;
        while let Some((mut batch, tried)) = todo.pop() {
            let error = match self.call(&batch, tried, give_up).await {
                Ok(answers) => {
                    let mut again = None;
                    let mut left = Vec::new();
                    for ((number, message), answer) in batch.into_iter().zip(answers) {
                        match answer {
                            Err(error) if error.meaning == Meaning::ComeAgain => {
                                again = Some(error);
                                left.push((number, message));
                            }
                            answer => posted.push((number, answer)),
                        }
                    }
                    let Some(error) = again else { continue };
                    batch = left;
                    error
                }
                Err(error) => error,
            };
            match error.meaning {
                Meaning::Refused if batch.len() > 1 => {
                    let second = batch.split_off(batch.len().div_ceil(2));
                    todo.extend([(second, false), (batch, false)]);
                    continue;
                }
                // One message alone is not liked: that is no fault of the topic's.
                Meaning::Refused => {}
                Meaning::NotAllowed | Meaning::NoSuchService | Meaning::Over => self.close(&error),
                Meaning::ComeAgain => {
                    tries += 1;
                    let pause = pause(tries);
                    if self.closed().is_none() && clock::now() + pause < give_up {
                        sleep(pause).await;
                        todo.push((batch, true));
                        continue;
                    }
                    self.close(&error);
                }
            }
            posted.extend(batch.into_iter().map(|(number, _)| (number, Err(error.clone()))));
        }
        posted
    }

    async fn call(
        &self,
        batch: &Batch,
        again: bool,
        give_up: Instant,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        // A semaphore that nobody closes gives every permit.
        let _permit = self.calls.acquire().await;
        if let Some(error) = self.closed() {
            return Err(error);
        }
        if clock::now() >= self.by {
            return Err(CallError::too_late());
        }
        let messages: Vec<_> = batch.iter().map(|(_, message)| message).collect();
        let answer = attempt(give_up, again, self.topics.publish_batch(self.topic, &messages)).await;
        match answer {
            // Whoever stands in SNS's place, and knows no batches.
            Err(error) if error.code == "InvalidAction" => {
                let mut answers = Vec::with_capacity(messages.len());
                for message in messages {
                    answers.push(self.topics.publish(self.topic, message, give_up).await);
                }
                Ok(answers)
            }
            answer => answer,
        }
    }

    fn closed(&self) -> Option<CallError> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn close(&self, error: &CallError) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    }
}

/// As many messages together as one call takes.
struct Batches<I> {
    written: I,
    /// A message that the last batch had no room for.
    next: Option<(usize, Message)>,
}

impl<I: Iterator<Item = (usize, Message)>> Iterator for Batches<I> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut size = 0;
        while batch.len() < BATCH
            && let Some((number, message)) = self.next.take().or_else(|| self.written.next())
        {
            size += message.size();
            if size > LARGEST_MESSAGE && !batch.is_empty() {
                self.next = Some((number, message));
                break;
            }
            batch.push((number, message));
        }
        (!batch.is_empty()).then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(sizes: &[usize]) -> Vec<Vec<usize>> {
        let message = |size: usize| Message {
            id: String::new(),
            subject: String::new(),
            body: "x".repeat(size),
            attributes: Vec::new(),
        };
        let written = sizes.iter().map(|size| message(*size)).enumerate();
        let batches = Batches { written, next: None };
        batches.map(|batch| batch.iter().map(|(number, _)| *number).collect()).collect()
    }

    #[test]
    fn a_batch_is_ten_messages_or_as_many_as_fit() {
        assert_eq!(batches(&[]), [[0; 0]; 0]);
        assert_eq!(batches(&[1; 21]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 1]);
        let half = LARGEST_MESSAGE / 2;
        assert_eq!(batches(&[half, half, 1, half, half]), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(batches(&[LARGEST_MESSAGE, LARGEST_MESSAGE, 1]), [vec![0], vec![1], vec![2]]);
    }
}
