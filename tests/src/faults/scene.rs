//! What a function finds when something goes wrong, and what has to come of it: worlds in which one look does every kind
//! of call.

use std::collections::BTreeSet;
use std::time::Duration;

use privatelink_core::config::{Mode, VerifierConfig};
use privatelink_core::ids::TopicArn;
use privatelink_region::route53::{Name, RecordKey, RecordSet, ZoneDraft};
use privatelink_region::{Region, Settings};

use crate::endpoints::{BOTH, BOTH_TOO, Endpoints};
use crate::notices::{CONSUMERS, Notices, OPERATORS};
use crate::simulation::functions::{Configs, Function};
use crate::stage::{Stage, settings};
use crate::{ACME, BETA, PROVIDER, STRANGER};

/// Who owns a zone that is reached through a role.
const DNS_ACCOUNT: &str = "444455556666";
/// A value of somebody else's, where ours is to stand.
pub(super) const FOREIGN: &str = "\"of=somebody-else\"";
const LIMITED: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333"]
groups = ["partners"]
maxConnections = 3

[[consumer]]
name = "beta"
accounts = ["222233334444"]
groups = ["blocked"]
"#;
const DOMAINS: &str = r#"
[[domain]]
name = "example.com"
roleArn = "arn:aws:iam::444455556666:role/dns"
"#;
/// Longer than Route 53 takes to bring a change to its name servers, in the Region.
const PROPAGATION: Duration = Duration::from_secs(61);
/// Longer than AWS takes to look at a record that it was asked to look at, in the Region.
const CHECK: Duration = Duration::from_secs(181);

/// A world, and the function that is to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// Some requests: to be accepted, rejected and held.
    Requests,
    /// Some connections and a request of which somebody has to be told.
    News,
    /// A name without its record.
    Name,
    /// The same, in a zone of another account.
    Elsewhere,
    /// A record that is in its zone, and not readable yet.
    NotYet,
    /// A record that has just become readable.
    Readable,
    /// A name that has just been verified.
    Verified,
    /// An endpoint that has not what its account wants.
    Endpoint,
    /// Two of them.
    Endpoints,
}

/// A scene that is set.
#[derive(Debug)]
pub struct Set {
    /// Which.
    pub scene: Scene,
    /// Its Region.
    pub region: Region,
    /// What the functions are told.
    pub configs: Configs,
    /// What there is in it, by what it is for.
    pub(super) things: Vec<(&'static str, String)>,
    _stage: Stage,
}

impl Scene {
    /// All of them, those of one function side by side.
    pub const ALL: [Self; 9] = [
        Self::Requests,
        Self::Name,
        Self::Elsewhere,
        Self::NotYet,
        Self::Readable,
        Self::Verified,
        Self::News,
        Self::Endpoint,
        Self::Endpoints,
    ];

    /// Who looks at it.
    pub fn function(self) -> Function {
        match self {
            Self::Requests => Function::Acceptor,
            Self::Name | Self::Elsewhere | Self::Readable | Self::NotYet | Self::Verified => Function::Verifier,
            Self::News => Function::Notifier,
            Self::Endpoint | Self::Endpoints => Function::Configurator,
        }
    }

    /// What happens in it before anything goes wrong: time that passes, and whether the function looks then.
    pub(super) fn before(self) -> &'static [Duration] {
        match self {
            Self::Requests
            | Self::Name
            | Self::Elsewhere
            | Self::NotYet
            | Self::News
            | Self::Endpoint
            | Self::Endpoints => &[],
            Self::Readable => &[PROPAGATION],
            Self::Verified => &[PROPAGATION, CHECK],
        }
    }

    /// How long it takes until the next look can bring it to its end.
    pub(super) fn pause(self) -> Duration {
        match self {
            Self::Requests | Self::News | Self::Verified => Duration::from_secs(60),
            Self::Name | Self::Elsewhere | Self::NotYet | Self::Readable | Self::Endpoint | Self::Endpoints => {
                Duration::from_secs(300)
            }
        }
    }

    /// Makes it.
    pub fn set(self) -> Set {
        let page = match self {
            Self::Requests | Self::News => 2,
            Self::Name | Self::Endpoints => 1,
            Self::Elsewhere | Self::Readable | Self::NotYet | Self::Verified | Self::Endpoint => 1000,
        };
        let notices = Notices::on(Stage::with(Settings { page, ..settings() }));
        let mut things = Vec::new();
        match self {
            Self::Requests => requests(&notices, &mut things),
            Self::News => news(&notices, &mut things),
            Self::Name | Self::Readable | Self::Verified => name(&notices, PROVIDER, &mut things),
            Self::Elsewhere => name(&notices, DNS_ACCOUNT, &mut things),
            Self::NotYet => not_yet(&notices, &mut things),
            Self::Endpoint | Self::Endpoints => {}
        }
        let Notices { stage, config: notifier, .. } = notices;
        let verifier = VerifierConfig {
            aws: stage.config.aws.clone(),
            mode: Mode::Enforce,
            policy_dir: Some(stage.config.policy_dir.clone()),
            service_tag: None,
            operator_topic: Some(TopicArn::parse(OPERATORS).unwrap()),
            watch: Duration::ZERO,
            dns_servers: Vec::new(),
        };
        let (stage, configurator) = if self.function() == Function::Configurator {
            let endpoints = Endpoints::on(stage);
            set_endpoints(&endpoints, self == Self::Endpoints, &mut things);
            (endpoints.stage, endpoints.config)
        } else {
            let config = crate::endpoints::config(&stage);
            (stage, config)
        };
        let configs = Configs { acceptor: stage.config.clone(), verifier, notifier, configurator };
        Set { scene: self, region: stage.region.clone(), configs, things, _stage: stage }
    }
}

