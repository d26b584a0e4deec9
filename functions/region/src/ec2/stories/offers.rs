//! Stories of what a provider offers: whom he permits, how he proves a name, and what he may change.

use super::*;

#[test]
fn nobody_connects_or_sees_anything_until_he_is_permitted() {
    let region = region();
    let (service, name) = service(&region, &[]);
    for account in [ACME, STRANGER] {
        let (status, body) = connect(&region, account, &name, &[]);
        assert_eq!((status, tag(&body, "Code")), (400, "InvalidServiceName".to_owned()));
        let seen = done(&region, account, "DescribeVpcEndpointServices", &[]);
        assert!(!seen.contains(&name), "{seen}");
    }
    assert_eq!(connect(&region, PROVIDER, &name, &[]).0, 200, "the owner always may");

    let added = permit(&region, &service, "arn:aws:iam::111122223333:root");
    assert_eq!((tag(&added, "principalType"), tag(&added, "return")), ("Account".to_owned(), "true".to_owned()));
    assert!(tag(&added, "servicePermissionId").starts_with("vpce-svc-perm-"));
    assert!(!permit(&region, &service, "arn:aws:iam::111122223333:root").contains("<item>"), "it is not new");
    assert_eq!(connect(&region, ACME, &name, &[]).0, 200);
    assert_eq!(connect(&region, STRANGER, &name, &[]).0, 400);
    let seen = done(&region, ACME, "DescribeVpcEndpointServices", &[&format!("ServiceName.1={name}")]);
    assert_eq!((tag(&seen, "owner"), tag(&seen, "acceptanceRequired")), (PROVIDER.to_owned(), "false".to_owned()));
    let hidden = refused(&region, STRANGER, "DescribeVpcEndpointServices", &[&format!("ServiceName.1={name}")]);
    assert_eq!(hidden.0, "InvalidServiceName");

    permit(&region, &service, "arn:aws:iam::444455556666:role/deployer");
    assert_eq!(connect(&region, STRANGER, &name, &[]).0, 200, "a role is somebody of the account");
    let id = format!("ServiceId={service}");
    let remove = "RemoveAllowedPrincipals.1=arn:aws:iam::111122223333:root";
    done(&region, PROVIDER, "ModifyVpcEndpointServicePermissions", &[&id, remove]);
    assert_eq!(connect(&region, ACME, &name, &[]).0, 400);
    let left = done(&region, PROVIDER, "DescribeVpcEndpointServicePermissions", &[&id]);
    assert_eq!((tag(&left, "principalType"), left.matches("<item>").count()), ("Role".to_owned(), 1));
    let odd = refused(&region, PROVIDER, "ModifyVpcEndpointServicePermissions", &[&id, "AddAllowedPrincipals.1=acme"]);
    assert_eq!(odd.0, "InvalidPrincipal");
}

#[test]
fn a_name_is_verified_by_a_record_that_the_world_can_read() {
    let region = region();
    for (name, under) in [("*.eu.api.example.com", "eu.api.example.com"), ("api.example.com", "example.com")] {
        let (service, _) = service(&region, &[&format!("PrivateDnsName={name}")]);
        publish(&region, &service, under);
        region.step(Duration::from_secs(1000));
        assert_eq!(dns_state(&region, &service), "pendingVerification", "nobody asked");
        verify(&region, &service);
        region.step(Duration::from_secs(59));
        assert_eq!(dns_state(&region, &service), "pendingVerification");
        region.step(Duration::from_secs(121));
        assert_eq!(dns_state(&region, &service), "verified");
    }
}

#[test]
fn a_name_fails_without_its_record_and_again_when_the_record_goes() {
    let region = region();
    let (service, _) = service(&region, &["PrivateDnsName=api.example.com"]);
    publish(&region, &service, "example.org");
    publish(&region, &service, "com");
    verify(&region, &service);
    region.step(Duration::from_secs(180));
    assert_eq!(dns_state(&region, &service), "failed");
    publish(&region, &service, "api.example.com");
    region.step(Duration::from_secs(10_000));
    assert_eq!(dns_state(&region, &service), "failed", "nobody asked again");
    verify(&region, &service);
    assert_eq!(dns_state(&region, &service), "pendingVerification");
    region.step(Duration::from_secs(180));
    assert_eq!(dns_state(&region, &service), "verified");
    region.step(Duration::from_secs(24 * 3600));
    assert_eq!(dns_state(&region, &service), "verified");
    region.world().published_txt.clear();
    region.step(Duration::from_secs(3600));
    assert_eq!(dns_state(&region, &service), "failed");
}

