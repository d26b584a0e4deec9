//! What is set, and what is not and why.

use super::*;

#[test]
fn one_change_sets_all_that_is_wanted() {
    let mut seen = account([endpoint("vpce-0a")]);
    let first = plan(&seen, &settings());
    assert_eq!(
        told(&first),
        ["modify  vpce-0a to vpce-svc-0b: addresses dualstack, DNS records dualstack, private DNS on"]
    );
    let thing = first.effects[0].thing();
    let more = json!(thing.more);
    assert_eq!(
        more,
        json!({"ipAddressType": "dualstack", "dnsRecordIpType": "dualstack", "privateDnsEnabled": "true"})
    );
    apply(&mut seen, &first.effects);
    assert_eq!(told(&plan(&seen, &settings())), ["already-right"]);
}

#[test]
fn only_what_differs_is_set() {
    let dual = |records: Option<&str>| Endpoint {
        ip_address_type: "dualstack".to_owned(),
        dns_record_ip_type: records.map(ToOwned::to_owned),
        private_dns_enabled: true,
        ..endpoint("vpce-0a")
    };
    for records in ["ipv4", "ipv6", "service-defined", "something-new"] {
        let seen = account([dual(Some(records))]);
        assert_eq!(
            told(&plan(&seen, &settings())),
            ["modify  vpce-0a to vpce-svc-0b: DNS records dualstack"],
            "{records}"
        );
    }
    for records in [Some("dualstack"), None] {
        assert_eq!(told(&plan(&account([dual(records)]), &settings())), ["already-right"], "{records:?}");
    }
    let without = Endpoint { private_dns_enabled: false, ..dual(Some("dualstack")) };
    assert_eq!(told(&plan(&account([without]), &settings())), ["modify  vpce-0a to vpce-svc-0b: private DNS on"]);
}

#[test]
fn private_dns_is_turned_on_where_it_is_asked_for_and_never_off() {
    let unasked = EndpointSettings { private_dns: false, ..settings() };
    let seen = account([endpoint("vpce-0a")]);
    assert!(!plan(&seen, &unasked).effects[0].private_dns);
    let on = Endpoint {
        private_dns_enabled: true,
        ip_address_type: "dualstack".to_owned(),
        dns_record_ip_type: Some("dualstack".to_owned()),
        ..endpoint("vpce-0a")
    };
    assert_eq!(told(&plan(&account([on]), &unasked)), ["already-right"]);
}

#[test]
fn a_family_that_the_service_does_not_speak_is_the_providers_to_change() {
    let mut seen = account([endpoint("vpce-0a")]);
    seen.offers.get_mut(SERVICE).unwrap().ip_address_types.remove("ipv6");
    let plan = plan(&seen, &settings());
    assert_eq!(told(&plan), ["modify  vpce-0a to vpce-svc-0b: private DNS on", "not-ready"]);
    let fix = "aws ec2 modify-vpc-endpoint-service-configuration --region us-west-2 --service-id vpce-svc-0b \
               --add-supported-ip-address-types ipv6";
    let detail = "its service does not speak IPv6; its provider can change that";
    assert_eq!(reasons(&plan), [(detail.to_owned(), Some(fix.to_owned()))]);
}

#[test]
fn subnets_without_ipv6_are_named_each_with_its_command() {
    let mut seen = account([endpoint("vpce-0a")]);
    seen.subnets.values_mut().for_each(|subnet| subnet.ipv6 = false);
    let plan = plan(&seen, &settings());
    let [(detail, Some(fix))] = &reasons(&plan)[..] else { panic!("{plan:?}") };
    assert!(detail.contains("`subnet-1`, `subnet-2` have no IPv6"), "{detail}");
    for subnet in ["subnet-1", "subnet-2"] {
        assert!(
            fix.contains(&format!("associate-subnet-cidr-block --region us-west-2 --subnet-id {subnet} ")),
            "{fix}"
        );
    }
    assert!(plan.effects[0].ip_address_type.is_none() && plan.effects[0].private_dns);
}

