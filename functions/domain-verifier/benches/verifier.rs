//! What the verifier costs: `cargo bench --workspace --bench verifier`. It prints figures, and fails where a limit is
//! broken.
//!
//! The function is its binary, in a process of its own, with the Region on the other side of loopback. The Region's clock
//! is the wall's and it throttles as AWS does, so that most of the time is spent waiting for Route 53's ten requests a
//! second.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a command, not a library")]

use std::time::{Duration, Instant};

use privatelink_region::world::DnsState;
use privatelink_tests::cost::{Cost, Size, many};
use privatelink_tests::domains::{Domains, OPERATORS};
use privatelink_tests::lambda::Lambda;
use privatelink_tests::stage::{outcomes, skipped, tallied};

/// Route 53's limit allows no more new names in a minute.
const SIZE: Size = Size { services: 1_000, new: 100, zones: 50, between: 110 };
/// The most resident memory that the function may have, in MiB.
const MOST_MEMORY: f64 = 64.0;
/// What a look may take beyond the time in which Route 53 takes its calls.
const MOST_BESIDES: Duration = Duration::from_secs(30);

/// One look at everything. `looks` is how often the zones are gone through for it.
async fn look(what: &str, lambda: &Lambda, domains: &mut Domains, looks: usize) -> (serde_json::Value, Cost) {
    Cost::of(domains);
    let begun = Instant::now();
    let answer = lambda.invoke_within(b"{}", Duration::from_secs(900)).await.unwrap();
    let took = begun.elapsed();
    let cost = Cost::of(domains);
    println!("{what}: {:.1} s", took.as_secs_f64());
    for (action, count) in cost.calls() {
        println!("  {count:>5} {action}");
    }
    println!("  {:>5} calls of Route 53 in the busiest second", cost.busiest_second());
    cost.of_route_53(SIZE.zones, looks).unwrap();
    let calls = cost.calls().values().sum::<usize>();
    assert!(took < Duration::from_millis(100) * calls.try_into().unwrap() + MOST_BESIDES, "it took {took:?}");
    (answer, cost)
}

async fn over_the_wire() {
    let Size { services, new, zones, between } = SIZE;
    println!("{services} services, {new} of them new, in {zones} of {} zones:", zones * (between + 1));
    let (mut domains, made) = many(SIZE).await;
    let servers = domains.servers.name_servers().map(|server| server.to_string()).join(",");
    let more = [("PRIVATELINK_OPERATOR_TOPIC_ARN", OPERATORS), ("PRIVATELINK_DNS_SERVER", servers.as_str())];
    let lambda = Lambda::on(env!("CARGO_BIN_EXE_domain-verifier"), &domains.stage, &more).await;

    let (answer, cost) = look("first look, with its writes", &lambda, &mut domains, 2).await;
    assert!(outcomes(&answer).contains(&("write-record done".to_owned(), new)), "{:?}", outcomes(&answer));
    assert_eq!(cost.count("ChangeResourceRecordSets"), new);

    for service in &made {
        domains.become_state(service, DnsState::Verified);
    }
    // The news is told and remembered.
    lambda.invoke_within(b"{}", Duration::from_secs(900)).await.unwrap();
    let (answer, cost) = look("a look when all is well", &lambda, &mut domains, 1).await;
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", services)])));
    assert!(cost.calls().keys().all(|action| action.starts_with("List") || action.starts_with("Describe")));

    let memory = lambda.peak();
    println!("peak resident memory of the function: {memory:.1} MiB");
    assert!(memory < MOST_MEMORY, "{memory} MiB");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(over_the_wire());
}
