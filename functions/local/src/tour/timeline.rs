//! What a person sees: a line for everything that happens, and a table at the end.

mod inside;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::time::Duration;

use anstyle::Style;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use privatelink_core::ids::AccountId;
use privatelink_core::policy::Consumers;
use privatelink_core::report::Answer;
use privatelink_region::happening::What;
use privatelink_region::sns::Protocol;
use privatelink_region::world::World;
use serde_json::Value;
use time::OffsetDateTime;

use crate::style::{BAD, BOLD, DIM, GOOD, WAITS, paint};

/// The type of the notice that a connection is ready.
const AVAILABLE: &str = "EndpointConnectionAvailable";

/// Draws the tour.
#[derive(Debug)]
pub(crate) struct Timeline<'c> {
    start: OffsetDateTime,
    consumers: &'c Consumers,
    /// What was decided about each endpoint, in the order in which they came.
    decided: Vec<(String, Decided)>,
    /// Since when each endpoint waits for something.
    asked: BTreeMap<String, OffsetDateTime>,
    /// The endpoints that have been available.
    ready: BTreeSet<String>,
    /// Whether somebody watches, and may be shown what will be wiped away again.
    watched: bool,
    /// Whether there is colour.
    coloured: bool,
    /// Whether the private DNS name is verified.
    verified: bool,
    /// Whether a look of the schedule was shown.
    scheduled: bool,
    /// What the prober found that was shown last.
    found: Option<String>,
    /// The first mail to a consumer whose connection is available: subject and text.
    mail: Option<(String, String)>,
}

#[derive(Debug, Clone)]
struct Decided {
    decision: String,
    why: String,
}

impl<'c> Timeline<'c> {
    pub(crate) fn new(start: OffsetDateTime, consumers: &'c Consumers) -> Self {
        anstream::println!("{}", paint(BOLD, "A simulated Region, the real functions, a fast clock"));
        anstream::println!();
        let stdout = std::io::stdout();
        let coloured = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let watched = stdout.is_terminal();
        Self {
            start,
            consumers,
            decided: Vec::new(),
            asked: BTreeMap::new(),
            ready: BTreeSet::new(),
            watched,
            coloured,
            verified: false,
            scheduled: false,
            found: None,
            mail: None,
        }
    }

    pub(crate) fn service(&mut self, at: OffsetDateTime, service: &str, domain: &str) {
        // What came before the story is not told.
        self.start = at;
        self.line(at, &format!("the provider offers {service} as {domain}; connections wait for the policy"));
    }

    /// Whether the service's private DNS name has been seen to be verified.
    pub(crate) fn domain_is_verified(&self) -> bool {
        self.verified
    }

    /// What the verifier did.
    pub(crate) fn domain(&mut self, at: OffsetDateTime, answer: &Answer) {
        for line in answer.log() {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = text("privateDnsName");
            match (text("message"), text("effect")) {
                ("effect", "write-record") => {
                    self.line(at, &format!("  {name}: TXT record {} is {}", text("record"), paint(GOOD, "written")));
                }
                ("effect", "start-check") => {
                    let asked = paint(GOOD, "asked to check it");
                    self.line(at, &format!("  {name}: all its name servers have the record; AWS is {asked}"));
                }
                ("effect", "publish") if text("type") == "DomainVerified" => {
                    self.verified = true;
                    let since = (at - self.start).whole_seconds();
                    let verified = paint(GOOD, "verified");
                    self.line(at, &format!("  {name} is {verified}, {since} s after it was given, with no person"));
                }
                _ => {}
            }
        }
    }

    /// Somebody does something of his own accord.
    pub(crate) fn request(&self, at: OffsetDateTime, account: &str, why: &str) {
        self.line(at, &format!("{account} {:8} {}", self.name(account), paint(BOLD, why)));
    }

    pub(crate) fn happened(&mut self, at: OffsetDateTime, what: &What) {
        match what {
            What::Became { endpoint_id, state, .. } => {
                let since = *self.asked.entry(endpoint_id.clone()).or_insert(at);
                if *state == "available" {
                    let available = paint(GOOD, "available");
                    let how = if self.ready.insert(endpoint_id.clone()) {
                        format!("{available}, {} s after it was asked for", (at - since).whole_seconds())
                    } else {
                        format!("{available} again, built anew")
                    };
                    self.line(at, &format!("  {endpoint_id} is {how}"));
                }
            }
            What::Delivered { protocol: Protocol::Email, topic, subject, message, attributes, .. } => {
                let to = if topic.ends_with(":operators") { "the operators" } else { "the consumer" };
                let subject = subject.as_deref().unwrap_or_default();
                self.line(at, &format!("  mail to {to}: {}", paint(BOLD, subject)));
                let ready = attributes.get("type").is_some_and(|kind| kind.value == AVAILABLE);
                if ready && self.mail.is_none() {
                    self.mail = Some((subject.to_owned(), message.clone()));
                }
            }
            // Every step of the way is one of these, and the decisions tell of it better.
            What::Delivered { .. } | What::Notified(_) | What::Recorded(_) | What::Called { .. } => {}
        }
    }

