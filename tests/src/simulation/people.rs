//! Consumers, services' owners and operators: what they do all day, without asking the functions.

use std::fs;
use std::time::Duration;

use privatelink_region::dns::{DnsFault, DnsFaultKind, ServerFault};
use privatelink_region::route53::{Name, RecordKey, RecordSet};
use privatelink_region::world::{EndpointDraft, ServiceDraft};
use privatelink_region::{Answer, Region, Reply, Request};

use super::Simulation;
use super::rules::{ACCOUNTS, Rule};
use crate::stage::{ACME, PROVIDER};

/// The most endpoints that one seed makes.
const ENDPOINTS: usize = 14;
/// The names that services may have. That of `example.org` is in another account's zone, and the last one in none.
const NAMES: [&str; 5] = ["a.example.com", "a-2.example.com", "*.c.example.com", "e.example.org", "d.example.net"];

/// A Region from which some connect.
const ABROAD: &str = "eu-central-1";

impl Simulation {
    /// Somebody does something.
    pub(super) fn person(&mut self) {
        match self.random.u8(..26) {
            0..=8 => self.connect(),
            9 | 10 => self.delete(),
            11 | 12 => self.modify(),
            13 => self.rename(),
            14 => self.decide("Accept"),
            15 => self.decide("Reject"),
            16..=18 => {
                let rule = self.random.choice(Rule::ALL).unwrap();
                self.rule(rule);
            }
            19..=21 => self.foreign(),
            22 | 23 => self.name_servers(),
            _ => self.outage(),
        }
    }

    /// A policy comes into force.
    pub(super) fn rule(&mut self, rule: Rule) {
        fs::write(self.folder.path().join("policy.cedar"), rule.cedar()).unwrap();
        self.timeline.say(format!("policy {rule:?}"));
        self.rules.push((self.region.now(), rule));
    }

    /// A new service, with a name or without one. That of a Gateway Load Balancer can have none.
    pub(super) fn offer(&mut self) {
        let kind = if self.random.u8(..6) == 0 { "gwy" } else { "net" };
        let name = self.random.choice(NAMES).filter(|_| kind == "net" && self.random.u8(..4) > 0);
        let load_balancer =
            format!("arn:aws:elasticloadbalancing:us-west-2:{PROVIDER}:loadbalancer/{kind}/api/50dc6c495c0c9188");
        let draft = ServiceDraft {
            acceptance_required: true,
            load_balancers: vec![load_balancer],
            ip_address_types: vec!["ipv4".to_owned(), "ipv6".to_owned()],
            private_dns_name: name.map(ToOwned::to_owned),
            supported_regions: [ABROAD.to_owned()].into(),
            ..ServiceDraft::default()
        };
        let id = self.region.world().create_service(PROVIDER, draft).id.clone();
        self.timeline.say(format!("service {id} ({kind}) with the name {name:?}"));
        self.services.push(id);
    }

    fn service(&mut self) -> String {
        self.random.choice(&self.services).unwrap().clone()
    }

    fn connect(&mut self) {
        let (service, account) = (self.service(), self.random.choice(ACCOUNTS).unwrap());
        // The configurator is in its own Region, and sees none of another.
        let region = (account != ACME && self.random.u8(..4) == 0).then(|| ABROAD.to_owned());
        let mut world = self.region.world();
        let number = world.endpoints.len();
        if number >= ENDPOINTS {
            return;
        }
        let tag = (account == ACME).then(|| ("privatelink".to_owned(), "managed".to_owned()));
        let draft = EndpointDraft {
            service_name: world.service_name(&world.services[&service]),
            vpc: format!("vpc-0a11ce00000000{number:02}"),
            region: region.clone(),
            ip_address_type: "ipv4".to_owned(),
            subnets: vec![format!("subnet-0a11ce00000000{number:02}")],
            tags: tag.into_iter().collect(),
            ..EndpointDraft::default()
        };
        let made = world.create_endpoint(account, draft).unwrap().id.clone();
        drop(world);
        self.timeline.say(format!("{account} makes {made} of {service} in {region:?}"));
    }

    /// Some endpoint that is not deleted, with its owner and its service.
    fn endpoint(&mut self) -> Option<(String, String, String)> {
        let world = self.region.world();
        let there = world.endpoints.values().filter(|endpoint| endpoint.state() != "deleted");
        let there: Vec<_> = there.map(|found| (found.id.clone(), found.owner.clone(), found.service.clone())).collect();
        drop(world);
        self.random.choice(there)
    }

