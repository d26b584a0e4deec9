//! Who asks for what, and when.

use std::error::Error;
use std::time::Duration;

use aws_sdk_ec2::types::{IpAddressType, VpcEndpointType};
use privatelink_region::Region;
use privatelink_region::route53::{Name, ZoneDraft};

use super::inside::Inside;
use super::timeline::Timeline;
use crate::simulated::ec2;

/// The account that offers the service.
pub(crate) const PROVIDER: &str = "999988887777";

/// The private DNS name of the provider's service, and the zone of the provider's that holds it.
pub(crate) const DOMAIN: (&str, &str) = ("api.example.com", "example.com");

/// The VPC of every consumer. None makes it: whatever VPC one names is there.
pub(crate) const VPC: &str = "vpc-0123456789abcdef0";

/// The account of the consumer that has functions of its own.
pub(crate) const CONSUMER: &str = "111122223333";

/// The requests, in the order in which they come: the account, and why it is in the story.
const REQUESTS: [(&str, &str); 6] = [
    (CONSUMER, "a partner connects"),
    ("444455556666", "another partner connects"),
    ("333344445555", "somebody whom nobody knows asks"),
    ("111122224444", "the first partner connects from its second account"),
    ("222233334444", "somebody who is blocked tries"),
    (CONSUMER, "the first partner asks for more than it may have"),
];

/// The story so far.
#[derive(Debug)]
pub(crate) struct Story {
    service_name: String,
    told: usize,
}

impl Story {
    /// The provider makes its service, and lets everybody ask: who may connect is for the policy to say.
    pub(crate) async fn begin(region: &Region, timeline: &mut Timeline<'_>) -> Result<Self, Box<dyn Error>> {
        let (domain, zone) = DOMAIN;
        own_zone(region, zone)?;
        let balancer =
            format!("arn:aws:elasticloadbalancing:us-west-2:{PROVIDER}:loadbalancer/net/api/50dc6c495c0c9188");
        let call = ec2(region, PROVIDER).create_vpc_endpoint_service_configuration();
        let call = call.acceptance_required(true).network_load_balancer_arns(balancer);
        let call = call.private_dns_name(domain);
        let made = call.supported_ip_address_types("ipv4").supported_ip_address_types("ipv6").send().await;
        let made = made.map_err(Box::new)?.service_configuration.ok_or("the Region made no service")?;
        let id = made.service_id().unwrap_or_default();
        let call = ec2(region, PROVIDER).modify_vpc_endpoint_service_permissions().service_id(id);
        call.add_allowed_principals("*").send().await.map_err(Box::new)?;
        timeline.service(region.now(), id, domain);
        Ok(Self { service_name: made.service_name.unwrap_or_default(), told: 0 })
    }

    /// The next consumer makes its endpoint, if there is one left.
    ///
    /// The first has functions of its own, and makes its endpoint as they need it.
    pub(crate) async fn next(
        &mut self,
        region: &Region,
        inside: &mut Inside,
        timeline: &mut Timeline<'_>,
    ) -> Result<bool, Box<dyn Error>> {
        let Some((account, why)) = REQUESTS.get(self.told) else { return Ok(false) };
        let first = self.told == 0;
        self.told += 1;
        timeline.request(region.now(), account, why);
        let call = ec2(region, account).create_vpc_endpoint().vpc_endpoint_type(VpcEndpointType::Interface);
        let call = call.service_name(&self.service_name).vpc_id(VPC);
        let call = call.ip_address_type(IpAddressType::Ipv4);
        let call = if first { inside.asking(call) } else { call };
        let made = call.send().await.map_err(Box::new)?.vpc_endpoint;
        if let Some(made) = made.filter(|_| first) {
            inside.has(&made)?;
        }
        Ok(true)
    }
}

/// A public zone that the provider has had for long: the world knows it when the story begins.
fn own_zone(region: &Region, zone: &str) -> Result<(), String> {
    {
        let mut world = region.world();
        let now = world.now();
        let (name, caller_reference) = (Name::parse(zone)?, "long ago".to_owned());
        world.route53.create_zone(PROVIDER, ZoneDraft { name, caller_reference, comment: None, vpcs: Vec::new() }, now);
    }
    region.step(Duration::from_secs(60));
    Ok(())
}
