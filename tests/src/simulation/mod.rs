//! A Region in which everything lives at once, all functions and everybody whom they work for, played from one seed.
//!
//! The seed draws who does what and when, which events are lost, doubled, late and out of order, which calls are slow, go
//! wrong, or go wrong after they took effect, how far reads lag behind, and which invocations die, at whatever await. Some
//! names are in a zone of another account, some endpoints in another Region, and some services have a Gateway Load
//! Balancer. Time stands while anybody has something to do, so that a day takes a second, and the same seed is the same
//! day. After it the weather is fine, and [`invariants`] says what has to hold then.
//!
//! - [`time`]: the time, which leaps. [`network`]: the way to the Region, and the book of what was done there.
//! - [`sky`]: the world's DNS. [`functions`]: processes and invocations. `people`: everybody else.
//! - [`rules`]: the policies, said twice. [`timeline`]: what happened.

mod events;
pub mod functions;
pub mod invariants;
pub mod network;
mod people;
pub mod rules;
mod running;
pub mod sky;
pub mod time;
pub mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::time::OffsetDateTime;
use privatelink_aws::clock;
use privatelink_core::config::{ConfiguratorConfig, Mode, TagFilter, VerifierConfig};
use privatelink_core::endpoint::{AddressType, ports_in};
use privatelink_core::ids::TopicArn;
use privatelink_region::happening::Happening;
use privatelink_region::route53::RecordKey;
use privatelink_region::{Region, Settings};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use self::events::By;
use self::functions::{Configs, Function, Invocation, Process};
use self::invariants::Violation;
use self::network::{Network, Weather};
use self::rules::{CONSUMERS, Rule};
use self::time::Leaps;
use self::timeline::Timeline;
use crate::domains::create_zone;
use crate::notices::{Notices, OPERATORS};
use crate::stage::{ACME, PROVIDER, STRANGER, Stage};

/// How long people are busy, in seconds of the Region's.
const BUSY: u64 = 30 * 60;
/// How many things they do in that time.
const DEEDS: usize = 28;
/// How often each function looks at everything in that time.
const SWEEPS: usize = 3;
/// The pauses between the sweeps of the quiet time, in seconds: long enough for a check that AWS said no to before.
const QUIET: [u64; 7] = [60, 180, 300, 900, 3_600, 28_800, 43_200];
/// More happens in no seed, unless what is done has to be done again for ever: a seed has two hundred invocations or so.
const MANY: u64 = 5_000;
const SCHEDULE: &str = include_str!("../../../events/schedule.json");

/// Something that is to happen.
#[derive(Debug, Clone)]
enum Due {
    Person,
    Sweep(Function),
    Event(Function, Vec<u8>),
}

/// One seed's world.
#[derive(Debug)]
pub struct Simulation {
    random: fastrand::Rng,
    time: Rc<Leaps>,
    region: Region,
    network: Arc<Network>,
    timeline: Arc<Timeline>,
    happenings: UnboundedReceiver<Happening>,
    folder: TempDir,
    configs: Configs,
    zones: Vec<String>,
    services: Vec<String>,
    rules: Vec<(OffsetDateTime, Rule)>,
    foreigns: Vec<(RecordKey, String)>,
    touched: BTreeSet<String>,
    agenda: BTreeMap<(Instant, u64), Due>,
    number: u64,
    idle: Vec<Process>,
    at_work: Vec<Invocation>,
    /// How far reads lagged behind while people were busy.
    first_lag: Duration,
    deadly: bool,
    violations: Vec<Violation>,
}

/// What came of a seed.
#[derive(Debug)]
pub struct Played {
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// What happened.
    pub timeline: Arc<Timeline>,
    /// How many calls were made.
    pub calls: u64,
    /// How many invocations there were.
    pub invocations: u64,
    /// How long it was, in the Region's time.
    pub length: Duration,
}

/// Plays a seed to its end.
pub fn play(seed: u64) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    // Whatever the functions draw by lot is drawn from this as well.
    fastrand::seed(seed);
    let time = Rc::new(Leaps::new());
    clock::simulate(Some(Rc::clone(&time) as Rc<dyn clock::Time>));
    let begun = clock::now();
    let mut simulation = Simulation::new(seed, time);
    simulation.busy();
    simulation.quiet();
    simulation.at_work.clear();
    let Simulation { network, violations, timeline, number, .. } = simulation;
    let length = clock::now() - begun;
    clock::simulate(None);
    Played { violations, timeline, calls: network.book(|book| book.calls), invocations: number, length }
}

