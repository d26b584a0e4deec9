//! Writes: a plan becomes calls, and every effect an outcome.
//!
//! All calls stand in one queue. A call that fails for a reason that passes goes back into it until the deadline, so
//! that nothing that can be done waits behind something that can not. A call with several ids that is refused is
//! halved and both halves tried, which finds the largest number that AWS takes as well as the one id that it does not.
//!
//! A decision that took effect is in no later plan. The tag that could not be written in its time is owed, and written
//! with the next plan that the same process carries out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Tag, UnsuccessfulItem};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use privatelink_core::ids::ServiceId;
use privatelink_core::observed::{TAG_DECISION, TAG_POLICY};
use privatelink_core::plan::{Decided, Effect, EffectKind, policy_tag};
use privatelink_core::report::{About, Ended, Outcome};
use tokio::time::Instant;

use crate::chunks::{TAGGED, chunks};
use crate::clock::{self, sleep_until};
use crate::deadline::{Deadline, attempt, pause};
use crate::error::{CallError, Meaning};

/// How many endpoints one call accepts or rejects. AWS documents no maximum.
const DECISIONS: usize = 100;
/// How many calls are under way at the same time. Of an operation whose bucket has been found empty, one.
const AT_ONCE: usize = 4;

/// What took effect and does not bear its tag: by the decision and the policies that the tags will say.
type Untagged = BTreeMap<(&'static str, String), Vec<Item>>;

/// The tags that earlier plans could not write.
#[derive(Debug, Default)]
pub(crate) struct Owed(Mutex<Untagged>);

impl Owed {
    fn lock(&self) -> MutexGuard<'_, Untagged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Untagged {
        std::mem::take(&mut self.lock())
    }

    fn add(&self, untagged: Untagged) {
        let mut owed = self.lock();
        for (tags, items) in untagged {
            owed.entry(tags).or_default().extend(items);
        }
    }
}

/// Carries the effects out, every one of them, and the tags that are owed, and says what came of each.
pub(crate) async fn apply(ec2: &Client, effects: Vec<Effect>, owed: &Owed, deadline: Deadline) -> Vec<Outcome> {
    let mut queue = Queue::of(effects, owed.take(), deadline);
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(call) = queue.next()
        {
            let by = queue.deadline_of(&call);
            under_way.push(async move {
                let answer = attempt(by, call.attempts > 0, send(ec2, &call)).await;
                (call, answer)
            });
        }
        // While no more calls can be begun, that one could be is no reason to wake up.
        let wake = queue.wake().filter(|_| under_way.len() < AT_ONCE);
        tokio::select! {
            // In this order and not by lot, so that what was seen once can be seen again.
            biased;
            Some((call, answer)) = under_way.next(), if !under_way.is_empty() => queue.settle(call, answer),
            () = sleep_until(wake.unwrap_or_else(clock::now)), if wake.is_some() => {}
            else => break,
        }
    }
    owed.add(queue.owed);
    queue.outcomes
}

/// One call to be made.
#[derive(Debug)]
struct Call {
    what: What,
    items: Vec<Item>,
    /// How often it was made.
    attempts: u32,
    /// When it may be made again.
    not_before: Option<Instant>,
    /// Why it was not answered last time.
    last: Option<CallError>,
    /// Whether an earlier attempt may have taken effect.
    perhaps_done: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Accept(ServiceId),
    Reject(ServiceId),
    /// Tag with this decision and these policies.
    Tag(&'static str, String),
}

impl What {
    /// The name of the operation.
    fn operation(&self) -> &'static str {
        match self {
            Self::Accept(_) => "AcceptVpcEndpointConnections",
            Self::Reject(_) => "RejectVpcEndpointConnections",
            Self::Tag(..) => "CreateTags",
        }
    }

    /// Whether it accepts or rejects.
    fn decides(&self) -> bool {
        match self {
            Self::Accept(_) | Self::Reject(_) => true,
            Self::Tag(..) => false,
        }
    }
}

