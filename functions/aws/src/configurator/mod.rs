//! `endpoint-configurator`: one event through all the rooms, and round again while an endpoint is pending.

mod carry;
mod kept;
mod offers;
mod read;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::FutureExt;
use privatelink_core::config::{ConfiguratorConfig, Mode};
use privatelink_core::endpoint::{Change, EndpointSettings, EndpointsPlan, Seen, facts, plan_endpoints};
use privatelink_core::ids::{EndpointId, FoundId, ServiceId};
use privatelink_core::metrics::Metrics;
use privatelink_core::plan::{EffectKind, Plan, Skip};
use privatelink_core::report::{Answer, Ended, Failure, Outcome, Report};
use privatelink_core::trigger::{Look, Trigger};
use time::OffsetDateTime;

use crate::calls::counted;
use crate::client;
use crate::clock::{self, sleep_until};
use crate::deadline::Deadline;

use kept::Kept;

/// The function's name.
pub const FUNCTION: &str = "endpoint-configurator";

/// From one look to the next.
const AGAIN: Duration = Duration::from_secs(5);

/// Everything that the function keeps between events.
#[derive(Debug)]
pub struct Configurator {
    config: ConfiguratorConfig,
    settings: EndpointSettings,
    ec2: Client,
    kept: Kept,
}

/// What one look came to: what was seen, and what was left as it is.
struct Last {
    seen: Seen,
    skipped: Vec<Skip>,
}

impl Configurator {
    /// Reads the variables and builds the client.
    ///
    /// # Errors
    ///
    /// [`Failure::BadConfiguration`] with every fault of the variables.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let config =
            ConfiguratorConfig::from_vars(&lookup).map_err(|faults| Failure::BadConfiguration(faults.to_string()))?;
        let http = client::network(&config.aws, lookup);
        Ok(Self::new(config, &http))
    }

    /// The same with an HTTP client that exists.
    pub fn new(config: ConfiguratorConfig, http: &SharedHttpClient) -> Self {
        let ConfiguratorConfig { aws, ip_address_type, private_dns, probe_ports, .. } = &config;
        Self {
            ec2: client::ec2(aws, http.clone()),
            settings: EndpointSettings {
                region: aws.region.clone(),
                ip_address_type: *ip_address_type,
                private_dns: *private_dns,
                ports: probe_ports.clone(),
            },
            config,
            kept: Kept::default(),
        }
    }

    /// Takes one event from its bytes to its answer.
    pub async fn handle(&self, payload: &[u8], now: OffsetDateTime, deadline: Deadline) -> Answer {
        let trigger = match Trigger::parse_consumers(payload) {
            Ok(trigger) => trigger,
            Err(error) => return Answer::failed(FUNCTION, Failure::UnrecognizedEvent(error.to_string())),
        };
        let mode = self.config.mode;
        let (ran, calls) = counted(self.run(&trigger.look, now, deadline).boxed_local()).await;
        let (ran, services) = match ran {
            Ok((report, services)) => (Ok(report), services),
            Err(failure) => (Err(failure), BTreeMap::new()),
        };
        let trigger = trigger.at_services(|endpoint| services.get(endpoint).cloned());
        Answer::of(ran, calls, FUNCTION, mode, &trigger)
    }

    /// Looks, decides, and sets if that is the mode; again at once after something was set, since what is told of an
    /// endpoint has to be true after it; and again for as long as an endpoint is pending and there is time.
    ///
    /// The services of the endpoints come with the report.
    ///
    /// # Errors
    ///
    /// [`Failure::ReadFailed`], if nothing could be read. Once something was read, a read that fails ends the looking.
    pub async fn run(
        &self,
        look: &Look<FoundId>,
        now: OffsetDateTime,
        deadline: Deadline,
    ) -> Result<(Report, BTreeMap<EndpointId, ServiceId>), Failure> {
        let begun = clock::now();
        let watch_until = deadline.decisions.min(begun + self.config.watch);
        let mut outcomes = Vec::new();
        let mut last: Option<Last> = None;
        self.kept.begin();
        loop {
            let looked = clock::now();
            let seen = match self.look(look, deadline).await {
                Ok(seen) => seen,
                Err(failure) if last.is_none() => return Err(failure),
                Err(_) => break,
            };
            let at = now + clock::since(begun);
            let memories = self.kept.memories();
            let EndpointsPlan { plan, under_way } = plan_endpoints(&seen, look, &self.settings, &memories, at);
            let Plan { effects, skipped } = plan;
            last = Some(Last { seen, skipped });
            if self.config.mode == Mode::Observe {
                outcomes.extend(effects.iter().map(|change| outcome(change, Ended::Planned, None)));
                break;
            }
            let done = self.carry_out(&effects, at, deadline.decisions).await;
            // No setting of an endpoint is set twice in a run, so that this comes to an end.
            let was_set = done.iter().any(|outcome| outcome.ended == Ended::Done);
            outcomes.extend(done);
            if was_set {
                continue;
            }
            let again = looked + AGAIN;
            if !under_way || again >= watch_until {
                break;
            }
            sleep_until(again).await;
        }
        let Last { seen, skipped } = last.unwrap_or_else(|| Last { seen: Seen::default(), skipped: Vec::new() });
        let services = seen.endpoints.values();
        let services = services.filter_map(|endpoint| Some((endpoint.id.clone(), endpoint.service.clone()?))).collect();
        let endpoints = Some(facts(&seen, &self.settings));
        let (function, mode) = (FUNCTION, self.config.mode);
        let (said, metrics) = (Vec::new(), Metrics::default());
        let report = Report { function, mode, policy_digest: None, outcomes, skipped, said, metrics, endpoints };
        Ok((report, services))
    }
}

/// What came of a change, with AWS's own words where there are any.
fn outcome(change: &Change, ended: Ended, detail: Option<String>) -> Outcome {
    let mut thing = change.thing();
    thing.more.extend(detail.map(|detail| ("detail", detail)));
    Outcome::of_thing(EffectKind::ModifyEndpoint, thing, ended)
}
