//! What is to be done, and what is not and why. Its `Display` is the dry run.
//!
//! The words of the return value are here, for all functions; the effects are `connection-acceptor`'s. The other rules
//! have effects of their own, and share all the rest.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::diagnosis::Diagnosis;
use crate::ids::{ConnectionId, EndpointId, ServiceId};
use crate::observed::Unreadable;
use crate::policy::{Facts, NearMiss};

/// The longest value that a tag may have, in characters.
const LONGEST_TAG_VALUE: usize = 256;

/// What one look asks for. Nothing to do is an empty list of effects, and that is all there is to idempotency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<E = Effect> {
    /// What is to be written, in the order in which it was decided.
    pub effects: Vec<E>,
    /// What is left as it is.
    pub skipped: Vec<Skip>,
}

impl<E> Default for Plan<E> {
    fn default() -> Self {
        Self { effects: Vec::new(), skipped: Vec::new() }
    }
}

/// One change of one thing in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Accept the connection, then tag it.
    Accept(Decided),
    /// Reject the connection, then tag it.
    Reject(Decided),
    /// Tag a connection that is left to a person, for the first time.
    Hold(Decided),
    /// Tag it anew, since other policies came nearest than when it was tagged.
    Tag(Decided),
}

/// A connection about which something was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The service.
    pub service: ServiceId,
    /// The consumer's endpoint.
    pub endpoint: EndpointId,
    /// What bears the tags, if AWS said so.
    pub connection: Option<ConnectionId>,
    /// The ids of the policies that decided.
    pub policy: Vec<String>,
    /// What it was judged by.
    pub facts: Facts,
}

impl Effect {
    /// What is done, in the word of the return value.
    pub fn kind(&self) -> EffectKind {
        match self {
            Self::Accept(_) => EffectKind::Accept,
            Self::Reject(_) => EffectKind::Reject,
            Self::Hold(_) => EffectKind::Hold,
            Self::Tag(_) => EffectKind::Tag,
        }
    }

    /// The connection that it is done to, by value.
    pub fn into_decided(self) -> Decided {
        match self {
            Self::Accept(decided) | Self::Reject(decided) | Self::Hold(decided) | Self::Tag(decided) => decided,
        }
    }

    /// The connection that it is done to.
    pub fn decided(&self) -> &Decided {
        match self {
            Self::Accept(decided) | Self::Reject(decided) | Self::Hold(decided) | Self::Tag(decided) => decided,
        }
    }
}

/// The kinds of effects, as the return value names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// A connection is accepted.
    Accept,
    /// A connection is rejected.
    Reject,
    /// A connection is marked as held, for the first time.
    Hold,
    /// A connection or a service is tagged.
    Tag,
    /// A notice is published.
    Publish,
    /// A TXT record is written.
    WriteRecord,
    /// The check of a private DNS name is started.
    StartCheck,
    /// The settings of an endpoint are changed.
    ModifyEndpoint,
    /// A name is resolved and connected to.
    Probe,
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Tag => "tag",
            Self::Publish => "publish",
            Self::WriteRecord => "write-record",
            Self::StartCheck => "start-check",
            Self::ModifyEndpoint => "modify-endpoint",
            Self::Probe => "probe",
        })
    }
}

/// Something that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// The service, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// The consumer's endpoint, where one is meant; as it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The policies on which that stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<String>,
    /// The policies that came nearest, with what was missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<NearMiss>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it, as a command or as the exact thing that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Skip {
    /// A service that is left as it is.
    pub fn service(service: &ServiceId, reason: Reason) -> Self {
        Self {
            service_id: Some(service.clone()),
            endpoint_id: None,
            reason,
            policy: Vec::new(),
            nearest: Vec::new(),
            detail: None,
            fix: None,
        }
    }

    /// What AWS answered and could not be understood.
    pub fn unreadable(unreadable: &Unreadable) -> Self {
        let Unreadable { service, endpoint, fault } = unreadable;
        Self {
            service_id: service.clone(),
            endpoint_id: endpoint.clone(),
            reason: Reason::UnknownState,
            policy: Vec::new(),
            nearest: Vec::new(),
            detail: Some(fault.clone()),
            fix: None,
        }
    }

    /// A connection that is left as it is.
    pub fn connection(service: &ServiceId, endpoint: &EndpointId, reason: Reason) -> Self {
        Self { endpoint_id: Some(endpoint.to_string()), ..Self::service(service, reason) }
    }
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No policy permits to accept or to reject it: it waits for a person.
    NoPolicyMatched,
    /// A policy forbids to accept it, and none permits to reject it: it waits for a person.
    Forbidden,
    /// A policy failed while it was evaluated: it waits for a person.
    PolicyError,
    /// It waits for a person.
    Held,
    /// It does not wait for the provider.
    NotPending,
    /// It is in a state that nobody here knows, or AWS's answer about it could not be read.
    UnknownState,
    /// All is as it should be.
    AlreadyRight,
    /// Whoever is to know of it was told.
    AlreadyTold,
    /// Something has to happen first that happens by itself.
    NotReady,
    /// It is older than what is told of.
    BeforeNotifySince,
    /// A live connection that the policy would not accept today.
    NoLongerPermitted,
    /// The service lets everyone in who may see it.
    AcceptanceNotRequired,
    /// An id that is not this account's, or that does not bear the tag.
    Foreign,
    /// Why a private DNS name is not proved.
    Domain(Diagnosis),
}