    fn delete(&mut self) {
        let Some((endpoint, owner, _)) = self.endpoint() else { return };
        self.timeline.say(format!("{owner} deletes {endpoint}"));
        self.region.world().delete_endpoint(&owner, &endpoint).unwrap();
    }

    fn modify(&mut self) {
        let Some((endpoint, owner, _)) = self.endpoint() else { return };
        self.timeline.say(format!("{owner} modifies {endpoint}"));
        self.touched.insert(endpoint.clone());
        ec2(&self.region, &owner, &format!("Action=ModifyVpcEndpoint&VpcEndpointId={endpoint}&IpAddressType=ipv4"));
    }

    fn rename(&mut self) {
        let (service, name) = (self.service(), self.random.choice(NAMES).unwrap());
        self.timeline.say(format!("service {service} gets the name {name}"));
        let call = "Action=ModifyVpcEndpointServiceConfiguration";
        ec2(&self.region, PROVIDER, &format!("{call}&ServiceId={service}&PrivateDnsName={name}"));
    }

    fn decide(&mut self, verb: &str) {
        let Some((endpoint, _, service)) = self.endpoint() else { return };
        self.timeline.say(format!("an operator: {verb} {endpoint}"));
        let call = format!("Action={verb}VpcEndpointConnections");
        ec2(&self.region, PROVIDER, &format!("{call}&ServiceId={service}&VpcEndpointId.1={endpoint}"));
    }

    /// Somebody else puts a value of his own where the record of a service is, or will be.
    fn foreign(&mut self) {
        let service = self.service();
        let mut world = self.region.world();
        let Some(name) = world.services[&service].private_dns_name.clone() else { return };
        let record = format!("{}.{}", name.record, name.name.trim_start_matches("*."));
        let key = RecordKey { name: Name::parse(&record).unwrap(), kind: "TXT".to_owned(), identifier: None };
        let mut zones = self.zones.iter().map(|zone| (zone, &world.route53.zones[zone]));
        let Some((id, zone)) = zones.find(|(_, zone)| key.name.is_within(&zone.name)) else { return };
        let mut records = zone.records.clone();
        let mut values = records.get(&key).map(|set| set.values().to_vec()).unwrap_or_default();
        let value = format!("\"somebody-else={}\"", self.foreigns.len());
        values.push(value.clone());
        records.insert(key.clone(), RecordSet::simple(3600, values));
        let now = world.now();
        world.route53.change_zone(id, records, None, now).unwrap();
        drop(world);
        self.timeline.say(format!("somebody else adds {value} to {record}"));
        self.foreigns.push((key, value));
    }

    /// A part of AWS is down for a while.
    fn outage(&mut self) {
        let of = self.random.choice(OUTAGES).unwrap();
        let length = Duration::from_secs(self.random.u64(20..400));
        self.network.outage(of, self.region.now() + length);
        self.timeline.say(format!("{of}… is down for {length:?}"));
    }

    /// Something is wrong with name servers, or is not any more.
    fn name_servers(&mut self) {
        let how = self.random.choice(TROUBLES).filter(|_| self.random.u8(..3) > 0);
        let which = self.random.choice([vec![], vec![0], vec![1, 3]]).unwrap();
        let zone = self.random.choice(&self.zones).unwrap();
        let mut world = self.region.world();
        world.dns.mend(None);
        if let Some(how) = how {
            let zone = world.route53.zones[zone].name.clone();
            world.dns.add(DnsFault { zone, kind: DnsFaultKind::Servers { which: which.clone(), how } });
        }
        drop(world);
        self.timeline.say(format!("the name servers {which:?} (all, where none is named): {how:?}"));
    }
}

/// What can be down: the operations whose names begin so.
const OUTAGES: [&str; 7] =
    ["Publish", "CreateTags", "Accept", "Describe", "ChangeResourceRecordSets", "Start", "AssumeRole"];
/// What becomes of the name servers of the zone.
const TROUBLES: [ServerFault; 6] = [
    ServerFault::Servfail,
    ServerFault::Refused,
    ServerFault::Silence,
    ServerFault::Truncated,
    ServerFault::SecondsBehind(300),
    ServerFault::BeforeLastChange,
];

/// A call of EC2's by a person, who does not mind what comes of it.
fn ec2(region: &Region, account: &str, body: &str) -> bool {
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        authorization: format!("AWS4-HMAC-SHA256 Credential={account}/20260131/us-west-2/ec2/aws4_request"),
        body: format!("{body}&Version=2016-11-15").into_bytes(),
        ..Request::default()
    };
    matches!(region.answer(&request), Reply::Answer(Answer { status: 200, .. }))
}
