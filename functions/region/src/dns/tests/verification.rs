//! Stories of EC2's look at a private DNS name's record: it is convinced by what the world reads, and by nothing else.

use super::*;
use crate::world::{DnsState, PrivateDnsName, ServiceDraft};

/// A service whose name is to be proven, and the zone that it is in.
fn service(region: &Region) -> (String, PrivateDnsName, String) {
    let zone = zone(region, OWNER, "example.com");
    let private_dns_name = Some("api.example.com".to_owned());
    let mut world = region.world();
    let made = world.create_service(OWNER, ServiceDraft { private_dns_name, ..ServiceDraft::default() });
    (made.id.clone(), made.private_dns_name.clone().unwrap(), zone)
}

fn looked(region: &Region, service: &str) -> DnsState {
    region.world().start_verification(service).unwrap();
    region.step(Duration::from_secs(180));
    region.world().services[service].private_dns_name.as_ref().unwrap().state
}

#[test]
fn only_the_exact_value_at_the_right_name_convinces() {
    let region = region();
    let (id, PrivateDnsName { record, value, .. }, zone) = service(&region);
    let right = format!("{record}.api.example.com");
    let doubled = format!("{record}.api.example.com.example.com");
    let quoted = |value: &str| format!("\"{value}\"");
    let (start, end) = value.split_at(9);
    for (at, written_as, convinces) in [
        (&right, quoted(&value.to_ascii_lowercase()), false),
        (&right, quoted(&format!("\\\"{value}\\\"")), false),
        (&right, quoted(start), false),
        (&right, quoted("vpce:ofAnEarlierTokenXyz0"), false),
        (&right, quoted(&format!(" {value}")), false),
        (&doubled, quoted(&value), false),
        (&right, format!("\"{start}\" \"{end}\""), true),
        (&right, quoted(&value), true),
        (&format!("{record}.example.com"), quoted(&value), true),
        (&"api.example.com".to_owned(), quoted(&value), true),
        (&"*.api.example.com".to_owned(), quoted(&value), true),
    ] {
        written(&region, &zone, at, "TXT", &["\"something else\"", &written_as]);
        let state = looked(&region, &id);
        assert_eq!(state == DnsState::Verified, convinces, "{at} {written_as}");
        written(&region, &zone, at, "TXT", &[]);
    }
    assert_eq!(looked(&region, &id), DnsState::Failed, "no record");
}

#[test]
fn a_record_in_a_private_zone_convinces_nobody() {
    let region = region();
    let private = draft(&region, OWNER, "api.example.com", vec![("us-west-2".into(), "vpc-1".into())]);
    let (id, PrivateDnsName { record, value, .. }, zone) = service(&region);
    written(&region, &private, &format!("{record}.api.example.com"), "TXT", &[&format!("\"{value}\"")]);
    assert_eq!(looked(&region, &id), DnsState::Failed);
    written(&region, &zone, &format!("{record}.api.example.com"), "TXT", &[&format!("\"{value}\"")]);
    assert_eq!(looked(&region, &id), DnsState::Verified);
}

#[test]
fn what_a_validating_resolver_can_not_read_is_not_proven() {
    let region = region();
    let (id, PrivateDnsName { record, value, .. }, zone) = service(&region);
    written(&region, &zone, &format!("{record}.api.example.com"), "TXT", &[&format!("\"{value}\"")]);
    let all = |how| DnsFaultKind::Servers { which: Vec::new(), how };
    for kind in [
        DnsFaultKind::NotDelegated,
        DnsFaultKind::DelegatedElsewhere(vec![name("ns1.example.net")]),
        DnsFaultKind::DnssecBroken,
        all(ServerFault::Servfail),
        all(ServerFault::Refused),
        all(ServerFault::Silence),
        all(ServerFault::BeforeLastChange),
    ] {
        wrong(&region, "example.com", kind.clone());
        assert_eq!(looked(&region, &id), DnsState::Failed, "{kind:?}");
        region.world().dns.mend(None);
        assert_eq!(looked(&region, &id), DnsState::Verified, "after {kind:?}");
    }
    for kind in [
        all(ServerFault::Truncated),
        DnsFaultKind::Servers { which: vec![0, 1, 3], how: ServerFault::Servfail },
        DnsFaultKind::NameServersFromZone,
    ] {
        wrong(&region, "example.com", kind.clone());
        assert_eq!(looked(&region, &id), DnsState::Verified, "{kind:?}");
        region.world().dns.mend(None);
    }
}

#[test]
fn of_servers_of_which_some_are_behind_any_may_be_asked() {
    let told = || {
        let region = region();
        let (id, PrivateDnsName { record, value, .. }, zone) = service(&region);
        written(&region, &zone, &format!("{record}.api.example.com"), "TXT", &[&format!("\"{value}\"")]);
        servers(&region, "example.com", &[1, 2], ServerFault::BeforeLastChange);
        (0..40).map(|_| looked(&region, &id) == DnsState::Verified).collect::<Vec<_>>()
    };
    let first = told();
    let verified = first.iter().filter(|verified| **verified).count();
    assert!((10..=30).contains(&verified), "{verified}");
    assert_eq!(told(), first, "the same seed");
}
