//! Stories of what a consumer does with its endpoint; and of tags.

use super::*;

#[test]
fn an_endpoint_becomes_dual_stack_and_is_pending_for_that_time() {
    let region = region();
    let (service, name) = service(&region, &[]);
    let endpoint = available(&region, &service, &name);
    let refusal = modify(&region, &endpoint, "IpAddressType=dualstack").1;
    assert_eq!(tag(&refusal, "Code"), "InvalidParameter", "the service has no IPv6");
    let records = modify(&region, &endpoint, "DnsOptions.DnsRecordIpType=ipv6").1;
    assert_eq!(tag(&records, "Code"), "InvalidParameter", "the endpoint has no IPv6");
    region.world().services.get_mut(&service).unwrap().ip_address_types.push("ipv6".to_owned());
    assert_eq!(modify(&region, &endpoint, "IpAddressType=dualstack").0, 200);
    let seen = see(&region, &endpoint);
    assert_eq!((tag(&seen, "state"), tag(&seen, "ipAddressType")), ("pending".to_owned(), "dualstack".to_owned()));
    assert_eq!(modify(&region, &endpoint, "DnsOptions.DnsRecordIpType=dualstack").0, 200, "pending is no obstacle");
    region.step(Duration::from_secs(120));
    let seen = see(&region, &endpoint);
    assert_eq!((tag(&seen, "state"), tag(&seen, "dnsRecordIpType")), ("available".to_owned(), "dualstack".to_owned()));

    assert_eq!(modify(&region, &endpoint, "AddSubnetId.1=subnet-0b").0, 200);
    assert_eq!(modify(&region, &endpoint, "RemoveSubnetId.1=subnet-0a").0, 200);
    assert_eq!(modify(&region, &endpoint, "AddSecurityGroupId.1=sg-0b").0, 200);
    let seen = see(&region, &endpoint);
    assert_eq!(tag(&seen, "subnetIdSet"), "<item>subnet-0b</item>");
    assert_eq!(tag(&seen, "networkInterfaceIdSet").matches("eni-").count(), 1);
    assert!(tag(&seen, "groupSet").contains("<groupName>default</groupName>") && seen.contains("sg-0b"), "{seen}");

    region.world().reject(&service, &endpoint).unwrap();
    assert_eq!(tag(&modify(&region, &endpoint, "IpAddressType=ipv4").1, "Code"), "IncorrectState");
    assert_eq!(see(&region, &endpoint).matches("<vpcEndpointId>").count(), 1);
    let stranger = refused(&region, STRANGER, "ModifyVpcEndpoint", &[&format!("VpcEndpointId={endpoint}")]);
    assert_eq!(stranger.0, "InvalidVpcEndpointId.NotFound");
    assert!(!done(&region, STRANGER, "DescribeVpcEndpoints", &[]).contains(&endpoint));
}

#[test]
fn private_dns_comes_with_a_verified_name_and_an_accepted_connection() {
    let region = region();
    let (service, name) = service(&region, &[]);
    let endpoint = available(&region, &service, &name);
    let on = "PrivateDnsEnabled=true";
    let message = |body: (u16, String)| (tag(&body.1, "Code"), tag(&body.1, "Message").replace("&apos;", "'"));
    let why = |why: &str| {
        let start = "Private DNS can't be enabled because the service";
        ("InvalidParameter".to_owned(), format!("{start} {name} {why}."))
    };
    assert_eq!(message(modify(&region, &endpoint, on)), why("does not provide a private DNS name"));
    let id = format!("ServiceId={service}");
    done(&region, PROVIDER, "ModifyVpcEndpointServiceConfiguration", &[&id, "PrivateDnsName=api.example.com"]);
    assert_eq!(message(modify(&region, &endpoint, on)), why("has not verified the private DNS name"));
    publish(&region, &service, "api.example.com");
    verify(&region, &service);
    region.step(Duration::from_secs(180));
    let offer = done(&region, ACME, "DescribeVpcEndpointServices", &[]);
    assert_eq!(tag(&offer, "privateDnsNameVerificationState"), "verified");
    assert_eq!(modify(&region, &endpoint, on).0, 200);
    let seen = see(&region, &endpoint);
    assert_eq!((tag(&seen, "privateDnsEnabled"), tag(&seen, "state")), ("true".to_owned(), "pending".to_owned()));
    assert!(tag(&seen, "dnsEntrySet").contains("<dnsName>api.example.com</dnsName>"), "{seen}");

    let elsewhere = "VpcId=vpc-0b";
    assert_eq!(connect(&region, ACME, &name, &[on, elsewhere]).0, 200, "nobody has to accept it");
    region.world().services.get_mut(&service).unwrap().acceptance_required = true;
    let early = tag(&connect(&region, ACME, &name, &[on, "VpcId=vpc-0c"]).1, "Message");
    assert!(early.starts_with("Private DNS can only be enabled after the endpoint connection is accepted"), "{early}");
}

