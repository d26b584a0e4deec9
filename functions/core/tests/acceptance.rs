//! What is planned for many connections at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use std::sync::LazyLock;

use common::*;
use privatelink_core::accept::plan_acceptance;
use privatelink_core::change::{Side, changes};
use privatelink_core::observed::{Connection, Observed, Unreadable};
use privatelink_core::plan::{EffectKind, Plan, Reason};
use privatelink_core::policy::Policy;
use proptest::prelude::*;

const CAPPED: &str = r#"
    @id("cap") permit(principal, action == PrivateLink::Action::"Accept", resource)
    when { principal has consumer && principal.consumer has maxConnections
           && context.consumerConnections < principal.consumer.maxConnections };
"#;
const ALL: &str = r#"@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);"#;

/// Loaded once for the many cases of a property.
static CAP: LazyLock<Policy> = LazyLock::new(|| policy(CAPPED));

fn plan(cedar: &str, connections: Vec<Connection>) -> Plan {
    plan_acceptance(&policy(cedar), &world(connections), NOW)
}

fn effects(plan: &Plan) -> Vec<(EffectKind, String)> {
    plan.effects.iter().map(|effect| (effect.kind(), effect.decided().endpoint.to_string())).collect()
}

fn accepted(plan: &Plan) -> Vec<String> {
    effects(plan).into_iter().filter(|(kind, _)| *kind == EffectKind::Accept).map(|(_, endpoint)| endpoint).collect()
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.skipped.iter().map(|skip| skip.reason).collect()
}

fn names(ns: &[u32]) -> Vec<String> {
    ns.iter().map(|n| endpoint_id(*n).to_string()).collect()
}

#[test]
fn a_limit_holds_within_one_run_and_the_oldest_goes_first() {
    let waiting = vec![
        connection(1, "111122223333", "pendingAcceptance", 10),
        connection(2, "111122224444", "pendingAcceptance", 30),
        connection(3, "111122223333", "pendingAcceptance", 20),
    ];
    assert_eq!(accepted(&plan(CAPPED, waiting)), names(&[2, 3]));
}

#[test]
fn live_connections_of_all_accounts_of_a_consumer_count() {
    let mut connections = vec![
        connection(1, "111122223333", "pendingAcceptance", 10),
        connection(2, "111122224444", "available", 30),
        connection(3, "222233334444", "available", 30),
        connection(4, "111122224444", "rejected", 30),
    ];
    assert_eq!(accepted(&plan(CAPPED, connections.clone())), names(&[1]));
    connections.push(connection(5, "111122223333", "pending", 30));
    assert_eq!(accepted(&plan(CAPPED, connections)), names(&[]));
}

#[test]
fn a_connection_does_not_count_against_itself() {
    let connections =
        vec![connection(1, "111122223333", "available", 9), connection(2, "111122224444", "available", 9)];
    assert_eq!(reasons(&plan(CAPPED, connections)), [Reason::NotPending, Reason::NotPending]);
}

#[test]
fn one_that_was_accepted_and_still_reads_pending_acceptance_counts() {
    let lagging = |n| tagged(connection(n, "111122223333", "pendingAcceptance", 50), "accepted", "cap");
    let plan = plan(CAPPED, vec![lagging(1), lagging(2), connection(3, "111122224444", "pendingAcceptance", 99)]);
    // Both are accepted again, which does no harm, and there is no room for the third, though it is older.
    assert_eq!(accepted(&plan), names(&[1, 2]));
}

#[test]
fn an_account_that_nobody_lists_is_counted_by_itself() {
    let cedar = r#"@id("one") permit(principal, action, resource) when { context.consumerConnections < 1 };"#;
    let waiting = |n, owner| connection(n, owner, "pendingAcceptance", 10);
    let plan = plan(cedar, vec![waiting(1, "999999999999"), waiting(2, "999999999999"), waiting(3, "888888888888")]);
    assert_eq!(accepted(&plan), names(&[1, 3]));
}

#[test]
fn a_held_connection_is_tagged_once() {
    let nobody = r#"@id("nobody") permit(principal == PrivateLink::Account::"000000000000", action, resource);"#;
    let waiting = connection(1, "999999999999", "pendingAcceptance", 10);
    let first = plan(nobody, vec![waiting.clone()]);
    assert_eq!(
        (effects(&first), reasons(&first)),
        (vec![(EffectKind::Hold, endpoint_id(1).to_string())], vec![Reason::NoPolicyMatched])
    );
    let again = plan(nobody, vec![tagged(waiting.clone(), "held", "nobody")]);
    assert_eq!((effects(&again), reasons(&again)), (vec![], vec![Reason::NoPolicyMatched]));
    let changed = plan(nobody, vec![tagged(waiting.clone(), "held", "somebody")]);
    assert_eq!(effects(&changed), [(EffectKind::Tag, endpoint_id(1).to_string())]);
    let untaggable = plan(nobody, vec![Connection { id: None, ..waiting }]);
    assert_eq!((effects(&untaggable), reasons(&untaggable)), (vec![], vec![Reason::NoPolicyMatched]));
}

