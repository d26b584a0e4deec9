//! Stories of security groups: what they let in, and how it is told.

use super::*;
use crate::world::VpcDraft;

/// A VPC of ACME's with a group of its own.
fn group(region: &Region) {
    let draft = json!({"vpcId": "vpc-0a", "securityGroups": [{"groupId": "sg-0a", "groupName": "api"}]});
    let draft: VpcDraft = serde_json::from_value(draft).unwrap();
    region.world().make_vpc(ACME, None, draft).unwrap();
}

fn authorize(region: &Region, params: &[&str]) -> (u16, String) {
    call(region, ACME, "AuthorizeSecurityGroupIngress", &[&["GroupId=sg-0a"], params].concat())
}

#[test]
fn a_new_group_lets_everything_out_and_nothing_in() {
    let region = region();
    group(&region);
    let seen = done(&region, ACME, "DescribeSecurityGroups", &["GroupId.1=sg-0a"]);
    assert_eq!((tag(&seen, "groupName"), tag(&seen, "ipPermissions")), ("api".to_owned(), String::new()));
    let out = tag(&seen, "ipPermissionsEgress");
    assert!(out.contains("<ipProtocol>-1<") && out.contains("0.0.0.0/0") && !out.contains("fromPort"), "{out}");
    let default =
        done(&region, ACME, "DescribeSecurityGroups", &["Filter.1.Name=group-name", "Filter.1.Value.1=default"]);
    let own = tag(&default, "groupId");
    assert!(tag(&default, "ipPermissions").contains(&own), "what is in the default group reaches what is in it");
    assert!(!done(&region, STRANGER, "DescribeSecurityGroups", &[]).contains("sg-"));
    for params in [["GroupId.1=sg-0z"], ["GroupName.1=nobody"]] {
        assert_eq!(refused(&region, ACME, "DescribeSecurityGroups", &params).0, "InvalidGroup.NotFound");
    }
}

#[test]
fn what_is_let_in_is_told_by_permission_and_by_rule() {
    let region = region();
    group(&region);
    let https = ["IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=443", "IpPermissions.1.ToPort=443"];
    let peers = [
        "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.9/16",
        "IpPermissions.1.IpRanges.1.Description=the VPC",
        "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=2001:db8::/56",
        "IpPermissions.1.Groups.1.GroupId=sg-0a",
    ];
    let (status, made) = authorize(&region, &[&https[..], &peers[..]].concat());
    assert_eq!((status, made.matches("<securityGroupRuleId>sgr-0").count()), (200, 3), "{made}");
    let simple = ["IpProtocol=6", "FromPort=80", "ToPort=81", "CidrIp=0.0.0.0/0"];
    assert_eq!(authorize(&region, &simple).0, 200);

    let inbound = tag(&done(&region, ACME, "DescribeSecurityGroups", &["GroupId.1=sg-0a"]), "ipPermissions");
    assert_eq!(inbound.matches("<ipProtocol>tcp</ipProtocol>").count(), 2, "one for each pair of ports: {inbound}");
    for part in ["10.0.0.0/16", "<description>the VPC<", "<cidrIpv6>2001:db8::/56<", "<groupId>sg-0a<", "0.0.0.0/0"] {
        assert!(inbound.contains(part), "{part}: {inbound}");
    }
    let by_group = ["Filter.1.Name=group-id", "Filter.1.Value.1=sg-0a"];
    let rules = done(&region, ACME, "DescribeSecurityGroupRules", &by_group);
    assert_eq!(rules.matches("<isEgress>false<").count(), 4);
    assert_eq!(rules.matches("<isEgress>true</isEgress><ipProtocol>-1<").count(), 1);
    let id = tag(&made, "securityGroupRuleId");
    let one = done(&region, ACME, "DescribeSecurityGroupRules", &[&format!("SecurityGroupRuleId.1={id}")]);
    assert_eq!((tag(&one, "cidrIpv4"), tag(&one, "toPort")), ("10.0.0.0/16".to_owned(), "443".to_owned()));
    let filter = |name: &str, value: &str| {
        let params = [format!("Filter.1.Name={name}"), format!("Filter.1.Value.1={value}")];
        let body = done(&region, ACME, "DescribeSecurityGroups", &params.each_ref().map(String::as_str));
        body.contains("<groupName>api<")
    };
    assert!(filter("ip-permission.from-port", "443") && filter("ip-permission.cidr", "10.0.*"));
    assert!(filter("egress.ip-permission.protocol", "-1") && filter("ip-permission.group-id", "sg-0a"));
    assert!(!filter("egress.ip-permission.from-port", "443") && !filter("ip-permission.cidr", "2001*"));
}

