//! What becomes of connections: stories with one event and one look at the Region afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::fs;
use std::time::Duration;

use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_aws::deadline::Deadline;
use privatelink_core::report::Failure;
use privatelink_region::Settings;
use privatelink_region::faults::FaultKind;
use privatelink_tests::meanwhile::meanwhile;
use privatelink_tests::stage::{START, outcomes, settings, skipped, tallied};
use privatelink_tests::{ACME, BETA, PROVIDER, STRANGER, Stage};
use serde_json::json;

#[tokio::test]
async fn everybody_gets_what_the_policy_says() {
    let mut stage = Stage::new();
    let service = stage.service();
    let [acme, beta, stranger] = [ACME, BETA, STRANGER].map(|account| stage.connect(&service, account));
    stage.calls();

    let answer = stage.run(json!({})).await.unwrap();

    assert_eq!([&acme, &beta, &stranger].map(|id| stage.state(id)), ["pending", "rejected", "pendingAcceptance"]);
    assert_eq!(stage.tags(&acme).unwrap(), "accepted: partners-may-connect");
    assert_eq!(stage.tags(&beta).unwrap(), "rejected: blocked-are-turned-away");
    assert_eq!(stage.tags(&stranger).unwrap(), "held: partners-may-connect");
    assert_eq!((&answer["function"], &answer["mode"]), (&json!("connection-acceptor"), &json!("enforce")));
    let accept = json!({"effect": "accept", "serviceId": service, "endpointId": acme,
                        "policy": ["partners-may-connect"], "result": "done"});
    assert!(answer["outcomes"].as_array().unwrap().contains(&accept), "{answer}");
    let hold = json!({"effect": "hold", "serviceId": service, "endpointId": stranger,
                      "policy": ["partners-may-connect"], "result": "done"});
    assert!(answer["outcomes"].as_array().unwrap().contains(&hold), "{answer}");
    assert_eq!(
        outcomes(&answer),
        tallied(&[("accept done", 1), ("hold done", 1), ("reject done", 1), ("tag done", 2)])
    );
    assert_eq!(answer["skipped"][0]["reason"], "no-policy-matched");
    assert_eq!(answer["skipped"][0]["nearest"][0]["failed"][0], r#"principal in Group::"partners""#);
}

#[tokio::test]
async fn second_delivery_changes_nothing() {
    let mut stage = Stage::new();
    let service = stage.service();
    for account in [ACME, BETA, STRANGER] {
        stage.connect(&service, account);
    }
    stage.run(json!({})).await.unwrap();
    stage.calls();
    let again = stage.run(json!({})).await.unwrap();
    assert_eq!(stage.writes(), [""; 0]);
    assert_eq!(outcomes(&again), []);
    assert_eq!(skipped(&again), tallied(&[("no-policy-matched", 1), ("not-pending", 2)]));
}

#[tokio::test]
async fn the_twenty_first_connection_of_twenty_is_not_accepted() {
    let stage = Stage::new();
    let service = stage.service();
    let endpoints = stage.connect_many(&service, ACME, 13);
    endpoints.iter().chain(&stage.connect_many(&service, "111122224444", 12)).for_each(drop);
    stage.run(json!({})).await.unwrap();
    assert_eq!((stage.count("pending"), stage.count("pendingAcceptance")), (20, 5));
    assert!(endpoints.iter().all(|endpoint| stage.state(endpoint) == "pending"), "the oldest go first");
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.count("pending"), 20);
}

#[tokio::test]
async fn who_asks_first_within_a_second_is_let_in_first() {
    for seed in 0..8 {
        let stage = Stage::with(Settings { seed, ..settings() });
        let service = stage.service();
        stage.connect_many(&service, ACME, 19);
        let both = [(); 2].map(|()| stage.connect(&service, ACME));
        for (endpoint, millis) in both.iter().zip([100, 900]) {
            let created = START + Duration::from_secs(3_600) + Duration::from_millis(millis);
            stage.region.world().endpoints.get_mut(endpoint).unwrap().created = created;
        }
        stage.run(json!({})).await.unwrap();
        assert_eq!(both.map(|endpoint| stage.state(&endpoint)), ["pending", "pendingAcceptance"], "{seed}");
    }
}

#[tokio::test]
async fn a_limit_holds_while_reads_lag_behind_writes() {
    let stage = Stage::with(Settings { read_lag: Duration::from_secs(30), ..settings() });
    let service = stage.service();
    stage.connect_many(&service, ACME, 20);
    stage.region.step(Duration::from_secs(30));
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.count("pending"), 20);
    stage.connect(&service, ACME);
    let lagging = stage.run(json!({})).await.unwrap();
    assert_eq!((stage.count("pending"), stage.count("pendingAcceptance")), (20, 1));
    assert_eq!(outcomes(&lagging), tallied(&[("accept already-done", 20), ("hold done", 1)]));
}