#[test]
fn ipv6_alone_takes_subnets_that_have_nothing_else() {
    let six = EndpointSettings { ip_address_type: AddressType::Ipv6, private_dns: false, ..settings() };
    let mut seen = account([endpoint("vpce-0a")]);
    let refused = plan(&seen, &six);
    assert_eq!(told(&refused), ["not-ready"]);
    assert!(reasons(&refused)[0].1.as_ref().unwrap().contains("--remove-subnet-ids subnet-1 subnet-2"), "{refused:?}");
    seen.subnets.values_mut().for_each(|subnet| subnet.ipv4 = false);
    assert_eq!(told(&plan(&seen, &six)), ["modify  vpce-0a to vpce-svc-0b: addresses ipv6, DNS records ipv6"]);
    // And the other way round.
    let mut six_only = endpoint("vpce-0a");
    (six_only.ip_address_type, six_only.dns_record_ip_type) = ("ipv6".to_owned(), Some("ipv6".to_owned()));
    seen.endpoints.insert(six_only.id.clone(), six_only);
    let dual = EndpointSettings { private_dns: false, ..settings() };
    assert!(reasons(&plan(&seen, &dual))[0].0.contains("have no IPv4 addresses"));
}

#[test]
fn records_that_the_service_defines_are_right_where_there_is_one_family() {
    let four = EndpointSettings { ip_address_type: AddressType::Ipv4, private_dns: false, ..settings() };
    let defined = Endpoint { dns_record_ip_type: Some("service-defined".to_owned()), ..endpoint("vpce-0a") };
    assert_eq!(told(&plan(&account([defined]), &four)), ["already-right"]);
}

