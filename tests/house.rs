//! What the house is built on, held against the files: the wall around the core, one copy of each SDK crate, licences,
//! short mains, and a README whose policies and metrics are true.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use privatelink_core::ids::{AccountId, DnsName, EndpointId, ServiceId};
use privatelink_core::metrics::Metric;
use privatelink_core::observed::Service;
use privatelink_core::ownership::{Domains, Publisher};
use privatelink_core::policy::{Counts, Decision, Facts, HoldReason, Policy, SCHEMA, Sources};
use serde_json::Value;

/// The packages that are a Lambda function each.
const FUNCTIONS: [&str; 3] = ["connection-acceptor", "domain-verifier", "endpoint-configurator"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.current_dir(root()).args(["metadata", "--format-version", "1", "--locked"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> BTreeMap<&str, &Value> {
    metadata["packages"].as_array().unwrap().iter().map(|package| (package["id"].as_str().unwrap(), package)).collect()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The names of everything that a package is built from, its tests left out.
fn built_from<'m>(metadata: &'m Value, of: &str) -> BTreeSet<&'m str> {
    let packages = packages(metadata);
    let nodes: BTreeMap<_, _> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let start = packages.iter().find(|(_, package)| name(package) == of).unwrap().0;
    let mut todo = vec![*start];
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let normal = dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str().unwrap();
            if normal && seen.insert(id) {
                todo.push(id);
            }
        }
    }
    seen.into_iter().map(|id| name(packages[id])).collect()
}

