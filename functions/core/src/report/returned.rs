//! The return value's form, and how much of it Lambda takes.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::{Failure, Outcome};
use crate::config::Mode;
use crate::plan::Skip;
use crate::probe;
use crate::trigger::Record;

/// The return value, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Returned<'r> {
    pub(super) function: &'r str,
    pub(super) mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_digest: Option<&'r str>,
    pub(super) outcomes: &'r [Outcome],
    pub(super) skipped: &'r [Skip],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoints: Option<&'r [probe::Endpoint]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) truncated: Option<Truncated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch_item_failures: Option<Vec<Item<'r>>>,
}

#[derive(Serialize)]
pub(super) struct Truncated {
    pub(super) outcomes: usize,
    pub(super) skipped: usize,
    #[serde(skip_serializing_if = "is_none")]
    pub(super) endpoints: usize,
}

fn is_none(n: &usize) -> bool {
    *n == 0
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item<'r> {
    pub(super) item_identifier: &'r str,
}

impl<'r> Item<'r> {
    pub(super) fn of(record: &'r Record) -> Self {
        Self { item_identifier: &record.id }
    }
}

impl Returned<'_> {
    pub(super) fn write(&self) -> Result<Box<RawValue>, Failure> {
        to_raw_value(self).map_err(|error| Failure::Retry(format!("the return value can not be written: {error}")))
    }
}

/// As many entries as there is room for, in bytes of JSON.
pub(super) fn fitting<'e, T: Serialize>(entries: &'e [T], room: &mut usize) -> &'e [T] {
    let fits = |entry: &&T| {
        let size = serde_json::to_string(entry).map_or(usize::MAX, |text| text.len() + 1);
        let left = room.checked_sub(size);
        *room = left.unwrap_or(0);
        left.is_some()
    };
    let shown = entries.iter().take_while(fits).count();
    entries.get(..shown).unwrap_or_default()
}
