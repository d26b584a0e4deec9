//! A stage with topics and those who subscribe to them, and `availability-notifier`.

use std::collections::BTreeMap;
use std::time::Duration;

use privatelink_aws::deadline::Deadline;
use privatelink_aws::notifier::Notifier;
use privatelink_core::config::{Mode, NotifierConfig};
use privatelink_core::ids::TopicArn;
use privatelink_core::report::{Answer, Failure};
use privatelink_region::sns::{Delivery, Protocol};
use privatelink_region::world::DnsState;
use privatelink_region::{Region, Reply, Request, Settings};
use serde_json::Value;

use crate::calls::recorded;
use crate::stage::{PROVIDER, Stage};

/// The topic for consumers that name none of their own.
pub const NOTICES: &str = "arn:aws:sns:us-west-2:999988887777:notices";
/// The topic of the operators.
pub const OPERATORS: &str = "arn:aws:sns:us-west-2:999988887777:operators";
/// The own topic of the consumer `beta`, in another Region and another account.
pub const OWN: &str = "arn:aws:sns:eu-west-1:222233334444:connections";

/// `acme` has no topic of its own, `beta` has.
pub const CONSUMERS: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333"]

[[consumer]]
name = "beta"
accounts = ["222233334444"]
topic = "arn:aws:sns:eu-west-1:222233334444:connections"
"#;

/// What one subscriber got: the topic's name, the notice's type, and its id.
pub type Told = (String, String, String);

/// A Region with topics, and what the notifier is told.
#[derive(Debug)]
pub struct Notices {
    /// The Region, with the policy folder.
    pub stage: Stage,
    /// What the notifier is told.
    pub config: NotifierConfig,
    /// How many deliveries were looked at.
    seen: usize,
}

impl Notices {
    /// A Region in which nobody is throttled.
    pub fn new() -> Self {
        Self::with(crate::stage::settings())
    }

    /// A Region that behaves in that way.
    pub fn with(settings: Settings) -> Self {
        Self::on(Stage::with(settings))
    }

    /// Topics in a Region that exists, each with a queue that gets all of it.
    pub fn on(stage: Stage) -> Self {
        stage.write("consumers.toml", CONSUMERS);
        let config = NotifierConfig {
            aws: stage.config.aws.clone(),
            mode: Mode::Enforce,
            policy_dir: stage.config.policy_dir.clone(),
            service_tag: None,
            notice_topic: TopicArn::parse(NOTICES).unwrap(),
            operator_topic: Some(TopicArn::parse(OPERATORS).unwrap()),
            notify_since: None,
            watch: Duration::ZERO,
        };
        let mut notices = Self { stage, config, seen: 0 };
        for topic in [NOTICES, OPERATORS, OWN] {
            notices.topic(topic);
        }
        notices.permit(OWN);
        notices.stage.calls();
        notices
    }

    /// The Region.
    pub fn region(&self) -> &Region {
        &self.stage.region
    }

    /// Makes a topic with a queue that gets all of it, without SNS's envelope.
    pub fn topic(&self, arn: &str) {
        let topic = TopicArn::parse(arn).unwrap();
        let name = arn.rsplit(':').next().unwrap();
        let fifo = if topic.is_fifo() { "&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true" } else { "" };
        self.sns(&topic, &format!("Action=CreateTopic&Name={name}{fifo}"));
        self.subscribe(arn, "sqs", &format!("arn:aws:sqs:{}:{}:{name}", topic.region(), topic.account()), true);
    }

    /// Subscribes to a topic.
    pub fn subscribe(&self, arn: &str, protocol: &str, endpoint: &str, raw: bool) {
        let raw = if raw { "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true" } else { "" };
        let endpoint = endpoint.replace('@', "%40");
        let call = format!("Action=Subscribe&TopicArn={arn}&Protocol={protocol}&Endpoint={endpoint}{raw}");
        self.sns(&TopicArn::parse(arn).unwrap(), &call);
    }

    /// Lets the provider publish to a topic of somebody else's.
    pub fn permit(&self, arn: &str) {
        let who = format!("&AWSAccountId.member.1={PROVIDER}&ActionName.member.1=Publish");
        self.sns(&TopicArn::parse(arn).unwrap(), &format!("Action=AddPermission&TopicArn={arn}&Label=provider{who}"));
    }

    /// Deletes a topic.
    pub fn delete_topic(&self, arn: &str) {
        self.sns(&TopicArn::parse(arn).unwrap(), &format!("Action=DeleteTopic&TopicArn={arn}"));
    }

