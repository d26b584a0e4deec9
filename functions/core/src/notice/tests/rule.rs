//! Who is told what, and how often.

use super::*;
use crate::observed::{TAG_NOTIFIED, TAG_NOTIFIED_DOMAIN, Unreadable};
use crate::plan::Skip;

fn tag<'o>(observed: &'o Observed, n: usize, key: &str) -> Option<&'o str> {
    observed.connections[n].tags.get(key).map(String::as_str)
}

fn becomes(observed: &mut Observed, n: usize, state: &str) {
    observed.connections[n].state = EndpointState::from_word(state);
}

#[test]
fn each_state_goes_to_whom_it_concerns() {
    let beta = "222233334444";
    let mut observed = ready(vec![
        connection(1, ACME, "available"),
        connection(2, beta, "rejected"),
        connection(3, STRANGER, "failed"),
        connection(4, ACME, "expired"),
        held(5, beta),
    ]);
    let told = look(&mut observed, &settings());
    let con = |n: u32, state: &str| format!("vpce-con-{n:017x}/{state}");
    let expected = [
        (Kind::EndpointConnectionExpired, con(4, "expired"), "notices"),
        (Kind::EndpointConnectionFailed, con(3, "failed"), "notices"),
        (Kind::EndpointConnectionRejected, con(2, "rejected"), "beta"),
        (Kind::EndpointConnectionAvailable, con(1, "available"), "notices"),
        (Kind::EndpointConnectionHeld, con(5, "held"), "operators"),
    ];
    assert_eq!(told, expected.map(|(kind, id, topic)| (kind, id, topic.to_owned())));
    for (n, state) in ["available", "rejected", "failed", "expired", "held"].iter().enumerate() {
        assert_eq!(tag(&observed, n, TAG_NOTIFIED), Some(*state));
    }
    assert_eq!(tag(&observed, 0, TAG_NOTIFIED_DOMAIN), Some("api.example.com"));
    assert_eq!(tag(&observed, 1, TAG_NOTIFIED_DOMAIN), None);
    assert_eq!(look(&mut observed, &settings()), []);
    assert_eq!(reasons(&observed, &settings()), [Reason::AlreadyTold; 5]);
}

#[test]
fn a_connection_that_its_consumer_changes_is_not_told_again() {
    let mut observed = ready(vec![connection(1, ACME, "pending")]);
    assert_eq!(look(&mut observed, &settings()), []);
    assert_eq!(reasons(&observed, &settings()), [Reason::NotReady]);
    becomes(&mut observed, 0, "available");
    assert_eq!(kinds(&look(&mut observed, &settings())), [Kind::EndpointConnectionAvailable]);
    for state in ["pending", "available"] {
        becomes(&mut observed, 0, state);
        assert_eq!(look(&mut observed, &settings()), []);
    }
}

#[test]
fn a_connection_that_is_cut_and_comes_back_is_told_of_each_state_once() {
    let mut observed = ready(vec![connection(1, ACME, "available")]);
    look(&mut observed, &settings());
    becomes(&mut observed, 0, "rejected");
    assert_eq!(kinds(&look(&mut observed, &settings())), [Kind::EndpointConnectionRejected]);
    assert_eq!(tag(&observed, 0, TAG_NOTIFIED), Some("rejected"));
    for state in ["pending", "available", "rejected", "available"] {
        becomes(&mut observed, 0, state);
        assert_eq!(look(&mut observed, &settings()), [], "{state}");
    }
}

#[test]
fn a_connection_that_was_turned_away_first_is_told_when_it_is_available() {
    let mut observed = ready(vec![held(1, ACME)]);
    for (state, kind) in [
        ("pendingAcceptance", Kind::EndpointConnectionHeld),
        ("rejected", Kind::EndpointConnectionRejected),
        ("available", Kind::EndpointConnectionAvailable),
    ] {
        becomes(&mut observed, 0, state);
        assert_eq!(kinds(&look(&mut observed, &settings())), [kind]);
    }
    becomes(&mut observed, 0, "rejected");
    assert_eq!(look(&mut observed, &settings()), []);
}

#[test]
fn a_notice_that_was_claimed_and_never_marked_goes_out_again() {
    let claimed = tagged(connection(1, ACME, "available"), &[("privatelink:notifying", "available")]);
    let mut observed = ready(vec![claimed]);
    assert_eq!(kinds(&look(&mut observed, &settings())), [Kind::EndpointConnectionAvailable]);
    assert_eq!(look(&mut observed, &settings()), []);
}

