//! Reads: the tagged endpoints, and of what surrounds them whatever this function's role may see.
//!
//! Ids go into filters and not into lists of ids: one that is gone meanwhile finds nothing there, and spoils no call.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::IpAddr;

use aws_sdk_ec2::types::{Filter, VpcAttributeName};
use futures_util::{StreamExt, TryStreamExt, stream};
use privatelink_core::config::TagFilter;
use privatelink_core::endpoint::{Endpoint, Part, Seen, Subnet};
use privatelink_core::ids::FoundId;
use privatelink_core::probe::{InboundRule, VpcDns};
use privatelink_core::report::Failure;
use privatelink_core::trigger::Look;
use tokio::time::Instant;

use super::offers::offers;
use super::{Configurator, words};
use crate::deadline::{Deadline, until};
use crate::error::{CallError, Meaning};
use crate::observe::Pages;

/// The largest page that EC2 gives.
const PAGE: i32 = 1000;
/// The most values that EC2 takes in one filter.
const FILTER_VALUES: usize = 200;
/// How many calls of one kind are under way at the same time.
const AT_ONCE: usize = 4;

impl Configurator {
    /// Looks at all endpoints that bear the tag, whatever an event named: a private name leads to one endpoint of a VPC,
    /// so that each has to be seen beside the others. Nothing is read for an event that tells of nothing.
    pub(super) async fn look(&self, look: &Look<FoundId>, deadline: Deadline) -> Result<Seen, Failure> {
        let by = deadline.decisions;
        let mut seen = Seen::default();
        if *look == Look::Nowhere {
            return Ok(seen);
        }
        let all = self.endpoints(by).await.map_err(|error| failed("DescribeVpcEndpoints", &error))?;
        let TagFilter { key, value } = &self.config.endpoint_tag;
        for item in all.into_iter().map(words::endpoint) {
            match item {
                // In a filter `*` and `?` stand for anything; here they do not.
                Ok(endpoint) if endpoint.tags.get(key) == Some(value) => {
                    seen.endpoints.insert(endpoint.id.clone(), endpoint);
                }
                Ok(_) => {}
                Err(unreadable) => seen.unreadable.push(unreadable),
            }
        }
        let interfaces: Vec<&Endpoint> = seen.endpoints.values().filter(|endpoint| endpoint.is_interface()).collect();
        let (offers, subnets, vpcs, addresses, rules) = tokio::join!(
            offers(&self.ec2, &interfaces, &self.config.aws.region, by),
            self.subnets(all_of(&interfaces, |endpoint| &endpoint.subnets), by),
            self.vpcs(interfaces.iter().map(|endpoint| endpoint.vpc.clone()).collect(), by),
            self.interfaces(all_of(&interfaces, |endpoint| &endpoint.interfaces), by),
            self.rules(all_of(&interfaces, |endpoint| &endpoint.groups), by),
        );
        let denied = &mut seen.denied;
        seen.offers = allowed(Part::Offers, offers, denied)?;
        seen.subnets = allowed(Part::Subnets, subnets, denied)?;
        seen.vpcs = allowed(Part::VpcDns, vpcs, denied)?;
        seen.interfaces = allowed(Part::Interfaces, addresses, denied)?;
        seen.rules = allowed(Part::Rules, rules, denied)?;
        Ok(seen)
    }

    async fn endpoints(&self, by: Instant) -> Result<Vec<aws_sdk_ec2::types::VpcEndpoint>, CallError> {
        let TagFilter { key, value } = &self.config.endpoint_tag;
        let tagged = Filter::builder().name(format!("tag:{key}")).values(value).build();
        let call = |token: Option<String>| {
            let call =
                self.ec2.describe_vpc_endpoints().filters(tagged.clone()).max_results(PAGE).set_next_token(token);
            async move {
                let page = call.send().await.map_err(CallError::from)?;
                Ok((page.vpc_endpoints, page.next_token))
            }
        };
        listed(by, call).await
    }

    async fn subnets(&self, ids: BTreeSet<String>, by: Instant) -> Result<BTreeMap<String, Subnet>, CallError> {
        let found = filtered("subnet-id", ids, by, |filter, token| {
            let call = self.ec2.describe_subnets().filters(filter).max_results(PAGE).set_next_token(token);
            async move {
                let page = call.send().await.map_err(CallError::from)?;
                Ok((page.subnets, page.next_token))
            }
        });
        Ok(found.await?.iter().filter_map(words::subnet).collect())
    }

