//! A world with something of everything in it, saved and loaded.

mod broken;
mod files;
mod mangled;

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::control;
use crate::faults::{Fault, FaultKind, When};
use crate::{Reply, Request};

const PROVIDER: &str = "999988887777";
const ACME: &str = "111122223333";
const START: OffsetDateTime = datetime!(2026-01-31 12:00:00.123456789 UTC);

const PLAIN: &str = "arn:aws:sns:us-west-2:999988887777:plain";
const ORDERED: &str = "arn:aws:sns:us-west-2:999988887777:ordered.fifo";

/// A call in the Query protocol, or in Route 53's where it names a method and a path. The parameters are `Key=value`;
/// the last of Route 53's is the body. The answer is the status with the body.
fn call(region: &Region, account: &str, service: &str, action: &str, params: &[&str]) -> (u16, String) {
    let scope = if service == "route53" { "us-east-1" } else { "us-west-2" };
    let authorization = format!("AWS4-HMAC-SHA256 Credential={account}/20260131/{scope}/{service}/aws4_request, S=s");
    let mut request = Request { method: "POST".to_owned(), authorization, ..Request::default() };
    if let Some((method, path)) = action.split_once(' ') {
        request.method = method.to_owned();
        request.path = format!("/2013-04-01/{path}");
        request.body = params.concat().into_bytes();
    } else {
        let version = if service == "ec2" { crate::ec2::VERSION } else { crate::sns::VERSION };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version);
        form.extend_pairs(params.iter().map(|param| param.split_once('=').unwrap()));
        request.body = form.finish().into_bytes();
    }
    match region.answer(&request) {
        Reply::Answer(answer) => (answer.status, answer.body),
        other @ (Reply::Reset | Reply::Silence) => panic!("{other:?}"),
    }
}

/// A call that succeeds, and what stands in the answer's first element of a name.
fn done(region: &Region, account: &str, service: &str, action: &str, params: &[&str], field: &str) -> String {
    let (status, body) = call(region, account, service, action, params);
    assert!(status < 300, "{action}: {body}");
    let rest = body.split_once(&format!("<{field}>")).map_or("", |(_, rest)| rest);
    rest.split_once(&format!("</{field}>")).map_or("", |(text, _)| text).to_owned()
}

fn service(region: &Region, more: &[&str]) -> String {
    let arn = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/1";
    let arn = format!("NetworkLoadBalancerArn.1={arn}");
    let params = [&[arn.as_str()], more].concat();
    let id = done(region, PROVIDER, "ec2", "CreateVpcEndpointServiceConfiguration", &params, "serviceId");
    let params = [format!("ServiceId={id}"), "AddAllowedPrincipals.1=*".into()];
    let params = params.each_ref().map(String::as_str);
    done(region, PROVIDER, "ec2", "ModifyVpcEndpointServicePermissions", &params, "");
    id
}

/// A minute passes too, since consumers may not make many endpoints at once.
fn connect(region: &Region, service: &str, more: &[&str]) -> String {
    region.step(Duration::from_secs(60));
    let name = format!("ServiceName=com.amazonaws.vpce.us-west-2.{service}");
    let params = [&["VpcEndpointType=Interface", "VpcId=vpc-0a", name.as_str()], more].concat();
    done(region, ACME, "ec2", "CreateVpcEndpoint", &params, "vpcEndpointId")
}

fn decide(region: &Region, action: &str, service: &str, endpoint: &str) {
    let params = [format!("ServiceId={service}"), format!("VpcEndpointId.1={endpoint}")];
    done(region, PROVIDER, "ec2", action, &params.each_ref().map(String::as_str), "");
}

fn verify(region: &Region, service: &str) {
    let id = format!("ServiceId={service}");
    done(region, PROVIDER, "ec2", "StartVpcEndpointServicePrivateDnsVerification", &[&id], "");
}

