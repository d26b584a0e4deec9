//! `endpoint-configurator` over the wire: what it sets, what it leaves, and what it returns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use privatelink_core::config::Mode;
use privatelink_core::endpoint::AddressType;
use privatelink_core::report::Failure;
use privatelink_region::Region;
use privatelink_region::clock::Clock;
use privatelink_region::faults::FaultKind;
use privatelink_region::world::{Cidr, DnsState, Peer, Rule};
use privatelink_tests::endpoints::{BOTH, BOTH_TOO, Endpoints, FOUR_ONLY, GROUP, NAME, VPC};
use privatelink_tests::stage::{START, outcomes, settings, skipped, tallied};
use privatelink_tests::{ACME, BETA, Stage};
use serde_json::{Value, json};

/// How an endpoint is that was set.
fn right() -> (String, String, bool) {
    ("dualstack".to_owned(), "dualstack".to_owned(), true)
}

/// What is told of one endpoint.
fn told<'v>(answer: &'v Value, endpoint: &str) -> &'v Value {
    answer["endpoints"].as_array().unwrap().iter().find(|one| one["id"] == endpoint).unwrap()
}

fn left<'v>(answer: &'v Value, endpoint: &str) -> Vec<&'v Value> {
    answer["skipped"].as_array().unwrap().iter().filter(|skip| skip["endpointId"] == endpoint).collect()
}

fn notice(endpoints: &Endpoints, endpoint: &str, kind: &str) -> Value {
    let document = json!({
        "schemaVersion": "1", "id": "1", "type": kind, "time": "2026-01-31T12:00:00Z",
        "service": {"id": endpoints.service}, "endpoint": {"id": endpoint, "account": ACME, "state": "available"},
    });
    let sns = json!({"Type": "Notification", "Message": document.to_string()});
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]})
}

#[tokio::test]
async fn the_available_notice_leads_to_one_change_and_the_next_look_to_none() {
    let mut endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH, BOTH_TOO]);
    let event = notice(&endpoints, &endpoint, "EndpointConnectionAvailable");
    let answer = endpoints.run(event.clone()).await.unwrap();
    assert_eq!((&answer["function"], &answer["mode"]), (&json!("endpoint-configurator"), &json!("enforce")));
    assert_eq!(
        answer["outcomes"],
        json!([{
            "effect": "modify-endpoint", "serviceId": endpoints.service, "endpointId": endpoint,
            "ipAddressType": "dualstack", "dnsRecordIpType": "dualstack", "privateDnsEnabled": "true", "result": "done",
        }])
    );
    // What is told is how it stands after that.
    assert_eq!(told(&answer, &endpoint)["state"], "pending");
    assert_eq!(
        (skipped(&answer), endpoints.stage.writes()),
        (tallied(&[("not-ready", 1)]), vec!["ModifyVpcEndpoint".to_owned()])
    );

    // While it is pending nothing is set, however often it is looked at.
    let answer = endpoints.run(event.clone()).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("not-ready", 1)])));
    endpoints.region().step(Duration::from_secs(130));
    for event in [event, json!({}), json!({"endpointIds": [endpoint]}), json!({"serviceIds": [endpoints.service]})] {
        let answer = endpoints.run(event).await.unwrap();
        assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", 1)])));
    }
    assert_eq!((endpoints.set(&endpoint), endpoints.stage.writes()), (right(), vec![]));
}

#[tokio::test]
async fn an_endpoint_is_told_of_with_all_that_a_prober_needs() {
    let endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH, BOTH_TOO]);
    {
        let mut world = endpoints.region().world();
        let tags = &mut world.endpoints.get_mut(&endpoint).unwrap().tags;
        tags.insert("privatelink:ports".to_owned(), "443 8443".to_owned());
        let network = world.networks.get_mut(&(ACME.to_owned(), "us-west-2".to_owned())).unwrap();
        let (id, description) = ("sgr-0a".to_owned(), None);
        let peer = Peer::Cidr(Cidr::parse("10.0.0.0/16").unwrap());
        let (protocol, from_port, to_port) = ("tcp".to_owned(), Some(443), Some(443));
        let rule = Rule { id, egress: false, protocol, from_port, to_port, peer, description };
        network.groups.get_mut(GROUP).unwrap().rules.push(rule);
    }
    endpoints.run(json!({})).await.unwrap();
    endpoints.region().step(Duration::from_secs(130));
    let answer = endpoints.run(json!({})).await.unwrap();
    let told = told(&answer, &endpoint);
    let tail = format!("{}.us-west-2.vpce.amazonaws.com", endpoints.service);
    let zonal = |zone: &str, id: &str| {
        let name = format!("{endpoint}-a1b2c3d4-us-west-2{zone}.{tail}");
        json!({"name": name, "kind": "zonal", "availabilityZoneId": id})
    };
    let names = json!([
        {"name": format!("{endpoint}-a1b2c3d4.{tail}"), "kind": "regional"},
        zonal("a", "usw2-az1"), zonal("b", "usw2-az2"), {"name": NAME, "kind": "private"},
    ]);
    assert_eq!(told["names"], names);
    assert_eq!(
        told["inboundRules"],
        json!([{
            "securityGroupId": GROUP, "protocol": "tcp", "fromPort": 443, "toPort": 443, "source": "10.0.0.0/16",
        }])
    );
    assert_eq!((&told["ports"], &told["vpcDns"]), (&json!([443, 8443]), &json!({"support": true, "hostnames": true})));
    for (family, front) in [("ipv4", ["10.0.1.", "10.0.2."]), ("ipv6", ["2600:1f14:0:1:", "2600:1f14:0:2:"])] {
        let addresses = told["addresses"][family].as_array().unwrap();
        assert_eq!(addresses.len(), 2, "{told}");
        assert!(addresses.iter().zip(front).all(|(is, front)| is.as_str().unwrap().starts_with(front)), "{told}");
    }
    let fields: BTreeSet<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let promised =
        ["id", "state", "serviceName", "ipAddressType", "names", "addresses", "ports", "inboundRules", "vpcDns"];
    assert_eq!(fields, BTreeSet::from(promised));
}