#[test]
fn a_private_name_needs_to_be_there_and_verified_and_a_vpc_that_answers() {
    let of = |change: &dyn Fn(&mut Seen)| {
        let mut seen = account([endpoint("vpce-0a")]);
        change(&mut seen);
        let plan = plan(&seen, &settings());
        assert!(!plan.effects[0].private_dns, "{plan}");
        assert_eq!(plan.skipped.len(), 1, "{plan}");
        assert_eq!(plan.skipped[0].reason, Reason::NotReady);
        reasons(&plan).remove(0)
    };
    let dns = |seen: &mut Seen, state: &str| {
        let dns = seen.offers.get_mut(SERVICE).unwrap().private_dns.as_mut().unwrap();
        dns.state = DnsNameState::from_word(state);
    };
    for (change, detail, fix) in [
        (
            &(|seen: &mut Seen| seen.offers.get_mut(SERVICE).unwrap().private_dns = None) as &dyn Fn(&mut Seen),
            "has no private DNS name",
            Some("--private-dns-name \"$NAME\""),
        ),
        (&|seen| dns(seen, "pendingVerification"), "is not verified", Some("start-vpc-endpoint-service-private-dns")),
        (&|seen| dns(seen, "failed"), "is not verified", Some("start-vpc-endpoint-service-private-dns")),
        (&|seen| dns(seen, ""), "not known", None),
        (
            &|seen| seen.vpcs.get_mut("vpc-1").unwrap().support = Some(false),
            "`enableDnsSupport` of its VPC is off",
            Some("--vpc-id vpc-1 --enable-dns-support '{\"Value\":true}'"),
        ),
        (
            &|seen| seen.vpcs.get_mut("vpc-1").unwrap().hostnames = Some(false),
            "`enableDnsHostnames` of its VPC is off",
            Some("--vpc-id vpc-1 --enable-dns-hostnames '{\"Value\":true}'"),
        ),
        (&|seen| seen.vpcs.get_mut("vpc-1").unwrap().hostnames = None, "AWS does not say whether", None),
    ] {
        let (said, command) = of(change);
        assert!(said.contains(detail), "{said}");
        match (fix, command) {
            (Some(fix), Some(command)) => assert!(command.contains(fix), "{command}"),
            (None, None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_private_name_leads_to_one_endpoint_of_a_vpc() {
    let young = Endpoint { created: Some(NOW + time::Duration::SECOND), ..endpoint("vpce-0a") };
    let elsewhere = Endpoint { vpc: "vpc-2".to_owned(), ..endpoint("vpce-0c") };
    let mut seen = account([young.clone(), endpoint("vpce-0b"), elsewhere]);
    seen.vpcs.insert("vpc-2".to_owned(), seen.vpcs["vpc-1"]);
    let first = plan(&seen, &settings());
    let named: Vec<_> = first.effects.iter().map(|change| (change.endpoint.as_str(), change.private_dns)).collect();
    assert_eq!(named, [("vpce-0a", false), ("vpce-0b", true), ("vpce-0c", true)]);
    assert!(reasons(&first)[0].0.contains("vpce-0b is older"), "{first}");
    // Whichever has it keeps it, were it the younger one.
    let has = Endpoint { private_dns_enabled: true, ..young };
    seen.endpoints.insert(has.id.clone(), has);
    let then = plan(&seen, &settings());
    let older = then.effects.iter().find(|change| change.endpoint.as_str() == "vpce-0b").unwrap();
    assert!(!older.private_dns);
    assert!(reasons(&then)[0].1.as_ref().unwrap().ends_with("--vpc-endpoint-id vpce-0a --no-private-dns-enabled"));
}

#[test]
fn nothing_is_set_on_an_endpoint_that_is_not_available() {
    for (word, reason, fix) in [
        ("pending", "not-ready", None),
        ("Pending", "not-ready", None),
        ("pendingAcceptance", "not-ready", Some("aws ec2 accept-vpc-endpoint-connections --region us-west-2")),
        ("rejected", "not-ready", Some("aws ec2 delete-vpc-endpoints")),
        ("failed", "not-ready", Some("aws ec2 delete-vpc-endpoints")),
        ("expired", "not-ready", Some("aws ec2 delete-vpc-endpoints")),
        ("deleting", "not-ready", None),
        ("deleted", "not-ready", None),
        ("Partial", "unknown-state", None),
        ("", "unknown-state", None),
    ] {
        let seen = account([Endpoint { state: EndpointState::from_word(word), ..endpoint("vpce-0a") }]);
        let plan = plan(&seen, &settings());
        assert_eq!(told(&plan), [reason], "{word}");
        let command = reasons(&plan).remove(0).1;
        assert_eq!(command.is_some(), fix.is_some(), "{word}: {command:?}");
        assert!(command.is_none_or(|command| command.starts_with(fix.unwrap())), "{word}");
        let under_way = plan_endpoints(&seen, &Look::Everything, &settings(), &BTreeMap::new(), NOW).under_way;
        assert_eq!(under_way, word.eq_ignore_ascii_case("pending"), "{word}");
    }
    let cross = Endpoint {
        state: EndpointState::PendingAcceptance,
        service_region: Some("eu-west-1".to_owned()),
        ..endpoint("vpce-0a")
    };
    let fix = reasons(&plan(&account([cross]), &settings())).remove(0).1.unwrap();
    assert!(fix.contains("--region eu-west-1 "), "{fix}");
}

#[test]
fn what_is_no_interface_endpoint_of_a_provider_is_left() {
    let gateway = Endpoint { kind: "Gateway".to_owned(), ..endpoint("vpce-0a") };
    assert_eq!(told(&plan(&account([gateway]), &settings())), ["already-right"]);
    // Of a provider's service, it is one where nothing says its type.
    let silent = Endpoint { kind: String::new(), ..endpoint("vpce-0a") };
    assert_eq!(plan(&account([silent]), &settings()).effects.len(), 1);
    let of_aws =
        Endpoint { service: None, service_name: "com.amazonaws.us-west-2.ssm".to_owned(), ..endpoint("vpce-0a") };
    assert_eq!(told(&plan(&account([of_aws]), &settings())), ["foreign"]);
}

#[test]
fn an_id_that_is_not_ours_is_foreign_and_nothing_else_is_touched() {
    let seen = account([endpoint("vpce-0a"), endpoint("vpce-0b")]);
    let at = |ids: &[FoundId]| Look::At(ids.iter().cloned().collect());
    let service = |text| FoundId::Service(ServiceId::parse(text).unwrap());
    let planned = |look| plan_endpoints(&seen, &look, &settings(), &BTreeMap::new(), NOW).plan;
    let foreign = planned(at(&[FoundId::Endpoint(id("vpce-0f")), service("vpce-svc-0f")]));
    assert_eq!(told(&foreign), ["foreign", "foreign"]);
    let one = planned(at(&[FoundId::Endpoint(id("vpce-0b"))]));
    assert_eq!(one.effects.len(), 1);
    assert_eq!(one.effects[0].endpoint, id("vpce-0b"));
    assert_eq!(planned(at(&[service("vpce-svc-0b")])).effects.len(), 2);
    assert_eq!(told(&planned(Look::Nowhere)), [""; 0]);
}

#[test]
fn what_may_not_be_read_stops_nothing_else() {
    let with = |part: Part, change: &dyn Fn(&mut Seen)| {
        let mut seen = account([endpoint("vpce-0a")]);
        change(&mut seen);
        seen.denied.insert(part, "UnauthorizedOperation".to_owned());
        let plan = plan(&seen, &settings());
        let last = plan.skipped.last().unwrap().clone();
        assert_eq!(last.fix, Some(format!("allow `ec2:{}` on `*` in the policy of this function's role", part.call())));
        assert!(last.detail.unwrap().contains("`UnauthorizedOperation`"));
        plan.effects.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let all = "modify  vpce-0a to vpce-svc-0b: addresses dualstack, DNS records dualstack, private DNS on";
    assert_eq!(with(Part::Rules, &|seen| seen.rules.clear()), [all]);
    assert_eq!(with(Part::Interfaces, &|seen| seen.interfaces.clear()), [all]);
    assert_eq!(with(Part::Subnets, &|seen| seen.subnets.clear()), ["modify  vpce-0a to vpce-svc-0b: private DNS on"]);
    let addresses = "modify  vpce-0a to vpce-svc-0b: addresses dualstack, DNS records dualstack";
    assert_eq!(with(Part::VpcDns, &|seen| seen.vpcs.clear()), [addresses]);
    assert_eq!(with(Part::Offers, &|seen| seen.offers.clear()), [""; 0]);
}

#[test]
fn a_service_that_aws_does_not_show_is_named_once() {
    let mut seen = account([endpoint("vpce-0a")]);
    seen.offers.clear();
    let plan = plan(&seen, &settings());
    assert_eq!(told(&plan), ["not-ready"]);
    assert!(reasons(&plan)[0].0.contains(SERVICE));
}

#[test]
fn ports_are_read_with_commas_and_with_spaces() {
    let ports = |text| ports_in(text).map(|ports| ports.iter().map(|port| port.get()).collect::<Vec<_>>());
    assert_eq!(ports("443"), Ok(vec![443]));
    assert_eq!(ports("8443 443, 443,1"), Ok(vec![1, 443, 8443]));
    for (text, bad) in [("", ""), ("443,https", "https"), ("0", "0"), ("65536", "65536"), ("+1", "+1"), (" , ", "")] {
        assert_eq!(ports(text), Err(bad), "{text}");
    }
}

#[test]
fn hostile_names_do_not_get_into_commands() {
    let mut seen = account([Endpoint { vpc: "vpc-1; rm -rf /".to_owned(), ..endpoint("vpce-0a") }]);
    seen.vpcs.insert("vpc-1; rm -rf /".to_owned(), VpcDns { support: Some(false), hostnames: Some(true) });
    let plan = plan(&seen, &settings());
    assert_eq!(reasons(&plan)[0].1, None, "{plan}");
}
