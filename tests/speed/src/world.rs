//! One simulated Region on loopback, with the few things in it that the jobs are about.

use std::collections::BTreeMap;
use std::time::Duration;

use privatelink_region::clock::Clock;
use privatelink_region::dns::{self, Layout, NameServers, Options};
use privatelink_region::happening::{ConnectionEvent, Happening, Notification, TextForm, What};
use privatelink_region::route53::{Name, RecordKey, RecordSet, ZoneDraft};
use privatelink_region::world::{DnsState, EndpointDraft, ServiceDraft};
use privatelink_region::{Region, Settings, server};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;

/// The account that offers the services.
pub(crate) const PROVIDER: &str = "999988887777";
/// A consumer that the shipped policy welcomes.
pub(crate) const CONSUMER: &str = "444455556666";
/// The topic of the notices.
pub(crate) const TOPIC: &str = "arn:aws:sns:us-west-2:999988887777:notices";
/// A VPC of the consumer's, a subnet of it with addresses of both kinds, and a security group.
pub(crate) const NETWORK: [&str; 3] = ["vpc-0a11ce0000000001", "subnet-0a11ce0000000001", "sg-0a11ce0000000001"];

/// Longer than Route 53 takes to bring a change to its name servers, in the Region.
const PROPAGATION: Duration = Duration::from_secs(61);

/// A Region, what is called of it, and where it is.
pub(crate) struct World {
    region: Region,
    happenings: UnboundedReceiver<Happening>,
    url: String,
    servers: NameServers,
}