    async fn interfaces(
        &self,
        ids: BTreeSet<String>,
        by: Instant,
    ) -> Result<BTreeMap<String, BTreeSet<IpAddr>>, CallError> {
        let found = filtered("network-interface-id", ids, by, |filter, token| {
            let call = self.ec2.describe_network_interfaces().filters(filter).max_results(PAGE).set_next_token(token);
            async move {
                let page = call.send().await.map_err(CallError::from)?;
                Ok((page.network_interfaces, page.next_token))
            }
        });
        Ok(found.await?.iter().filter_map(words::interface).collect())
    }

    async fn rules(&self, groups: BTreeSet<String>, by: Instant) -> Result<Vec<InboundRule>, CallError> {
        let found = filtered("group-id", groups, by, |filter, token| {
            let call = self.ec2.describe_security_group_rules().filters(filter).max_results(PAGE).set_next_token(token);
            async move {
                let page = call.send().await.map_err(CallError::from)?;
                Ok((page.security_group_rules, page.next_token))
            }
        });
        Ok(found.await?.iter().filter_map(words::rule).collect())
    }

    /// The two DNS attributes of each VPC, of which AWS tells one at a time.
    async fn vpcs(&self, ids: BTreeSet<String>, by: Instant) -> Result<BTreeMap<String, VpcDns>, CallError> {
        let read = ids.into_iter().filter(|id| !id.is_empty()).map(|id| async move {
            let support = self.attribute(&id, VpcAttributeName::EnableDnsSupport, by).await?;
            let hostnames = self.attribute(&id, VpcAttributeName::EnableDnsHostnames, by).await?;
            Ok((id, VpcDns { support, hostnames }))
        });
        stream::iter(read).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn attribute(&self, vpc: &str, name: VpcAttributeName, by: Instant) -> Result<Option<bool>, CallError> {
        let call = || async {
            let call = self.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(name.clone());
            call.send().await.map_err(CallError::from)
        };
        match until(by, call).await {
            Ok(answer) => {
                // Of the two the answer has the one that was asked for.
                let value = answer.enable_dns_support.or(answer.enable_dns_hostnames);
                Ok(value.and_then(|value| value.value))
            }
            // It is gone meanwhile, and its endpoints with it.
            Err(error) if error.meaning == Meaning::Over => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What was read, or nothing where this function's role may not read it, which is noted.
fn allowed<T: Default>(
    part: Part,
    read: Result<T, CallError>,
    denied: &mut BTreeMap<Part, String>,
) -> Result<T, Failure> {
    match read {
        Ok(read) => Ok(read),
        Err(error) if error.meaning == Meaning::NotAllowed => {
            denied.insert(part, error.code);
            Ok(T::default())
        }
        Err(error) => Err(failed(part.call(), &error)),
    }
}

fn failed(call: &str, error: &CallError) -> Failure {
    Failure::ReadFailed(format!("{call} failed with {error}"))
}

fn all_of(endpoints: &[&Endpoint], part: impl Fn(&Endpoint) -> &BTreeSet<String>) -> BTreeSet<String> {
    endpoints.iter().flat_map(|endpoint| part(endpoint)).cloned().collect()
}

/// Every page of a listing.
pub(super) async fn listed<T, F>(by: Instant, call: impl Fn(Option<String>) -> F) -> Result<Vec<T>, CallError>
where
    F: Future<Output = Result<(Option<Vec<T>>, Option<String>), CallError>>,
{
    let mut all = Vec::new();
    let mut pages = Pages::default();
    loop {
        let (items, next) = until(by, || call(pages.token())).await?;
        all.extend(items.unwrap_or_default());
        if !pages.turn(next)? {
            return Ok(all);
        }
    }
}

/// Every page of what a filter with those values finds. With no value there is no call: it would list everything.
async fn filtered<T, F>(
    name: &str,
    values: BTreeSet<String>,
    by: Instant,
    call: impl Fn(Filter, Option<String>) -> F,
) -> Result<Vec<T>, CallError>
where
    F: Future<Output = Result<(Option<Vec<T>>, Option<String>), CallError>>,
{
    let values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
    let mut all = Vec::new();
    for values in values.chunks(FILTER_VALUES) {
        let filter = Filter::builder().name(name).set_values(Some(values.to_vec())).build();
        all.extend(listed(by, |token| call(filter.clone(), token)).await?);
    }
    Ok(all)
}
