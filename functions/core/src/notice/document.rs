//! What programs read of a notice. Its fields, their order and their meaning are promised: `infra/notice.schema.json`.

use serde::Serialize;
use time::OffsetDateTime;

use super::names;
use super::shown::cut;
use super::{Kind, News, Notice, Undelivered, steps};
use crate::ids::{AccountId, ConnectionId, EndpointId, ServiceId};
use crate::observed::{Connection, EndpointState, Service, TAG_POLICY};

/// The version of the form.
pub(super) const SCHEMA_VERSION: &str = "1";

/// The longest text from outside that is passed on, in bytes: more than anything that AWS is known to give.
const LONGEST: usize = 512;

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "Notice of the PrivateLink provider's autopilot"))]
pub struct Document<'n> {
    /// The version of this form.
    #[cfg_attr(test, schemars(schema_with = "version"))]
    pub schema_version: &'static str,
    /// The same for every copy of a notice, so that a second one can be dropped.
    pub id: String,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// When it was found, in UTC.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub time: String,
    /// The endpoint service.
    pub service: ServicePart<'n>,
    /// The consumer's endpoint. A notice to the operators about a domain has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "EndpointPart<'static>"))]
    pub endpoint: Option<EndpointPart<'n>>,
    /// Where several connections of one account to one service are held: the ids of the other endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub others: Option<Vec<&'n EndpointId>>,
    /// The consumer's name; null for an account that no consumer lists. A notice about a domain has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub consumer: Option<Option<&'n str>>,
    /// The ids of the policies that decided about the connection; for a held one those that forbade, or came nearest.
    pub policy: Vec<&'n str>,
    /// What to do now.
    pub next_steps: Vec<Step>,
    /// Why a private DNS name is not proved, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub diagnosis: Option<&'static str>,
    /// The record that proves a private DNS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "RecordPart<'static>"))]
    pub record: Option<RecordPart<'n>>,
    /// The notice that did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "UndeliveredPart<'static>"))]
    pub undelivered: Option<UndeliveredPart<'n>>,
    /// How many entries were left out of the lists, because the message would have been too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Omitted"))]
    pub omitted: Option<Omitted>,
}

/// An endpoint service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Service"))]
pub struct ServicePart<'n> {
    /// Its id.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^vpce-svc-[0-9a-f]{1,17}$")))]
    pub id: &'n ServiceId,
    /// Its name, by which endpoints ask for it.
    pub name: &'n str,
    /// Its Region.
    pub region: &'n str,
    /// Its private DNS name; null without one.
    pub private_dns_name: Option<&'n str>,
    /// How far the proof of that name has come: `pendingVerification`, `verified`, `failed`, or a newer word of AWS's.
    pub private_dns_state: Option<&'n str>,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: Vec<&'n str>,
}

/// A consumer's endpoint, and its connection to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Endpoint"))]
pub struct EndpointPart<'n> {
    /// Its id.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^vpce-[0-9a-f]{1,17}$")))]
    pub id: &'n EndpointId,
    /// The connection's id, which the provider knows it by.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub connection_id: Option<&'n ConnectionId>,
    /// Its account.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-9]{12}$")))]
    pub account: &'n AccountId,
    /// Its Region.
    pub region: &'n str,
    /// The connection's state, in AWS's word.
    pub state: &'n str,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: &'n str,
    /// Its names: the Regional one first, then those of single zones.
    pub dns_names: Vec<&'n str>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// What it is for.
    pub what: String,
    /// How it is done, where a command does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub command: Option<String>,
}

/// A DNS record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Record"))]
pub struct RecordPart<'n> {
    /// Its whole name.
    pub name: &'n str,
    /// Its type: `TXT`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its time to live, in seconds.
    pub ttl: u32,
    /// Its value, without quotes. Every letter's case counts.
    pub value: &'n str,
}

/// A notice that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Undelivered"))]
pub struct UndeliveredPart<'n> {
    /// Its id.
    pub id: &'n str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The topic that did not take it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub topic_arn: Option<&'n str>,
    /// AWS's error code.
    pub code: &'n str,
}

/// How many entries were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Omitted {
    /// Of `others`.
    pub others: usize,
    /// Of the endpoint's `dnsNames`.
    pub dns_names: usize,
    /// Of `policy`.
    pub policy: usize,
    /// Of `nextSteps`.
    pub next_steps: usize,
    /// Of the service's `ipAddressTypes`.
    pub ip_address_types: usize,
}