    /// What the function said: its log has the decisions, its answer what came near to one.
    pub(crate) fn decided(&mut self, at: OffsetDateTime, log: &[Value], answer: &Value) {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        for line in log.iter().filter(|line| text(line, "message") == "decision") {
            let endpoint = text(line, "endpointId");
            let policies = words(line.get("policy"));
            let (style, decision, why) = match text(line, "decision").as_str() {
                "accept" => (GOOD, "accepted", format!("by {policies}")),
                "reject" => (BAD, "rejected", format!("by {policies}")),
                _ => (WAITS, "held", held(answer, &endpoint)),
            };
            self.line(at, &format!("  {endpoint} is {} {why}", paint(style, decision)));
            self.decided.push((endpoint, Decided { decision: decision.to_owned(), why }));
        }
    }

    /// A look without an event. Only the first is shown: they are all alike.
    pub(crate) fn schedule(&mut self, at: OffsetDateTime, answer: &Value) {
        if std::mem::replace(&mut self.scheduled, true) {
            return;
        }
        let done = answer.get("outcomes").and_then(Value::as_array).map_or(0, Vec::len);
        let left = answer.get("skipped").and_then(Value::as_array).map_or(0, Vec::len);
        self.line(at, &format!("the schedule looks at everything: {done} things to do, {left} left as they are"));
    }

    /// Lets a person look, and shows that time passes.
    pub(crate) async fn progress(&self, now: OffsetDateTime, look: Duration) {
        if !self.watched {
            return;
        }
        let mut out = anstream::stdout().lock();
        let _ = write!(out, "\r{}\r", paint(DIM, &self.clock(now)));
        let _ = out.flush();
        drop(out);
        tokio::time::sleep(look).await;
    }

    pub(crate) fn end(&self, world: &World) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        let bold = |text| if self.coloured { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) };
        table.set_header(["consumer", "account", "decision", "state now", "why"].map(bold));
        for (endpoint, Decided { decision, why }) in &self.decided {
            let Some(endpoint) = world.endpoints.get(endpoint) else { continue };
            let colour = match decision.as_str() {
                "accepted" => Color::Green,
                "rejected" => Color::Red,
                _ => Color::Yellow,
            };
            let decision = if self.coloured { Cell::new(decision).fg(colour) } else { Cell::new(decision) };
            let name = self.name(&endpoint.owner);
            table.add_row([
                Cell::new(name),
                Cell::new(&endpoint.owner),
                decision,
                Cell::new(endpoint.state()),
                Cell::new(why),
            ]);
        }
        anstream::println!();
        anstream::println!("{table}");
        anstream::println!();
        if let Some((subject, text)) = &self.mail {
            anstream::println!("{} {subject}", paint(BOLD, "What the first of them reads:"));
            anstream::println!();
            for line in text.lines() {
                anstream::println!("  {} {line}", paint(DIM, "│"));
            }
            anstream::println!();
        }
        anstream::println!("{}", paint(BOLD, "What to try next"));
        for (command, what) in [
            ("cargo run -p privatelink -- check infra/policy", "see whether a policy folder can be deployed"),
            ("$EDITOR infra/policy/connections.cedar", "change who is welcome"),
            ("cargo run -p privatelink -- tour --policy infra/policy", "and watch the same consumers again"),
            ("cargo run -p privatelink -- --help", "everything else"),
        ] {
            anstream::println!("  {command:<56} {}", paint(DIM, what));
        }
    }

    fn line(&self, at: OffsetDateTime, text: &str) {
        let clock = paint(Style::new().dimmed(), &self.clock(at));
        anstream::println!("{clock}  {text}");
    }

    /// The Region's time since the tour began.
    fn clock(&self, at: OffsetDateTime) -> String {
        let seconds = (at - self.start).whole_seconds().max(0);
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }

    fn name(&self, account: &str) -> String {
        let consumer = AccountId::parse(account).ok().and_then(|account| self.consumers.of(&account));
        consumer.map_or_else(|| "?".to_owned(), |consumer| consumer.name.clone())
    }
}

/// Why an endpoint is held, in the words of the answer.
fn held(answer: &Value, endpoint: &str) -> String {
    let mut skips = answer.get("skipped").and_then(Value::as_array).into_iter().flatten();
    let of_endpoint = |skip: &&Value| skip.get("endpointId").and_then(Value::as_str) == Some(endpoint);
    let Some(skip) = skips.find(of_endpoint) else { return String::new() };
    let nearest = skip.get("nearest").and_then(|nearest| nearest.get(0));
    match (nearest, skip.get("reason").and_then(Value::as_str)) {
        (Some(near), _) => {
            let policy = near.get("policy").and_then(Value::as_str).unwrap_or_default();
            let failed = near.get("failed").and_then(Value::as_array).and_then(|failed| failed.first());
            format!("for a person: {policy} needs {}", failed.and_then(Value::as_str).unwrap_or_default())
        }
        (None, reason) => format!("for a person: {} {}", reason.unwrap_or_default(), words(skip.get("policy"))),
    }
}

fn words(list: Option<&Value>) -> String {
    let words = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(" ")
}
