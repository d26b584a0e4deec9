//! The proof, before anything is published, that it could be marked.
//!
//! A dry run asks AWS with exactly the tags that are written afterwards. It does not count the tags that are there,
//! so that is done here.

use std::collections::{BTreeMap, HashMap};

use futures_util::StreamExt;
use privatelink_core::ids::ConnectionId;
use privatelink_core::notice::{Mark, NoticeEffect, Publish};
use privatelink_core::observed::{Observed, Tags};
use privatelink_core::plan::EffectKind;
use privatelink_core::report::{Ended, Outcome, Thing};
use tokio::time::Instant;

use super::Notifier;
use super::carry::ended;
use super::tags::{alike, dry_run};
use crate::error::{CallError, Meaning};

/// The most tags that one thing bears, AWS's own left out.
const MOST_TAGS: usize = 50;

impl Notifier {
    /// The connections that could not be marked, with what is reported of them: nobody is told of those.
    pub(super) async fn prove(
        &self,
        observed: &Observed,
        effects: &[NoticeEffect<'_>],
        by: Instant,
    ) -> BTreeMap<ConnectionId, Outcome> {
        let publishes = effects.iter().filter_map(|effect| match effect {
            NoticeEffect::Publish(publish) => Some(publish),
            NoticeEffect::Mark(_) => None,
        });
        let mut marks: Vec<_> =
            publishes.flat_map(|publish| publish.marks.iter().map(move |mark| (mark, publish))).collect();
        let publishes: HashMap<&ConnectionId, &Publish<'_>> =
            marks.iter().map(|(mark, publish)| (mark.connection, *publish)).collect();
        let mut refused = BTreeMap::new();
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
                refused.insert(mark.connection.clone(), outcome);
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
        let mut answers = dry_run(&self.ec2, alike(marks.into_iter().map(|(mark, _)| mark)), by);
        while let Some(answers) = answers.next().await {
            for (mark, answer) in answers {
                if let Err(error) = answer {
                    refuse(mark, error);
                }
            }
        }
        refused
    }
}

/// Whether a connection has room for its mark beside the tags that it bears.
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
