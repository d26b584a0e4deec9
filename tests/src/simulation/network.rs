//! The way from the functions to the Region, on which every call takes its time and may go wrong; and the book of what
//! came of each, by which the product is judged afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use privatelink_aws::clock::sleep;
use privatelink_region::Region;
use privatelink_region::faults::{Fault, FaultKind, When};
use time::OffsetDateTime;

use super::timeline::Timeline;

/// Where a claim, a message or a mark takes longer than this on its way, two notifiers can both tell: the README says so.
const CLAIM: Duration = Duration::from_millis(500);
/// Nobody gives up an attempt sooner than after this.
const PATIENCE: Duration = Duration::from_millis(300);

/// A connection that a function accepted or rejected.
#[derive(Debug, Clone)]
pub struct Decided {
    /// When it took effect.
    pub at: OffsetDateTime,
    /// By which invocation.
    pub invocation: u64,
    /// When that began.
    pub since: OffsetDateTime,
    /// Whether it was accepted.
    pub accepted: bool,
    /// The endpoint.
    pub endpoint: String,
}

/// What came of the calls.
#[derive(Debug, Default)]
pub struct Book {
    /// When each invocation began.
    pub begun: BTreeMap<u64, OffsetDateTime>,
    /// What was decided, in order.
    pub decided: Vec<Decided>,
    /// Each message that reached a topic, by the place of its first delivery: which invocation sent it.
    pub sent: BTreeMap<usize, u64>,
    /// Invocations that died, or of which a call after the claim went wrong: those may tell something twice.
    pub excused: BTreeSet<u64>,
    /// How many messages each invocation sent of which it has not heard, or never did, and how many tags did not arrive
    /// because it gave up: those are told again.
    pub unheard: BTreeMap<u64, usize>,
    /// The calls that changed something, or may have, each with the one endpoint that it names, if it does.
    pub writes: Vec<(u64, String)>,
    /// How many calls were made.
    pub calls: u64,
}

/// What the weather is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// How many of a hundred calls go wrong.
    pub wrong: u8,
    /// How many of a hundred are slow.
    pub slow: u8,
}

/// What all ways share.
#[derive(Debug)]
pub struct Network {
    region: Region,
    state: Mutex<State>,
    /// What happened.
    pub timeline: Arc<Timeline>,
}

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    weather: Weather,
    /// The operations whose names begin so are down until then.
    down: Option<(&'static str, OffsetDateTime)>,
    book: Book,
}

/// How one call goes.
#[derive(Debug)]
struct Fate {
    there: Duration,
    back: Duration,
    wrong: Option<Wrong>,
}

#[derive(Debug, Clone)]
enum Wrong {
    Answered(FaultKind, When),
    Reset(When),
    Silence(When),
}

