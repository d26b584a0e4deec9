//! Each cause, by what leads to it, and what leads to none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{contacts, questions, report, targets, text};
use super::*;
use crate::config::Mode;
use crate::dns::Trouble;
use crate::metrics::Calls;
use crate::report::Answer;
use crate::trigger::{Look, Trigger};

const REGIONAL: &str = "vpce-0a-x.vpce-svc-0b.us-west-2.vpce.amazonaws.com";
const PRIVATE: &str = "api.example.com";
const OWN: [&str; 3] = ["10.0.1.5", "10.0.2.5", "2600:1f14::5"];

/// An endpoint that is as it should be.
fn endpoint() -> Value {
    json!({
        "id": "vpce-0a", "state": "available", "serviceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0b",
        "ipAddressType": "dualstack", "ports": [443],
        "names": [{"name": REGIONAL, "kind": "regional"}, {"name": PRIVATE, "kind": "private"}],
        "addresses": {"ipv4": [OWN[0], OWN[1]], "ipv6": [OWN[2]]},
        "inboundRules": [{"securityGroupId": "sg-0c", "protocol": "tcp", "fromPort": 443, "toPort": 443,
                          "source": "10.0.0.0/16"}],
        "vpcDns": {"support": true, "hostnames": true},
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut endpoint = endpoint();
    *endpoint.pointer_mut(pointer).unwrap() = value;
    endpoint
}

/// A world in which a name's records are these, and all others are right; and in which all connections work but these.
#[derive(Default)]
struct World {
    records: Vec<(&'static str, Family, Resolved)>,
    connections: Vec<(&'static str, Reached)>,
}

fn to(addresses: &[&str]) -> Resolved {
    Resolved::To(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

fn look(endpoint: Value, world: &World, from: Vantage) -> (Vec<Target>, Found) {
    let (targets, skipped) = targets(vec![serde_json::from_value(endpoint).unwrap()]);
    assert_eq!(skipped, []);
    let right = |family| match family {
        Family::Ipv4 => to(&OWN[..2]),
        Family::Ipv6 => to(&OWN[2..]),
    };
    let answer = |Question { name, family }: &Question| {
        let mut told = world.records.iter().filter(|(of, kind, _)| *of == name.as_str() && kind == family);
        told.next().map_or_else(|| right(*family), |(_, _, resolved)| resolved.clone())
    };
    let resolved = questions(&targets).into_iter().map(|question| (question.clone(), answer(&question))).collect();
    let mut found = Found { resolved, reached: BTreeMap::new() };
    for contact in contacts(&targets, from, &found) {
        let address = contact.address.to_string();
        let mut broken = world.connections.iter().filter(|(at, _)| *at == address);
        let reached = broken.next().map_or(Reached::Works { status: None }, |(_, reached)| reached.clone());
        found.reached.insert(contact, reached);
    }
    (targets, found)
}

/// What came of a name and family: `ok`, `not tested`, or the cause; with what is to be done.
fn verdict(endpoint: Value, world: &World, name: &str, family: Family) -> (String, String) {
    let (targets, found) = look(endpoint, world, Vantage::Inside);
    let tried = judge(&targets, Vantage::Inside, &found);
    let one = tried.into_iter().find(|tried| tried.name.as_str() == name && tried.family == family).unwrap();
    match one.verdict {
        Verdict::Works { .. } => ("ok".to_owned(), String::new()),
        Verdict::NotTested(why) => ("not tested".to_owned(), why),
        Verdict::Refused(refusal) => (refusal.cause.to_string(), format!("{}\n{}", refusal.detail, refusal.fix)),
    }
}

#[track_caller]
fn check(endpoint: Value, world: &World, (name, family): (&str, Family), expected: &str, says: &[&str]) {
    let (word, text) = verdict(endpoint, world, name, family);
    assert_eq!(word, expected, "{text}");
    for say in says {
        assert!(text.contains(say), "`{say}` is missing from: {text}");
    }
}

fn records(records: &[(&'static str, Family, Resolved)]) -> World {
    World { records: records.to_vec(), ..World::default() }
}

fn connections(connections: &[(&'static str, Reached)]) -> World {
    World { connections: connections.to_vec(), ..World::default() }
}

use Family::{Ipv4, Ipv6};

#[test]
fn all_that_works_is_done_for_each_name_family_and_port() {
    let (targets, found) = look(with("/ports", json!([8443, 443])), &World::default(), Vantage::Inside);
    let tried = judge(&targets, Vantage::Inside, &found);
    assert_eq!(tried.len(), 8);
    assert!(tried.iter().all(|tried| tried.verdict == Verdict::Works { status: None }));
    // Both names lead to the same places, which are tried once.
    assert_eq!(found.reached.len(), 6);
}

#[test]
fn a_missing_aaaa_is_the_endpoints_type_or_its_records() {
    let world = records(&[(REGIONAL, Ipv6, Resolved::NoRecord), (PRIVATE, Ipv6, Resolved::NoRecord)]);
    for name in [REGIONAL, PRIVATE] {
        let ipv4 = with("/ipAddressType", json!("ipv4"));
        check(
            ipv4,
            &world,
            (name, Ipv6),
            "no-aaaa",
            &["`ipv4`", "--vpc-endpoint-id vpce-0a --ip-address-type dualstack"],
        );
        let says = ["AAAA", "modify-vpc-endpoint --vpc-endpoint-id vpce-0a --dns-options DnsRecordIpType=dualstack"];
        check(endpoint(), &world, (name, Ipv6), "no-aaaa", &says);
        check(endpoint(), &world, (name, Ipv4), "ok", &[]);
    }
    let world = records(&[(REGIONAL, Ipv4, Resolved::NoRecord)]);
    check(with("/ipAddressType", json!("ipv6")), &world, (REGIONAL, Ipv4), "no-a", &["`ipv6`"]);
    // What a resolver makes up for networks without IPv4 is none.
    let world = records(&[(REGIONAL, Ipv6, to(&["64:ff9b::a00:105"]))]);
    check(with("/ipAddressType", json!("ipv4")), &world, (REGIONAL, Ipv6), "no-aaaa", &[]);
}

#[test]
fn a_private_name_that_is_not_found_tells_what_is_off() {
    let world = records(&[(PRIVATE, Ipv4, Resolved::NoName), (PRIVATE, Ipv6, Resolved::NoName)]);
    check(endpoint(), &world, (PRIVATE, Ipv4), "private-dns-off", &["vpce-0a --private-dns-enabled"]);
    let hostnames = with("/vpcDns/hostnames", json!(false));
    check(hostnames.clone(), &world, (PRIVATE, Ipv6), "vpc-dns-off", &["--enable-dns-hostnames Value=true"]);
    let support = with("/vpcDns/support", json!(false));
    check(support, &world, (PRIVATE, Ipv4), "vpc-dns-off", &["--enable-dns-support Value=true"]);
    // Names of AWS's need no host names in the VPC.
    let gone = records(&[(REGIONAL, Ipv4, Resolved::NoName)]);
    check(hostnames, &gone, (REGIONAL, Ipv4), "name-not-found", &["describe-vpc-endpoints", "vpce-0a"]);
    // The name exists for something else, and has no address.
    let world = records(&[(PRIVATE, Ipv4, Resolved::NoRecord), (PRIVATE, Ipv6, Resolved::NoRecord)]);
    check(endpoint(), &world, (PRIVATE, Ipv6), "private-dns-off", &[]);
}

#[test]
fn a_resolver_that_says_nothing_is_told_from_a_name_that_is_not_there() {
    let world = records(&[(PRIVATE, Ipv4, Resolved::Trouble(Trouble::ServFail))]);
    check(endpoint(), &world, (PRIVATE, Ipv4), "resolver-failing", &["SERVFAIL"]);
    check(with("/vpcDns/support", json!(false)), &world, (PRIVATE, Ipv4), "vpc-dns-off", &["SERVFAIL"]);
}

#[test]
fn answers_that_are_not_the_endpoints_are_named_and_not_connected_to() {
    let world = records(&[(PRIVATE, Ipv4, to(&["93.184.215.14"])), (PRIVATE, Ipv6, Resolved::NoRecord)]);
    check(endpoint(), &world, (PRIVATE, Ipv4), "public-answer", &["93.184.215.14", "--private-dns-enabled"]);
    // That there is no AAAA is then the world's doing, and says nothing of the endpoint.
    check(endpoint(), &world, (PRIVATE, Ipv6), "public-answer", &["93.184.215.14"]);
    let off = with("/vpcDns/hostnames", json!(false));
    check(off, &world, (PRIVATE, Ipv4), "vpc-dns-off", &["93.184.215.14"]);
    let world = records(&[(PRIVATE, Ipv4, to(&["10.0.1.5", "10.9.9.9"])), (PRIVATE, Ipv6, to(&["2600:1f14::6"]))]);
    check(endpoint(), &world, (PRIVATE, Ipv4), "other-addresses", &["leads to 10.9.9.9,"]);
    check(endpoint(), &world, (PRIVATE, Ipv6), "public-answer", &["2600:1f14::6"]);
    let (_, found) = look(endpoint(), &world, Vantage::Inside);
    assert!(found.reached.keys().all(|contact| OWN.contains(&contact.address.to_string().as_str())), "{found:?}");
}

#[test]
fn a_time_out_is_the_security_groups_where_no_rule_lets_it_in() {
    let from = |source: &str| Reached::TimedOut { source: source.parse().unwrap() };
    let world = connections(&[(OWN[0], from("10.1.0.7")), (OWN[1], from("10.1.0.7")), (OWN[2], from("2600:1f14::7"))]);
    let says = ["--group-id sg-0c", "FromPort=443,ToPort=443,IpRanges=[{CidrIp=10.1.0.7/32}]", "10.0.2.5"];
    check(endpoint(), &world, (REGIONAL, Ipv4), "security-group", &says);
    check(endpoint(), &world, (REGIONAL, Ipv6), "security-group", &["Ipv6Ranges=[{CidrIpv6=2600:1f14::7/128}]"]);
    check(with("/inboundRules", json!([])), &world, (REGIONAL, Ipv4), "security-group", &["Groups[0].GroupId"]);
    let world = connections(&[(OWN[0], from("10.0.0.7")), (OWN[1], from("10.0.0.7"))]);
    check(endpoint(), &world, (REGIONAL, Ipv4), "time-out", &["network ACLs", "load balancer's security groups"]);
    let mut unread = with("/inboundRules", json!([]));
    unread["unread"] = json!(["inboundRules"]);
    check(unread, &world, (REGIONAL, Ipv4), "time-out", &["network ACLs"]);
    // Where another address of it works, it is no rule of the group that they share.
    let world = connections(&[(OWN[1], from("10.1.0.7"))]);
    check(endpoint(), &world, (REGIONAL, Ipv4), "time-out", &["10.0.2.5", "that address's subnet"]);
}

#[test]
fn what_answers_wrongly_is_the_providers() {
    for (reached, cause, says) in [
        (Reached::Refused, "no-healthy-target", "describe-target-health"),
        (Reached::Cut("cuts it".to_owned()), "no-healthy-target", "takes the connection and cuts it"),
        (Reached::BadCertificate("expired".to_owned()), "wrong-certificate", "expired"),
        (Reached::NoTls("garbage".to_owned()), "no-tls", "garbage"),
        (Reached::NoHttp("garbage".to_owned()), "no-http", "garbage"),
        (Reached::ServerError(503), "server-error", "503"),
        (Reached::Failed("odd".to_owned()), "unreachable", "odd"),
    ] {
        check(endpoint(), &connections(&[(OWN[2], reached)]), (PRIVATE, Ipv6), cause, &[says]);
    }
}

#[test]
fn what_can_not_be_tried_from_here_is_no_failure() {
    let world = connections(&[(OWN[2], Reached::NoRoute("network is unreachable".to_owned()))]);
    check(endpoint(), &world, (PRIVATE, Ipv6), "not tested", &["no IPv6 route", "network is unreachable"]);
    check(endpoint(), &world, (PRIVATE, Ipv4), "ok", &[]);
    let (targets, mut found) = look(endpoint(), &World::default(), Vantage::Inside);
    found.reached.retain(|contact, _| contact.address.is_ipv4());
    found.resolved.retain(|question, _| question.name.as_str() == REGIONAL);
    let words = judge(&targets, Vantage::Inside, &found).into_iter().map(|tried| match tried.verdict {
        Verdict::Works { .. } => "ok",
        Verdict::Refused(_) => "refused",
        Verdict::NotTested(_) => "not tested",
    });
    assert_eq!(words.collect::<Vec<_>>(), ["ok", "not tested", "not tested", "not tested"]);
}

#[test]
fn certificates_and_requests_are_for_the_private_name_whatever_name_leads_there() {
    let mut tls = endpoint();
    tls["tls"] = true.into();
    tls["http"] = "/health".into();
    tls["names"][1]["name"] = "*.api.example.com".into();
    let (targets, found) = look(tls, &World::default(), Vantage::Inside);
    let host = "privatelink-probe.api.example.com";
    for contact in found.reached.keys() {
        assert_eq!(contact.tls.as_ref().unwrap().as_str(), host);
        assert_eq!(contact.http.as_ref().unwrap().0.as_str(), host);
    }
    assert!(found.resolved.keys().any(|question| question.name.as_str() == host));
    let tried = judge(&targets, Vantage::Inside, &found);
    assert!(tried.iter().any(|tried| tried.name.as_str() == "*.api.example.com"));
    let mut unnamed = endpoint();
    unnamed["tls"] = true.into();
    unnamed["names"].as_array_mut().unwrap().pop();
    let (_, found) = look(unnamed, &World::default(), Vantage::Inside);
    assert!(found.reached.keys().all(|contact| contact.tls.as_ref().unwrap().as_str() == REGIONAL));
}

#[test]
fn outside_a_private_name_is_not_to_be_found_and_a_public_answer_is_said_plainly() {
    let name = DnsName::parse(PRIVATE).unwrap();
    let ports = vec![NonZeroU16::new(443).unwrap()];
    let target = Target {
        name: name.clone(),
        kind: NameKind::Private,
        endpoint: None,
        families: Family::BOTH.to_vec(),
        ports,
        tls: None,
        http: None,
    };
    let ask = |v4: Resolved, v6: Resolved| {
        let question = |family| Question { name: name.clone(), family };
        let resolved = [(question(Ipv4), v4), (question(Ipv6), v6)].into_iter().collect();
        let targets = [target.clone()];
        let mut found = Found { resolved, reached: BTreeMap::new() };
        for contact in contacts(&targets, Vantage::Anywhere, &found) {
            found.reached.insert(contact, Reached::Works { status: None });
        }
        let word = |tried: Tried| match tried.verdict {
            Verdict::Works { .. } => "ok".to_owned(),
            Verdict::NotTested(why) => why,
            Verdict::Refused(refusal) => refusal.cause.to_string(),
        };
        judge(&targets, Vantage::Anywhere, &found).into_iter().map(word).collect::<Vec<_>>()
    };
    assert_eq!(ask(Resolved::NoName, Resolved::NoName), ["asked-from-outside"; 2]);
    assert_eq!(ask(Resolved::NoRecord, Resolved::NoRecord), ["asked-from-outside"; 2]);
    let (public, public6) = (to(&["93.184.215.14"]), to(&["2606:2800::1"]));
    assert_eq!(ask(public.clone(), public6), ["public-answer"; 2]);
    assert_eq!(ask(public, Resolved::NoRecord), ["public-answer"; 2]);
    // Addresses of a VPC, whose IPv6 ones are everybody's in form.
    assert_eq!(ask(to(&["10.0.1.5"]), to(&["2600:1f14::5"])), ["ok"; 2]);
    assert_eq!(ask(to(&["100.64.1.5"]), Resolved::NoRecord), ["ok", "no-aaaa"]);
}

#[test]
fn the_report_has_an_outcome_or_a_reason_for_each() {
    let world = World {
        records: vec![(REGIONAL, Ipv6, Resolved::NoRecord)],
        connections: vec![(OWN[2], Reached::NoRoute("network is unreachable".to_owned()))],
    };
    let (all, found) = look(endpoint(), &world, Vantage::Inside);
    let tried = judge(&all, Vantage::Inside, &found);
    let told = text(&tried);
    let report = report("connectivity-prober", Mode::Observe, tried, Vec::new());
    let everything = Trigger { look: Look::Everything, batch: None };
    let value: Value = serde_json::from_str(report.answer(&everything).unwrap().get()).unwrap();
    let common = json!({"effect": "probe", "serviceId": "vpce-svc-0b", "endpointId": "vpce-0a", "port": 443});
    let merged = |more: Value| {
        let mut all = common.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::from(all)
    };
    let good = |name: &str, kind: &str| {
        merged(json!({"name": name, "kind": kind, "family": "ipv4", "addresses": [OWN[0], OWN[1]], "result": "done"}))
    };
    assert_eq!(value["outcomes"][0], good(REGIONAL, "regional"));
    let refused = &value["outcomes"][1];
    assert_eq!((&refused["result"], &refused["cause"]), (&json!("refused"), &json!("no-aaaa")));
    assert!(refused["fix"].as_str().unwrap().starts_with("aws ec2 ") && refused.get("code").is_none(), "{refused}");
    assert_eq!(value["outcomes"][2], good(PRIVATE, "private"));
    assert_eq!(value["outcomes"].as_array().unwrap().len(), 3);
    assert_eq!(value["skipped"].as_array().unwrap().len(), 1);
    let skip = &value["skipped"][0];
    assert_eq!((&skip["reason"], &skip["endpointId"]), (&json!("not-ready"), &json!("vpce-0a")));
    assert!(skip["detail"].as_str().unwrap().starts_with("IPv6 port 443 of `api.example.com`"), "{skip}");
    for line in
        ["vpce-0a\n", "ok          IPv4 port 443    vpce-0a-x", "no-aaaa: ", "to do: aws ec2 ", "not tested  IPv6"]
    {
        assert!(told.contains(line), "`{line}` is missing from:\n{told}");
    }
    assert_eq!(report.said[0]["text"], told);
    let counted = Answer::of(Ok(report), Calls::default(), "connectivity-prober", Mode::Observe, &everything);
    let counted: Vec<_> = counted.counted(time::OffsetDateTime::UNIX_EPOCH).collect();
    let number = |name: &str| counted[0][name].as_u64();
    assert_eq!(["ProbesDone", "ProbesRefused", "ProbesNotTested"].map(number), [Some(2), Some(1), Some(1)]);
}

#[test]
fn an_endpoint_that_is_not_there_yet_is_left_with_its_state() {
    for (state, reason) in [("pending", "not-ready"), ("rejected", "not-ready"), ("Partial", "unknown-state")] {
        let (all, skipped) = targets(vec![serde_json::from_value(with("/state", json!(state))).unwrap()]);
        assert_eq!((all.len(), skipped.len(), skipped[0].reason.word()), (0, 1, reason));
        assert!(skipped[0].detail.as_ref().unwrap().contains(state));
    }
    let foreign = with("/serviceName", json!("com.amazonaws.us-west-2.s3"));
    let (all, skipped) = targets(vec![serde_json::from_value(foreign).unwrap()]);
    assert_eq!((all.len(), skipped[0].reason.word()), (0, "foreign"));
    let (_, skipped) = targets(vec![serde_json::from_value(with("/ports", json!([]))).unwrap()]);
    assert_eq!(skipped[0].reason.word(), "not-ready");
}

#[test]
fn an_endpoint_that_is_ipv4s_on_purpose_is_not_tried_over_ipv6() {
    let mut on_purpose = with("/ipAddressType", json!("ipv4"));
    on_purpose["families"] = json!(["ipv4"]);
    let (targets, found) = look(on_purpose, &World::default(), Vantage::Inside);
    let tried = judge(&targets, Vantage::Inside, &found);
    assert!(tried.len() == 2 && tried.iter().all(|tried| tried.family == Ipv4), "{tried:?}");
}
