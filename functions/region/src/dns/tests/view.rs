//! What zones, delegations and faults come to, without a wire.

use super::*;

#[test]
fn names_are_answered_as_they_stand_in_the_zone() {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    let ns = name_servers(&region, &zone);
    written(&region, &zone, "_a.example.com", "TXT", &["\"vpce:aBc\"", "\"x\" \"y\""]);
    written(&region, &zone, "deep.below.example.com", "TXT", &["\"x\""]);
    written(&region, &zone, "www.example.com", "CNAME", &["_a.example.com"]);
    written(&region, &zone, "out.example.com", "CNAME", &["nobody.example.org"]);
    written(&region, &zone, "round.example.com", "CNAME", &["round.example.com"]);
    assert_eq!(resolve(&region, "_A.Example.COM", "TXT"), found(&["\"vpce:aBc\"", "\"x\" \"y\""]));
    assert_eq!(resolve(&region, "www.example.com", "TXT"), found(&["_a.example.com", "\"vpce:aBc\"", "\"x\" \"y\""]));
    assert_eq!(resolve(&region, "www.example.com", "CNAME"), found(&["_a.example.com"]));
    assert_eq!(resolve(&region, "out.example.com", "TXT"), (Code::NxDomain, vec!["nobody.example.org".into()]));
    assert_eq!(resolve(&region, "round.example.com", "TXT"), nothing(Code::ServFail));
    assert_eq!(resolve(&region, "_a.example.com", "A"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "below.example.com", "TXT"), nothing(Code::NoError), "an empty non-terminal");
    assert_eq!(resolve(&region, "elow.example.com", "TXT"), nothing(Code::NxDomain));
    assert_eq!(resolve(&region, "example.com", "NS"), found(&ns.each_str()));
    let (code, soa) = resolve(&region, "example.com", "SOA");
    assert!(code == Code::NoError && soa[0].starts_with(&ns[0]), "{soa:?}");
    let world = region.world();
    let said = world.resolve(&name("no.example.com"), "TXT", world.now(), 0, false);
    assert_eq!(values(&said.authority), soa);
}

#[test]
fn an_alias_answers_in_its_own_name_and_of_several_sets_those_for_many_values_do() {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    written(&region, &zone, "_a.example.com", "TXT", &["\"x\""]);
    let mut world = region.world();
    let (now, mut records) = (world.now(), world.route53.zones[&zone].records.clone());
    let key = |of: &str, identifier: Option<&str>| RecordKey {
        name: name(of),
        kind: "TXT".into(),
        identifier: identifier.map(Into::into),
    };
    for (of, target) in [("alias", "_a.example.com."), ("lost", "lb.example.org."), ("self", "self.example.com")] {
        let data = RecordData::Alias { zone: zone.clone(), target: target.into(), evaluate_health: false };
        let set = RecordSet { data, ..RecordSet::simple(0, Vec::new()) };
        records.insert(key(&format!("{of}.example.com"), None), set);
    }
    for (of, routing) in [("many", "MultiValueAnswer"), ("one", "Weight")] {
        for identifier in ["1", "2"] {
            let mut set = RecordSet::simple(60, vec![format!("\"{identifier}\"")]);
            set.routing.insert(routing, "1".into());
            records.insert(key(&format!("{of}.example.com"), Some(identifier)), set);
        }
    }
    world.route53.change_zone(&zone, records, None, now);
    drop(world);
    region.step(Duration::from_secs(60));
    assert_eq!(resolve(&region, "alias.example.com", "TXT"), found(&["\"x\""]));
    assert_eq!(resolve(&region, "lost.example.com", "TXT"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "self.example.com", "TXT"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "many.example.com", "TXT"), found(&["\"1\"", "\"2\""]));
    assert_eq!(resolve(&region, "one.example.com", "TXT"), found(&["\"1\""]));
}

#[test]
fn a_wildcard_answers_for_what_is_not_there_and_only_below_the_closest_name_that_is() {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    written(&region, &zone, "*.example.com", "TXT", &["\"wild\""]);
    written(&region, &zone, "host.sub.example.com", "A", &["192.0.2.1"]);
    assert_eq!(resolve(&region, "x.example.com", "TXT"), found(&["\"wild\""]));
    assert_eq!(resolve(&region, "y.x.example.com", "TXT"), found(&["\"wild\""]));
    assert_eq!(resolve(&region, "*.example.com", "TXT"), found(&["\"wild\""]));
    assert_eq!(resolve(&region, "x.example.com", "A"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "sub.example.com", "TXT"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "x.sub.example.com", "TXT"), nothing(Code::NxDomain));
    assert_eq!(resolve(&region, "host.sub.example.com", "TXT"), nothing(Code::NoError));
}

