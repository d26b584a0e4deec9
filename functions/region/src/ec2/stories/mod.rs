//! Stories over the wire: provider and consumers call EC2, and look at what it answers.

mod endpoints;
mod groups;
mod networks;
mod offers;
mod tokens;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::clock::Clock;
use crate::faults::{Fault, FaultKind, When};
use crate::happening::{ConnectionEvent, Happening, What};
use crate::world::Session;
use crate::{Region, Reply, Request, Settings};

const PROVIDER: &str = "999988887777";
const ACME: &str = "111122223333";
const STRANGER: &str = "444455556666";
const NLB: &str = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/1";

fn region() -> Region {
    let at = time::macros::datetime!(2026-01-31 12:00 UTC);
    Region::new(Settings { throttling: false, ..Settings::default() }, Clock::standing(at))
}

/// Calls an operation with `Key=value` parameters, and answers with the HTTP status and the body.
fn call(region: &Region, account: &str, action: &str, params: &[&str]) -> (u16, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", super::VERSION);
    for param in params {
        let (key, value) = param.split_once('=').unwrap();
        form.append_pair(key, value);
    }
    let authorization = format!("AWS4-HMAC-SHA256 Credential={account}/20260131/us-west-2/ec2/aws4_request, S=s");
    let body = form.finish().into_bytes();
    match region.answer(&Request { method: "POST".to_owned(), authorization, body, ..Request::default() }) {
        Reply::Answer(answer) => (answer.status, answer.body),
        Reply::Reset | Reply::Silence => panic!("no answer"),
    }
}

fn done(region: &Region, account: &str, action: &str, params: &[&str]) -> String {
    let (status, body) = call(region, account, action, params);
    assert_eq!(status, 200, "{action}: {body}");
    body
}

/// The code of a refusal, with its message.
fn refused(region: &Region, account: &str, action: &str, params: &[&str]) -> (String, String) {
    let (status, body) = call(region, account, action, params);
    assert!(status >= 400, "{action}: {body}");
    (tag(&body, "Code"), tag(&body, "Message"))
}

