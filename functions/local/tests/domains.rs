//! The commands of operators on private DNS names, against a Region with zones and name servers on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use common::Desk;
use privatelink_region::dns::{DnsFault, DnsFaultKind, Layout, NameServers, Options, serve};
use privatelink_region::route53::{Name, ZoneDraft};
use privatelink_region::world::ServiceDraft;
use privatelink_tests::domains::{CHECK, PROPAGATION};
use privatelink_tests::{PROVIDER, Stage};
use serde_json::{Value, json};

/// A desk with name servers, a zone, and a service whose name belongs into it.
async fn open() -> (Desk, NameServers, String) {
    let stage = Stage::new();
    let servers = serve(&stage.region, Options { layout: Layout::Ports(0), ipv6_only: false }).await.unwrap();
    let service = {
        let mut world = stage.region.world();
        let now = world.now();
        let name = Name::parse("example.com").unwrap();
        let draft = ZoneDraft { name, caller_reference: "1".to_owned(), comment: None, vpcs: Vec::new() };
        world.route53.create_zone(PROVIDER, draft, now);
        let draft = ServiceDraft { private_dns_name: Some("api.example.com".to_owned()), ..ServiceDraft::default() };
        world.create_service(PROVIDER, ServiceDraft { acceptance_required: true, ..draft }).id.clone()
    };
    stage.region.step(PROPAGATION);
    let mut desk = Desk::at(stage).await;
    let list: Vec<_> = servers.name_servers().iter().map(ToString::to_string).collect();
    desk.set("PRIVATELINK_DNS_SERVER", list.join(","));
    (desk, servers, service)
}

fn state(desk: &Desk, service: &str) -> &'static str {
    desk.stage.region.world().services[service].private_dns_name.as_ref().unwrap().state.word()
}

#[tokio::test]
async fn plan_shows_the_record_and_apply_proves_the_name() {
    let (desk, _servers, service) = open().await;
    let (good, text) = desk.run(&["plan"]).await;
    assert!(good && text.contains("write-record") && text.contains("api.example.com"), "{text}");
    let (_, text) = desk.run(&["plan", "--json"]).await;
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["domains"][0]["effects"][0]["effect"], "write-record");
    assert_eq!(plan["domains"][0]["serviceId"], json!(service));

    let (good, text) = desk.run(&["apply", "--yes"]).await;
    assert!(good && text.contains("write-record") && text.contains("done"), "{text}");
    desk.stage.region.step(PROPAGATION);
    let (good, text) = desk.run(&["apply", "--yes"]).await;
    assert!(good && text.contains("start-check"), "{text}");
    desk.stage.region.step(CHECK);
    assert_eq!(state(&desk, &service), "verified");
    let (good, text) = desk.run(&["apply", "--yes"]).await;
    // There is no topic of the operators, so that whoever runs the command is told.
    assert!(good && text.contains("DomainVerified"), "{text}");
    let (good, text) = desk.run(&["plan"]).await;
    assert!(good && text.contains("already right"), "{text}");
}

#[tokio::test]
async fn diagnose_names_the_cause_and_what_to_do() {
    let (desk, _servers, _) = open().await;
    let (good, text) = desk.run(&["diagnose", "api.example.com"]).await;
    assert!(!good && text.contains("record missing") && text.contains("IN TXT \"vpce:"), "{text}");
    desk.run(&["apply", "--yes"]).await;
    desk.stage.region.step(PROPAGATION);
    let (good, text) = desk.run(&["diagnose", "API.example.com."]).await;
    assert!(good && text.contains("the world can read it"), "{text}");

    let zone = Name::parse("example.com").unwrap();
    desk.stage.region.world().dns.add(DnsFault { zone, kind: DnsFaultKind::NotDelegated });
    let (good, text) = desk.run(&["diagnose", "api.example.com", "--json"]).await;
    let json_text = text.lines().next().unwrap();
    let found: Value = serde_json::from_str(json_text).unwrap();
    assert_eq!((good, &found["diagnosis"]), (false, &json!("zone-not-delegated")));
    assert!(found["fix"].as_str().unwrap().contains("ns-"), "the servers to name: {found}");
}

#[tokio::test]
async fn diagnose_needs_no_account_where_it_is_told_the_record() {
    let (desk, servers, _) = open().await;
    desk.stage.region.world().published_txt.insert(("_x.api.example.org".to_owned(), "vpce:AbC".to_owned()));
    let server = servers.name_servers()[0].to_string();
    let asked = ["diagnose", "api.example.org", "--record", "_x", "--server", &server, "--value"];
    let (good, text) = desk.run(&[&asked[..], &["vpce:AbC"]].concat()).await;
    assert!(good, "{text}");
    let (good, text) = desk.run(&[&asked[..], &["vpce:aBc"]].concat()).await;
    assert!(!good && text.contains("value lower cased"), "{text}");
    let (good, text) = desk.run(&["diagnose", "other.example.org"]).await;
    assert!(!good && text.contains("no service of this account") && text.contains("--record"), "{text}");
}

#[tokio::test]
async fn doctor_tells_whether_a_domain_can_be_proved() {
    let (desk, _servers, _) = open().await;
    let (_, text) = desk.run(&["doctor"]).await;
    for question in
        ["is there a place for the record of api.example.com?", "may the check of api.example.com be started?"]
    {
        let line = text.lines().find(|line| line.contains(question)).unwrap_or_else(|| panic!("{question}: {text}"));
        assert!(line.starts_with("yes"), "{line}");
    }
}

#[tokio::test]
async fn check_tells_the_faults_of_the_domains_file_as_well() {
    let (desk, _servers, _) = open().await;
    let folder = desk.stage.policy.path().display().to_string();
    assert!(desk.run(&["check", &folder]).await.0);
    desk.stage.write("domains.toml", "[[domain]]\nname = \"example.com\"\ndns = \"bind\"\n");
    let (good, text) = desk.run(&["check", &folder]).await;
    assert!(!good && text.contains("domains.toml:3") && text.contains("`bind`"), "{text}");
}