/// An operation's token bucket, as far as it is known.
///
/// A call that is refused takes no token, and gets nobody on. So once a bucket has been empty, its operation is called by
/// one at a time, after pauses that grow with every refusal and shrink with every token: they settle at about the time in
/// which AWS puts a token in.
#[derive(Debug, Default)]
struct Bucket {
    under_way: usize,
    /// Refusals, less tokens since; nothing, as long as it has not been empty.
    refusals: Option<u32>,
    /// When it is tried again.
    not_before: Option<Instant>,
}

impl Bucket {
    fn was_empty(&mut self, now: Instant) {
        let refusals = self.refusals.unwrap_or(0) + 1;
        self.refusals = Some(refusals);
        self.not_before = Some(now + pause(refusals));
    }

    fn gave(&mut self) {
        self.refusals = self.refusals.map(|refusals| refusals.saturating_sub(1));
    }

    /// Whether somebody is asking it who is to be waited for.
    fn is_tried(&self) -> bool {
        self.refusals.is_some() && self.under_way > 0
    }
}

/// One connection of a call, with the effect that its outcome is reported as.
#[derive(Debug, Clone)]
struct Item {
    effect: EffectKind,
    decided: Arc<Decided>,
}

impl Item {
    /// What the call names it by.
    fn id(&self, what: &What) -> &str {
        match what {
            What::Accept(_) | What::Reject(_) => self.decided.endpoint.as_str(),
            What::Tag(..) => self.decided.connection.as_ref().map_or("", |id| id.as_str()),
        }
    }
}

impl Call {
    fn new(what: What, items: Vec<Item>) -> Self {
        Self { what, items, attempts: 0, not_before: None, last: None, perhaps_done: false }
    }
}

/// Makes the call once.
///
/// # Errors
///
/// The call's error; the errors of single items are its answer.
async fn send(ec2: &Client, call: &Call) -> Result<Vec<UnsuccessfulItem>, CallError> {
    let ids = call.items.iter().map(|item| item.id(&call.what).to_owned()).collect();
    match &call.what {
        What::Accept(service) => {
            let request = ec2.accept_vpc_endpoint_connections().service_id(service.as_str());
            let answer = request.set_vpc_endpoint_ids(Some(ids)).send().await?;
            Ok(answer.unsuccessful.unwrap_or_default())
        }
        What::Reject(service) => {
            let request = ec2.reject_vpc_endpoint_connections().service_id(service.as_str());
            let answer = request.set_vpc_endpoint_ids(Some(ids)).send().await?;
            Ok(answer.unsuccessful.unwrap_or_default())
        }
        What::Tag(decision, policy) => {
            let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
            let request = ec2.create_tags().set_resources(Some(ids));
            request.tags(tag(TAG_DECISION, decision)).tags(tag(TAG_POLICY, policy)).send().await?;
            Ok(Vec::new())
        }
    }
}

struct Queue {
    calls: VecDeque<Call>,
    /// The operations' token buckets, as far as they are known.
    buckets: BTreeMap<&'static str, Bucket>,
    /// What took effect and does not bear its tag yet. Gathered while decisions are being made, it takes one call for a
    /// thousand that were decided alike.
    untagged: Untagged,
    /// What it can not bear any more in this time.
    owed: Untagged,
    /// How many calls are under way that decide something.
    deciding: usize,
    outcomes: Vec<Outcome>,
    deadline: Deadline,
}

impl Queue {
    fn of(effects: Vec<Effect>, untagged: Untagged, deadline: Deadline) -> Self {
        let mut queue = Self {
            calls: VecDeque::new(),
            buckets: BTreeMap::new(),
            untagged,
            owed: BTreeMap::new(),
            deciding: 0,
            outcomes: Vec::with_capacity(effects.len()),
            deadline,
        };
        let mut groups: BTreeMap<What, Vec<Item>> = BTreeMap::new();
        for effect in effects {
            let kind = effect.kind();
            let (what, decided) = match effect {
                Effect::Accept(decided) => (What::Accept(decided.service.clone()), decided),
                Effect::Reject(decided) => (What::Reject(decided.service.clone()), decided),
                Effect::Hold(decided) | Effect::Tag(decided) => {
                    (What::Tag("held", policy_tag(&decided.policy)), decided)
                }
            };
            groups.entry(what).or_default().push(Item { effect: kind, decided: Arc::new(decided) });
        }
        for (what, items) in groups {
            let size = if what.decides() { DECISIONS } else { TAGGED };
            queue.calls.extend(chunks(items, size).into_iter().map(|chunk| Call::new(what.clone(), chunk)));
        }
        queue
    }

