//! For a connection that no policy accepts: the policies that came nearest to accepting it, and what was missing.
//!
//! Each policy that permits is taken apart into clauses, the constraints of its scope and the top-level conjuncts of
//! its conditions, and each clause becomes a policy of its own. Judged with those, a connection satisfies the clauses
//! that Cedar names as reasons; the policy with the fewest others came nearest.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Authorizer, Entities, Policy as CedarPolicy, PolicyId, PolicySet, Request};
use serde::Serialize;
use serde_json::{Value, json};

use super::cedar::permits;

/// At most this many policies are named.
const MOST: usize = 3;

/// A policy that would have accepted, and what kept it from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// Its id.
    pub policy: String,
    /// The clauses that did not hold, as Cedar writes them.
    pub failed: Vec<String>,
}

/// The clauses of all policies that could accept. Policies have many in common, and each is kept and judged once.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    policies: Vec<(String, Vec<Clause>)>,
    set: PolicySet,
}

#[derive(Debug, Clone)]
struct Clause {
    id: PolicyId,
    text: String,
}

impl Clauses {
    pub(super) fn of<'p>(policies: impl Iterator<Item = &'p CedarPolicy>) -> Result<Self, String> {
        let mut this = Self::default();
        let mut known: HashMap<String, Clause> = HashMap::new();
        for policy in policies.filter(|policy| permits(policy)) {
            let name: &str = policy.id().as_ref();
            let broken = |error: &dyn std::fmt::Display| format!("policy `{name}` can not be taken apart: {error}");
            let source = policy.to_json().map_err(|error| broken(&error))?;
            if !may_accept(&source) {
                continue;
            }
            let mut clauses = Vec::new();
            for part in parts(&source) {
                let text = part.to_string();
                if !known.contains_key(&text) {
                    let id = PolicyId::new(format!("clause {}", known.len()));
                    let clause = CedarPolicy::from_json(Some(id.clone()), part).map_err(|error| broken(&error))?;
                    let shown = clause.to_cedar().map_or_else(String::new, |text| condition(&text));
                    this.set.add(clause).map_err(|error| broken(&error))?;
                    known.insert(text.clone(), Clause { id, text: shown });
                }
                clauses.extend(known.get(&text).cloned());
            }
            this.policies.push((name.to_owned(), clauses));
        }
        this.policies.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(this)
    }

    /// The policies with the fewest clauses that do not hold for this request, the nearest first.
    pub(super) fn nearest(&self, request: &Request, entities: &Entities) -> Vec<NearMiss> {
        let response = Authorizer::new().is_authorized(request, &self.set, entities);
        let holds: HashSet<&PolicyId> = response.diagnostics().reason().collect();
        let mut misses: Vec<NearMiss> = self
            .policies
            .iter()
            .map(|(policy, clauses)| {
                let failed = clauses.iter().filter(|clause| !holds.contains(&clause.id));
                NearMiss { policy: policy.clone(), failed: failed.map(|clause| clause.text.clone()).collect() }
            })
            .collect();
        misses.sort_by_key(|miss| miss.failed.len());
        misses.truncate(MOST);
        misses
    }
}

/// Whether a policy's scope lets it speak of Accept.
fn may_accept(policy: &Value) -> bool {
    let action = policy.get("action").unwrap_or(&Value::Null);
    let accept = |entity: &Value| entity.get("id").and_then(Value::as_str) == Some("Accept");
    match action.get("op").and_then(Value::as_str) {
        Some("==") => action.get("entity").is_some_and(accept),
        Some("in") => match action.get("entities").and_then(Value::as_array) {
            Some(entities) => entities.iter().any(accept),
            None => action.get("entity").is_some_and(accept),
        },
        _ => true,
    }
}

/// The policy's clauses, each as the JSON of a policy that holds exactly where the clause does.
fn parts(policy: &Value) -> Vec<Value> {
    let all = json!({"op": "All"});
    let only = |principal: &Value, resource: &Value, conditions: Value| json!({"effect": "permit", "principal": principal, "action": all, "resource": resource, "conditions": conditions});
    let mut parts = Vec::new();
    let scope = |part: &str| policy.get(part).filter(|value| **value != all);
    parts.extend(scope("principal").map(|principal| only(principal, &all, json!([]))));
    parts.extend(scope("resource").map(|resource| only(&all, resource, json!([]))));
    for condition in policy.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let (kind, body) = (condition.get("kind"), condition.get("body").unwrap_or(&Value::Null));
        // `unless { a || b }` is the two conditions `unless { a }` and `unless { b }`.
        let joint = if kind.and_then(Value::as_str) == Some("unless") { "||" } else { "&&" };
        let mut operands = Vec::new();
        flatten(body, joint, &mut operands);
        parts.extend(operands.into_iter().map(|body| only(&all, &all, json!([{"kind": kind, "body": body}]))));
    }
    parts
}

fn flatten<'v>(body: &'v Value, joint: &str, operands: &mut Vec<&'v Value>) {
    match (
        body.get(joint).and_then(|joined| joined.get("left")),
        body.get(joint).and_then(|joined| joined.get("right")),
    ) {
        (Some(left), Some(right)) => {
            flatten(left, joint, operands);
            flatten(right, joint, operands);
        }
        _ => operands.push(body),
    }
}

/// The one clause out of a whole policy's text: a person wants to read the condition, not the frame that it needs.
///
/// Cedar writes `permit(principal, action, resource) when { … };` where the clause is a condition, and otherwise one
/// constraint in the scope; an `unless` comes back as `when { !(…) }`.
fn condition(policy: &str) -> String {
    let flat = policy.split_whitespace().collect::<Vec<_>>().join(" ");
    let clause = match flat.split_once(") when {") {
        Some((_, body)) => body.trim().trim_end_matches([';', '}', ' ']).to_owned(),
        None => {
            let scope = flat.trim_start_matches("permit").trim_matches(['(', ')', ';', ' ']);
            let constraint = |part: &&str| !matches!(*part, "principal" | "action" | "resource" | "");
            scope.split(',').map(str::trim).filter(constraint).collect()
        }
    };
    clause.replace("PrivateLink::", "")
}
