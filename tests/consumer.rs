//! The whole road in one Region: a consumer asks, the provider's functions accept and tell, and the consumer's own set its
//! endpoint and try it from inside its VPC, at real listeners on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification, VpcEndpointType};
use connectivity_prober::{Prober, answer};
use privatelink_aws::client;
use privatelink_aws::configurator::Configurator;
use privatelink_core::report::Failure;
use privatelink_lambda::Invocation;
use privatelink_region::dns::{Inside, VpcResolver, serve_inside};
use privatelink_region::sns::Protocol;
use privatelink_tests::endpoints::{BOTH, BOTH_TOO, Endpoints, GROUP, NAME, VPC};
use privatelink_tests::listeners::Listeners;
use privatelink_tests::notices::{NOTICES, Notices};
use privatelink_tests::stage::{outcomes, skipped, tallied};
use privatelink_tests::{ACME, BETA, Stage};
use serde_json::{Value, json};

/// Where the interfaces of the endpoint are, which has two: IPv6 has one address for loopback, and no more.
const AT: [[&str; 2]; 2] = [["127.0.0.2", "::1"], ["127.0.0.3", "::1"]];
/// The topic of the consumer `acme`, in its own account, and the function that it subscribed.
const TOPIC: &str = "arn:aws:sns:us-west-2:111122223333:privatelink";
const FUNCTION: &str = "arn:aws:lambda:us-west-2:111122223333:function:endpoint-configurator";
/// Longer than an endpoint is `pending` in the Region.
const READY: Duration = Duration::from_secs(121);

/// Both are welcome, and only `acme` has a topic of its own.
const CONSUMERS: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333"]
groups = ["partners"]
maxConnections = 20
topic = "arn:aws:sns:us-west-2:111122223333:privatelink"

[[consumer]]
name = "beta"
accounts = ["222233334444"]
groups = ["partners"]
maxConnections = 20
"#;

/// A provider with its functions, and a consumer with its own.
struct Road {
    provider: Notices,
    endpoints: Endpoints,
    configurator: Configurator,
    prober: Result<Prober, Failure>,
    /// The prober's resolver is there for as long as this is.
    _resolver: VpcResolver,
    port: u16,
    /// How many deliveries were handed on.
    seen: usize,
}

fn addresses() -> Vec<IpAddr> {
    let all: BTreeSet<IpAddr> = AT.iter().flatten().map(|address| address.parse().unwrap()).collect();
    all.into_iter().collect()
}

impl Road {
    /// Nobody has asked for anything yet. The service listens on that port, which the security group opens to those.
    async fn on(port: u16, open_to: &[&str], private_dns: bool) -> Self {
        let mut endpoints = Endpoints::new();
        endpoints.config.private_dns = private_dns;
        let region = endpoints.region().clone();
        let provider = Notices::on(Stage::new().in_region(region.clone()));
        provider.stage.write("consumers.toml", CONSUMERS);
        provider.topic(TOPIC);
        provider.permit(TOPIC);
        provider.subscribe(TOPIC, "lambda", FUNCTION, false);

        let inside = Inside { owner: ACME.to_owned(), region: "us-west-2".to_owned(), vpc: VPC.to_owned() };
        let resolver = serve_inside(&region, inside, 0).unwrap();
        let at = resolver.at().to_string();
        let prober = Prober::from_vars(|name| (name == "PRIVATELINK_DNS_SERVER").then(|| at.clone()));
        let configurator = endpoints.configurator();
        let road = Self { provider, endpoints, configurator, prober, _resolver: resolver, port, seen: 0 };
        for range in open_to {
            road.authorize(range).await;
        }
        road
    }

    fn ec2(&self) -> aws_sdk_ec2::Client {
        client::ec2(&self.endpoints.config.aws, self.endpoints.region().http_client())
    }

