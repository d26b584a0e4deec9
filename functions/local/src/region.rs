//! `privatelink region`: the simulated Region for other programs, with or without the function behind it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use privatelink_core::report::Answer;
use privatelink_core::trigger::{Look, Trigger};
use privatelink_region::clock::Clock;
use privatelink_region::happening::{Happening, TextForm, What};
use privatelink_region::{Region, Settings, server};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::operate::Ending;
use crate::simulated::Function;
use crate::style::{BAD, BOLD, DIM, GOOD, WAITS, paint};

/// How often the schedule looks at everything, in the Region's time.
const SCHEDULE: Duration = Duration::from_secs(60);
/// How often it is looked whether time has brought something.
const TICK: Duration = Duration::from_millis(200);

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The port on the loopback address; 0 takes any that is free
    #[arg(long, default_value_t = 4580)]
    port: u16,
    /// How many of the Region's seconds pass in one
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Which world: ids and delays are drawn from this
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the throttling of AWS's API
    #[arg(long)]
    no_throttling: bool,
    /// Hand the Region's events to `connection-acceptor`, as the account `--account` has it deployed
    #[arg(long)]
    invoke: bool,
    /// The policy folder for `--invoke`
    #[arg(long, value_name = "DIR", default_value = "infra/policy")]
    policy: PathBuf,
    /// The provider's account for `--invoke`
    #[arg(long, value_name = "ACCOUNT", default_value = "999988887777")]
    account: String,
}

/// Serves until it is stopped.
pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { port, speed, seed, no_throttling, invoke, policy, account } = arguments;
    if !(speed.is_finite() && speed > 0.0 && speed <= 100_000.0) {
        return Err(format!("`--speed` is `{speed}`; it is a number above 0, up to 100000").into());
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            format!("port {port} is taken, perhaps by another `privatelink region`; choose one with `--port`")
        } else {
            format!("port {port} can not be opened: {error}")
        }
    })?;
    let settings = Settings { seed, throttling: !no_throttling, ..Settings::default() };
    let name = settings.name.clone();
    let region = Region::new(settings, Clock::running(OffsetDateTime::now_utc(), speed));
    let function = if invoke { Some(Function::deploy(&region, &account, &policy)?) } else { None };

    let happenings = region.listen();
    greet(&format!("http://{}", listener.local_addr()?), &name, &account, invoke);
    let server = server::serve(region.clone(), listener);
    tokio::select! {
        ended = server => ended.map(|never| match never {}).map_err(Into::into),
        () = watch(&region, function, happenings) => Ok(()),
    }
}

/// Says how to speak to it.
fn greet(url: &str, name: &str, account: &str, invoke: bool) {
    anstream::println!("{} {url}", paint(BOLD, &format!("A simulated Region, {name}, at")));
    anstream::println!();
    for line in [
        format!("export AWS_ENDPOINT_URL={url} AWS_REGION={name} AWS_DEFAULT_REGION={name} AWS_SECRET_ACCESS_KEY=x"),
        format!("export AWS_ACCESS_KEY_ID={account}   # the account that calls"),
        "aws ec2 create-vpc-endpoint-service-configuration --acceptance-required \\".to_owned(),
        format!(
            "  --network-load-balancer-arns arn:aws:elasticloadbalancing:{name}:{account}:loadbalancer/net/api/50dc6c495c0c9188"
        ),
        "aws ec2 modify-vpc-endpoint-service-permissions --add-allowed-principals '*' --service-id vpce-svc-…"
            .to_owned(),
        "AWS_ACCESS_KEY_ID=111122223333 aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface \\".to_owned(),
        format!("  --vpc-id vpc-0a --service-name com.amazonaws.vpce.{name}.vpce-svc-…"),
        "aws ec2 describe-vpc-endpoint-connections".to_owned(),
        format!("curl -X POST '{url}/_region/step?seconds=120'   # let time pass"),
    ] {
        anstream::println!("  {line}");
    }
    anstream::println!();
    let function =
        if invoke { "connection-acceptor gets its events" } else { "nobody gets its events; --invoke changes that" };
    anstream::println!("{}", paint(DIM, &format!("{function}; control-C ends it")));
    anstream::println!();
}

/// Shows what happens, hands out the events that the rules hand out, and keeps the schedule.
async fn watch(region: &Region, function: Option<Function>, mut happenings: UnboundedReceiver<Happening>) {
    let mut looked = region.now();
    loop {
        // Looking at the time is what lets things happen that are due.
        let now = region.now();
        while let Ok(Happening { at, what }) = happenings.try_recv() {
            show(at, &what);
            if let (Some(function), Some(event)) = (&function, event_of(at, &what)) {
                tell(region, function.invoke(&event).await);
            }
        }
        if let Some(function) = &function
            && now - looked >= SCHEDULE
        {
            looked = now;
            tell(region, function.scheduled().await);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The event that the rules hand to the function: every connection notification, and the record of every call that it
/// takes for a reason to look. Its own calls are among them, and lead to a look that finds nothing to do.
fn event_of(at: OffsetDateTime, what: &What) -> Option<Value> {
    match what {
        What::Notified(notification) => serde_json::to_value(notification.bus_event(at, TextForm::Prose)).ok(),
        What::Recorded(event) => {
            let trigger = Trigger::parse(event.to_string().as_bytes()).ok()?;
            (trigger.look != Look::Nowhere).then(|| event.clone())
        }
        What::Became { .. } | What::Delivered { .. } | What::Called { .. } => None,
    }
}

/// Shows what the function decided, or why it did not.
fn tell(region: &Region, answer: Answer) {
    for line in answer.log().filter(|line| line.get("message").is_some_and(|message| message == "decision")) {
        let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
        let policies = line.get("policy").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let policies = policies.collect::<Vec<_>>().join(" ");
        say(region.now(), &format!("connection-acceptor: {} {} ({policies})", text("decision"), text("endpointId")));
    }
    if let Err(failure) = answer.result {
        say(region.now(), &paint(BAD, &format!("connection-acceptor: {}: {failure}", failure.kind())));
    }
}

fn show(at: OffsetDateTime, what: &What) {
    match what {
        What::Became { endpoint_id, account, state } => {
            let style = match *state {
                "available" => GOOD,
                "rejected" | "failed" | "deleted" => BAD,
                _ => WAITS,
            };
            say(at, &format!("{endpoint_id} of {account} is {}", paint(style, state)));
        }
        What::Notified(notification) => {
            say(at, &paint(DIM, &format!("notification: {:?} {}", notification.event, notification.endpoint_id)));
        }
        What::Delivered { protocol, endpoint, subject, .. } => {
            let subject = subject.as_deref().unwrap_or("no subject");
            say(at, &format!("SNS delivers to {protocol:?} {endpoint}: {subject}"));
        }
        // The call itself is shown already.
        What::Recorded(_) => {}
        What::Called { action, account, error } => {
            let error = error.as_ref().map_or_else(String::new, |code| paint(BAD, &format!(" {code}")));
            say(at, &format!("{}{error}", paint(DIM, &format!("{account} {action}"))));
        }
    }
}

fn say(at: OffsetDateTime, text: &str) {
    let clock = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    anstream::println!("{}  {text}", paint(DIM, &clock));
}