fn zone(region: &Region, name: &str, more: &str) -> String {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{name}</Name>{more}\
         <CallerReference>{name}{}</CallerReference></CreateHostedZoneRequest>",
        more.len()
    );
    let id = done(region, PROVIDER, "route53", "POST hostedzone", &[&body], "Id");
    id.trim_start_matches("/hostedzone/").to_owned()
}

fn record(region: &Region, zone: &str, name: &str, kind: &str, data: &str) {
    let body = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch>\
         <Comment>why</Comment><Changes><Change><Action>CREATE</Action><ResourceRecordSet><Name>{name}</Name>\
         <Type>{kind}</Type>{data}</ResourceRecordSet></Change></Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    );
    done(region, PROVIDER, "route53", &format!("POST hostedzone/{zone}/rrset"), &[&body], "");
}

fn values(value: &str) -> String {
    format!("<TTL>300</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>")
}

/// A world with something of everything, and much of it under way.
struct Rich {
    region: Region,
    /// A service whose private DNS name is verified; its owner is notified of its connections.
    verified: String,
    /// One whose private DNS name somebody is about to look at.
    asked: String,
    pending: String,
    waiting: String,
    zone: String,
}

fn rich() -> Rich {
    let settings = Settings {
        seed: u64::MAX,
        most_endpoint_ids: Some(7),
        unknown_id_spoils_call: true,
        read_lag: Duration::from_millis(1500),
        prior_request_seconds: Some(1),
        change_batch_errors_apart: true,
        page: 50,
        refused_roles: vec!["arn:aws:iam::111122223333:role/none".to_owned()],
        ..Settings::default()
    };
    let region = Region::new(settings, Clock::standing(START));
    let (zone, verified) = (zone(&region, "example.com", ""), service(&region, &["PrivateDnsName=api.example.com"]));
    let vpc = "<VPC><VPCRegion>us-west-2</VPCRegion><VPCId>vpc-0a</VPCId></VPC>";
    self::zone(&region, "example.com", vpc);
    fill_dns(&region, &zone, &verified);
    fill_sns(&region);

    let open = service(&region, &["AcceptanceRequired=false", "TagSpecification.1.ResourceType=vpc-endpoint-service"]);
    let asked = service(&region, &["PrivateDnsName=*.example.org"]);
    let gone = service(&region, &[]);
    let tags = ["TagSpecification.1.ResourceType=vpc-endpoint", "TagSpecification.1.Tag.1.Key=a \"key\""];
    let rejected = connect(&region, &gone, &tags);
    decide(&region, "RejectVpcEndpointConnections", &gone, &rejected);
    done(&region, PROVIDER, "ec2", "DeleteVpcEndpointServiceConfigurations", &[&format!("ServiceId.1={gone}")], "");
    let available = connect(&region, &verified, &["SubnetId.1=subnet-0a", "SecurityGroupId.1=sg-0a"]);
    decide(&region, "AcceptVpcEndpointConnections", &verified, &available);
    let deleted = connect(&region, &open, &[]);
    done(&region, ACME, "ec2", "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={deleted}")], "");

    let service = format!("ServiceId={verified}");
    let topic = format!("ConnectionNotificationArn={PLAIN}");
    let params = [service.as_str(), &topic, "ConnectionEvents.1=Accept", "ConnectionEvents.2=Delete"];
    done(&region, PROVIDER, "ec2", "CreateVpcEndpointConnectionNotification", &params, "");
    verify(&region, &verified);
    region.step(Duration::from_secs(200));
    let waiting = connect(&region, &verified, &[]);
    let connection = region.world().endpoints[&waiting].connection_id.clone();
    let tag = [&format!("ResourceId.1={connection}"), "Tag.1.Key=privatelink:decision", "Tag.1.Value=held"];
    done(&region, PROVIDER, "ec2", "CreateTags", &tag, "");
    let pending = connect(&region, &open, &[]);
    verify(&region, &asked);
    // What is seen and what the API shows differ for a while.
    record(&region, &zone, "late.example.com", "TXT", &values("\"late\""));
    Rich { region, verified, asked, pending, waiting, zone }
}

