//! What the prober is told.

use super::*;

fn told_of(seen: &Seen, settings: &EndpointSettings) -> Value {
    serde_json::to_value(super::super::facts(seen, settings)).unwrap()
}

fn rule(group: &str, port: i32, source: &str) -> InboundRule {
    let (security_group_id, source) = (group.to_owned(), source.to_owned());
    InboundRule { security_group_id, protocol: "tcp".to_owned(), from_port: port, to_port: port, source }
}

#[test]
fn an_endpoint_is_described_as_promised() {
    let tail = "vpce-svc-0b.us-west-2.vpce.amazonaws.com";
    let mut one = endpoint("vpce-0a");
    one.dns_names =
        ["-abcd-usw2-az1.", "-abcd-us-west-2a.", "-abcd."].map(|part| format!("vpce-0a{part}{tail}")).into();
    one.dns_names.insert(1, "API.example.com".to_owned());
    one.tags.insert(TAG_PORTS.to_owned(), "8443 443".to_owned());
    let mut seen = account([one]);
    seen.rules = vec![rule("sg-1", 8443, "10.0.0.0/16"), rule("sg-2", 80, "0.0.0.0/0"), rule("sg-1", 443, "::/0")];
    let expected = json!([{
        "id": "vpce-0a", "state": "available", "serviceName": SERVICE, "ipAddressType": "ipv4",
        "names": [
            {"name": format!("vpce-0a-abcd.{tail}"), "kind": "regional"},
            {"name": format!("vpce-0a-abcd-us-west-2a.{tail}"), "kind": "zonal", "availabilityZoneId": "usw2-az2"},
            {"name": format!("vpce-0a-abcd-usw2-az1.{tail}"), "kind": "zonal", "availabilityZoneId": "usw2-az1"},
            {"name": "api.example.com", "kind": "private"},
        ],
        "addresses": {"ipv4": ["10.0.0.7", "10.0.1.5"], "ipv6": ["2600:1f14::5"]},
        "ports": [443, 8443],
        "inboundRules": [
            {"securityGroupId": "sg-1", "protocol": "tcp", "fromPort": 443, "toPort": 443, "source": "::/0"},
            {"securityGroupId": "sg-1", "protocol": "tcp", "fromPort": 8443, "toPort": 8443, "source": "10.0.0.0/16"},
        ],
        "vpcDns": {"support": true, "hostnames": true},
    }]);
    assert_eq!(told_of(&seen, &settings()), expected);
    // In whatever order AWS tells it.
    seen.rules.reverse();
    seen.endpoints.values_mut().for_each(|endpoint| endpoint.dns_names.reverse());
    assert_eq!(told_of(&seen, &settings()), expected);
}

#[test]
fn a_private_name_is_told_also_where_aws_does_not_list_it() {
    let on = Endpoint { private_dns_enabled: true, ..endpoint("vpce-0a") };
    let told = told_of(&account([on]), &settings());
    assert_eq!(told[0]["names"][1], json!({"name": "api.example.com", "kind": "private"}));
    let off = told_of(&account([endpoint("vpce-0a")]), &settings());
    assert_eq!(off[0]["names"].as_array().unwrap().len(), 1);
}

#[test]
fn what_could_not_be_read_is_marked_and_not_told_as_nothing() {
    let mut seen = account([endpoint("vpce-0a")]);
    (seen.interfaces, seen.vpcs) = Default::default();
    for part in [Part::Interfaces, Part::Rules, Part::VpcDns] {
        seen.denied.insert(part, "UnauthorizedOperation".to_owned());
    }
    let told = told_of(&seen, &settings());
    assert_eq!(told[0]["unread"], json!(["addresses", "inboundRules", "vpcDns"]));
    assert_eq!(told[0]["vpcDns"], json!({"support": null, "hostnames": null}));
    assert_eq!(told[0]["addresses"], json!({"ipv4": [], "ipv6": []}));
}

#[test]
fn ports_that_are_none_give_way_to_the_usual_ones_and_are_named() {
    let mut bad = endpoint("vpce-0a");
    bad.tags.insert(TAG_PORTS.to_owned(), "443 https".to_owned());
    let seen = account([bad]);
    assert_eq!(told_of(&seen, &settings())[0]["ports"], json!([443]));
    let plan = plan(&seen, &settings());
    assert_eq!(plan.effects.len(), 1);
    let (detail, fix) = reasons(&plan).remove(0);
    assert!(detail.contains("`https`") && fix.unwrap().contains("create-tags"), "{detail}");
}

#[test]
fn one_family_is_named_where_the_other_is_not_wanted() {
    let four = EndpointSettings { ip_address_type: AddressType::Ipv4, ..settings() };
    let seen = account([endpoint("vpce-0a")]);
    assert_eq!(told_of(&seen, &four)[0]["families"], json!(["ipv4"]));
    assert!(told_of(&seen, &settings())[0].get("families").is_none());
}

#[test]
fn only_interface_endpoints_are_told_of() {
    let gateway = Endpoint { kind: "Gateway".to_owned(), ..endpoint("vpce-0a") };
    let told = told_of(&account([gateway, endpoint("vpce-0b")]), &settings());
    assert_eq!(told.as_array().unwrap().len(), 1);
}

#[test]
fn the_prober_reads_what_is_told() {
    let on = Endpoint { private_dns_enabled: true, ..endpoint("vpce-0a") };
    let mut seen = account([on, Endpoint { state: EndpointState::Pending, ..endpoint("vpce-0b") }]);
    seen.rules = vec![rule("sg-1", -1, "pl-0a")];
    seen.denied.insert(Part::VpcDns, "UnauthorizedOperation".to_owned());
    let four = EndpointSettings { ip_address_type: AddressType::Ipv4, ..settings() };
    for settings in [settings(), four] {
        let returned = json!({
            "function": "endpoint-configurator", "mode": "enforce", "outcomes": [], "skipped": [],
            "endpoints": told_of(&seen, &settings),
        });
        let read = crate::probe::endpoints_in(returned.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = read.iter().map(|endpoint| endpoint.id.as_str()).collect();
        assert_eq!(ids, ["vpce-0a", "vpce-0b"]);
        assert_eq!(read[0].private_name().unwrap().as_str(), "api.example.com");
        assert_eq!((read[0].addresses.ipv4.len(), read[0].inbound_rules.len()), (2, 1));
    }
}
