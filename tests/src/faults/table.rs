//! The matrix in the forms in which it is kept: a table for the README, and JSON for other programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::fault::{Fault, Often};
use super::matrix::{Cell, Matrix};
use super::way::{LATER_PAGE, Operation};
use super::word::Word;
use crate::simulation::functions::Function;

/// The line before the table in the README, and the one after it.
pub const MARKS: (&str, &str) = ("<!-- faults: begin -->", "<!-- faults: end -->");

/// A function's name.
pub fn name(function: Function) -> &'static str {
    match function {
        Function::Acceptor => "connection-acceptor",
        Function::Verifier => "domain-verifier",
        Function::Notifier => "availability-notifier",
        Function::Configurator => "endpoint-configurator",
    }
}

impl Matrix {
    /// The rows of the table, in which a later page is a call of its operation like any other.
    fn table_rows(&self) -> Vec<(Function, Operation)> {
        let mut rows = self.rows.clone();
        rows.retain(|(_, of)| of.part != LATER_PAGE);
        rows
    }

    /// The cells of one operation and fault: once, and for ever.
    fn cells_of(&self, function: Function, of: &Operation, fault: Fault) -> impl Iterator<Item = &Cell> {
        let page = Operation { action: of.action.clone(), part: LATER_PAGE };
        let paged = of.part.is_empty() && fault.concerns(&page);
        let of = if paged { page } else { of.clone() };
        let fault = fault.of(&of);
        let found = move |cell: &&Cell| cell.scene.function() == function && cell.of == of && cell.fault == fault;
        self.cells.iter().filter(found)
    }

    /// What stands in one place of the table: `once / for ever`, or one word where both are the same.
    fn place(&self, function: Function, of: &Operation, faults: &[Fault]) -> String {
        let words = |often: Often| {
            let cells = faults.iter().flat_map(|fault| self.cells_of(function, of, *fault));
            let mut words: Vec<Word> = cells.filter(|cell| cell.often == often).map(|cell| cell.word).collect();
            words.sort();
            words.dedup();
            words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
        };
        let [once, for_ever] = Often::ALL.map(words);
        if once == for_ever { once } else { format!("{once} / {for_ever}") }
    }

    /// The table with its legend, as Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let headings: Vec<&str> = Fault::COLUMNS.iter().map(|(heading, _)| *heading).collect();
        let _ = writeln!(out, "| operation | {} |\n|---|{}", headings.join(" | "), "---|".repeat(headings.len()));
        let mut last = None;
        for (function, of) in self.table_rows() {
            if last != Some(function) {
                let _ = writeln!(out, "| **{}** |{}", name(function), " |".repeat(headings.len()));
                last = Some(function);
            }
            let places = Fault::COLUMNS.iter().map(|(_, faults)| self.place(function, &of, faults));
            let _ = writeln!(out, "| {of} | {} |", places.collect::<Vec<_>>().join(" | "));
        }
        out.push_str("\n| word | what came of it |\n|---|---|\n");
        for word in Word::ALL {
            let _ = writeln!(out, "| {word} | {} |", word.meaning());
        }
        out
    }

    /// All cells, as JSON: for each what the function answered, too.
    pub fn json(&self) -> Value {
        let cell = |cell: &Cell| {
            let Cell { scene, of, fault, often, word, answer } = cell;
            json!({
                "scene": format!("{scene:?}"),
                "function": name(scene.function()),
                "operation": of.action,
                "part": of.part,
                "fault": fault.word(),
                "often": often.word(),
                "word": word.to_string(),
                "answer": answer,
            })
        };
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for cell in &self.cells {
            *counted.entry(cell.word.to_string()).or_default() += 1;
        }
        json!({"cells": self.cells.iter().map(cell).collect::<Vec<_>>(), "counted": counted})
    }
}
