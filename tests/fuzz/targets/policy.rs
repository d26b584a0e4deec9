//! A policy folder, loaded as `privatelink check` does, and some connections judged by it.
//!
//! The files stand one after the other, each behind a line `--- name`; what stands before the first such line is
//! `policy.cedar`. Where no `consumers.toml` is among them, one is put beside them.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use privatelink_core::ids::{AccountId, EndpointId, ServiceId};
use privatelink_core::observed::Service;
use privatelink_core::policy::{CONSUMERS_FILE, Counts, Decision, Facts, HoldReason, Policy, Sources, Verdict};
use privatelink_fuzz::faults;

const CONSUMERS: &[u8] = b"[[consumer]]\nname = \"acme\"\naccounts = [\"111122223333\"]\ngroups = [\"partners\"]\n\
    maxConnections = 2\n[[consumer]]\nname = \"initech\"\naccounts = [\"222233334444\"]\ngroups = [\"blocked\"]\n";

/// What nobody else calls a policy.
const NOBODY: &str = "fuzz/nobody";
const FORBID: &[u8] = b"@id(\"fuzz/nobody\") forbid(principal, action == PrivateLink::Action::\"Accept\", resource);";

fuzz_target!(|bytes: &[u8]| {
    let mut files = folder(bytes);
    files.entry(CONSUMERS_FILE.to_owned()).or_insert(CONSUMERS);
    let sources = |files: &BTreeMap<String, &[u8]>| -> Sources {
        files.iter().map(|(name, text)| (name.clone(), text.to_vec())).collect()
    };
    let policy = match Policy::load(&sources(&files)) {
        Ok(policy) => policy,
        Err(error) => return faults(&error, &files.into_iter().collect::<Vec<_>>()),
    };
    assert!(!policy.is_empty());
    assert!(policy.warnings().iter().all(|warning| !warning.is_empty()));
    let verdicts = judge(&policy);

    // With one policy more that forbids to accept anybody, nobody is accepted, and nothing else is changed.
    // Names in the input are without a space before them.
    files.insert(" fuzz.cedar".to_owned(), FORBID);
    let Ok(forbidding) = Policy::load(&sources(&files)) else {
        let taken = |text: &&&[u8]| text.windows(NOBODY.len()).any(|word| word == NOBODY.as_bytes());
        assert!(files.values().filter(taken).count() > 1, "a policy can not be added");
        return;
    };
    assert_ne!(policy.digest(), forbidding.digest());
    for (before, after) in verdicts.iter().zip(judge(&forbidding)) {
        let expected = match before.decision {
            // Who was accepted may have been permitted to be rejected too.
            Decision::Accept if after.decision == Decision::Reject => Decision::Reject,
            Decision::Accept => Decision::Hold(HoldReason::Forbidden),
            Decision::Hold(HoldReason::NoPolicyMatched) => Decision::Hold(HoldReason::Forbidden),
            same => same,
        };
        assert_eq!(after.decision, expected, "{before:?}");
        assert_eq!(after.errors, before.errors);
        if let Decision::Hold(HoldReason::Forbidden) = after.decision {
            assert!(after.policies.iter().any(|id| id == NOBODY), "{after:?}");
        }
    }
});

/// The files in the input, by name.
fn folder(bytes: &[u8]) -> BTreeMap<String, &[u8]> {
    let mut files = BTreeMap::new();
    let (mut name, mut from, mut at) = ("policy.cedar".to_owned(), 0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if let Some(next) = line.strip_prefix(b"--- ") {
            files.insert(std::mem::take(&mut name), &bytes[from..at]);
            name = String::from_utf8_lossy(next).trim().to_owned();
            from = at + line.len();
        }
        at += line.len();
    }
    files.insert(name, &bytes[from..]);
    // Half of the inputs would be refused for a first file that is empty.
    files.retain(|_, text| !text.is_empty());
    files
}

/// A partner, one that is blocked, and a stranger, each early and late.
fn judge(policy: &Policy) -> Vec<Verdict> {
    let service = Service {
        id: ServiceId::parse("vpce-svc-0a").unwrap(),
        name: "com.amazonaws.vpce.us-west-2.vpce-svc-0a".to_owned(),
        region: "us-west-2".to_owned(),
        private_dns: None,
        ip_address_types: ["ipv4".to_owned(), "ipv6".to_owned()].into(),
        acceptance_required: true,
        tags: [("exposure".to_owned(), "partners".to_owned())].into(),
    };
    let judge = policy.at(&service).expect("every service can be judged");
    let accounts = ["111122223333", "222233334444", "999999999999"];
    let cases = accounts.into_iter().flat_map(|account| [(account, 0), (account, i64::MAX)]);
    cases
        .map(|(account, extreme)| {
            let facts = Facts {
                account: AccountId::parse(account).unwrap(),
                endpoint_id: EndpointId::parse("vpce-0a").unwrap(),
                endpoint_region: if extreme == 0 { "us-west-2" } else { "eu-west-1" }.to_owned(),
                cross_region: extreme != 0,
                ip_address_type: if extreme == 0 { "ipv4" } else { "dualstack" }.to_owned(),
                age_seconds: extreme,
                counts: Counts {
                    account_connections: extreme,
                    consumer_connections: extreme,
                    service_connections: extreme,
                },
            };
            let verdict = judge.judge(&facts);
            check(&verdict);
            assert_eq!(judge.judge(&facts), verdict, "the same facts are judged in the same way");
            verdict
        })
        .collect()
}

/// Every decision has its reasons, in an order that does not change.
fn check(verdict: &Verdict) {
    let Verdict { decision, policies, nearest, errors } = verdict;
    let tag = |c: char| c.is_ascii_alphanumeric() || "+-=._:/@".contains(c);
    assert!(policies.iter().all(|id| !id.is_empty() && id.chars().all(tag)), "{verdict:?}");
    let (reasons, near, failures) = match decision {
        Decision::Accept | Decision::Reject | Decision::Hold(HoldReason::Forbidden) => (1..=usize::MAX, 0, false),
        Decision::Hold(HoldReason::PolicyError) => (1..=usize::MAX, 0, true),
        Decision::Hold(HoldReason::NoPolicyMatched) => (0..=3, policies.len(), false),
    };
    assert!(reasons.contains(&policies.len()) && nearest.len() == near && errors.is_empty() != failures, "{verdict:?}");
    assert!(near > 0 || policies.is_sorted(), "{verdict:?}");
    assert!(nearest.iter().all(|miss| !miss.failed.is_empty()), "what came near missed something: {verdict:?}");
}
