//! The whole world as one JSON document, to be saved and loaded.
//!
//! In it is everything that decides what happens next, so that a loaded Region goes on exactly as the saved one would
//! have: the settings, the time, all things and their past, what is foreseen, what throttling has counted, and the
//! states of the random generators. Not in it is what belongs to whoever holds the Region rather than to the world:
//! listeners, the requests that came last, and the faults that were asked for, those of DNS too. How fast the clock runs is for the
//! loader to say.
//!
//! A document is taken whole or refused whole, with what is wrong and where: a path as JSON Pointer (RFC 6901) has it.
//! First it has to be JSON of this format, then every reference in it has to lead somewhere. An optional field that is
//! `null` may as well be left out; a field that nobody knows is refused.
//!
//! - `form`: how times, words and maps are written, where serde's own way would not do.
//! - `place`: where in a document something is.
//! - `check`: whether all references lead somewhere.
//! - `file`: documents in files.

mod check;
mod file;
pub(crate) mod form;
mod place;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::dns::Dns;
use crate::faults::Faults;
use crate::requests::Requests;
use crate::route53::Route53;
use crate::sns::Sns;
use crate::world::{ConnectionNotification, Due, Endpoint, Made, Network, Place, Service, Session, World};
use crate::{Region, Settings};

/// The version of the document's form. One of another version is refused, not guessed at.
pub const FORMAT: u64 = 4;

/// Why a world can not be saved or loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFault {
    /// Everything that is wrong, each with its place. Of a document that can not be read, only the first is known.
    pub problems: Vec<String>,
}

impl StateFault {
    pub(crate) fn of(problem: String) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for StateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for StateFault {}

/// What every version of the document has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Head {
    format: u64,
}

/// A saved world.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u64,
    /// The time at which it was saved. Everything that was due by then has happened.
    #[serde(with = "form::moment")]
    now: OffsetDateTime,
    settings: Settings,
    #[serde(with = "form::random")]
    random: fastrand::Rng,
    /// How many things were ever foreseen, which numbers them.
    #[serde(deserialize_with = "form::count")]
    foreseen: u64,
    due: Vec<Event>,
    services: BTreeMap<String, Service>,
    endpoints: BTreeMap<String, Endpoint>,
    #[serde(with = "form::pairs")]
    networks: BTreeMap<Place, Network>,
    notifications: BTreeMap<String, ConnectionNotification>,
    sessions: BTreeMap<String, Session>,
    #[serde(with = "form::pairs")]
    tokens: BTreeMap<(String, String, String), Made>,
    sns: Sns,
    route53: Route53,
    published_txt: BTreeSet<(String, String)>,
    buckets: Buckets,
}

/// Something that is foreseen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    #[serde(with = "form::moment")]
    at: OffsetDateTime,
    number: u64,
    what: Due,
}

impl Event {
    /// Whether anything comes of it. What was foreseen for a thing that is gone or has changed since is passed over
    /// when its time comes.
    fn counts(&self, services: &BTreeMap<String, Service>, endpoints: &BTreeMap<String, Endpoint>) -> bool {
        match &self.what {
            Due::Available(id) => endpoints.get(id).is_some_and(|endpoint| endpoint.state() == "pending"),
            Due::Look(id) => {
                let name = services.get(id).and_then(|service| service.private_dns_name.as_ref());
                name.is_some_and(|name| name.look == self.number)
            }
        }
    }
}

