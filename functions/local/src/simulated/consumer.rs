//! The functions of a consumer's account in a simulated Region. No rule of the provider's template hands them anything:
//! what they get is a notice, their schedule, and each other's return value.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connectivity_prober::Prober;
use privatelink_aws::configurator::Configurator;
use privatelink_core::config::{ConfiguratorConfig, Mode, TagFilter};
use privatelink_core::endpoint::{AddressType, ports_in};
use privatelink_core::report::{Answer, Failure};
use privatelink_region::Region;
use privatelink_region::world::Endpoint;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{aws, invocation, schedule};

/// The tag of the endpoints that the functions look at.
pub(crate) const TAG: (&str, &str) = ("privatelink", "managed");

/// How often the schedule looks at everything, in the Region's time; more often than in an account, for the same reason
/// as with the provider's functions.
pub(crate) const SCHEDULE: Duration = Duration::from_secs(30);

/// A consumer's account with `endpoint-configurator` deployed in it. The prober is for whoever has a resolver for it.
pub(crate) struct Consumer {
    region: Region,
    configurator: Result<Configurator, Failure>,
}

impl Consumer {
    /// Deploys the function, which may turn private DNS on.
    pub(crate) fn deploy(region: &Region, account: &str) -> Self {
        let (key, value) = TAG;
        let config = ConfiguratorConfig {
            aws: aws(region, account),
            mode: Mode::Enforce,
            endpoint_tag: TagFilter { key: key.to_owned(), value: value.to_owned() },
            ip_address_type: AddressType::Dualstack,
            private_dns: true,
            probe_ports: ports_in("443").unwrap_or_default(),
            watch: Duration::ZERO,
        };
        Self { region: region.clone(), configurator: Ok(Configurator::new(config, &region.http_client())) }
    }

    /// Hands the function an event.
    pub(crate) async fn configure(&self, event: &Value) -> Answer {
        Box::pin(endpoint_configurator::answer(&self.configurator, invocation(&self.region, event))).await
    }

    /// Hands it what its schedule sends.
    pub(crate) async fn scheduled(&self) -> Answer {
        self.configure(&schedule()).await
    }
}

/// The consumers of a Region that want the function: all with an endpoint that bears the tag.
#[derive(Default)]
pub(crate) struct Consumers {
    deployed: BTreeMap<String, Consumer>,
    looked: Option<OffsetDateTime>,
}

impl Consumers {
    /// Hands their functions what their schedules send, when it is time. What came of it is there for each.
    pub(crate) async fn scheduled(&mut self, region: &Region) -> Vec<Answer> {
        let now = region.now();
        // A world that was put in its place may be an earlier one.
        if self.looked.is_some_and(|looked| now >= looked && now - looked < SCHEDULE) {
            return Vec::new();
        }
        self.looked = Some(now);
        let wanting: BTreeSet<String> = {
            let world = region.world();
            let bears = |endpoint: &&Endpoint| endpoint.tags.get(TAG.0).is_some_and(|value| value == TAG.1);
            world.endpoints.values().filter(bears).map(|endpoint| endpoint.owner.clone()).collect()
        };
        let mut answers = Vec::new();
        for account in wanting {
            let deploy = || Consumer::deploy(region, &account);
            answers.push(self.deployed.entry(account.clone()).or_insert_with(deploy).scheduled().await);
        }
        answers
    }
}

/// Hands `connectivity-prober` what the other returned, in the record that Lambda sends to a destination.
pub(crate) async fn probe(region: &Region, prober: &Result<Prober, Failure>, returned: &Value) -> Answer {
    let record = json!({"version": "1.0", "requestContext": {"condition": "Success"}, "responsePayload": returned});
    Box::pin(connectivity_prober::answer(prober, invocation(region, &record))).await
}
