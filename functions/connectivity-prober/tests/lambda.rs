//! The binary itself, as Lambda runs it, with listeners and a resolver on loopback, and no AWS anywhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use privatelink_core::probe::{Name, NameKind, endpoints_in};
use privatelink_tests::endpoints::{BOTH, Endpoints};
use privatelink_tests::lambda::Lambda;
use privatelink_tests::names::name_server;
use privatelink_tests::stage::{outcomes, skipped, tallied};
use serde_json::{Value, json};
use tokio::net::{TcpListener, UdpSocket};

const REGIONAL: &str = "vpce-0a-x.vpce-svc-0b.us-west-2.vpce.amazonaws.com";
const PRIVATE: &str = "api.example.com";

/// Neither a Region nor keys: there is no API to call.
async fn start(server: &str, more: &[(&'static str, &str)]) -> Lambda {
    let mut variables = vec![("PRIVATELINK_DNS_SERVER", server.to_owned())];
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Lambda::start(Path::new(env!("CARGO_BIN_EXE_connectivity-prober")), &variables).await
}

fn returned(ports: &[u16], state: &str) -> Value {
    json!({"function": "endpoint-configurator", "mode": "enforce", "outcomes": [], "skipped": [], "endpoints": [{
        "id": "vpce-0a", "state": state, "serviceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0b",
        "ipAddressType": "dualstack", "ports": ports,
        "names": [{"name": REGIONAL, "kind": "regional"}, {"name": PRIVATE, "kind": "private"}],
        "addresses": {"ipv4": ["127.0.0.1"], "ipv6": ["::1"]},
        "inboundRules": [], "vpcDns": {"support": true, "hostnames": true},
    }]})
}

fn record(returned: Value) -> Value {
    json!({"version": "1.0", "timestamp": "2026-01-31T12:00:00.000Z",
        "requestContext": {"requestId": "1", "functionArn": "arn:aws:lambda:us-west-2:111122223333:function:c:$LATEST",
                           "condition": "Success", "approximateInvokeCount": 1},
        "requestPayload": {}, "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": returned})
}

fn addresses() -> [IpAddr; 2] {
    ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()]
}

#[tokio::test]
async fn the_configurators_report_is_probed_directly_and_as_a_destinations_record() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let both = addresses();
    let server = name_server(&[(REGIONAL, &both), (PRIVATE, &both[..1])]).await;
    let lambda = start(&server.to_string(), &[]).await;
    let expected = [("probe done", 2), ("probe refused", 2)];
    for event in [returned(&[port], "available"), record(returned(&[port], "available"))] {
        let answer = lambda.invoke(event.to_string().as_bytes()).await.unwrap();
        assert_eq!(outcomes(&answer), tallied(&expected), "{answer}");
        assert_eq!((&answer["function"], &answer["mode"]), (&json!("connectivity-prober"), &json!("enforce")));
        let cause = |name: &str| {
            let all = answer["outcomes"].as_array().unwrap();
            let of = |one: &&Value| one["name"] == name && one["family"] == "ipv6";
            all.iter().find(of).unwrap()["cause"].clone()
        };
        // Nobody listens at `::1`, and the private name does not lead there.
        assert_eq!((cause(REGIONAL), cause(PRIVATE)), (json!("no-healthy-target"), json!("no-aaaa")));
    }
    let log = lambda.lines();
    let text = log.iter().find(|line| line["message"] == "probes").unwrap()["text"].as_str().unwrap();
    assert!(text.contains("no-aaaa") && text.contains("to do: aws ec2 modify-vpc-endpoint"), "{text}");
    let summary = log.iter().find(|line| line["message"] == "report").unwrap();
    assert_eq!(summary["outcomes"]["probe"], json!({"done": 2, "refused": 2}));
}

#[tokio::test]
async fn observing_is_probing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let both = addresses();
    let server = name_server(&[(REGIONAL, &both[..1]), (PRIVATE, &both[..1])]).await;
    let lambda = start(&server.to_string(), &[("PRIVATELINK_MODE", "observe")]).await;
    let event = returned(&[listener.local_addr().unwrap().port()], "available").to_string();
    let answer = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("probe done", 2), ("probe refused", 2)]));
    assert_eq!(answer["mode"], "observe");
}

