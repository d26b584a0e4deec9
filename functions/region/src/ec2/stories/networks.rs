//! Stories of a consumer's VPCs: what is there, what an endpoint has to be within it, and how its names lead to it.

use std::net::IpAddr;

use super::*;
use crate::dns::{Heard, Inside};
use crate::route53::{Name, RecordKey, RecordSet, ZoneDraft};
use crate::world::VpcDraft;

/// A VPC of ACME's with two subnets, of which the second has no IPv6, and a third for IPv6 only.
fn vpc(region: &Region, more: Value) -> String {
    let mut draft = json!({
        "vpcId": "vpc-0a", "cidrBlock": "10.0.0.0/16", "ipv6CidrBlock": "2001:db8::/56", "enableDnsHostnames": true,
        "subnets": [
            {"subnetId": "subnet-0a", "cidrBlock": "10.0.1.0/24", "ipv6CidrBlock": "2001:db8:0:1::/64"},
            {"subnetId": "subnet-0b", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-west-2b"},
            {"subnetId": "subnet-0c", "ipv6CidrBlock": "2001:db8:0:3::/64", "availabilityZone": "us-west-2c"},
            {"subnetId": "subnet-0d", "cidrBlock": "10.0.4.0/24"},
        ],
        "securityGroups": [{"groupId": "sg-0a", "groupName": "api"}],
    });
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let draft: VpcDraft = serde_json::from_value(draft).unwrap();
    region.world().make_vpc(ACME, None, draft).unwrap().vpc_id.unwrap()
}

/// A verified service for both kinds of addresses, with its name.
fn verified(region: &Region) -> (String, String) {
    let both = ["SupportedIpAddressType.1=ipv4", "SupportedIpAddressType.2=ipv6", "PrivateDnsName=api.example.com"];
    let (service, name) = service(region, &both);
    permit(region, &service, "*");
    publish(region, &service, "api.example.com");
    verify(region, &service);
    region.step(Duration::from_secs(180));
    (service, name)
}

fn code((status, body): (u16, String)) -> (u16, String) {
    (status, if status == 200 { String::new() } else { tag(&body, "Code") })
}

fn refusal(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// What one hears within ACME's VPC of a name: its addresses, or why there are none.
fn inside(region: &Region, vpc: &str, name: &str, kind: &str) -> String {
    let at = Inside { owner: ACME.to_owned(), region: "us-west-2".to_owned(), vpc: vpc.to_owned() };
    let now = region.now();
    let heard = region.world().ask_inside(&at, &Name::parse(name).unwrap(), kind, now);
    said(heard)
}

fn outside(region: &Region, name: &str, kind: &str) -> String {
    let now = region.now();
    let response = region.world().resolve(&Name::parse(name).unwrap(), kind, now, 0, false);
    said(Heard::Response(response))
}

fn said(heard: Heard) -> String {
    match heard {
        Heard::Response(said) if said.answers.is_empty() => format!("{:?}", said.code),
        Heard::Response(said) => said.answers.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(" "),
        Heard::Cut(_) => panic!("cut"),
        Heard::Silence => "silence".to_owned(),
    }
}

/// Makes a public zone with one record set in it, which everybody sees.
fn record(region: &Region, of: &str, kind: &str, value: &str) {
    let (of, mut world) = (Name::parse(of).unwrap(), region.world());
    let now = world.now();
    let name = of.parent().unwrap();
    let draft = ZoneDraft { name, caller_reference: "1".to_owned(), comment: None, vpcs: Vec::new() };
    let zone = world.route53.create_zone(PROVIDER, draft, now).0.id.clone();
    let mut records = world.route53.zones[&zone].records.clone();
    let key = RecordKey { name: of, kind: kind.to_owned(), identifier: None };
    records.insert(key, RecordSet::simple(300, vec![value.to_owned()]));
    world.route53.change_zone(&zone, records, None, now);
    drop(world);
    region.step(Duration::from_secs(60));
}

#[test]
fn until_somebody_makes_a_vpc_whatever_is_named_is_there() {
    let region = region();
    let (service, name) = service(&region, &[]);
    permit(&region, &service, "*");
    assert!(!done(&region, ACME, "DescribeVpcs", &[]).contains("vpc-"));
    let (status, made) = connect(&region, ACME, &name, &["SubnetId.1=subnet-0a", "SubnetId.2=subnet-0b"]);
    assert_eq!(status, 200, "{made}");
    let vpcs = done(&region, ACME, "DescribeVpcs", &["VpcId.1=vpc-0a"]);
    assert_eq!((tag(&vpcs, "cidrBlock"), tag(&vpcs, "ipv6CidrBlock")), ("10.0.0.0/16".into(), "2001:db8::/56".into()));
    let subnets = done(&region, ACME, "DescribeSubnets", &["Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-0a"]);
    assert!(subnets.contains("<availabilityZoneId>usw2-az1<") && subnets.contains("<availabilityZoneId>usw2-az2<"));
    let groups = done(&region, ACME, "DescribeSecurityGroups", &[]);
    assert_eq!((tag(&groups, "groupId"), tag(&groups, "groupName")), ("sg-0a".to_owned(), "default".to_owned()));
    assert!(!done(&region, STRANGER, "DescribeVpcs", &[]).contains("vpc-"), "each account has its own");

    // From now on there is only what was made; what was named before stays.
    vpc(&region, json!({"vpcId": "vpc-0b", "subnets": [], "securityGroups": []}));
    assert_eq!(code(connect(&region, ACME, &name, &["VpcId=vpc-0c"])), refusal("InvalidVpcID.NotFound"));
    assert_eq!(code(connect(&region, ACME, &name, &[])).0, 200);
    assert_eq!(code(connect(&region, STRANGER, &name, &["VpcId=vpc-0c"])).0, 200);
    assert_eq!(code(connect(&region, ACME, &name, &["SubnetId.1=subnet-0z"])), refusal("InvalidSubnetID.NotFound"));
}

#[test]
fn an_endpoint_is_in_subnets_and_groups_of_its_vpc() {
    let region = region();
    let (_, name) = verified(&region);
    vpc(&region, json!({}));
    vpc(&region, json!({"vpcId": "vpc-0b", "subnets": [], "securityGroups": [{"groupId": "sg-0b", "groupName": "b"}]}));
    for (wrong, expected) in [
        ("SubnetId.1=subnet-0z", "InvalidSubnetID.NotFound"),
        ("SecurityGroupId.1=sg-0z", "InvalidGroup.NotFound"),
        ("SecurityGroupId.1=sg-0b", "InvalidParameter"),
        ("VpcId=vpc-0z", "InvalidVpcID.NotFound"),
    ] {
        assert_eq!(code(connect(&region, ACME, &name, &[wrong])), refusal(expected), "{wrong}");
    }
    let twice = connect(&region, ACME, &name, &["SubnetId.1=subnet-0a", "SubnetId.2=subnet-0d"]);
    assert_eq!(code(twice), refusal("DuplicateSubnetsInSameZone"));
    let elsewhere = connect(&region, ACME, &name, &["VpcId=vpc-0b", "SubnetId.1=subnet-0a"]);
    assert_eq!(code(elsewhere), refusal("InvalidParameter"));

    let made = connect(&region, ACME, &name, &["SubnetId.1=subnet-0a"]).1;
    let id = tag(&made, "vpcEndpointId");
    assert_eq!(tag(&tag(&made, "groupSet"), "groupName"), "default");
    region.step(Duration::from_secs(120));
    for (wrong, expected) in [
        ("AddSubnetId.1=subnet-0z", "InvalidSubnetID.NotFound"),
        ("AddSubnetId.1=subnet-0d", "DuplicateSubnetsInSameZone"),
        ("AddSecurityGroupId.1=sg-0b", "InvalidParameter"),
    ] {
        let before = region.world().endpoints.clone();
        assert_eq!(code(modify(&region, &id, wrong)), refusal(expected), "{wrong}");
        assert_eq!(region.world().endpoints, before);
    }
    assert_eq!(modify(&region, &id, "AddSubnetId.1=subnet-0b").0, 200);
    assert!(see(&region, &id).contains("-us-west-2b."), "it has a name in each zone");
    assert_eq!(modify(&region, &id, "AddSecurityGroupId.1=sg-0a").0, 200);
    assert!(see(&region, &id).contains("<groupId>sg-0a</groupId><groupName>api</groupName>"));
}

#[test]
fn addresses_are_those_of_all_subnets_and_come_when_the_endpoint_is_available_again() {
    let region = region();
    let (_, name) = verified(&region);
    vpc(&region, json!({}));
    let wanted = |kind: &str, subnet: &str| {
        code(connect(&region, ACME, &name, &[&format!("IpAddressType={kind}"), &format!("SubnetId.1=subnet-{subnet}")]))
    };
    assert_eq!(wanted("dualstack", "0b"), refusal("InvalidParameter"));
    assert_eq!(wanted("dualstack", "0c"), refusal("InvalidParameter"));
    assert_eq!(wanted("ipv6", "0a"), refusal("InvalidParameter"));
    assert_eq!(wanted("ipv4", "0c"), refusal("InvalidParameter"));
    assert_eq!((wanted("ipv6", "0c").0, wanted("dualstack", "0a").0), (200, 200));

    let made = connect(&region, ACME, &name, &["SubnetId.1=subnet-0a"]).1;
    let id = tag(&made, "vpcEndpointId");
    let eni = tag(&tag(&made, "networkInterfaceIdSet"), "item");
    region.step(Duration::from_secs(120));
    let one = format!("NetworkInterfaceId.1={eni}");
    let seen = || tag(&done(&region, ACME, "DescribeNetworkInterfaces", &[&one]), "networkInterfaceSet");
    let was = seen();
    assert_eq!((tag(&was, "privateIpAddress"), tag(&was, "ipv6AddressesSet")), ("10.0.1.5".to_owned(), String::new()));
    assert_eq!((tag(&was, "availabilityZoneId"), tag(&was, "vpcId")), ("usw2-az1".to_owned(), "vpc-0a".to_owned()));
    assert!(tag(&was, "groupSet").contains("default") && was.contains("vpc_endpoint") && was.contains(&id));
    assert_eq!(modify(&region, &id, "IpAddressType=dualstack").0, 200);
    assert_eq!(seen(), was, "nothing is in force before it is built");
    region.step(Duration::from_secs(120));
    assert_eq!(tag(&tag(&seen(), "ipv6AddressesSet"), "ipv6Address"), "2001:db8:0:1::5");
    // One whose subnet has no IPv6 does not become dual-stack, until the subnet has.
    let other = tag(&connect(&region, ACME, &name, &["SubnetId.1=subnet-0b"]).1, "vpcEndpointId");
    region.step(Duration::from_secs(120));
    let lacks = modify(&region, &other, "IpAddressType=dualstack").1;
    assert!(tag(&lacks, "Message").ends_with("is not supported by the subnet subnet-0b."), "{lacks}");
    vpc(&region, json!({"subnets": [{"subnetId": "subnet-0b", "ipv6CidrBlock": "2001:db8:0:2::/64"}]}));
    assert_eq!(modify(&region, &other, "IpAddressType=dualstack").0, 200);
    region.step(Duration::from_secs(120));
    let all =
        done(&region, ACME, "DescribeNetworkInterfaces", &["Filter.1.Name=subnet-id", "Filter.1.Value.1=subnet-0b"]);
    assert!(all.contains("2001:db8:0:2::4"), "{all}");
    done(&region, ACME, "DeleteVpcEndpoints", &[&format!("VpcEndpointId.1={id}")]);
    assert_eq!(refused(&region, ACME, "DescribeNetworkInterfaces", &[&one]).0, "InvalidNetworkInterfaceID.NotFound");
}

#[test]
fn private_dns_needs_the_vpcs_attributes_and_is_one_endpoints_alone() {
    let region = region();
    let (_, name) = verified(&region);
    vpc(&region, json!({"enableDnsHostnames": false}));
    let on = "PrivateDnsEnabled=true";
    let first = tag(&connect(&region, ACME, &name, &["SubnetId.1=subnet-0a"]).1, "vpcEndpointId");
    region.step(Duration::from_secs(120));
    let message = |(_, body): (u16, String)| (tag(&body, "Code"), tag(&body, "Message"));
    let attributes = "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to \
                      true for vpc-0a";
    assert_eq!(message(modify(&region, &first, on)), ("InvalidParameter".to_owned(), attributes.to_owned()));
    assert_eq!(message(connect(&region, ACME, &name, &[on])).1, attributes);
    let set = |attribute: &str| done(&region, ACME, "ModifyVpcAttribute", &["VpcId=vpc-0a", attribute]);
    let told = |attribute: &str| {
        let attribute = format!("Attribute={attribute}");
        tag(&done(&region, ACME, "DescribeVpcAttribute", &["VpcId=vpc-0a", &attribute]), "value")
    };
    assert_eq!((told("enableDnsSupport"), told("enableDnsHostnames")), ("true".to_owned(), "false".to_owned()));
    set("EnableDnsHostnames.Value=true");
    assert_eq!(told("enableDnsHostnames"), "true");
    assert_eq!(modify(&region, &first, on).0, 200);
    let second = connect(&region, ACME, &name, &["SubnetId.1=subnet-0b", on]);
    let conflict = "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
                    api.example.com in the VPC vpc-0a";
    assert_eq!(message(second), ("InvalidParameter".to_owned(), conflict.to_owned()));
    assert_eq!(modify(&region, &first, on).0, 200, "it is no conflict with itself");
    set("EnableDnsSupport.Value=false");
    assert_eq!(message(modify(&region, &first, on)).1, attributes);
    for (params, expected) in [
        (vec!["VpcId=vpc-0a"], "InvalidParameterCombination"),
        (
            vec!["VpcId=vpc-0a", "EnableDnsSupport.Value=true", "EnableDnsHostnames.Value=true"],
            "InvalidParameterCombination",
        ),
        (vec!["VpcId=vpc-0z", "EnableDnsSupport.Value=true"], "InvalidVpcID.NotFound"),
        (vec!["VpcId=vpc-0a", "EnableDnsSupport.Value=yes"], "InvalidParameterValue"),
    ] {
        assert_eq!(refused(&region, ACME, "ModifyVpcAttribute", &params).0, expected, "{params:?}");
    }
}

#[test]
fn names_lead_to_the_interfaces_and_the_private_one_in_its_vpc_only() {
    let region = region();
    let (service, name) = verified(&region);
    vpc(&region, json!({}));
    vpc(&region, json!({"vpcId": "vpc-0b", "subnets": []}));
    let made = connect(&region, ACME, &name, &["SubnetId.1=subnet-0a"]).1;
    let id = tag(&made, "vpcEndpointId");
    let regional = format!("{id}-a1b2c3d4.{service}.us-west-2.vpce.amazonaws.com");
    let zonal = regional.replacen("a1b2c3d4", "a1b2c3d4-us-west-2a", 1);
    assert!(made.contains(&regional) && made.contains(&zonal), "{made}");
    assert_eq!(outside(&region, &regional, "A"), "NxDomain", "it is not available yet");
    region.step(Duration::from_secs(120));
    for heard in [outside(&region, &regional, "A"), inside(&region, "vpc-0a", &zonal, "A")] {
        assert_eq!(heard, "10.0.1.4", "its own names are everybody's to see");
    }
    assert_eq!(outside(&region, &regional, "AAAA"), "NoError");
    assert_eq!(outside(&region, &regional.replacen("us-west-2.", "us-west-9.", 1), "A"), "NxDomain");
    let private = "api.example.com";
    assert_eq!(
        (inside(&region, "vpc-0a", private, "A"), outside(&region, private, "A")),
        ("NoError".into(), "NoError".into())
    );

    assert_eq!(modify(&region, &id, "PrivateDnsEnabled=true").0, 200);
    assert_eq!(inside(&region, "vpc-0a", private, "A"), "NoError", "not before it is built");
    region.step(Duration::from_secs(120));
    assert_eq!(inside(&region, "vpc-0a", private, "A"), "10.0.1.4");
    assert_eq!(inside(&region, "vpc-0a", "below.api.example.com", "A"), "NxDomain");
    record(&region, "www.example.org", "CNAME", "api.example.com.");
    record(&region, "api.example.com", "A", "192.0.2.1");
    assert_eq!(inside(&region, "vpc-0a", "www.example.org", "A"), "api.example.com. 10.0.1.4", "it is followed inside");
    assert_eq!(outside(&region, "www.example.org", "A"), "api.example.com. 192.0.2.1");
    for heard in [inside(&region, "vpc-0b", private, "A"), outside(&region, private, "A")] {
        assert_eq!(heard, "192.0.2.1", "what the world says of that name");
    }
    assert_eq!(modify(&region, &id, "IpAddressType=dualstack").0, 200);
    region.step(Duration::from_secs(120));
    assert_eq!(inside(&region, "vpc-0a", private, "AAAA"), "NoError", "its names stay as they were");
    assert_eq!(modify(&region, &id, "DnsOptions.DnsRecordIpType=dualstack").0, 200);
    region.step(Duration::from_secs(120));
    assert_eq!(inside(&region, "vpc-0a", private, "AAAA"), "2001:db8:0:1::4");

    // A listener on loopback can be at the other end.
    let eni = region.world().endpoints[&id].subnets["subnet-0a"].id.clone();
    let loopback: [IpAddr; 2] = ["127.0.0.9".parse().unwrap(), "::1".parse().unwrap()];
    region.world().place_interface(&eni, &loopback).unwrap();
    assert_eq!(
        (inside(&region, "vpc-0a", private, "A"), inside(&region, "vpc-0a", &zonal, "AAAA")),
        ("127.0.0.9".into(), "::1".into())
    );

    region
        .world()
        .networks
        .values_mut()
        .for_each(|network| network.vpcs.get_mut("vpc-0a").unwrap().dns_hostnames = false);
    assert_eq!(inside(&region, "vpc-0a", private, "A"), "192.0.2.1");
    assert_eq!(inside(&region, "vpc-0a", &regional, "A"), "127.0.0.9");
    region
        .world()
        .networks
        .values_mut()
        .for_each(|network| network.vpcs.get_mut("vpc-0a").unwrap().dns_support = false);
    assert_eq!(inside(&region, "vpc-0a", &regional, "A"), "silence");
    region.world().reject(&service, &id).unwrap();
    assert_eq!(outside(&region, &regional, "A"), "NxDomain");
}
