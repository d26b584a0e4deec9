//! What holds for every account: applying twice is applying once, and the order of what was read decides nothing.

use proptest::prelude::*;

use super::*;

fn words(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(of).prop_map(ToOwned::to_owned)
}

prop_compose! {
    fn any_endpoint()(
        id in "vpce-0[a-f]",
        state in words(&["available", "available", "available", "pending", "pendingAcceptance", "failed", "Partial"]),
        kind in words(&["Interface", "Interface", "Interface", "Gateway"]),
        addresses in words(&["ipv4", "dualstack", "ipv6"]),
        records in prop::option::of(words(&["ipv4", "dualstack", "ipv6", "service-defined"])),
        private_dns_enabled in any::<bool>(),
        vpc in words(&["vpc-1", "vpc-2"]),
        age in prop::option::of(0_i64..3),
        subnets in prop::collection::btree_set(words(&["subnet-1", "subnet-2", "subnet-3"]), 0..3),
    ) -> Endpoint {
        Endpoint {
            state: EndpointState::from_word(&state),
            kind,
            ip_address_type: addresses,
            dns_record_ip_type: records,
            private_dns_enabled,
            vpc,
            created: age.map(|age| NOW - time::Duration::days(age)),
            subnets,
            ..endpoint(&id)
        }
    }
}

prop_compose! {
    fn any_account()(
        endpoints in prop::collection::vec(any_endpoint(), 0..5),
        four in any::<bool>(),
        six in any::<bool>(),
        name in prop::option::of(words(&["verified", "verified", "failed"])),
        support in prop::option::of(any::<bool>()),
        subnets in prop::collection::vec(any::<(bool, bool)>(), 3),
    ) -> (Vec<Endpoint>, Seen) {
        let mut seen = account([]);
        let types = [("ipv4", four), ("ipv6", six)].into_iter().filter(|(_, is)| *is);
        let private_dns = name.map(|state| PrivateDns {
            name: "api.example.com".to_owned(),
            state: DnsNameState::from_word(&state),
            record: None,
        });
        let offer = Offer { ip_address_types: types.map(|(word, _)| word.to_owned()).collect(), private_dns };
        seen.offers.insert(SERVICE.to_owned(), offer);
        seen.vpcs.insert("vpc-2".to_owned(), VpcDns { support, hostnames: Some(true) });
        for (n, (ipv4, ipv6)) in subnets.into_iter().enumerate() {
            seen.subnets.insert(format!("subnet-{}", n + 1), Subnet { ipv4, ipv6, ..Subnet::default() });
        }
        (endpoints, seen)
    }
}

fn any_settings() -> impl Strategy<Value = EndpointSettings> {
    let kind = prop::sample::select(&AddressType::ALL[..]);
    (kind, any::<bool>()).prop_map(|(ip_address_type, private_dns)| EndpointSettings {
        ip_address_type,
        private_dns,
        ..settings()
    })
}

fn filled(mut seen: Seen, endpoints: impl IntoIterator<Item = Endpoint>) -> Seen {
    seen.endpoints = endpoints.into_iter().map(|endpoint| (endpoint.id.clone(), endpoint)).collect();
    seen
}

proptest! {
    #[test]
    fn applied_and_looked_at_again_there_is_nothing_to_do((endpoints, seen) in any_account(), settings in any_settings()) {
        let mut seen = filled(seen, endpoints);
        let first = plan(&seen, &settings);
        apply(&mut seen, &first.effects);
        let second = plan(&seen, &settings);
        prop_assert_eq!(&second.effects, &[]);
        // Whatever could not be done still can not, and is still named.
        let told = |plan: &Plan<Change>| {
            plan.skipped.iter().filter(|skip| skip.reason == Reason::NotReady).count()
        };
        prop_assert!(told(&second) == told(&first), "{} then {}", first, second);
    }

    #[test]
    fn every_endpoint_has_one_change_at_the_most_and_else_a_reason(
        (endpoints, seen) in any_account(), settings in any_settings()
    ) {
        let seen = filled(seen, endpoints);
        let plan = plan(&seen, &settings);
        for (id, endpoint) in &seen.endpoints {
            let changes = plan.effects.iter().filter(|change| change.endpoint == *id).count();
            let skips = plan.skipped.iter().filter(|skip| skip.endpoint_id.as_deref() == Some(id.as_str())).count();
            prop_assert!(changes <= 1 && changes + skips >= 1, "{}", plan);
            prop_assert!(changes == 0 || endpoint.state == EndpointState::Available && endpoint.is_interface());
        }
        // No name leads to two endpoints of a VPC on this product's account.
        let mut named = BTreeSet::new();
        for change in plan.effects.iter().filter(|change| change.private_dns) {
            let vpc = &seen.endpoints[&change.endpoint].vpc;
            prop_assert!(named.insert(vpc.clone()), "{}", plan);
            let taken = seen.endpoints.values().any(|other| {
                other.vpc == *vpc && other.private_dns_enabled && other.is_interface() && other.state.is_live()
            });
            prop_assert!(!taken, "{}", plan);
        }
    }

    #[test]
    fn the_order_of_what_was_read_decides_nothing((mut endpoints, seen) in any_account(), settings in any_settings()) {
        // Of two with one id only one was read.
        let mut ids = BTreeSet::new();
        endpoints.retain(|endpoint| ids.insert(endpoint.id.clone()));
        let forth = filled(seen.clone(), endpoints.clone());
        endpoints.reverse();
        let back = filled(seen, endpoints);
        prop_assert_eq!(plan(&forth, &settings), plan(&back, &settings));
    }
}
