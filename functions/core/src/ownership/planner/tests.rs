//! A domain's life, step by step.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::dns::{Answer, Delegation, Seen, ServerAnswer, Signatures, Trouble};
use crate::ids::{DnsName, ServiceId};
use crate::observed::{PrivateDns, TxtRecord};

const NOW: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);
const LABEL: &str = "_6e86v84tqgqubxbwii1m";
const VALUE: &str = "vpce:l6p0ERxlTt45jevFwOCp";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn zone(set: Existing) -> Place {
    let zone = HostedZone { id: "Z1".to_owned(), name: name("example.com"), private: false, name_servers: None };
    Place::Zone { zone, role: None, set }
}

fn domain(state: &str, place: Place) -> Domain {
    Domain {
        service: ServiceId::parse("vpce-svc-0a").unwrap(),
        private_dns: PrivateDns {
            name: "*.api.example.com".to_owned(),
            state: DnsNameState::from_word(state),
            record: Some(TxtRecord { label: LABEL.to_owned(), value: VALUE.to_owned() }),
        },
        memory: Memory::default(),
        place,
        change: None,
        seen: None,
    }
}

fn there() -> Existing {
    Existing::Values(TxtSet { ttl: 300, values: vec![format!("\"{VALUE}\"")] })
}

fn seen(answer: Answer) -> Option<Seen> {
    Some(Seen {
        record: name("_6e86v84tqgqubxbwii1m.api.example.com"),
        delegation: Delegation::Unknown(Trouble::TimedOut),
        answers: vec![ServerAnswer { server: "ns1".to_owned(), address: Some(Ipv4Addr::LOCALHOST.into()), answer }],
        given: false,
        passed_over: Vec::new(),
        doubled: None,
        signatures: Signatures::Unsigned,
    })
}

fn good() -> Option<Seen> {
    seen(Answer::Values(vec![VALUE.into()]))
}

/// Carries a plan out in the domain itself, and says what was done in one word each.
fn go(domain: &mut Domain, now: OffsetDateTime) -> Vec<String> {
    let plan = plan_ownership(domain, now);
    let mut done = Vec::new();
    for step in plan.steps {
        done.push(match step {
            Step::WriteRecord(write) => {
                assert_eq!(write.record, name("_6e86v84tqgqubxbwii1m.api.example.com"));
                let word = format!("write beside {}", write.before.map_or(0, |set| set.values.len()));
                let Place::Zone { set, .. } = &mut domain.place else { panic!("written into no zone") };
                *set = Existing::Values(write.after);
                domain.change = Some(Change { id: "C1".to_owned(), in_sync: false });
                word
            }
            Step::StartCheck => {
                domain.private_dns.state = DnsNameState::PendingVerification;
                "start".to_owned()
            }
            Step::Tell(tell) => tell.news.kind().to_string(),
            Step::Remember(memory) => {
                // Only what fits into the tag is remembered.
                domain.memory = Memory::parse(&memory.to_string());
                continue;
            }
            Step::Blocked { code, .. } => code,
        });
    }
    done.extend(plan.skipped.into_iter().map(|skip| skip.reason.word().to_owned()));
    done
}

fn minutes(n: i64) -> OffsetDateTime {
    NOW + Duration::minutes(n)
}

#[test]
fn a_name_is_proved_without_a_person() {
    let mut domain = domain("pendingVerification", zone(Existing::Nothing));
    assert!(!domain.wants_dns());
    assert_eq!(go(&mut domain, NOW), ["write beside 0"]);
    assert_eq!(go(&mut domain, NOW), ["not-ready"]);
    assert_eq!(domain.memory.change.as_deref(), Some("C1"));
    assert!(!domain.wants_dns(), "the name servers can not have it yet");
    domain.change = Some(Change { id: "C1".to_owned(), in_sync: true });
    assert!(domain.wants_dns());
    domain.seen = good();
    assert_eq!(go(&mut domain, minutes(1)), ["start"]);
    assert_eq!(domain.memory.change, None, "nobody has to ask about it again");
    assert_eq!(go(&mut domain, minutes(1)), ["not-ready"]);
    domain.private_dns.state = DnsNameState::Verified;
    assert!(!domain.wants_dns());
    assert_eq!(go(&mut domain, minutes(3)), ["DomainVerified", "already-right"]);
    assert_eq!(go(&mut domain, minutes(8)), ["already-right"]);
}

