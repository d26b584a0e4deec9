//! What the prober returns: one outcome for each name, family and port, or the reason why there is none.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;

use super::{Endpoint, Refusal, Target, Tried, Verdict, text};
use crate::config::Mode;
use crate::ids::{EndpointId, ServiceId};
use crate::metrics::Metrics;
use crate::observed::EndpointState;
use crate::plan::{EffectKind, Reason, Skip};
use crate::report::{About, Ended, Outcome, Report};

/// One name, family and port of an endpoint of an endpoint service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The service.
    pub service: ServiceId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What was tried, and what came of it.
    pub tried: Tried,
}

impl Tried {
    /// Writes what it says, but for how it ended.
    pub(crate) fn fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let Self { endpoint: _, name, kind, family, port, addresses, verdict } = self;
        map.serialize_entry("name", name)?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("family", family)?;
        map.serialize_entry("port", port)?;
        map.serialize_entry("addresses", addresses)?;
        match verdict {
            Verdict::Works { status: None } => Ok(()),
            Verdict::Works { status: Some(status) } => map.serialize_entry("status", status),
            Verdict::Refused(Refusal { cause, detail, fix }) => {
                map.serialize_entry("cause", cause)?;
                map.serialize_entry("detail", detail)?;
                map.serialize_entry("fix", fix)
            }
            Verdict::NotTested(why) => {
                map.serialize_entry("reason", &Reason::NotReady)?;
                map.serialize_entry("detail", why)
            }
        }
    }
}

impl Serialize for Tried {
    /// As the command line prints it, where there is no endpoint that it belongs to.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.fields(&mut map)?;
        match &self.verdict {
            Verdict::Works { .. } => map.serialize_entry("result", Ended::Done.word())?,
            Verdict::Refused(refusal) => map.serialize_entry("result", ended(refusal).word())?,
            Verdict::NotTested(_) => {}
        }
        map.end()
    }
}

fn ended(refusal: &Refusal) -> Ended {
    Ended::Refused(refusal.cause.word().to_owned())
}

/// What is to be tried of the endpoints, and what can not be.
pub fn targets(endpoints: Vec<Endpoint>) -> (Vec<Target>, Vec<Skip>) {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        let endpoint = Arc::new(endpoint);
        let service = endpoint.service();
        let mut leave = |reason, detail: String| skipped.push(skip(&endpoint, reason, detail));
        match &endpoint.state {
            EndpointState::Available if service.is_none() => leave(
                Reason::Foreign,
                format!("`{}` is the name of no endpoint service", endpoint.service_name.escape_default()),
            ),
            EndpointState::Available => {
                let of_endpoint = Target::of(&endpoint);
                if of_endpoint.iter().all(|target| target.ports.is_empty() || target.families.is_empty()) {
                    leave(Reason::NotReady, "it has no name, no port or no family to try".to_owned());
                }
                targets.extend(of_endpoint);
            }
            EndpointState::Unknown(word) => {
                leave(Reason::UnknownState, format!("nobody here knows the state `{}`", word.escape_default()));
            }
            state @ (EndpointState::PendingAcceptance
            | EndpointState::Pending
            | EndpointState::Rejected
            | EndpointState::Failed
            | EndpointState::Expired
            | EndpointState::Deleting
            | EndpointState::Deleted) => leave(Reason::NotReady, format!("the endpoint is `{}`", state.word())),
        }
    }
    (targets, skipped)
}

/// What came of it all. A probe only reads, so that both modes try the same.
pub fn report(function: &'static str, mode: Mode, tried: Vec<Tried>, mut skipped: Vec<Skip>) -> Report {
    let mut said = Vec::new();
    if !tried.is_empty() {
        said.push(json!({"message": "probes", "function": function, "text": text(&tried)}));
    }
    let mut outcomes = Vec::new();
    let mut not_tested = 0;
    for tried in tried {
        let Some(endpoint) = tried.endpoint.clone() else { continue };
        let ended = match &tried.verdict {
            Verdict::Works { .. } => Ended::Done,
            Verdict::Refused(refusal) => ended(refusal),
            Verdict::NotTested(why) => {
                let Tried { name, family, port, .. } = &tried;
                let what = format!("{family} port {port} of `{name}` was not tested: {why}");
                skipped.push(skip(&endpoint, Reason::NotReady, what));
                not_tested += 1;
                continue;
            }
        };
        if let Some(service) = endpoint.service() {
            let about = About::Probe(Arc::new(Probed { service, endpoint: endpoint.id.clone(), tried }));
            outcomes.push(Outcome { effect: EffectKind::Probe, about, ended });
        }
    }
    let mut metrics = Metrics::default();
    metrics.probes(&outcomes, not_tested);
    Report { function, mode, policy_digest: None, outcomes, skipped, said, metrics, endpoints: None }
}

fn skip(endpoint: &Endpoint, reason: Reason, detail: String) -> Skip {
    Skip {
        service_id: endpoint.service(),
        endpoint_id: Some(endpoint.id.to_string()),
        reason,
        policy: Vec::new(),
        nearest: Vec::new(),
        detail: Some(detail),
        fix: None,
    }
}