#[test]
fn a_held_connection_is_judged_anew() {
    let held = tagged(connection(1, "999999999999", "pendingAcceptance", 10), "held", "nobody");
    assert_eq!(accepted(&plan(ALL, vec![held])), names(&[1]));
}

#[test]
fn what_does_not_wait_is_left_alone() {
    let states = ["pending", "available", "rejected", "failed", "expired", "deleting", "deleted", "partial", ""];
    let connections = states.iter().zip(1..).map(|(state, n)| connection(n, "999999999999", state, 10)).collect();
    let plan = plan(ALL, connections);
    assert_eq!(effects(&plan), []);
    let unknown = reasons(&plan).iter().filter(|reason| **reason == Reason::UnknownState).count();
    assert_eq!((plan.skipped.len(), unknown), (9, 2));
}

#[test]
fn a_live_connection_that_would_not_be_accepted_today_is_reported() {
    let cedar = r#"@id("fresh") permit(principal in PrivateLink::Group::"partners", action, resource) when { context.ageSeconds < 60 };"#;
    let live =
        vec![connection(1, "111122223333", "available", 1_000_000), connection(2, "222233334444", "available", 10)];
    let plan = plan(cedar, live);
    assert_eq!(effects(&plan), []);
    assert_eq!(reasons(&plan), [Reason::NotPending, Reason::NoLongerPermitted]);
    assert_eq!(plan.skipped[1].policy, ["fresh"]);
}

#[test]
fn open_services_foreign_ids_and_unreadable_items_are_reported() {
    let mut observed = world(vec![]);
    observed.services.values_mut().for_each(|service| service.acceptance_required = false);
    observed.foreign.insert(service_id(7));
    observed.unreadable.push(Unreadable {
        service: None,
        endpoint: Some("?".to_owned()),
        fault: "no owner".to_owned(),
    });
    let plan = plan_acceptance(&policy(ALL), &observed, NOW);
    assert_eq!(reasons(&plan), [Reason::AcceptanceNotRequired, Reason::Foreign, Reason::UnknownState]);
}

#[test]
fn nothing_is_decided_about_a_service_that_was_not_looked_at() {
    let observed =
        Observed { services: Default::default(), ..world(vec![connection(1, "111122223333", "pendingAcceptance", 1)]) };
    assert_eq!(plan_acceptance(&policy(ALL), &observed, NOW), Plan::default());
}

#[test]
fn a_clock_that_runs_behind_makes_nobody_younger_than_new() {
    let cedar = r#"@id("p") permit(principal, action, resource) when { context.ageSeconds >= 0 };"#;
    assert_eq!(accepted(&plan(cedar, vec![connection(1, "111122223333", "pendingAcceptance", -30)])), names(&[1]));
}

#[test]
fn the_dry_run_says_who_and_why() {
    let connections = vec![
        connection(1, "111122223333", "pendingAcceptance", 10),
        connection(2, "999999999999", "pendingAcceptance", 10),
        connection(3, "999999999999", "rejected", 10),
    ];
    let text = plan(CAPPED, connections).to_string();
    let expected = "\
accept  vpce-00000000000000001 of 111122223333 to vpce-svc-00000000000000001, by cap
hold    vpce-00000000000000002 of 999999999999 to vpce-svc-00000000000000001, nearest cap
leave   vpce-00000000000000002 to vpce-svc-00000000000000001: no policy matched; `cap` needs principal has consumer \
and principal.consumer has maxConnections and context.consumerConnections < principal.consumer.maxConnections
1 connections do not wait for a decision
";
    assert_eq!(text, expected);
    assert_eq!(plan(CAPPED, vec![]).to_string(), "nothing to do\n");
}