#[tokio::test]
async fn observe_plans_and_writes_nothing() {
    let mut stage = Stage::new().observing();
    let service = stage.service();
    for account in [ACME, BETA, STRANGER] {
        stage.connect(&service, account);
    }
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(stage.writes(), [""; 0]);
    assert_eq!(answer["mode"], "observe");
    assert_eq!(outcomes(&answer), tallied(&[("accept planned", 1), ("hold planned", 1), ("reject planned", 1)]));
}

#[tokio::test]
async fn only_services_with_the_tag_are_looked_at() {
    let stage = Stage::new().tagged("team", "edge");
    let [ours, other] = [stage.service(), stage.service()];
    stage.tag_service(&ours, "team", "edge");
    stage.tag_service(&other, "team", "core");
    let [in_ours, in_other] = [&ours, &other].map(|service| stage.connect(service, ACME));
    let answer = stage.run(json!({"serviceIds": [ours, other]})).await.unwrap();
    assert_eq!([in_ours, in_other].map(|endpoint| stage.state(&endpoint)), ["pending", "pendingAcceptance"]);
    assert_eq!(answer["skipped"], json!([{"serviceId": other, "reason": "foreign"}]));
}

#[tokio::test]
async fn a_service_of_another_account_is_foreign() {
    let mut stage = Stage::new();
    let foreign = stage.service_on("arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/net/x/1", STRANGER);
    let endpoint = stage.connect(&foreign, ACME);
    stage.calls();
    let answer = stage.run(json!({"serviceIds": [foreign]})).await.unwrap();
    assert_eq!((stage.writes(), stage.state(&endpoint)), (vec![], "pendingAcceptance".to_owned()));
    assert_eq!(skipped(&answer), tallied(&[("foreign", 1)]));
}

#[tokio::test]
async fn only_the_named_services_are_touched() {
    let stage = Stage::new();
    let [named, other] = [stage.service(), stage.service()];
    let [in_named, in_other] = [&named, &other].map(|service| stage.connect(service, ACME));
    stage.run(json!({"serviceIds": [named]})).await.unwrap();
    assert_eq!([in_named, in_other].map(|endpoint| stage.state(&endpoint)), ["pending", "pendingAcceptance"]);
}

#[tokio::test]
async fn without_a_service_no_connection_is_listed() {
    let mut stage = Stage::new();
    stage.run(json!({})).await.unwrap();
    let calls: Vec<_> = stage.calls().into_iter().map(|(action, _)| action).collect();
    assert_eq!(calls, ["DescribeVpcEndpointServiceConfigurations"]);
}