fn fill_dns(region: &Region, zone: &str, verified: &str) {
    let name = region.world().services[verified].private_dns_name.clone().unwrap();
    let under = format!("{}.api.example.com", name.record);
    let weighted = |weight, more: &str| {
        let id = format!("<SetIdentifier>{weight}</SetIdentifier><Weight>{weight}</Weight>");
        format!("{id}{}{more}", values("192.0.2.1"))
    };
    let alias = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>elsewhere.example.net</DNSName>\
                 <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>";
    for (name, kind, data) in [
        (under.as_str(), "TXT", values(&format!("\"{}\"", name.value))),
        ("*.example.com", "AAAA", values("2001:db8::1")),
        (r"a\056b.example.com", "CNAME", values("example.net")),
        ("w.example.com", "A", weighted(1, "<HealthCheckId>h</HealthCheckId>")),
        ("w.example.com", "A", weighted(2, "")),
        ("alias.example.com", "A", alias.to_owned()),
    ] {
        region.step(Duration::from_secs(1));
        record(region, zone, name, kind, &data);
    }
    region.world().published_txt.insert(("_x.example.org".to_owned(), "v".to_owned()));
}

fn fill_sns(region: &Region) {
    let sns = |action: &str, params: &[&str]| done(region, PROVIDER, "sns", action, params, "");
    sns("CreateTopic", &["Name=plain", "Tags.member.1.Key=k", "Tags.member.1.Value=v"]);
    let (key, value) = ("Attributes.entry.1.key", "Attributes.entry.1.value");
    let content = ["Attributes.entry.2.key=ContentBasedDeduplication", "Attributes.entry.2.value=true"];
    let fifo = [format!("{key}=FifoTopic"), format!("{value}=true")];
    let fifo = fifo.each_ref().map(String::as_str);
    sns("CreateTopic", &[&["Name=ordered.fifo"], &fifo[..], &content[..]].concat());
    let (plain, ordered) = (format!("TopicArn={PLAIN}"), format!("TopicArn={ORDERED}"));
    let permission = ["Label=l", "AWSAccountId.member.1=111122223333", "ActionName.member.1=Publish"];
    sns("AddPermission", &[&[plain.as_str()], &permission[..]].concat());
    let filter = r#"{"a": ["x", {"prefix": "y"}, {"exists": true}], "b": [{"anything-but": ["p", "q"]},
                    {"anything-but": {"prefix": "r"}}, {"exists": false}]}"#;
    let (filter, policy) = (format!("{value}={filter}"), format!("{key}=FilterPolicy"));
    sns("Subscribe", &[&plain, "Protocol=email", "Endpoint=a@example.com", &policy, &filter]);
    sns("Subscribe", &[&plain, "Protocol=https", "Endpoint=https://example.com/~a"]);
    let queue = "Endpoint=arn:aws:sqs:us-west-2:999988887777:q.fifo";
    let raw = [format!("{key}=RawMessageDelivery"), format!("{value}=true")];
    sns("Subscribe", &[&ordered, "Protocol=sqs", queue, &raw[0], &raw[1]]);
    let attribute = ["MessageAttributes.entry.1.Name=a", "MessageAttributes.entry.1.Value.DataType=String"];
    let attribute = [&attribute[..], &["MessageAttributes.entry.1.Value.StringValue=x"]].concat();
    sns("Publish", &[&[plain.as_str(), "Message=\u{fc}ber\n\"alles\"", "Subject=s"], &attribute[..]].concat());
    sns("Publish", &[&ordered, "Message=by its text", "MessageGroupId=g"]);
    sns("Publish", &[&ordered, "Message=by its id", "MessageGroupId=g", "MessageDeduplicationId=i"]);
}

