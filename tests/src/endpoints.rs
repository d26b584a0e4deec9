//! A consumer's account: a VPC, endpoints that bear the tag and one that does not, and `endpoint-configurator`.

use std::time::Duration;

use privatelink_aws::configurator::Configurator;
use privatelink_aws::deadline::Deadline;
use privatelink_core::config::{ConfiguratorConfig, Mode, TagFilter};
use privatelink_core::endpoint::{AddressType, ports_in};
use privatelink_core::report::Failure;
use privatelink_region::world::{DnsState, EndpointDraft, ServiceDraft};
use privatelink_region::{Region, Settings};
use serde_json::{Value, json};

use crate::calls::recorded;
use crate::stage::{ACME, PROVIDER, Stage};

/// The VPC, whose DNS attributes are on.
pub const VPC: &str = "vpc-0a11ce0000000001";
/// A subnet with addresses of both kinds.
pub const BOTH: &str = "subnet-0a11ce0000000001";
/// Another one, in another zone.
pub const BOTH_TOO: &str = "subnet-0a11ce0000000002";
/// A subnet without IPv6.
pub const FOUR_ONLY: &str = "subnet-0a11ce0000000003";
/// The security group of the endpoints.
pub const GROUP: &str = "sg-0a11ce0000000001";
/// The private DNS name of the service.
pub const NAME: &str = "api.example.com";

/// A Region with a service, and a consumer's account in it.
#[derive(Debug)]
pub struct Endpoints {
    /// The Region.
    pub stage: Stage,
    /// What the configurator is told: private DNS too.
    pub config: ConfiguratorConfig,
    /// The service, which speaks both families and has a verified name.
    pub service: String,
}

impl Endpoints {
    /// A Region in which nobody is throttled.
    pub fn new() -> Self {
        Self::with(crate::stage::settings())
    }

    /// A Region that behaves in that way.
    pub fn with(settings: Settings) -> Self {
        Self::on(Stage::with(settings))
    }

    /// A consumer's account in a Region that exists.
    pub fn on(mut stage: Stage) -> Self {
        let config = config(&stage);
        let subnet = |id: &str, n: u8, zone: &str, six: bool| {
            let mut subnet = json!({"subnetId": id, "cidrBlock": format!("10.0.{n}.0/24"), "availabilityZone": zone});
            if six {
                subnet["ipv6CidrBlock"] = format!("2600:1f14:0:{n}::/64").into();
            }
            subnet
        };
        let draft = json!({
            "vpcId": VPC, "cidrBlock": "10.0.0.0/16", "ipv6CidrBlock": "2600:1f14::/56",
            "enableDnsSupport": true, "enableDnsHostnames": true,
            "subnets": [subnet(BOTH, 1, "us-west-2a", true), subnet(BOTH_TOO, 2, "us-west-2b", true),
                        subnet(FOUR_ONLY, 3, "us-west-2c", false)],
            "securityGroups": [{"groupId": GROUP, "groupName": "endpoints"}],
        });
        stage.region.world().make_vpc(ACME, None, serde_json::from_value(draft).unwrap()).unwrap();
        let service = service_of(&stage.region, NAME);
        stage.calls();
        Self { stage, config, service }
    }

    /// The Region.
    pub fn region(&self) -> &Region {
        &self.stage.region
    }

    /// Another service with a verified name.
    pub fn another_service(&self, name: &str) -> String {
        service_of(self.region(), name)
    }

    /// An endpoint of the consumer's that bears the tag and waits for the provider.
    pub fn requested(&self, service: &str, subnets: &[&str]) -> String {
        self.made(ACME, service, subnets, true)
    }

    /// An endpoint of the consumer's that bears the tag and was accepted a while ago.
    pub fn available(&self, service: &str, subnets: &[&str]) -> String {
        let endpoint = self.requested(service, subnets);
        self.become_state(&endpoint, "available");
        endpoint
    }

