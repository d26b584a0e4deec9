//! Somebody else writes the same record set between the verifier's read and its write: nothing of theirs is lost, and
//! ours is there all the same.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::sync::Arc;
use std::time::Duration;

use privatelink_region::route53::{Name, RecordKey, RecordSet};
use privatelink_tests::domains::{CHECK, Domains, PROPAGATION};
use privatelink_tests::meanwhile::meanwhile;
use privatelink_tests::stage::{outcomes, tallied};
use serde_json::{Value, json};

/// A zone with values of others at the place of a record.
struct Scene {
    domains: Domains,
    zone: String,
    service: String,
    record: String,
    ours: String,
}

async fn scene(there: &[&str]) -> Scene {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let (record, value) = domains.proof(&service);
    if !there.is_empty() {
        domains.put(&zone, &record, 60, there);
    }
    domains.stage.calls();
    Scene { domains, zone, service, record, ours: format!("\"{value}\"") }
}

impl Scene {
    /// One look at everything, while somebody puts values in the record's place before each of our writes: what `others`
    /// says for the write of that number, where it says something, and nothing at all for an empty list.
    async fn look(&self, others: impl Fn(usize) -> Option<Vec<String>> + Send + 'static) -> Value {
        let region = self.domains.region().clone();
        let (zone, name) = (self.zone.clone(), Name::parse(&self.record).unwrap());
        let key = Arc::new(RecordKey { name, kind: "TXT".to_owned(), identifier: None });
        let http = meanwhile(self.domains.region(), "POST", "/rrset", move |count| {
            let Some(values) = others(count) else { return };
            let mut world = region.world();
            let now = world.now();
            let mut records = world.route53.zones[&zone].records.clone();
            records.remove(key.as_ref());
            if !values.is_empty() {
                records.insert(key.as_ref().clone(), RecordSet::simple(60, values));
            }
            world.route53.change_zone(&zone, records, None, now).unwrap();
        });
        let verifier = self.domains.over(&http);
        self.domains.answer(&verifier, json!({}), Duration::from_secs(10)).await.value().unwrap()
    }

    fn values(&self) -> Vec<String> {
        self.domains.txt(&self.zone, &self.record).unwrap().1
    }

    /// How our writes ended, one after the other.
    fn writes(&mut self) -> Vec<Option<String>> {
        let calls = self.domains.stage.calls().into_iter();
        calls.filter(|(action, _)| action == "ChangeResourceRecordSets").map(|(_, error)| error).collect()
    }
}

fn owned(values: &[&str]) -> Option<Vec<String>> {
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

fn refused() -> Option<String> {
    Some("InvalidChangeBatch".to_owned())
}

#[tokio::test]
async fn a_value_that_came_in_between_stays_and_ours_is_added_in_the_same_invocation() {
    for (before, between) in [
        (&[][..], &["\"theirs\""][..]),
        (&["\"old\""], &["\"old\"", "\"theirs\""]),
        (&["\"old\"", "\"other\""], &["\"other\""]),
        (&["\"old\""], &["\"OLD\""]),
    ] {
        let mut scene = scene(before).await;
        let given = owned(between);
        let answer = scene.look(move |count| given.clone().filter(|_| count == 0)).await;
        assert_eq!(scene.values(), [&owned(between).unwrap()[..], std::slice::from_ref(&scene.ours)].concat());
        assert_eq!(scene.writes(), [refused(), None], "{before:?} {between:?}");
        let done = outcomes(&answer);
        assert!(done.contains(&("write-record done".to_owned(), 1)), "{answer}");
        assert!(!done.iter().any(|(what, _)| what.contains("refused")), "{answer}");
        // And it goes on from there.
        scene.domains.region().step(PROPAGATION);
        scene.domains.run(json!({})).await.unwrap();
        scene.domains.region().step(CHECK);
        assert_eq!(scene.domains.state(&scene.service), "verified");
    }
}

#[tokio::test]
async fn a_set_that_was_taken_away_in_between_is_made_anew() {
    let mut scene = scene(&["\"old\""]).await;
    scene.look(|count| (count == 0).then(Vec::new)).await;
    assert_eq!((scene.values(), scene.writes()), (vec![scene.ours.clone()], vec![refused(), None]));
}

#[tokio::test]
async fn a_value_that_somebody_else_wrote_for_us_is_not_written_twice() {
    let mut scene = scene(&[]).await;
    let ours = scene.ours.clone();
    let answer = scene.look(move |count| (count == 0).then(|| vec![ours.clone()])).await;
    assert_eq!((scene.values(), scene.writes()), (vec![scene.ours.clone()], vec![refused()]));
    assert!(!outcomes(&answer).iter().any(|(what, _)| what.starts_with("write-record")), "{answer}");
}

#[tokio::test]
async fn who_is_overtaken_every_time_gives_up_says_so_and_loses_nothing_of_theirs() {
    let mut scene = scene(&[]).await;
    let answer = scene.look(|count| Some(vec![format!("\"{count}\"")])).await;
    assert_eq!(outcomes(&answer), tallied(&[("write-record refused InvalidChangeBatch", 1)]));
    let writes = scene.writes();
    assert!((2..10).contains(&writes.len()) && writes.iter().all(|error| *error == refused()), "{writes:?}");
    let last = format!("\"{}\"", writes.len() - 1);
    assert_eq!(scene.values(), [last.as_str()]);
    // The next event finds nobody in its way.
    scene.look(|_| None).await;
    assert_eq!(scene.values(), [last, scene.ours.clone()]);
}