#[test]
fn a_change_is_seen_when_it_is_in_sync_and_a_private_zone_never() {
    let region = region();
    draft(&region, OWNER, "example.org", vec![("us-west-2".into(), "vpc-1".into())]);
    let public = zone(&region, OWNER, "example.com");
    write(&region, &public, "_a.example.com", "TXT", &["\"1\""]);
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), nothing(Code::NxDomain));
    region.step(Duration::from_secs(60));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"1\""]));
    assert_eq!(resolve(&region, "example.org", "SOA"), nothing(Code::NxDomain));
}

#[test]
fn of_two_zones_of_a_name_the_world_sees_the_first_or_the_one_that_is_delegated() {
    let region = region();
    let (first, second) = (zone(&region, STRANGER, "example.com"), zone(&region, OWNER, "example.com"));
    written(&region, &first, "_a.example.com", "TXT", &["\"first\""]);
    written(&region, &second, "_a.example.com", "TXT", &["\"second\""]);
    let seen = || (resolve(&region, "_a.example.com", "TXT").1, resolve(&region, "example.com", "NS").1);
    assert_eq!(seen(), (vec!["\"first\"".into()], name_servers(&region, &first)));
    wrong(&region, "example.com", DnsFaultKind::DelegatedToZone(second.clone()));
    assert_eq!(seen(), (vec!["\"second\"".into()], name_servers(&region, &second)));
    assert_eq!(hear(&region, Voice::NameServer(3), "_a.example.com", "TXT"), found(&["\"second\""]));
}

#[test]
fn a_zone_that_is_not_delegated_is_not_there_and_below_another_the_other_answers() {
    let region = region();
    let (above, below) = (zone(&region, OWNER, "example.com"), zone(&region, OWNER, "api.example.com"));
    written(&region, &above, "_a.api.example.com", "TXT", &["\"above\""]);
    written(&region, &below, "_a.api.example.com", "TXT", &["\"below\""]);
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), found(&["\"below\""]));
    wrong(&region, "api.example.com", DnsFaultKind::NotDelegated);
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), found(&["\"above\""]));
    assert_eq!(resolve(&region, "api.example.com", "NS"), nothing(Code::NoError));
    assert_eq!(hear(&region, Voice::NameServer(1), "_a.api.example.com", "TXT"), found(&["\"above\""]));
    wrong(&region, "example.com", DnsFaultKind::NotDelegated);
    for (of, kind) in [("_a.api.example.com", "TXT"), ("example.com", "NS"), ("example.com", "DS")] {
        assert_eq!(resolve(&region, of, kind), nothing(Code::NxDomain), "{of}");
    }
    assert_eq!(hear(&region, Voice::NameServer(0), "example.com", "NS"), nothing(Code::NxDomain));
    assert_eq!(
        hear(&region, Voice::NameServer(1), "example.com", "NS"),
        found(&name_servers(&region, &above).each_str())
    );
    region.world().dns.mend(Some(&name("api.example.com")));
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), nothing(Code::NxDomain), "nothing leads to its parent");
    region.world().dns.mend(None);
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), found(&["\"below\""]));
}

#[test]
fn name_servers_elsewhere_know_only_what_is_published_outside_of_route_53() {
    let region = region();
    let id = zone(&region, OWNER, "example.com");
    written(&region, &id, "_a.example.com", "TXT", &["\"ours\""]);
    let theirs = DnsFaultKind::DelegatedElsewhere(vec![name("ns1.example.net"), name("ns2.example.net")]);
    wrong(&region, "example.com", theirs);
    assert_eq!(resolve(&region, "example.com", "NS"), found(&["ns1.example.net.", "ns2.example.net."]));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), nothing(Code::NxDomain));
    region.world().published_txt.insert(("_a.example.com".into(), "theirs".into()));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"theirs\""]));
    assert_eq!(hear(&region, Voice::Elsewhere, "_a.example.com", "TXT"), found(&["\"theirs\""]));

    // The servers of a zone that is gone refuse.
    wrong(&region, "example.com", DnsFaultKind::DelegatedElsewhere(vec![name("ns-1.awsdns-01.com")]));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), nothing(Code::ServFail));
    assert_eq!(hear(&region, Voice::Elsewhere, "_a.example.com", "TXT"), nothing(Code::Refused));
}

