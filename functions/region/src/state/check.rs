//! Whether a document that can be read hangs together: every id leads to something, and nothing waits for ever.
//!
//! Everything that is wrong is found, not only the first. What a Region could have saved passes.

mod networks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use time::format_description::well_known::Rfc3339;

use super::place::pointer;
use super::{Document, Event};
use crate::Settings;
use crate::route53::{Change, RecordKey, Records, Route53, Zone, is_kind};
use crate::sns::{Sns, region_and_account};
use crate::world::{ConnectionNotification, Due, Endpoint, Made, Service, Session, role_parts};

/// The longest time that a setting may be: with more there would be times before the first and after the last.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// What was found.
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, steps: &[&str], problem: impl AsRef<str>) {
        self.0.push(format!("`{}`: {}", pointer(steps.iter().copied()), problem.as_ref()));
    }

    /// Whoever is looked up by an id has to be who bears it.
    fn id(&mut self, steps: &[&str], id: &str) {
        if steps.last().is_some_and(|key| *key != id) {
            self.add(steps, format!("its `id` is `{id}`, which is not the key under which it stands"));
        }
    }
}

/// All that is wrong.
pub(super) fn problems(document: &Document) -> Vec<String> {
    let Document {
        format: _,
        now: _,
        settings,
        random: _,
        foreseen: _,
        due,
        services,
        endpoints,
        networks,
        notifications,
        sessions,
        tokens,
        sns,
        route53,
        published_txt: _,
        buckets: _,
    } = document;
    let mut problems = Problems(Vec::new());
    check_settings(&mut problems, settings);
    check_due(&mut problems, document);
    check_services(&mut problems, services, due);
    check_endpoints(&mut problems, endpoints, services, due);
    networks::check(&mut problems, networks, endpoints);
    check_notifications(&mut problems, notifications, services);
    check_sessions(&mut problems, sessions);
    for (at, ((account, _, token), Made { id, .. })) in tokens.iter().enumerate() {
        if !(services.contains_key(id) || endpoints.contains_key(id) || notifications.contains_key(id)) {
            let problem = format!("the token `{token}` of the account `{account}` made `{id}`, which is not there");
            problems.add(&["tokens", &at.to_string()], problem);
        }
    }
    check_sns(&mut problems, sns);
    check_route53(&mut problems, route53);
    problems.0
}

fn check_settings(problems: &mut Problems, settings: &Settings) {
    let prior_request = settings.prior_request_seconds.map(Duration::from_secs);
    for (name, time) in [("read_lag", Some(settings.read_lag)), ("prior_request_seconds", prior_request)] {
        if time.is_some_and(|time| time > LONGEST) {
            problems.add(&["settings", name], format!("this is longer than {} seconds", LONGEST.as_secs()));
        }
    }
}

fn check_due(problems: &mut Problems, document: &Document) {
    let mut numbers = BTreeSet::new();
    for (at, event) in document.due.iter().enumerate() {
        let at = at.to_string();
        let steps = ["due", at.as_str()];
        if event.at <= document.now {
            problems.add(&steps, "this was due before `/now`, and so would have happened");
        }
        if event.number == 0 || event.number > document.foreseen {
            problems.add(&steps, format!("its number is `{}`, which is none up to `/foreseen`", event.number));
        }
        if !numbers.insert(event.number) {
            problems.add(&steps, format!("its number `{}` is that of an earlier one", event.number));
        }
        if !event.counts(&document.services, &document.endpoints) {
            problems.add(
                &steps,
                match &event.what {
                    Due::Available(id) => format!("there is no endpoint `{id}` that is `pending`"),
                    Due::Look(id) => format!("there is no service `{id}` with a private DNS name that waits for this"),
                },
            );
        }
    }
}

fn check_services(problems: &mut Problems, services: &BTreeMap<String, Service>, due: &[Event]) {
    for (key, service) in services {
        problems.id(&["services", key], &service.id);
        let Some(name) = &service.private_dns_name else { continue };
        let steps = ["services", key, "private_dns_name"];
        let awaited = |event: &Event| event.number == name.look && matches!(&event.what, Due::Look(id) if id == key);
        if name.look != 0 && !due.iter().any(awaited) {
            problems.add(&steps, format!("its `look` is `{}`, and no such look is in `/due`", name.look));
        }
        if name.asked && name.look == 0 {
            problems.add(&steps, "it was `asked` for, and has no `look` to come");
        }
    }
}

fn check_endpoints(
    problems: &mut Problems,
    endpoints: &BTreeMap<String, Endpoint>,
    services: &BTreeMap<String, Service>,
    due: &[Event],
) {
    let mut connections = BTreeMap::new();
    for (key, endpoint) in endpoints {
        let steps = ["endpoints", key];
        problems.id(&steps, &endpoint.id);
        if let Some(other) = connections.insert(&endpoint.connection_id, key) {
            let id = &endpoint.connection_id;
            problems.add(&steps, format!("its connection `{id}` is that of the endpoint `{other}` as well"));
        }
        match services.get(&endpoint.service) {
            Some(service) if service.kind() != endpoint.kind => {
                let (kind, right) = (endpoint.kind, service.kind());
                problems.add(&steps, format!("its `kind` is `{kind}`, and that of its service `{right}`"));
            }
            // A service may be deleted as soon as no connection of it is live.
            None if endpoint.is_live() => {
                let (service, state) = (&endpoint.service, endpoint.state());
                problems.add(&steps, format!("it is `{state}`, and there is no service `{service}`"));
            }
            Some(_) | None => {}
        }
        if endpoint.history.is_empty() {
            problems.add(&steps, "its `history` is empty, so that it has no state");
        }
        if !endpoint.history.is_sorted_by_key(|(since, _)| *since) {
            problems.add(&steps, "its `history` is not in its order");
        }
        let awaited = |event: &Event| matches!(&event.what, Due::Available(id) if id == key);
        if endpoint.state() == "pending" && !due.iter().any(awaited) {
            problems.add(&steps, "it is `pending`, and nothing in `/due` makes it available");
        }
    }
}

