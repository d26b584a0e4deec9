//! What a process knows that goes on after an event, what it forgets in time, and what becomes of an invocation in which
//! something fails half way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_aws::verifier::Verifier;
use privatelink_region::Region;
use privatelink_region::clock::Clock;
use privatelink_region::faults::{Fault, FaultKind, When};
use privatelink_region::world::DnsState;
use privatelink_tests::domains::{CHECK, Domains, PROPAGATION};
use privatelink_tests::meanwhile::meanwhile;
use privatelink_tests::stage::{START, outcomes, settings, skipped, tallied};
use privatelink_tests::{STRANGER, Stage};
use serde_json::{Value, json};
use time::OffsetDateTime;

const ROLE: &str = "arn:aws:iam::333344445555:role/dns";

async fn look(domains: &Domains, verifier: &Verifier) -> Value {
    domains.answer(verifier, json!({}), Duration::from_secs(10)).await.value().unwrap()
}

fn count(domains: &mut Domains, action: &str) -> usize {
    domains.stage.calls().iter().filter(|(called, _)| called == action).count()
}

#[tokio::test]
async fn a_tag_that_reads_as_it_was_before_makes_nobody_be_told_twice() {
    let domains = Domains::new().await;
    let service = domains.service("api.example.com");
    let verifier = domains.verifier();
    look(&domains, &verifier).await;
    assert_eq!(domains.mails().len(), 1);
    // A read that lags behind what was written.
    domains.region().world().services.get_mut(&service).unwrap().tags.clear();
    look(&domains, &verifier).await;
    assert_eq!(domains.mails().len(), 1);
}

#[tokio::test]
async fn a_change_that_has_arrived_is_not_asked_about_again() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    let verifier = domains.verifier();
    look(&domains, &verifier).await;
    domains.region().step(PROPAGATION);
    count(&mut domains, "GetChange");
    look(&domains, &verifier).await;
    assert_eq!(count(&mut domains, "GetChange"), 1);
    for _ in 0..2 {
        look(&domains, &verifier).await;
        assert_eq!(count(&mut domains, "GetChange"), 0);
    }
}

#[tokio::test]
async fn the_change_of_a_former_name_is_not_waited_for() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("old.example.com");
    domains.run(json!({})).await.unwrap();
    assert!(domains.memory(&service).unwrap().contains("change="), "it is on its way");
    let other = domains.service("new.example.com");
    {
        let mut world = domains.region().world();
        let name = world.services.remove(&other).unwrap().private_dns_name;
        world.services.get_mut(&service).unwrap().private_dns_name = name;
    }
    // Somebody else made the record long ago; all that is not there yet is the old one.
    domains.put_proof(&zone, &service);
    let (record, value) = domains.proof(&service);
    domains.region().world().published_txt.insert((record, value));
    domains.stage.calls();
    let answer = domains.run(json!({})).await.unwrap();
    assert!(outcomes(&answer).contains(&("start-check done".to_owned(), 1)), "{answer}");
    assert_eq!(count(&mut domains, "GetChange"), 0);
}

#[tokio::test]
async fn what_was_done_is_told_though_the_look_after_it_fails() {
    let domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    let region = domains.region().clone();
    let http = meanwhile(domains.region(), "POST", "/rrset", move |_| {
        let action = "DescribeVpcEndpointServiceConfigurations".to_owned();
        region.break_next(Fault { action, times: u32::MAX, kind: FaultKind::Unauthorized, when: When::Before });
    });
    let answer = look(&domains, &domains.over(&http)).await;
    assert_eq!(outcomes(&answer), tallied(&[("write-record done", 1)]));
    assert!(domains.txt(&zone, &domains.proof(&service).0).is_some());
}

