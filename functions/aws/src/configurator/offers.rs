//! What services offer to this account: DescribeVpcEndpointServices, by their names.
//!
//! One name that AWS does not know, or does not show to this account, spoils the whole call. A call that is refused is
//! therefore halved until that name stands alone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use privatelink_core::endpoint::{Endpoint, Offer};
use tokio::time::Instant;

use super::read::listed;
use super::words;
use crate::error::{CallError, Meaning};

/// How many services one call names. AWS documents no maximum.
const NAMES: usize = 100;

/// The offers of the services of those endpoints, by the services' names.
pub(super) async fn offers(
    ec2: &Client,
    endpoints: &[&Endpoint],
    region: &str,
    by: Instant,
) -> Result<BTreeMap<String, Offer>, CallError> {
    let mut names: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.service.is_some()) {
        // A service is found in its own Region, which is named only where it is another one.
        let elsewhere = endpoint.service_region.as_deref().filter(|of_service| *of_service != region);
        names.entry(elsewhere).or_default().insert(&endpoint.service_name);
    }
    let mut calls: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for (region, names) in names {
        let names: Vec<&str> = names.into_iter().collect();
        calls.extend(names.chunks(NAMES).map(|names| (region, names.to_vec())));
    }
    let mut offers = BTreeMap::new();
    while let Some((region, mut names)) = calls.pop() {
        let call = |token: Option<String>| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let call = ec2.describe_vpc_endpoint_services().set_service_names(Some(names)).set_next_token(token);
            let call = call.set_service_regions(region.map(|region| vec![region.to_owned()]));
            async move {
                let page = call.send().await.map_err(CallError::from)?;
                Ok((page.service_details, page.next_token))
            }
        };
        match listed(by, call).await {
            Ok(details) => offers.extend(details.iter().filter_map(words::offer)),
            Err(error) => match error.meaning {
                Meaning::ComeAgain | Meaning::NotAllowed => return Err(error),
                Meaning::Refused | Meaning::NoSuchService | Meaning::Over if names.len() > 1 => {
                    let second = names.split_off(names.len().div_ceil(2));
                    calls.extend([(region, second), (region, names)]);
                }
                // AWS does not show it.
                Meaning::Refused | Meaning::NoSuchService | Meaning::Over => {}
            },
        }
    }
    Ok(offers)
}