    /// The same of somebody, with the tag or without it.
    pub fn made(&self, account: &str, service: &str, subnets: &[&str], tagged: bool) -> String {
        self.region().step(Duration::from_secs(1));
        let mut world = self.region().world();
        let service_name = world.service_name(world.services.get(service).unwrap());
        let tags = tagged.then(|| ("privatelink".to_owned(), "managed".to_owned()));
        let draft = EndpointDraft {
            service_name,
            vpc: if account == ACME { VPC } else { "vpc-0123456789abcdef0" }.to_owned(),
            ip_address_type: "ipv4".to_owned(),
            subnets: subnets.iter().map(|id| (*id).to_owned()).collect(),
            security_groups: if account == ACME { vec![GROUP.to_owned()] } else { Vec::new() },
            tags: tags.into_iter().collect(),
            ..EndpointDraft::default()
        };
        world.create_endpoint(account, draft).unwrap().id.clone()
    }

    /// Puts an endpoint into a state, as AWS does on its own.
    pub fn become_state(&self, endpoint: &str, state: &'static str) {
        let mut world = self.region().world();
        let now = world.now();
        world.endpoints.get_mut(endpoint).unwrap().history.push((now, state));
    }

    /// Changes how far the proof of the service's name has come.
    pub fn name(&self, service: &str, state: DnsState) {
        let mut world = self.region().world();
        world.services.get_mut(service).unwrap().private_dns_name.as_mut().unwrap().state = state;
    }

    /// How an endpoint is set: its addresses, its DNS records, and whether private DNS is on.
    pub fn set(&self, endpoint: &str) -> (String, String, bool) {
        let world = self.region().world();
        let endpoint = &world.endpoints[endpoint];
        (endpoint.ip_address_type.clone(), endpoint.dns_record_ip_type.clone(), endpoint.private_dns_enabled)
    }

    /// Somebody sets it back, and it is available again.
    pub fn undo(&self, endpoint: &str) {
        let mut world = self.region().world();
        let now = world.now();
        let endpoint = world.endpoints.get_mut(endpoint).unwrap();
        (endpoint.ip_address_type, endpoint.dns_record_ip_type) = ("ipv4".to_owned(), "ipv4".to_owned());
        endpoint.private_dns_enabled = false;
        endpoint.history.push((now, "available"));
    }

    /// The configurator, as it is begun anew.
    pub fn configurator(&self) -> Configurator {
        let http = recorded("endpoint-configurator", self.region().http_client());
        Configurator::new(self.config.clone(), &http)
    }

    /// One event to a configurator that has that much time.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn within(&self, configurator: &Configurator, event: Value, left: Duration) -> Result<Value, Failure> {
        let payload = event.to_string().into_bytes();
        configurator.handle(&payload, self.region().now(), Deadline::after(left)).await.value()
    }

    /// One event to a configurator that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn again(&self, configurator: &Configurator, event: Value) -> Result<Value, Failure> {
        self.within(configurator, event, Duration::from_secs(10)).await
    }

    /// One event to a new configurator that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn run(&self, event: Value) -> Result<Value, Failure> {
        self.again(&self.configurator(), event).await
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::new()
    }
}

/// What a configurator is told in that stage's Region.
pub fn config(stage: &Stage) -> ConfiguratorConfig {
    let mut aws = stage.config.aws.clone();
    ACME.clone_into(&mut aws.access_key_id);
    ConfiguratorConfig {
        aws,
        mode: Mode::Enforce,
        endpoint_tag: TagFilter { key: "privatelink".to_owned(), value: "managed".to_owned() },
        ip_address_type: AddressType::Dualstack,
        private_dns: true,
        probe_ports: ports_in("443").unwrap(),
        watch: Duration::ZERO,
    }
}

/// A service of the provider's that speaks both families and has a verified name.
fn service_of(region: &Region, name: &str) -> String {
    let draft = ServiceDraft {
        acceptance_required: true,
        load_balancers: vec![
            "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/50dc6c495c0c9188".to_owned(),
        ],
        ip_address_types: vec!["ipv4".to_owned(), "ipv6".to_owned()],
        private_dns_name: Some(name.to_owned()),
        ..ServiceDraft::default()
    };
    let mut world = region.world();
    let id = world.create_service(PROVIDER, draft).id.clone();
    world.services.get_mut(&id).unwrap().private_dns_name.as_mut().unwrap().state = DnsState::Verified;
    id
}