#[tokio::test]
async fn the_session_of_a_role_is_kept_until_it_is_about_to_end() {
    // The sessions of a Region of long ago have ended, those of one of today have not.
    for (time, sessions) in [(START, 2..100), (OffsetDateTime::now_utc(), 1..2)] {
        let region = Region::new(settings(), Clock::standing(time));
        let mut domains = Domains::on(Stage::with(settings()).in_region(region)).await;
        domains.stage.write("domains.toml", &format!("[[domain]]\nname = \"example.com\"\nroleArn = \"{ROLE}\"\n"));
        let zone = domains.zone_of(STRANGER, "example.com", None);
        let service = domains.service("api.example.com");
        domains.put_proof(&zone, &service);
        domains.become_state(&service, DnsState::Verified);
        let verifier = domains.verifier();
        domains.stage.calls();
        for _ in 0..2 {
            assert_eq!(skipped(&look(&domains, &verifier).await), tallied(&[("already-right", 1)]));
        }
        let assumed = count(&mut domains, "AssumeRole");
        assert!(sessions.contains(&assumed), "{time}: {assumed}");
    }
}

#[tokio::test]
async fn a_warm_process_and_a_cold_one_come_to_the_same_end() {
    for warm in [true, false] {
        let domains = Domains::new().await;
        domains.zone("example.com");
        let service = domains.service("api.example.com");
        let verifier = domains.verifier();
        for pause in [PROPAGATION, CHECK, Duration::ZERO] {
            if warm {
                look(&domains, &verifier).await;
            } else {
                look(&domains, &domains.verifier()).await;
            }
            domains.region().step(pause);
        }
        assert_eq!((domains.state(&service), domains.mails().len()), ("verified", 1), "{warm}");
    }
}

/// A name that AWS has just verified, of which nobody was told yet.
async fn verified() -> (Domains, Verifier, String) {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    let verifier = domains.verifier();
    for pause in [PROPAGATION, CHECK] {
        look(&domains, &verifier).await;
        domains.region().step(pause);
    }
    assert_eq!((domains.state(&service), domains.mails().len()), ("verified", 0));
    (domains, verifier, service)
}

#[tokio::test]
async fn that_a_name_is_verified_is_told_by_a_later_look_if_the_first_could_not() {
    for (action, code) in [("Publish", "AuthorizationError"), ("CreateTags", "UnauthorizedOperation")] {
        let (domains, verifier, service) = verified().await;
        domains.stage.break_next(action, 1, FaultKind::Refused(code.to_owned()));
        let answer = look(&domains, &verifier).await;
        assert!(outcomes(&answer).contains(&(format!("publish refused {code}"), 1)), "{answer}");
        assert!(domains.memory(&service).unwrap().contains("check="), "{:?}", domains.memory(&service));
        // Not even the process that failed has to go on.
        look(&domains, &domains.verifier()).await;
        assert_eq!(domains.mails().len(), 1, "{action}");
        look(&domains, &domains.verifier()).await;
        assert_eq!(domains.mails().len(), 1, "{action}");
    }
}

#[tokio::test]
async fn a_tag_that_could_not_be_written_is_owed_to_whoever_comes_after() {
    let (mut domains, verifier, service) = verified().await;
    // The dry run says that it could be written.
    domains.stage.pass_next("CreateTags", 1);
    domains.stage.break_next("CreateTags", 1, FaultKind::Refused("UnauthorizedOperation".to_owned()));
    let answer = look(&domains, &verifier).await;
    let refused = [("publish done", 1), ("tag refused UnauthorizedOperation", 1)];
    assert_eq!(outcomes(&answer), tallied(&refused));
    let answer = look(&domains, &verifier).await;
    assert_eq!(outcomes(&answer), tallied(&[("tag done", 1)]));
    assert!(domains.memory(&service).unwrap().contains("told=verified"));
    count(&mut domains, "");
    assert_eq!(outcomes(&look(&domains, &verifier).await), []);
    look(&domains, &domains.verifier()).await;
    assert_eq!((domains.mails().len(), count(&mut domains, "CreateTags")), (1, 0));
}