#[tokio::test]
async fn what_the_configurator_returns_is_all_that_the_prober_needs() {
    let consumer = Endpoints::new();
    let endpoint = consumer.available(&consumer.service, &[BOTH]);
    consumer.run(json!({})).await.unwrap();
    consumer.region().step(Duration::from_secs(130));
    let returned = consumer.run(json!({})).await.unwrap();
    // Nothing that it says is lost on the way.
    let read = endpoints_in(returned.to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), returned["endpoints"]);
    let own = &read[0].addresses;
    assert_eq!((own.ipv4.len(), own.ipv6.len(), read[0].known_rules().is_some()), (1, 1, true));

    // In its VPC the names lead to its interfaces, but for one family of one name.
    let both = [own.ipv4[0].into(), own.ipv6[0].into()];
    let answers =
        |name: &Name| if name.kind == NameKind::Private { both[..1].to_vec() } else { vec![both[0], both[1]] };
    let names: Vec<_> = read[0].names.iter().map(|name| (name.name.to_string(), answers(name))).collect();
    let names: Vec<_> = names.iter().map(|(name, addresses)| (name.as_str(), addresses.as_slice())).collect();
    let lambda = start(&name_server(&names).await.to_string(), &[]).await;
    let answer = lambda.invoke(record(returned).to_string().as_bytes()).await.unwrap();
    let outcomes = answer["outcomes"].as_array().unwrap();
    let told = outcomes.len() + answer["skipped"].as_array().unwrap().len();
    assert_eq!(told, read[0].names.len() * 2, "{answer}");
    let missing: Vec<_> = outcomes.iter().filter(|one| one["cause"] == "no-aaaa").collect();
    assert_eq!(missing.len(), 1, "{answer}");
    assert_eq!((&missing[0]["name"], &missing[0]["endpointId"]), (&json!(PRIVATE), &json!(endpoint)));
    let misled = outcomes.iter().filter(|one| one["cause"] == "other-addresses" || one["cause"] == "public-answer");
    assert_eq!(misled.count(), 0, "{answer}");
}

#[tokio::test]
async fn the_events_that_ship_are_taken() {
    // A resolver that knows none of the names.
    let lambda = start(&name_server(&[]).await.to_string(), &[]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/prober");
    let mut taken = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let event = std::fs::read(entry.unwrap().path()).unwrap();
        let answer = lambda.invoke(&event).await.unwrap();
        assert_eq!((outcomes(&answer), skipped(&answer)), (tallied(&[("probe refused", 6)]), vec![]));
        let causes = answer["outcomes"].as_array().unwrap().iter().map(|one| one["cause"].as_str().unwrap());
        let expected = [["name-not-found"; 4].as_slice(), &["private-dns-off"; 2]].concat();
        assert_eq!(causes.collect::<Vec<_>>(), expected);
        taken += 1;
    }
    assert_eq!(taken, 2);
}

#[tokio::test]
async fn an_endpoint_that_is_pending_is_not_tested() {
    let lambda = start("127.0.0.1:1", &[]).await;
    let answer = lambda.invoke(returned(&[443], "pending").to_string().as_bytes()).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("not-ready", 1)])));
}

#[tokio::test]
async fn nothing_else_is_taken_and_the_process_lives_on() {
    let lambda = start("127.0.0.1:1", &[]).await;
    let notice = json!({"schemaVersion": "1", "type": "EndpointConnectionAvailable", "service": {"id": "vpce-svc-0b"}});
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let failed = record(json!({"errorType": "Retry", "errorMessage": "later"}));
    let mut other = returned(&[443], "available");
    other["function"] = "availability-notifier".into();
    let events = [json!({}), json!({"endpointIds": ["vpce-0a"]}), notice, schedule, failed, other, json!([]), json!(1)];
    let bytes = [&b""[..], b"not json", b"\xff\xfe"];
    let events: Vec<Vec<u8>> =
        events.iter().map(|event| event.to_string().into_bytes()).chain(bytes.map(<[u8]>::to_vec)).collect();
    for event in events {
        let (kind, message) = lambda.invoke(&event).await.unwrap_err();
        assert_eq!(kind, "UnrecognizedEvent", "{}: {message}", String::from_utf8_lossy(&event));
    }
    assert!(lambda.invoke(returned(&[443], "pending").to_string().as_bytes()).await.is_ok());
}

#[tokio::test]
async fn a_bad_configuration_is_told_at_every_event() {
    let lambda = start("10.0.0.2", &[("PRIVATELINK_MODE", "maybe")]).await;
    for _ in 0..2 {
        let (kind, message) = lambda.invoke(b"{}").await.unwrap_err();
        assert!(
            kind == "BadConfiguration" && message.contains("`10.0.0.2`") && message.contains("`maybe`"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn the_invocation_ends_before_its_time_whatever_does_not_answer() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let lambda = start(&silent.local_addr().unwrap().to_string(), &[]).await;
    let begun = Instant::now();
    let event = returned(&[443], "available").to_string();
    let answer = lambda.invoke_within(event.as_bytes(), Duration::from_secs(2)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let causes: Vec<_> = answer["outcomes"].as_array().unwrap().iter().map(|one| one["cause"].clone()).collect();
    assert_eq!(
        causes,
        [json!("resolver-failing"), json!("resolver-failing"), json!("resolver-failing"), json!("resolver-failing")]
    );
}
