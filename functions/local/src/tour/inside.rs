//! A consumer from the inside: its VPC's resolver, its functions, and its call to a service that really listens.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

use aws_sdk_ec2::operation::create_vpc_endpoint::builders::CreateVpcEndpointFluentBuilder;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification, VpcEndpoint};
use connectivity_prober::Prober;
use privatelink_core::ids::DnsName;
use privatelink_core::probe::{Family, HttpPath, NameKind, Target, Tried, Vantage, judge};
use privatelink_core::report::{Answer, Failure};
use privatelink_dns::Dns;
use privatelink_probe::Probe;
use privatelink_region::Region;
use privatelink_region::dns::{self, VpcResolver, serve_inside};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::story::{CONSUMER, DOMAIN, PROVIDER, VPC};
use super::timeline::Timeline;
use crate::simulated::{Consumer, SCHEDULE, TAG, probe};

/// The subnets of the endpoint: each is in a zone of its own, and has addresses of both families.
const SUBNETS: [&str; 2] = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"];
/// What the service says to whoever calls it.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhello\n";
/// How long the call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The consumer, its functions, and what they stand on.
pub(crate) struct Inside {
    region: Region,
    configurator: Consumer,
    prober: Result<Prober, Failure>,
    resolver: VpcResolver,
    /// Where the service listens: at all addresses for loopback that this machine has.
    at: Vec<IpAddr>,
    port: NonZeroU16,
    endpoint: Option<String>,
    looked: OffsetDateTime,
    called: bool,
}

impl Inside {
    /// Lets the service listen, opens the VPC's resolver, and deploys the functions, of which the first subscribes to the
    /// provider's notices.
    pub(crate) async fn open(region: &Region) -> Result<Self, Box<dyn Error>> {
        let (at, port) = listen().await?;
        let name = region.world().settings.name.clone();
        let vpc = dns::Inside { owner: CONSUMER.to_owned(), region: name.clone(), vpc: VPC.to_owned() };
        let resolver = serve_inside(region, vpc, 0)?;
        let (configurator, at_resolver) = (Consumer::deploy(region, CONSUMER), resolver.at().to_string());
        let prober = Prober::from_vars(|name| (name == "PRIVATELINK_DNS_SERVER").then(|| at_resolver.clone()));
        let function = format!("arn:aws:lambda:{name}:{CONSUMER}:function:endpoint-configurator");
        region.make_topic(PROVIDER, "notices", "lambda", &function)?;
        let (looked, region) = (region.now(), region.clone());
        Ok(Self { region, configurator, prober, resolver, at, port, endpoint: None, looked, called: false })
    }

    /// What the functions need of an endpoint, beside what everybody says: subnets, and the tags that make it theirs.
    pub(crate) fn asking(&self, call: CreateVpcEndpointFluentBuilder) -> CreateVpcEndpointFluentBuilder {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::VpcEndpoint);
        let tags = tags.tags(tag(TAG.0, TAG.1)).tags(tag("privatelink:ports", &self.port.to_string()));
        let [one, other] = SUBNETS;
        call.subnet_ids(one).subnet_ids(other).tag_specifications(tags.build())
    }

    /// Lets the interfaces of the endpoint be where the service listens.
    pub(crate) fn has(&mut self, endpoint: &VpcEndpoint) -> Result<(), String> {
        let mut world = self.region.world();
        for interface in endpoint.network_interface_ids() {
            world.place_interface(interface, &self.at)?;
        }
        self.endpoint = endpoint.vpc_endpoint_id.clone();
        Ok(())
    }

    /// Whether the consumer will still call, as far as can be said.
    pub(crate) fn waits(&self) -> bool {
        let world = self.region.world();
        let endpoint = self.endpoint.as_ref().and_then(|endpoint| world.endpoints.get(endpoint));
        !self.called && endpoint.is_some_and(|endpoint| matches!(endpoint.state(), "pending" | "available"))
    }

    /// Hands the first function a notice, as SNS brings it.
    pub(crate) async fn told(&mut self, message: &str, timeline: &mut Timeline<'_>) -> Result<(), Failure> {
        let event = serde_json::from_str(message).unwrap_or(Value::Null);
        let answer = self.configurator.configure(&event).await;
        self.goes_on(answer, timeline).await
    }

    /// Hands it what its schedule sends, when it is time.
    pub(crate) async fn scheduled(&mut self, timeline: &mut Timeline<'_>) -> Result<(), Failure> {
        let now = self.region.now();
        if self.endpoint.is_none() || now - self.looked < SCHEDULE {
            return Ok(());
        }
        self.looked = now;
        let answer = self.configurator.scheduled().await;
        self.goes_on(answer, timeline).await
    }

    /// What the first function returns goes to the second. Once that has something to say of the private name, the
    /// consumer calls it.
    async fn goes_on(&mut self, answer: Answer, timeline: &mut Timeline<'_>) -> Result<(), Failure> {
        timeline.set(self.region.now(), &answer);
        let probed = probe(&self.region, &self.prober, &answer.value()?).await.value()?;
        timeline.probed(self.region.now(), &probed);
        let mut outcomes = probed.get("outcomes").and_then(Value::as_array).into_iter().flatten();
        let by_private_name = outcomes.any(|one| one.get("kind").and_then(Value::as_str) == Some("private"));
        if by_private_name && !std::mem::replace(&mut self.called, true) {
            let tried = self.call().await.map_err(Failure::BadConfiguration)?;
            timeline.called(self.region.now(), CONSUMER, DOMAIN.0, &tried);
        }
        Ok(())
    }

    /// Calls the service by its private name, once over each family that this machine has.
    async fn call(&self) -> Result<Vec<Tried>, String> {
        let targets = [Target {
            name: DnsName::parse(DOMAIN.0).map_err(|error| error.to_string())?,
            kind: NameKind::Private,
            endpoint: None,
            families: self.at.iter().map(Family::of).collect(),
            ports: vec![self.port],
            tls: None,
            http: Some(HttpPath::try_from("/".to_owned())?),
        }];
        let probe = Probe::new(Dns::servers(vec![self.resolver.at()]));
        let found = probe.find(&targets, Vantage::Inside, Instant::now() + PATIENCE).await;
        Ok(judge(&targets, Vantage::Inside, &found))
    }
}

/// Listens at the addresses for loopback, on one port. A machine may have no IPv6.
async fn listen() -> io::Result<(Vec<IpAddr>, NonZeroU16)> {
    let (four, six) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let has_six = TcpListener::bind(SocketAddr::new(six, 0)).await.is_ok();
    let mut tried = 0;
    loop {
        let listener = TcpListener::bind(SocketAddr::new(four, 0)).await?;
        let at = listener.local_addr()?;
        let port = NonZeroU16::new(at.port()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        if has_six {
            match TcpListener::bind(SocketAddr::new(six, port.get())).await {
                Ok(listener) => drop(tokio::spawn(serve(listener))),
                // A free port is one that is free at both.
                Err(error) if tried < 50 && error.kind() == io::ErrorKind::AddrInUse => {
                    tried += 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        tokio::spawn(serve(listener));
        let at = if has_six { vec![four, six] } else { vec![four] };
        return Ok((at, port));
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

/// Answers a request, whatever it says. Who connects and asks nothing is told nothing.
async fn answer(stream: TcpStream) -> io::Result<()> {
    stream.readable().await?;
    if stream.try_read(&mut [0; 1024])? > 0 {
        stream.writable().await?;
        stream.try_write(ANSWER)?;
    }
    Ok(())
}
