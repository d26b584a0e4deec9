//! `privatelink region`: the simulated Region for other programs, with or without the functions behind it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use privatelink_core::report::Answer;
use privatelink_region::clock::Clock;
use privatelink_region::dns::{self, Layout, NameServers, Options};
use privatelink_region::happening::{Happening, TextForm, What};
use privatelink_region::{Region, Settings, server};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use crate::operate::Ending;
use crate::simulated::{Consumers, Function, Provider, TAG};
use crate::style::{BAD, BOLD, DIM, GOOD, WAITS, paint};

/// How often it is looked whether time has brought something.
const TICK: Duration = Duration::from_millis(200);

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The port on the loopback address; 0 takes any that is free
    #[arg(long, default_value_t = 4580)]
    port: u16,
    /// The first of six ports on the loopback address at which the Region's DNS answers: a resolver, four name servers,
    /// and one for what is elsewhere; 0 takes any that are free
    #[arg(long, default_value_t = 0)]
    dns_port: u16,
    /// How many of the Region's seconds pass in one
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Which world: ids and delays are drawn from this; 1 if left out
    #[arg(long, conflicts_with = "state")]
    seed: Option<u64>,
    /// Leave out the throttling of AWS's API
    #[arg(long, conflicts_with = "state")]
    no_throttling: bool,
    /// Begin with the world that is saved in this file, if there is one, and save it there at the end
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Hand the Region's events to the provider's functions, as the account `--account` has them deployed, and set what
    /// consumers make with the tag `privatelink=managed`
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
    let Arguments { port, dns_port, speed, seed, no_throttling, state, invoke, policy, account } = arguments;
    if !(speed.is_finite() && speed > 0.0 && speed <= 100_000.0) {
        return Err(format!("`--speed` is `{speed}`; it is a number above 0, up to 100000").into());
    }
    let listener =
        TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| taken("port", port, "--port", &error))?;
    let settings = Settings { seed: seed.unwrap_or(1), throttling: !no_throttling, ..Settings::default() };
    let region = begin(state.as_deref(), settings, speed)?;
    let options = Options { layout: Layout::Ports(dns_port), ipv6_only: false };
    let servers = dns::serve(&region, options)
        .await
        .map_err(|error| taken("one of six ports from", dns_port, "--dns-port", &error))?;
    let provider =
        if invoke { Some(Provider::deploy(&region, &account, &policy, &servers.name_servers())?) } else { None };

    let happenings = region.listen();
    let name = region.world().settings.name.clone();
    greet(&format!("http://{}", listener.local_addr()?), &name, &account, &servers, invoke);
    let stopped = stop_signal()?;
    let server = server::serve(region.clone(), listener);
    let ended: Ending = tokio::select! {
        ended = server => ended.map(|never| match never {}).map_err(Into::into),
        () = watch(&region, provider, happenings) => Ok(()),
        _ = stopped => Ok(()),
    };
    if let Some(file) = &state {
        region.save_to(file).map_err(|fault| format!("the state can not be saved in `{}`: {fault}", file.display()))?;
        anstream::println!("{}", paint(DIM, &format!("saved in {}", file.display())));
    }
    ended
}

/// The world that was saved, or a new one.
fn begin(state: Option<&Path>, settings: Settings, speed: f64) -> Result<Region, Box<dyn std::error::Error>> {
    if let Some(file) = state {
        let fault = |fault| format!("the state can not be used: {fault}");
        // What could not be saved at the end would be lost.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(format!("there is no folder `{}` to keep the state in", folder.display()).into());
        }
        if let Some(region) = Region::load_from(file, |at| Clock::running(at, speed)).map_err(fault)? {
            return Ok(region);
        }
    }
    Ok(Region::new(settings, Clock::running(OffsetDateTime::now_utc(), speed)))
}

fn taken(what: &str, port: u16, option: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        format!("{what} {port} is taken, perhaps by another `privatelink region`; choose one with `{option}`")
    } else {
        format!("{what} {port} can not be opened: {error}")
    }
}

/// Comes when somebody ends the process, so that what is to be done at the end is done.
fn stop_signal() -> Result<oneshot::Receiver<()>, ctrlc::Error> {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    ctrlc::set_handler(move || match sender.take() {
        Some(sender) => drop(sender.send(())),
        // Somebody insists.
        None => std::process::exit(130),
    })?;
    Ok(receiver)
}

