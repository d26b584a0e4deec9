//! Request throttling: a token bucket for each account and operation.
//!
//! Sizes and refill rates: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html> (2026).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::service::Service;
use crate::state::form;

/// The buckets of all accounts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Buckets(#[serde(with = "form::pairs")] BTreeMap<(String, String), Bucket>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    #[serde(with = "form::tokens")]
    tokens: f64,
    #[serde(with = "form::moment")]
    filled: OffsetDateTime,
}

impl Buckets {
    /// Takes a token for one call, if there is one.
    pub fn take(&mut self, service: Service, account: &str, action: &str, now: OffsetDateTime) -> bool {
        let (name, (size, per_second)) = match service {
            // The Describe calls share one bucket, and so do the operations that AWS does not list.
            Service::Ec2 if action.starts_with("Describe") => ("Describe", size(action)),
            Service::Ec2 => (action, size(action)),
            // An account's calls of Route 53 share one. Each operation's own is of the same size, and so never empty first.
            Service::Route53 => ("Route 53", (50.0, 10.0)),
            // SNS takes 300 messages a second in small Regions, STS 600 calls; nobody here comes near either.
            Service::Sns => (action, (300.0, 300.0)),
            Service::Sts => (action, (600.0, 600.0)),
        };
        let bucket = self.0.entry((account.to_owned(), name.to_owned()));
        let bucket = bucket.or_insert(Bucket { tokens: size, filled: now });
        let passed = (now - bucket.filled).as_seconds_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * per_second).min(size);
        bucket.filled = now;
        let taken = bucket.tokens >= 1.0;
        if taken {
            bucket.tokens -= 1.0;
        }
        taken
    }
}

/// A bucket's size in requests, and its refill in requests a second.
fn size(action: &str) -> (f64, f64) {
    match action {
        "AcceptVpcEndpointConnections"
        | "RejectVpcEndpointConnections"
        | "CreateVpcEndpointServiceConfiguration"
        | "ModifyVpcEndpointServiceConfiguration"
        | "DeleteVpcEndpointServiceConfigurations" => (10.0, 1.0),
        "CreateVpcEndpoint" | "ModifyVpcEndpoint" | "DeleteVpcEndpoints" => (4.0, 0.3),
        "CreateTags" => (100.0, 10.0),
        action if action.starts_with("Describe") => (100.0, 20.0),
        _ => (50.0, 5.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut buckets = Buckets::default();
        let now = time::macros::datetime!(2026-01-31 12:00 UTC);
        let mut take = |seconds| {
            buckets.take(Service::Ec2, "111122223333", "AcceptVpcEndpointConnections", now + Duration::seconds(seconds))
        };
        assert_eq!((0..12).filter(|_| take(0)).count(), 10);
        assert_eq!((0..5).filter(|_| take(3)).count(), 3);
        assert!(!take(3));
        assert_eq!((0..20).filter(|_| take(1000)).count(), 10);
    }

    #[test]
    fn accounts_and_operations_have_buckets_of_their_own() {
        let mut buckets = Buckets::default();
        let now = time::macros::datetime!(2026-01-31 12:00 UTC);
        while buckets.take(Service::Ec2, "1", "CreateVpcEndpoint", now) {}
        assert!(buckets.take(Service::Ec2, "2", "CreateVpcEndpoint", now));
        assert!(buckets.take(Service::Ec2, "1", "CreateTags", now));
    }

    #[test]
    fn all_of_route_53_has_one_bucket() {
        let mut buckets = Buckets::default();
        let now = time::macros::datetime!(2026-01-31 12:00 UTC);
        let mut take = |action, seconds| buckets.take(Service::Route53, "1", action, now + Duration::seconds(seconds));
        assert_eq!((0..60).filter(|_| take("GetChange", 0)).count(), 50);
        assert!(!take("ListResourceRecordSets", 0));
        assert_eq!((0..60).filter(|_| take("ListResourceRecordSets", 1)).count(), 10);
    }

    #[test]
    fn a_consumer_has_few_changes_and_a_provider_some_more() {
        let mut buckets = Buckets::default();
        let now = time::macros::datetime!(2026-01-31 12:00 UTC);
        let mut burst = |action| (0..200).filter(|_| buckets.take(Service::Ec2, "1", action, now)).count();
        assert_eq!([burst("ModifyVpcEndpoint"), burst("DeleteVpcEndpoints")], [4, 4]);
        let service = ["ModifyVpcEndpointServiceConfiguration", "DeleteVpcEndpointServiceConfigurations"];
        assert_eq!(service.map(&mut burst), [10, 10]);
        let others = ["StartVpcEndpointServicePrivateDnsVerification", "ModifyVpcEndpointServicePermissions"];
        assert_eq!(others.map(&mut burst), [50, 50]);
    }
}