fn check_notifications(
    problems: &mut Problems,
    notifications: &BTreeMap<String, ConnectionNotification>,
    services: &BTreeMap<String, Service>,
) {
    for (key, ConnectionNotification { id, service, .. }) in notifications {
        let steps = ["notifications", key];
        problems.id(&steps, id);
        if !services.contains_key(service) {
            problems.add(&steps, format!("there is no service `{service}`"));
        }
    }
}

fn check_sessions(problems: &mut Problems, sessions: &BTreeMap<String, Session>) {
    for (key, session) in sessions {
        if role_parts(&session.role).is_none() {
            problems.add(&["sessions", key], format!("its `role` is `{}`, which is not a role's ARN", session.role));
        }
    }
}

fn check_sns(problems: &mut Problems, sns: &Sns) {
    // What was delivered stays when its topic goes.
    let Sns { topics, deliveries: _ } = sns;
    for (arn, topic) in topics {
        let steps = ["sns", "topics", arn];
        if region_and_account(arn).is_err() {
            problems.add(&steps, "its key is not a topic's ARN");
        }
        if topic.fifo.is_some() != arn.ends_with(".fifo") {
            problems.add(&steps, "a FIFO topic, and no other, has `fifo` and a name that ends with `.fifo`");
        }
        let mut arns = BTreeSet::new();
        for subscription in &topic.subscriptions {
            let of = subscription.arn.rsplit_once(':').map_or("", |(topic, _)| topic);
            if of != arn {
                problems.add(&steps, format!("the subscription `{}` is not one to this topic", subscription.arn));
            }
            if !arns.insert(&subscription.arn) {
                problems.add(&steps, format!("the subscription `{}` is there twice", subscription.arn));
            }
        }
    }
}

fn check_route53(problems: &mut Problems, route53: &Route53) {
    for (key, zone) in &route53.zones {
        let steps = ["route53", "zones", key];
        problems.id(&steps, &zone.id);
        check_records(problems, &[&steps[..], &["records"]].concat(), zone, &zone.records);
        for (at, (_, records)) in zone.seen.iter().enumerate() {
            check_records(problems, &[&steps[..], &["seen", &at.to_string()]].concat(), zone, records);
        }
        if zone.seen.last().is_none_or(|(_, records)| *records != zone.records) {
            problems.add(&steps, "what is `seen` at last are not its `records`");
        }
        if !zone.seen.is_sorted_by_key(|(from, _)| *from) {
            problems.add(&steps, "what is `seen` is not in its order");
        }
        if zone.seen.first().is_some_and(|(from, _)| *from < zone.known) {
            problems.add(&steps, "it is `seen` before it is `known`");
        }
        let number = zone.number;
        if let Some(other) = route53.zones.values().find(|other| other.number == number && other.id < zone.id) {
            problems.add(&steps, format!("its `number` `{number}` is that of the zone `{}` as well", other.id));
        }
        for (from, _) in &zone.seen {
            if !route53.changes.values().any(|change| change.owner == zone.owner && change.in_sync == *from) {
                let from = from.format(&Rfc3339).unwrap_or_default();
                problems
                    .add(&steps, format!("no change of its owner is `in_sync` at `{from}`, from when on it is `seen`"));
            }
        }
    }
    for (key, change) in &route53.changes {
        let Change { id, owner, comment: _, submitted, in_sync } = change;
        let steps = ["route53", "changes", key];
        problems.id(&steps, id);
        // No zone is ever deleted here.
        if !route53.zones.values().any(|zone| zone.owner == *owner) {
            problems.add(&steps, format!("the account `{owner}` has no zone that it could have changed"));
        }
        if in_sync < submitted {
            problems.add(&steps, "it is `in_sync` before it was `submitted`");
        }
    }
}

fn check_records(problems: &mut Problems, steps: &[&str], zone: &Zone, records: &Records) {
    for RecordKey { name, kind, .. } in records.keys() {
        if !name.is_within(&zone.name) {
            problems.add(steps, format!("the name `{name}` is not within the zone `{}`", zone.name));
        }
        if !is_kind(kind) {
            problems.add(steps, format!("the record set at `{name}` is of no known type: `{kind}`"));
        }
    }
    for kind in ["NS", "SOA"] {
        let apex = RecordKey { name: zone.name.clone(), kind: kind.to_owned(), identifier: None };
        if !records.contains_key(&apex) {
            problems.add(steps, format!("there is no record set `{kind}` of the zone itself"));
        }
    }
}
