//! The requests that came last, as they came: a client's side of the wire, to be held against AWS's models.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::Request;

/// How many are kept.
const KEPT: usize = 1000;

/// The last requests, the oldest first.
#[derive(Debug, Default)]
pub struct Requests(VecDeque<Request>);

impl Requests {
    pub(crate) fn push(&mut self, request: &Request) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(request.clone());
    }

    /// The requests as JSON, with the service that each was signed for. Signatures are left out.
    pub fn to_json(&self) -> Value {
        let requests = self.0.iter().map(|Request { method, path, query, authorization, body }| {
            let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
            let service = scope.split('/').nth(3).unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            json!({"service": service, "method": method, "path": path, "query": query, "body": body})
        });
        requests.collect()
    }
}