impl Set {
    /// The things that are there for something.
    pub(super) fn of(&self, what: &str) -> Vec<&str> {
        self.things.iter().filter(|(of, _)| *of == what).map(|(_, id)| id.as_str()).collect()
    }

    /// All values of the records of a zone.
    pub(super) fn values(&self, zone: &str) -> BTreeSet<String> {
        let world = self.region.world();
        let sets = world.route53.zones[zone].records.values();
        sets.flat_map(|set| set.values().iter().cloned()).collect()
    }
}

type Things = Vec<(&'static str, String)>;

fn requests(notices: &Notices, things: &mut Things) {
    let stage = &notices.stage;
    stage.write("consumers.toml", LIMITED);
    let service = stage.service();
    let live = stage.connect(&service, ACME);
    notices.become_state(&live, "available");
    things.push(("live", live));
    for (what, account) in
        [("partner", ACME), ("partner", ACME), ("too many", ACME), ("blocked", BETA), ("held", STRANGER)]
    {
        things.push((what, stage.connect(&service, account)));
    }
    others(stage);
}

fn news(notices: &Notices, things: &mut Things) {
    notices.stage.write("consumers.toml", CONSUMERS);
    let service = notices.stage.service();
    for (account, state) in [(ACME, "available"), (ACME, "available"), (BETA, "rejected")] {
        things.push((state, notices.connection(&service, account, state)));
    }
    things.push(("held", notices.held(&service, STRANGER)));
    others(&notices.stage);
}

/// Services about which there is nothing to do, and which make pages of the listings.
fn others(stage: &Stage) {
    stage.service();
    stage.service();
}

fn name(notices: &Notices, owner: &str, things: &mut Things) {
    let stage = &notices.stage;
    if owner != PROVIDER {
        stage.write("domains.toml", DOMAINS);
    }
    let its = zone(&stage.region, owner, "example.com", None);
    // Two of one name, which stand on two pages; and another service.
    zone(&stage.region, owner, "example.com", Some("vpc-0123456789abcdef0"));
    stage.service();
    let service = stage.service_named("api.example.com");
    let (record, value) = proof(&stage.region, &service);
    put(&stage.region, &its, &record, FOREIGN);
    things.extend([("zone", its), ("name", service), ("value", value)]);
    stage.region.step(PROPAGATION);
}

fn not_yet(notices: &Notices, things: &mut Things) {
    let stage = &notices.stage;
    let own = zone(&stage.region, PROVIDER, "example.com", None);
    stage.region.step(PROPAGATION);
    let service = stage.service_named("api.example.com");
    let (record, value) = proof(&stage.region, &service);
    put(&stage.region, &own, &record, &value);
    things.extend([("zone", own), ("name", service), ("value", value)]);
}

fn set_endpoints(endpoints: &Endpoints, two: bool, things: &mut Things) {
    if two {
        let service = endpoints.another_service("b.example.com");
        things.push(("managed", endpoints.available(&service, &[BOTH, BOTH_TOO])));
    }
    things.push(("managed", endpoints.available(&endpoints.service, &[BOTH])));
    let foreign = endpoints.made(STRANGER, &endpoints.service, &[], true);
    let untagged = endpoints.made(ACME, &endpoints.service, &[BOTH], false);
    for other in [foreign, untagged] {
        endpoints.become_state(&other, "available");
        things.push(("not managed", other));
    }
}

fn zone(region: &Region, account: &str, name: &str, vpc: Option<&str>) -> String {
    let mut world = region.world();
    let now = world.now();
    let draft = ZoneDraft {
        name: Name::parse(name).unwrap(),
        caller_reference: format!("{}", world.route53.zones.len()),
        comment: None,
        vpcs: vpc.map(|vpc| ("us-west-2".to_owned(), vpc.to_owned())).into_iter().collect(),
    };
    world.route53.create_zone(account, draft, now).0.id.clone()
}

/// The name of the record that proves a service's name, and its value in quotation marks.
fn proof(region: &Region, service: &str) -> (String, String) {
    let world = region.world();
    let name = world.services[service].private_dns_name.as_ref().unwrap();
    (format!("{}.{}", name.record, name.name), format!("\"{}\"", name.value))
}

fn put(region: &Region, zone: &str, record: &str, value: &str) {
    let mut world = region.world();
    let now = world.now();
    let mut records = world.route53.zones[zone].records.clone();
    let key = RecordKey { name: Name::parse(record).unwrap(), kind: "TXT".to_owned(), identifier: None };
    records.insert(key, RecordSet::simple(60, vec![value.to_owned()]));
    world.route53.change_zone(zone, records, None, now).unwrap();
}
