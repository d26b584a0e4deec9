//! What to do after a notice: which steps there are, with their commands filled in. Their words are in `text`.

use super::document::Step;
use super::shown::{filled, shown};
use super::{News, Notice, Undelivered, names, text};
use crate::ids::DnsName;
use crate::observed::{Connection, Service};

/// The most endpoints that one command names. How many EC2 takes in one call is not documented.
pub(super) const MOST_IN_COMMAND: usize = 25;

/// The steps of a notice about a connection.
pub(super) fn of(notice: &Notice<'_>) -> Vec<Step> {
    let filler = Filler::of(notice);
    match &notice.news {
        News::Available => available(notice, &filler),
        News::Verified => private_name(notice, &filler),
        News::Rejected => vec![
            Step { what: text::ASK_PROVIDER.to_owned(), command: None },
            filler.step(text::DELETE_ENDPOINT, text::DELETE_ENDPOINT_COMMAND),
        ],
        News::Failed => vec![
            filler.step(text::SEE_FAILURE, text::SEE_FAILURE_COMMAND),
            filler.step(text::MAKE_ANEW, text::DELETE_ENDPOINT_COMMAND),
        ],
        News::Expired => vec![filler.step(text::MAKE_ANEW, text::DELETE_ENDPOINT_COMMAND)],
        News::Held { .. } => vec![
            filler.step(text::ACCEPT, text::ACCEPT_COMMAND),
            filler.step(text::REJECT, text::REJECT_COMMAND),
            filler.step(text::LIST_WAITING, text::LIST_WAITING_COMMAND),
        ],
        News::Undeliverable(_) => {
            vec![
                filler.step(text::SEE_TOPIC, text::SEE_TOPIC_COMMAND),
                Step { what: text::TELL.to_owned(), command: None },
            ]
        }
    }
}

fn available(notice: &Notice<'_>, filler: &Filler) -> Vec<Step> {
    let Notice { service, connection, .. } = notice;
    let mut steps = vec![filler.step(text::OPEN_PORT, text::OPEN_PORT_COMMAND)];
    if can_be_dual(service, connection) {
        steps.push(filler.step(text::DUAL_STACK, text::DUAL_STACK_COMMAND));
    }
    steps.extend(private_name(notice, filler));
    steps
}

/// Turning the private name on, where it is proved, and trying the connection.
fn private_name(notice: &Notice<'_>, filler: &Filler) -> Vec<Step> {
    let Notice { service, connection, .. } = notice;
    let verified = names::verified(service);
    let mut steps = Vec::new();
    if let Some(name) = &verified {
        let what = text::private_dns(&shown(name.as_str()));
        steps.push(filler.step(&what, text::PRIVATE_DNS_COMMAND));
    }
    // Before it is turned on, and whether or not it is: the service's own certificate through the endpoint's name.
    let named = verified.is_some_and(|name| !is_wildcard(&name));
    let (four, six) = if named {
        (text::CURL_4_NAMED_COMMAND, text::CURL_6_NAMED_COMMAND)
    } else {
        (text::CURL_4_COMMAND, text::CURL_6_COMMAND)
    };
    let speaks = |family: &str| service.ip_address_types.is_empty() || service.ip_address_types.contains(family);
    if speaks("ipv4") && connection.ip_address_type != "ipv6" {
        steps
            .extend(filler.command(four).map(|command| Step { what: text::CURL_4.to_owned(), command: Some(command) }));
    }
    if speaks("ipv6") && (speaks_six(connection) || can_be_dual(service, connection)) {
        let what = if speaks_six(connection) { text::CURL_6 } else { text::CURL_6_LATER };
        steps.extend(filler.command(six).map(|command| Step { what: what.to_owned(), command: Some(command) }));
    }
    steps
}

pub(super) fn is_wildcard(name: &DnsName) -> bool {
    name.as_str().starts_with("*.")
}

pub(super) fn speaks_six(connection: &Connection) -> bool {
    matches!(connection.ip_address_type.as_str(), "ipv6" | "dualstack")
}

/// Whether an endpoint speaks one family of addresses where its service speaks both.
pub(super) fn can_be_dual(service: &Service, connection: &Connection) -> bool {
    connection.ip_address_type != "dualstack" && ["ipv4", "ipv6"].iter().all(|t| service.ip_address_types.contains(*t))
}

/// The values that commands are filled with.
struct Filler {
    values: Vec<(&'static str, Vec<String>)>,
}

impl Filler {
    fn of(notice: &Notice<'_>) -> Self {
        let Notice { news, service, connection, .. } = notice;
        let mut values = vec![
            ("region", vec![connection.region.clone()]),
            ("endpoint", vec![connection.endpoint.to_string()]),
            ("account", vec![connection.owner.to_string()]),
            ("service", vec![service.id.to_string()]),
            ("service-region", vec![service.region.clone()]),
        ];
        values.extend(names::regional(connection).map(|name| ("name", vec![name.to_string()])));
        values.extend(names::verified(service).map(|name| ("private-name", vec![name.to_string()])));
        match news {
            News::Held { others } => {
                let all = std::iter::once(connection).chain(others).take(MOST_IN_COMMAND);
                values.push(("endpoints", all.map(|connection| connection.endpoint.to_string()).collect()));
            }
            News::Undeliverable(Undelivered { topic: Some(topic), .. }) => {
                values.push(("topic", vec![topic.to_string()]));
                values.push(("topic-region", vec![topic.region().to_owned()]));
            }
            News::Undeliverable(_)
            | News::Available
            | News::Rejected
            | News::Failed
            | News::Expired
            | News::Verified => {}
        }
        Self { values }
    }

    fn command(&self, command: &str) -> Option<String> {
        let words: Vec<Vec<&str>> =
            self.values.iter().map(|(_, words)| words.iter().map(String::as_str).collect()).collect();
        let values: Vec<_> =
            self.values.iter().zip(&words).map(|((place, _), words)| (*place, words.as_slice())).collect();
        filled(command, &values)
    }

    fn step(&self, what: &str, command: &str) -> Step {
        Step { what: what.to_owned(), command: self.command(command) }
    }
}
