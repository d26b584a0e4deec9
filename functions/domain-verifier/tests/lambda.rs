//! The binary itself, as Lambda runs it, against the Region and its name servers over loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::{Duration, Instant};

use privatelink_region::dns::{DnsFaultKind, ServerFault};
use privatelink_region::faults::FaultKind;
use privatelink_region::world::DnsState;
use privatelink_tests::STRANGER;
use privatelink_tests::domains::{CHECK, Domains, OPERATORS, PROPAGATION};
use privatelink_tests::lambda::{Lambda, SECRETS};
use privatelink_tests::stage::{outcomes, skipped, tallied};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ROLE: &str = "arn:aws:iam::333344445555:role/dns";
/// The keys of the role's session.
const SESSION: [&str; 2] = ["buried", "veiled"];

async fn start(domains: &Domains, more: &[(&str, &str)]) -> Lambda {
    let servers = domains.servers.name_servers().map(|server| server.to_string()).join(",");
    let own = [("PRIVATELINK_OPERATOR_TOPIC_ARN", OPERATORS), ("PRIVATELINK_DNS_SERVER", servers.as_str())];
    Lambda::on(env!("CARGO_BIN_EXE_domain-verifier"), &domains.stage, &[&own[..], more].concat()).await
}

/// An STS that gives everybody the session of [`ROLE`], which ends then.
async fn sts(expiration: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let [secret, token] = SESSION;
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>{STRANGER}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>"
    );
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The whole request fits into one read.
            let _ = stream.read(&mut [0; 16_384]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn the_binary_proves_a_name_in_three_invocations() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("*.api.example.com");
    let (record, value) = domains.proof(&service);
    let lambda = start(&domains, &[]).await;
    let event = json!({"serviceIds": [service]}).to_string();
    domains.writes();

    let first = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!(outcomes(&first), tallied(&[("tag done", 1), ("write-record done", 1)]));
    assert_eq!(domains.txt(&zone, &record), Some((300, vec![format!("\"{value}\"")])));
    domains.region().step(PROPAGATION);
    let second = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!(outcomes(&second), tallied(&[("start-check done", 1), ("tag done", 1)]));
    domains.region().step(CHECK);
    assert_eq!(domains.state(&service), "verified");
    let third = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!(outcomes(&third), tallied(&[("publish done", 1), ("tag done", 1)]));
    assert_eq!(skipped(&third), tallied(&[("already-right", 1)]));
    assert_eq!(domains.mails().len(), 1);
    let fourth = lambda.invoke(event.as_bytes()).await.unwrap();
    assert_eq!((outcomes(&fourth), fourth["function"].as_str()), (vec![], Some("domain-verifier")));
    let writes = domains.writes();
    assert_eq!((writes["ChangeResourceRecordSets"], writes["StartVpcEndpointServicePrivateDnsVerification"]), (1, 1));

    let log = lambda.lines();
    assert_eq!(log.iter().filter(|line| line["message"] == "report").count(), 4, "{log:?}");
    let text = lambda.log().join("\n");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "a secret was logged");
}

#[tokio::test]
async fn the_keys_of_a_role_are_used_and_never_logged() {
    let mut domains = Domains::new().await;
    domains.stage.write("domains.toml", &format!("[[domain]]\nname = \"example.com\"\nroleArn = \"{ROLE}\"\n"));
    let zone = domains.zone_of(STRANGER, "example.com", None);
    let service = domains.service("api.example.com");
    let sts_url = sts("2099-01-01T00:00:00Z").await;
    let lambda = start(&domains, &[("AWS_ENDPOINT_URL_STS", &sts_url)]).await;
    // What fails is told with its whole story.
    domains.stage.break_next("ListHostedZonesByName", 1, FaultKind::Refused("AccessDenied".to_owned()));
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record refused AccessDenied".to_owned(), 1)), "{answer}");
    domains.stage.break_next("ChangeResourceRecordSets", u32::MAX, FaultKind::Garbage);
    lambda.invoke_within(b"{}", Duration::from_secs(2)).await.unwrap_err();
    domains.region().mend();
    lambda.invoke(b"{}").await.unwrap();
    assert!(domains.txt(&zone, &domains.proof(&service).0).is_some());
    assert!(!domains.writes().contains_key("AssumeRole"), "the Region's own STS was asked");

    // An answer with keys in it that can not be read is told too: to whoever asked, and to the operators.
    let service = domains.service("www.example.com");
    domains.become_state(&service, DnsState::Failed);
    // For so long that it does not pass by itself any more.
    let memory = format!("for={} since=1769860800", domains.proof(&service).0.split('.').next().unwrap());
    domains.region().world().services.get_mut(&service).unwrap().tags.insert("privatelink:domain".to_owned(), memory);
    let sts_url = sts("one day").await;
    let more = [("AWS_ENDPOINT_URL_STS", sts_url.as_str()), ("PRIVATELINK_OPERATOR_TOPIC_ARN", "unset")];
    let other = start(&domains, &more).await;
    let body = json!({"serviceIds": [service]}).to_string();
    let message = json!({"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {}, "md5OfBody": "",
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-west-2",
        "eventSourceARN": "arn:aws:sqs:us-west-2:999988887777:q"});
    let event = json!({"Records": [message]}).to_string();
    let ended = other.invoke_within(event.as_bytes(), Duration::from_secs(2)).await.unwrap();
    assert!(ended["skipped"].to_string().contains("the role could not be assumed"), "{ended}");
    assert!(other.log().iter().any(|line| line.contains("the role could not be assumed")), "{:?}", other.log());
    for (lambda, ended) in [(&lambda, json!(null)), (&other, ended)] {
        let text = format!("{}\n{ended}", lambda.log().join("\n"));
        for secret in SECRETS.iter().chain(&SESSION) {
            assert!(!text.contains(secret), "`{secret}` was told: {text}");
        }
    }
}

