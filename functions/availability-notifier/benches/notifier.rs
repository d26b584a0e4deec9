//! What the notifier costs: `cargo bench --workspace --bench notifier`. It prints figures and judges none.
//!
//! The function is its release binary, in a process of its own, with the Region on the other side of loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a command, not a library")]

use std::path::Path;
use std::time::{Duration, Instant};

use privatelink_region::server;
use privatelink_tests::lambda::Lambda;
use privatelink_tests::notices::{NOTICES, Notices, OPERATORS};
use privatelink_tests::stage::PROVIDER;
use tokio::net::TcpListener;

const CONNECTIONS: usize = 10_000;
const ROUNDS: usize = 3;

/// What one round took and needed.
struct Round {
    took: Duration,
    memory: f64,
    publishes: usize,
    tags: usize,
    calls: usize,
}

async fn round(services: usize) -> Round {
    let mut notices = Notices::new();
    for _ in 0..services {
        let service = notices.stage.service();
        for n in 0..CONNECTIONS / services {
            notices.connection(&service, &format!("{:012}", 100_000_000_000_u64 + n as u64), "available");
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let variables = [
        ("AWS_REGION", "us-west-2".to_owned()),
        ("AWS_ACCESS_KEY_ID", PROVIDER.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr().unwrap())),
        ("PRIVATELINK_POLICY_DIR", notices.stage.policy.path().display().to_string()),
        ("PRIVATELINK_NOTICE_TOPIC_ARN", NOTICES.to_owned()),
        ("PRIVATELINK_OPERATOR_TOPIC_ARN", OPERATORS.to_owned()),
    ];
    tokio::spawn(server::serve(notices.region().clone(), listener));
    let lambda = Lambda::start(Path::new(env!("CARGO_BIN_EXE_availability-notifier")), &variables).await;
    // The first event pays for the connection and the pages of the binary; it looks at nothing.
    lambda.invoke(b"{\"serviceIds\":[\"vpce-svc-0\"]}").await.unwrap();
    notices.stage.calls();
    let begun = Instant::now();
    let answer = lambda.invoke_within(b"{}", Duration::from_secs(900)).await.unwrap();
    let took = begun.elapsed();
    let calls = notices.stage.calls();
    let count = |action: &str| calls.iter().filter(|(called, _)| called == action).count();
    let mut ids: Vec<_> = notices.told().into_iter().map(|(_, _, id)| id).collect();
    ids.dedup();
    assert_eq!(ids.len(), CONNECTIONS, "{}", answer["skipped"][0]);
    let publishes = count("PublishBatch") + count("Publish");
    Round { took, memory: lambda.peak(), publishes, tags: count("CreateTags"), calls: calls.len() }
}

async fn over_the_wire(services: usize) {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(services).await);
    }
    rounds.sort_by_key(|round| round.took);
    let Round { took, publishes, tags, calls, .. } = rounds[ROUNDS / 2];
    let memory = rounds.iter().map(|round| round.memory).fold(0.0, f64::max);
    println!("{CONNECTIONS} connections of {services} services become available, over loopback, without throttling:");
    println!("  told and marked in {:.2} s (median of {ROUNDS})", took.as_secs_f64());
    println!("  {publishes} publishing calls, {tags} CreateTags, {calls} calls in all");
    println!("  peak resident memory of the function: {memory:.1} MiB (highest of {ROUNDS})");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for services in [1, 10] {
        runtime.block_on(over_the_wire(services));
    }
}