    /// Lets a range of addresses in at the service's port.
    async fn authorize(&self, range: &str) {
        let port = i32::from(self.port);
        let allowed = IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
        let allowed = match range.contains(':') {
            true => allowed.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(range).build()),
            false => allowed.ip_ranges(IpRange::builder().cidr_ip(range).build()),
        };
        let call = self.ec2().authorize_security_group_ingress().group_id(GROUP);
        call.ip_permissions(allowed.build()).send().await.unwrap();
    }

    /// The consumer makes its endpoint in two subnets, for IPv4 as is usual, with the tags or without. Its interfaces are
    /// where the listeners are.
    async fn ask(&self, tagged: bool) -> String {
        let name = {
            let world = self.endpoints.region().world();
            world.service_name(&world.services[&self.endpoints.service])
        };
        let call = self.ec2().create_vpc_endpoint().vpc_endpoint_type(VpcEndpointType::Interface).vpc_id(VPC);
        let call = call.service_name(name).subnet_ids(BOTH).subnet_ids(BOTH_TOO).security_group_ids(GROUP);
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::VpcEndpoint);
        let tags = tags.tags(tag("privatelink:ports", &self.port.to_string()));
        let tags = if tagged { tags.tags(tag("privatelink", "managed")) } else { tags };
        let made = call.tag_specifications(tags.build()).send().await.unwrap().vpc_endpoint.unwrap();
        let mut world = self.endpoints.region().world();
        for (interface, at) in made.network_interface_ids().iter().zip(AT) {
            world.place_interface(interface, &at.map(|address| address.parse().unwrap())).unwrap();
        }
        made.vpc_endpoint_id.unwrap()
    }

    /// The provider's functions do their work, and what SNS brings to the consumer's function is what they told it.
    async fn told(&mut self) -> Vec<Value> {
        self.provider.stage.run(json!({})).await.unwrap();
        self.endpoints.region().step(READY);
        self.provider.run(json!({})).await.unwrap();
        let deliveries = self.endpoints.region().world().sns.deliveries[self.seen..].to_vec();
        self.seen += deliveries.len();
        let own = deliveries.iter().filter(|one| one.protocol == Protocol::Lambda && one.endpoint == FUNCTION);
        own.map(|one| serde_json::from_str(&one.message).unwrap()).collect()
    }

    /// What the configurator returns.
    async fn configure(&self, event: Value) -> Value {
        self.endpoints.again(&self.configurator, event).await.unwrap()
    }

    /// What the configurator returns on its schedule, when what it has set is in force.
    async fn settled(&self) -> Value {
        self.endpoints.region().step(READY);
        self.configure(json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})).await
    }

    /// An endpoint that was accepted, told of and set, and what the configurator returns of it then.
    async fn set(&mut self) -> (String, Value) {
        let endpoint = self.ask(true).await;
        for notice in self.told().await {
            self.configure(notice).await;
        }
        (endpoint, self.settled().await)
    }

    /// What the prober returns for the record that Lambda makes of the configurator's return value.
    async fn probe(&self, returned: &Value) -> Value {
        let function = "arn:aws:lambda:us-west-2:111122223333:function:endpoint-configurator:$LATEST";
        let record = json!({
            "version": "1.0", "timestamp": "2026-01-31T12:00:00.000Z", "requestPayload": {},
            "requestContext": {"requestId": "1", "functionArn": function, "condition": "Success",
                               "approximateInvokeCount": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}, "responsePayload": returned,
        });
        let (payload, now) = (record.to_string().into_bytes(), self.endpoints.region().now());
        let invocation = Invocation { payload, now, left: Duration::from_secs(20) };
        answer(&self.prober, invocation).await.value().unwrap()
    }
}