#[test]
fn a_claim_that_is_written_first_changes_nothing_of_what_is_remembered() {
    let mut observed = ready(vec![connection(1, ACME, "available")]);
    let mut count = 0;
    for state in ["available", "rejected", "available", "failed", "rejected"] {
        becomes(&mut observed, 0, state);
        let claims: Vec<_> = {
            let (consumers, settings) = (consumers(), settings());
            let plan = plan_notices(&observed, &consumers, &settings, NOW);
            let claims = plan.effects.iter().map(|effect| match effect {
                NoticeEffect::Publish(publish) => publish.marks[0].claim.clone(),
                NoticeEffect::Mark(_) => panic!("nothing is only marked here"),
            });
            claims.collect()
        };
        for claim in claims {
            observed.connections[0].tags.insert("privatelink:notifying".to_owned(), claim);
        }
        count += look(&mut observed, &settings()).len();
    }
    assert_eq!(count, 3);
    assert_eq!(tag(&observed, 0, "privatelink:notifying"), Some("available rejected failed"));
}

#[test]
fn the_policies_that_held_a_connection_did_not_decide_what_a_person_decided() {
    let by_hand = Connection { state: EndpointState::Available, ..held(1, ACME) };
    let observed = ready(vec![by_hand]);
    let (settings, consumers) = (settings(), consumers());
    let plan = plan_notices(&observed, &consumers, &settings, NOW);
    let NoticeEffect::Publish(publish) = &plan.effects[0] else { panic!("{plan:?}") };
    let (document, _) = hold_to_the_rules(&publish.notice.message());
    assert_eq!(document["policy"], serde_json::json!([]));
}

#[test]
fn what_one_account_has_waiting_at_one_service_is_one_notice() {
    let mut observed = ready(vec![held(1, ACME), held(3, ACME), held(2, ACME), held(4, STRANGER)]);
    let (settings, consumers) = (settings(), consumers());
    let plan = plan_notices(&observed, &consumers, &settings, NOW);
    let NoticeEffect::Publish(publish) = &plan.effects[0] else { panic!("{plan:?}") };
    let (document, mail) = hold_to_the_rules(&publish.notice.message());
    assert_eq!(document["endpoint"]["id"], "vpce-00000000000000003");
    assert_eq!(document["others"], serde_json::json!(["vpce-00000000000000002", "vpce-00000000000000001"]));
    assert_eq!(document["consumer"], "acme");
    assert_eq!(document["policy"], serde_json::json!(["partners-only", "no-more-than-agreed"]));
    assert!(mail.contains("acme (account 111122223333) asks for 3 connections"), "{mail}");
    assert!(mail.contains("partners-only, no-more-than-agreed"), "{mail}");
    assert!(mail.contains("2026-01-31T11:57:00Z"), "{mail}");
    let command = document["nextSteps"][0]["command"].as_str().unwrap();
    assert!(command.ends_with("vpce-00000000000000003 vpce-00000000000000002 vpce-00000000000000001"), "{command}");
    assert_eq!(publish.marks.len(), 3);
    assert_eq!(plan.effects.len(), 2);
    look(&mut observed, &settings);
    observed.connections.push(held(5, ACME));
    assert_eq!(look(&mut observed, &settings)[0].1, format!("vpce-con-{:017x}/held", 5));
}

#[test]
fn without_a_topic_of_their_own_the_operators_read_the_log() {
    let settings = NoticeSettings { operator_topic: None, ..settings() };
    assert_eq!(look(&mut ready(vec![held(1, ACME)]), &settings)[0].2, "log");
}

#[test]
fn what_waits_for_the_acceptor_is_not_told() {
    let waiting = connection(1, ACME, "pendingAcceptance");
    let accepted = tagged(connection(2, ACME, "pendingAcceptance"), &[(TAG_DECISION, "accepted")]);
    let mut observed = ready(vec![waiting.clone()]);
    assert!(!is_under_way(&observed));
    observed.connections.push(accepted);
    assert!(is_under_way(&observed));
    assert_eq!(look(&mut observed, &settings()), []);
    assert_eq!(reasons(&observed, &settings()), [Reason::NotReady, Reason::NotReady]);
    assert!(is_under_way(&ready(vec![connection(1, ACME, "pending")])));
    assert!(!is_under_way(&ready(vec![connection(1, ACME, "available"), held(2, ACME)])));
}

