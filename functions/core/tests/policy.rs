//! Loading policies, and judging one connection.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use common::*;
use privatelink_core::policy::{Counts, Decision, Facts, HoldReason, Policy, SCHEMA, Sources, Verdict};

fn facts(owner: &str) -> Facts {
    Facts {
        account: account(owner),
        endpoint_id: endpoint_id(1),
        endpoint_region: "us-west-2".to_owned(),
        cross_region: false,
        ip_address_type: "ipv4".to_owned(),
        age_seconds: 60,
        counts: Counts::default(),
    }
}

fn judge(cedar: &str, facts: &Facts) -> Verdict {
    policy(cedar).at(&service(1)).unwrap().judge(facts)
}

fn faults(cedar: &str) -> Vec<String> {
    load(cedar).unwrap_err().faults().iter().map(ToString::to_string).collect()
}

const PARTNERS: &str = r#"@id("partners") permit(principal in PrivateLink::Group::"partners", action == PrivateLink::Action::"Accept", resource);"#;

#[test]
fn what_is_permitted_is_accepted_and_everything_else_is_held() {
    let accepted = judge(PARTNERS, &facts("111122223333"));
    assert_eq!((accepted.decision, accepted.policies), (Decision::Accept, vec!["partners".to_owned()]));
    for stranger in ["222233334444", "999999999999"] {
        let held = judge(PARTNERS, &facts(stranger));
        assert_eq!(held.decision, Decision::Hold(HoldReason::NoPolicyMatched));
        assert_eq!(held.nearest[0].failed, [r#"principal in Group::"partners""#]);
    }
}

#[test]
fn accept_goes_before_reject() {
    let both =
        format!(r#"{PARTNERS} @id("out") permit(principal, action == PrivateLink::Action::"Reject", resource);"#);
    assert_eq!(judge(&both, &facts("111122223333")).decision, Decision::Accept);
    let rejected = judge(&both, &facts("222233334444"));
    assert_eq!((rejected.decision, rejected.policies), (Decision::Reject, vec!["out".to_owned()]));
}

#[test]
fn forbidding_accept_and_permitting_reject_turns_somebody_away() {
    let cedar = r#"
        @id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);
        @id("not-beta") forbid(principal == PrivateLink::Account::"222233334444", action == PrivateLink::Action::"Accept", resource);
    "#;
    let held = judge(cedar, &facts("222233334444"));
    assert_eq!((held.decision, held.policies), (Decision::Hold(HoldReason::Forbidden), vec!["not-beta".to_owned()]));
    let turned = format!(
        r#"{cedar} @id("bye") permit(principal in PrivateLink::Consumer::"beta", action == PrivateLink::Action::"Reject", resource);"#
    );
    assert_eq!(judge(&turned, &facts("222233334444")).decision, Decision::Reject);
    assert_eq!(judge(&turned, &facts("111122223333")).decision, Decision::Accept);
}

#[test]
fn an_error_in_either_action_holds() {
    let overflow = r#"{ context.ageSeconds * 9223372036854775807 > 0 }"#;
    for action in ["Accept", "Reject"] {
        let cedar = format!(
            r#"@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);
               @id("boom") permit(principal, action == PrivateLink::Action::"{action}", resource) when {overflow};"#
        );
        let held = judge(&cedar, &facts("111122223333"));
        assert_eq!(
            (held.decision, held.policies),
            (Decision::Hold(HoldReason::PolicyError), vec!["boom".to_owned()]),
            "{action}"
        );
        assert!(held.errors[0].contains("boom"), "{:?}", held.errors);
    }
}

#[test]
fn a_forbid_that_fails_does_not_let_anybody_in() {
    let cedar = r#"@id("all") permit(principal, action, resource);
        @id("boom") forbid(principal, action, resource) when { context.ageSeconds * 9223372036854775807 > 0 };"#;
    assert_eq!(judge(cedar, &facts("111122223333")).decision, Decision::Hold(HoldReason::PolicyError));
}

#[test]
fn policies_see_every_fact() {
    for (condition, holds) in [
        (r#"context.endpointId == "vpce-00000000000000001""#, true),
        (r#"context.endpointRegion == "us-west-2" && !context.crossRegion"#, true),
        (r#"context.ipAddressType == "ipv4""#, true),
        ("context.ageSeconds == 60", true),
        (
            "context.accountConnections == 0 && context.consumerConnections == 0 && context.serviceConnections == 0",
            true,
        ),
        (
            r#"principal has consumer && principal.consumer has maxConnections && principal.consumer.maxConnections == 2"#,
            true,
        ),
        (r#"principal has consumer && principal.consumer == PrivateLink::Consumer::"acme""#, true),
        (r#"resource.region == "us-west-2" && resource.name like "com.amazonaws.vpce.*""#, true),
        (r#"resource has privateDnsName && resource.privateDnsName == "api.example.com""#, true),
        (r#"resource.ipAddressTypes.contains("ipv4")"#, true),
        (r#"resource.ipAddressTypes.contains("ipv6")"#, false),
        (r#"resource.hasTag("team") && resource.getTag("team") == "edge""#, true),
        (r#"resource.hasTag("privatelink:domain")"#, false),
    ] {
        let cedar = format!(r#"@id("p") permit(principal, action, resource) when {{ {condition} }};"#);
        assert_eq!(judge(&cedar, &facts("111122223333")).decision == Decision::Accept, holds, "{condition}");
    }
}

#[test]
fn an_unlisted_account_has_no_consumer_and_no_error() {
    let cedar = r#"@id("p") permit(principal, action, resource) when { principal has consumer };"#;
    let held = judge(cedar, &facts("999999999999"));
    assert_eq!((held.decision, held.errors), (Decision::Hold(HoldReason::NoPolicyMatched), vec![]));
}

#[test]
fn the_nearest_policies_come_first_and_are_three_at_most() {
    let cedar = r#"
        @id("far") permit(principal in PrivateLink::Group::"partners", action == PrivateLink::Action::"Accept", resource)
            when { context.crossRegion && context.ageSeconds > 100 } unless { context.ipAddressType == "ipv4" || context.ageSeconds > 1 };
        @id("b-near") permit(principal, action, resource) when { context.ageSeconds < 70 && context.crossRegion };
        @id("a-near") permit(principal == PrivateLink::Account::"111122223333", action in [PrivateLink::Action::"Accept"], resource);
        @id("middle") permit(principal in PrivateLink::Consumer::"acme", action, resource == PrivateLink::Service::"vpce-svc-0b");
        @id("reject") permit(principal, action == PrivateLink::Action::"Reject", resource) when { context.crossRegion };
    "#;
    let held = judge(cedar, &facts("999999999999"));
    assert_eq!(held.policies, ["a-near", "b-near", "middle"]);
    assert_eq!(held.nearest[0].failed, [r#"principal == Account::"111122223333""#]);
    assert_eq!(held.nearest[1].failed, ["context.crossRegion"]);
    let middle = [r#"principal in Consumer::"acme""#, r#"resource == Service::"vpce-svc-0b""#];
    assert_eq!(held.nearest[2].failed, middle);
    let only_far = cedar.split("@id(\"b-near\")").next().unwrap();
    let far = &judge(only_far, &facts("999999999999")).nearest[0];
    assert_eq!(far.failed.len(), 5, "{far:?}");
    assert_eq!(far.failed[3], r#"!(context.ipAddressType == "ipv4")"#);
}

#[test]
fn what_cedar_says_is_said_as_every_other_fault_is() {
    let found = faults(r#"@id("p") permit(principal == PrivateLink::__cedar::"a", action, resource);"#);
    assert!(found[0].contains(": the name `PrivateLink::__cedar` "), "{found:?}");
}

#[test]
fn every_fault_of_every_file_is_told_with_its_file_and_line() {
    let files: Sources = [
        ("consumers.toml", "\n[[consumer]]\nname = \"a\"\naccounts = [\"1\"]\n"),
        ("a.cedar", "permit(principal, action, resource);\n@id(\"x\") permit(principal, action, resource);\n@id(\"bad id\") permit(principal, action, resource);"),
        ("b.cedar", "// one\n@id(\"x\") permit(principal, action, resource);\n@id(\"y\")\npermit(principal, action, resource) when {\n  context.colour == 1 };\n"),
        ("c.cedar", "@id(\"z\") permit(principal, acton, resource);"),
        ("d.cedar", "@id(\"t\") permit(principal == ?principal, action, resource);"),
        ("README.md", "not a policy"),
        (".swap.cedar", "neither"),
    ]
    .into_iter()
    .collect();
    let error = Policy::load(&files).unwrap_err();
    let found: Vec<_> = error.faults().iter().map(ToString::to_string).collect();
    for start in [
        "a.cedar:1: a policy without a name",
        "a.cedar:3: the id `bad id`",
        "b.cedar:2: the id `x` is that of the policy at a.cedar:2",
        "b.cedar:5: ",
        "c.cedar:1: ",
        "d.cedar:1: ",
        "consumers.toml:4: `1` is not an AWS account id",
    ] {
        assert!(found.iter().any(|fault| fault.starts_with(start)), "{start} is missing from {found:#?}");
    }
    // Cedar validates for each action, and says so of each.
    assert_eq!(found.len(), 8, "{found:#?}");
    assert!(error.to_string().starts_with("the policy has 8 faults\n  a.cedar:1: "), "{error}");
}

#[test]
fn a_policy_is_held_strictly_to_the_schema() {
    for (cedar, says) in [
        (r#"@id("p") permit(principal, action, resource) when { principal.consumer.maxConnections > 1 };"#, "consumer"),
        (r#"@id("p") permit(principal, action, resource) when { resource.getTag("a") == "b" };"#, "tag"),
        (r#"@id("p") permit(principal == PrivateLink::Acount::"111122223333", action, resource);"#, "Acount"),
        (r#"@id("p") permit(principal, action == PrivateLink::Action::"accept", resource);"#, "accept"),
        (r#"@id("") permit(principal, action, resource);"#, "empty"),
        (r#"@id("ä") permit(principal, action, resource);"#, "character"),
        (r#"@id("p") permit(principal, action, resource"#, "a.cedar:1"),
        ("", "no policy"),
        ("// nothing", "no policy"),
    ] {
        let found = faults(cedar);
        assert!(found.iter().any(|fault| fault.contains(says)), "{cedar}: {found:?}");
    }
    let none: Sources = [("consumers.toml", "")].into_iter().collect();
    assert!(Policy::load(&none).is_err());
}

#[test]
fn warnings_tell_what_is_legal_and_probably_not_meant() {
    let cedar = format!(
        "{PARTNERS}\n@id(\"typo\") permit(principal in PrivateLink::Group::\"partner\", action == PrivateLink::Action::\"Accept\", resource);\n\
         @id(\"old\") permit(principal, action == PrivateLink::Action::\"Reject\", resource) when {{ context.ageSeconds > 86400 }};"
    );
    let warnings = policy(&cedar).warnings();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(
        warnings[0].starts_with("a.cedar:2: policy `typo`: no consumer is in the group `partner`"),
        "{warnings:#?}"
    );
    assert!(warnings[1].starts_with("consumer `acme` is permitted both actions"), "{warnings:#?}");
    assert_eq!(policy(PARTNERS).warnings(), [""; 0]);
}

#[test]
fn the_digest_tells_policies_apart() {
    let digest = |files: &[(&str, &str)]| files.iter().copied().collect::<Sources>().digest();
    assert_ne!(digest(&[("a.cedar", "x"), ("b.cedar", "")]), digest(&[("a.cedar", ""), ("b.cedar", "x")]));
    assert_eq!(digest(&[("a.cedar", "x"), ("README.md", "1")]), digest(&[("a.cedar", "x")]));
}

#[test]
fn the_schema_is_what_the_readers_of_policies_were_promised() {
    for promise in
        ["entity Account in [Consumer]", "action Accept, Reject appliesTo", "tags String", "\"ageSeconds\": Long"]
    {
        assert!(SCHEMA.contains(promise), "{promise}");
    }
}
