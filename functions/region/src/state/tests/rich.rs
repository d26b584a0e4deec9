//! A world with something of everything in it, made over the wire, and much of it under way.

use std::time::Duration;

use super::{ACME, ORDERED, PLAIN, PROVIDER, START};
use crate::clock::Clock;
use crate::{Region, Reply, Request, Settings};

/// A call in the Query protocol, or in Route 53's where it names a method and a path. The parameters are `Key=value`;
/// the last of Route 53's is the body. The answer is the status with the body.
pub(super) fn call(region: &Region, account: &str, service: &str, action: &str, params: &[&str]) -> (u16, String) {
    let scope = if service == "route53" { "us-east-1" } else { "us-west-2" };
    let authorization = format!("AWS4-HMAC-SHA256 Credential={account}/20260131/{scope}/{service}/aws4_request, S=s");
    let mut request = Request { method: "POST".to_owned(), authorization, ..Request::default() };
    if let Some((method, path)) = action.split_once(' ') {
        request.method = method.to_owned();
        request.path = format!("/2013-04-01/{path}");
        request.body = params.concat().into_bytes();
    } else {
        let version = match service {
            "ec2" => crate::ec2::VERSION,
            "sts" => crate::sts::VERSION,
            _ => crate::sns::VERSION,
        };
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

pub(super) fn zone(region: &Region, name: &str, more: &str) -> String {
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
pub(super) struct Rich {
    pub(super) region: Region,
    /// A service whose private DNS name is verified; its owner is notified of its connections.
    pub(super) verified: String,
    /// One whose private DNS name somebody is about to look at.
    pub(super) asked: String,
    pub(super) pending: String,
    pub(super) waiting: String,
    pub(super) zone: String,
}

pub(super) fn rich() -> Rich {
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

    let open = service(
        &region,
        &[
            "AcceptanceRequired=false",
            "SupportedRegion.1=eu-west-1",
            "TagSpecification.1.ResourceType=vpc-endpoint-service",
        ],
    );
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
    let params = [service.as_str(), &topic, "ConnectionEvents.1=Accept", "ConnectionEvents.2=Delete", "ClientToken=t"];
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
    let role = ["RoleArn=arn:aws:iam::111122223333:role/teams/dns", "RoleSessionName=verifier"];
    done(&region, PROVIDER, "sts", "AssumeRole", &role, "");
    fill_network(&region);
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

/// A VPC that somebody made, beside those that are only named.
fn fill_network(region: &Region) {
    let draft = serde_json::json!({
        "vpcId": "vpc-0b", "ipv6CidrBlock": "2001:db8::/56",
        "subnets": [{"subnetId": "subnet-0b", "ipv6CidrBlock": "2001:db8::/64"}],
        "securityGroups": [{"groupId": "sg-0b", "groupName": "api"}],
    });
    region.world().make_vpc(PROVIDER, None, serde_json::from_value(draft).unwrap()).unwrap();
    let permission = ["GroupId=sg-0b", "IpProtocol=tcp", "FromPort=443", "ToPort=443", "CidrIp=10.0.0.0/8"];
    done(region, PROVIDER, "ec2", "AuthorizeSecurityGroupIngress", &permission, "");
    done(region, PROVIDER, "ec2", "CreateTags", &["ResourceId.1=vpc-0b", "Tag.1.Key=k", "Tag.1.Value=v"], "");
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
    let nested =
        r#"{"a": {"b": [{"numeric": [">", 1.5]}, {"cidr": "10.0.0.0/8"}]}, "$or": [{"c": [1]}, {"d": [null]}]}"#;
    let (nested, scope) = (format!("{value}={nested}"), "Attributes.entry.2.key=FilterPolicyScope");
    let body = "Attributes.entry.2.value=MessageBody";
    sns("Subscribe", &[&plain, "Protocol=https", "Endpoint=https://example.com/b", &policy, &nested, scope, body]);
    let queue = "Endpoint=arn:aws:sqs:us-west-2:999988887777:q.fifo";
    let raw = [format!("{key}=RawMessageDelivery"), format!("{value}=true")];
    sns("Subscribe", &[&ordered, "Protocol=sqs", queue, &raw[0], &raw[1]]);
    let attribute = ["MessageAttributes.entry.1.Name=a", "MessageAttributes.entry.1.Value.DataType=String"];
    let attribute = [&attribute[..], &["MessageAttributes.entry.1.Value.StringValue=x"]].concat();
    sns("Publish", &[&[plain.as_str(), "Message=\u{fc}ber\n\"alles\"", "Subject=s"], &attribute[..]].concat());
    sns("Publish", &[&ordered, "Message=by its text", "MessageGroupId=g"]);
    sns("Publish", &[&ordered, "Message=by its id", "MessageGroupId=g", "MessageDeduplicationId=i"]);
}
