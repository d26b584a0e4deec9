//! What the targets have in common: what is to be true of every refusal, and a second opinion on what an id is.
//!
//! A target fails by a panic, its own or that of what it calls. `run` runs them all.

use std::collections::BTreeSet;
use std::fmt;

use privatelink_core::policy::PolicyFaults;
use toml::{Table, Value};

/// A refusal says something, begins as the house's errors do, and ends without a full stop.
pub fn refusal(error: &dyn fmt::Display) {
    let text = error.to_string();
    assert!(!text.trim().is_empty(), "a refusal without a word");
    assert!(!text.starts_with(char::is_uppercase), "it begins with a capital letter: {text}");
    assert!(!text.ends_with('.'), "it ends with a full stop: {text}");
}

/// The faults of some files: in order, each of a file that there is, and of a line that the file has.
pub fn faults(faults: &PolicyFaults, files: &[(String, &[u8])]) {
    assert!(!faults.faults().is_empty(), "refused without a fault");
    assert!(faults.faults().is_sorted());
    refusal(faults);
    for fault in faults.faults() {
        refusal(&fault.what);
        let Some(line) = fault.line else { continue };
        let (_, text) = files.iter().find(|(name, _)| *name == fault.file).expect("a line of a file that is not there");
        // A fault may stand behind the last line's end, where something is missing.
        let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!((1..=lines).contains(&line), "line {line} of {lines}: {fault}");
    }
}

/// A file of lines out of a few, one for each byte: most files of other bytes are refused before anything is read in them.
pub fn written(bytes: &[u8], lines: &[&str]) -> String {
    let line = |byte: &u8| lines[usize::from(*byte) % lines.len()];
    bytes.iter().take(40).flat_map(|byte| [line(byte), "\n"]).collect()
}

/// A second reading of a file of tables that was accepted, by the TOML library alone: it knows no key but the one of them.
pub fn tables(bytes: &[u8], of: &str) -> Vec<Table> {
    let text = std::str::from_utf8(bytes).expect("what is accepted is UTF-8");
    let mut file: Table = text.parse().expect("what is accepted is TOML");
    let listed = file.remove(of).unwrap_or_else(|| Value::Array(Vec::new()));
    assert!(file.is_empty(), "a key that nobody knows: {file:?}");
    listed.try_into().expect("a list of tables")
}

/// The service ids and the endpoint ids in a text, found in another way than the product's.
pub fn ids_in(text: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut services, mut endpoints) = (BTreeSet::new(), BTreeSet::new());
    let is_word = |c: char| c.is_ascii_alphanumeric();
    // Where each word begins and ends: an id is three or two of them, with one `-` between each.
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_word(*c)) {
        match words.last_mut() {
            Some((_, end)) if *end == at => *end = at + c.len_utf8(),
            _ => words.push((at, at + c.len_utf8())),
        }
    }
    // The letter of an escape of JSON's belongs to no word.
    for (from, _) in &mut words {
        if text[..*from].ends_with('\\') && text[*from..].starts_with(['b', 'f', 'n', 'r', 't']) {
            *from += 1;
        }
    }
    let word = |n: usize| words.get(n).map(|(from, to)| &text[*from..*to]);
    let joined = |n: usize| matches!(words.get(n..n + 2), Some([(_, end), (begin, _)]) if &text[*end..*begin] == "-");
    let hex = |word: &str| word.len() <= 17 && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    for n in (0..words.len()).filter(|n| word(*n) == Some("vpce") && joined(*n)) {
        let from = words[n].0;
        match word(n + 1) {
            Some("svc") if joined(n + 1) && word(n + 2).is_some_and(hex) => {
                services.insert(&text[from..words[n + 2].1]);
            }
            Some(digits) if hex(digits) => {
                endpoints.insert(&text[from..words[n + 1].1]);
            }
            _ => {}
        }
    }
    (services, endpoints)
}

/// Whether that is a service's id.
pub fn is_service(id: &str) -> bool {
    ids_in(id).0 == BTreeSet::from([id])
}

/// Whether that is an endpoint's id.
pub fn is_endpoint(id: &str) -> bool {
    ids_in(id).1 == BTreeSet::from([id])
}
