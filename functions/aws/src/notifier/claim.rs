//! The claim, before anything is published: it proves that tags can be written, and keeps others from telling the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use privatelink_core::ids::ConnectionId;
use privatelink_core::notice::{Claim, Mark, NoticeEffect, Publish};
use privatelink_core::observed::{Connection, Observed, Tags};
use privatelink_core::plan::{EffectKind, Reason, Skip};
use privatelink_core::report::{Ended, Outcome, Thing};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Notifier;
use super::carry::ended;
use super::tags::{alike, write};
use crate::chunks::{TAGGED, chunks};
use crate::error::{CallError, Meaning};

/// The most tags that one thing bears, AWS's own left out.
const MOST_TAGS: usize = 50;

/// How many calls are under way at the same time.
const AT_ONCE: usize = 4;

/// What became of claims.
#[derive(Debug)]
pub(super) struct Claims {
    /// The connections that can be told of.
    pub ours: BTreeSet<ConnectionId>,
    /// Until when the claims stand.
    pub until: OffsetDateTime,
    /// Those that could not be marked, with what is reported of them: nobody is told of these.
    pub refused: BTreeMap<ConnectionId, Outcome>,
}

impl Notifier {
    /// The connections that somebody else is about to tell of, and what is said of each.
    pub(super) fn claimed_by_others(
        &self,
        observed: &Observed,
        now: OffsetDateTime,
    ) -> BTreeMap<ConnectionId, (Claim, Skip)> {
        let claimed = |of: &Connection| {
            let claim = Claim::of_another(&of.tags, self.kept.process, now)?;
            let skip = Skip {
                detail: Some("another invocation is about to tell of it".to_owned()),
                ..Skip::connection(&of.service, &of.endpoint, Reason::NotReady)
            };
            Some((of.id.clone()?, (claim, skip)))
        };
        observed.connections.iter().filter_map(claimed).collect()
    }

    /// Claims what is to be published; `look` is how long the look before it took.
    pub(super) async fn claim(
        &self,
        observed: &Observed,
        effects: &[NoticeEffect<'_>],
        now: OffsetDateTime,
        look: Duration,
        by: Instant,
    ) -> Claims {
        let mut marks: Vec<_> = marks(effects).collect();
        let publishes: HashMap<&ConnectionId, &Publish<'_>> =
            marks.iter().map(|(mark, publish)| (mark.connection, *publish)).collect();
        let look = look.try_into().unwrap_or(time::Duration::MAX);
        let claim = Claim::new(self.kept.process, now, look, marks.len());
        let mut claims = Claims { ours: BTreeSet::new(), until: claim.until, refused: BTreeMap::new() };
        let mut refuse = |mark: &Mark<'_>, error: CallError| {
            if let Some(publish) = publishes.get(mark.connection) {
                let ended = match error.meaning {
                    // Its consumer has deleted it meanwhile, and needs to hear nothing of it.
                    Meaning::Over => Ended::AlreadyDone,
                    Meaning::ComeAgain | Meaning::NotAllowed | Meaning::NoSuchService | Meaning::Refused => {
                        ended(error)
                    }
                };
                let outcome = Outcome::of_thing(EffectKind::Publish, thing(publish, mark), ended);
                claims.refused.insert(mark.connection.clone(), outcome);
            }
        };
        let tagged = observed.connections.iter().filter_map(|of| Some((of.id.as_ref()?, &of.tags)));
        let tagged: HashMap<&ConnectionId, &Tags> = tagged.filter(|(id, _)| publishes.contains_key(id)).collect();
        marks.retain(|(mark, _)| {
            let room = tagged.get(mark.connection).is_none_or(|tags| has_room(tags, mark));
            if !room {
                refuse(mark, CallError::of_item("TagLimitExceeded", "no more tags fit on the connection"));
            }
            room
        });
        let marks: Vec<_> = marks.into_iter().map(|(mark, _)| mark.claimed(claim)).collect();
        let calls = alike(&marks)
            .into_values()
            .flat_map(|marks| chunks(marks, TAGGED))
            .map(|chunk| write(&self.ec2, chunk, by));
        let mut answers = stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
        while let Some(answers) = answers.next().await {
            for (mark, answer) in answers {
                match answer {
                    Ok(()) => {
                        claims.ours.insert(mark.connection.clone());
                    }
                    Err(error) => refuse(mark, error),
                }
            }
        }
        drop(answers);
        claims
    }
}

/// What is published, by what it marks.
pub(super) fn marks<'e, 'o>(effects: &'e [NoticeEffect<'o>]) -> impl Iterator<Item = (&'e Mark<'o>, &'e Publish<'o>)> {
    let publishes = effects.iter().filter_map(|effect| match effect {
        NoticeEffect::Publish(publish) => Some(publish),
        NoticeEffect::Mark(_) => None,
    });
    publishes.flat_map(|publish| publish.marks.iter().map(move |mark| (mark, publish)))
}

/// Whether a connection has room for its mark, which has the claim's key, too, beside the tags that it bears.
fn has_room(tags: &Tags, mark: &Mark<'_>) -> bool {
    let new = mark.tags.iter().filter(|(key, _)| !tags.contains_key(*key)).count();
    tags.keys().filter(|key| !key.starts_with("aws:")).count() + new <= MOST_TAGS
}

/// What is reported of one connection that a notice would have told of.
fn thing(publish: &Publish<'_>, mark: &Mark<'_>) -> Thing {
    let mut thing = publish.thing();
    if thing.endpoint.as_ref() != Some(mark.endpoint) {
        // The notice's id is that of another connection.
        thing.more.remove("id");
        thing.endpoint = Some(mark.endpoint.clone());
    }
    thing
}

#[cfg(test)]
mod tests {
    use privatelink_core::ids::{EndpointId, ServiceId};

    use super::*;

    #[test]
    fn only_new_keys_need_room_and_those_of_aws_take_none() {
        let (service, endpoint) = (ServiceId::parse("vpce-svc-0a").unwrap(), EndpointId::parse("vpce-0a").unwrap());
        let connection = ConnectionId::parse("vpce-con-0a").unwrap();
        let tags = vec![("privatelink:notified", "available".to_owned())];
        let mark = Mark { service: &service, endpoint: &endpoint, connection: &connection, tags, claim: String::new() };
        let with = |n: usize, more: &[&str]| -> Tags {
            let keys = (0..n).map(|n| format!("k{n}")).chain(more.iter().map(|key| (*key).to_owned()));
            keys.map(|key| (key, String::new())).collect()
        };
        assert!(has_room(&with(49, &[]), &mark));
        assert!(!has_room(&with(50, &[]), &mark));
        assert!(has_room(&with(49, &["privatelink:notified"]), &mark));
        assert!(has_room(&with(49, &["aws:cloudformation:stack-name"]), &mark));
    }
}
