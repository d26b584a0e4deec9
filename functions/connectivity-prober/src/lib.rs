//! The function, apart from its process: the binary hands it what Lambda sends, a test what it likes.
//!
//! It calls no AWS API, and could not: a private subnet reaches none. All that it knows of an endpoint is what
//! `endpoint-configurator` found out, which comes to it as that function's return value.

use std::time::Duration;

use privatelink_core::config::{Mode, ProberConfig};
use privatelink_core::metrics::Calls;
use privatelink_core::probe::{Vantage, endpoints_in, judge, report, targets};
use privatelink_core::report::{Answer, Failure, Report};
use privatelink_core::trigger::{Look, Trigger};
use privatelink_dns::Dns;
use privatelink_lambda::Invocation;
use privatelink_probe::Probe;
use tokio::time::Instant;

/// The function's name.
pub const FUNCTION: &str = "connectivity-prober";

/// Everything that the function keeps between events.
#[derive(Debug)]
pub struct Prober {
    mode: Mode,
    probe: Probe,
}

impl Prober {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// [`Failure::BadConfiguration`] with every fault of the variables.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let ProberConfig { mode, dns_servers } =
            ProberConfig::from_vars(lookup).map_err(|faults| Failure::BadConfiguration(faults.to_string()))?;
        let dns = if dns_servers.is_empty() { Dns::system() } else { Dns::servers(dns_servers) };
        Ok(Self { mode, probe: Probe::new(dns) })
    }

    /// Takes one event from its bytes to its report, within that time. In `observe` mode all is tried as well: a probe
    /// writes nothing, and there would be nothing else to observe.
    ///
    /// # Errors
    ///
    /// [`Failure::UnrecognizedEvent`], for everything but what `endpoint-configurator` returns.
    pub async fn handle(&self, payload: &[u8], left: Duration) -> Result<Report, Failure> {
        let endpoints = endpoints_in(payload).map_err(|error| Failure::UnrecognizedEvent(error.to_string()))?;
        // What is left is for the report.
        let reserve = (left / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
        let by = Instant::now() + left.saturating_sub(reserve);
        let (targets, skipped) = targets(endpoints);
        let found = self.probe.find(&targets, Vantage::Inside, by).await;
        Ok(report(FUNCTION, self.mode, judge(&targets, Vantage::Inside, &found), skipped))
    }
}

/// Answers one event.
///
/// A process that dies while it starts says nothing anywhere, so a configuration that is wrong is kept, and every event
/// is answered with it.
pub async fn answer(prober: &Result<Prober, Failure>, invocation: Invocation) -> Answer {
    let Invocation { payload, now: _, left } = invocation;
    match prober {
        Ok(prober) => {
            let everything = Trigger { look: Look::Everything, batch: None };
            Answer::of(prober.handle(&payload, left).await, Calls::default(), FUNCTION, prober.mode, &everything)
        }
        Err(failure) => Answer::failed(FUNCTION, failure.clone()),
    }
}
