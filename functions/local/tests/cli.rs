//! The command line, as a person at a terminal or a program behind a pipe meets it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else must fail"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_privatelink")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/policy")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// The rows of the tour's table, as consumer, decision and state.
fn rows(text: &str) -> Vec<(String, String, String)> {
    let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows = words.filter(|words| words.len() > 4 && words[1].len() == 12 && words[1].parse::<u64>().is_ok());
    let rows = rows.filter(|words| ["accepted", "rejected", "held"].contains(&words[2]));
    rows.map(|words| (words[0].to_owned(), words[2].to_owned(), words[3].to_owned())).collect()
}

fn row(consumer: &str, decision: &str, state: &str) -> (String, String, String) {
    (consumer.to_owned(), decision.to_owned(), state.to_owned())
}

#[test]
fn without_a_command_the_tour_shows_every_decision_and_why() {
    let output = run(&[]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(
        rows(&text),
        [
            row("acme", "accepted", "available"),
            row("globex", "accepted", "available"),
            row("?", "held", "pendingAcceptance"),
            row("acme", "accepted", "available"),
            row("initech", "rejected", "rejected"),
            row("acme", "held", "pendingAcceptance"),
        ],
        "{text}"
    );
    assert!(text.contains("needs context.consumerConnections < principal.consumer.maxConnections"), "{text}");
    assert!(text.contains(r#"needs principal in Group::"partners""#), "{text}");
    assert!(text.contains("0 things to do"), "{text}");
    assert!(text.contains("What to try next"), "{text}");
}

#[test]
fn the_tour_ends_with_a_consumers_call_by_private_name_over_both_families() {
    let text = stdout(&run(&["tour", "--seed", "2"]));
    // Each step is there, and after the one before.
    let mut rest = text.as_str();
    for step in [
        "set by its owner's function: dual-stack",
        "api.example.com is verified",
        "available again",
        "8 of 8 work (names: Regional, zonal, private; over IPv4, IPv6)",
        "111122223333 acme     calls api.example.com from inside its VPC",
        "over IPv4: 127.0.0.1 port",
        "over IPv6: ::1 port",
        "\n\n",
    ] {
        let (_, after) = rest.split_once(step).unwrap_or_else(|| panic!("`{step}` is missing from {text}"));
        rest = after;
    }
    assert_eq!(text.matches("answers with HTTP 200").count(), 2, "{text}");
}

#[test]
fn there_is_no_colour_in_a_pipe() {
    assert!(!stdout(&run(&[])).contains('\u{1b}'));
    assert!(!stdout(&run(&["check", &shipped().display().to_string()])).contains('\u{1b}'));
}

#[test]
fn the_tour_shows_what_a_policy_of_ones_own_makes_of_it() {
    let frozen =
        folder(&[("consumers.toml", ""), ("freeze.cedar", r#"@id("frozen") forbid(principal, action, resource);"#)]);
    let text = stdout(&run(&["tour", "--policy", &frozen.path().display().to_string()]));
    assert_eq!(rows(&text).len(), 6, "{text}");
    assert!(
        rows(&text).iter().all(|(_, decision, state)| decision == "held" && state == "pendingAcceptance"),
        "{text}"
    );
    assert!(!text.contains("inside its VPC") && !text.contains("owner's function"), "{text}");

    let output = run(&["tour", "--policy", "/nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere"));
}

#[test]
fn the_shipped_policy_is_without_fault_and_warning() {
    let output = run(&["check", "--strict", "--json", &shipped().display().to_string()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!((&report["ok"], &report["faults"], &report["warnings"]), (&json!(true), &json!([]), &json!([])));
    assert_eq!((&report["policies"], &report["consumers"]), (&json!(3), &json!(3)));
}

#[test]
fn check_tells_every_fault_and_ends_with_1() {
    let bad = folder(&[
        ("consumers.toml", "[[consumer]]\nname = \"acme\"\naccounts = [\"11112222333\"]\n"),
        ("a.cedar", "permit(principal, action, resource);\n@id(\"b\") permit(principal, action, resorce);\n"),
    ]);
    let output = run(&["check", &bad.path().display().to_string()]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    for place in ["a.cedar:1: ", "a.cedar:2: ", "consumers.toml:3: "] {
        assert!(text.contains(place), "{place} is missing from {text}");
    }
    let missing = run(&["check", "/nowhere"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stdout(&missing).contains("/nowhere: the policy folder can not be read"));
}

#[test]
fn a_warning_is_a_fault_only_where_it_is_asked_for() {
    let loose = folder(&[
        ("consumers.toml", "[[consumer]]\nname = \"acme\"\naccounts = [\"111122223333\"]\n"),
        ("a.cedar", r#"@id("a") permit(principal, action, resource);"#),
    ]);
    let path = loose.path().display().to_string();
    let output = run(&["check", &path]);
    assert!(output.status.success() && stdout(&output).contains("consumer `acme` is permitted both actions"));
    assert_eq!(run(&["check", "--strict", &path]).status.code(), Some(1));
}

#[test]
fn schema_prints_what_policies_are_held_to() {
    assert_eq!(stdout(&run(&["schema"])), privatelink_core::policy::SCHEMA);
}

#[test]
fn help_names_every_command() {
    let text = stdout(&run(&["--help"]));
    for command in ["tour", "check", "schema"] {
        assert!(text.contains(command), "{text}");
    }
}