impl Simulation {
    fn new(seed: u64, time: Rc<Leaps>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let lag = Duration::from_secs(if random.bool() { 0 } else { random.u64(..20) });
        let settings = Settings {
            seed: random.u64(..),
            throttling: random.bool(),
            read_lag: lag,
            page: random.choice([2, 3, 1000, 1000]).unwrap(),
            most_endpoint_ids: random.choice([None, Some(1), Some(2)]).unwrap(),
            unknown_id_spoils_call: random.bool(),
            prior_request_seconds: random.choice([None, Some(2)]).unwrap(),
            change_batch_errors_apart: random.bool(),
            ..Settings::default()
        };
        let mut notices = Notices::on(Stage::with(settings));
        notices.config.watch = Duration::from_secs(random.choice([0, 20]).unwrap());
        let Notices { stage, config: notifier, .. } = notices;
        stage.write("consumers.toml", CONSUMERS);
        let role = format!("arn:aws:iam::{STRANGER}:role/dns");
        stage.write("domains.toml", &format!("[[domain]]\nname = \"example.org\"\nroleArn = \"{role}\"\n"));
        let Stage { region, policy: folder, config: acceptor, .. } = stage;
        let aws = acceptor.aws.clone();
        let verifier = VerifierConfig {
            aws: aws.clone(),
            mode: Mode::Enforce,
            policy_dir: Some(acceptor.policy_dir.clone()),
            service_tag: None,
            operator_topic: Some(TopicArn::parse(OPERATORS).unwrap()),
            watch: notifier.watch,
            dns_servers: Vec::new(),
        };
        let mut consumers = aws;
        ACME.clone_into(&mut consumers.access_key_id);
        let configurator = ConfiguratorConfig {
            aws: consumers,
            mode: Mode::Enforce,
            endpoint_tag: TagFilter { key: "privatelink".to_owned(), value: "managed".to_owned() },
            ip_address_type: AddressType::Dualstack,
            private_dns: random.bool(),
            probe_ports: ports_in("443").unwrap(),
            watch: Duration::ZERO,
        };
        let timeline = Arc::new(Timeline::new(&region));
        let network = Network::new(&region, random.u64(..), &timeline);
        let zones = [(PROVIDER, "example.com"), (STRANGER, "example.org")];
        let zones = zones.map(|(account, name)| create_zone(&region, account, name, None)).to_vec();
        let happenings = region.listen();
        // A third of the seeds are calm: nobody dies there and nothing goes wrong, and nothing excuses a second notice.
        let calm = random.u8(..3) == 0;
        let weather = if calm { Weather::default() } else { Weather { wrong: random.u8(..25), slow: random.u8(..10) } };
        network.weather(weather);
        let mut simulation = Self {
            happenings,
            time,
            network,
            timeline,
            folder,
            configs: Configs { acceptor, verifier, notifier, configurator },
            zones,
            services: Vec::new(),
            rules: Vec::new(),
            foreigns: Vec::new(),
            touched: BTreeSet::new(),
            agenda: BTreeMap::new(),
            number: 0,
            idle: Vec::new(),
            at_work: Vec::new(),
            first_lag: lag,
            deadly: !calm,
            violations: Vec::new(),
            region,
            random,
        };
        simulation.timeline.say(format!("reads lag {lag:?}, {weather:?}, calm: {calm}"));
        simulation.rule(Rule::Usual);
        for _ in 0..simulation.random.usize(1..4) {
            simulation.offer();
        }
        simulation
    }

    /// The time in which people do things and everything goes wrong.
    fn busy(&mut self) {
        let begun = clock::now();
        let at = |random: &mut fastrand::Rng| begun + Duration::from_millis(random.u64(..BUSY * 1000));
        let mut due: Vec<_> = (0..DEEDS).map(|_| (at(&mut self.random), Due::Person)).collect();
        for function in Function::ALL {
            due.extend((0..SWEEPS).map(|_| (at(&mut self.random), Due::Sweep(function))));
        }
        due.into_iter().for_each(|(at, due)| self.foresee(at, due));
        self.go_on(begun + Duration::from_secs(BUSY + 600));
    }

    /// The time after it, in which nothing goes wrong any more, and everything has to come right.
    fn quiet(&mut self) {
        self.network.weather(Weather::default());
        self.deadly = false;
        {
            let mut world = self.region.world();
            world.settings.read_lag = Duration::ZERO;
            world.settings.throttling = false;
            world.dns.mend(None);
        }
        self.timeline.say("it is quiet".to_owned());
        for pause in QUIET {
            self.sweep(Duration::from_secs(pause));
        }
        let found = self.judge();
        self.violations.extend(found);
        let before = self.network.book(|book| book.writes.len());
        // Nobody knows anything any more but what AWS knows.
        self.idle.clear();
        self.sweep(Duration::from_secs(300));
        let more = self.network.book(|book| book.writes[before..].to_vec());
        // What a consumer set himself is set twice by the configurator and then left to him, as long as it remembers that.
        let contested = |write: &str| self.touched.iter().any(|endpoint| write.ends_with(endpoint.as_str()));
        if let Some((invocation, action)) = more.iter().find(|(_, write)| !contested(write)) {
            self.violations.push(Violation {
                what: format!("a further sweep changes something: {action}"),
                about: vec![format!("call {invocation}:")],
            });
        }
    }

    fn sweep(&mut self, pause: Duration) {
        for function in Function::ALL {
            let after = Duration::from_millis(self.random.u64(..2_000));
            self.foresee(clock::now() + after, Due::Sweep(function));
        }
        self.go_on(clock::now() + pause);
    }

    fn foresee(&mut self, at: Instant, due: Due) {
        self.number += 1;
        self.agenda.insert((at, self.number), due);
    }

    /// Lets everything happen until then.
    fn go_on(&mut self, until: Instant) {
        loop {
            self.work();
            self.hear(By::Function);
            let next = [self.agenda.keys().next().map(|(at, _)| *at), self.time.next()];
            let ends = self.at_work.iter().map(|invocation| invocation.end);
            let next = next.into_iter().flatten().chain(ends).min().filter(|next| *next <= until);
            let to = next.unwrap_or(until);
            self.region.step(to - clock::now());
            self.time.leap(to);
            if next.is_none() {
                return;
            }
            if self.number > MANY {
                let what = "there is no end to it".to_owned();
                self.violations.push(Violation { what, about: vec!["call".to_owned()] });
                return;
            }
            self.end_late();
            while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= to) {
                match entry.remove() {
                    Due::Person => {
                        self.hear(By::Function);
                        self.person();
                        self.hear(By::Hand);
                    }
                    Due::Sweep(function) => self.invoke(function, SCHEDULE.as_bytes().to_vec()),
                    Due::Event(function, payload) => self.invoke(function, payload),
                }
            }
        }
    }
}
