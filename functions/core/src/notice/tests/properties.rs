//! What holds of every world.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const STATES: [&str; 9] =
    ["pendingAcceptance", "pending", "available", "rejected", "failed", "expired", "deleting", "deleted", "partial"];

fn any_state() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&STATES[..])
}

fn any_connections() -> impl Strategy<Value = Vec<Connection>> {
    let owner = proptest::sample::select(&[ACME, "222233334444", STRANGER][..]);
    let decision = proptest::sample::select(&["", "held", "accepted", "rejected"][..]);
    let notified = proptest::sample::select(&["", "", "", "available", "rejected", "held", "pending", "nonsense"][..]);
    let claimed = proptest::sample::select(&["", "", "available", "available rejected", "held failed"][..]);
    let one = (owner, any_state(), decision, notified, claimed, 0..8_i64);
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let connections = all.into_iter().zip(1..).map(|((owner, state, decision, notified, claimed, age), n)| {
            let tags = [
                ("privatelink:decision", decision),
                ("privatelink:notified", notified),
                ("privatelink:notifying", claimed),
            ];
            let tags: Vec<_> = tags.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            Connection { created: NOW - Duration::minutes(age), ..tagged(connection(n, owner, state), &tags) }
        });
        connections.collect()
    })
}

fn any_settings() -> impl Strategy<Value = NoticeSettings> {
    proptest::option::of(0..8_i64).prop_map(|since| NoticeSettings {
        notify_since: since.map(|minutes| NOW - Duration::minutes(minutes)),
        ..settings()
    })
}

fn any_service() -> impl Strategy<Value = Service> {
    let state = proptest::sample::select(&["verified", "pendingVerification", "failed", "new"][..]);
    let name = proptest::sample::select(&["api.example.com", "*.example.com", "new.example.com"][..]);
    proptest::option::of((name, state)).prop_map(service)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn what_was_told_is_not_told_again(connections in any_connections(), service in any_service(), settings in any_settings()) {
        let mut observed = world(service, connections);
        look(&mut observed, &settings);
        let consumers = consumers();
        prop_assert_eq!(plan_notices(&observed, &consumers, &settings, NOW).effects, vec![]);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(connections in any_connections().prop_shuffle_pair(), service in any_service(), settings in any_settings()) {
        let (one, other) = connections;
        let (one, other) = (world(service.clone(), one), world(service, other));
        let consumers = consumers();
        prop_assert_eq!(plan_notices(&one, &consumers, &settings, NOW), plan_notices(&other, &consumers, &settings, NOW));
    }

    #[test]
    fn of_a_service_that_was_not_looked_at_nobody_is_told(connections in any_connections(), elsewhere in any::<u32>(), service in any_service(), settings in any_settings()) {
        let other = ServiceId::parse("vpce-svc-0fedcba9876543210").unwrap();
        let mut all = connections;
        for (n, connection) in all.iter_mut().enumerate() {
            if elsewhere >> n & 1 == 1 {
                connection.service = other.clone();
            }
        }
        let seen = all.iter().filter(|connection| connection.service != other).cloned().collect();
        let (all, seen) = (world(service.clone(), all), world(service, seen));
        let consumers = consumers();
        prop_assert_eq!(plan_notices(&all, &consumers, &settings, NOW), plan_notices(&seen, &consumers, &settings, NOW));
    }

    #[test]
    fn over_any_sequence_of_states_each_is_told_at_most_once(
        states in proptest::collection::vec((any_state(), any_state(), any::<bool>(), any::<bool>()), 0..12),
        settings in any_settings(),
    ) {
        let mut observed = ready(vec![held(1, ACME), held(2, ACME)]);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for (first, second, verified, decided) in states {
            observed.connections[0].state = EndpointState::from_word(first);
            observed.connections[1].state = EndpointState::from_word(second);
            if decided {
                observed.connections[0].tags.insert(TAG_DECISION.to_owned(), "accepted".to_owned());
            }
            let state = if verified { "verified" } else { "failed" };
            observed.services.insert(service_id(), service(Some(("api.example.com", state))));
            for (_, id, _) in look(&mut observed, &settings) {
                *times.entry(id).or_default() += 1;
            }
        }
        prop_assert!(times.values().all(|n| *n == 1), "{times:?}");
    }
}

trait Shuffled: Strategy<Value = Vec<Connection>> + Sized {
    /// The same connections twice, in two orders.
    fn prop_shuffle_pair(self) -> impl Strategy<Value = (Vec<Connection>, Vec<Connection>)> {
        self.prop_flat_map(|connections| (Just(connections.clone()), Just(connections).prop_shuffle()))
    }
}

impl<S: Strategy<Value = Vec<Connection>>> Shuffled for S {}

/// What a plan keeps of each of ten thousand connections is a few hundred bytes, and none of its text.
#[test]
fn a_plan_holds_no_text() {
    let observed = ready((1..=10_000).map(|n| connection(n, ACME, "available")).collect());
    let (consumers, settings) = (consumers(), settings());
    let plan = plan_notices(&observed, &consumers, &settings, NOW);
    assert_eq!(plan.effects.len(), 10_000);
    let kept = plan.effects.iter().map(|effect| match effect {
        NoticeEffect::Publish(Publish { notice: _, to: _, marks }) => {
            let tags = marks.iter().flat_map(|mark| &mark.tags).map(|(_, value)| value.capacity());
            size_of_val(effect)
                + marks.capacity() * size_of::<Mark<'_>>()
                + tags.sum::<usize>()
                + marks[0].claim.capacity()
                + marks[0].tags.capacity() * size_of::<(&str, String)>()
        }
        NoticeEffect::Mark(_) => panic!("nothing is only marked here"),
    });
    let most = kept.max().unwrap();
    assert!(most < 1_024, "{most}");
}