#[test]
fn a_name_that_was_verified_all_along_is_left_in_peace() {
    for place in [zone(there()), Place::NoZone { private: true }, Place::NotAsked] {
        let domain = domain("verified", place);
        assert!(!domain.wants_dns());
        let plan = plan_ownership(&domain, NOW);
        assert!(plan.steps.is_empty() && !plan.under_way, "{plan}");
        assert_eq!(plan.skipped[0].reason, Reason::AlreadyRight);
    }
}

#[test]
fn what_others_wrote_stays() {
    let foreign = TxtSet { ttl: 60, values: vec!["\"vpce:another\" \"one\"".to_owned(), "\"x\"".to_owned()] };
    let domain = domain("failed", zone(Existing::Values(foreign.clone())));
    let plan = plan_ownership(&domain, NOW);
    let Step::WriteRecord(write) = &plan.steps[0] else { panic!("{plan}") };
    assert_eq!(write.before.as_ref(), Some(&foreign));
    assert_eq!(write.after.values, [&foreign.values[..], &[format!("\"{VALUE}\"")]].concat());
    assert_eq!(write.after.ttl, 60);
}

#[test]
fn a_full_set_is_told_once_and_not_written() {
    let full = TxtSet { ttl: 60, values: (0..400).map(|n| format!("\"{n}\"")).collect() };
    let mut domain = domain("pendingVerification", zone(Existing::Values(full)));
    assert_eq!(go(&mut domain, NOW), ["DomainVerificationFailed", "record-set-full"]);
    assert_eq!(go(&mut domain, minutes(5)), ["record-set-full"]);
}

#[test]
fn a_record_that_has_gone_is_put_back() {
    let mut domain = domain("verified", zone(Existing::Nothing));
    assert_eq!(go(&mut domain, NOW), ["write beside 0"]);
    assert_eq!(go(&mut domain, NOW), ["already-right"]);
}

#[test]
fn a_check_that_must_fail_is_not_started() {
    let mut domain = domain("pendingVerification", zone(there()));
    domain.seen = seen(Answer::NoName);
    for minute in [0, 5, 10] {
        assert_eq!(go(&mut domain, minutes(minute)), ["record-missing"]);
    }
    // What does not pass by itself is told at last, and once.
    assert_eq!(go(&mut domain, minutes(15)), ["DomainVerificationFailed", "record-missing"]);
    domain.seen = seen(Answer::Trouble(Trouble::ServFail));
    assert_eq!(go(&mut domain, minutes(20)), ["servers-failing"]);
    // What is now for a person to mend is news.
    domain.seen = seen(Answer::Values(vec![VALUE.to_lowercase().into()]));
    assert_eq!(go(&mut domain, minutes(25)), ["DomainVerificationFailed", "value-lower-cased"]);
    domain.seen = good();
    assert_eq!(go(&mut domain, minutes(30)), ["start"]);
}

#[test]
fn patience_begins_anew_with_every_time_that_the_record_goes() {
    let mut domain = Domain { seen: seen(Answer::NoName), ..domain("pendingVerification", zone(there())) };
    assert_eq!(go(&mut domain, NOW), ["record-missing"]);
    domain.seen = good();
    assert_eq!(go(&mut domain, minutes(10)), ["start"]);
    domain.seen = seen(Answer::NoName);
    assert_eq!(go(&mut domain, minutes(20)), ["record-missing"]);
    assert_eq!(go(&mut domain, minutes(34)), ["record-missing"]);
    assert_eq!(go(&mut domain, minutes(35)), ["DomainVerificationFailed", "record-missing"]);
}

#[test]
fn a_check_that_aws_does_not_answer_is_started_again_after_half_an_hour() {
    let mut domain = Domain { seen: good(), ..domain("pendingVerification", zone(there())) };
    assert_eq!(go(&mut domain, NOW), ["start"]);
    for minute in [2, 10, 29] {
        assert_eq!(go(&mut domain, minutes(minute)), ["not-ready"], "{minute}");
    }
    assert_eq!(go(&mut domain, minutes(30)), ["start"]);
}

