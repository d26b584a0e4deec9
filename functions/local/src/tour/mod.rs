//! The tour: a Region with a provider and its consumers, and the function between them.
//!
//! What happens here is no enactment. The consumers speak to the Region through the AWS SDK, the Region's notifications
//! become the events that AWS would deliver, and [`connection_acceptor::answer`] takes each of them as it does in
//! Lambda. Only the clock runs faster.

mod story;
mod timeline;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use connection_acceptor::answer;
use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_core::config::{AcceptorConfig, AwsConfig, Mode};
use privatelink_core::report::{Answer, Failure};
use privatelink_lambda::Invocation;
use privatelink_region::clock::Clock;
use privatelink_region::happening::{ConnectionEvent, Happening, TextForm, What};
use privatelink_region::{Region, Settings};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedReceiver;

use story::{PROVIDER, Story};
use timeline::Timeline;

/// How much of the Region's time passes in one step, and how long a person may look at it.
const STEP: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(40);
/// How long the story goes on after the last request, in the Region's time: everything accepted is available by then.
const LAST: Duration = Duration::from_secs(150);
/// How long the function has for one event.
const LEFT: Duration = Duration::from_secs(50);

/// The policy that ships with the product, for whoever runs the binary alone.
const SHIPPED: [(&str, &str); 2] = [
    ("consumers.toml", include_str!("../../../../infra/policy/consumers.toml")),
    ("connections.cedar", include_str!("../../../../infra/policy/connections.cedar")),
];

/// Gives the tour, with a policy folder of the user's own if there is one.
pub(crate) async fn run(policy: Option<PathBuf>, seed: u64) -> ExitCode {
    match show(policy, seed).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("privatelink: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn show(policy: Option<PathBuf>, seed: u64) -> Result<(), Box<dyn std::error::Error>> {
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
    let region = Region::new(settings.clone(), Clock::standing(OffsetDateTime::now_utc()));
    let aws = AwsConfig {
        region: settings.name,
        access_key_id: PROVIDER.to_owned(),
        secret_access_key: "simulated".to_owned(),
        session_token: None,
        ec2_endpoint: None,
    };
    let ec2 = client::ec2(&aws, region.http_client());
    let policy_dir = policy_dir.display().to_string();
    let config = AcceptorConfig { aws, mode: Mode::Enforce, policy_dir, service_tag: None };
    let acceptor = Acceptor::new(config, ec2);
    let loaded = acceptor.policy()?;

    let mut happenings = region.listen();
    let mut timeline = Timeline::new(region.now(), loaded.consumers());
    let mut story = Story::begin(&region, &mut timeline).await?;
    let acceptor = Ok(acceptor);
    let mut after = Duration::ZERO;
    while after < LAST {
        let asked = story.next(&region, &mut timeline).await?;
        after = if asked { Duration::ZERO } else { after + STEP };
        deliver(&region, &acceptor, &mut happenings, &mut timeline).await?;
        region.step(STEP);
        timeline.progress(region.now(), LOOK).await;
    }
    // What the schedule does every minute: it finds what no notification told of, and it changes nothing twice.
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let answer = invoke(&region, &acceptor, &schedule).await;
    deliver(&region, &acceptor, &mut happenings, &mut timeline).await?;
    timeline.schedule(region.now(), &answer.value()?);
    timeline.end(&region.world());
    Ok(())
}

/// Draws what has happened, and hands the function the events that AWS makes of it, until nothing more happens.
async fn deliver(
    region: &Region,
    acceptor: &Result<Acceptor, Failure>,
    happenings: &mut UnboundedReceiver<Happening>,
    timeline: &mut Timeline<'_>,
) -> Result<(), Failure> {
    while let Ok(Happening { at, what }) = happenings.try_recv() {
        timeline.happened(at, &what);
        if let What::Notified(notification) = &what
            && notification.event == ConnectionEvent::Connect
        {
            let event = notification.bus_event(at, TextForm::Prose);
            let event = serde_json::to_value(event).unwrap_or(Value::Null);
            let answer = invoke(region, acceptor, &event).await;
            let log: Vec<_> = answer.log().collect();
            timeline.decided(region.now(), &log, &answer.value()?);
        }
    }
    Ok(())
}

async fn invoke(region: &Region, acceptor: &Result<Acceptor, Failure>, event: &Value) -> Answer {
    let payload = event.to_string().into_bytes();
    Box::pin(answer(acceptor, Invocation { payload, now: region.now(), left: LEFT })).await
}