#[tokio::test]
async fn an_endpoint_of_somebody_else_or_without_the_tag_is_foreign_and_not_touched() {
    let mut endpoints = Endpoints::new();
    let ours = endpoints.available(&endpoints.service, &[BOTH]);
    let untagged = endpoints.made(ACME, &endpoints.service, &[BOTH_TOO], false);
    let theirs = endpoints.made(BETA, &endpoints.service, &[], true);
    for endpoint in [&untagged, &theirs] {
        endpoints.become_state(endpoint, "available");
        let before = endpoints.set(endpoint);
        for event in [notice(&endpoints, endpoint, "EndpointConnectionAvailable"), json!({"endpointIds": [endpoint]})] {
            let answer = endpoints.run(event).await.unwrap();
            assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("foreign", 1)])));
            assert_eq!(left(&answer, endpoint).len(), 1);
            // Nor is it told of; whatever bears the tag is.
            assert_eq!(answer["endpoints"].as_array().unwrap().len(), 1);
            assert_eq!(told(&answer, &ours)["state"], "available");
        }
        assert_eq!(endpoints.set(endpoint), before);
    }
    assert_eq!(endpoints.stage.writes(), [""; 0]);
    // A look at everything touches ours alone.
    endpoints.run(json!({})).await.unwrap();
    assert_eq!((endpoints.set(&ours), endpoints.stage.writes().len()), (right(), 1));
}

#[tokio::test]
async fn what_can_not_be_is_named_with_its_command_and_the_rest_is_set() {
    let endpoints = Endpoints::new();
    let four = endpoints.available(&endpoints.service, &[BOTH, FOUR_ONLY]);
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(endpoints.set(&four), ("ipv4".to_owned(), "ipv4".to_owned(), true));
    endpoints.region().step(Duration::from_secs(130));
    let answer_then = endpoints.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&answer).len(), outcomes(&answer_then).len()), (1, 0));
    let [subnets] = left(&answer_then, &four)[..] else { panic!("{answer_then}") };
    assert_eq!(subnets["reason"], "not-ready");
    let fix = subnets["fix"].as_str().unwrap();
    assert!(fix.contains(&format!("associate-subnet-cidr-block --region us-west-2 --subnet-id {FOUR_ONLY}")), "{fix}");
    assert!(!fix.contains(BOTH), "{fix}");
}

#[tokio::test]
async fn a_private_name_waits_for_its_proof_and_is_then_turned_on() {
    let mut endpoints = Endpoints::new();
    endpoints.name(&endpoints.service, DnsState::PendingVerification);
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    endpoints.region().step(Duration::from_secs(130));
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("not-ready", 1)])));
    endpoints.name(&endpoints.service, DnsState::Verified);
    // A person turned an attribute of the VPC off, and on again.
    let attribute = |on: bool| {
        let mut world = endpoints.region().world();
        let network = world.networks.get_mut(&(ACME.to_owned(), "us-west-2".to_owned())).unwrap();
        network.vpcs.get_mut(VPC).unwrap().dns_hostnames = on;
    };
    attribute(false);
    let event = notice(&endpoints, &endpoint, "DomainVerified");
    let answer = endpoints.run(event.clone()).await.unwrap();
    let fix = left(&answer, &endpoint)[0]["fix"].as_str().unwrap();
    assert_eq!(
        fix,
        format!(
            "aws ec2 modify-vpc-attribute --region us-west-2 --vpc-id {VPC} --enable-dns-hostnames '{{\"Value\":true}}'"
        )
    );
    attribute(true);
    endpoints.stage.calls();
    let answer = endpoints.run(event).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    assert_eq!((endpoints.set(&endpoint), endpoints.stage.writes().len()), (right(), 1));
}

