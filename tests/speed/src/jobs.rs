//! What is measured: for each function one event that leads to work that is typical of it.
//!
//! A job makes the event and whatever it is about, and sees afterwards that the work was done: by ours and by Python's
//! alike. What it finds otherwise, it panics about: a function that does less is no faster.

use std::path::Path;
use std::time::Duration;

use privatelink_region::happening::ConnectionEvent;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{CONSUMER, PROVIDER, TOPIC, World, in_envelope};

/// The five functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connect notification for one pending connection: it is judged, accepted and tagged.
    Acceptor,
    /// The schedule, with one service whose name is verified and whose record is where it belongs.
    Verifier,
    /// An accept notification for one connection that is available: it is claimed, told and marked.
    Notifier,
    /// The notice for one endpoint that is available and IPv4's alone: it is made dual-stack.
    Configurator,
    /// The configurator's report of one endpoint with two names, both of which lead to a listener.
    Prober,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Acceptor, Self::Verifier, Self::Notifier, Self::Configurator, Self::Prober];

    /// The function's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acceptor => "connection-acceptor",
            Self::Verifier => "domain-verifier",
            Self::Notifier => "availability-notifier",
            Self::Configurator => "endpoint-configurator",
            Self::Prober => "connectivity-prober",
        }
    }

    /// What each invocation waits for on purpose: the notifier, from its claim to the look that shows whether it stands.
    pub(crate) fn waits(self) -> f64 {
        match self {
            Self::Notifier => 0.5,
            Self::Acceptor | Self::Verifier | Self::Configurator | Self::Prober => 0.0,
        }
    }

    /// How long after one event the next may come. The verifier asks Route 53 no more than ten times a second, and three
    /// times at each look: looks that come minutes apart wait for nothing, and looks that come at once would.
    pub(crate) fn pause(self) -> Duration {
        match self {
            Self::Verifier => Duration::from_millis(350),
            Self::Acceptor | Self::Notifier | Self::Configurator | Self::Prober => Duration::ZERO,
        }
    }
}

/// A job, in a Region of its own.
pub(crate) struct Job {
    /// Which function's.
    pub(crate) kind: Kind,
    world: World,
    policy: String,
    service: String,
    /// Where the prober's listeners are, and for which families there are some.
    listeners: (u16, Vec<&'static str>),
    endpoint: Option<String>,
}

const NAME: &str = "api.example.com";
const REGIONAL: &str = "vpce-0a.example.com";

impl Job {
    /// A job whose function finds its policy there.
    pub(crate) async fn new(kind: Kind, policy: &Path) -> Self {
        let mut world = World::new().await;
        let name = match kind {
            Kind::Verifier | Kind::Configurator => Some(NAME),
            Kind::Acceptor | Kind::Notifier | Kind::Prober => None,
        };
        let service = world.service(name);
        let mut listeners = (0, Vec::new());
        match kind {
            Kind::Verifier => {
                let (record, value) = world.proof(&service);
                world.zone("example.com", &[(&record, "TXT", &value)]);
            }
            Kind::Prober => {
                let both = |name| [(name, "A", "127.0.0.1"), (name, "AAAA", "::1")];
                world.zone("example.com", &[both(NAME), both(REGIONAL)].concat());
                listeners = listen().await;
            }
            Kind::Acceptor | Kind::Notifier | Kind::Configurator => {}
        }
        world.calls();
        let policy = policy.display().to_string();
        Self { kind, world, policy, service, listeners, endpoint: None }
    }