#[test]
fn what_can_not_be_let_in_is_refused_whole() {
    let region = region();
    group(&region);
    let good = ["IpProtocol=tcp", "FromPort=443", "ToPort=443", "CidrIp=10.0.0.0/16"];
    let before = region.world().networks.clone();
    for (wrong, expected) in [
        (vec![], "MissingParameter"),
        (vec!["FromPort=443"], "MissingParameter"),
        (vec!["IpProtocol=tcp", "CidrIp=10.0.0.0/16"], "InvalidParameterValue"),
        (vec!["IpProtocol=tcp", "FromPort=2", "ToPort=1", "CidrIp=10.0.0.0/16"], "InvalidParameterValue"),
        (vec!["IpProtocol=tcp", "FromPort=2", "ToPort=65536", "CidrIp=10.0.0.0/16"], "InvalidParameterValue"),
        (vec!["IpProtocol=tcp", "FromPort=2", "ToPort=many", "CidrIp=10.0.0.0/16"], "InvalidParameterValue"),
        (vec!["IpProtocol=pigeon", "CidrIp=10.0.0.0/16"], "InvalidParameterValue"),
        (vec!["IpProtocol=-1", "CidrIp=10.0.0.0"], "InvalidParameterValue"),
        (vec!["IpProtocol=-1", "CidrIp=::/0"], "InvalidParameterValue"),
        (vec!["IpPermissions.1.IpProtocol=-1", "IpPermissions.1.Groups.1.GroupId=sg-0z"], "InvalidGroup.NotFound"),
        (
            vec!["IpPermissions.1.IpProtocol=-1", "IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1"],
            "InvalidPrefixListID.NotFound",
        ),
        (vec!["IpProtocol=-1", "Colour=red", "CidrIp=10.0.0.0/16"], "UnknownParameter"),
        (
            [&good[..], &["IpPermissions.1.IpProtocol=-1", "IpPermissions.1.IpRanges.1.CidrIp=x"]].concat(),
            "InvalidParameterValue",
        ),
        ([&good[..], &["DryRun=true"]].concat(), "DryRunOperation"),
    ] {
        assert_eq!(tag(&authorize(&region, &wrong).1, "Code"), expected, "{wrong:?}");
        assert_eq!(region.world().networks, before, "{wrong:?}");
    }
    assert_eq!(authorize(&region, &good).0, 200);
    let again = authorize(&region, &good).1;
    assert_eq!(tag(&again, "Code"), "InvalidPermission.Duplicate");
    let words = "the specified rule \"peer: 10.0.0.0/16, TCP, from port: 443, to port: 443, ALLOW\" already exists";
    assert_eq!(tag(&again, "Message").replace("&quot;", "\""), words);
    for port in 1..60 {
        let port = [format!("FromPort={port}"), format!("ToPort={port}")];
        assert_eq!(authorize(&region, &[&port[0], &port[1], "IpProtocol=udp", "CidrIp=10.0.0.0/16"]).0, 200);
    }
    let more = authorize(&region, &["IpProtocol=-1", "CidrIp=10.0.0.0/16"]).1;
    assert_eq!(tag(&more, "Code"), "RulesPerSecurityGroupLimitExceeded");
}