#[test]
fn the_core_knows_no_cloud_and_no_runtime() {
    let metadata = metadata();
    let core = built_from(&metadata, "privatelink-core");
    let strangers = core.iter().filter(|name| {
        ["tokio", "hyper", "http", "tracing", "rand", "fastrand", "reqwest"].contains(name) || name.starts_with("aws")
    });
    assert_eq!(strangers.collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(core.contains("cedar-policy"), "nothing was looked at");
    for knows_no_sdk in ["privatelink-lambda", "privatelink-region"] {
        let parts = built_from(&metadata, knows_no_sdk);
        assert!(!parts.iter().any(|name| name.starts_with("aws-sdk")), "{knows_no_sdk}");
    }
    assert!(built_from(&metadata, "connection-acceptor").contains("aws-sdk-ec2"));
}

#[test]
fn who_asks_dns_knows_nothing_of_aws_and_the_rule_knows_nothing_of_asking() {
    let metadata = metadata();
    let dns = built_from(&metadata, "privatelink-dns");
    let strangers = dns.iter().filter(|name| name.starts_with("aws") || ["hyper", "http", "reqwest"].contains(name));
    assert_eq!(strangers.collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(dns.contains("hickory-proto"), "nothing was looked at");
    for functions_own in ["privatelink-core", "privatelink-lambda"] {
        let parts = built_from(&metadata, functions_own);
        assert!(!parts.iter().any(|name| name.starts_with("hickory")), "{functions_own}");
    }
}

#[test]
fn a_function_is_built_from_what_it_needs_and_never_from_the_region() {
    let metadata = metadata();
    for function in FUNCTIONS {
        let parts = built_from(&metadata, function);
        assert!(parts.contains("aws-sdk-ec2") && parts.contains("privatelink-lambda"), "{function}");
        let others = FUNCTIONS.iter().filter(|other| **other != function);
        for stranger in others.chain(&["privatelink-region", "privatelink-tests", "privatelink", "hickory-server"]) {
            assert!(!parts.contains(stranger), "{function}: {stranger}");
        }
    }
    let verifier = built_from(&metadata, "domain-verifier");
    for needed in ["aws-sdk-route53", "aws-sdk-sns", "aws-sdk-sts", "privatelink-dns"] {
        assert!(verifier.contains(needed), "{needed}");
    }
}

#[test]
fn the_prober_has_no_api_to_call() {
    let metadata = metadata();
    let parts = built_from(&metadata, "connectivity-prober");
    let strangers = parts.iter().filter(|name| {
        ["privatelink-aws", "privatelink-region", "privatelink-tests"].contains(name) || name.starts_with("aws-")
    });
    assert_eq!(strangers.collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(parts.contains("privatelink-probe") && parts.contains("rustls"), "nothing was looked at");
    assert!(read("functions/connectivity-prober/src/main.rs").lines().count() <= 40);
}

#[test]
fn no_sdk_crate_is_there_twice() {
    let metadata = metadata();
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages(&metadata).values().filter(|package| name(package).starts_with("aws-")) {
        *versions.entry(name(package)).or_default() += 1;
    }
    assert!(versions.contains_key("aws-sdk-ec2"));
    assert_eq!(versions.into_iter().filter(|(_, n)| *n > 1).collect::<Vec<_>>(), []);
}

#[test]
fn every_licence_is_permissive() {
    let permissive = [
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-1-Clause",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "CDLA-Permissive-2.0",
        "ISC",
        "MIT",
        "MIT-0",
        "Unicode-3.0",
        "Unlicense",
        "Zlib",
    ];
    let metadata = metadata();
    for package in packages(&metadata).values() {
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        // Of alternatives one has to be permissive, of parts that all hold, every one.
        let allowed = licence.split(" AND ").all(|part| {
            part.trim_matches(['(', ')', ' '])
                .split(" OR ")
                .any(|one| permissive.contains(&one.trim_matches(['(', ')', ' '])))
        });
        assert!(allowed, "{}: `{licence}`", name(package));
    }
}

#[test]
fn mains_are_short_and_the_core_holds_no_sdk_type() {
    for function in FUNCTIONS {
        assert!(read(&format!("functions/{function}/src/main.rs")).lines().count() <= 40, "{function}");
    }
    let own = FUNCTIONS.map(|function| format!("functions/{function}/src"));
    let others =
        ["connectivity-prober", "core", "dns", "lambda", "probe", "region"].map(|room| format!("functions/{room}/src"));
    for folder in own.iter().chain(&others) {
        let files = sources(&root().join(folder));
        assert!(!files.is_empty(), "{folder}");
        for path in files {
            assert!(!fs::read_to_string(&path).unwrap().contains("aws_sdk"), "{}", path.display());
        }
    }
}

/// All Rust files of a folder and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The blocks of the README in that language.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The README's tables of that kind.
fn tables(kind: &str) -> String {
    let of_kind = |block: &String| block.contains(&format!("[[{kind}]]"));
    blocks("toml").into_iter().filter(of_kind).collect()
}

#[test]
fn the_domains_of_the_readme_are_read_as_it_says() {
    let domains = Domains::load(tables("domain").as_bytes()).unwrap();
    let publisher = |name| domains.publisher(&DnsName::parse(name).unwrap());
    assert_eq!(publisher("api.example.com"), Publisher::Person);
    assert!(matches!(publisher("api.eu.example.com"), Publisher::Role(_)));
}

fn readme_policy(cedar: &str) -> Policy {
    let consumers = tables("consumer");
    Policy::load(&[("consumers.toml", consumers.as_str()), ("readme.cedar", cedar)].into_iter().collect::<Sources>())
        .unwrap()
}

#[test]
fn every_policy_of_the_readme_loads() {
    let cedar = blocks("cedar");
    assert!(cedar.len() >= 7, "{}", cedar.len());
    for block in &cedar {
        assert_eq!(readme_policy(block).warnings(), [""; 0], "{block}");
    }
    readme_policy(&cedar.concat());
}

/// What the README's policy with that id makes of a connection, beside one that welcomes everybody where that is wanted.
fn decide(id: &str, welcome: bool, change: impl FnOnce(&mut Service, &mut Facts)) -> Decision {
    let block = blocks("cedar").into_iter().find(|block| block.contains(&format!("@id(\"{id}\")"))).unwrap();
    let everybody = r#"@id("test-everybody") permit(principal, action == PrivateLink::Action::"Accept", resource);"#;
    let policy = readme_policy(&if welcome { format!("{block}\n{everybody}") } else { block });
    let mut service = Service {
        id: ServiceId::parse("vpce-svc-0a").unwrap(),
        name: String::new(),
        region: "us-west-2".to_owned(),
        private_dns: None,
        ip_address_types: Default::default(),
        acceptance_required: true,
        tags: Default::default(),
    };
    let mut facts = Facts {
        account: AccountId::parse("111122223333").unwrap(),
        endpoint_id: EndpointId::parse("vpce-0a").unwrap(),
        endpoint_region: "us-west-2".to_owned(),
        cross_region: false,
        ip_address_type: "ipv4".to_owned(),
        age_seconds: 0,
        counts: Counts::default(),
    };
    change(&mut service, &mut facts);
    policy.at(&service).unwrap().judge(&facts).decision
}

#[test]
fn the_policies_of_the_readme_do_what_it_says() {
    let stranger = |facts: &mut Facts| facts.account = AccountId::parse("999999999999").unwrap();
    let held = Decision::Hold(HoldReason::NoPolicyMatched);
    let forbidden = Decision::Hold(HoldReason::Forbidden);

    assert_eq!(decide("partners-may-connect", false, |_, _| {}), Decision::Accept);
    assert_eq!(decide("partners-may-connect", false, |_, facts| stranger(facts)), held);

    let with = |n| move |_: &mut Service, facts: &mut Facts| facts.counts.consumer_connections = n;
    assert_eq!(decide("no-more-than-agreed", true, with(19)), Decision::Accept);
    assert_eq!(decide("no-more-than-agreed", true, with(20)), forbidden);

    assert_eq!(decide("only-from-us-west-2", true, |_, _| {}), Decision::Accept);
    assert_eq!(
        decide("only-from-us-west-2", true, |_, facts| facts.endpoint_region = "eu-west-1".to_owned()),
        forbidden
    );

    let tier = |value: &'static str| {
        move |service: &mut Service, _: &mut Facts| drop(service.tags.insert("exposure".to_owned(), value.to_owned()))
    };
    assert_eq!(decide("only-services-for-partners", true, tier("partners")), Decision::Accept);
    assert_eq!(decide("only-services-for-partners", true, tier("internal")), forbidden);
    assert_eq!(decide("only-services-for-partners", true, |_, _| {}), forbidden);

    let initech = |_: &mut Service, facts: &mut Facts| facts.account = AccountId::parse("222233334444").unwrap();
    assert_eq!(decide("initech-is-turned-away", true, initech), Decision::Reject);
    assert_eq!(decide("initech-is-turned-away", true, |_, _| {}), Decision::Accept);

    assert_eq!(decide("frozen", true, |_, _| {}), forbidden);

    let aged = |days: i64| {
        move |_: &mut Service, facts: &mut Facts| {
            stranger(facts);
            facts.age_seconds = days * 86_400;
        }
    };
    assert_eq!(decide("old-requests-go", false, aged(13)), held);
    assert_eq!(decide("old-requests-go", false, aged(15)), Decision::Reject);
}

#[test]
fn the_schema_of_the_readme_is_the_schema() {
    assert_eq!(blocks("cedarschema"), [SCHEMA]);
}

#[test]
fn the_metrics_of_the_readme_are_those_that_are_counted() {
    let readme = read("README.md");
    let section = readme.split("\n## Metrics\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut told = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names: Vec<&str> = cells[1].split(", ").map(|name| name.trim_matches('`')).collect();
        let units: Vec<&str> = cells[2].split(", ").collect();
        // One unit is that of all.
        let units = units.iter().cycle().take(if units.len() == 1 { names.len() } else { units.len() });
        told.extend(names.into_iter().zip(units.copied()));
    }
    let counted = Metric::ALL.iter().map(|metric| (metric.name(), metric.unit().word()));
    assert_eq!(told, counted.collect::<BTreeMap<_, _>>());
}
