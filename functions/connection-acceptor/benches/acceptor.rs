//! What the acceptor costs: `cargo bench --workspace --bench acceptor`. It prints figures and judges none.
//!
//! The function is its release binary, in a process of its own, with the Region on the other side of loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a command, not a library")]

use std::path::Path;
use std::time::{Duration, Instant};

use privatelink_core::ids::{AccountId, EndpointId, ServiceId};
use privatelink_core::observed::Service;
use privatelink_core::policy::{Counts, Facts, Policy, Sources};
use privatelink_region::server;
use privatelink_tests::lambda::Lambda;
use privatelink_tests::{PROVIDER, Stage};
use tokio::net::TcpListener;

const CONSUMERS: usize = 200;
const SERVICES: usize = 10;
const PENDING: usize = 10_000;
const ROUNDS: usize = 5;

/// Twenty policies of the kinds that people write; each consumer is in the group of one of them.
fn policies() -> String {
    let policy = |n: usize| {
        format!(
            "@id(\"group-{n}\") permit(principal in PrivateLink::Group::\"g{n}\", \
             action == PrivateLink::Action::\"Accept\", resource) when {{ principal has consumer \
             && principal.consumer has maxConnections && context.consumerConnections < principal.consumer.maxConnections \
             && resource.region == \"us-west-2\" }} unless {{ context.crossRegion }};\n"
        )
    };
    (0..20).map(policy).collect()
}

fn account(n: usize) -> String {
    format!("{:012}", 100_000_000_000_u64 + n as u64)
}

fn consumers() -> String {
    let consumer = |n: usize| {
        format!(
            "[[consumer]]\nname = \"c{n}\"\naccounts = [\"{}\"]\ngroups = [\"g{}\"]\nmaxConnections = 100000\n",
            account(n),
            n % 20
        )
    };
    (0..CONSUMERS).map(consumer).collect()
}

/// The median of some runs.
fn median(mut runs: Vec<Duration>) -> Duration {
    runs.sort();
    runs[runs.len() / 2]
}

fn judging() {
    let sources: Sources = [("policy.cedar", policies()), ("consumers.toml", consumers())].into_iter().collect();
    let loads = (0..20).map(|_| {
        let begun = Instant::now();
        let policy = Policy::load(&sources).unwrap();
        (begun.elapsed(), policy.len())
    });
    let load = median(loads.map(|(took, _)| took).collect());
    println!("policy load, 20 policies, {CONSUMERS} consumers: {:.1} ms", load.as_secs_f64() * 1e3);

    let policy = Policy::load(&sources).unwrap();
    let service = Service {
        id: ServiceId::parse("vpce-svc-0123456789abcdef0").unwrap(),
        name: "com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0".to_owned(),
        region: "us-west-2".to_owned(),
        private_dns: None,
        ip_address_types: ["ipv4".to_owned()].into(),
        acceptance_required: true,
        tags: Default::default(),
    };
    let judge = policy.at(&service).unwrap();
    for (what, account) in
        [("accepted", account(7)), ("held, with the policies that came nearest", "999999999999".to_owned())]
    {
        let facts = Facts {
            account: AccountId::parse(&account).unwrap(),
            endpoint_id: EndpointId::parse("vpce-0123456789abcdef0").unwrap(),
            endpoint_region: "us-west-2".to_owned(),
            cross_region: false,
            ip_address_type: "ipv4".to_owned(),
            age_seconds: 60,
            counts: Counts::default(),
        };
        let times = (0..2_000).map(|_| {
            let begun = Instant::now();
            let verdict = judge.judge(&facts);
            (begun.elapsed(), verdict.policies.len())
        });
        let took = median(times.map(|(took, _)| took).collect());
        println!("one connection, {what}: {:.0} us", took.as_secs_f64() * 1e6);
    }
}

async fn over_the_wire() {
    let mut runs = Vec::new();
    for _ in 0..ROUNDS {
        let mut stage = Stage::new();
        stage.write("policy.cedar", &policies());
        stage.write("consumers.toml", &consumers());
        for _ in 0..SERVICES {
            let service = stage.service();
            for n in 0..PENDING / SERVICES {
                stage.connect(&service, &account(n % CONSUMERS));
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let variables = [
            ("AWS_REGION", "us-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", PROVIDER.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
            ("AWS_ENDPOINT_URL_EC2", format!("http://{}", listener.local_addr().unwrap())),
            ("PRIVATELINK_POLICY_DIR", stage.policy.path().display().to_string()),
        ];
        tokio::spawn(server::serve(stage.region.clone(), listener));
        let lambda = Lambda::start(Path::new(env!("CARGO_BIN_EXE_connection-acceptor")), &variables).await;
        // The first event pays for the connection and the pages of the binary; it looks at nothing.
        lambda.invoke(b"{\"serviceIds\":[\"vpce-svc-0\"]}").await.unwrap();
        stage.calls();
        let begun = Instant::now();
        let answer = lambda.invoke_within(b"{}", Duration::from_secs(900)).await.unwrap();
        let took = begun.elapsed();
        let calls = stage.calls();
        let count = |action: &str| calls.iter().filter(|(called, _)| called == action).count();
        assert_eq!(stage.count("pending"), PENDING, "{}", answer["skipped"][0]);
        runs.push((took, lambda.peak(), count("AcceptVpcEndpointConnections"), count("CreateTags"), calls.len()));
    }
    let took = median(runs.iter().map(|run| run.0).collect());
    let memory = runs.iter().map(|run| run.1).fold(0.0, f64::max);
    let (_, _, accepts, tags, all) = runs[0];
    println!("{PENDING} pending connections on {SERVICES} services, over loopback, without throttling:");
    println!("  judged, accepted and tagged in {:.2} s (median of {ROUNDS})", took.as_secs_f64());
    println!(
        "  {accepts} Accept calls ({:.1} for each 1,000 accepted), {tags} CreateTags, {all} calls in all",
        accepts as f64 * 1000.0 / PENDING as f64
    );
    println!("  peak resident memory of the function: {memory:.1} MiB (highest of {ROUNDS})");
}

fn main() {
    judging();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(over_the_wire());
}
