//! What CloudWatch is told of an invocation, in a form that tests can look things up in.

use std::collections::BTreeMap;

use privatelink_core::report::Answer;
use serde_json::Value;
use time::OffsetDateTime;

/// The figures of one invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The function's own.
    pub of_function: BTreeMap<String, u64>,
    /// Those of each service. A list that went over several documents is one again.
    pub of_services: BTreeMap<String, BTreeMap<String, Vec<u64>>>,
}

impl Figures {
    /// Reads them from an answer's documents.
    pub fn of(answer: &Answer) -> Self {
        Self::read(answer.counted(OffsetDateTime::UNIX_EPOCH))
    }

    /// Reads them from documents, each of which is known by its `_aws`.
    pub fn read(documents: impl IntoIterator<Item = Value>) -> Self {
        let mut figures = Self::default();
        for document in documents {
            let metrics = document["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                let value = &document[name];
                let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                let values: Vec<u64> = values.iter().map(|value| value.as_u64().unwrap()).collect();
                match document.get("service").map(|service| service.as_str().unwrap()) {
                    Some(service) => {
                        let of_service = figures.of_services.entry(service.to_owned()).or_default();
                        of_service.entry(name.to_owned()).or_default().extend(values);
                    }
                    None => drop(figures.of_function.insert(name.to_owned(), values[0])),
                }
            }
        }
        figures
    }

    /// Some of the function's figures, in that order. What is not there is nothing.
    pub fn some<const N: usize>(&self, names: [&str; N]) -> [Option<u64>; N] {
        names.map(|name| self.of_function.get(name).copied())
    }

    /// A service's figures, as they are compared.
    pub fn service(&self, service: &str) -> Vec<(&str, &[u64])> {
        let figures = self.of_services.get(service).into_iter().flatten();
        figures.map(|(name, values)| (name.as_str(), values.as_slice())).collect()
    }
}
