//! `consumers.toml`, against a second reading of the same file by the TOML library alone.
//!
//! The input is read as a file, and then its bytes as numbers of lines.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use privatelink_core::ids::AccountId;
use privatelink_core::policy::{CONSUMERS_FILE, Consumers, Sources};
use privatelink_fuzz::{faults, tables, written};
use toml::Value;

const LINES: [&str; 20] = [
    "[[consumer]]",
    "name = \"acme\"",
    "name = \"beta\"",
    "name = \"\"",
    "accounts = [\"111122223333\", \"222233334444\"]",
    "accounts = [\"222233334444\"]",
    "accounts = [\"999999999999\", \"999999999999\"]",
    "accounts = []",
    "accounts = [\"1111\", 111122223333]",
    "groups = [\"partners\", \"blocked\", \"partners\"]",
    "groups = [\"acme\", \"\"]",
    "maxConnections = 0",
    "maxConnections = -1",
    "maxConnections = 0x7fffffffffffffff",
    "maxConnections = 9_223_372_036_854_775_808",
    "topic = \"arn:aws:sns:us-west-2:999988887777:acme.fifo\"",
    "topic = \"acme\"",
    "colour = \"red\"",
    "[consumer.name]",
    "# \u{2026}",
];

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(written(bytes, &LINES).as_bytes());
});

fn check(bytes: &[u8]) {
    let sources: Sources = [(CONSUMERS_FILE, bytes)].into_iter().collect();
    let consumers = match Consumers::load(&sources) {
        Ok(consumers) => consumers,
        Err(error) => return faults(&error, &[(CONSUMERS_FILE.to_owned(), bytes)]),
    };
    let listed = tables(bytes, "consumer");
    assert_eq!(listed.len(), consumers.iter().count(), "nobody is left out");
    let (mut names, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for (consumer, listed) in consumers.iter().zip(listed) {
        let strings = |key: &str| listed.get(key).map_or(Vec::new(), |list| list.as_array().expect("a list").clone());
        assert_eq!(listed.get("name"), Some(&Value::from(consumer.name.as_str())));
        assert!(!consumer.name.is_empty() && names.insert(consumer.name.as_str()), "a name is somebody's");
        let own: Vec<Value> = consumer.accounts.iter().map(|account| account.as_str().into()).collect();
        assert_eq!(own, strings("accounts"));
        for account in &consumer.accounts {
            assert_eq!(consumers.of(account), Some(consumer), "an account belongs to one consumer");
            assert!(accounts.insert(account.clone()), "an account is listed once");
        }
        let groups: Vec<Value> = consumer.groups.iter().map(|group| group.as_str().into()).collect();
        assert_eq!(groups, strings("groups"));
        assert!(consumer.groups.iter().all(|group| !group.is_empty()));
        assert_eq!(listed.get("maxConnections"), consumer.max_connections.map(Value::from).as_ref());
        assert!(consumer.max_connections.is_none_or(|most| most >= 0));
        assert_eq!(listed.get("topic"), consumer.topic.as_ref().map(|topic| topic.as_str().into()).as_ref());
        let known = ["name", "accounts", "groups", "maxConnections", "topic"];
        assert!(listed.keys().all(|key| known.contains(&key.as_str())), "a key that nobody knows");
    }
    let stranger = AccountId::parse("999999999999").unwrap();
    assert_eq!(consumers.of(&stranger).is_some(), accounts.contains(&stranger));
}
