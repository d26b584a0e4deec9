//! The simulated Region, as the SDK sees it: it behaves as AWS does, or no test against it is worth anything.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification, VpcEndpointType};
use privatelink_aws::client;
use privatelink_core::config::AwsConfig;
use privatelink_core::trigger::{Look, Trigger};
use privatelink_region::clock::Clock;
use privatelink_region::happening::{ConnectionEvent, TextForm, What};
use privatelink_region::{Region, Reply, Request, Settings, server};
use privatelink_tests::stage::{START, settings};
use privatelink_tests::{ACME, PROVIDER, STRANGER, Stage};
use serde_json::Value;
use tokio::net::TcpListener;

fn region(settings: Settings) -> Region {
    Region::new(settings, Clock::standing(START))
}

fn config(account: &str, endpoint: Option<String>) -> AwsConfig {
    AwsConfig {
        region: "us-west-2".to_owned(),
        access_key_id: account.to_owned(),
        secret_access_key: "none".to_owned(),
        session_token: None,
        ec2_endpoint: endpoint,
        sns_endpoint: None,
        route53_endpoint: None,
        sts_endpoint: None,
    }
}

fn of(account: &str, region: &Region) -> Client {
    client::ec2(&config(account, None), region.http_client())
}

async fn create_service(client: &Client) -> (String, String) {
    let call = client.create_vpc_endpoint_service_configuration().acceptance_required(true);
    let tag = Tag::builder().key("team").value("a & b <c>").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::VpcEndpointService).tags(tag).build();
    let call = call.network_load_balancer_arns("arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/net/a/1");
    let service = call.private_dns_name("api.example.com").tag_specifications(tags).send().await.unwrap();
    let service = service.service_configuration.unwrap();
    let id = service.service_id.unwrap();
    let call = client.modify_vpc_endpoint_service_permissions().service_id(&id);
    call.add_allowed_principals("*").send().await.unwrap();
    (id, service.service_name.unwrap())
}

async fn connect(client: &Client, service_name: &str) -> String {
    let call = client.create_vpc_endpoint().vpc_endpoint_type(VpcEndpointType::Interface);
    let made = call.service_name(service_name).vpc_id("vpc-0a").send().await.unwrap();
    made.vpc_endpoint.unwrap().vpc_endpoint_id.unwrap()
}

async fn states(client: &Client) -> Vec<String> {
    let answer = client.describe_vpc_endpoint_connections().send().await.unwrap();
    let connections = answer.vpc_endpoint_connections.unwrap();
    connections.iter().map(|connection| connection.vpc_endpoint_state().unwrap().as_str().to_owned()).collect()
}

fn code<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> String {
    error.code().unwrap().to_owned()
}

#[tokio::test]
async fn a_connection_lives_its_life_in_the_words_of_the_wire() {
    let region = region(settings());
    let (provider, acme) = (of(PROVIDER, &region), of(ACME, &region));
    let (service, name) = create_service(&provider).await;
    let endpoint = connect(&acme, &name).await;
    assert_eq!(states(&provider).await, ["pendingAcceptance"]);

    let accepted = provider.accept_vpc_endpoint_connections().service_id(&service).vpc_endpoint_ids(&endpoint);
    assert!(accepted.clone().send().await.unwrap().unsuccessful().is_empty());
    assert_eq!(states(&provider).await, ["pending"]);
    let again = accepted.send().await.unwrap();
    assert_eq!(again.unsuccessful()[0].resource_id(), Some(endpoint.as_str()));
    assert_eq!(again.unsuccessful()[0].error().unwrap().code(), Some("InvalidState"));

    region.step(Duration::from_secs(59));
    assert_eq!(states(&provider).await, ["pending"]);
    region.step(Duration::from_secs(62));
    assert_eq!(states(&provider).await, ["available"]);

    // An accepted connection may be cut, and then stays cut.
    let reject = provider.reject_vpc_endpoint_connections().service_id(&service).vpc_endpoint_ids(&endpoint);
    assert!(reject.send().await.unwrap().unsuccessful().is_empty());
    region.step(Duration::from_secs(500));
    assert_eq!(states(&provider).await, ["rejected"]);
}