#[tokio::test]
async fn every_server_that_is_given_is_asked() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    let lambda = start(&domains, &[]).await;
    lambda.invoke(b"{}").await.unwrap();
    domains.region().step(PROPAGATION);
    let behind = DnsFaultKind::Servers { which: vec![2], how: ServerFault::BeforeLastChange };
    domains.spoil("example.com", behind);
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert_eq!(skipped(&answer), tallied(&[("servers-behind", 1)]));
    let third = domains.servers.name_servers()[2].to_string();
    let detail = answer["skipped"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("1 of 4") && detail.contains(&third), "{detail}");

    // One that says nothing is waited for, and spoils nothing.
    domains.region().world().dns.mend(None);
    domains.spoil("example.com", DnsFaultKind::Servers { which: vec![1], how: ServerFault::Silence });
    let begun = Instant::now();
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert!(outcomes(&answer).contains(&("start-check done".to_owned(), 1)), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(domains.state(&service), "pendingVerification");
}

#[tokio::test]
async fn whatever_bytes_come_the_answer_is_ours() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    domains.service("api.example.com");
    let lambda = start(&domains, &[]).await;
    domains.stage.calls();
    for payload in
        [&b"not json"[..], b"", b"\xff\xfe\x00", b"{\"serviceIds\": [", b"{\"a\":\"\xff\"}", b"null", b"[[[["]
    {
        let (kind, message) = lambda.invoke(payload).await.unwrap_err();
        assert_eq!(kind, "UnrecognizedEvent", "{payload:?}: {message}");
    }
    assert_eq!(domains.stage.calls(), []);
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), 1)), "the process lives on: {answer}");
}

#[tokio::test]
async fn a_bad_configuration_is_told_at_every_event_and_names_every_variable() {
    let domains = Domains::new().await;
    let wrong = [
        ("PRIVATELINK_MODE", "maybe"),
        ("PRIVATELINK_SERVICE_TAG", "team"),
        ("PRIVATELINK_OPERATOR_TOPIC_ARN", "operators"),
        ("PRIVATELINK_WATCH_SECONDS", "soon"),
        ("PRIVATELINK_DNS_SERVER", "192.0.2.1:53,ns1.example.com"),
        ("AWS_ENDPOINT_URL_ROUTE_53", "route53"),
        ("AWS_SECRET_ACCESS_KEY", "unset"),
    ];
    let lambda = start(&domains, &wrong).await;
    lambda.refuses_its_variables(&wrong).await;
}

#[tokio::test]
async fn broken_domains_are_told_at_every_event_until_they_are_mended() {
    let mut domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    domains.stage.write("domains.toml", "[[domain]]\nname = \"Example.com\"\ndns = \"bind\"\n");
    // The acceptor's files are none of its business, whatever is in them.
    domains.stage.write("bad.cedar", "permit(principal, action, resource);");
    let lambda = start(&domains, &[]).await;
    domains.stage.calls();
    for _ in 0..2 {
        let (kind, message) = lambda.invoke(b"{}").await.unwrap_err();
        assert!(kind == "BadPolicy" && message.contains("domains.toml:2: "), "{kind}: {message}");
        assert!(message.contains("domains.toml:3: "), "{message}");
    }
    assert_eq!(domains.stage.calls(), []);
    domains.stage.write("domains.toml", "[[domain]]\nname = \"example.com\"\n");
    lambda.invoke(b"{}").await.unwrap();
    assert!(domains.memory(&service).is_some());
}

#[tokio::test]
async fn failures_have_their_types_and_come_before_the_deadline() {
    let domains = Domains::new().await;
    domains.zone("example.com");
    let service = domains.service("api.example.com");
    let lambda = start(&domains, &[]).await;
    let time = Duration::from_secs(3);
    for (action, kind, expected) in [
        ("DescribeVpcEndpointServiceConfigurations", FaultKind::Silence, "ReadFailed"),
        ("DescribeVpcEndpointServiceConfigurations", FaultKind::Reset, "ReadFailed"),
        ("ListHostedZonesByName", FaultKind::Silence, "Retry"),
        ("ListResourceRecordSets", FaultKind::Throttled, "Retry"),
        ("ChangeResourceRecordSets", FaultKind::Silence, "Retry"),
        ("ChangeResourceRecordSets", FaultKind::Refused("PriorRequestNotComplete".to_owned()), "Retry"),
    ] {
        domains.stage.break_next(action, u32::MAX, kind.clone());
        let asked = Instant::now();
        let ended = lambda.invoke_within(b"{}", time).await;
        assert!(asked.elapsed() < time, "{action}: {:?}", asked.elapsed());
        let (ended, message) = ended.unwrap_err();
        assert_eq!(ended, expected, "{action} {kind:?}: {message}");
        domains.region().mend();
    }
    lambda.invoke(b"{}").await.unwrap();
    assert!(domains.memory(&service).is_some());
}

#[tokio::test]
async fn observe_writes_nothing() {
    let mut domains = Domains::new().await;
    let zone = domains.zone("example.com");
    let service = domains.service("api.example.com");
    domains.writes();
    let lambda = start(&domains, &[("PRIVATELINK_MODE", "observe")]).await;
    let answer = lambda.invoke(b"{}").await.unwrap();
    assert_eq!((&answer["mode"], outcomes(&answer)), (&json!("observe"), tallied(&[("write-record planned", 1)])));
    domains.become_state(&service, DnsState::Failed);
    lambda.invoke(b"{}").await.unwrap();
    assert_eq!((domains.writes().len(), domains.txt(&zone, &domains.proof(&service).0)), (0, None));
}