#[test]
fn asking_again_and_again_does_not_put_the_look_off() {
    let region = region();
    let (service, _) = service(&region, &["PrivateDnsName=api.example.com"]);
    publish(&region, &service, "api.example.com");
    for _ in 0..7 {
        verify(&region, &service);
        region.step(Duration::from_secs(30));
    }
    assert_eq!(dns_state(&region, &service), "verified");
}

#[test]
fn a_new_name_needs_a_new_proof_and_a_look_at_the_old_one_says_nothing_about_it() {
    let region = region();
    let (service, _) = service(&region, &["PrivateDnsName=api.example.com"]);
    publish(&region, &service, "api.example.com");
    let old = region.world().services[&service].private_dns_name.clone().unwrap();
    verify(&region, &service);
    let id = format!("ServiceId={service}");
    let changed =
        done(&region, PROVIDER, "ModifyVpcEndpointServiceConfiguration", &[&id, "PrivateDnsName=b.example.com"]);
    assert!(changed.contains("<return>true</return>") && !changed.contains("vpce:"), "{changed}");
    let new = region.world().services[&service].private_dns_name.clone().unwrap();
    assert!(old.record != new.record && old.value != new.value);
    region.step(Duration::from_secs(180));
    assert_eq!(dns_state(&region, &service), "pendingVerification");

    done(&region, PROVIDER, "ModifyVpcEndpointServiceConfiguration", &[&id, "RemovePrivateDnsName=true"]);
    assert_eq!(region.world().services[&service].private_dns_name, None);
    let none = refused(&region, PROVIDER, "StartVpcEndpointServicePrivateDnsVerification", &[&id]);
    assert_eq!(none.0, "InvalidParameter");
}

#[test]
fn a_service_changes_and_goes_only_where_that_cuts_nobody_off() {
    let region = region();
    let (service, name) = service(&region, &[]);
    let endpoint = available(&region, &service, &name);
    let id = format!("ServiceId={service}");
    let change = |param: &str| call(&region, PROVIDER, "ModifyVpcEndpointServiceConfiguration", &[&id, param]);
    assert_eq!(change("AcceptanceRequired=true").0, 200);
    assert_eq!(change("AddSupportedIpAddressType.1=ipv6").0, 200);
    assert_eq!(change(&format!("AddNetworkLoadBalancerArn.1={NLB}2")).0, 200);
    {
        let world = region.world();
        let service = &world.services[&service];
        assert!(service.acceptance_required);
        assert_eq!((service.load_balancers.len(), service.ip_address_types.len()), (2, 2));
    }
    let remove = format!("RemoveNetworkLoadBalancerArn.1={NLB}2");
    assert_eq!(tag(&change(&remove).1, "Code"), "ExistingVpcEndpointConnections");
    let list = format!("ServiceId.1={service}");
    let kept = done(&region, PROVIDER, "DeleteVpcEndpointServiceConfigurations", &[&list]);
    assert_eq!((tag(&kept, "code"), tag(&kept, "resourceId")), ("ExistingVpcEndpointConnections".into(), service));

    let gone = done(&region, ACME, "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={endpoint}")]);
    assert!(gone.contains("<unsuccessful></unsuccessful>"), "{gone}");
    let twice = done(&region, ACME, "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={endpoint}")]);
    assert_eq!(tag(&twice, "code"), "InvalidVpcEndpoint.NotFound");
    assert_eq!(change(&remove).0, 200);
    done(&region, PROVIDER, "DeleteVpcEndpointServiceConfigurations", &[&list]);
    assert!(region.world().services.is_empty());
}

#[test]
fn a_service_has_load_balancers_of_one_kind() {
    let region = region();
    let network = format!("NetworkLoadBalancerArn.1={NLB}");
    let gateway = format!("GatewayLoadBalancerArn.1={}", NLB.replace("/net/", "/gwy/"));
    for balancers in [vec![], vec![network.as_str(), gateway.as_str()]] {
        let refusal = refused(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &balancers);
        assert_eq!(refusal.0, "InvalidParameter");
        assert!(refusal.1.starts_with("exactly one of network_load_balancer_arn or "), "{}", refusal.1);
    }
    for balancers in [network, gateway] {
        done(&region, PROVIDER, "CreateVpcEndpointServiceConfiguration", &[&balancers]);
    }
}