#[test]
fn a_name_that_is_verified_later_is_told_to_everyone_who_is_connected() {
    let pending = service(Some(("api.example.com", "pendingVerification")));
    let states = ["available", "available", "rejected", "pending"];
    let connections = states.iter().zip(1..).map(|(state, n)| connection(n, ACME, state)).collect();
    let mut observed = world(pending, connections);
    assert_eq!(look(&mut observed, &settings()).len(), 3);
    observed.services.insert(service_id(), service(Some(("api.example.com", "verified"))));
    let told = look(&mut observed, &settings());
    assert_eq!(kinds(&told), [Kind::DomainVerified, Kind::DomainVerified]);
    assert_eq!(told[1].1, format!("vpce-con-{:017x}/verified/api.example.com", 1));
    assert_eq!(
        (tag(&observed, 0, TAG_NOTIFIED_DOMAIN), tag(&observed, 2, TAG_NOTIFIED_DOMAIN)),
        (Some("api.example.com"), None)
    );
    assert_eq!(tag(&observed, 0, TAG_NOTIFIED), Some("available"));

    // One that becomes available now hears of the name with that, and not a second time.
    becomes(&mut observed, 3, "available");
    assert_eq!(kinds(&look(&mut observed, &settings())), [Kind::EndpointConnectionAvailable]);
    assert_eq!(look(&mut observed, &settings()), []);

    // A proof that is lost and comes again is no news; another name is.
    observed.services.insert(service_id(), service(Some(("api.example.com", "failed"))));
    assert_eq!(look(&mut observed, &settings()), []);
    observed.services.insert(service_id(), service(Some(("API.example.com.", "verified"))));
    assert_eq!(look(&mut observed, &settings()), []);
    observed.services.insert(service_id(), service(Some(("new.example.com", "verified"))));
    assert_eq!(kinds(&look(&mut observed, &settings())), [Kind::DomainVerified; 3]);
}

#[test]
fn a_first_deployment_does_not_write_to_every_customer() {
    let settings = NoticeSettings { notify_since: Some(NOW - Duration::minutes(3)), ..settings() };
    let tag_of_their_own = tagged(connection(7, ACME, "available"), &[("team", "edge")]);
    let touched = tagged(connection(8, ACME, "available"), &[(TAG_DECISION, "accepted")]);
    let connections = vec![
        connection(2, ACME, "available"),
        connection(3, ACME, "available"),
        connection(5, ACME, "available"),
        connection(6, ACME, "pending"),
        tag_of_their_own,
        touched,
    ];
    let mut observed = ready(connections);
    let told = look(&mut observed, &settings);
    let ids: Vec<_> = told.iter().map(|(_, id, _)| id.split('/').next().unwrap()).collect();
    // The one that was made at that very moment counts as new, and the one that was accepted by this product too.
    assert_eq!(ids, [8, 3, 2].map(|n: u32| format!("vpce-con-{n:017x}")));
    assert_eq!(tag(&observed, 2, TAG_NOTIFIED), Some("available"));
    assert_eq!(tag(&observed, 2, TAG_NOTIFIED_DOMAIN), Some("api.example.com"));
    assert_eq!(tag(&observed, 3, TAG_NOTIFIED), Some("pending"));
    assert_eq!(tag(&observed, 3, TAG_NOTIFIED_DOMAIN), None);
    assert_eq!(tag(&observed, 4, TAG_NOTIFIED), Some("available"));
    assert_eq!(look(&mut observed, &settings), []);

    // What changes later is told.
    becomes(&mut observed, 2, "rejected");
    becomes(&mut observed, 3, "available");
    let told = kinds(&look(&mut observed, &settings));
    assert_eq!(told, [Kind::EndpointConnectionAvailable, Kind::EndpointConnectionRejected]);
    observed.services.insert(service_id(), service(Some(("new.example.com", "verified"))));
    assert_eq!(kinds(&look(&mut observed, &settings)), [Kind::DomainVerified; 5]);
}

#[test]
fn what_is_known_is_reported_once_with_its_reason() {
    let settings = NoticeSettings { notify_since: Some(NOW), ..settings() };
    let mut observed = ready(vec![connection(1, ACME, "available")]);
    assert_eq!(reasons(&observed, &settings), [Reason::BeforeNotifySince]);
    look(&mut observed, &settings);
    assert_eq!(reasons(&observed, &settings), [Reason::AlreadyTold]);
    let mut gone = connection(1, ACME, "deleted");
    gone.created = NOW - Duration::days(9);
    assert_eq!(plan_notices(&ready(vec![gone]), &consumers(), &settings, NOW).effects, []);
}