#[tokio::test]
async fn a_name_that_somebody_else_has_in_the_vpc_keeps_no_endpoint_from_its_addresses() {
    let endpoints = Endpoints::new();
    // An endpoint without the tag has the name already, which this function can not see.
    let other = endpoints.made(ACME, &endpoints.service, &[BOTH_TOO], false);
    endpoints.become_state(&other, "available");
    endpoints.region().world().endpoints.get_mut(&other).unwrap().private_dns_enabled = true;
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let configurator = endpoints.configurator();
    let answer = endpoints.again(&configurator, json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    assert_eq!(endpoints.set(&endpoint), ("dualstack".to_owned(), "dualstack".to_owned(), false));
    endpoints.region().step(Duration::from_secs(130));
    let answer = endpoints.again(&configurator, json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint refused InvalidParameter", 1)]));
    let detail = answer["outcomes"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("conflicting DNS domain"), "{detail}");
}

#[tokio::test]
async fn of_two_endpoints_of_a_vpc_one_gets_the_name() {
    let endpoints = Endpoints::new();
    let older = endpoints.available(&endpoints.service, &[BOTH]);
    let younger = endpoints.available(&endpoints.service, &[BOTH]);
    let elsewhere = endpoints.available(&endpoints.another_service("other.example.com"), &[BOTH]);
    for _ in 0..2 {
        let answer = endpoints.run(json!({})).await.unwrap();
        assert!(outcomes(&answer).iter().all(|(outcome, _)| outcome == "modify-endpoint done"), "{answer}");
        endpoints.region().step(Duration::from_secs(130));
    }
    let named = [&older, &younger, &elsewhere].map(|endpoint| endpoints.set(endpoint).2);
    assert_eq!(named, [true, false, true]);
}

#[tokio::test]
async fn somebody_who_undoes_everything_is_not_fought() {
    let mut endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let configurator = endpoints.configurator();
    let mut results = Vec::new();
    for _ in 0..6 {
        let answer = endpoints.again(&configurator, json!({})).await.unwrap();
        results.push((outcomes(&answer).len(), answer));
        endpoints.region().step(Duration::from_secs(300));
        endpoints.undo(&endpoint);
    }
    assert_eq!(results.iter().map(|(changes, _)| *changes).collect::<Vec<_>>(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(endpoints.stage.writes().len(), 2);
    let held = left(&results[5].1, &endpoint);
    assert_eq!(held.len(), 2);
    for skip in held {
        assert_eq!(skip["reason"], "held");
        assert!(skip["detail"].as_str().unwrap().contains("`ignore_changes`"), "{skip}");
        assert!(skip["fix"].as_str().unwrap().starts_with("aws ec2 modify-vpc-endpoint "), "{skip}");
    }
    // A process that begins anew knows nothing of it.
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer).len(), 1);
}

#[tokio::test]
async fn what_the_role_may_not_read_stops_nothing_else() {
    for (action, set) in [
        ("DescribeSecurityGroupRules", right()),
        ("DescribeNetworkInterfaces", right()),
        ("DescribeSubnets", ("ipv4".to_owned(), "ipv4".to_owned(), true)),
        ("DescribeVpcAttribute", ("dualstack".to_owned(), "dualstack".to_owned(), false)),
        ("DescribeVpcEndpointServices", ("ipv4".to_owned(), "ipv4".to_owned(), false)),
    ] {
        let endpoints = Endpoints::new();
        let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
        endpoints.stage.break_next(action, u32::MAX, FaultKind::Unauthorized);
        let answer = endpoints.run(json!({})).await.unwrap();
        assert_eq!(endpoints.set(&endpoint), set, "{action}");
        let skips = answer["skipped"].as_array().unwrap();
        let fix = format!("allow `ec2:{action}` on `*` in the policy of this function's role");
        assert!(skips.iter().any(|skip| skip["fix"] == fix.as_str()), "{action}: {answer}");
        assert_eq!(told(&answer, &endpoint)["id"], endpoint.as_str());
    }
    let endpoints = Endpoints::new();
    endpoints.stage.break_next("DescribeVpcEndpoints", u32::MAX, FaultKind::Unauthorized);
    assert!(matches!(endpoints.run(json!({})).await, Err(Failure::ReadFailed(_))));
}

#[tokio::test]
async fn a_change_that_is_denied_is_refused_and_one_that_is_throttled_comes_again() {
    let endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    endpoints.stage.break_next("ModifyVpcEndpoint", 1, FaultKind::Unauthorized);
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint refused UnauthorizedOperation", 1)]));

    endpoints.stage.break_next("ModifyVpcEndpoint", u32::MAX, FaultKind::Throttled);
    let ended = endpoints.within(&endpoints.configurator(), json!({}), Duration::from_secs(2)).await;
    assert!(matches!(ended, Err(Failure::Retry(why)) if why.contains("RequestLimitExceeded")));
    // In a batch, whoever named it is named.
    let record = |id: &str, body: Value| json!({"messageId": id, "eventSource": "aws:sqs", "body": body.to_string()});
    let notice = |id: &str| {
        json!({"schemaVersion": "1", "type": "EndpointConnectionAvailable",
                                   "service": {"id": endpoints.service}, "endpoint": {"id": id}})
    };
    let batch = json!({"Records": [record("ours", notice(&endpoint)), record("foreign", notice("vpce-0f")),
                                   record("garbage", json!("?"))]});
    let answer = endpoints.within(&endpoints.configurator(), batch, Duration::from_secs(2)).await.unwrap();
    let failed: Vec<_> =
        answer["batchItemFailures"].as_array().unwrap().iter().map(|item| &item["itemIdentifier"]).collect();
    assert_eq!(failed, ["ours", "garbage"]);
    endpoints.region().mend();
    endpoints.run(json!({})).await.unwrap();
    assert_eq!(endpoints.set(&endpoint), right());
}

#[tokio::test]
async fn observe_plans_and_writes_nothing() {
    let mut endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let before = endpoints.set(&endpoint);
    (endpoints.config.mode, endpoints.config.watch) = (Mode::Observe, Duration::from_secs(60));
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint planned", 1)]));
    assert_eq!((endpoints.set(&endpoint), endpoints.stage.writes()), (before, vec![]));
    assert_eq!(told(&answer, &endpoint)["state"], "available");
}

#[tokio::test]
async fn one_family_alone_is_kept_or_taken_back() {
    let mut endpoints = Endpoints::new();
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    endpoints.run(json!({})).await.unwrap();
    endpoints.region().step(Duration::from_secs(130));
    endpoints.config.ip_address_type = AddressType::Ipv4;
    endpoints.config.private_dns = false;
    let answer = endpoints.run(json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    // Private DNS is not turned off.
    assert_eq!(endpoints.set(&endpoint), ("ipv4".to_owned(), "ipv4".to_owned(), true));
    assert_eq!(told(&answer, &endpoint)["families"], json!(["ipv4"]));
}

#[tokio::test]
async fn an_endpoint_that_is_pending_is_watched_until_it_is_right() {
    let region = Region::new(settings(), Clock::running(START, 60.0));
    let mut endpoints = Endpoints::on(Stage::new().in_region(region));
    endpoints.config.watch = Duration::from_secs(20);
    let endpoint = endpoints.available(&endpoints.service, &[BOTH]);
    let begun = Instant::now();
    let configurator = endpoints.configurator();
    let answer = endpoints.within(&configurator, json!({}), Duration::from_secs(30)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert_eq!(
        (outcomes(&answer), skipped(&answer)),
        (tallied(&[("modify-endpoint done", 1)]), tallied(&[("already-right", 1)]))
    );
    assert_eq!((told(&answer, &endpoint)["state"].as_str(), endpoints.set(&endpoint)), (Some("available"), right()));

    // With nothing under way it ends at once: what waits for a person is not waited for.
    endpoints.requested(&endpoints.service, &[BOTH_TOO]);
    let begun = Instant::now();
    endpoints.within(&configurator, json!({}), Duration::from_secs(30)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_endpoint_that_came_to_nothing_is_left_with_what_a_person_can_do() {
    let mut endpoints = Endpoints::new();
    for (state, command) in [
        ("rejected", Some("delete-vpc-endpoints")),
        ("failed", Some("delete-vpc-endpoints")),
        ("expired", Some("delete-vpc-endpoints")),
        ("pendingAcceptance", Some("accept-vpc-endpoint-connections")),
        ("pending", None),
        ("deleting", None),
    ] {
        let endpoint = endpoints.requested(&endpoints.service, &[BOTH]);
        endpoints.become_state(&endpoint, state);
        let answer = endpoints.run(json!({"endpointIds": [endpoint]})).await.unwrap();
        let [skip] = left(&answer, &endpoint)[..] else { panic!("{answer}") };
        assert_eq!(skip["reason"], "not-ready", "{state}");
        assert_eq!(skip.get("fix").is_some(), command.is_some(), "{state}: {skip}");
        assert!(command.is_none_or(|command| skip["fix"].as_str().unwrap().contains(command)), "{state}: {skip}");
    }
    assert_eq!(endpoints.stage.writes(), [""; 0]);
}