#[test]
fn a_zone_delegates_what_is_below_it_by_its_own_records() {
    let region = region();
    let above = zone(&region, OWNER, "example.com");
    let (_, second) = (zone(&region, OWNER, "api.example.com"), zone(&region, OWNER, "api.example.com"));
    written(&region, &second, "_a.api.example.com", "TXT", &["\"second\""]);
    let ns = name_servers(&region, &second);
    written(&region, &above, "api.example.com", "NS", &ns.each_str());
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), found(&["\"second\""]));
    written(&region, &above, "api.example.com", "NS", &["ns.example.net"]);
    assert_eq!(resolve(&region, "_a.api.example.com", "TXT"), nothing(Code::NxDomain));
    let at = region.now();
    let Heard::Response(said) = region.world().ask(Voice::NameServer(1), &name("_a.api.example.com"), "TXT", at) else {
        panic!("no answer");
    };
    assert_eq!((said.authoritative, values(&said.authority)), (false, vec!["ns.example.net.".to_owned()]));
    servers(&region, "example.com", &[1], ServerFault::Servfail);
    assert_eq!(hear(&region, Voice::NameServer(1), "_a.api.example.com", "TXT"), nothing(Code::ServFail));
}

#[test]
fn what_is_published_outside_of_route_53_has_a_domain_and_is_cut_into_strings() {
    let region = region();
    let long = format!("{}\"\\ä", "a".repeat(255));
    region.world().published_txt.insert(("_a.b.example.org".into(), long.clone()));
    let (code, said) = resolve(&region, "_a.b.example.org", "TXT");
    assert_eq!((code, said[0].clone()), (Code::NoError, format!("\"{}\" \"\\\"\\\\\\303\\244\"", "a".repeat(255))));
    let at = region.now();
    assert!(region.world().txt_is_published("_a.b.example.org", &long, at));
    assert_eq!(resolve(&region, "b.example.org", "TXT"), nothing(Code::NoError));
    assert_eq!(resolve(&region, "c.example.org", "TXT"), nothing(Code::NxDomain));
    assert_eq!(resolve(&region, "example.org", "NS").1.len(), 2);
    assert_eq!(hear(&region, Voice::NameServer(2), "_a.b.example.org", "TXT").0, Code::NoError);
    assert_eq!(hear(&region, Voice::NameServer(2), "example.net", "TXT"), nothing(Code::Refused));
    assert_eq!(resolve(&region, "example.net", "NS"), nothing(Code::NxDomain));
}

#[test]
fn a_resolver_asks_on_until_a_server_answers() {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    written(&region, &zone, "_a.example.com", "TXT", &["\"old\""]);
    written(&region, &zone, "_a.example.com", "TXT", &["\"new\""]);
    for (server, how) in [(0, ServerFault::Servfail), (1, ServerFault::Refused), (2, ServerFault::Silence)] {
        servers(&region, "example.com", &[server], how);
        assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"new\""]));
    }
    assert_eq!(hear(&region, Voice::NameServer(0), "_a.example.com", "TXT"), nothing(Code::ServFail));
    assert_eq!(hear(&region, Voice::NameServer(1), "_a.example.com", "TXT"), nothing(Code::Refused));
    servers(&region, "example.com", &[3], ServerFault::BeforeLastChange);
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"old\""]));
    servers(&region, "example.com", &[3], ServerFault::SecondsBehind(60));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"old\""]));
    region.step(Duration::from_secs(60));
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), found(&["\"new\""]));
    servers(&region, "example.com", &[0], ServerFault::SecondsBehind(86_400));
    assert_eq!(hear(&region, Voice::NameServer(0), "_a.example.com", "TXT"), nothing(Code::Refused), "no zone yet");
    servers(&region, "example.com", &[], ServerFault::Silence);
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), nothing(Code::ServFail));
    assert_eq!(resolve(&region, "example.com", "NS").1, name_servers(&region, &zone), "the parent's voice");
    wrong(&region, "example.com", DnsFaultKind::NameServersFromZone);
    assert_eq!(resolve(&region, "example.com", "NS"), nothing(Code::ServFail));
}

#[test]
fn where_dnssec_is_broken_only_those_fail_who_check_it() {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    written(&region, &zone, "_a.example.com", "TXT", &["\"x\""]);
    assert_eq!(resolve(&region, "example.com", "DS"), nothing(Code::NoError));
    wrong(&region, "example.com", DnsFaultKind::DnssecBroken);
    assert_eq!(resolve(&region, "_a.example.com", "TXT"), nothing(Code::ServFail));
    assert_eq!(hear(&region, Voice::Resolver { unchecked: true }, "_a.example.com", "TXT"), found(&["\"x\""]));
    assert_eq!(hear(&region, Voice::NameServer(2), "_a.example.com", "TXT"), found(&["\"x\""]));
    assert_eq!(resolve(&region, "example.com", "DS").1.len(), 1);
    assert_eq!(hear(&region, Voice::NameServer(0), "example.com", "DS").1.len(), 1);
    assert_eq!(hear(&region, Voice::NameServer(1), "example.com", "DNSKEY"), nothing(Code::NoError));
}

trait EachStr {
    fn each_str(&self) -> Vec<&str>;
}

impl EachStr for Vec<String> {
    fn each_str(&self) -> Vec<&str> {
        self.iter().map(String::as_str).collect()
    }
}