/// Connections of four accounts, some of which lag: they are tagged `accepted` and still read `pendingAcceptance`.
fn any_connections(lag: impl Strategy<Value = bool>) -> impl Strategy<Value = Vec<Connection>> {
    let owner = prop_oneof![Just("111122223333"), Just("111122224444"), Just("222233334444"), Just("999999999999")];
    let state = prop_oneof![4 => Just("pendingAcceptance"), 1 => Just("pending"), 1 => Just("available"), 1 => Just("rejected")];
    let one = (owner, state, 0..5_i64, lag);
    proptest::collection::vec(one, 0..20).prop_map(|all| {
        let connections = all.into_iter().zip(1..).map(|((owner, state, age, lags), n)| {
            let connection = connection(n, owner, state, age);
            if lags && state == "pendingAcceptance" { tagged(connection, "accepted", "cap") } else { connection }
        });
        connections.collect()
    })
}

fn capped(connections: Vec<Connection>) -> Plan {
    plan_acceptance(&CAP, &world(connections), NOW)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_order_of_the_input_does_not_matter(connections in any_connections(any::<bool>()), seed in any::<u64>()) {
        let mut shuffled = connections.clone();
        shuffled.sort_by_key(|c| (u64::from(c.endpoint.as_str().bytes().last().unwrap()) ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        prop_assert_eq!(capped(connections), capped(shuffled));
    }

    #[test]
    fn a_limit_lets_no_more_in_than_it_allows(connections in any_connections(any::<bool>())) {
        let before: Vec<_> = connections.iter().filter(|c| c.owner.as_str().starts_with("11112222")).cloned().collect();
        let live = before.iter().filter(|c| c.state.is_live() || c.tags.contains_key("privatelink:decision")).count();
        let plan = capped(connections);
        let new = plan.effects.iter().filter(|effect| {
            let endpoint = &effect.decided().endpoint;
            effect.kind() == EffectKind::Accept && before.iter().any(|c| c.endpoint == *endpoint && c.tags.is_empty())
        });
        prop_assert!(live + new.count() <= live.max(2));
    }

    #[test]
    fn a_connection_of_a_service_that_was_not_looked_at_has_no_part_in_a_plan(connections in any_connections(any::<bool>()), elsewhere in any::<u32>()) {
        let mut all = connections;
        for (n, connection) in all.iter_mut().enumerate() {
            if elsewhere >> n & 1 == 1 {
                connection.service = service_id(2);
            }
        }
        let seen = all.iter().filter(|c| c.service == service_id(1)).cloned().collect();
        let plan = capped(all);
        prop_assert!(plan.effects.iter().all(|effect| effect.decided().service == service_id(1)));
        // Nor does it count for the others.
        prop_assert_eq!(plan, capped(seen));
    }

    #[test]
    fn applied_and_observed_again_a_plan_accepts_nobody(connections in any_connections(Just(false))) {
        let mut after = connections.clone();
        for effect in capped(connections).effects {
            let (word, state) = match effect.kind() {
                EffectKind::Accept => ("accepted", "pending"),
                EffectKind::Reject => ("rejected", "rejected"),
                EffectKind::Hold | EffectKind::Tag => ("held", "pendingAcceptance"),
                EffectKind::Publish
                | EffectKind::WriteRecord
                | EffectKind::StartCheck
                | EffectKind::ModifyEndpoint
                | EffectKind::Probe => panic!("not for connection-acceptor"),
            };
            let decided = effect.decided();
            let connection = after.iter_mut().find(|c| c.endpoint == decided.endpoint).unwrap();
            *connection = tagged(connection.clone(), word, &decided.policy.join(" "));
            connection.state = privatelink_core::observed::EndpointState::from_word(state);
        }
        prop_assert_eq!(capped(after).effects, vec![]);
    }
}

#[test]
fn of_two_policies_only_what_they_decide_differently_is_shown() {
    let side = |decision, policy: &str| Some(Side { decision, policy: vec![policy.to_owned()] });
    let all = world(vec![
        connection(1, "111122223333", "pendingAcceptance", 30),
        connection(2, "111122223333", "available", 30),
        connection(3, "444444444444", "available", 30),
        connection(4, "111122223333", "rejected", 30),
    ]);
    // The limit is two, and one is there: the listed consumer is let in by both, a stranger only by one.
    let found = changes(&CAP, &policy(ALL), &all, NOW);
    let shown: Vec<_> = found.iter().map(|change| (change.endpoint_id.clone(), change.live)).collect();
    assert_eq!(shown, [(endpoint_id(3), true)]);
    assert_eq!((found[0].before.clone(), found[0].after.clone()), (side("hold", "cap"), side("accept", "all")));
    let text = found[0].to_string();
    assert!(
        text.starts_with("hold -> accept  vpce-") && text.ends_with(", by all; it is live, and stays so"),
        "{text}"
    );
    assert_eq!(changes(&CAP, &CAP, &all, NOW), []);
}
