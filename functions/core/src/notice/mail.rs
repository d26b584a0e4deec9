//! Mails and their subjects: the same as the document, said to a person. The sentences are in `text`.

use super::document::{Step, policy, stamp};
use super::names::{Place, in_order, is_zone_id};
use super::shown::{filled, short, shown, subject};
use super::told::{AVAILABLE, Told};
use super::{News, Notice, Undelivered, names, steps, text};
use crate::observed::{Connection, DnsNameState, Service};

/// The most entries of a list that a person reads. The document has them all.
const MOST: usize = 50;
/// The width of a mail.
const WIDTH: usize = 76;

/// The subject of a mail about a connection.
pub(super) fn subject_of(notice: &Notice<'_>) -> String {
    let Notice { news, service, connection, consumer, .. } = notice;
    let name = short(&what(service), 45);
    let endpoint = connection.endpoint.as_str();
    let who = match consumer {
        Some(consumer) => format!("{} ({})", short(&consumer.name, 20), connection.owner),
        None => connection.owner.to_string(),
    };
    subject(&match news {
        News::Available => text::subjects::available(&name, endpoint, &connection.region),
        News::Rejected => text::subjects::rejected(&name, endpoint, was_available(connection)),
        News::Failed => text::subjects::failed(&name, endpoint),
        News::Expired => text::subjects::expired(&name, endpoint),
        News::Held { others } => text::subjects::held(&name, &who, others.len() + 1),
        News::Verified => text::subjects::verified(&name, endpoint),
        News::Undeliverable(Undelivered { kind, .. }) => text::subjects::undeliverable(&who, kind.word()),
    })
}

/// The mail about a connection.
pub(super) fn of(notice: &Notice<'_>) -> String {
    let Notice { news, service, connection, consumer, .. } = notice;
    let who = match consumer {
        Some(consumer) => format!("{} (account {})", shown(&consumer.name), connection.owner),
        None => format!("Account {}, which consumers.toml does not list,", connection.owner),
    };
    let names = text::Names {
        what: what(service),
        endpoint: connection.endpoint.to_string(),
        region: shown(&connection.region),
        who,
    };
    let mut page = Page::default();
    match news {
        News::Available => {
            page.say(&text::available(&names));
            page.names(connection);
            page.private_name(service);
            page.families(service, connection);
        }
        News::Verified => page.say(&text::verified(&names)),
        News::Rejected => page.say(&text::rejected(&names, was_available(connection))),
        News::Failed => page.say(&text::failed(&names)),
        News::Expired => page.say(&text::expired(&names)),
        News::Held { others } => page.held(&names, connection, others),
        News::Undeliverable(Undelivered { kind, topic, code, .. }) => {
            let topic = topic.map(|topic| shown(topic.as_str())).unwrap_or_default();
            page.say(&text::undeliverable(&names, kind.word(), &topic, &shown(code)));
        }
    }
    page.steps(&steps::of(notice));
    if matches!(news, News::Available | News::Verified) {
        page.head(text::NO_ANSWER);
        text::CAUSES.iter().for_each(|cause| page.item("- ", cause));
    }
    page.facts(notice);
    page.finish()
}

/// The service as its consumers know it.
pub(super) fn what(service: &Service) -> String {
    service.private_dns.as_ref().map_or_else(|| service.id.to_string(), |dns| shown(&dns.name))
}

fn was_available(connection: &Connection) -> bool {
    Told::of(&connection.tags).contains(AVAILABLE)
}