impl Reason {
    /// The word of the return value.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoPolicyMatched => "no-policy-matched",
            Self::Forbidden => "forbidden",
            Self::PolicyError => "policy-error",
            Self::Held => "held",
            Self::NotPending => "not-pending",
            Self::UnknownState => "unknown-state",
            Self::AlreadyRight => "already-right",
            Self::AlreadyTold => "already-told",
            Self::NotReady => "not-ready",
            Self::BeforeNotifySince => "before-notify-since",
            Self::NoLongerPermitted => "no-longer-permitted",
            Self::AcceptanceNotRequired => "acceptance-not-required",
            Self::Foreign => "foreign",
            Self::Domain(diagnosis) => diagnosis.word(),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word().replace('-', " "))
    }
}

/// Policy ids as a tag's value: whole ids, separated by a space, as many as fit.
pub fn policy_tag(policy: &[String]) -> String {
    let mut value = String::new();
    for id in policy {
        let separator = usize::from(!value.is_empty());
        // The ids are ASCII, so that bytes are characters.
        if value.len() + separator + id.len() <= LONGEST_TAG_VALUE {
            value.push_str(if separator == 1 { " " } else { "" });
            value.push_str(id);
        }
    }
    value
}

impl<E: fmt::Display> fmt::Display for Plan<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effects, skipped } = self;
        for effect in effects {
            writeln!(f, "{effect}")?;
        }
        for skip in skipped.iter().filter(|skip| skip.reason != Reason::NotPending) {
            writeln!(f, "{skip}")?;
        }
        let untouched = skipped.iter().filter(|skip| skip.reason == Reason::NotPending).count();
        if untouched > 0 {
            writeln!(f, "{untouched} connections do not wait for a decision")?;
        }
        if effects.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        Ok(())
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decided { service, endpoint, connection: _, policy, facts } = self.decided();
        write!(f, "{:6}  {endpoint} of {} to {service}", self.kind(), facts.account)?;
        match self {
            Self::Accept(_) | Self::Reject(_) => write!(f, ", by {}", policy.join(" ")),
            Self::Hold(_) | Self::Tag(_) => write!(f, ", nearest {}", policy.join(" ")),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service_id, endpoint_id, reason, policy, nearest, detail, fix } = self;
        write!(f, "leave ")?;
        if let Some(endpoint) = endpoint_id {
            write!(f, "  {endpoint}")?;
        }
        if let Some(service) = service_id {
            write!(f, " {}{service}", if endpoint_id.is_some() { "to " } else { " " })?;
        }
        write!(f, ": {reason}")?;
        if !policy.is_empty() && nearest.is_empty() {
            write!(f, " ({})", policy.join(" "))?;
        }
        for NearMiss { policy, failed } in nearest {
            write!(f, "; `{policy}` needs {}", failed.join(" and "))?;
        }
        for more in [detail, fix].into_iter().flatten() {
            write!(f, "; {more}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_holds_whole_ids_only() {
        let id = |c: char, n: usize| c.to_string().repeat(n);
        assert_eq!(policy_tag(&[]), "");
        assert_eq!(policy_tag(&[id('a', 3), id('b', 2)]), "aaa bb");
        assert_eq!(policy_tag(&[id('a', 200), id('b', 56), id('c', 55)]), format!("{} {}", id('a', 200), id('c', 55)));
        assert_eq!(policy_tag(&[id('a', 257)]), "");
        assert_eq!(policy_tag(&[id('a', 256)]).len(), 256);
    }
}