    fn deadline_of(&self, call: &Call) -> Instant {
        if call.what.decides() { self.deadline.decisions } else { self.deadline.end }
    }

    /// The next call that may be made now. Those whose time is over end here.
    fn next(&mut self) -> Option<Call> {
        let now = clock::now();
        for call in std::mem::take(&mut self.calls) {
            if self.not_before(&call).unwrap_or(now).max(now) < self.deadline_of(&call) {
                self.calls.push_back(call);
            } else {
                let code = call.last.as_ref().map_or("DeadlineExceeded", |error| &error.code).to_owned();
                match &call.what {
                    // What is held is looked at again, and planned anew.
                    What::Accept(_) | What::Reject(_) | What::Tag("held", _) => {}
                    What::Tag(decision, policy) => {
                        self.owed.entry((decision, policy.clone())).or_default().extend_from_slice(&call.items);
                    }
                }
                self.end_all(call.items, &Ended::Retry(code));
            }
        }
        // Once everything is decided, or while what is left has to wait, tags are written.
        if self.deciding == 0 && !self.calls.iter().any(|call| self.is_ready(call, now)) {
            self.flush();
        }
        let ready = self.calls.iter().position(|call| self.is_ready(call, now))?;
        let call = self.calls.remove(ready)?;
        self.deciding += usize::from(call.what.decides());
        self.buckets.entry(call.what.operation()).or_default().under_way += 1;
        Some(call)
    }

    fn is_ready(&self, call: &Call, now: Instant) -> bool {
        !self.is_tried(call) && self.not_before(call).is_none_or(|at| at <= now)
    }

    /// Whether the bucket has been empty that a call needs, and somebody is asking it already.
    fn is_tried(&self, call: &Call) -> bool {
        self.buckets.get(call.what.operation()).is_some_and(Bucket::is_tried)
    }

    /// When a call may be made, for its own sake and for that of its bucket.
    fn not_before(&self, call: &Call) -> Option<Instant> {
        let bucket = self.buckets.get(call.what.operation()).and_then(|bucket| bucket.not_before);
        call.not_before.max(bucket)
    }

    /// When the next call may be made, if all of them wait. Those whose bucket is being tried wait for what comes of it.
    fn wake(&self) -> Option<Instant> {
        let free = self.calls.iter().filter(|call| !self.is_tried(call));
        free.filter_map(|call| self.not_before(call)).min()
    }

    fn settle(&mut self, call: Call, answer: Result<Vec<UnsuccessfulItem>, CallError>) {
        self.deciding -= usize::from(call.what.decides());
        let bucket = self.buckets.entry(call.what.operation()).or_default();
        bucket.under_way -= 1;
        if answer.is_ok() {
            bucket.gave();
        }
        self.sort_out(call, answer);
    }

    fn sort_out(&mut self, call: Call, answer: Result<Vec<UnsuccessfulItem>, CallError>) {
        match answer {
            Ok(unsuccessful) => self.settle_items(call, &unsuccessful),
            Err(error) => match error.meaning {
                Meaning::ComeAgain => self.again(call, error),
                Meaning::NotAllowed | Meaning::NoSuchService => self.end_all(call.items, &Ended::Refused(error.code)),
                Meaning::Over | Meaning::Refused if call.items.len() > 1 => self.halve(call),
                Meaning::Over => self.over(call),
                Meaning::Refused => self.end_all(call.items, &Ended::Refused(error.code)),
            },
        }
    }

