//! The fault matrix: every operation that the functions call, against everything that can go wrong with a call.
//!
//! The table in the README is made by it, and the test fails where the two differ.
//!
//! | variable | meaning |
//! |---|---|
//! | `WRITE=1` | the table is written into the README |
//! | `JSON=FILE` | all cells are written there, and beside it the world of each scene with its policy, for `tests/microburst/run` |
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use privatelink_tests::faults::matrix::Matrix;
use privatelink_tests::faults::play::Prepared;
use privatelink_tests::faults::scene::Scene;
use privatelink_tests::faults::table::MARKS;

/// What only the command line asks for, when a person does.
const OF_THE_COMMAND_LINE: [&str; 2] = ["describe_vpc_endpoint_service_permissions", "get_topic_attributes"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn whatever_goes_wrong_with_a_call_nothing_forbidden_happens_and_the_next_sweep_mends_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    let matrix = Matrix::play();
    assert!(matrix.broken.is_empty(), "{:#?}", matrix.broken);
    if let Some(file) = std::env::var_os("JSON") {
        let file = PathBuf::from(file);
        fs::write(&file, serde_json::to_string_pretty(&matrix.json()).unwrap()).unwrap();
        for scene in Scene::ALL {
            keep(&file.with_file_name(format!("{scene:?}")), &Prepared::new(scene));
        }
    }
    let table = matrix.markdown();
    println!("{table}\n{} cells", matrix.cells.len());
    let file = root().join("README.md");
    let readme = fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(MARKS.0).unwrap();
    let (kept, after) = rest.split_once(MARKS.1).unwrap();
    if std::env::var_os("WRITE").is_some() {
        fs::write(&file, format!("{before}{}\n{table}{}{after}", MARKS.0, MARKS.1)).unwrap();
    } else {
        let command = "WRITE=1 cargo test --workspace --test faults";
        assert_eq!(kept.trim(), table.trim(), "the README is of other times: {command}");
    }
    let played: BTreeSet<String> = matrix.rows.iter().map(|(_, of)| snake(&of.action)).collect();
    let written = operations_of(&root().join("functions/aws/src"));
    assert_eq!(played, written, "what the sources call, and what is in the matrix");
}

/// Keeps a scene's world and its policy folder, for programs that know neither.
fn keep(folder: &Path, prepared: &Prepared) {
    let policy = folder.join("policy");
    fs::create_dir_all(&policy).unwrap();
    fs::write(folder.join("world.json"), &prepared.world).unwrap();
    for file in fs::read_dir(&prepared.set.configs.acceptor.policy_dir).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), policy.join(file.file_name())).unwrap();
    }
}

/// The operations that are called in the sources below a folder: `.describe_subnets()`.
fn operations_of(folder: &Path) -> BTreeSet<String> {
    let verbs =
        ["describe_", "list_", "get_", "change_", "create_", "delete_", "modify_", "start_", "accept_", "reject_"];
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(operations_of(&entry.path()));
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let calls = text.split("()").filter_map(|before| before.rsplit_once('.')).map(|(_, call)| call);
        let named = |call: &&str| {
            let word = call.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            word && (verbs.iter().any(|verb| call.starts_with(verb))
                || call.starts_with("publish")
                || *call == "assume_role")
        };
        found.extend(calls.filter(named).filter(|call| !OF_THE_COMMAND_LINE.contains(call)).map(ToOwned::to_owned));
    }
    found
}

/// `DescribeSubnets` as the SDK's clients call it: `describe_subnets`.
fn snake(action: &str) -> String {
    action.chars().enumerate().fold(String::new(), |mut word, (place, letter)| {
        if letter.is_ascii_uppercase() && place > 0 {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
        word
    })
}
