//! A stage with the world's DNS in it: zones, name servers on loopback, and `domain-verifier`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use privatelink_aws::deadline::Deadline;
use privatelink_aws::verifier::Verifier;
use privatelink_core::config::{Mode, VerifierConfig};
use privatelink_core::ids::TopicArn;
use privatelink_core::report::{Answer, Failure};
use privatelink_dns::Dns;
use privatelink_region::dns::{self, DnsFault, DnsFaultKind, Layout, NameServers, Options};
use privatelink_region::route53::{Name, RecordKey, RecordSet, Records, ZoneDraft};
use privatelink_region::world::DnsState;
use privatelink_region::{Region, Settings};
use serde_json::Value;

use crate::calls::recorded;
use crate::stage::{PROVIDER, Stage};

/// The topic of the operators.
pub const OPERATORS: &str = "arn:aws:sns:us-west-2:999988887777:operators";
/// Longer than Route 53 takes to bring a change to its name servers, in the Region.
pub const PROPAGATION: Duration = Duration::from_secs(61);
/// Longer than AWS takes to look at a record that it was asked to look at, in the Region.
pub const CHECK: Duration = Duration::from_secs(181);

/// A Region with zones and name servers, and what the verifier is told.
#[derive(Debug)]
pub struct Domains {
    /// The Region, with the policy folder.
    pub stage: Stage,
    /// The name servers.
    pub servers: NameServers,
    /// What the verifier is told.
    pub config: VerifierConfig,
}

impl Domains {
    /// A Region in which nobody is throttled.
    pub async fn new() -> Self {
        Self::with(crate::stage::settings()).await
    }

    /// A Region that behaves in that way.
    pub async fn with(settings: Settings) -> Self {
        Self::on(Stage::with(settings)).await
    }

    /// Name servers for a Region that exists, which the verifier is given.
    pub async fn on(stage: Stage) -> Self {
        Self::laid_out(stage, Options { layout: Layout::Ports(0), ipv6_only: false }).await
    }

    /// The same, and the verifier is given none: it asks a resolver for them, and each at its own address. `ipv6_only`
    /// says that they have no others than IPv6 addresses. Only Linux has the addresses that it takes.
    pub async fn in_the_world(ipv6_only: bool) -> Self {
        let stage = Stage::with(crate::stage::settings());
        let mut domains = Self::laid_out(stage, Options { layout: Layout::Addresses(0), ipv6_only }).await;
        domains.config.dns_servers.clear();
        domains
    }

    async fn laid_out(stage: Stage, options: Options) -> Self {
        let servers = dns::serve(&stage.region, options).await.unwrap();
        let config = VerifierConfig {
            aws: stage.config.aws.clone(),
            mode: Mode::Enforce,
            policy_dir: Some(stage.config.policy_dir.clone()),
            service_tag: None,
            operator_topic: Some(TopicArn::parse(OPERATORS).unwrap()),
            watch: Duration::ZERO,
            dns_servers: servers.name_servers().to_vec(),
        };
        stage.region.make_topic(PROVIDER, "operators", "email", "ops@example.com").unwrap();
        Self { stage, servers, config }
    }

    /// The Region.
    pub fn region(&self) -> &Region {
        &self.stage.region
    }

    /// A new service of the provider's with a private DNS name.
    pub fn service(&self, name: &str) -> String {
        self.stage.service_named(name)
    }

    /// A new hosted zone of an account; private, where it is for a VPC.
    pub fn zone_of(&self, account: &str, name: &str, vpc: Option<&str>) -> String {
        create_zone(self.region(), account, name, vpc)
    }

    /// A new public hosted zone of the provider's, which the world knows already.
    pub fn zone(&self, name: &str) -> String {
        let zone = self.zone_of(PROVIDER, name, None);
        self.region().step(PROPAGATION);
        zone
    }

    /// Puts a TXT record set into a zone, whatever was there.
    pub fn put(&self, zone: &str, name: &str, ttl: u32, values: &[&str]) {
        self.change(zone, |records| {
            let set = RecordSet::simple(ttl, values.iter().map(|value| (*value).to_owned()).collect());
            records.insert(key(name), set);
        });
    }

    /// Puts the record that proves a service's name into a zone.
    pub fn put_proof(&self, zone: &str, service: &str) {
        let (record, value) = self.proof(service);
        self.put(zone, &record, 300, &[&format!("\"{value}\"")]);
    }

    /// Takes a TXT record set out of a zone.
    pub fn take(&self, zone: &str, name: &str) {
        self.change(zone, |records| drop(records.remove(&key(name))));
    }

