//! What a person reads.

use super::*;
use crate::diagnosis::Diagnosis;
use crate::ids::DnsName;

#[test]
fn a_ready_connection_is_told_with_all_that_is_needed_to_use_it() {
    let (message, document, mail) = only(&ready(vec![connection(1, ACME, "available")]));
    assert_eq!(message.subject, "Ready: api.example.com through vpce-00000000000000001 in us-west-2");
    let commands: Vec<_> =
        document["nextSteps"].as_array().unwrap().iter().map(|step| step["command"].as_str().unwrap()).collect();
    let modify = "aws ec2 modify-vpc-endpoint --region us-west-2 --vpc-endpoint-id vpce-00000000000000001";
    let regional = "vpce-00000000000000001-a1b2c3d4.vpce-svc-0123456789abcdef0.us-west-2.vpce.amazonaws.com";
    assert!(commands[0].starts_with("aws ec2 authorize-security-group-ingress --region us-west-2 --group-id "));
    assert_eq!(commands[1], format!("{modify} --ip-address-type dualstack --dns-options DnsRecordIpType=dualstack"));
    assert_eq!(commands[2], format!("{modify} --private-dns-enabled"));
    assert_eq!(commands[3], format!("curl -4 -v --max-time 10 --connect-to ::{regional}: https://api.example.com/"));
    assert_eq!(commands[4], format!("curl -6 -v --max-time 10 --connect-to ::{regional}: https://api.example.com/"));
    assert_eq!(commands.len(), 5);
    for command in commands {
        assert!(mail.contains(command), "{mail}");
    }
    // The Regional name comes first, and each zone is named.
    let places: Vec<_> = [
        regional,
        "-us-west-2a.vpce-svc",
        "zone us-west-2a",
        "-us-west-2b.vpce-svc",
        "zone us-west-2b",
        "describe-availability-zones --region us-west-2",
    ]
    .iter()
    .map(|part| mail.find(part).unwrap_or_else(|| panic!("{part}: {mail}")))
    .collect();
    assert!(places.is_sorted(), "{mail}");
    assert_eq!(document["endpoint"]["dnsNames"][0], regional);
    assert!(mail.contains("api.example.com is verified."), "{mail}");
    assert!(mail.contains("Your endpoint speaks IPv4 alone, and the service IPv4 and IPv6."), "{mail}");
    assert!(mail.contains("When there is no answer"), "{mail}");
}

#[test]
fn what_can_not_be_done_yet_is_not_asked_for() {
    let mut plain = service(Some(("api.example.com", "pendingVerification")));
    plain.ip_address_types = ["ipv4".to_owned()].into();
    let (_, document, mail) = only(&world(plain.clone(), vec![connection(1, ACME, "available")]));
    let text = document["nextSteps"].to_string();
    assert!(!text.contains("private-dns") && !text.contains("dualstack") && !text.contains("curl -6"), "{text}");
    assert!(text.contains("curl -4 -v --max-time 10 https://vpce-00000000000000001-a1b2c3d4."), "{text}");
    assert!(mail.contains("api.example.com can not be used yet"), "{mail}");
    plain.private_dns = None;
    let (message, _, mail) = only(&world(plain, vec![connection(1, ACME, "available")]));
    assert!(mail.contains("Private name\n  The service has none."), "{mail}");
    assert!(message.subject.contains("vpce-svc-0123456789abcdef0"));
    let dual = Connection { ip_address_type: "dualstack".to_owned(), ..connection(1, ACME, "available") };
    let (_, document, _) = only(&ready(vec![dual]));
    let text = document["nextSteps"].to_string();
    assert!(!text.contains("--ip-address-type") && text.contains("curl -6"), "{text}");
    let six = Connection { ip_address_type: "ipv6".to_owned(), ..connection(1, ACME, "available") };
    let (_, document, _) = only(&ready(vec![six]));
    assert!(!document["nextSteps"].to_string().contains("curl -4"));
}

#[test]
fn a_wildcard_is_no_name_to_connect_to() {
    let wildcard = service(Some(("*.example.com", "verified")));
    let (_, document, mail) = only(&world(wildcard, vec![connection(1, ACME, "available")]));
    let text = document["nextSteps"].to_string();
    assert!(
        text.contains("--private-dns-enabled") && text.contains("https://vpce-00000000000000001-a1b2c3d4."),
        "{text}"
    );
    assert!(mail.contains("*.example.com is verified"), "{mail}");
}

#[test]
fn a_connection_that_is_cut_hears_something_else_than_one_that_is_turned_away() {
    let (away, _, _) = only(&ready(vec![connection(1, ACME, "rejected")]));
    let cut = tagged(connection(1, ACME, "rejected"), &[("privatelink:notified", "available")]);
    let (cut, _, mail) = only(&ready(vec![cut]));
    assert!(away.subject.starts_with("Turned away: ") && cut.subject.starts_with("Cut off: "));
    assert!(mail.contains("aws ec2 delete-vpc-endpoints --region us-west-2 --vpc-endpoint-ids vpce-00000000000000001"));
}

