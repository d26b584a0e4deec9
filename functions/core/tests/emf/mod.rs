//! What CloudWatch asks of an embedded metric document, and what this product asks of itself: no member that is neither
//! a figure nor what it belongs to.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

const LARGEST: usize = 256 * 1024;
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// A document's dimensions, and its metrics with their values.
pub(crate) type Read = (BTreeMap<String, String>, BTreeMap<String, Vec<u64>>);

/// Reads a document, or says what is wrong with it.
pub(crate) fn read(document: &Value) -> Result<Read, String> {
    if document.to_string().len() > LARGEST {
        return Err("it is larger than an event of the log may be".to_owned());
    }
    let root = document.as_object().ok_or("it is no object")?;
    let meta = only(root.get("_aws").ok_or("no `_aws`")?, &["Timestamp", "CloudWatchMetrics"])?;
    let at = meta["Timestamp"].as_u64().ok_or("`Timestamp` is no whole number")?;
    if !(1_500_000_000_000..5_000_000_000_000).contains(&at) {
        return Err(format!("`{at}` are no milliseconds of our time"));
    }
    let directives = meta["CloudWatchMetrics"].as_array().ok_or("`CloudWatchMetrics` is no list")?;
    if directives.len() != 1 {
        return Err(format!("{} directives", directives.len()));
    }
    let directive = only(&directives[0], &["Namespace", "Dimensions", "Metrics"])?;
    let namespace = directive["Namespace"].as_str().unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_/#:".contains(c);
    if namespace.is_empty() || namespace.len() > 255 || namespace.starts_with("AWS/") || !namespace.chars().all(legal) {
        return Err(format!("the namespace `{namespace}`"));
    }
    let mut dimensions = BTreeMap::new();
    let sets = directive["Dimensions"].as_array().filter(|sets| !sets.is_empty()).ok_or("no dimensions")?;
    for set in sets {
        for name in set.as_array().filter(|set| set.len() <= 30).ok_or("a set of dimensions is none")? {
            let name = text(name, 250)?;
            let value = text(root.get(name).ok_or(format!("the dimension `{name}` has no value"))?, 1024)?;
            dimensions.insert(name.to_owned(), value.to_owned());
        }
    }
    let mut metrics = BTreeMap::new();
    let defined = directive["Metrics"].as_array().filter(|all| (1..=100).contains(&all.len()));
    for definition in defined.ok_or("the metrics are none or too many")? {
        let definition = only(definition, &["Name", "Unit"])?;
        let (name, unit) = (text(&definition["Name"], 1024)?, text(&definition["Unit"], 100)?);
        if !UNITS.contains(&unit) {
            return Err(format!("the unit `{unit}`"));
        }
        let value = root.get(name).ok_or(format!("the metric `{name}` has no value"))?;
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if !(1..=100).contains(&values.len()) {
            return Err(format!("{} values of `{name}`", values.len()));
        }
        let numbers: Option<Vec<u64>> = values.iter().map(Value::as_u64).collect();
        if metrics.insert(name.to_owned(), numbers.ok_or(format!("`{name}` is no number"))?).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    let known: BTreeSet<&str> = dimensions.keys().chain(metrics.keys()).map(String::as_str).chain(["_aws"]).collect();
    match root.keys().find(|member| !known.contains(member.as_str())) {
        Some(member) => Err(format!("`{member}` belongs to nothing")),
        None => Ok((dimensions, metrics)),
    }
}

fn only<'v>(value: &'v Value, members: &[&str]) -> Result<&'v Map<String, Value>, String> {
    let object = value.as_object().ok_or(format!("`{value}` is no object"))?;
    let there: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    let asked: BTreeSet<&str> = members.iter().copied().collect();
    if there == asked { Ok(object) } else { Err(format!("{there:?} and not {asked:?}")) }
}

fn text(value: &Value, longest: usize) -> Result<&str, String> {
    let text = value.as_str().ok_or(format!("`{value}` is no text"))?;
    if (1..=longest).contains(&text.len()) { Ok(text) } else { Err(format!("`{text}` is empty or too long")) }
}