#[test]
fn what_can_not_be_understood_or_marked_is_reported_and_not_told() {
    let mut observed = ready(vec![
        connection(1, ACME, "partial"),
        Connection { id: None, ..connection(2, ACME, "available") },
        Connection { id: None, ..held(3, ACME) },
        connection(4, ACME, "deleting"),
    ]);
    observed.foreign.insert(ServiceId::parse("vpce-svc-0f").unwrap());
    observed.unreadable.push(Unreadable {
        service: None,
        endpoint: Some("?".to_owned()),
        fault: "no owner".to_owned(),
    });
    let (settings, consumers) = (settings(), consumers());
    let plan = plan_notices(&observed, &consumers, &settings, NOW);
    assert_eq!(plan.effects, []);
    let mut found: Vec<_> = plan.skipped.iter().map(|Skip { reason, .. }| *reason).collect();
    found.sort();
    let unknown = Reason::UnknownState;
    assert_eq!(found, [unknown, unknown, unknown, unknown, Reason::AlreadyRight, Reason::Foreign]);
    assert!(plan.to_string().contains("the state `partial` is not known; nobody is told"), "{plan}");
}

#[test]
fn nothing_is_told_of_a_service_that_was_not_looked_at() {
    let observed = Observed { services: Default::default(), ..ready(vec![connection(1, ACME, "available")]) };
    assert_eq!(plan_notices(&observed, &consumers(), &settings(), NOW), Plan::default());
}

#[test]
fn one_connection_that_two_pages_show_is_told_once() {
    let mut observed = ready(vec![connection(1, ACME, "available"), connection(1, ACME, "available")]);
    assert_eq!(look(&mut observed, &settings()).len(), 1);
}

#[test]
fn a_notice_that_was_refused_is_told_to_the_operators_with_one_id() {
    let observed = ready(vec![connection(1, "222233334444", "available")]);
    let (settings, consumers) = (settings(), consumers());
    let plan = plan_notices(&observed, &consumers, &settings, NOW);
    let NoticeEffect::Publish(publish) = &plan.effects[0] else { panic!("{plan:?}") };
    let notice = publish.undeliverable("AuthorizationError");
    let (document, mail) = hold_to_the_rules(&notice.message());
    let id = format!("vpce-con-{:017x}/available", 1);
    assert_eq!((document["type"].as_str(), notice.id()), (Some("NoticeUndeliverable"), format!("{id}/undeliverable")));
    assert_eq!(document["undelivered"]["id"], id.as_str());
    assert_eq!(document["undelivered"]["code"], "AuthorizationError");
    assert_eq!(document["endpoint"]["id"], "vpce-00000000000000001");
    assert_eq!(
        document["nextSteps"][0]["command"],
        "aws sns get-topic-attributes --region eu-west-1 --topic-arn arn:aws:sns:eu-west-1:222233334444:beta"
    );
    assert!(mail.contains("AuthorizationError"), "{mail}");
}

#[test]
fn the_dry_run_and_the_report_say_who_is_told_what() {
    let old = NoticeSettings { notify_since: Some(NOW - Duration::minutes(3)), ..settings() };
    let observed =
        ready(vec![connection(1, ACME, "available"), connection(5, ACME, "available"), held(2, ACME), held(3, ACME)]);
    let consumers = consumers();
    let plan = plan_notices(&observed, &consumers, &old, NOW);
    let svc = service_id();
    let expected = format!(
        "\
tag      vpce-00000000000000005 to {svc}: privatelink:notified=available, privatelink:notified-domain=api.example.com
publish  EndpointConnectionAvailable of vpce-00000000000000001 of {ACME} to {svc}, through {DEFAULT}
publish  EndpointConnectionHeld of vpce-00000000000000003 of {ACME} to {svc} and 1 more, through {OPERATORS}
leave   vpce-00000000000000005 to {svc}: before notify since
"
    );
    assert_eq!(plan.to_string(), expected);
    let things: Vec<_> = plan.effects.iter().map(NoticeEffect::thing).collect();
    assert_eq!(
        things[0].more.iter().map(|(k, v)| (*k, v.as_str())).collect::<Vec<_>>(),
        [("notified", "available"), ("notifiedDomain", "api.example.com"),]
    );
    assert_eq!(things[1].more["topicArn"], DEFAULT);
    assert_eq!(things[1].more["consumerAccount"], ACME);
    assert_eq!(things[1].more["type"], "EndpointConnectionAvailable");
    assert_eq!(things[1].more["id"], format!("vpce-con-{:017x}/available", 1));
}