#[test]
fn each_piece_of_news_has_a_number_of_its_own() {
    let mut domain = Domain { seen: good(), ..domain("pendingVerification", zone(there())) };
    let mut numbers = Vec::new();
    for (state, minute) in
        [("pendingVerification", 0), ("verified", 3), ("failed", 60), ("verified", 63), ("failed", 120)]
    {
        domain.private_dns.state = DnsNameState::from_word(state);
        numbers.extend(plan_ownership(&domain, minutes(minute)).steps.into_iter().filter_map(|step| match step {
            Step::Tell(tell) => Some((tell.news.kind().to_string(), tell.before)),
            Step::WriteRecord(_) | Step::StartCheck | Step::Remember(_) | Step::Blocked { .. } => None,
        }));
        go(&mut domain, minutes(minute));
    }
    let expected = ["DomainVerified", "DomainVerificationLost", "DomainVerified", "DomainVerificationLost"];
    let expected: Vec<_> = expected.iter().map(ToString::to_string).zip(0..).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn a_failed_check_is_made_again_after_growing_pauses() {
    let mut domain = domain("failed", zone(there()));
    domain.seen = good();
    let mut starts = Vec::new();
    let mut told = 0;
    for minute in 0..24 * 60 {
        let done = go(&mut domain, minutes(minute));
        if done.contains(&"start".to_owned()) {
            starts.push(minute);
        }
        told += done.iter().filter(|word| *word == "DomainVerificationFailed").count();
        // AWS says no after a minute.
        if starts.last() != Some(&minute) {
            domain.private_dns.state = DnsNameState::Failed;
        }
    }
    let pauses: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
    assert_eq!((starts[0], told), (0, 1));
}

#[test]
fn a_name_that_is_no_longer_verified_is_told_at_once_and_once() {
    let remembered = || Memory { verified: true, told: Some("verified".to_owned()), ..Memory::of(LABEL) };
    // The record had gone.
    let mut gone = Domain { memory: remembered(), ..domain("failed", zone(Existing::Nothing)) };
    assert_eq!(go(&mut gone, NOW), ["DomainVerificationLost", "write beside 0"]);
    assert_eq!(go(&mut gone, minutes(1)), ["not-ready"]);
    // The record is right.
    let mut right = Domain { memory: remembered(), seen: good(), ..domain("pendingVerification", zone(there())) };
    assert_eq!(go(&mut right, NOW), ["start", "DomainVerificationLost"]);
    assert_eq!(go(&mut right, minutes(1)), ["not-ready"]);
    right.private_dns.state = DnsNameState::Verified;
    assert_eq!(go(&mut right, minutes(3)), ["DomainVerified", "already-right"]);
    // The record can not be read.
    let unread = Domain { memory: remembered(), ..domain("failed", zone(there())) };
    let mut unread = Domain { seen: seen(Answer::Trouble(Trouble::Refused)), ..unread };
    assert_eq!(go(&mut unread, NOW), ["DomainVerificationLost", "servers-refusing"]);
    assert_eq!(go(&mut unread, minutes(60)), ["servers-refusing"]);
}

#[test]
fn a_name_that_a_warm_process_saw_verified_is_lost_when_it_is_no_more() {
    let saw = || Memory { verified: true, at: Some(NOW), ..Memory::of(LABEL) };
    let well = Domain { memory: saw(), ..domain("verified", zone(there())) };
    assert!(plan_ownership(&well, NOW).steps.is_empty(), "it is not worth a write");
    let mut lost = Domain { memory: saw(), seen: good(), ..domain("failed", zone(there())) };
    assert_eq!(go(&mut lost, NOW), ["start", "DomainVerificationLost"]);
    assert_eq!(go(&mut lost, NOW), ["not-ready"]);
}

#[test]
fn a_person_is_asked_for_the_record_once_and_the_rest_goes_by_itself() {
    for (place, reason) in [
        (Place::Person, "record-required"),
        (Place::NoZone { private: false }, "no-public-zone"),
        (Place::NoZone { private: true }, "private-zone-only"),
    ] {
        let mut domain = domain("pendingVerification", place);
        assert!(domain.wants_dns());
        domain.seen = seen(Answer::NoName);
        let plan = plan_ownership(&domain, NOW);
        assert!(plan.skipped[0].fix.as_ref().unwrap().contains(VALUE), "{plan}");
        assert!(!plan.under_way, "a person is not waited for");
        assert_eq!(go(&mut domain, NOW), ["DomainRecordRequired", reason]);
        assert_eq!(go(&mut domain, minutes(60)), [reason]);
        domain.seen = good();
        assert_eq!(go(&mut domain, minutes(120)), ["start"]);
        domain.private_dns.state = DnsNameState::Verified;
        assert_eq!(go(&mut domain, minutes(122)), ["DomainVerified", "already-right"]);
    }
}

#[test]
fn servers_that_say_nothing_are_no_reason_not_to_ask_a_person() {
    for trouble in [Trouble::Refused, Trouble::TimedOut, Trouble::ServFail] {
        let mut domain =
            Domain { seen: seen(Answer::Trouble(trouble)), ..domain("pendingVerification", Place::Person) };
        assert_eq!(go(&mut domain, NOW), ["DomainRecordRequired", "record-required"]);
    }
}

#[test]
fn a_person_who_takes_the_record_away_is_asked_again() {
    let mut domain = Domain { seen: good(), ..domain("verified", Place::Person) };
    assert_eq!(go(&mut domain, NOW), ["already-right"]);
    domain.seen = seen(Answer::NoRecord);
    assert_eq!(go(&mut domain, NOW), ["DomainRecordRequired", "record-required"]);
    assert_eq!(go(&mut domain, minutes(5)), ["record-required"]);
    domain.seen = seen(Answer::Trouble(Trouble::TimedOut));
    assert_eq!(go(&mut domain, minutes(10)), ["already-right"]);
    domain.seen = good();
    assert_eq!(go(&mut domain, minutes(15)), ["already-right"]);
}

#[test]
fn a_zone_that_can_not_be_read_is_an_outcome_and_stops_nothing_else() {
    let unreadable = || Place::Unreadable { code: "AccessDenied".to_owned(), detail: "no".to_owned(), passes: false };
    let mut closed = Domain { seen: seen(Answer::NoName), ..domain("pendingVerification", unreadable()) };
    assert_eq!(go(&mut closed, NOW), ["AccessDenied", "DomainVerificationFailed", "zone-unreadable"]);
    // Somebody else wrote the record: nothing is missing.
    closed.seen = good();
    assert_eq!(go(&mut closed, minutes(5)), ["start"]);
    let mut verified = domain("verified", unreadable());
    assert_eq!(go(&mut verified, NOW), ["AccessDenied", "zone-unreadable"]);
}

#[test]
fn a_zone_that_could_not_be_read_for_once_is_waited_for_before_anybody_is_told() {
    let throttled = || Place::Unreadable { code: "Throttling".to_owned(), detail: "no".to_owned(), passes: true };
    for state in ["pendingVerification", "failed"] {
        let mut name = Domain { seen: seen(Answer::NoName), ..domain(state, throttled()) };
        for at in [NOW, minutes(14)] {
            assert!(plan_ownership(&name, at).under_way);
            assert_eq!(go(&mut name, at), ["Throttling", "zone-unreadable"], "{state}");
        }
        assert_eq!(
            go(&mut name, minutes(15)),
            ["Throttling", "DomainVerificationFailed", "zone-unreadable"],
            "{state}"
        );
    }
    // Nobody has heard of it, so that what is wrong afterwards is news.
    let mut name = Domain { seen: seen(Answer::NoName), ..domain("pendingVerification", throttled()) };
    go(&mut name, NOW);
    name.place = zone(Existing::Nothing);
    assert_eq!(go(&mut name, minutes(14)), ["write beside 0"]);
    name.change = None;
    name.seen = seen(Answer::NoName);
    assert_eq!(go(&mut name, minutes(16)), ["record-missing"]);
    assert_eq!(go(&mut name, minutes(31)), ["DomainVerificationFailed", "record-missing"]);
}

#[test]
fn another_name_begins_anew_and_the_old_record_is_named() {
    let memory = Memory { verified: true, check: Some(Checks { last: NOW, count: 9 }), ..Memory::of("_old") };
    let mut domain = Domain { memory, ..domain("pendingVerification", zone(Existing::Nothing)) };
    let plan = plan_ownership(&domain, NOW);
    assert!(plan.stale.as_ref().unwrap().detail.as_ref().unwrap().contains("`_old`"), "{plan}");
    assert_eq!(go(&mut domain, NOW), ["write beside 0"]);
    assert_eq!(plan_ownership(&domain, NOW).stale, None);
    domain.change = None;
    domain.seen = good();
    assert_eq!(go(&mut domain, NOW), ["start"]);
    assert_eq!(domain.memory.check.unwrap().count, 1);
}

#[test]
fn what_can_not_be_understood_is_left_alone() {
    let mut strange = domain("expired", zone(there()));
    assert_eq!(go(&mut strange, NOW), ["unknown-state"]);
    let mut early = domain("pendingVerification", Place::NotAsked);
    early.private_dns.record = None;
    assert_eq!(go(&mut early, NOW), ["not-ready"]);
    // AWS may tell the name before anything else of it.
    early.private_dns.state = DnsNameState::from_word("");
    assert_eq!(go(&mut early, NOW), ["not-ready"]);
    // Without a record there is nothing to wait for either, once the name is verified.
    early.private_dns.state = DnsNameState::Verified;
    assert_eq!(go(&mut early, NOW), ["already-right"]);
    for illegal in ["a..b", "-a.com", &"a.".repeat(130), "bücher.example"] {
        let mut domain = domain("pendingVerification", Place::NotAsked);
        domain.private_dns.name = illegal.to_owned();
        assert!(!domain.wants_dns());
        assert_eq!(go(&mut domain, NOW), ["DomainVerificationFailed", "illegal-name"], "{illegal}");
        assert_eq!(go(&mut domain, NOW), ["illegal-name"], "{illegal}");
    }
}

fn any_domain() -> impl Strategy<Value = Domain> {
    let state = prop_oneof![Just("pendingVerification"), Just("failed"), Just("verified"), Just("strange")];
    let foreign = Existing::Values(TxtSet { ttl: 60, values: vec!["\"x\"".to_owned()] });
    let place = prop_oneof![
        Just(zone(Existing::Nothing)),
        Just(zone(there())),
        Just(zone(foreign)),
        Just(zone(Existing::NotSimple)),
        Just(Place::NoZone { private: true }),
        Just(Place::Person),
        Just(Place::Unreadable { code: "AccessDenied".to_owned(), detail: String::new(), passes: false }),
    ];
    let answer = prop_oneof![
        Just(good()),
        Just(seen(Answer::NoName)),
        Just(seen(Answer::Trouble(Trouble::ServFail))),
        Just(seen(Answer::Values(vec![b"vpce:old".to_vec()]))),
        Just(None),
    ];
    let told = prop_oneof![
        Just(None),
        Just(Some("verified".to_owned())),
        Just(Some("required".to_owned())),
        Just(Some("failed/record-missing".to_owned())),
        Just(Some("lost/record-missing".to_owned())),
    ];
    let change = proptest::option::of(any::<bool>().prop_map(|in_sync| Change { id: "C1".to_owned(), in_sync }));
    (state, place, answer, told, change, any::<bool>(), proptest::option::of((0..600_i64, 1..9_u32)), any::<bool>())
        .prop_map(|(state, place, seen, told, change, verified, check, old)| {
            let check = check.map(|(ago, count)| Checks { last: minutes(-ago), count });
            let label = if old { "_old" } else { LABEL };
            let memory = Memory { told, verified, check, ..Memory::of(label) };
            Domain { memory, seen, change, ..domain(state, place) }
        })
}

proptest! {
    #[test]
    fn a_plan_that_was_carried_out_does_not_come_again(mut domain in any_domain()) {
        // What can follow at once is the next step of the life, and there are few of them.
        let mut writes = 0;
        let mut starts = 0;
        let mut last = Vec::new();
        for _ in 0..4 {
            last = go(&mut domain, NOW);
            writes += last.iter().filter(|word| word.starts_with("write")).count();
            starts += last.iter().filter(|word| *word == "start").count();
        }
        prop_assert!(writes <= 1 && starts <= 1, "{domain:?}");
        let again = go(&mut domain, NOW);
        prop_assert_eq!(&again, &last);
        prop_assert!(!again.iter().any(|word| word.starts_with("write") || word == "start" || word.starts_with("Domain")));
    }

    #[test]
    fn every_state_has_a_step_or_a_reason(domain in any_domain()) {
        let plan = plan_ownership(&domain, NOW);
        prop_assert!(!plan.steps.is_empty() || !plan.skipped.is_empty());
        for skip in &plan.skipped {
            if let Reason::Domain(_) = skip.reason {
                prop_assert!(skip.detail.is_some() || domain.private_dns.state == DnsNameState::Verified, "{:?}", skip);
            }
        }
    }

    #[test]
    fn no_foreign_value_is_ever_lost(domain in any_domain()) {
        for step in plan_ownership(&domain, NOW).steps {
            if let Step::WriteRecord(Write { before, after, .. }) = step {
                let before = before.map(|set| set.values).unwrap_or_default();
                prop_assert_eq!(&after.values[..before.len()], &before[..]);
                prop_assert_eq!(after.values.len(), before.len() + 1);
            }
        }
    }
}