/// The causes of what does not work, each with the kind of the name and the family, and one of the fixes.
fn causes(probed: &Value) -> (BTreeSet<String>, String) {
    let refused = || probed["outcomes"].as_array().unwrap().iter().filter(|one| one["result"] == "refused");
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let told = refused().map(|one| format!("{} {}: {}", word(one, "kind"), word(one, "family"), word(one, "cause")));
    (told.collect(), refused().next().map(|one| word(one, "fix")).unwrap_or_default())
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn from_the_request_to_a_call_by_private_name_over_both_families_nobody_does_anything_by_hand() {
    let listeners = Listeners::open(&addresses());
    let mut road = Road::on(listeners.port, &["127.0.0.0/8", "::1/128"], true).await;
    let endpoint = road.ask(true).await;
    let told = road.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    let returned = road.configure(told[0].clone()).await;
    assert_eq!(outcomes(&returned), tallied(&[("modify-endpoint done", 1)]));
    // It is built anew for what was set, and nothing is blamed meanwhile.
    let probed = road.probe(&returned).await;
    assert_eq!((outcomes(&probed), skipped(&probed)), (vec![], tallied(&[("not-ready", 1)])));

    let returned = road.settled().await;
    assert_eq!((outcomes(&returned), skipped(&returned)), (vec![], tallied(&[("already-right", 1)])));
    assert_eq!(road.endpoints.set(&endpoint), ("dualstack".to_owned(), "dualstack".to_owned(), true));
    let probed = road.probe(&returned).await;
    assert_eq!((outcomes(&probed), skipped(&probed)), (tallied(&[("probe done", 8)]), vec![]), "{probed}");
    let mut reached = BTreeSet::new();
    for one in probed["outcomes"].as_array().unwrap() {
        assert_eq!((&one["endpointId"], &one["port"]), (&json!(endpoint), &json!(listeners.port)));
        assert_eq!(one["name"] == NAME, one["kind"] == "private", "{one}");
        reached.insert(format!("{} {} {}", one["kind"], one["family"], one["addresses"]).replace('"', ""));
    }
    let expected = [
        "regional ipv4 [127.0.0.2,127.0.0.3]",
        "zonal ipv4 [127.0.0.2]",
        "zonal ipv4 [127.0.0.3]",
        "private ipv4 [127.0.0.2,127.0.0.3]",
        "regional ipv6 [::1]",
        "zonal ipv6 [::1]",
        "private ipv6 [::1]",
    ];
    assert_eq!(reached, set(&expected));
}

#[tokio::test]
async fn a_security_group_without_the_rule_is_named_as_the_cause_until_it_has_it() {
    let listeners = Listeners::silent(&addresses()).await;
    let mut road = Road::on(listeners.port, &["10.0.0.0/16"], true).await;
    let (_, returned) = road.set().await;
    let (told, fix) = causes(&road.probe(&returned).await);
    let all = ["regional", "zonal", "private"];
    let of = |family: &str, cause: &str| all.map(|kind| format!("{kind} {family}: {cause}"));
    let six: BTreeSet<String> = of("ipv6", "security-group").into();
    assert_eq!(told, of("ipv4", "security-group").into_iter().chain(six.clone()).collect());
    let expected = format!("--group-id {GROUP} --ip-permissions 'IpProtocol=tcp,FromPort={}", listeners.port);
    assert!(fix.contains(&expected) && fix.contains("127.0.0.1/32"), "{fix}");

    // With the rule for IPv4 that family is silent for some other reason.
    road.authorize("127.0.0.1/32").await;
    let (told, _) = causes(&road.probe(&road.settled().await).await);
    assert_eq!(told, of("ipv4", "time-out").into_iter().chain(six).collect());
}

#[tokio::test]
async fn private_dns_that_is_off_is_the_cause_where_it_was_on_and_no_name_at_all_where_nobody_asked_for_it() {
    let listeners = Listeners::open(&addresses());
    let mut road = Road::on(listeners.port, &[], true).await;
    let (endpoint, returned) = road.set().await;
    // Somebody turns it off after the configurator has looked.
    let call = road.ec2().modify_vpc_endpoint().vpc_endpoint_id(&endpoint).private_dns_enabled(false);
    call.send().await.unwrap();
    road.endpoints.region().step(READY);
    let probed = road.probe(&returned).await;
    let (told, fix) = causes(&probed);
    assert_eq!(told, set(&["private ipv4: private-dns-off", "private ipv6: private-dns-off"]));
    assert!(fix.contains(&endpoint) && fix.ends_with("--private-dns-enabled"), "{fix}");
    assert_eq!(outcomes(&probed), tallied(&[("probe done", 6), ("probe refused", 2)]));

    let mut road = Road::on(listeners.port, &[], false).await;
    let (_, returned) = road.set().await;
    let probed = road.probe(&returned).await;
    assert_eq!(outcomes(&probed), tallied(&[("probe done", 6)]), "{probed}");
}

#[tokio::test]
async fn a_vpc_without_dns_host_names_is_the_cause_of_a_private_name_that_is_not_found() {
    let listeners = Listeners::open(&addresses());
    let mut road = Road::on(listeners.port, &[], true).await;
    road.set().await;
    let draft = json!({"vpcId": VPC, "enableDnsHostnames": false});
    let draft = serde_json::from_value(draft).unwrap();
    road.endpoints.region().world().make_vpc(ACME, None, draft).unwrap();
    let probed = road.probe(&road.settled().await).await;
    let (told, fix) = causes(&probed);
    assert_eq!(told, set(&["private ipv4: vpc-dns-off", "private ipv6: vpc-dns-off"]));
    assert!(fix.contains("--enable-dns-hostnames"), "{fix}");
    assert_eq!(outcomes(&probed), tallied(&[("probe done", 6), ("probe refused", 2)]));
}

#[tokio::test]
async fn a_service_that_speaks_ipv4_alone_is_reached_over_ipv4_and_has_no_aaaa() {
    let listeners = Listeners::open(&addresses());
    let mut road = Road::on(listeners.port, &[], true).await;
    {
        let mut world = road.endpoints.region().world();
        world.services.get_mut(&road.endpoints.service).unwrap().ip_address_types = vec!["ipv4".to_owned()];
    }
    let (endpoint, returned) = road.set().await;
    assert_eq!(road.endpoints.set(&endpoint), ("ipv4".to_owned(), "ipv4".to_owned(), true));
    let left = &returned["skipped"][0];
    assert!(left["detail"].as_str().unwrap().contains("does not speak IPv6"), "{left}");
    let probed = road.probe(&returned).await;
    let (told, _) = causes(&probed);
    assert_eq!(told, set(&["regional ipv6: no-aaaa", "zonal ipv6: no-aaaa", "private ipv6: no-aaaa"]));
    assert_eq!(outcomes(&probed), tallied(&[("probe done", 4), ("probe refused", 4)]));
}

#[tokio::test]
async fn a_notice_of_an_untagged_endpoint_or_of_somebody_elses_changes_nothing_and_nothing_is_tried() {
    let listeners = Listeners::open(&addresses());
    let mut road = Road::on(listeners.port, &[], true).await;
    // The shared topic shows everybody all the others.
    road.provider.subscribe(NOTICES, "lambda", FUNCTION, false);
    let untagged = road.ask(false).await;
    let theirs = road.endpoints.made(BETA, &road.endpoints.service, &[], true);
    let before = [&untagged, &theirs].map(|endpoint| road.endpoints.set(endpoint));
    let told = road.told().await;
    assert_eq!(told.len(), 2, "{told:?}");
    road.endpoints.stage.writes();
    for notice in told {
        let returned = road.configure(notice).await;
        assert_eq!((outcomes(&returned), skipped(&returned)), (vec![], tallied(&[("foreign", 1)])), "{returned}");
        assert_eq!(returned["endpoints"], json!([]));
        let probed = road.probe(&returned).await;
        assert_eq!((outcomes(&probed), skipped(&probed)), (vec![], vec![]));
    }
    assert_eq!(road.endpoints.stage.writes(), [""; 0]);
    assert_eq!([&untagged, &theirs].map(|endpoint| road.endpoints.set(endpoint)), before);
}
