//! The functions of a consumer's account in a simulated Region. No rule of the provider's template hands them anything:
//! what they get is a notice, their schedule, and each other's return value.

use std::net::SocketAddr;
use std::time::Duration;

use connectivity_prober::Prober;
use privatelink_aws::configurator::Configurator;
use privatelink_core::config::{ConfiguratorConfig, Mode, TagFilter};
use privatelink_core::endpoint::{AddressType, ports_in};
use privatelink_core::report::{Answer, Failure};
use privatelink_lambda::Invocation;
use privatelink_region::Region;
use serde_json::{Value, json};

use super::{LEFT, aws, schedule};

/// The tag of the endpoints that the functions look at.
pub(crate) const TAG: (&str, &str) = ("privatelink", "managed");

/// How often the schedule looks at everything, in the Region's time; more often than in an account, for the same reason
/// as with the provider's functions.
pub(crate) const SCHEDULE: Duration = Duration::from_secs(30);

/// A consumer's account with the functions deployed in it.
pub(crate) struct Consumer {
    region: Region,
    configurator: Result<Configurator, Failure>,
    prober: Result<Prober, Failure>,
}

impl Consumer {
    /// Deploys the functions, which may turn private DNS on; the prober asks that resolver.
    pub(crate) fn deploy(region: &Region, account: &str, resolver: SocketAddr) -> Self {
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
        let configurator = Ok(Configurator::new(config, &region.http_client()));
        let prober = Prober::from_vars(|name| (name == "PRIVATELINK_DNS_SERVER").then(|| resolver.to_string()));
        Self { region: region.clone(), configurator, prober }
    }

    /// Hands `endpoint-configurator` an event.
    pub(crate) async fn configure(&self, event: &Value) -> Answer {
        Box::pin(endpoint_configurator::answer(&self.configurator, self.invocation(event))).await
    }

    /// Hands it what its schedule sends.
    pub(crate) async fn scheduled(&self) -> Answer {
        self.configure(&schedule()).await
    }

    /// Hands `connectivity-prober` what the other returned, in the record that Lambda sends to a destination.
    pub(crate) async fn probe(&self, returned: &Value) -> Answer {
        let record = json!({"version": "1.0", "requestContext": {"condition": "Success"}, "responsePayload": returned});
        Box::pin(connectivity_prober::answer(&self.prober, self.invocation(&record))).await
    }

    fn invocation(&self, event: &Value) -> Invocation {
        Invocation { payload: event.to_string().into_bytes(), now: self.region.now(), left: LEFT }
    }
}
