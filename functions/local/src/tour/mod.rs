//! The tour: a Region with a provider and its consumers, and the function between them.
//!
//! What happens here is no enactment. The consumers speak to the Region through the AWS SDK, the Region's notifications
//! become the events that AWS would deliver, and [`connection_acceptor::answer`] and [`domain_verifier::answer`] take
//! each of them as they do in Lambda; the latter asks real name servers on the loopback address. One consumer has the
//! functions of its own account, and calls the service in the end, which really listens there. Only the clock runs faster.

mod inside;
mod story;
mod timeline;

use std::path::PathBuf;
use std::time::Duration;

use privatelink_core::report::Failure;
use privatelink_region::clock::Clock;
use privatelink_region::dns::{self, Layout, Options};
use privatelink_region::happening::{ConnectionEvent, Happening, TextForm, What};
use privatelink_region::sns::Protocol;
use privatelink_region::{Region, Settings};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::operate::Ending;
use crate::simulated::{Function, Provider};
use inside::Inside;
use story::{PROVIDER, Story};
use timeline::Timeline;

/// How much of the Region's time passes in one step, and how long a person may look at it.
const STEP: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(40);
/// How long the story goes on after the last request, in the Region's time: everything accepted is available by then.
const LAST: Duration = Duration::from_secs(150);
/// Neither the domain nor the consumer's call is waited for any longer than this after the last request.
const LONGEST: Duration = Duration::from_secs(900);

/// The policy that ships with the product, for whoever runs the binary alone.
const SHIPPED: [(&str, &str); 2] = [
    ("consumers.toml", include_str!("../../../../infra/policy/consumers.toml")),
    ("connections.cedar", include_str!("../../../../infra/policy/connections.cedar")),
];

/// Gives the tour, with a policy folder of the user's own if there is one.
pub(crate) async fn run(policy: Option<PathBuf>, seed: u64) -> Ending {
    // A folder of its own, so that the shipped policy is read from files like any other.
    let shipped = tempfile::tempdir()?;
    let policy_dir = match policy {
        Some(folder) => folder,
        None => {
            for (name, content) in SHIPPED {
                std::fs::write(shipped.path().join(name), content)?;
            }
            shipped.path().to_owned()
        }
    };
    let settings = Settings { seed, ..Settings::default() };
    let region = Region::new(settings, Clock::standing(OffsetDateTime::now_utc()));
    let servers = dns::serve(&region, Options { layout: Layout::Ports(0), ipv6_only: false }).await?;
    let provider = Provider::deploy(&region, PROVIDER, &policy_dir, &servers.name_servers())?;
    let mut inside = Inside::open(&region).await?;

    let mut happenings = region.listen();
    let mut timeline = Timeline::new(region.now(), provider.policy.consumers());
    let mut story = Story::begin(&region, &mut timeline).await?;
    let mut looked = Function::ALL.map(|function| (function, region.now()));
    let mut after = Duration::ZERO;
    // The domain takes as long as AWS takes, and the consumer can do the last of it after that.
    while after < LAST || (after < LONGEST && (!timeline.domain_is_verified() || inside.waits())) {
        let asked = story.next(&region, &mut inside, &mut timeline).await?;
        after = if asked { Duration::ZERO } else { after + STEP };
        deliver(&region, &provider, &mut inside, &mut happenings, &mut timeline).await?;
        for (function, looked) in &mut looked {
            if region.now() - *looked >= function.schedule() {
                *looked = region.now();
                scheduled(&region, &provider, *function, &mut timeline).await?;
                deliver(&region, &provider, &mut inside, &mut happenings, &mut timeline).await?;
            }
        }
        inside.scheduled(&mut timeline).await?;
        region.step(STEP);
        timeline.progress(region.now(), LOOK).await;
    }
    deliver(&region, &provider, &mut inside, &mut happenings, &mut timeline).await?;
    timeline.end(&region.world());
    Ok(())
}

/// What a schedule does: it finds what no notification told of, and it changes nothing twice.
async fn scheduled(
    region: &Region,
    provider: &Provider,
    function: Function,
    timeline: &mut Timeline<'_>,
) -> Result<(), Failure> {
    let answer = provider.scheduled(function).await;
    match function {
        Function::ConnectionAcceptor => timeline.schedule(region.now(), &answer.value()?),
        Function::DomainVerifier => timeline.domain(region.now(), &answer),
        // What it tells is seen when it is delivered.
        Function::AvailabilityNotifier => drop(answer.value()?),
    }
    Ok(())
}

/// Draws what has happened, and hands the functions the events that AWS makes of it, until nothing more happens.
async fn deliver(
    region: &Region,
    provider: &Provider,
    inside: &mut Inside,
    happenings: &mut UnboundedReceiver<Happening>,
    timeline: &mut Timeline<'_>,
) -> Result<(), Failure> {
    while let Ok(Happening { at, what }) = happenings.try_recv() {
        timeline.happened(at, &what);
        match &what {
            What::Notified(notification) if notification.event == ConnectionEvent::Connect => {
                let event = notification.bus_event(at, TextForm::Prose);
                let event = serde_json::to_value(event).unwrap_or(Value::Null);
                let answer = provider.invoke(Function::ConnectionAcceptor, &event).await;
                let log: Vec<_> = answer.log().collect();
                timeline.decided(region.now(), &log, &answer.value()?);
            }
            What::Recorded(event) if provider.rules.takers(event).any(|taker| taker == Function::DomainVerifier) => {
                timeline.domain(region.now(), &provider.invoke(Function::DomainVerifier, event).await);
            }
            What::Delivered { protocol: Protocol::Lambda, message, .. } => inside.told(message, timeline).await?,
            What::Notified(_)
            | What::Recorded(_)
            | What::Became { .. }
            | What::Delivered { .. }
            | What::Called { .. } => {}
        }
    }
    Ok(())
}