/// What comes of a call in a Region.
fn call_in(region: &Region, scope: &str, account: &str, action: &str, params: &[&str]) -> (u16, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", crate::ec2::VERSION);
    form.extend_pairs(params.iter().map(|param| param.split_once('=').unwrap()));
    let authorization = format!("AWS4-HMAC-SHA256 Credential={account}/20260131/{scope}/ec2/aws4_request, S=s");
    let body = form.finish().into_bytes();
    match region.answer(&Request { authorization, body, ..Request::default() }) {
        Reply::Answer(answer) => (answer.status, answer.body),
        Reply::Reset | Reply::Silence => panic!("no answer"),
    }
}

#[test]
fn one_connects_from_another_region_only_where_the_service_supports_it() {
    let region = region();
    let (service, name) = service(&region, &["SupportedRegion.1=eu-west-1"]);
    permit(&region, &service, "*");
    let (id, name) = (format!("ServiceId={service}"), format!("ServiceName={name}"));
    let change = |change: &str| call(&region, PROVIDER, "ModifyVpcEndpointServiceConfiguration", &[&id, change]);
    let shown = || done(&region, PROVIDER, "DescribeVpcEndpointServiceConfigurations", &[]);
    let supported = |region| format!("<item><region>{region}</region><serviceState>Available</serviceState></item>");
    assert_eq!(tag(&shown(), "supportedRegionSet"), supported("eu-west-1"));
    let connect = |scope, more: &[&str]| {
        let params = [&["VpcEndpointType=Interface", "VpcId=vpc-0a", &name], more].concat();
        call_in(&region, scope, ACME, "CreateVpcEndpoint", &params)
    };
    let from_here = "ServiceRegion=us-west-2";
    let (status, made) = connect("eu-west-1", &[from_here]);
    assert_eq!((status, tag(&made, "serviceRegion")), (200, "us-west-2".to_owned()), "{made}");
    for (scope, more) in [("eu-west-1", vec![]), ("eu-west-2", vec![from_here])] {
        assert_eq!(tag(&connect(scope, &more).1, "Code"), "InvalidServiceName", "{scope}");
    }
    // It is there in its own Region, and the provider sees where that is.
    let endpoint = tag(&made, "vpcEndpointId");
    let see = |scope| call_in(&region, scope, ACME, "DescribeVpcEndpoints", &[]).1.contains(&endpoint);
    assert!(see("eu-west-1") && !see("us-west-2") && !see("eu-west-2"));
    let seen = done(&region, PROVIDER, "DescribeVpcEndpointConnections", &[]);
    assert_eq!(tag(&seen, "vpcEndpointRegion"), "eu-west-1");
    let offered = |scope, more: &[&str]| call_in(&region, scope, ACME, "DescribeVpcEndpointServices", more).1;
    assert!(offered("eu-west-1", &["ServiceRegion.1=us-west-2"]).contains(&service));
    assert!(!offered("eu-west-1", &[]).contains(&service) && offered("us-west-2", &[]).contains(&service));
    assert!(!offered("eu-west-2", &["ServiceRegion.1=us-west-2"]).contains(&service));

    assert_eq!(change("AddSupportedRegion.1=eu-west-2").0, 200);
    assert_eq!(change("RemoveSupportedRegion.1=eu-west-1").0, 200);
    assert_eq!(tag(&shown(), "supportedRegionSet"), supported("eu-west-2"));
    assert_eq!(connect("eu-west-2", &[from_here]).0, 200);
    assert_eq!(connect("eu-west-1", &[from_here]).0, 400);
    assert_eq!(connect("us-west-2", &[]).0, 200);
    assert!(see("eu-west-1"), "what is there stays");
    for odd in ["", "europe", "eu-west-", "EU-west-1"] {
        assert_eq!(tag(&change(&format!("AddSupportedRegion.1={odd}")).1, "Code"), "InvalidParameterValue", "{odd}");
    }
    change("RemoveSupportedRegion.1=eu-west-2");
    assert!(!shown().contains("supportedRegionSet"));
}
