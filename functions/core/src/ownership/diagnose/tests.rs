//! Every way in which a record can fail to be readable, named.

use super::*;

const VALUE: &str = "vpce:l6p0ERxlTt45jevFwOCp";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn hosted(name_servers: &[&str]) -> HostedZone {
    HostedZone {
        id: "Z1".to_owned(),
        name: name("example.com"),
        private: false,
        name_servers: Some(name_servers.iter().map(|server| name(server)).collect()),
    }
}

fn to(zone: &str, servers: &[&str]) -> Delegation {
    Delegation::To { zone: name(zone), servers: servers.iter().map(|server| name(server)).collect() }
}

fn values(values: &[&str]) -> Answer {
    Answer::Values(values.iter().map(|value| value.as_bytes().to_vec()).collect())
}

fn seen(answers: Vec<Answer>) -> Seen {
    let server = |(n, answer)| ServerAnswer {
        server: format!("ns-{n}.awsdns.net"),
        address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        answer,
    };
    Seen {
        record: name("_x.api.example.com"),
        delegation: to("example.com", &["ns-0.awsdns.net", "ns-1.awsdns.net"]),
        answers: answers.into_iter().enumerate().map(server).collect(),
        given: false,
        passed_over: Vec::new(),
        doubled: None,
        signatures: Signatures::Unsigned,
    }
}

fn diagnosis(seen: &Seen) -> Option<Diagnosis> {
    readable(VALUE, seen, Some(&hosted(&["ns-0.awsdns.net", "ns-1.awsdns.net"]))).err().map(|finding| finding.diagnosis)
}

#[test]
fn a_value_that_all_servers_have_is_readable() {
    let good = || values(&["v=spf1 -all", VALUE]);
    assert_eq!(diagnosis(&seen(vec![good(), good()])), None);
    // A resolver asks the next one when a server fails.
    assert_eq!(diagnosis(&seen(vec![good(), Answer::Trouble(Trouble::TimedOut)])), None);
    // Whoever serves the zone, the world reads it.
    let elsewhere = Seen { delegation: to("example.com", &["ns1.else.example"]), ..seen(vec![good()]) };
    assert_eq!(diagnosis(&elsewhere), None);
    // Servers that were only given say nothing of what the world sees.
    let given = Seen { given: true, ..elsewhere };
    assert_eq!(diagnosis(&given), Some(Diagnosis::ZoneDelegatedElsewhere));
    // Nor does a zone of which AWS told no servers.
    assert_eq!(readable(VALUE, &given, Some(&hosted(&[]))), Ok(()));
}

#[test]
fn values_that_a_person_got_wrong_are_told_apart() {
    for (value, expected) in [
        (VALUE.to_lowercase(), Diagnosis::ValueLowerCased),
        (format!("\"{VALUE}\""), Diagnosis::ValueQuotedTwice),
        (format!("\"{}\"", VALUE.to_lowercase()), Diagnosis::ValueQuotedTwice),
        (VALUE[..20].to_owned(), Diagnosis::ValueCut),
        ("vpce:aaaaaaaaaaaaaaaaaaaa".to_owned(), Diagnosis::ValueOfEarlierToken),
        ("vpce:".to_owned(), Diagnosis::ValueOfEarlierToken),
        ("v=spf1 -all".to_owned(), Diagnosis::ValueDiffers),
        (String::new(), Diagnosis::ValueDiffers),
    ] {
        assert_eq!(diagnosis(&seen(vec![values(&[&value])])), Some(expected), "{value}");
    }
    // The nearest of several is the one that is meant.
    let several = values(&["v=spf1 -all", "vpce:aaaaaaaaaaaaaaaaaaaa", &VALUE.to_lowercase()]);
    assert_eq!(diagnosis(&seen(vec![several])), Some(Diagnosis::ValueLowerCased));
}

#[test]
fn some_servers_behind_are_named() {
    let finding = readable(VALUE, &seen(vec![values(&[VALUE]), Answer::NoName]), None).unwrap_err();
    assert_eq!(finding.diagnosis, Diagnosis::ServersBehind);
    assert!(finding.detail.contains("ns-1.awsdns.net") && !finding.detail.contains("ns-0"), "{finding:?}");
    assert_eq!(diagnosis(&seen(vec![values(&[VALUE]), values(&["v=spf1 -all"])])), Some(Diagnosis::ServersBehind));
}