/// A mail as it is written.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// A paragraph.
    pub(super) fn say(&mut self, text: &str) {
        self.item("", text);
        self.0.push('\n');
    }

    /// The head of a section.
    pub(super) fn head(&mut self, text: &str) {
        if !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
        self.line(text);
    }

    /// A line that is not broken: a name, or a command that is to be copied.
    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// Words behind a mark, in lines of one width under each other.
    pub(super) fn item(&mut self, mark: &str, text: &str) {
        let indent = " ".repeat(mark.len());
        let mut line = mark.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line.clone_from(&indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(&line);
    }

    pub(super) fn steps(&mut self, steps: &[Step]) {
        self.head(text::NEXT_STEPS);
        for (Step { what, command }, n) in steps.iter().zip(1..) {
            self.item(&format!("{n}. "), &what.split_whitespace().map(shown).collect::<Vec<_>>().join(" "));
            if let Some(command) = command {
                self.line(&format!("     {command}"));
            }
        }
    }

    /// One fact a line, the names of facts under each other.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:10}{value}"));
    }

    fn names(&mut self, connection: &Connection) {
        self.head(text::NAMES);
        let names = in_order(connection);
        if names.is_empty() {
            return self.item("  ", text::NO_NAMES);
        }
        for (name, place) in names.iter().take(MOST) {
            self.line(&format!("  {}", shown(name)));
            self.line(&match place {
                Place::Regional => format!("      {}", text::REGIONAL),
                Place::Zone(zone) => format!("      {}", text::zonal(&shown(zone), is_zone_id(zone))),
                Place::Other => format!("      {}", text::ELSEWHERE),
            });
        }
        if names.len() > MOST {
            self.line(&format!("  {}", text::more(names.len() - MOST)));
        }
        let by_name = names.iter().any(|(_, place)| matches!(place, Place::Zone(zone) if !is_zone_id(zone)));
        let command = filled(text::ZONES_COMMAND, &[("region", &[connection.region.as_str()])]);
        if let (true, Some(command)) = (by_name, command) {
            self.item("  ", text::WHICH_ZONE);
            self.line(&format!("     {command}"));
        }
    }

    fn private_name(&mut self, service: &Service) {
        self.head(text::PRIVATE_NAME);
        let Some(dns) = &service.private_dns else { return self.item("  ", text::NO_PRIVATE_NAME) };
        let name = shown(&dns.name);
        match (&dns.state, names::verified(service)) {
            (DnsNameState::Verified, Some(_)) => self.item("  ", &text::private_name_ready(&name)),
            (
                DnsNameState::Verified
                | DnsNameState::PendingVerification
                | DnsNameState::Failed
                | DnsNameState::Unknown(_),
                _,
            ) => self.item("  ", &text::private_name_later(&name)),
        }
    }

    fn families(&mut self, service: &Service, connection: &Connection) {
        self.head(text::FAMILIES);
        let own = match connection.ip_address_type.as_str() {
            "dualstack" => text::family(true, true),
            "ipv4" => text::family(true, false),
            "ipv6" => text::family(false, true),
            _ => text::family(false, false),
        };
        let speaks = |family: &str| service.ip_address_types.contains(family);
        self.item("  ", &text::families(own, text::family(speaks("ipv4"), speaks("ipv6"))));
    }

    fn held(&mut self, names: &text::Names, connection: &Connection, others: &[&Connection]) {
        let all = others.len() + 1;
        self.say(&text::held(names, all, &stamp(connection.created)));
        self.head(text::NEAREST);
        let policies = list(&policy(connection));
        self.item("  ", if policies.is_empty() { text::NO_POLICY } else { &policies });
        if others.is_empty() {
            return;
        }
        self.head(text::OTHERS);
        for connection in std::iter::once(&connection).chain(others).take(MOST) {
            self.line(&format!("  {}  {}", connection.endpoint, stamp(connection.created)));
        }
        if all > MOST {
            self.line(&format!("  {}", text::more(all - MOST)));
        }
        if all > steps::MOST_IN_COMMAND {
            self.item("  ", &text::first_only(steps::MOST_IN_COMMAND, all));
        }
    }

    fn facts(&mut self, notice: &Notice<'_>) {
        let Notice { service, connection, .. } = notice;
        self.head(text::FACTS);
        self.fact(text::SERVICE, &format!("{}, {}, {}", service.id, shown(&service.name), shown(&service.region)));
        self.fact(text::ENDPOINT, &format!("{}, {}", connection.endpoint, shown(&connection.region)));
        self.fact(text::ACCOUNT, connection.owner.as_str());
        let policies = list(&policy(connection));
        if !policies.is_empty() {
            self.fact(text::POLICY, &policies);
        }
        self.fact(text::NOTICE, &shown(&notice.id()));
    }
}

fn list(ids: &[&str]) -> String {
    ids.iter().take(MOST).map(|id| shown(id)).collect::<Vec<_>>().join(", ")
}