#[test]
fn tags_go_by_key_by_value_or_all_at_once() {
    let region = region();
    let (service, _) = service(&region, &[]);
    let id = format!("ResourceId.1={service}");
    let set = |keys: [&str; 3]| {
        let mut world = region.world();
        world.services.get_mut(&service).unwrap().tags =
            keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect();
    };
    let left = || region.world().services[&service].tags.keys().cloned().collect::<String>();
    for (params, expected) in [
        (vec!["Tag.1.Key=a"], "bc"),
        (vec!["Tag.1.Key=a", "Tag.1.Value=", "Tag.2.Key=b", "Tag.2.Value=x"], "ac"),
        (vec![], ""),
    ] {
        set(["a", "b", "c"]);
        done(&region, PROVIDER, "DeleteTags", &[&[id.as_str()], params.as_slice()].concat());
        assert_eq!(left(), expected, "{params:?}");
    }
}

#[test]
fn an_interface_endpoint_has_a_policy_that_permits_everything() {
    let region = region();
    let (service, name) = service(&region, &[]);
    let endpoint = available(&region, &service, &name);
    let policy: Value =
        serde_json::from_str(&tag(&see(&region, &endpoint), "policyDocument").replace("&quot;", "\"")).unwrap();
    let all = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    assert_eq!(policy["Statement"], json!([all]));

    let arn = format!("GatewayLoadBalancerArn.1={}", NLB.replace("/net/", "/gwy/"));
    let body = done(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &[&arn, "AcceptanceRequired=false"]);
    let (kind, name) = ("VpcEndpointType=GatewayLoadBalancer", format!("ServiceName={}", tag(&body, "serviceName")));
    let made = done(&region, PROVIDER, "CreateVpcEndpoint", &[kind, "VpcId=vpc-0a", &name]);
    assert!(!made.contains("policyDocument"), "{made}");
}

#[test]
fn an_id_that_can_be_none_is_malformed_and_one_that_is_not_there_is_not_found() {
    let region = region();
    for (id, code) in [
        ("endpoint", "InvalidVpcEndpointId.Malformed"),
        ("vpce-", "InvalidVpcEndpointId.Malformed"),
        ("vpce-svc-0a", "InvalidVpcEndpointId.Malformed"),
        ("vpce-0a", "InvalidVpcEndpointId.NotFound"),
    ] {
        let seen = refused(&region, ACME, "DescribeVpcEndpoints", &[&format!("VpcEndpointId.1={id}")]);
        assert_eq!(seen.0, code, "{id}");
        assert_eq!(tag(&modify(&region, id, "AddSubnetId.1=subnet-0a").1, "Code"), code, "{id}");
        let gone = done(&region, ACME, "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={id}")]);
        assert_eq!(tag(&gone, "code"), "InvalidVpcEndpoint.NotFound", "{id}");
    }
}

#[test]
fn a_tag_s_key_has_127_characters_at_most() {
    let region = region();
    let (service, _) = service(&region, &[]);
    let set = |length| {
        let key = format!("Tag.1.Key={}", "\u{f6}".repeat(length));
        call(&region, PROVIDER, "CreateTags", &[&format!("ResourceId.1={service}"), &key])
    };
    assert_eq!(set(127).0, 200);
    assert_eq!(tag(&set(128).1, "Code"), "InvalidParameterValue");
}
