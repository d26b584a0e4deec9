//! `domains.toml`, against a second reading of the same file by the TOML library alone.
//!
//! The input is read as a file, and then its bytes as numbers of lines.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use privatelink_core::ids::DnsName;
use privatelink_core::ownership::{DOMAINS_FILE, Domains, Publisher};
use privatelink_fuzz::{faults, tables, written};

const LINES: [&str; 16] = [
    "[[domain]]",
    "name = \"example\"",
    "name = \"x.example\"",
    "name = \"a.x.example\"",
    "name = \"notexample\"",
    "name = \"*.example\"",
    "name = \"Example\"",
    "dns = \"route53\"",
    "dns = \"manual\"",
    "dns = \"bind\"",
    "dns = true",
    "roleArn = \"arn:aws:iam::444455556666:role/dns\"",
    "roleArn = \"arn:aws:iam::444455556666:role/\"",
    "zone = \"Z1\"",
    "[domain.name]",
    "# \u{2026}",
];

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(written(bytes, &LINES).as_bytes());
});

fn check(bytes: &[u8]) {
    let domains = match Domains::load(bytes) {
        Ok(domains) => domains,
        Err(error) => return faults(&error, &[(DOMAINS_FILE.to_owned(), bytes)]),
    };
    let listed = tables(bytes, "domain");
    let mut expected = BTreeMap::new();
    for domain in &listed {
        let text = |key: &str| domain.get(key).map(|value| value.as_str().expect("a string"));
        assert!(domain.keys().all(|key| ["name", "dns", "roleArn"].contains(&key.as_str())), "an unknown key");
        let publisher = match (text("dns"), text("roleArn")) {
            (Some("manual"), None) => Publisher::Person,
            (None | Some("route53"), None) => Publisher::Own,
            (None | Some("route53"), Some(role)) => Publisher::Role(role.to_owned()),
            other => panic!("{other:?} is accepted"),
        };
        let name = text("name").expect("a domain has a name");
        assert!(expected.insert(name, publisher).is_none(), "`{name}` is there twice");
    }
    for (name, publisher) in &expected {
        let name = DnsName::parse(name).expect("a name");
        assert_eq!(domains.publisher(&name), *publisher);
        // All that stands below it is published in the same way, unless a longer name says otherwise.
        for below in ["x", "*"].into_iter().filter_map(|label| name.below(label).ok()) {
            let own = expected.get(below.as_str()).unwrap_or(publisher);
            assert_eq!(domains.publisher(&below), *own, "{below}");
        }
    }
    let stranger = DnsName::parse("nobody-lists-this").unwrap();
    assert!(expected.contains_key(stranger.as_str()) || domains.publisher(&stranger) == Publisher::Own);
}