    fn change(&self, zone: &str, change: impl FnOnce(&mut Records)) {
        let mut world = self.region().world();
        let now = world.now();
        let mut records = world.route53.zones[zone].records.clone();
        change(&mut records);
        world.route53.change_zone(zone, records, None, now).unwrap();
    }

    /// The values of a TXT record set of a zone, with its TTL.
    pub fn txt(&self, zone: &str, name: &str) -> Option<(u32, Vec<String>)> {
        let world = self.region().world();
        let set = world.route53.zones[zone].records.get(&key(name))?;
        match &set.data {
            privatelink_region::route53::RecordData::Values { ttl, values } => Some((*ttl, values.clone())),
            privatelink_region::route53::RecordData::Alias { .. } => None,
        }
    }

    /// The whole name and the value of the TXT record that proves a service's name.
    pub fn proof(&self, service: &str) -> (String, String) {
        let world = self.region().world();
        let name = world.services[service].private_dns_name.as_ref().unwrap();
        let domain = name.name.strip_prefix("*.").unwrap_or(&name.name);
        (format!("{}.{domain}", name.record), name.value.clone())
    }

    /// EC2's word for how far a service's name is proved.
    pub fn state(&self, service: &str) -> &'static str {
        self.region().world().services[service].private_dns_name.as_ref().unwrap().state.word()
    }

    /// Puts a service's name into a state, as AWS does on its own.
    pub fn become_state(&self, service: &str, state: DnsState) {
        let mut world = self.region().world();
        world.services.get_mut(service).unwrap().private_dns_name.as_mut().unwrap().state = state;
    }

    /// What the service's tag remembers.
    pub fn memory(&self, service: &str) -> Option<String> {
        self.region().world().services[service].tags.get("privatelink:domain").cloned()
    }

    /// Lets something go wrong with a zone's DNS.
    pub fn spoil(&self, zone: &str, kind: DnsFaultKind) {
        self.region().world().dns.add(DnsFault { zone: Name::parse(zone).unwrap(), kind });
    }

    /// The mails that the operators got, by subject.
    pub fn mails(&self) -> Vec<String> {
        let world = self.region().world();
        let subject = |delivery: &privatelink_region::sns::Delivery| delivery.subject.clone().unwrap_or_default();
        world.sns.deliveries.iter().map(subject).collect()
    }

    /// The verifier, as it is begun anew.
    pub fn verifier(&self) -> Verifier {
        if self.config.dns_servers.is_empty() {
            // An IPv6 address of the Region's is an IPv4 address in another form.
            return self.reaching(|ip| ip.to_canonical());
        }
        self.over(&self.region().http_client())
    }

    /// The verifier, which asks the world, and for which that is where a name server's address is.
    pub fn reaching(&self, reach: impl Fn(IpAddr) -> IpAddr + Send + Sync + 'static) -> Verifier {
        let resolver = self.servers.resolver();
        self.asking(Dns::with(vec![resolver], move |ip| (reach(ip), resolver.port()).into()))
    }

    /// The verifier, which speaks to the Region in that way.
    pub fn over(&self, http: &SharedHttpClient) -> Verifier {
        self.speaking(http, Dns::servers(self.config.dns_servers.clone()))
    }

    fn asking(&self, dns: Dns) -> Verifier {
        self.speaking(&self.region().http_client(), dns)
    }

    fn speaking(&self, http: &SharedHttpClient, dns: Dns) -> Verifier {
        Verifier::new(self.config.clone(), &recorded("domain-verifier", http.clone()), dns)
    }

    /// One event to a verifier that has that much time.
    pub async fn answer(&self, verifier: &Verifier, event: Value, left: Duration) -> Answer {
        verifier.handle(event.to_string().as_bytes(), self.region().now(), Deadline::after(left)).await
    }

    /// One event to a new verifier that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn run(&self, event: Value) -> Result<Value, Failure> {
        self.answer(&self.verifier(), event, Duration::from_secs(10)).await.value()
    }

    /// How often each operation was called since this was last asked, without the reads.
    pub fn writes(&mut self) -> BTreeMap<String, usize> {
        let mut writes = BTreeMap::new();
        for (action, _) in self.stage.calls() {
            if !["Describe", "List", "Get"].iter().any(|read| action.starts_with(read)) {
                *writes.entry(action).or_default() += 1;
            }
        }
        writes
    }
}

fn key(name: &str) -> RecordKey {
    RecordKey { name: Name::parse(name).unwrap(), kind: "TXT".to_owned(), identifier: None }
}

/// Makes a hosted zone of an account, private where it is for a VPC, and gives its id.
pub fn create_zone(region: &Region, account: &str, name: &str, vpc: Option<&str>) -> String {
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