#[tokio::test]
async fn the_schedule_finds_what_gateway_load_balancers_never_announce() {
    let stage = Stage::new();
    let arn = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/gwy/firewall/1";
    let endpoint = stage.connect(&stage.service_on(arn, PROVIDER), ACME);
    stage.run(json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"})).await.unwrap();
    assert_eq!(stage.state(&endpoint), "pending");
}

#[tokio::test]
async fn what_a_person_decided_is_left_as_it_is() {
    let mut stage = Stage::new();
    let service = stage.service();
    let [accepted, rejected] = [STRANGER, ACME].map(|account| stage.connect(&service, account));
    stage.region.world().accept(&service, &accepted).unwrap();
    stage.region.world().reject(&service, &rejected).unwrap();
    stage.calls();
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(stage.writes(), [""; 0]);
    // The stranger is in, and the policy would not let it in today: that is said, and nobody is cut off.
    assert_eq!(skipped(&answer), tallied(&[("no-longer-permitted", 1), ("not-pending", 1)]));
    assert_eq!([accepted, rejected].map(|endpoint| stage.state(&endpoint)), ["pending", "rejected"]);
}

#[tokio::test]
async fn what_a_person_decided_while_a_bucket_was_empty_is_not_tagged_as_ours() {
    let stage = Stage::new();
    let service = stage.service();
    let endpoint = stage.connect(&service, ACME);
    stage.break_next("AcceptVpcEndpointConnections", 1, FaultKind::Throttled);
    let (region, person) = (stage.region.clone(), endpoint.clone());
    // Two reads, and the call that is turned away: before it is made again, a person says no.
    let http = meanwhile(&stage.region, "POST", "", move |n| {
        if n == 3 {
            region.world().reject(&service, &person).unwrap();
        }
    });
    let acceptor = Acceptor::new(stage.config.clone(), client::ec2(&stage.config.aws, http));
    let answer = acceptor.handle(b"{}", stage.region.now(), Deadline::after(Duration::from_secs(10))).await;
    assert_eq!(outcomes(&answer.value().unwrap()), tallied(&[("accept already-done", 1)]));
    assert_eq!((stage.state(&endpoint).as_str(), stage.tags(&endpoint)), ("rejected", None));
}

#[tokio::test]
async fn a_service_that_lets_everyone_in_is_reported() {
    let stage = Stage::new();
    let service = stage.service();
    stage.region.world().services.get_mut(&service).unwrap().acceptance_required = false;
    let answer = stage.run(json!({})).await.unwrap();
    assert_eq!(answer["skipped"], json!([{"serviceId": service, "reason": "acceptance-not-required"}]));
}

#[tokio::test]
async fn a_bad_policy_decides_nothing_until_it_is_mended() {
    let mut stage = Stage::new();
    let endpoint = stage.connect(&stage.service(), ACME);
    let acceptor = stage.acceptor();
    let handle = |stage: &Stage| {
        let now = stage.region.now();
        acceptor.handle(b"{}", now, Deadline::after(Duration::from_secs(10)))
    };
    stage.write("more.cedar", "permit(principal, action, resource);");
    stage.write("consumers.toml", "[[consumer]]\nname = \"acme\"\naccounts = [\"11112222333\"]\n");
    stage.calls();
    let Err(Failure::BadPolicy(message)) = handle(&stage).await.value() else { panic!("a bad policy was taken") };
    assert!(message.contains("more.cedar:1: ") && message.contains("consumers.toml:3: "), "{message}");
    assert_eq!(stage.calls(), []);

    fs::remove_file(stage.policy.path().join("more.cedar")).unwrap();
    stage.write(
        "consumers.toml",
        "[[consumer]]\nname = \"acme\"\naccounts = [\"111122223333\"]\ngroups = [\"partners\"]\nmaxConnections = 1\n",
    );
    handle(&stage).await.value().unwrap();
    assert_eq!(stage.state(&endpoint), "pending");

    fs::remove_dir_all(stage.policy.path()).unwrap();
    assert!(matches!(handle(&stage).await.value(), Err(Failure::BadPolicy(_))));
}

#[tokio::test]
async fn a_tag_that_could_not_be_written_is_written_with_the_next_event() {
    let mut stage = Stage::new();
    let service = stage.service();
    let [acme, beta, stranger] = [ACME, BETA, STRANGER].map(|account| stage.connect(&service, account));
    let acceptor = stage.acceptor();
    let handle = |stage: &Stage, seconds| {
        acceptor.handle(b"{}", stage.region.now(), Deadline::after(Duration::from_secs(seconds)))
    };
    stage.break_next("CreateTags", u32::MAX, FaultKind::InternalError);
    assert!(matches!(handle(&stage, 1).await.value(), Err(Failure::Retry(_))));
    assert_eq!(
        [&acme, &beta].map(|id| (stage.state(id), stage.tags(id))),
        [("pending".to_owned(), None), ("rejected".to_owned(), None)]
    );

    stage.region.mend();
    let answer = handle(&stage, 10).await.value().unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("hold done", 1), ("tag done", 2)]));
    assert_eq!(
        [&acme, &beta, &stranger].map(|id| stage.tags(id).unwrap()),
        ["accepted: partners-may-connect", "rejected: blocked-are-turned-away", "held: partners-may-connect"]
    );

    stage.calls();
    assert_eq!(outcomes(&handle(&stage, 10).await.value().unwrap()), []);
    assert_eq!(stage.writes(), [""; 0]);
}

#[tokio::test]
async fn a_changed_policy_takes_effect_on_what_is_held() {
    let stage = Stage::new();
    let endpoint = stage.connect(&stage.service(), STRANGER);
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.state(&endpoint), "pendingAcceptance");
    stage.write(
        "everybody.cedar",
        r#"@id("everybody") permit(principal, action == PrivateLink::Action::"Accept", resource);"#,
    );
    stage.run(json!({})).await.unwrap();
    assert_eq!(
        (stage.state(&endpoint), stage.tags(&endpoint).unwrap()),
        ("pending".to_owned(), "accepted: everybody".to_owned())
    );
}

#[tokio::test]
async fn a_forged_event_causes_nothing_but_a_look() {
    let mut stage = Stage::new();
    let service = stage.service();
    let endpoint = stage.connect(&service, STRANGER);
    stage.run(json!({})).await.unwrap();
    stage.calls();
    let forged = json!({"source": "privatelink", "detail-type": "Endpoint Connection Notification", "detail":
        {"message": {"event": "Accept", "serviceId": service, "vpcEndpointId": endpoint, "state": "available",
                     "vpcEndpointOwner": ACME}}});
    stage.run(forged).await.unwrap();
    assert_eq!((stage.writes(), stage.state(&endpoint)), (vec![], "pendingAcceptance".to_owned()));
}

#[tokio::test]
async fn every_page_is_read() {
    let stage = Stage::with(Settings { page: 5, ..settings() });
    stage.write("policy.cedar", r#"@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);"#);
    for _ in 0..12 {
        let service = stage.service();
        stage.connect_many(&service, STRANGER, 3);
    }
    stage.run(json!({})).await.unwrap();
    assert_eq!(stage.count("pending"), 36);
}
