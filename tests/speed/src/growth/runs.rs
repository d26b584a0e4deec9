//! One function, and so many connections.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use privatelink_region::buckets::Buckets;
use privatelink_region::clock::Clock;
use privatelink_region::happening::{Happening, What};
use privatelink_region::service::Service;
use privatelink_region::world::{EndpointDraft, ServiceDraft};
use privatelink_region::{Region, Settings, server};
use privatelink_runtime::Function;
use time::OffsetDateTime;
use tokio::net::TcpListener;

const PROVIDER: &str = "999988887777";
const TOPIC: &str = "arn:aws:sns:us-west-2:999988887777:notices";
const LOAD_BALANCER: &str = "arn:aws:elasticloadbalancing:us-west-2:999988887777:loadbalancer/net/api/50dc6c495c0c9188";
const START: OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);
/// The longest that Lambda lets an invocation last.
const LONGEST: Duration = Duration::from_secs(900);
/// More invocations than anything needs here.
const MANY: usize = 20;
const CONSUMERS: usize = 200;
const SERVICES: usize = 10;

/// What the connections are in need of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// All of them wait to be accepted.
    Accept,
    /// All of them are available, and nobody has been told.
    Tell,
}

impl Job {
    /// Both.
    pub(crate) const BOTH: [Self; 2] = [Self::Accept, Self::Tell];

    /// The function's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accept => "connection-acceptor",
            Self::Tell => "availability-notifier",
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) job: Job,
    pub(crate) connections: usize,
    /// Calls that were answered, and those that were refused because a bucket was empty.
    pub(crate) calls: usize,
    pub(crate) refused: usize,
    /// Seconds, and those of them that the buckets alone would take.
    pub(crate) took: f64,
    pub(crate) floor: f64,
    /// MiB.
    pub(crate) peak: f64,
    /// How many times the function had to look.
    pub(crate) invocations: usize,
}

fn account(n: usize) -> String {
    format!("{:012}", 100_000_000_000_u64 + n as u64)
}

fn consumers() -> String {
    let consumer = |n| format!("[[consumer]]\nname = \"c{n}\"\naccounts = [\"{}\"]\ngroups = [\"all\"]\n", account(n));
    (0..CONSUMERS).map(consumer).collect()
}

const POLICY: &str = "@id(\"everybody\") permit(principal in PrivateLink::Group::\"all\", \
                      action == PrivateLink::Action::\"Accept\", resource) unless { context.crossRegion };";

fn fill(region: &Region, job: Job, connections: usize) {
    let services = SERVICES.min(connections);
    let ids: Vec<String> = (0..services)
        .map(|_| {
            let draft = ServiceDraft {
                acceptance_required: true,
                load_balancers: vec![LOAD_BALANCER.to_owned()],
                ip_address_types: vec!["ipv4".to_owned()],
                ..ServiceDraft::default()
            };
            region.world().create_service(PROVIDER, draft).id.clone()
        })
        .collect();
    let mut world = region.world();
    for n in 0..connections {
        let draft = EndpointDraft {
            service_name: world.service_name(&world.services[&ids[n % services]]),
            // Each account has one network, whose copy the Region makes for each endpoint, and no subnet, in which the
            // Region would look for a free address among those of all others. The provider sees neither.
            vpc: format!("vpc-{:017x}", n % CONSUMERS),
            ip_address_type: "ipv4".to_owned(),
            ..EndpointDraft::default()
        };
        let endpoint = world.create_endpoint(&account(n % CONSUMERS), draft).unwrap().id.clone();
        if job == Job::Tell {
            let now = world.now();
            world.endpoints.get_mut(&endpoint).unwrap().history.push((now, "available"));
        }
    }
}

fn left(region: &Region, job: Job) -> usize {
    let world = region.world();
    let waits = world.endpoints.values().filter(|endpoint| match job {
        Job::Accept => endpoint.state() == "pendingAcceptance",
        Job::Tell => endpoint.connection_tags.get("privatelink:notified").is_none_or(|told| told != "available"),
    });
    waits.count()
}

/// How long the Region's buckets take to give out so many tokens of each kind.
fn floor(calls: &BTreeMap<String, usize>) -> f64 {
    // The Describe calls share a bucket, and so must be asked for in one row.
    let mut rows: BTreeMap<&str, (Service, &str, usize)> = BTreeMap::new();
    for (action, times) in calls {
        let service = if action.starts_with("Publish") { Service::Sns } else { Service::Ec2 };
        let bucket = if action.starts_with("Describe") { "Describe" } else { action };
        rows.entry(bucket).or_insert((service, action, 0)).2 += times;
    }
    let step = Duration::from_millis(1);
    let rows = rows.into_values().map(|(service, action, times)| {
        let (mut buckets, mut passed) = (Buckets::default(), Duration::ZERO);
        for _ in 0..times {
            while !buckets.take(service, PROVIDER, action, START + passed) {
                passed += step;
            }
        }
        passed.as_secs_f64()
    });
    rows.fold(0.0, f64::max)
}

/// Lets a function do all there is to do.
pub(crate) async fn run(programs: &Path, job: Job, connections: usize) -> Run {
    let region = Region::new(Settings::default(), Clock::running(START, 1.0));
    region.make_topic(PROVIDER, "notices", "sqs", "arn:aws:sqs:us-west-2:999988887777:notices").unwrap();
    fill(&region, job, connections);
    let policy = tempfile::TempDir::new().unwrap();
    std::fs::write(policy.path().join("policy.cedar"), POLICY).unwrap();
    std::fs::write(policy.path().join("consumers.toml"), consumers()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let variables = [
        ("AWS_REGION", "us-west-2".to_owned()),
        ("AWS_ACCESS_KEY_ID", PROVIDER.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr().unwrap())),
        ("PRIVATELINK_POLICY_DIR", policy.path().display().to_string()),
        ("PRIVATELINK_NOTICE_TOPIC_ARN", TOPIC.to_owned()),
    ];
    tokio::spawn(server::serve(region.clone(), listener));
    let function = Function::start(Command::new(programs.join(job.name())), &variables).await;
    function.ready().await;

    let mut happenings = region.listen();
    let (mut calls, mut refused, mut invocations) = (BTreeMap::new(), 0, 0);
    let begun = Instant::now();
    while left(&region, job) > 0 {
        invocations += 1;
        assert!(
            invocations <= MANY,
            "{} is not through after {MANY} invocations: {:?}",
            job.name(),
            function.log().last()
        );
        // Whoever has no time left says what is to be tried again, and Lambda sends the event once more.
        match function.invoke_within(b"{}", LONGEST).await {
            Ok(_) => {}
            Err((kind, _)) if kind == "Retry" => {}
            Err(ended) => panic!("{} ended with {ended:?}", job.name()),
        }
    }
    let took = begun.elapsed().as_secs_f64();
    while let Ok(Happening { what, .. }) = happenings.try_recv() {
        match what {
            What::Called { action, error: None, .. } => *calls.entry(action).or_default() += 1,
            What::Called { error: Some(error), .. }
                if ["RequestLimitExceeded", "Throttled"].contains(&error.as_str()) =>
            {
                refused += 1;
            }
            What::Called { action, error, .. } => panic!("{action} was refused: {error:?}"),
            What::Notified(_) | What::Became { .. } | What::Delivered { .. } | What::Recorded(_) => {}
        }
    }
    Run {
        job,
        connections,
        calls: calls.values().sum(),
        refused,
        took,
        floor: floor(&calls),
        peak: function.peak(),
        invocations,
    }
}