    /// A call that was answered: the items that are not named succeeded.
    fn settle_items(&mut self, call: Call, unsuccessful: &[UnsuccessfulItem]) {
        let Call { what, items, attempts, perhaps_done, .. } = call;
        let named = |item: &Item| unsuccessful.iter().find(|failed| failed.resource_id() == Some(item.id(&what)));
        let known =
            unsuccessful.iter().all(|failed| items.iter().any(|item| failed.resource_id() == Some(item.id(&what))));
        if !known {
            // It failed for somebody, and does not say for whom. Asked one by one, it has to; and the others it did.
            let perhaps_done = perhaps_done || items.len() > 1;
            let call = Call { perhaps_done, ..Call::new(what, items) };
            return match call.items.len() {
                1 => {
                    let code = unsuccessful.first().and_then(|failed| failed.error()).and_then(|error| error.code());
                    self.sort_out(call, Err(CallError::of_item(code.unwrap_or("Unknown"), "an item without an id")));
                }
                _ => self.halve(call),
            };
        }
        let mut done = Vec::new();
        let mut again: BTreeMap<String, (CallError, Vec<Item>)> = BTreeMap::new();
        for item in items {
            let Some(failed) = named(&item) else {
                done.push(item);
                continue;
            };
            let error = failed.error();
            let code = error.and_then(|error| error.code()).unwrap_or("Unknown");
            let error = CallError::of_item(code, error.and_then(|error| error.message()).unwrap_or_default());
            match error.meaning {
                Meaning::ComeAgain => again.entry(error.code.clone()).or_insert((error, Vec::new())).1.push(item),
                Meaning::Over => self.over(Call { perhaps_done, ..Call::new(what.clone(), vec![item]) }),
                Meaning::NotAllowed | Meaning::NoSuchService | Meaning::Refused => {
                    self.end_all(vec![item], &Ended::Refused(error.code));
                }
            }
        }
        for (error, items) in again.into_values() {
            self.again(Call { attempts, perhaps_done, ..Call::new(what.clone(), items) }, error);
        }
        self.done(&what, done);
    }

    /// What took effect is tagged: the tag is the trace that the decision leaves.
    fn done(&mut self, what: &What, items: Vec<Item>) {
        self.tag(what, &items);
        self.end_all(items, &Ended::Done);
    }

    fn tag(&mut self, what: &What, items: &[Item]) {
        let decision = match what {
            What::Accept(_) => "accepted",
            What::Reject(_) => "rejected",
            What::Tag(..) => return,
        };
        for Item { decided, .. } in items.iter().filter(|item| item.decided.connection.is_some()) {
            let group = self.untagged.entry((decision, policy_tag(&decided.policy))).or_default();
            group.push(Item { effect: EffectKind::Tag, decided: Arc::clone(decided) });
            if group.len() == TAGGED {
                let items = std::mem::take(group);
                self.calls.push_front(Call::new(What::Tag(decision, policy_tag(&decided.policy)), items));
            }
        }
    }

    /// Whatever waits for its tag is tagged now.
    fn flush(&mut self) {
        for ((decision, policy), items) in std::mem::take(&mut self.untagged) {
            for chunk in chunks(items, TAGGED) {
                self.calls.push_front(Call::new(What::Tag(decision, policy.clone()), chunk));
            }
        }
    }

    /// Gone, or decided before. If an attempt of ours may have done it, it is ours to tag; a person's deed is not.
    fn over(&mut self, call: Call) {
        if call.perhaps_done {
            self.tag(&call.what, &call.items);
        }
        self.end_all(call.items, &Ended::AlreadyDone);
    }

    fn again(&mut self, call: Call, error: CallError) {
        let (attempts, now) = (call.attempts + 1, clock::now());
        let own = if error.is_throttling() {
            // A bucket is waited for by all who need it, together.
            self.buckets.entry(call.what.operation()).or_default().was_empty(now);
            None
        } else {
            Some(now + pause(attempts))
        };
        self.calls.push_back(Call {
            attempts,
            not_before: own,
            perhaps_done: call.perhaps_done || error.perhaps_done,
            last: Some(error),
            ..call
        });
    }

    fn halve(&mut self, call: Call) {
        let Call { what, mut items, perhaps_done, .. } = call;
        let second = items.split_off(items.len().div_ceil(2));
        for half in [second, items] {
            self.calls.push_front(Call { perhaps_done, ..Call::new(what.clone(), half) });
        }
    }

    fn end_all(&mut self, items: Vec<Item>, ended: &Ended) {
        let outcome = |Item { effect, decided }| {
            let about = About::Decision(decided);
            Outcome { effect, about, ended: ended.clone() }
        };
        self.outcomes.extend(items.into_iter().map(outcome));
    }
}
