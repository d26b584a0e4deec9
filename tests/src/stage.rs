//! A Region, a policy folder, and the flow between them.

use std::fs;
use std::time::Duration;

use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_aws::deadline::Deadline;
use privatelink_core::config::{AcceptorConfig, AwsConfig, Mode, TagFilter};
use privatelink_core::report::Failure;
use privatelink_region::clock::Clock;
use privatelink_region::faults::{Fault, FaultKind, When};
use privatelink_region::happening::{Happening, What};
use privatelink_region::world::{EndpointDraft, ServiceDraft};
use privatelink_region::{Region, Settings};
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::calls::recorded;
use crate::cost::Call;

/// The account that offers the service.
pub const PROVIDER: &str = "999988887777";
/// An account of the consumer `acme`, which is a partner and may have twenty connections.
pub const ACME: &str = "111122223333";
/// The account of the consumer `beta`, which is blocked.
pub const BETA: &str = "222233334444";
/// An account that nobody lists.
pub const STRANGER: &str = "333344445555";

/// When the Region begins.
pub const START: OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);

const CONSUMERS: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333", "111122224444"]
groups = ["partners"]
maxConnections = 20

[[consumer]]
name = "beta"
accounts = ["222233334444"]
groups = ["blocked"]
"#;

/// Partners are welcome up to their limit, the blocked are turned away, everybody else waits for a person.
pub const POLICY: &str = r#"
@id("partners-may-connect")
permit(principal in PrivateLink::Group::"partners", action == PrivateLink::Action::"Accept", resource)
when {
  principal has consumer && principal.consumer has maxConnections
  && context.consumerConnections < principal.consumer.maxConnections
};

@id("blocked-are-turned-away")
permit(principal in PrivateLink::Group::"blocked", action == PrivateLink::Action::"Reject", resource);
"#;

/// A Region and a policy folder.
#[derive(Debug)]
pub struct Stage {
    /// The Region, whose clock stands until it is stepped.
    pub region: Region,
    /// The policy folder.
    pub policy: TempDir,
    /// What the function is told.
    pub config: AcceptorConfig,
    happenings: UnboundedReceiver<Happening>,
}

/// The settings of most scenarios: nobody is throttled but who asks for it.
pub fn settings() -> Settings {
    Settings { throttling: false, ..Settings::default() }
}

/// The load balancer behind the provider's services.
const LOAD_BALANCER: &str = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/50dc6c495c0c9188";

fn draft(load_balancer: &str) -> ServiceDraft {
    ServiceDraft {
        acceptance_required: true,
        load_balancers: vec![load_balancer.to_owned()],
        ip_address_types: vec!["ipv4".to_owned()],
        ..ServiceDraft::default()
    }
}

impl Stage {
    /// A stage with [`POLICY`].
    pub fn new() -> Self {
        Self::with(settings())
    }

    /// A stage in a Region that behaves in that way.
    pub fn with(settings: Settings) -> Self {
        let policy = TempDir::new().unwrap();
        let region = Region::new(settings, Clock::standing(START));
        let config = AcceptorConfig {
            aws: AwsConfig {
                region: region.world().settings.name.clone(),
                access_key_id: PROVIDER.to_owned(),
                secret_access_key: "none".to_owned(),
                session_token: None,
                ec2_endpoint: None,
                sns_endpoint: None,
                route53_endpoint: None,
                sts_endpoint: None,
            },
            mode: Mode::Enforce,
            policy_dir: policy.path().display().to_string(),
            service_tag: None,
        };
        let stage = Self { happenings: region.listen(), region, policy, config };
        stage.write("consumers.toml", CONSUMERS);
        stage.write("policy.cedar", POLICY);
        stage
    }

    /// The same stage in another Region.
    pub fn in_region(mut self, region: Region) -> Self {
        self.happenings = region.listen();
        self.region = region;
        self
    }