#[tokio::test]
async fn delays_are_drawn_between_one_minute_and_two() {
    let region = region(settings());
    let (service, name) = create_service(&of(PROVIDER, &region)).await;
    region.world().services.get_mut(&service).unwrap().acceptance_required = false;
    for _ in 0..50 {
        connect(&of(ACME, &region), &name).await;
    }
    region.step(Duration::from_secs(200));
    let world = region.world();
    let delays: Vec<_> = world.endpoints.values().map(|e| (e.history[1].0 - e.history[0].0).whole_seconds()).collect();
    assert!(delays.iter().all(|seconds| (60..=120).contains(seconds)), "{delays:?}");
    assert!(delays.iter().any(|seconds| *seconds < 80) && delays.iter().any(|seconds| *seconds > 100), "{delays:?}");
}

#[tokio::test]
async fn a_clock_can_run_by_itself() {
    let region = Region::new(settings(), Clock::running(START, 10_000.0));
    let (provider, acme) = (of(PROVIDER, &region), of(ACME, &region));
    let (service, name) = create_service(&provider).await;
    region.world().services.get_mut(&service).unwrap().acceptance_required = false;
    connect(&acme, &name).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(states(&provider).await, ["available"]);
}

#[tokio::test]
async fn nobody_sees_or_touches_what_is_not_his() {
    let region = region(settings());
    let (service, name) = create_service(&of(PROVIDER, &region)).await;
    let endpoint = connect(&of(ACME, &region), &name).await;
    let stranger = of(STRANGER, &region);
    assert_eq!(states(&stranger).await, [""; 0]);
    let services = stranger.describe_vpc_endpoint_service_configurations().send().await.unwrap();
    assert!(services.service_configurations().is_empty());
    let accept = stranger.accept_vpc_endpoint_connections().service_id(&service).vpc_endpoint_ids(&endpoint);
    assert_eq!(code(accept.send().await.unwrap_err()), "InvalidVpcEndpointServiceId.NotFound");
    let connection = region.world().endpoints[&endpoint].connection_id.clone();
    for resource in [&service, &endpoint, &connection] {
        let tag = stranger.create_tags().resources(resource).tags(Tag::builder().key("a").value("b").build());
        assert!(code(tag.send().await.unwrap_err()).ends_with(".NotFound"), "{resource}");
    }
}

#[tokio::test]
async fn what_was_put_in_comes_out() {
    let region = region(settings());
    let provider = of(PROVIDER, &region);
    let (service, name) = create_service(&provider).await;
    let answer = provider.describe_vpc_endpoint_service_configurations().service_ids(&service).send().await.unwrap();
    let found = &answer.service_configurations()[0];
    assert_eq!((found.service_name(), found.acceptance_required()), (Some(name.as_str()), Some(true)));
    assert_eq!((found.tags()[0].key(), found.tags()[0].value()), (Some("team"), Some("a & b <c>")));
    let proof = found.private_dns_name_configuration().unwrap();
    assert!(proof.name().unwrap().starts_with('_') && proof.value().unwrap().starts_with("vpce:"));
    assert_eq!(proof.state().unwrap().as_str(), "pendingVerification");

    let endpoint = connect(&of("000022223333", &region), &name).await;
    let connections = provider.describe_vpc_endpoint_connections().send().await.unwrap();
    let found = &connections.vpc_endpoint_connections()[0];
    assert_eq!((found.vpc_endpoint_id(), found.vpc_endpoint_owner()), (Some(endpoint.as_str()), Some("000022223333")));
    assert_eq!(found.creation_timestamp().unwrap().secs(), START.unix_timestamp());
    assert!(found.vpc_endpoint_connection_id().unwrap().starts_with("vpce-con-"));
}