#[test]
fn a_held_connection_comes_with_the_two_commands_that_decide_it() {
    let (message, document, mail) = only(&ready(vec![held(9, STRANGER)]));
    assert_eq!(message.subject, "Waits for you: 999999999999 asks for api.example.com");
    for (n, verb) in ["accept", "reject"].iter().enumerate() {
        let command = format!(
            "aws ec2 {verb}-vpc-endpoint-connections --region us-west-2 --service-id vpce-svc-0123456789abcdef0 --vpc-endpoint-ids vpce-00000000000000009"
        );
        assert_eq!(document["nextSteps"][n]["command"], command);
        assert!(mail.contains(&command));
    }
    assert_eq!(document["others"], serde_json::json!([]));
    assert!(mail.contains("2026-01-31T11:51:00Z"), "{mail}");
}

#[test]
fn nobody_slips_a_command_or_a_line_into_a_notice() {
    let hostile = "x\nBcc: all@example.com\r\n$(reboot) `reboot`; reboot '\"";
    let mut service = service(Some((hostile, "verified")));
    service.name = hostile.to_owned();
    service.region = hostile.to_owned();
    let states = ["available", "rejected", "failed", "expired", "pendingAcceptance"];
    for state in states {
        let mut connection =
            tagged(connection(1, ACME, state), &[(TAG_DECISION, "held"), ("privatelink:policy", hostile)]);
        connection.region = hostile.to_owned();
        connection.dns_names = vec![hostile.to_owned(), format!("vpce-00000000000000001-{hostile}")];
        connection.ip_address_type = hostile.to_owned();
        let (_, document, mail) = only(&world(service.clone(), vec![connection]));
        for step in document["nextSteps"].as_array().unwrap() {
            let command = step["command"].as_str().unwrap_or_default();
            assert!(!command.contains("reboot") && !command.contains("Bcc"), "{command}");
        }
        assert!(!mail.lines().any(|line| line.trim_start().starts_with("Bcc")), "{mail}");
    }
}

fn domain(news: DomainNews) -> DomainNotice {
    DomainNotice {
        service: service(Some(("api.example.com", "pendingVerification"))),
        news,
        diagnosis: Some(Diagnosis::RecordMissing),
        todo: vec!["Publish the record at your DNS host.".to_owned()],
        record: Some(Record {
            name: DnsName::parse("_6e86v84tqgqubxbwii1m.api.example.com").unwrap(),
            ttl: 300,
            value: "vpce:l6p0ERxlTt45jevFwOCp".to_owned(),
        }),
        before: 0,
    }
}

#[test]
fn a_notice_about_a_domain_has_the_exact_record_and_no_endpoint() {
    let notice = domain(DomainNews::RecordRequired);
    let message = notice.message(NOW);
    let (document, mail) = hold_to_the_rules(&message);
    assert_eq!(message.subject, "Publish a TXT record for api.example.com");
    for field in ["endpoint", "consumer", "others"] {
        assert!(document.get(field).is_none(), "{field}");
    }
    assert_eq!(
        document["record"],
        serde_json::json!({"name": "_6e86v84tqgqubxbwii1m.api.example.com", "type": "TXT", "ttl": 300, "value": "vpce:l6p0ERxlTt45jevFwOCp"})
    );
    assert_eq!(document["diagnosis"], "record-missing");
    assert_eq!(document["nextSteps"][1]["command"], "dig +short TXT _6e86v84tqgqubxbwii1m.api.example.com");
    for part in ["_6e86v84tqgqubxbwii1m.api.example.com", "300", "\"vpce:l6p0ERxlTt45jevFwOCp\"", "at your DNS host"] {
        assert!(mail.contains(part), "{mail}");
    }
    let names: Vec<_> = message.attributes.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["type", "serviceId", "region", "schemaVersion"]);
    assert_eq!(notice.thing(None).endpoint, None);
}

#[test]
fn what_comes_again_for_a_domain_has_another_id() {
    let all = [DomainNews::RecordRequired, DomainNews::Failed, DomainNews::Lost, DomainNews::Verified];
    let mut ids: Vec<_> = all.iter().map(|news| domain(*news).id()).collect();
    ids.push(DomainNotice { before: 1, ..domain(DomainNews::Lost) }.id());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "{ids:?}");
    for news in all {
        let (document, _) = hold_to_the_rules(&domain(news).message(NOW));
        assert_eq!(document["type"], domain(news).kind().word());
    }
    let hostile = "x\nBcc: y".repeat(1_000);
    let notice = DomainNotice {
        todo: vec![hostile.clone(); 200],
        service: service(Some((&hostile, "failed"))),
        ..domain(DomainNews::Failed)
    };
    hold_to_the_rules(&notice.message(NOW));
}