/// Lets a day pass with calls of all kinds, and tells everything that can be told of it.
fn live(Rich { region, verified, asked, waiting, zone, .. }: &Rich) -> Vec<String> {
    let mut happenings = region.listen();
    let mut told = Vec::new();
    let ordered = [&format!("TopicArn={ORDERED}"), "MessageGroupId=g"];
    for hour in 0..24 {
        region.step(Duration::from_secs(if hour == 0 { 1 } else { 3600 }));
        let text = ["Message=by its text"];
        told.push(call(region, PROVIDER, "sns", "Publish", &[&ordered[..], &text[..]].concat()));
        let path = format!("GET hostedzone/{zone}/rrset");
        told.push(call(region, PROVIDER, "route53", &path, &[]));
        let id = format!("ServiceId={verified}");
        // More than a bucket has after so short a time, or else after so many calls.
        for _ in 0..4 {
            let name = format!("ServiceName=com.amazonaws.vpce.us-west-2.{verified}");
            let params = ["VpcEndpointType=Interface", "VpcId=vpc-0b", &name];
            told.push(call(region, ACME, "ec2", "CreateVpcEndpoint", &params));
        }
        let accept = [id.as_str(), &format!("VpcEndpointId.1={waiting}")];
        told.push(call(region, PROVIDER, "ec2", "AcceptVpcEndpointConnections", &accept));
        told.push(call(region, PROVIDER, "ec2", "DescribeVpcEndpointConnections", &[]));
        told.push(call(region, PROVIDER, "ec2", "DescribeVpcEndpointServiceConfigurations", &[]));
        let asked = format!("ServiceId={asked}");
        told.push(call(region, PROVIDER, "ec2", "StartVpcEndpointServicePrivateDnsVerification", &[&asked]));
        self::zone(region, &format!("h{hour}.example.com"), "");
    }
    let mut told: Vec<_> = told.into_iter().map(|(status, body)| format!("{status} {body}")).collect();
    told.extend(std::iter::from_fn(|| happenings.try_recv().ok()).map(|happening| format!("{happening:?}")));
    told.push(region.save().unwrap());
    told
}

#[test]
fn what_was_saved_is_there_when_it_is_loaded() {
    let Rich { region, .. } = rich();
    let text = region.save().unwrap();
    let loaded = Region::load(&text, Clock::standing).unwrap();
    assert_eq!(loaded.save().unwrap(), text);
    let (was, is) = (region.world(), loaded.world());
    let World {
        settings,
        services,
        endpoints,
        sns,
        notifications,
        published_txt,
        connections,
        route53,
        buckets,
        random,
        due,
        foreseen,
        clock,
        requests: _,
        faults: _,
        refuse_items: _,
        listeners: _,
    } = &*is;
    assert_eq!((settings, services, endpoints), (&was.settings, &was.services, &was.endpoints));
    assert_eq!((sns, notifications, route53), (&was.sns, &was.notifications, &was.route53));
    assert_eq!((published_txt, connections), (&was.published_txt, &was.connections));
    assert_eq!((buckets, random, due, foreseen), (&was.buckets, &was.random, &was.due, &was.foreseen));
    assert_eq!(clock.now(), was.now());
    // There is something in everything, so that nothing is equal only because it is empty.
    let states: BTreeSet<_> = endpoints.values().map(Endpoint::state).collect();
    assert_eq!(states.len(), 5, "{states:?}");
    assert!(!notifications.is_empty() && !published_txt.is_empty() && due.len() == 3, "{due:?}");
    assert_eq!((sns.topics.len(), sns.deliveries.len(), route53.zones.len()), (2, 4, 2));
    assert_ne!(*buckets, Buckets::default());
    assert!(route53.zones.values().any(|zone| zone.seen(clock.now()) != Some(&zone.records)));
}

