//! What the verifier costs where there are many names, held against AWS's limits. The same in large is the benchmark
//! `verifier`.
#![allow(clippy::unwrap_used, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_region::world::DnsState;
use privatelink_tests::cost::{Cost, Size, many};
use privatelink_tests::stage::{outcomes, skipped, tallied};
use serde_json::json;

const SIZE: Size = Size { services: 100, new: 30, zones: 5, between: 110 };

#[tokio::test]
async fn a_look_costs_pages_and_zones_and_route_53_is_never_asked_too_often() {
    let (mut domains, services) = many(SIZE).await;
    let verifier = domains.verifier();
    Cost::of(&mut domains);

    let answer = domains.answer(&verifier, json!({}), Duration::from_secs(120)).await.value().unwrap();
    let done = outcomes(&answer);
    assert!(done.contains(&("write-record done".to_owned(), SIZE.new)), "{done:?}");
    let cost = Cost::of(&mut domains);
    // The look that writes, and the one at what was written.
    assert_eq!(cost.of_route_53(SIZE.zones, 2), Ok(()), "{:?}", cost.calls());
    assert_eq!(cost.count("ChangeResourceRecordSets"), SIZE.new);
    assert!(cost.count("GetChange") <= SIZE.new, "{:?}", cost.calls());

    for service in &services {
        domains.become_state(service, DnsState::Verified);
    }
    domains.answer(&verifier, json!({}), Duration::from_secs(120)).await.value().unwrap();
    Cost::of(&mut domains);
    let answer = domains.answer(&verifier, json!({}), Duration::from_secs(120)).await.value().unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("already-right", SIZE.services)])));
    let healthy = Cost::of(&mut domains);
    assert_eq!(healthy.of_route_53(SIZE.zones, 1), Ok(()), "{:?}", healthy.calls());
    assert_eq!(healthy.count("DescribeVpcEndpointServiceConfigurations"), 1);
    assert_eq!(healthy.count("ListResourceRecordSets"), SIZE.zones, "one page has all that a zone holds");
    let names: Vec<_> = healthy.calls().into_keys().collect();
    let reads = ["DescribeVpcEndpointServiceConfigurations", "ListHostedZonesByName", "ListResourceRecordSets"];
    assert_eq!(names, reads);
}
