//! Figures in CloudWatch's embedded metric format: lines of a log from which CloudWatch makes metrics.
//!
//! Its form: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Figures, Metric, Metrics, NAMESPACE};
use crate::ids::ServiceId;

/// The most values that one metric may have in one document.
const MOST_VALUES: usize = 100;
/// The most metrics that one document may have: all there are fit.
const _: () = assert!(Metric::ALL.len() <= 100);

impl Metrics {
    /// One document for the function, and for each service as many as its longest list takes.
    pub fn documents(&self, function: &str, at: OffsetDateTime) -> impl Iterator<Item = Value> {
        let Self { of_function, of_services } = self;
        let services = of_services.iter().map(|(service, figures)| (Some(service), figures));
        std::iter::once((None, of_function)).chain(services).flat_map(move |(service, figures)| {
            (0..).map_while(move |number| document(function, service, figures, number, at))
        })
    }
}

/// The numbers, in the first document, and of each list the part of that number.
fn document(
    function: &str,
    service: Option<&ServiceId>,
    figures: &Figures,
    number: usize,
    at: OffsetDateTime,
) -> Option<Value> {
    let Figures { numbers, lists } = figures;
    let numbers = numbers.iter().filter(|_| number == 0).map(|(metric, value)| (metric, (*value).into()));
    let lists = lists.iter().filter_map(|(metric, values)| {
        let part = values.chunks(MOST_VALUES).nth(number)?;
        Some((metric, part.into()))
    });
    let mut members = Map::new();
    let mut metrics = Vec::new();
    for (metric, value) in numbers.chain(lists) {
        metrics.push(json!({"Name": metric.name(), "Unit": metric.unit().word()}));
        members.insert(metric.name().to_owned(), value);
    }
    if metrics.is_empty() {
        return None;
    }
    let dimensions: &[&str] = if service.is_some() { &["function", "service"] } else { &["function"] };
    members.insert("function".to_owned(), function.into());
    members.extend(service.map(|service| ("service".to_owned(), service.as_str().into())));
    let milliseconds = i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics});
    members.insert("_aws".to_owned(), json!({"Timestamp": milliseconds, "CloudWatchMetrics": [directive]}));
    Some(Value::Object(members))
}