#[test]
fn a_loaded_region_goes_on_as_the_saved_one() {
    let saved = rich();
    let region = Region::load(&saved.region.save().unwrap(), Clock::standing).unwrap();
    let Rich { verified, asked, pending, waiting, zone, .. } = rich();
    let loaded = Rich { region, verified, asked, pending, waiting, zone };
    let (was, is) = (live(&saved), live(&loaded));
    assert_eq!(was.len(), is.len());
    for (was, is) in was.iter().zip(&is) {
        assert_eq!(was, is);
    }
    let all = was.join("");
    for seen in ["RequestLimitExceeded", "state: \"available\"", ">verified<", ">failed<"] {
        assert!(all.contains(seen), "{seen}");
    }
}

#[test]
fn what_comes_to_nothing_is_not_saved() {
    let Rich { region, verified, pending, .. } = rich();
    // The service's next look, and the endpoint's becoming available.
    let before = region.world().due.len();
    region.world().services.get_mut(&verified).unwrap().private_dns_name = None;
    region.world().become_state(&pending, "deleted", datetime!(2026-01-31 13:00 UTC));
    let loaded = Region::load(&region.save().unwrap(), Clock::standing).unwrap();
    assert_eq!((region.world().due.len(), loaded.world().due.len()), (before, before - 2));
}

#[test]
fn time_goes_on_at_the_loaders_speed() {
    let Rich { region, .. } = rich();
    let (text, then) = (region.save().unwrap(), region.now());
    assert_eq!(Region::load(&text, Clock::standing).unwrap().now(), then);
    let fast = Region::load(&text, |at| Clock::running(at, 100_000.0)).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert!(fast.now() >= then + Duration::from_secs(200));
    // Nor does a clock that runs make a document that can not be loaded.
    for _ in 0..50 {
        Region::load(&fast.save().unwrap(), Clock::standing).unwrap();
    }
    assert!(fast.restore(&text).is_ok() && fast.now() >= then);
    std::thread::sleep(Duration::from_millis(2));
    assert!(fast.now() >= then + Duration::from_secs(200));
}

#[test]
fn whoever_holds_the_region_keeps_his_own_when_the_world_is_replaced() {
    let Rich { region, .. } = rich();
    let text = region.save().unwrap();
    let other = Region::new(Settings::default(), Clock::standing(START));
    let fault = Fault { action: "CreateTags".into(), times: 1, kind: FaultKind::Reset, when: When::Before };
    other.break_next(fault);
    let mut happenings = other.listen();
    call(&other, PROVIDER, "ec2", "DescribeVpcEndpoints", &[]);
    other.restore(&text).unwrap();
    assert_eq!(other.save().unwrap(), text);
    assert!(other.world().faults.next("CreateTags").is_some());
    assert_eq!(other.world().requests.to_json().as_array().map(Vec::len), Some(1));
    while happenings.try_recv().is_ok() {}
    other.step(Duration::from_secs(3600));
    assert!(happenings.try_recv().is_ok());
}

#[test]
fn the_state_is_got_and_put_over_the_wire() {
    let Rich { region, .. } = rich();
    let ask = |region: &Region, method: &str, body: &[u8]| {
        let path = "/_region/state".to_owned();
        let request = Request { method: method.to_owned(), path, body: body.to_vec(), ..Request::default() };
        let answer = control::answer(region, &request);
        (answer.status, answer.body)
    };
    let (status, document) = ask(&region, "GET", b"");
    assert_eq!((status, &document), (200, &region.save().unwrap()));
    let other = Region::new(Settings::default(), Clock::standing(START));
    let before = other.save().unwrap();
    for broken in [b"\xff".as_slice(), b"", b"{}", document.replace("\"pending\"", "\"sleepy\"").as_bytes()] {
        let (status, body) = ask(&other, "PUT", broken);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, body["faults"].as_array().map(Vec::len)), (400, Some(1)), "{body}");
        assert_eq!(body["error"], body["faults"][0]);
        assert_eq!(other.save().unwrap(), before);
    }
    let (status, body) = ask(&other, "PUT", document.as_bytes());
    assert_eq!(status, 200, "{body}");
    assert_eq!(other.save().unwrap(), document);
    assert_eq!(ask(&other, "DELETE", b"").0, 404);
}
