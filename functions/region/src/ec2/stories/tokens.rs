//! Stories of calls that are made twice with one client token.

use super::*;

fn ids(body: &str, name: &str) -> usize {
    body.matches(&format!("<{name}>")).count()
}

#[test]
fn the_same_call_with_the_same_token_makes_one_service() {
    let region = region();
    let (arn, token) = (format!("NetworkLoadBalancerArn.1={NLB}"), "ClientToken=a&b");
    let make = |params: &[&str]| {
        done(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &[&[arn.as_str()], params].concat())
    };
    let (once, twice, other) = (make(&[token]), make(&[token]), make(&["ClientToken=b"]));
    assert_eq!(tag(&once, "serviceConfiguration"), tag(&twice, "serviceConfiguration"));
    assert_eq!([&once, &twice, &other].map(|body| tag(body, "clientToken")), ["a&amp;b", "a&amp;b", "b"]);
    assert!(!make(&[]).contains("clientToken"));
    assert_eq!(region.world().services.len(), 3);
    // Only with the same parameters; and another account's token is another.
    let differs = [arn.as_str(), token, "AcceptanceRequired=false"];
    let (code, _) = refused(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &differs);
    assert_eq!(code, "IdempotentParameterMismatch");
    done(&region, ACME, "CreateVpcEndpointServiceConfiguration", &differs);
    let tried = refused(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &[&arn, token, "DryRun=true"]);
    assert_eq!((tried.0.as_str(), region.world().services.len()), ("DryRunOperation", 4));
    // What is deleted is not what was made.
    let service = tag(&once, "serviceId");
    done(&region, PROVIDER, "DeleteVpcEndpointServiceConfigurations", &[&format!("ServiceId.1={service}")]);
    assert_ne!(tag(&make(&[token]), "serviceId"), service);
}

#[test]
fn the_same_call_with_the_same_token_makes_one_endpoint_and_one_notification() {
    let region = region();
    let (service, name) = service(&region, &[]);
    permit(&region, &service, "*");
    let make = |more: &[&str]| connect(&region, ACME, &name, &[&["ClientToken=once"], more].concat());
    let (once, twice) = (make(&[]).1, make(&[]).1);
    assert_eq!((tag(&once, "vpcEndpointId"), tag(&once, "clientToken")), (tag(&twice, "vpcEndpointId"), "once".into()));
    assert_eq!(tag(&make(&["SubnetId.1=subnet-0a"]).1, "Code"), "IdempotentParameterMismatch");
    assert_eq!(ids(&done(&region, ACME, "DescribeVpcEndpoints", &[]), "vpcEndpointId"), 1);
    // What has become of it meanwhile is told.
    region.step(Duration::from_secs(120));
    assert_eq!((tag(&once, "state"), tag(&make(&[]).1, "state")), ("pending".to_owned(), "available".to_owned()));

    let (id, topic) = (format!("ServiceId={service}"), "ConnectionNotificationArn=arn:aws:sns:us-west-2:9:t");
    let notify = |event| {
        let params = [id.as_str(), topic, event, "ClientToken=once"];
        call(&region, PROVIDER, "CreateVpcEndpointConnectionNotification", &params).1
    };
    let (once, twice) = (notify("ConnectionEvents.1=Accept"), notify("ConnectionEvents.1=Accept"));
    assert_eq!(tag(&once, "connectionNotificationId"), tag(&twice, "connectionNotificationId"));
    assert_eq!(tag(&notify("ConnectionEvents.1=Delete"), "Code"), "IdempotentParameterMismatch");
    assert_eq!(region.world().notifications.len(), 1);
}