/// Says how to speak to it.
fn greet(url: &str, name: &str, account: &str, servers: &NameServers, invoke: bool) {
    anstream::println!("{} {url}", paint(BOLD, &format!("A simulated Region, {name}, at")));
    anstream::println!();
    let balancer = format!("arn:aws:elasticloadbalancing:{name}:{account}:loadbalancer/net/api/50dc6c495c0c9188");
    let list = |servers: &[SocketAddr]| servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let resolver = servers.resolver();
    for line in [
        format!("export AWS_ENDPOINT_URL={url} AWS_REGION={name} AWS_DEFAULT_REGION={name} AWS_SECRET_ACCESS_KEY=x"),
        format!("export AWS_ACCESS_KEY_ID={account}   # the account that calls"),
        format!("export PRIVATELINK_DNS_SERVER={}", list(&servers.name_servers())),
        "aws ec2 create-vpc-endpoint-service-configuration --acceptance-required \\".to_owned(),
        format!("  --network-load-balancer-arns {balancer}"),
        "aws ec2 modify-vpc-endpoint-service-permissions --add-allowed-principals '*' --service-id vpce-svc-…"
            .to_owned(),
        "AWS_ACCESS_KEY_ID=111122223333 aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface \\".to_owned(),
        format!("  --vpc-id vpc-0a --service-name com.amazonaws.vpce.{name}.vpce-svc-…"),
        "aws ec2 describe-vpc-endpoint-connections".to_owned(),
        "aws route53 create-hosted-zone --name example.com --caller-reference 1".to_owned(),
        "aws ec2 modify-vpc-endpoint-service-configuration --private-dns-name api.example.com --service-id vpce-svc-…"
            .to_owned(),
        format!("dig @{} -p {} NS example.com", resolver.ip(), resolver.port()),
        format!("curl -X POST '{url}/_region/step?seconds=120'   # let time pass"),
    ] {
        anstream::println!("  {line}");
    }
    anstream::println!();
    let functions = if invoke {
        let names: Vec<_> = Function::ALL.iter().map(|function| function.name()).collect();
        let (key, value) = TAG;
        format!("{} get its events, endpoint-configurator sees to the tag {key}={value}", names.join(", "))
    } else {
        "nobody gets its events; --invoke changes that".to_owned()
    };
    anstream::println!("{}", paint(DIM, &format!("{functions}; control-C ends it")));
    anstream::println!();
}

/// Shows what happens, hands out the events that the rules hand out, and keeps the schedules.
async fn watch(region: &Region, provider: Option<Provider>, mut happenings: UnboundedReceiver<Happening>) {
    let mut looked = Function::ALL.map(|function| (function, region.now()));
    let mut consumers = Consumers::default();
    loop {
        // Looking at the time is what lets things happen that are due.
        let now = region.now();
        while let Ok(Happening { at, what }) = happenings.try_recv() {
            show(at, &what);
            if let Some(provider) = &provider
                && let Some(event) = event_of(at, &what)
            {
                for function in provider.rules.takers(&event) {
                    tell(region, provider.invoke(function, &event).await);
                }
            }
        }
        if let Some(provider) = &provider {
            for (function, looked) in &mut looked {
                // A world that was put in its place may be an earlier one.
                if now < *looked || now - *looked >= function.schedule() {
                    *looked = now;
                    tell(region, provider.scheduled(*function).await);
                }
            }
            for answer in consumers.scheduled(region).await {
                tell(region, answer);
            }
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The event that comes on a bus of EventBridge's for what happened, if one does.
fn event_of(at: OffsetDateTime, what: &What) -> Option<Value> {
    match what {
        What::Notified(notification) => serde_json::to_value(notification.bus_event(at, TextForm::Prose)).ok(),
        What::Recorded(event) => Some(event.clone()),
        What::Became { .. } | What::Delivered { .. } | What::Called { .. } => None,
    }
}

/// Shows what a function did, or why it did not.
fn tell(region: &Region, answer: Answer) {
    let name = answer.function;
    for line in answer.log() {
        let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("message") {
            "decision" => {
                let policies = line.get("policy").and_then(Value::as_array).into_iter().flatten();
                let policies = policies.filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
                say(region.now(), &format!("{name}: {} {} ({policies})", text("decision"), text("endpointId")));
            }
            "effect" => {
                let of = [text("record"), text("type"), text("endpointId"), text("serviceId")];
                let of = of.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
                let ended = format!("{} {}", text("result"), text("code"));
                say(region.now(), &format!("{name}: {} {of} {}", text("effect"), paint(DIM, ended.trim())));
            }
            "notice" => {
                let kind = line.pointer("/notice/type").and_then(Value::as_str).unwrap_or_default();
                say(region.now(), &format!("{name}: {kind} {}", paint(DIM, "for the operators, who have no topic")));
            }
            _ => {}
        }
    }
    if let Err(failure) = answer.result {
        say(region.now(), &paint(BAD, &format!("{name}: {}: {failure}", failure.kind())));
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
