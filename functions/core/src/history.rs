//! What the functions' logs tell of one endpoint: the audit trail, which stays when its connection and tags are gone.
//!
//! A log is read as it comes out of CloudWatch, in whichever way: plain lines, lines with a time before them, or the
//! JSON of `aws logs filter-log-events`.

use serde_json::Value;

use crate::ids::{AccountId, EndpointId, ServiceId};
use crate::json;

/// One line about the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written, as it stands there.
    pub time: Option<String>,
    /// What was done: `accept`, `publish`, `probe`, …
    pub effect: String,
    /// How it ended.
    pub result: String,
    /// The policies that decided, where it was a decision.
    pub policy: Vec<String>,
    /// The service.
    pub service: Option<ServiceId>,
    /// The consumer's account, where it was a decision.
    pub account: Option<AccountId>,
    /// The endpoint's Region, where it was a decision.
    pub region: Option<String>,
}

/// All that a log tells of an endpoint, in its order. What is no line of the functions' own is passed over.
pub fn history(log: &str, endpoint: &EndpointId) -> Vec<Entry> {
    let events = json::read(log.as_bytes()).ok().and_then(|document| match document.get("events") {
        Some(Value::Array(events)) => Some(events.clone()),
        _ => None,
    });
    match events {
        Some(events) => {
            let messages = events.iter().filter_map(|event| event.get("message")?.as_str());
            messages.filter_map(|line| entry(line, endpoint)).collect()
        }
        None => log.lines().filter_map(|line| entry(line, endpoint)).collect(),
    }
}

fn entry(line: &str, endpoint: &EndpointId) -> Option<Entry> {
    // A log can be large, and most of it is about others.
    if !line.contains(endpoint.as_str()) {
        return None;
    }
    let line = json::read(line.get(line.find('{')?..)?.trim_end().as_bytes()).ok()?;
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let effect = match text("/message")? {
        "decision" => text("/decision")?,
        "effect" => text("/effect")?,
        _ => return None,
    };
    if text("/endpointId") != Some(endpoint.as_str()) {
        return None;
    }
    let policy = line.get("policy").and_then(Value::as_array);
    let policy = policy.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(Entry {
        time: text("/timestamp").map(str::to_owned),
        effect: effect.to_owned(),
        result: text("/result").unwrap_or_default().to_owned(),
        policy,
        service: text("/serviceId").and_then(|id| ServiceId::parse(id).ok()),
        account: text("/facts/account").and_then(|id| AccountId::parse(id).ok()),
        region: text("/facts/endpointRegion").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::config::Mode;
    use crate::metrics::Metrics;
    use crate::plan::{Decided, Effect};
    use crate::policy::{Counts, Facts};
    use crate::report::{About, Ended, Outcome, Report, Thing};

    fn id(text: &str) -> EndpointId {
        EndpointId::parse(text).unwrap()
    }

    /// The lines that a report writes about an endpoint that was accepted and told of.
    fn lines(endpoint: &str) -> Vec<Value> {
        let service = ServiceId::parse("vpce-svc-0b").unwrap();
        let facts = Facts {
            account: AccountId::parse("000022223333").unwrap(),
            endpoint_id: id(endpoint),
            endpoint_region: "eu-west-1".to_owned(),
            cross_region: true,
            ip_address_type: "ipv4".to_owned(),
            age_seconds: 7,
            counts: Counts::default(),
        };
        let decided = Decided {
            service: service.clone(),
            endpoint: id(endpoint),
            connection: None,
            policy: vec!["partners-may-connect".to_owned()],
            facts,
        };
        let told = Thing { service, endpoint: Some(id(endpoint)), more: [("type", "Available".to_owned())].into() };
        let report = Report {
            function: "connection-acceptor",
            mode: Mode::Enforce,
            policy_digest: None,
            outcomes: vec![
                Outcome::of(Effect::Accept(decided), Ended::Done),
                Outcome {
                    effect: crate::plan::EffectKind::Publish,
                    about: About::Thing(Arc::new(told)),
                    ended: Ended::Refused("NotFound".to_owned()),
                },
            ],
            skipped: Vec::new(),
            said: Vec::new(),
            metrics: Metrics::default(),
            endpoints: None,
        };
        report.audit().chain([report.summary()]).collect()
    }

    #[test]
    fn what_a_report_writes_is_found_again_however_the_log_was_fetched() {
        let mut lines = lines("vpce-0a");
        lines[0]["timestamp"] = "2026-01-31T12:00:00Z".into();
        let plain = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let tailed =
            lines.iter().map(|line| format!("2026-01-31T12:00:00.1Z 2026/01/31/[1]ab {line}\r\n")).collect::<String>();
        let fetched = json!({"events": lines.iter().map(|line| json!({"message": format!("{line}\n")})).collect::<Vec<_>>(),
                             "searchedLogStreams": []});
        for log in [plain, tailed, fetched.to_string(), serde_json::to_string_pretty(&fetched).unwrap()] {
            let found = history(&log, &id("vpce-0a"));
            assert_eq!(found.len(), 2, "{log}");
            let [accepted, told] = found.as_slice() else { panic!() };
            assert_eq!((accepted.effect.as_str(), accepted.result.as_str()), ("accept", "done"));
            assert_eq!(accepted.account.as_ref().unwrap().as_str(), "000022223333");
            assert_eq!(accepted.time.as_deref(), Some("2026-01-31T12:00:00Z"));
            assert_eq!((accepted.region.as_deref(), accepted.policy.len()), (Some("eu-west-1"), 1));
            assert_eq!((told.effect.as_str(), told.result.as_str(), &told.account), ("publish", "refused", &None));
        }
    }

    #[test]
    fn another_endpoint_and_other_lines_are_passed_over() {
        let other: String = lines("vpce-0a0").iter().map(|line| format!("{line}\n")).collect();
        let noise = "START RequestId: 1 Version: $LATEST\n{\"message\": \"vpce-0a\"}\nvpce-0a\n{vpce-0a\n";
        assert_eq!(history(&format!("{other}{noise}"), &id("vpce-0a")), []);
        assert_eq!(history("", &id("vpce-0a")), []);
    }
}