    /// What the function is told.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let with = |account, more: &[(&'static str, String)]| {
            let mut variables = self.world.variables(account);
            variables.extend_from_slice(more);
            variables
        };
        let policy = ("PRIVATELINK_POLICY_DIR", self.policy.clone());
        match self.kind {
            Kind::Acceptor => with(PROVIDER, &[policy]),
            Kind::Verifier => with(PROVIDER, &[policy, ("PRIVATELINK_DNS_SERVER", self.world.name_servers())]),
            Kind::Notifier => with(PROVIDER, &[policy, ("PRIVATELINK_NOTICE_TOPIC_ARN", TOPIC.to_owned())]),
            Kind::Configurator => with(CONSUMER, &[("PRIVATELINK_ENDPOINT_TAG", "privatelink=managed".to_owned())]),
            Kind::Prober => vec![("PRIVATELINK_DNS_SERVER", self.world.resolver())],
        }
    }

    /// Makes what the next event is about, and the event.
    pub(crate) fn prepare(&mut self) -> Vec<u8> {
        let Self { kind, world, service, .. } = self;
        let event = match kind {
            Kind::Acceptor => {
                let endpoint = self.endpoint.insert(world.connect(service));
                world.notification(ConnectionEvent::Connect, service, endpoint)
            }
            Kind::Notifier => {
                let endpoint = self.endpoint.insert(world.connected(service));
                world.notification(ConnectionEvent::Accept, service, endpoint)
            }
            Kind::Configurator => {
                let endpoint = self.endpoint.insert(world.connected(service));
                in_envelope(&notice(service, endpoint).to_string())
            }
            Kind::Verifier => json!({"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
                "detail-type": "Scheduled Event", "source": "aws.events", "account": PROVIDER,
                "time": "2026-01-31T12:00:00Z", "region": "us-west-2", "resources": [], "detail": {}}),
            Kind::Prober => report(self.listeners.0, &self.listeners.1),
        };
        world.calls();
        event.to_string().into_bytes()
    }

    /// Clears away what an event was about that is not measured.
    pub(crate) fn clear(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.world.forget(&endpoint);
        }
    }

    /// Sees that what was to be done was done, and clears it away. It gives the names of the calls that it took, and the
    /// answer as far as it is to be the same whoever gives it.
    pub(crate) fn check(&mut self, answer: &Value) -> (Vec<String>, Vec<String>) {
        let calls = self.world.calls();
        let told = told(answer);
        if let Some(endpoint) = self.endpoint.take() {
            let (state, addresses, tags) = self.world.state(&endpoint);
            let tag = |key: &str| tags.get(key).map(String::as_str).unwrap_or_default();
            let done = match self.kind {
                Kind::Acceptor => {
                    state == "pending"
                        && tag("privatelink:decision") == "accepted"
                        && tag("privatelink:policy") == "partners-may-connect"
                }
                Kind::Notifier => tag("privatelink:notified") == "available" && self.world.deliveries() == 1,
                Kind::Configurator => addresses == "dualstack",
                Kind::Verifier | Kind::Prober => false,
            };
            assert!(done, "{}: {state} {addresses} {tags:?} after {calls:?}: {answer}", self.kind.name());
            self.world.forget(&endpoint);
        }
        assert!(told.iter().all(|told| !told.contains("refused")), "{}: {answer}", self.kind.name());
        (calls, told)
    }
}

/// An answer's effects with their results, and its reasons for doing nothing.
fn told(answer: &Value) -> Vec<String> {
    let items = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let words = |item: &Value, keys: &[&str]| {
        let word = |key: &&str| item[*key].as_str().map(ToOwned::to_owned);
        keys.iter().filter_map(word).collect::<Vec<_>>().join(" ")
    };
    let outcomes = items("outcomes");
    let outcomes = outcomes.iter().map(|item| words(item, &["effect", "name", "family", "result", "code"]));
    let mut told: Vec<String> = outcomes.collect();
    told.extend(items("skipped").iter().map(|item| words(item, &["reason"])));
    told.sort();
    assert!(!told.is_empty(), "nothing is said to have been done: {answer}");
    told
}

/// Listeners on loopback, on one port: for IPv6 too, where there is IPv6.
async fn listen() -> (u16, Vec<&'static str>) {
    let four = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = four.local_addr().unwrap().port();
    let six = TcpListener::bind(("::1", port)).await;
    let families = if six.is_ok() { vec!["ipv4", "ipv6"] } else { vec!["ipv4"] };
    for listener in [Some(four), six.ok()].into_iter().flatten() {
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    }
    (port, families)
}

/// The product's notice that an endpoint is available.
fn notice(service: &str, endpoint: &str) -> Value {
    json!({"schemaVersion": "1", "id": "vpce-con-0a/available", "type": "EndpointConnectionAvailable",
        "time": "2026-01-31T12:00:00Z", "consumer": "globex", "policy": ["partners-may-connect"], "nextSteps": [],
        "service": {"id": service, "name": format!("com.amazonaws.vpce.us-west-2.{service}"), "region": "us-west-2",
                    "privateDnsName": NAME, "privateDnsState": "verified", "ipAddressTypes": ["ipv4", "ipv6"]},
        "endpoint": {"id": endpoint, "connectionId": "vpce-con-0a", "account": CONSUMER, "region": "us-west-2",
                     "state": "available", "ipAddressType": "ipv4", "dnsNames": []}})
}

/// The record of the configurator's report, as Lambda hands it to a destination.
fn report(port: u16, families: &[&str]) -> Value {
    let returned = json!({"function": "endpoint-configurator", "mode": "enforce", "outcomes": [], "skipped": [],
        "endpoints": [{"id": "vpce-0a", "state": "available", "serviceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0b",
            "ipAddressType": "dualstack", "ports": [port], "families": families,
            "names": [{"name": REGIONAL, "kind": "regional"}, {"name": NAME, "kind": "private"}],
            "addresses": {"ipv4": ["127.0.0.1"], "ipv6": ["::1"]},
            "inboundRules": [], "vpcDns": {"support": true, "hostnames": true}}]});
    json!({"version": "1.0", "timestamp": "2026-01-31T12:00:00.000Z",
        "requestContext": {"requestId": "1", "functionArn": "arn:aws:lambda:us-west-2:444455556666:function:c:$LATEST",
                           "condition": "Success", "approximateInvokeCount": 1},
        "requestPayload": {}, "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": returned})
}