    /// A call of the account that a topic belongs to.
    fn sns(&self, topic: &TopicArn, body: &str) {
        let scope = format!("{}/20260131/{}/sns/aws4_request", topic.account(), topic.region());
        let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}");
        let body = format!("{body}&Version=2010-03-31").into_bytes();
        let request =
            Request { method: "POST".to_owned(), path: "/".to_owned(), authorization, body, ..Request::default() };
        match self.region().answer(&request) {
            Reply::Answer(answer) => assert_eq!(answer.status, 200, "{}", answer.body),
            Reply::Reset | Reply::Silence => panic!("the Region did not answer"),
        }
    }

    /// A connection of a consumer's in that state.
    pub fn connection(&self, service: &str, account: &str, state: &'static str) -> String {
        let endpoint = self.stage.connect(service, account);
        self.become_state(&endpoint, state);
        endpoint
    }

    /// A connection that the acceptor left to a person.
    pub fn held(&self, service: &str, account: &str) -> String {
        let endpoint = self.stage.connect(service, account);
        self.tag(&endpoint, "privatelink:decision", "held");
        self.tag(&endpoint, "privatelink:policy", "partners-may-connect");
        endpoint
    }

    /// Puts a connection into a state, as AWS does on its own.
    pub fn become_state(&self, endpoint: &str, state: &'static str) {
        let mut world = self.region().world();
        let now = world.now();
        world.endpoints.get_mut(endpoint).unwrap().history.push((now, state));
    }

    /// Gives a connection a tag of the provider's.
    pub fn tag(&self, endpoint: &str, key: &str, value: &str) {
        let mut world = self.region().world();
        let tags = &mut world.endpoints.get_mut(endpoint).unwrap().connection_tags;
        tags.insert(key.to_owned(), value.to_owned());
    }

    /// The provider's tags of a connection.
    pub fn tags(&self, endpoint: &str) -> BTreeMap<String, String> {
        self.region().world().endpoints[endpoint].connection_tags.clone()
    }

    /// The value of one of them.
    pub fn notified(&self, endpoint: &str) -> Option<String> {
        self.tags(endpoint).remove("privatelink:notified")
    }

    /// Takes the notifier's own tags away, as a read does not show them that lags behind.
    pub fn forget(&self, endpoint: &str) {
        let mut world = self.region().world();
        let tags = &mut world.endpoints.get_mut(endpoint).unwrap().connection_tags;
        tags.retain(|key, _| !key.starts_with("privatelink:notif"));
    }

    /// A service with a private DNS name in that state.
    pub fn service_named(&self, name: &str, state: DnsState) -> String {
        let service = self.stage.service_named(name);
        self.name(&service, name, state);
        service
    }

    /// Changes a service's private DNS name, and how far it is proved.
    pub fn name(&self, service: &str, name: &str, state: DnsState) {
        let mut world = self.region().world();
        let named = world.services.get_mut(service).unwrap().private_dns_name.as_mut().unwrap();
        named.name = name.to_owned();
        named.state = state;
    }

    /// What was delivered to queues since this was last asked.
    pub fn deliveries(&mut self) -> Vec<Delivery> {
        let new: Vec<Delivery> = self.region().world().sns.deliveries[self.seen..].to_vec();
        self.seen += new.len();
        new.into_iter().filter(|delivery| delivery.protocol == Protocol::Sqs).collect()
    }

    /// The documents that were delivered since this was last asked.
    pub fn documents(&mut self) -> Vec<Value> {
        self.deliveries().iter().map(|delivery| serde_json::from_str(&delivery.message).unwrap()).collect()
    }

    /// What was delivered since this was last asked, in order.
    pub fn told(&mut self) -> Vec<Told> {
        let told = |delivery: Delivery| {
            let document: Value = serde_json::from_str(&delivery.message).unwrap();
            let topic = delivery.topic.rsplit(':').next().unwrap().to_owned();
            let text = |key: &str| document[key].as_str().unwrap().to_owned();
            (topic, text("type"), text("id"))
        };
        let mut told: Vec<Told> = self.deliveries().into_iter().map(told).collect();
        told.sort();
        told
    }

    /// What a queue of a topic should have got of a connection.
    pub fn of(&self, topic: &str, kind: &str, endpoint: &str, state: &str) -> Told {
        let connection = self.region().world().endpoints[endpoint].connection_id.clone();
        let topic = topic.rsplit(':').next().unwrap().to_owned();
        (topic, kind.to_owned(), format!("{connection}/{state}"))
    }

    /// The notifier, as it is begun anew.
    pub fn notifier(&self) -> Notifier {
        Notifier::new(self.config.clone(), &recorded("availability-notifier", self.region().http_client()))
    }

    /// One event to a notifier that has that much time.
    pub async fn answer(&self, notifier: &Notifier, event: Value, left: Duration) -> Answer {
        notifier.handle(event.to_string().as_bytes(), self.region().now(), Deadline::after(left)).await
    }

    /// One event to a notifier that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn again(&self, notifier: &Notifier, event: Value) -> Result<Value, Failure> {
        self.answer(notifier, event, Duration::from_secs(10)).await.value()
    }

    /// One event to a new notifier that has ten seconds.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with.
    pub async fn run(&self, event: Value) -> Result<Value, Failure> {
        self.again(&self.notifier(), event).await
    }

    /// How often each operation was called since this was last asked, without the reads.
    pub fn writes(&mut self) -> BTreeMap<String, usize> {
        let mut writes = BTreeMap::new();
        for (action, _) in self.stage.calls() {
            if !action.starts_with("Describe") {
                *writes.entry(action).or_default() += 1;
            }
        }
        writes
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::new()
    }
}
