//! A small world for the tests of notices, and what every notice of every test is held to.

mod form;
mod properties;
mod rule;
mod schema;
mod words;

use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::ids::{AccountId, ConnectionId, EndpointId, ServiceId};
use crate::observed::{DnsNameState, EndpointState, Observed, PrivateDns, TAG_DECISION};
use crate::plan::{Plan, Reason};
use crate::policy::{CONSUMERS_FILE, Consumers};

const NOW: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);
const ACME: &str = "111122223333";
const STRANGER: &str = "999999999999";
const DEFAULT: &str = "arn:aws:sns:us-west-2:999988887777:notices";
const OPERATORS: &str = "arn:aws:sns:us-west-2:999988887777:operators";

fn consumers() -> Consumers {
    let file = r#"
        [[consumer]]
        name = "acme"
        accounts = ["111122223333"]
        [[consumer]]
        name = "beta"
        accounts = ["222233334444"]
        topic = "arn:aws:sns:eu-west-1:222233334444:beta"
    "#;
    Consumers::load(&[(CONSUMERS_FILE, file)].into_iter().collect()).unwrap()
}

fn settings() -> NoticeSettings {
    NoticeSettings {
        default_topic: TopicArn::parse(DEFAULT).unwrap(),
        operator_topic: Some(TopicArn::parse(OPERATORS).unwrap()),
        notify_since: None,
    }
}

fn service_id() -> ServiceId {
    ServiceId::parse("vpce-svc-0123456789abcdef0").unwrap()
}

fn service(name: Option<(&str, &str)>) -> Service {
    Service {
        id: service_id(),
        name: format!("com.amazonaws.vpce.us-west-2.{}", service_id()),
        region: "us-west-2".to_owned(),
        private_dns: name.map(|(name, state)| PrivateDns {
            name: name.to_owned(),
            state: DnsNameState::from_word(state),
            record: None,
        }),
        ip_address_types: ["ipv4".to_owned(), "ipv6".to_owned()].into(),
        acceptance_required: true,
        tags: Default::default(),
    }
}

fn connection(n: u32, owner: &str, state: &str) -> Connection {
    let endpoint = format!("vpce-{n:017x}");
    let tail = format!("{}.us-west-2.vpce.amazonaws.com", service_id());
    Connection {
        service: service_id(),
        endpoint: EndpointId::parse(&endpoint).unwrap(),
        id: Some(ConnectionId::parse(&format!("vpce-con-{n:017x}")).unwrap()),
        owner: AccountId::parse(owner).unwrap(),
        state: EndpointState::from_word(state),
        created: NOW - Duration::minutes(i64::from(n)),
        region: "us-west-2".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        dns_names: ["-a1b2c3d4-us-west-2b", "-a1b2c3d4", "-a1b2c3d4-us-west-2a"]
            .iter()
            .map(|name| format!("{endpoint}{name}.{tail}"))
            .collect(),
        tags: Default::default(),
    }
}

fn tagged(mut connection: Connection, tags: &[(&str, &str)]) -> Connection {
    connection.tags.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    connection
}

fn held(n: u32, owner: &str) -> Connection {
    let tags = [(TAG_DECISION, "held"), ("privatelink:policy", "partners-only no-more-than-agreed")];
    tagged(connection(n, owner, "pendingAcceptance"), &tags)
}

fn world(service: Service, connections: Vec<Connection>) -> Observed {
    Observed { services: [(service.id.clone(), service)].into(), connections, ..Observed::default() }
}

/// A world with a service whose name is verified.
fn ready(connections: Vec<Connection>) -> Observed {
    world(service(Some(("api.example.com", "verified"))), connections)
}

/// What one look publishes: type, id, topic.
fn told(plan: &Plan<NoticeEffect<'_>>) -> Vec<(Kind, String, String)> {
    let published = plan.effects.iter().filter_map(|effect| match effect {
        NoticeEffect::Publish(publish) => Some(publish),
        NoticeEffect::Mark(_) => None,
    });
    published
        .map(|Publish { notice, to, .. }| {
            hold_to_the_rules(&notice.message());
            let to = match to {
                Target::Topic(topic) => topic.as_str(),
                Target::Log => "log",
            };
            (notice.kind(), notice.id(), to.rsplit(':').next().unwrap().to_owned())
        })
        .collect()
}

/// One look with its tags written, as if all went well.
fn look(observed: &mut Observed, settings: &NoticeSettings) -> Vec<(Kind, String, String)> {
    let (told, marks) = {
        let consumers = consumers();
        let plan = plan_notices(observed, &consumers, settings, NOW);
        (told(&plan), marks(&plan))
    };
    for (id, tags) in marks {
        let connection = observed.connections.iter_mut().find(|c| c.id.as_ref() == Some(&id)).unwrap();
        connection.tags.extend(tags);
    }
    told
}

fn marks(plan: &Plan<NoticeEffect<'_>>) -> Vec<(ConnectionId, Vec<(String, String)>)> {
    let marks = plan.effects.iter().flat_map(|effect| match effect {
        NoticeEffect::Publish(publish) => publish.marks.iter().collect::<Vec<_>>(),
        NoticeEffect::Mark(mark) => vec![mark],
    });
    let owned = |mark: &Mark<'_>| mark.tags.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    marks.map(|mark| (mark.connection.clone(), owned(mark))).collect()
}

fn kinds(told: &[(Kind, String, String)]) -> Vec<Kind> {
    told.iter().map(|(kind, _, _)| *kind).collect()
}

fn reasons(observed: &Observed, settings: &NoticeSettings) -> Vec<Reason> {
    plan_notices(observed, &consumers(), settings, NOW).skipped.iter().map(|skip| skip.reason).collect()
}

/// What SNS and the contract ask of every message; returns the document and the mail.
fn hold_to_the_rules(message: &Message) -> (Value, String) {
    assert!(message.size() <= LARGEST_MESSAGE, "{}", message.size());
    let subject = &message.subject;
    assert!((1..=100).contains(&subject.len()) && subject.bytes().all(|b| (b' '..=b'~').contains(&b)), "{subject:?}");
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let document: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
    let mail = body["email"].as_str().unwrap().to_owned();
    assert_eq!(body.as_object().unwrap().len(), 2);
    form::hold_to_the_schema(&document);
    assert_eq!(document["id"], message.id.as_str());
    let attribute =
        |name: &str| message.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    assert_eq!(attribute("type"), document["type"].as_str());
    assert_eq!(attribute("serviceId"), document["service"]["id"].as_str());
    assert_eq!(attribute("endpointId"), document["endpoint"]["id"].as_str());
    assert_eq!(attribute("consumerAccount"), document["endpoint"]["account"].as_str());
    assert_eq!(attribute("schemaVersion"), Some("1"));
    assert!(message.attributes.iter().all(|(_, value)| !value.is_empty()));
    // A mail is lines of visible letters.
    assert!(mail.chars().all(|c| c == '\n' || c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic()), "{mail:?}");
    (document, mail)
}

/// The one notice that a look publishes.
fn only(observed: &Observed) -> (Message, Value, String) {
    let (settings, consumers) = (settings(), consumers());
    let plan = plan_notices(observed, &consumers, &settings, NOW);
    assert_eq!(plan.effects.len(), 1, "{plan:?}");
    let NoticeEffect::Publish(publish) = &plan.effects[0] else { panic!("{plan:?}") };
    let message = publish.notice.message();
    let (document, mail) = hold_to_the_rules(&message);
    (message, document, mail)
}