#[tokio::test]
async fn listings_come_in_pages() {
    let region = region(settings());
    let provider = of(PROVIDER, &region);
    let (_, name) = create_service(&provider).await;
    for _ in 0..12 {
        connect(&of(ACME, &region), &name).await;
    }
    let page = |token: Option<String>| {
        provider.describe_vpc_endpoint_connections().max_results(5).set_next_token(token).send()
    };
    let (mut token, mut sizes, mut ids) = (None, Vec::new(), Vec::new());
    loop {
        let answer = page(token).await.unwrap();
        sizes.push(answer.vpc_endpoint_connections().len());
        ids.extend(answer.vpc_endpoint_connections().iter().map(|c| c.vpc_endpoint_id().unwrap().to_owned()));
        token = answer.next_token;
        if token.is_none() {
            break;
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!((sizes, ids.len()), (vec![5, 5, 2], 12));
    assert_eq!(code(page(Some("made up".to_owned())).await.unwrap_err()), "InvalidNextToken");
    let too_small = provider.describe_vpc_endpoint_connections().max_results(4).send().await.unwrap_err();
    assert_eq!(code(too_small), "InvalidParameterValue");
}

#[tokio::test]
async fn filters_are_checked_and_an_empty_one_is_none() {
    let region = region(settings());
    let provider = of(PROVIDER, &region);
    for _ in 0..2 {
        let (_, name) = create_service(&provider).await;
        connect(&of(ACME, &region), &name).await;
    }
    let count = async |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let filter = Filter::builder().name(name).set_values(Some(values)).build();
        let answer = provider.describe_vpc_endpoint_connections().filters(filter).send().await;
        answer.map(|answer| answer.vpc_endpoint_connections().len()).map_err(code)
    };
    let service = region.world().services.keys().next().unwrap().clone();
    assert_eq!(count("service-id", &[&service]).await, Ok(1));
    assert_eq!(count("vpc-endpoint-owner", &[ACME]).await, Ok(2));
    assert_eq!(count("vpc-endpoint-state", &["pendingAcceptance"]).await, Ok(2));
    assert_eq!(count("vpc-endpoint-state", &["PendingAcceptance"]).await, Ok(0));
    assert_eq!(count("vpc-endpoint-id", &["vpce-0a"]).await, Err("InvalidParameterValue".to_owned()));
    assert_eq!(count("colour", &["red"]).await, Err("InvalidParameterValue".to_owned()));
    // The trap behind an empty service id: everything is listed.
    assert_eq!(count("service-id", &[]).await, Ok(2));
}

#[tokio::test]
async fn requests_are_checked_as_aws_checks_them() {
    let region = region(settings());
    let post = |authorization: &str, body: &str| {
        let (authorization, body) = (authorization.to_owned(), body.as_bytes().to_vec());
        let request =
            Request { method: "POST".to_owned(), path: "/".to_owned(), authorization, body, ..Request::default() };
        match region.answer(&request) {
            Reply::Answer(answer) => (answer.status, answer.body),
            other @ (Reply::Reset | Reply::Silence) => panic!("{other:?}"),
        }
    };
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential={PROVIDER}/20260131/us-west-2/ec2/aws4_request, SignedHeaders=h, Signature=s"
    );
    for (authorization, body, status, code) in [
        (
            signed.as_str(),
            "Action=DescribeVpcEndpointConnections&Version=2016-11-15&Colour=red",
            400,
            "UnknownParameter",
        ),
        (&signed, "Action=DescribeVpcEndpointConnections&Version=2015-01-01", 400, "InvalidAction"),
        (&signed, "Action=RunInstances&Version=2016-11-15", 400, "InvalidAction"),
        (&signed, "Version=2016-11-15", 400, "MissingAction"),
        (&signed, "Action=AcceptVpcEndpointConnections&Version=2016-11-15", 400, "MissingParameter"),
        (
            &signed,
            "Action=CreateVpcEndpoint&Version=2016-11-15&VpcId=v&ServiceName=x&VpcEndpointType=Interface",
            400,
            "InvalidServiceName",
        ),
        (&signed, "Action=DescribeVpcEndpointConnections&Version=2016-11-15&DryRun=true", 412, "DryRunOperation"),
        ("Credential=AKIAEXAMPLE/x", "Action=DescribeVpcEndpointConnections&Version=2016-11-15", 401, "AuthFailure"),
        ("", "Action=DescribeVpcEndpointConnections&Version=2016-11-15", 401, "AuthFailure"),
    ] {
        let (got, text) = post(authorization, body);
        assert!(got == status && text.contains(&format!("<Code>{code}</Code>")), "{body}: {got} {text}");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let region = region(settings());
    let provider = of(PROVIDER, &region);
    let (service, name) = create_service(&provider).await;
    let endpoint = connect(&of(ACME, &region), &name).await;
    let accept =
        provider.accept_vpc_endpoint_connections().service_id(&service).vpc_endpoint_ids(&endpoint).dry_run(true);
    assert_eq!(code(accept.send().await.unwrap_err()), "DryRunOperation");
    assert_eq!(states(&provider).await, ["pendingAcceptance"]);
}

#[tokio::test]
async fn throttling_is_that_of_the_documented_buckets() {
    let region = region(Settings { throttling: true, ..settings() });
    let provider = of(PROVIDER, &region);
    let (service, _) = create_service(&provider).await;
    let accept = || provider.accept_vpc_endpoint_connections().service_id(&service).vpc_endpoint_ids("vpce-0a").send();
    for _ in 0..10 {
        accept().await.unwrap();
    }
    assert_eq!(code(accept().await.unwrap_err()), "RequestLimitExceeded");
    region.step(Duration::from_secs(2));
    accept().await.unwrap();
    accept().await.unwrap();
    assert_eq!(code(accept().await.unwrap_err()), "RequestLimitExceeded");
}

#[tokio::test]
async fn notifications_are_those_of_ec2_and_the_bus_event_is_one_of_ours() {
    let stage = Stage::new();
    let mut happenings = stage.region.listen();
    let service = stage.service();
    let [kept, cut] = [ACME, STRANGER].map(|account| stage.connect(&service, account));
    stage.region.world().accept(&service, &kept).unwrap();
    stage.region.world().reject(&service, &cut).unwrap();
    stage.region.world().delete_endpoint(ACME, &kept).unwrap();
    let gateway = stage.service_on("arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/gwy/f/1", PROVIDER);
    stage.connect(&gateway, ACME);

    let mut seen = Vec::new();
    while let Ok(happening) = happenings.try_recv() {
        if let What::Notified(notification) = happening.what {
            for form in [TextForm::Prose, TextForm::Json] {
                let event: Value = serde_json::to_value(notification.bus_event(happening.at, form)).unwrap();
                let trigger = Trigger::parse(event.to_string().as_bytes()).unwrap();
                let id = privatelink_core::ids::ServiceId::parse(&service).unwrap();
                assert_eq!(trigger.look, Look::At([id].into()), "{event}");
            }
            seen.push((notification.event, notification.endpoint_id));
        }
    }
    let expected = [
        (ConnectionEvent::Connect, kept.clone()),
        (ConnectionEvent::Connect, cut.clone()),
        (ConnectionEvent::Accept, kept.clone()),
        (ConnectionEvent::Reject, cut),
        (ConnectionEvent::Delete, kept),
    ];
    assert_eq!(seen, expected, "a Gateway Load Balancer's service sends none");
}

#[tokio::test]
async fn over_http_it_is_the_same_region() {
    let region = region(settings());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(region.clone(), listener));
    let config = config(PROVIDER, Some(url));
    let provider = client::ec2(&config, client::network(&config, |_| None));
    let (_, name) = create_service(&provider).await;
    connect(&of(ACME, &region), &name).await;
    assert_eq!(states(&provider).await, ["pendingAcceptance"]);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_world() {
    let ids = async |seed| {
        let region = region(Settings { seed, ..settings() });
        let (service, name) = create_service(&of(PROVIDER, &region)).await;
        (service, connect(&of(ACME, &region), &name).await)
    };
    assert_eq!(ids(7).await, ids(7).await);
    assert_ne!(ids(7).await, ids(8).await);
}