impl World {
    /// A Region that throttles nobody, with the provider's topic and the consumer's network.
    pub(crate) async fn new() -> Self {
        let settings = Settings { throttling: false, ..Settings::default() };
        let region = Region::new(settings, Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        region.make_topic(PROVIDER, "notices", "sqs", "arn:aws:sqs:us-west-2:999988887777:notices").unwrap();
        let [vpc, subnet, group] = NETWORK;
        let network = json!({
            "vpcId": vpc, "cidrBlock": "10.0.0.0/16", "ipv6CidrBlock": "2600:1f14::/56",
            "enableDnsSupport": true, "enableDnsHostnames": true,
            "subnets": [{"subnetId": subnet, "cidrBlock": "10.0.0.0/20", "ipv6CidrBlock": "2600:1f14:0:1::/64",
                         "availabilityZone": "us-west-2a"}],
            "securityGroups": [{"groupId": group, "groupName": "endpoints"}],
        });
        region.world().make_vpc(CONSUMER, None, serde_json::from_value(network).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(region.clone(), listener));
        let servers = dns::serve(&region, Options { layout: Layout::Ports(0), ipv6_only: false }).await.unwrap();
        Self { happenings: region.listen(), region, url, servers }
    }

    /// What every function of that account is told.
    pub(crate) fn variables(&self, account: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", "us-west-2".to_owned()),
            ("AWS_DEFAULT_REGION", "us-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", account.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
            ("AWS_ENDPOINT_URL", self.url.clone()),
        ]
    }

    /// The name servers of the zones.
    pub(crate) fn name_servers(&self) -> String {
        self.servers.name_servers().map(|server| server.to_string()).join(",")
    }

    /// The resolver.
    pub(crate) fn resolver(&self) -> String {
        self.servers.resolver().to_string()
    }

    /// A service of the provider's that speaks both families and has a verified name, if it is given one.
    pub(crate) fn service(&self, name: Option<&str>) -> String {
        let arn = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/50dc6c495c0c9188";
        let draft = ServiceDraft {
            acceptance_required: true,
            load_balancers: vec![arn.to_owned()],
            ip_address_types: vec!["ipv4".to_owned(), "ipv6".to_owned()],
            private_dns_name: name.map(ToOwned::to_owned),
            ..ServiceDraft::default()
        };
        let mut world = self.region.world();
        let id = world.create_service(PROVIDER, draft).id.clone();
        if let Some(name) = &mut world.services.get_mut(&id).unwrap().private_dns_name {
            name.state = DnsState::Verified;
        }
        id
    }

    /// A new endpoint of the consumer's, which waits to be accepted; with the tag of those that are managed.
    pub(crate) fn connect(&self, service: &str) -> String {
        self.region.step(Duration::from_secs(1));
        let [vpc, subnet, group] = NETWORK.map(ToOwned::to_owned);
        let mut world = self.region.world();
        let service_name = world.service_name(&world.services[service]);
        let draft = EndpointDraft {
            service_name,
            vpc,
            ip_address_type: "ipv4".to_owned(),
            subnets: vec![subnet],
            security_groups: vec![group],
            tags: [("privatelink".to_owned(), "managed".to_owned())].into(),
            ..EndpointDraft::default()
        };
        world.create_endpoint(CONSUMER, draft).unwrap().id.clone()
    }

    /// The same, and it is available already.
    pub(crate) fn connected(&self, service: &str) -> String {
        let id = self.connect(service);
        let mut world = self.region.world();
        let now = world.now();
        world.endpoints.get_mut(&id).unwrap().history.push((now, "available"));
        id
    }

    /// Takes an endpoint away as if it had never been, so that every measurement finds the same world.
    pub(crate) fn forget(&self, endpoint: &str) {
        let mut world = self.region.world();
        world.endpoints.remove(endpoint);
        world.sns.deliveries.clear();
    }

    /// EC2's word for an endpoint's state, its kind of addresses, and the tags of its connection.
    pub(crate) fn state(&self, endpoint: &str) -> (&'static str, String, BTreeMap<String, String>) {
        let world = self.region.world();
        let endpoint = &world.endpoints[endpoint];
        (endpoint.state(), endpoint.ip_address_type.clone(), endpoint.connection_tags.clone())
    }

    /// How many messages subscribers have got.
    pub(crate) fn deliveries(&self) -> usize {
        self.region.world().sns.deliveries.len()
    }

    /// A public zone of the provider's with these record sets, which the world knows already.
    pub(crate) fn zone(&self, name: &str, sets: &[(&str, &str, &str)]) {
        let mut world = self.region.world();
        let now = world.now();
        let draft = ZoneDraft {
            name: Name::parse(name).unwrap(),
            caller_reference: name.to_owned(),
            comment: None,
            vpcs: Vec::new(),
        };
        let (id, mut records) = {
            let zone = world.route53.create_zone(PROVIDER, draft, now).0;
            (zone.id.clone(), zone.records.clone())
        };
        for (name, kind, value) in sets {
            let key = RecordKey { name: Name::parse(name).unwrap(), kind: (*kind).to_owned(), identifier: None };
            records.insert(key, RecordSet::simple(300, vec![(*value).to_owned()]));
        }
        world.route53.change_zone(&id, records, None, now).unwrap();
        drop(world);
        self.region.step(PROPAGATION);
    }

    /// The name and the value of the TXT record that proves a service's name.
    pub(crate) fn proof(&self, service: &str) -> (String, String) {
        let world = self.region.world();
        let name = world.services[service].private_dns_name.as_ref().unwrap();
        (format!("{}.{}", name.record, name.name), format!("\"{}\"", name.value))
    }

    /// The names of the calls that were made since this was last asked, sorted; one that failed is told with its error.
    pub(crate) fn calls(&mut self) -> Vec<String> {
        let mut calls = Vec::new();
        while let Ok(Happening { what, .. }) = self.happenings.try_recv() {
            if let What::Called { action, error, .. } = what {
                calls.push(error.map_or(action.clone(), |error| format!("{action}: {error}")));
            }
        }
        calls.sort();
        calls
    }

    /// EC2's notification of an event, in SNS's envelope.
    pub(crate) fn notification(&self, event: ConnectionEvent, service: &str, endpoint: &str) -> Value {
        let notification = Notification {
            event,
            service_id: service.to_owned(),
            provider: PROVIDER.to_owned(),
            endpoint_id: endpoint.to_owned(),
            consumer: CONSUMER.to_owned(),
            region: "us-west-2".to_owned(),
            topic: "arn:aws:sns:us-west-2:999988887777:endpoint-connections".to_owned(),
            message_id: "95df01b4-ee98-5cb9-9903-4c221d41eb5e".to_owned(),
        };
        in_envelope(&notification.text(TextForm::Json))
    }
}

/// The event that SNS hands to a function.
pub(crate) fn in_envelope(message: &str) -> Value {
    let topic = "arn:aws:sns:us-west-2:999988887777:endpoint-connections";
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"),
        "Sns": {"Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "TopicArn": topic,
            "Subject": null, "Message": message, "Timestamp": "2026-01-31T12:00:00Z",
            "SignatureVersion": "1", "Signature": "EXAMPLE",
            "SigningCertUrl": "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
            "UnsubscribeUrl": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe", "MessageAttributes": {}}}]})
}