    /// Writes a file of the policy folder.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.policy.path().join(name), content).unwrap();
    }

    /// Only plans.
    pub fn observing(mut self) -> Self {
        self.config.mode = Mode::Observe;
        self
    }

    /// Only looks at services with that tag.
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.config.service_tag = Some(TagFilter { key: key.to_owned(), value: value.to_owned() });
        self
    }

    /// A new service of the provider's on a network load balancer.
    pub fn service(&self) -> String {
        self.service_on(LOAD_BALANCER, PROVIDER)
    }

    /// A new service on that load balancer.
    pub fn service_on(&self, load_balancer: &str, owner: &str) -> String {
        self.region.world().create_service(owner, draft(load_balancer)).id.clone()
    }

    /// A new service of the provider's with a private DNS name.
    pub fn service_named(&self, name: &str) -> String {
        let draft = ServiceDraft { private_dns_name: Some(name.to_owned()), ..draft(LOAD_BALANCER) };
        self.region.world().create_service(PROVIDER, draft).id.clone()
    }

    /// Gives a service a tag.
    pub fn tag_service(&self, service: &str, key: &str, value: &str) {
        let mut world = self.region.world();
        world.services.get_mut(service).unwrap().tags.insert(key.to_owned(), value.to_owned());
    }

    /// A new endpoint of a consumer's, one second after the one before.
    pub fn connect(&self, service: &str, account: &str) -> String {
        self.region.step(Duration::from_secs(1));
        let mut world = self.region.world();
        let service_name = world.service_name(world.services.get(service).unwrap());
        let draft = EndpointDraft {
            service_name,
            vpc: "vpc-0123456789abcdef0".to_owned(),
            ip_address_type: "ipv4".to_owned(),
            ..EndpointDraft::default()
        };
        world.create_endpoint(account, draft).unwrap().id.clone()
    }

    /// Several endpoints of a consumer's.
    pub fn connect_many(&self, service: &str, account: &str, n: usize) -> Vec<String> {
        (0..n).map(|_| self.connect(service, account)).collect()
    }

    /// EC2's word for a connection's state.
    pub fn state(&self, endpoint: &str) -> String {
        self.region.world().endpoints.get(endpoint).unwrap().state().to_owned()
    }

    /// How many connections are in that state.
    pub fn count(&self, state: &str) -> usize {
        self.region.world().endpoints.values().filter(|endpoint| endpoint.state() == state).count()
    }

    /// The provider's tags of a connection, as `decision: policies`.
    pub fn tags(&self, endpoint: &str) -> Option<String> {
        let world = self.region.world();
        let tags = &world.endpoints.get(endpoint).unwrap().connection_tags;
        Some(format!("{}: {}", tags.get("privatelink:decision")?, tags.get("privatelink:policy")?))
    }

    /// Asks for the next calls of an operation to go wrong before they take effect.
    pub fn break_next(&self, action: &str, times: u32, kind: FaultKind) {
        self.region.break_next(Fault { action: action.to_owned(), times, kind, when: When::Before });
    }

    /// Asks for the next calls of an operation to go wrong after they took effect.
    pub fn break_after(&self, action: &str, times: u32, kind: FaultKind) {
        self.region.break_next(Fault { action: action.to_owned(), times, kind, when: When::After });
    }

    /// Lets the next calls of an operation pass: what is asked to go wrong after this does so later.
    pub fn pass_next(&self, action: &str, times: u32) {
        let kind = FaultKind::InternalError;
        self.region.break_next(Fault { action: action.to_owned(), times, kind, when: When::Never });
    }

    /// The calls that were made since this was last asked, with their errors' codes.
    pub fn calls(&mut self) -> Vec<(String, Option<String>)> {
        self.timed_calls().into_iter().map(|Call { action, error, .. }| (action, error)).collect()
    }

    /// The same calls with their times.
    pub fn timed_calls(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        while let Ok(Happening { what, at }) = self.happenings.try_recv() {
            if let What::Called { action, error, .. } = what {
                calls.push(Call { at, action, error });
            }
        }
        calls
    }

    /// The calls that change something which were made since this was last asked.
    pub fn writes(&mut self) -> Vec<String> {
        let calls = self.calls().into_iter().map(|(action, _)| action);
        calls.filter(|action| !action.starts_with("Describe")).collect()
    }

    /// The function, which speaks to the Region in process.
    pub fn acceptor(&self) -> Acceptor {
        let http = recorded("connection-acceptor", self.region.http_client());
        Acceptor::new(self.config.clone(), client::ec2(&self.config.aws, http))
    }

    /// One event to a new function that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn run(&self, event: Value) -> Result<Value, Failure> {
        self.run_within(event, Duration::from_secs(10)).await
    }

    /// One event to a new function that has that much time.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn run_within(&self, event: Value, left: Duration) -> Result<Value, Failure> {
        let payload = event.to_string().into_bytes();
        self.acceptor().handle(&payload, self.region.now(), Deadline::after(left)).await.value()
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// The return value's outcomes, each as `effect result` or `effect result code`, counted.
pub fn outcomes(answer: &Value) -> Vec<(String, usize)> {
    tally(&answer["outcomes"], |outcome| {
        let word = |key: &str| outcome[key].as_str().map(|word| format!(" {word}")).unwrap_or_default();
        format!("{}{}{}", word("effect").trim(), word("result"), word("code"))
    })
}

/// The return value's reasons for doing nothing, counted.
pub fn skipped(answer: &Value) -> Vec<(String, usize)> {
    tally(&answer["skipped"], |skip| skip["reason"].as_str().unwrap().to_owned())
}

fn tally(list: &Value, name: impl Fn(&Value) -> String) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for item in list.as_array().unwrap() {
        *counts.entry(name(item)).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// What [`outcomes`] and [`skipped`] are compared with.
pub fn tallied(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}