#[cfg(test)]
fn version(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"const": SCHEMA_VERSION})
}

impl<'n> Document<'n> {
    /// A notice about a connection.
    pub(super) fn of(notice: &'n Notice<'_>) -> Self {
        let Notice { news, service, connection, consumer, time } = notice;
        let others = match news {
            News::Held { others } => Some(others.iter().map(|other| &other.endpoint).collect()),
            News::Available
            | News::Rejected
            | News::Failed
            | News::Expired
            | News::Verified
            | News::Undeliverable(_) => None,
        };
        let undelivered = match news {
            News::Undeliverable(Undelivered { kind, id, topic, code }) => Some(UndeliveredPart {
                id,
                kind: *kind,
                topic_arn: topic.map(|topic| topic.as_str()),
                code: cut(code, LONGEST),
            }),
            News::Available | News::Rejected | News::Failed | News::Expired | News::Verified | News::Held { .. } => {
                None
            }
        };
        Self {
            endpoint: Some(EndpointPart::of(connection)),
            others,
            consumer: Some(consumer.map(|consumer| cut(&consumer.name, LONGEST))),
            policy: policy(connection),
            next_steps: steps::of(notice),
            undelivered,
            ..Self::about(service, notice.kind(), notice.id(), *time)
        }
    }

    /// A notice about a service, and no more of it than that.
    pub(super) fn about(service: &'n Service, kind: Kind, id: String, time: OffsetDateTime) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            id,
            kind,
            time: stamp(time),
            service: ServicePart::of(service),
            endpoint: None,
            others: None,
            consumer: None,
            policy: Vec::new(),
            next_steps: Vec::new(),
            diagnosis: None,
            record: None,
            undelivered: None,
            omitted: None,
        }
    }

    /// Leaves no list with more entries than that, and counts what it left out.
    pub(super) fn shorten(&mut self, most: usize) {
        let mut omitted = self.omitted.take().unwrap_or_default();
        if let Some(others) = &mut self.others {
            omitted.others += shorten(others, most);
        }
        if let Some(endpoint) = &mut self.endpoint {
            omitted.dns_names += shorten(&mut endpoint.dns_names, most);
        }
        omitted.policy += shorten(&mut self.policy, most);
        omitted.next_steps += shorten(&mut self.next_steps, most);
        omitted.ip_address_types += shorten(&mut self.service.ip_address_types, most);
        self.omitted = (omitted != Omitted::default()).then_some(omitted);
    }
}

fn shorten<T>(list: &mut Vec<T>, most: usize) -> usize {
    let left = list.len().saturating_sub(most);
    list.truncate(most);
    left
}

impl<'n> ServicePart<'n> {
    fn of(service: &'n Service) -> Self {
        let Service { id, name, region, private_dns, ip_address_types, acceptance_required: _, tags: _ } = service;
        let dns = private_dns.as_ref();
        Self {
            id,
            name: cut(name, LONGEST),
            region: cut(region, LONGEST),
            private_dns_name: dns.map(|dns| cut(&dns.name, LONGEST)),
            private_dns_state: dns.map(|dns| cut(dns.state.word(), LONGEST)),
            ip_address_types: ip_address_types.iter().map(|kind| cut(kind, LONGEST)).collect(),
        }
    }
}

impl<'n> EndpointPart<'n> {
    fn of(connection: &'n Connection) -> Self {
        Self {
            id: &connection.endpoint,
            connection_id: connection.id.as_ref(),
            account: &connection.owner,
            region: cut(&connection.region, LONGEST),
            state: cut(connection.state.word(), LONGEST),
            ip_address_type: cut(&connection.ip_address_type, LONGEST),
            dns_names: names::in_order(connection).into_iter().map(|(name, _)| cut(name, LONGEST)).collect(),
        }
    }
}

/// The policies that decided, as the connection's tag says. None did where a person decided about what was held.
pub(super) fn policy(connection: &Connection) -> Vec<&str> {
    let undecided = matches!(connection.state, EndpointState::PendingAcceptance | EndpointState::Expired);
    let by_hand = super::plan::is_held(connection) && !undecided;
    let ids = connection.tags.get(TAG_POLICY).filter(|_| !by_hand).map(|ids| ids.split_whitespace());
    ids.into_iter().flatten().map(|id| cut(id, LONGEST)).collect()
}

/// A moment in UTC, to the second.
pub(super) fn stamp(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second) = utc.to_hms();
    let (year, month, day) = utc.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
}