#[test]
fn a_missing_record_has_its_reason() {
    let missing = || seen(vec![Answer::NoName, Answer::NoRecord]);
    assert_eq!(diagnosis(&missing()), Some(Diagnosis::RecordMissing));
    let doubled = Seen { doubled: Some(values(&[VALUE])), ..missing() };
    assert_eq!(diagnosis(&doubled), Some(Diagnosis::RecordUnderDoubledName));
    let finding = readable(VALUE, &doubled, None).unwrap_err();
    assert!(finding.fix.contains("`_x.api`"), "{}", finding.fix);
    for (delegation, expected) in [
        (Delegation::Nobody, Diagnosis::ZoneNotDelegated),
        (to("com", &["a.gtld-servers.net"]), Diagnosis::ZoneNotDelegated),
        (to("example.com", &["ns1.else.example"]), Diagnosis::ZoneDelegatedElsewhere),
        (to("api.example.com", &["ns-0.awsdns.net"]), Diagnosis::ZoneDelegatedElsewhere),
        (to("example.com", &["ns-1.awsdns.net"]), Diagnosis::RecordMissing),
        (Delegation::Unknown(Trouble::Refused), Diagnosis::RecordMissing),
    ] {
        let seen = Seen { delegation, doubled: Some(Answer::NoName), ..missing() };
        assert_eq!(diagnosis(&seen), Some(expected), "{seen:?}");
    }
}

#[test]
fn servers_in_trouble_are_told_apart() {
    let trouble = |troubles: &[Trouble]| seen(troubles.iter().cloned().map(Answer::Trouble).collect());
    for (troubles, expected) in [
        (vec![Trouble::ServFail, Trouble::TimedOut], Diagnosis::ServersFailing),
        (vec![Trouble::Refused, Trouble::TimedOut], Diagnosis::ServersRefusing),
        (vec![Trouble::NotAuthoritative], Diagnosis::ServersRefusing),
        (vec![Trouble::TimedOut, Trouble::Unreachable("no route".to_owned())], Diagnosis::ServersTimeOut),
        (vec![Trouble::Unreachable("no route".to_owned())], Diagnosis::ServersUnreachable),
    ] {
        assert_eq!(diagnosis(&trouble(&troubles)), Some(expected), "{troubles:?}");
        let lame = Seen { delegation: to("example.com", &["ns1.else.example"]), ..trouble(&troubles) };
        assert_eq!(diagnosis(&lame), Some(Diagnosis::ZoneDelegatedElsewhere), "{troubles:?}");
    }
    // Nobody says whether the hosted zone is delegated: the servers that would know are silent.
    let silent_above = trouble(&[Trouble::TimedOut]);
    let below = HostedZone { name: name("api.example.com"), ..hosted(&["ns-2.awsdns.net"]) };
    let finding = readable(VALUE, &silent_above, Some(&below)).unwrap_err();
    assert_eq!(finding.diagnosis, Diagnosis::ServersTimeOut);
    let top_level = Seen { delegation: to("com", &["a.nic.com"]), ..silent_above };
    assert_eq!(diagnosis(&top_level), Some(Diagnosis::ZoneNotDelegated));
    let silent = Seen { delegation: Delegation::Unknown(Trouble::TimedOut), ..seen(Vec::new()) };
    assert_eq!(diagnosis(&silent), Some(Diagnosis::ServersTimeOut));
}

#[test]
fn a_broken_chain_of_signatures_spoils_a_record_that_is_there() {
    let broken = |seen: Seen| Seen { signatures: Signatures::Broken("no key fits".to_owned()), ..seen };
    assert_eq!(diagnosis(&broken(seen(vec![values(&[VALUE])]))), Some(Diagnosis::DnssecBroken));
    assert_eq!(diagnosis(&broken(seen(vec![Answer::Trouble(Trouble::ServFail)]))), Some(Diagnosis::DnssecBroken));
    // A record that is not there is the first thing to mend.
    assert_eq!(diagnosis(&broken(seen(vec![Answer::NoName]))), Some(Diagnosis::RecordMissing));
}

#[test]
fn every_finding_says_what_to_do() {
    for answer in [Answer::NoName, values(&["x"]), Answer::Trouble(Trouble::ServFail)] {
        let finding = readable(VALUE, &seen(vec![answer]), None).unwrap_err();
        assert!(!finding.fix.is_empty() && !finding.detail.is_empty(), "{finding:?}");
    }
    let finding = readable(VALUE, &seen(vec![Answer::NoName]), None).unwrap_err();
    assert!(finding.fix.ends_with("_x.api.example.com. 300 IN TXT \"vpce:l6p0ERxlTt45jevFwOCp\""), "{}", finding.fix);
}