/// What stands in the first element of that name.
fn tag(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {body}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

/// A service that accepts everybody without asking, and permits nobody yet.
fn service(region: &Region, more: &[&str]) -> (String, String) {
    let arn = format!("NetworkLoadBalancerArn.1={NLB}");
    let params = [&[arn.as_str(), "AcceptanceRequired=false"], more].concat();
    let body = done(region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &params);
    (tag(&body, "serviceId"), tag(&body, "serviceName"))
}

fn permit(region: &Region, service: &str, principal: &str) -> String {
    let params = [format!("ServiceId={service}"), format!("AddAllowedPrincipals.1={principal}")];
    done(region, PROVIDER, "ModifyVpcEndpointServicePermissions", &params.each_ref().map(String::as_str))
}

fn connect(region: &Region, account: &str, name: &str, more: &[&str]) -> (u16, String) {
    let name = format!("ServiceName={name}");
    let params = [&["VpcEndpointType=Interface", "VpcId=vpc-0a", name.as_str()], more].concat();
    call(region, account, "CreateVpcEndpoint", &params)
}

/// An endpoint of ACME's that is available.
fn available(region: &Region, service: &str, name: &str) -> String {
    permit(region, service, "*");
    let (_, body) = connect(region, ACME, name, &["SubnetId.1=subnet-0a"]);
    region.step(Duration::from_secs(120));
    tag(&body, "vpcEndpointId")
}

fn modify(region: &Region, endpoint: &str, change: &str) -> (u16, String) {
    call(region, ACME, "ModifyVpcEndpoint", &[&format!("VpcEndpointId={endpoint}"), change])
}

fn see(region: &Region, endpoint: &str) -> String {
    done(region, ACME, "DescribeVpcEndpoints", &[&format!("VpcEndpointId.1={endpoint}")])
}

fn dns_state(region: &Region, service: &str) -> String {
    let id = format!("ServiceId.1={service}");
    let body = done(region, PROVIDER, "DescribeVpcEndpointServiceConfigurations", &[&id]);
    tag(&tag(&body, "privateDnsNameConfiguration"), "state")
}

fn publish(region: &Region, service: &str, under: &str) {
    let mut world = region.world();
    let name = world.services[service].private_dns_name.clone().unwrap();
    let record = if under.is_empty() { name.record } else { format!("{}.{under}", name.record) };
    world.published_txt.insert((record, name.value));
}

fn verify(region: &Region, service: &str) {
    done(region, PROVIDER, "StartVpcEndpointServicePrivateDnsVerification", &[&format!("ServiceId={service}")]);
}

fn heard(happenings: &mut UnboundedReceiver<Happening>) -> Vec<What> {
    std::iter::from_fn(|| happenings.try_recv().ok()).map(|happening| happening.what).collect()
}

#[test]
fn once_there_is_a_notification_only_what_it_wants_is_told() {
    let region = region();
    let (service, name) = service(&region, &[]);
    permit(&region, &service, "*");
    let mut happenings = region.listen();
    let mut notified = || -> Vec<_> {
        let notifications = heard(&mut happenings).into_iter().filter_map(|what| match what {
            What::Notified(notification) => Some((notification.event, notification.topic)),
            What::Became { .. } | What::Called { .. } | What::Delivered { .. } | What::Recorded(_) => None,
        });
        notifications.collect()
    };
    connect(&region, ACME, &name, &[]);
    let usual = "arn:aws:sns:us-west-2:999988887777:endpoint-connections";
    assert_eq!(notified(), [(ConnectionEvent::Connect, usual.to_owned())]);
    let topic = "arn:aws:sns:us-west-2:999988887777:mine";
    let create = |events: &[&str]| {
        let (id, arn) = (format!("ServiceId={service}"), format!("ConnectionNotificationArn={topic}"));
        let params = [&[id.as_str(), arn.as_str()], events].concat();
        call(&region, PROVIDER, "CreateVpcEndpointConnectionNotification", &params)
    };
    assert_eq!(tag(&create(&["ConnectionEvents.1=Explode"]).1, "Code"), "InvalidParameterValue");
    let (_, made) = create(&["ConnectionEvents.1=Delete", "ConnectionEvents.2=Reject"]);
    assert!(tag(&made, "connectionNotificationId").starts_with("vpce-nfn-"), "{made}");
    let id = tag(&connect(&region, ACME, &name, &[]).1, "vpcEndpointId");
    done(&region, ACME, "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={id}")]);
    assert_eq!(notified(), [(ConnectionEvent::Delete, topic.to_owned())]);
    let listed = done(&region, PROVIDER, "DescribeVpcEndpointConnectionNotifications", &[]);
    assert_eq!((tag(&listed, "serviceId"), tag(&listed, "connectionNotificationArn")), (service, topic.to_owned()));
    assert!(!done(&region, ACME, "DescribeVpcEndpointConnectionNotifications", &[]).contains("vpce-nfn-"));
}

#[test]
fn a_dry_run_of_anything_changes_nothing() {
    let region = region();
    let (service, name) = service(&region, &["PrivateDnsName=api.example.com"]);
    let endpoint = available(&region, &service, &name);
    let (id, ids) = (format!("ServiceId={service}"), format!("ServiceId.1={service}"));
    let (vpce, vpces) = (format!("VpcEndpointId={endpoint}"), format!("VpcEndpointId.1={endpoint}"));
    let (resource, topic) = (format!("ResourceId.1={service}"), "ConnectionNotificationArn=arn:aws:sns:us-west-2:9:t");
    let services = region.world().services.clone();
    let endpoints = region.world().endpoints.clone();
    for (account, action, params) in [
        (PROVIDER, "ModifyVpcEndpointServiceConfiguration", vec![id.as_str(), "AcceptanceRequired=true"]),
        (PROVIDER, "ModifyVpcEndpointServicePermissions", vec![&id, "RemoveAllowedPrincipals.1=*"]),
        (PROVIDER, "DescribeVpcEndpointServicePermissions", vec![&id]),
        (PROVIDER, "DeleteVpcEndpointServiceConfigurations", vec![&ids]),
        (PROVIDER, "StartVpcEndpointServicePrivateDnsVerification", vec![&id]),
        (PROVIDER, "CreateVpcEndpointConnectionNotification", vec![&id, topic, "ConnectionEvents.1=Accept"]),
        (PROVIDER, "DescribeVpcEndpointConnectionNotifications", vec![]),
        (PROVIDER, "DeleteTags", vec![&resource]),
        (ACME, "DescribeVpcEndpoints", vec![]),
        (ACME, "DescribeVpcEndpointServices", vec![]),
        (ACME, "ModifyVpcEndpoint", vec![&vpce, "AddSubnetId.1=subnet-0c"]),
        (ACME, "DeleteVpcEndpoints", vec![&vpces]),
    ] {
        let params = [params.as_slice(), &["DryRun=true"]].concat();
        assert_eq!(refused(&region, account, action, &params).0, "DryRunOperation", "{action}");
    }
    let world = region.world();
    assert!(world.services == services && world.endpoints == endpoints && world.notifications.is_empty());
}