impl Network {
    /// A network in fine weather.
    pub fn new(region: &Region, seed: u64, timeline: &Arc<Timeline>) -> Arc<Self> {
        let random = fastrand::Rng::with_seed(seed);
        let state = State { random, weather: Weather::default(), down: None, book: Book::default() };
        Arc::new(Self { region: region.clone(), state: Mutex::new(state), timeline: Arc::clone(timeline) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes the weather.
    pub fn weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// Until then, every call of the operations fails whose names begin so; unless the weather is fine.
    pub fn outage(&self, of: &'static str, until: OffsetDateTime) {
        self.lock().down = Some((of, until));
    }

    /// Looks something up in the book, or writes into it.
    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.lock().book)
    }

    /// A process's way to the Region. The number says which invocation is at work in it.
    pub fn way(self: &Arc<Self>, invocation: &Arc<AtomicU64>) -> SharedHttpClient {
        SharedHttpClient::new(Way { network: Arc::clone(self), invocation: Arc::clone(invocation) })
    }

    fn fate(&self, action: &str) -> Fate {
        let now = self.region.now();
        let State { random, weather, down, .. } = &mut *self.lock();
        let is_down = weather.wrong > 0 && down.is_some_and(|(of, until)| action.starts_with(of) && now < until);
        let mut time = |slow: u8| {
            let slow = random.u8(..100) < slow;
            Duration::from_millis(if slow { random.u64(300..4_000) } else { random.u64(2..60) })
        };
        let (there, back) = (time(weather.slow), time(weather.slow));
        let wrong = (random.u8(..100) < weather.wrong).then(|| {
            let when = if random.u8(..3) == 0 { When::After } else { When::Before };
            match random.u8(..12) {
                0..=3 => Wrong::Answered(FaultKind::Throttled, When::Before),
                4 => Wrong::Answered(FaultKind::InternalError, when),
                5 => Wrong::Answered(FaultKind::BadGateway, when),
                6 => Wrong::Answered(FaultKind::Garbage, when),
                7 | 8 => Wrong::Reset(when),
                9 => Wrong::Answered(FaultKind::Items("InternalError".to_owned()), When::Before),
                10 => Wrong::Answered(FaultKind::HalfOfItems("InternalError".to_owned()), When::Before),
                _ => Wrong::Silence(when),
            }
        });
        let down = Wrong::Answered(FaultKind::InternalError, When::Before);
        Fate { there, back, wrong: if is_down { Some(down) } else { wrong } }
    }
}

#[derive(Clone)]
struct Way {
    network: Arc<Network>,
    invocation: Arc<AtomicU64>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

impl HttpClient for Way {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { network, invocation } = self.clone();
        let invocation = invocation.load(Ordering::Relaxed);
        let action = action(&request);
        HttpConnectorFuture::new(async move {
            let Fate { there, back, wrong } = network.fate(&action);
            let count = |more: isize| {
                network.book(|book| {
                    let unheard = book.unheard.entry(invocation).or_default();
                    *unheard = unheard.saturating_add_signed(more);
                });
            };
            if there > CLAIM && (action == "CreateTags" || action.starts_with("Publish")) {
                network.book(|book| book.excused.insert(invocation));
            }
            if action == "CreateTags" {
                count(1);
            }
            sleep(there).await;
            let reset = || Err(ConnectorError::io("connection reset by peer".into()));
            if let Some(wrong) = &wrong {
                network.timeline.say(format!("  call {invocation}: {action} goes wrong: {wrong:?}"));
                if action == "CreateTags" {
                    network.book(|book| book.excused.insert(invocation));
                }
            }
            match wrong {
                Some(Wrong::Reset(When::Before)) => return reset(),
                Some(Wrong::Silence(When::Before)) => std::future::pending().await,
                Some(Wrong::Answered(..) | Wrong::Reset(_) | Wrong::Silence(_)) | None => {}
            }
            // Whoever gives up waiting does not know what came of it.
            let unheard = back > PATIENCE || matches!(wrong, Some(Wrong::Reset(_) | Wrong::Silence(_)));
            let answer = network.carry(&action, invocation, request, wrong.as_ref(), unheard).await;
            if action == "CreateTags" {
                count(-1);
            }
            match wrong {
                Some(Wrong::Silence(_)) => std::future::pending().await,
                Some(Wrong::Reset(_)) => return reset(),
                Some(Wrong::Answered(..)) | None => {}
            }
            if action.starts_with("Publish") {
                count(1);
            }
            sleep(back).await;
            if action.starts_with("Publish") {
                count(-1);
            }
            answer
        })
    }
}

type Answered = Result<aws_smithy_runtime_api::client::orchestrator::HttpResponse, ConnectorError>;

impl Network {
    /// Brings one call to the Region, and writes down what came of it.
    async fn carry(
        &self,
        action: &str,
        invocation: u64,
        request: HttpRequest,
        wrong: Option<&Wrong>,
        unheard: bool,
    ) -> Answered {
        let region = &self.region;
        if let Some(Wrong::Answered(kind, when)) = wrong {
            region.break_next(Fault { action: action.to_owned(), times: 1, kind: kind.clone(), when: *when });
        }
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let before = self.states();
        let delivered = region.world().sns.deliveries.len();
        // It is answered at once, or never.
        let answer = region.call(request).await;
        region.mend();
        let good = answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == 200);
        let now = region.now();
        let after = self.states();
        let mut state = self.lock();
        let book = &mut state.book;
        book.calls += 1;
        let since = book.begun.get(&invocation).copied().unwrap_or(now);
        for (endpoint, state) in &after {
            let was = before.get(endpoint).copied().unwrap_or_default();
            let accepted = action == "AcceptVpcEndpointConnections";
            if was != *state && (accepted || action == "RejectVpcEndpointConnections") {
                self.timeline.say(format!("  call {invocation}: {endpoint} {was} -> {state}"));
                book.decided.push(Decided { at: now, invocation, since, accepted, endpoint: endpoint.clone() });
            }
        }
        let sent = region.world().sns.deliveries.len();
        for place in delivered..sent {
            book.sent.insert(place, invocation);
        }
        let unheard = unheard || matches!(wrong, Some(Wrong::Answered(_, When::After)));
        if action == "CreateTags" && !good || unheard && action.starts_with("Publish") {
            book.excused.insert(invocation);
        }
        let reads = ["Describe", "List", "Get", "AssumeRole"].iter().any(|read| action.starts_with(read));
        if !reads && !body.contains("DryRun=true") {
            self.timeline.say(format!("  call {invocation}: {action}{}", if good { "" } else { " (refused)" }));
            let endpoint = body.split('&').find_map(|pair| pair.strip_prefix("VpcEndpointId=")).unwrap_or_default();
            book.writes.push((invocation, format!("{action} {endpoint}").trim_end().to_owned()));
        }
        answer
    }

    fn states(&self) -> BTreeMap<String, &'static str> {
        let world = self.region.world();
        world.endpoints.iter().map(|(id, endpoint)| (id.clone(), endpoint.state())).collect()
    }
}

/// Which operation a request is.
pub(crate) fn action(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return action.to_owned();
    }
    let path = request.uri().split('?').next().unwrap_or_default().trim_end_matches('/');
    match request.method() {
        "POST" => "ChangeResourceRecordSets",
        _ if path.ends_with("/rrset") => "ListResourceRecordSets",
        _ if path.ends_with("/hostedzonesbyname") => "ListHostedZonesByName",
        _ if path.contains("/change/") => "GetChange",
        _ => "GetHostedZone",
    }
    .to_owned()
}
