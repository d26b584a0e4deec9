//! TOML files of tables, walked by hand and not derived, so that all their faults are told at once, each with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::Fault;

/// A value with its place.
pub(crate) type Value<'v> = Spanned<DeValue<'v>>;

/// A file that is being walked, and what was wrong with it so far.
pub(crate) struct Tables<'t> {
    file: &'static str,
    text: &'t str,
    faults: &'t mut Vec<Fault>,
}

impl<'t> Tables<'t> {
    /// The tables `[[key]]` of a file that holds nothing else, each handed to `each` with where it begins.
    pub(crate) fn walk(
        file: &'static str,
        bytes: &'t [u8],
        key: &str,
        faults: &'t mut Vec<Fault>,
        mut each: impl FnMut(&mut Self, &DeTable<'_>, usize),
    ) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return faults.push(Fault::new(file, None, format!("not UTF-8: {error}"))),
        };
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut tables = Self { file, text, faults };
        for error in &errors {
            tables.fault(error.span().map_or(0, |span| span.start), error.message());
        }
        // After a syntax error the table is a guess, and what is wrong with a guess helps nobody.
        if !errors.is_empty() {
            return;
        }
        for (found, value) in document.get_ref() {
            if found.get_ref() != key {
                let what = format!("unknown key `{}`; the file holds `[[{key}]]` tables", found.get_ref());
                tables.fault(found.span().start, what);
                continue;
            }
            let Some(array) = value.get_ref().as_array() else {
                tables.fault(value.span().start, format!("`{key}` is no list; write `[[{key}]]`"));
                continue;
            };
            for value in array.iter() {
                let at = value.span().start;
                match value.get_ref().as_table() {
                    Some(table) => each(&mut tables, table, at),
                    None => tables.fault(at, format!("a {key} is a table: `[[{key}]]`")),
                }
            }
        }
    }

    /// The line of a place, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// Something is wrong at a place.
    pub(crate) fn fault(&mut self, at: usize, what: impl Into<String>) {
        let line = self.line(at);
        self.faults.push(Fault::new(self.file, Some(line), what));
    }

    /// A string that is not empty.
    pub(crate) fn string(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.fault(value.span().start, format!("`{key}` holds an empty string")),
            Some(text) => return Some(text.to_owned()),
            None => self.fault(value.span().start, format!("`{key}` wants strings, in quotes")),
        }
        None
    }

    /// A list of strings, each with its place.
    pub(crate) fn strings(&mut self, key: &str, value: &Value<'_>) -> Vec<(String, usize)> {
        let Some(array) = value.get_ref().as_array() else {
            self.fault(value.span().start, format!("`{key}` is no list of strings"));
            return Vec::new();
        };
        let item = |item: &Value<'_>| self.string(key, item).map(|text| (text, item.span().start));
        array.iter().filter_map(item).collect()
    }
}