#[test]
fn a_session_of_a_role_acts_as_the_role_s_account_and_is_recorded_as_itself() {
    let region = region();
    let mut happenings = region.listen();
    let role = "arn:aws:iam::999988887777:role/teams/deployer".to_owned();
    let key = region.world().begin_session(Session { role: role.clone(), name: "me".to_owned() });
    let arn = format!("NetworkLoadBalancerArn.1={NLB}");
    let made = tag(&done(&region, &key, "CreateVpcEndpointServiceConfiguration", &[&arn]), "serviceId");
    assert!(done(&region, PROVIDER, "DescribeVpcEndpointServiceConfigurations", &[]).contains(&made));
    let records = heard(&mut happenings).into_iter().filter_map(|what| match what {
        What::Recorded(event) => Some(event["detail"]["userIdentity"].clone()),
        What::Notified(_) | What::Became { .. } | What::Delivered { .. } | What::Called { .. } => None,
    });
    let [identity] = records.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((&identity["type"], &identity["accessKeyId"]), (&json!("AssumedRole"), &json!(key)));
    assert_eq!(identity["arn"], "arn:aws:sts::999988887777:assumed-role/deployer/me");
    assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], role);
}

#[test]
fn changes_are_recorded_whether_they_succeed_or_not_and_reads_are_not() {
    let region = region();
    let (service, name) = service(&region, &[]);
    let endpoint = available(&region, &service, &name);
    let mut happenings = region.listen();
    let mut recorded = || -> Vec<Value> {
        let records = heard(&mut happenings).into_iter().filter_map(|what| match what {
            What::Recorded(event) => Some(event),
            What::Notified(_) | What::Became { .. } | What::Delivered { .. } | What::Called { .. } => None,
        });
        records.collect()
    };
    done(&region, PROVIDER, "DescribeVpcEndpointConnections", &[]);
    assert_eq!(recorded(), [Value::Null; 0]);

    let (id, ids) = (format!("ServiceId={service}"), format!("VpcEndpointId.1={endpoint}"));
    done(&region, PROVIDER, "RejectVpcEndpointConnections", &[&id, &ids]);
    let events = recorded();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
    assert_eq!((&event["source"], &event["time"]), (&json!("aws.ec2"), &json!("2026-01-31T12:02:00Z")));
    let detail = &event["detail"];
    assert_eq!((&detail["eventName"], detail.get("errorCode")), (&json!("RejectVpcEndpointConnections"), None));
    let wanted = json!({"ServiceId": service, "VpcEndpointId": {"tag": 1, "content": endpoint}});
    assert_eq!(detail["requestParameters"], json!({"RejectVpcEndpointConnectionsRequest": wanted}));
    let answer = &detail["responseElements"]["RejectVpcEndpointConnectionsResponse"];
    assert_eq!((&answer["unsuccessful"], &answer["requestId"]), (&json!(""), &detail["requestID"]));

    let kind = FaultKind::Unauthorized;
    let action = "StartVpcEndpointServicePrivateDnsVerification".to_owned();
    region.break_next(Fault { action: action.clone(), times: 1, kind, when: When::Before });
    refused(&region, PROVIDER, &action, &[&id]);
    refused(&region, PROVIDER, &action, &[&id]);
    let details: Vec<_> = recorded().into_iter().map(|event| event["detail"].clone()).collect();
    let codes: Vec<_> = details.iter().map(|detail| &detail["errorCode"]).collect();
    assert_eq!(codes, ["Client.UnauthorizedOperation", "Client.InvalidParameter"]);
    assert_eq!(details[0]["responseElements"], Value::Null);
    assert_eq!(details[0]["requestParameters"][format!("{action}Request")]["ServiceId"], service);
}
