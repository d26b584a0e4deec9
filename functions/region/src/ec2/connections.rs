//! Connections, as the service's owner sees and decides them.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::{ApiError, Fields, Filter, dry_run, invalid_token, page_size, services, tag_set, unsuccessful};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Endpoint, World};
use crate::xml::{Element, list, text, values};

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let known = ["ip-address-type", "service-id", "vpc-endpoint-owner", "vpc-endpoint-region", "vpc-endpoint-state"];
    let filters = Filter::take(params, &known)?;
    let seen_at = world.now() - world.settings.read_lag;
    // Of which services is settled first, since there are fewer of them than of endpoints.
    let of: BTreeSet<&str> = world
        .services
        .values()
        .filter(|service| service.owner == account)
        .map(|service| service.id.as_str())
        .filter(|id| filters.iter().all(|filter| filter.name != "service-id" || filter.matches(id)))
        .collect();
    // There can be a hundred pages: the token says after which endpoint the next begins, and nobody counts from the first.
    let size = page_size(usize::MAX, world, params)?;
    let after = match params.take("NextToken") {
        None => Bound::Unbounded,
        Some(token) => match token.strip_prefix("after-") {
            Some(id) => Bound::Excluded(id.to_owned()),
            None => return Err(invalid_token(&token)),
        },
    };
    let matches = |endpoint: &&Endpoint| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "ip-address-type" => filter.matches(&endpoint.ip_address_type),
            "service-id" => true,
            "vpc-endpoint-owner" => filter.matches(&endpoint.owner),
            "vpc-endpoint-region" => {
                let elsewhere = endpoint.region != world.settings.name;
                filter.matches(&endpoint.region) || (elsewhere && filter.matches("cross-region"))
            }
            // A word in the wrong case, or none of EC2's, silently matches nothing.
            _ => filter.matches(endpoint.state_at(seen_at)),
        })
    };
    let endpoints = world.endpoints.range((after, Bound::Unbounded)).map(|(_, endpoint)| endpoint);
    let endpoints = endpoints.filter(|endpoint| of.contains(endpoint.service.as_str())).filter(matches);
    let mut found: Vec<&Endpoint> = endpoints.take(size.saturating_add(1)).collect();
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|endpoint| format!("after-{}", endpoint.id));
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let items = found.iter().map(|endpoint| connection(world, endpoint, endpoint.state_at(seen_at)));
    let mut answer = vec![list("vpcEndpointConnectionSet", items)];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

fn connection(world: &World, endpoint: &Endpoint, state: &str) -> Vec<Element> {
    let service = world.services.get(&endpoint.service);
    let arns = match service {
        Some(service) if service.gateway => "gatewayLoadBalancerArnSet",
        _ => "networkLoadBalancerArnSet",
    };
    vec![
        text("vpcEndpointConnectionId", &endpoint.connection_id),
        text("serviceId", &endpoint.service),
        text("vpcEndpointId", &endpoint.id),
        text("vpcEndpointOwner", &endpoint.owner),
        text("vpcEndpointState", state),
        text("creationTimestamp", super::instant(endpoint.created)),
        list("dnsEntrySet", [vec![text("dnsName", endpoint.dns_name()), text("hostedZoneId", "Z1YSA3EXCYUU9Z")]]),
        values(arns, service.map(|service| &service.load_balancers).into_iter().flatten()),
        text("ipAddressType", &endpoint.ip_address_type),
        text("vpcEndpointRegion", &endpoint.region),
        tag_set(&endpoint.connection_tags),
    ]
}

pub(super) fn accept(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    decide(world, &caller.account, params, World::accept)
}

pub(super) fn reject(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    decide(world, &caller.account, params, World::reject)
}

type Decide = fn(&mut World, &str, &str) -> Result<(), ApiError>;

/// Accept and Reject: HTTP 200, with an `unsuccessful` item for each id that could not be decided.
fn decide(world: &mut World, account: &str, params: &mut Params, decide: Decide) -> Fields {
    let service = params.require("ServiceId")?;
    let ids = params.list("VpcEndpointId");
    let dry_run = dry_run(params);
    params.finish()?;
    services::owned(world, account, &service)?;
    if ids.is_empty() {
        return Err(ApiError::missing("VpcEndpointId"));
    }
    if let Some(id) = ids.iter().find(|id| !id.starts_with("vpce-")) {
        return Err(ApiError::malformed_endpoint(id));
    }
    if world.settings.most_endpoint_ids.is_some_and(|most| ids.len() > most) {
        return Err(ApiError::invalid("The request contains too many VPC endpoint ids."));
    }
    if world.settings.unknown_id_spoils_call {
        let known = |id: &String| world.endpoints.get(id).is_some_and(|endpoint| endpoint.service == service);
        if let Some(id) = ids.iter().find(|id| !known(id)) {
            return Err(ApiError::no_endpoint(id));
        }
    }
    dry_run?;
    unsuccessful(world, &ids, |world, id| decide(world, &service, id))
}