impl Document {
    fn of(world: &World, now: OffsetDateTime) -> Self {
        // Every field is named, so that whoever adds one to the world has to decide whether it is saved.
        let World {
            settings,
            services,
            endpoints,
            networks,
            sns,
            notifications,
            sessions,
            tokens,
            published_txt,
            // The endpoints have their connections' ids.
            connections: _,
            route53,
            buckets,
            random,
            due,
            foreseen,
            // The time is saved, and not how it passes.
            clock: _,
            requests: _,
            faults: _,
            dns: _,
            refuse_items: _,
            listeners: _,
        } = world;
        let due = due.iter().map(|(&(at, number), what)| Event { at, number, what: what.clone() });
        Self {
            format: FORMAT,
            now,
            settings: settings.clone(),
            random: random.clone(),
            foreseen: *foreseen,
            due: due.filter(|event| event.counts(services, endpoints)).collect(),
            services: services.clone(),
            endpoints: endpoints.clone(),
            networks: networks.clone(),
            notifications: notifications.clone(),
            sessions: sessions.clone(),
            tokens: tokens.clone(),
            sns: sns.clone(),
            route53: route53.clone(),
            published_txt: published_txt.clone(),
            buckets: buckets.clone(),
        }
    }

    fn read(text: &str) -> Result<Self, StateFault> {
        place::check_keys(text)?;
        let Head { format } = serde_json::from_str(text).map_err(|error| place::unreadable(text, &error))?;
        if format != FORMAT {
            return Err(StateFault::of(format!("`/format` is `{format}`; what can be read here is `{FORMAT}`")));
        }
        let document: Self = serde_json::from_str(text).map_err(|error| place::unreadable(text, &error))?;
        let problems = check::problems(&document);
        if problems.is_empty() { Ok(document) } else { Err(StateFault { problems }) }
    }

    fn into_world(self, clock: Clock) -> World {
        let Self {
            format: _,
            now: _,
            settings,
            random,
            foreseen,
            due,
            services,
            endpoints,
            networks,
            notifications,
            sessions,
            tokens,
            sns,
            route53,
            published_txt,
            buckets,
        } = self;
        let connections = endpoints.values().map(|endpoint| (endpoint.connection_id.clone(), endpoint.id.clone()));
        World {
            connections: connections.collect(),
            due: due.into_iter().map(|Event { at, number, what }| ((at, number), what)).collect(),
            settings,
            services,
            endpoints,
            networks,
            sns,
            notifications,
            sessions,
            tokens,
            published_txt,
            route53,
            buckets,
            random,
            foreseen,
            clock,
            requests: Requests::default(),
            faults: Faults::default(),
            dns: Dns::default(),
            refuse_items: None,
            listeners: Vec::new(),
        }
    }
}

impl Region {
    /// The world as a document.
    ///
    /// # Errors
    ///
    /// There is a time in it that RFC 3339 can not write, as before the year 0.
    pub fn save(&self) -> Result<String, StateFault> {
        let document = {
            let mut world = self.world();
            // A clock that runs has run on since the world caught up.
            let now = world.catch_up();
            Document::of(&world, now)
        };
        let text = serde_json::to_string_pretty(&document);
        text.map(|text| text + "\n").map_err(|error| StateFault::of(format!("the state can not be written: {error}")))
    }

    /// The Region that a document tells of. The clock is made from the time at which it was saved: by
    /// [`Clock::standing`], or one that runs.
    ///
    /// # Errors
    ///
    /// What is wrong with the document, and where.
    pub fn load(text: &str, clock: impl FnOnce(OffsetDateTime) -> Clock) -> Result<Self, StateFault> {
        let document = Document::read(text)?;
        let clock = clock(document.now);
        Ok(Self(Arc::new(Mutex::new(document.into_world(clock)))))
    }

    /// Puts the world that a document tells of in the place of this one. The clock goes on from the document's time
    /// at its own speed; listeners, the requests that came last and the faults that are still to come stay.
    ///
    /// # Errors
    ///
    /// What is wrong with the document, and where. Then nothing is changed.
    pub fn restore(&self, text: &str) -> Result<(), StateFault> {
        let document = Document::read(text)?;
        let mut world = self.world();
        let clock = world.clock.set(document.now);
        let former = std::mem::replace(&mut *world, document.into_world(clock));
        world.listeners = former.listeners;
        world.requests = former.requests;
        world.faults = former.faults;
        world.dns = former.dns;
        Ok(())
    }
}
