//! Endpoints as their owner makes them, and connections as the service's owner sees and decides them.

use time::format_description::well_known::Rfc3339;

use super::{ApiError, Fields, Filter, dry_run, page, tag_set, tag_specification};
use crate::query::Params;
use crate::world::{Endpoint, EndpointDraft, World};
use crate::xml::{Element, element, list, text, values};

pub(super) fn create(world: &mut World, account: &str, params: &mut Params) -> Fields {
    let kind = params.take("VpcEndpointType");
    let draft = EndpointDraft {
        service_name: params.require("ServiceName")?,
        vpc: params.require("VpcId")?,
        region: None,
        ip_address_type: params.take("IpAddressType").unwrap_or_else(|| "ipv4".to_owned()),
        tags: tag_specification(params, "vpc-endpoint")?,
    };
    let service_region = params.take("ServiceRegion");
    params.take("ClientToken");
    params.list("SubnetId");
    params.list("SecurityGroupId");
    let private_dns = params.boolean("PrivateDnsEnabled")?.unwrap_or(false);
    let dry_run = dry_run(params);
    params.finish()?;
    if !matches!(draft.ip_address_type.as_str(), "ipv4" | "dualstack" | "ipv6") {
        return Err(ApiError::invalid(format!("'{}' is not a valid IP address type.", draft.ip_address_type)));
    }
    if !matches!(kind.as_deref(), Some("Interface" | "GatewayLoadBalancer")) {
        return Err(ApiError::invalid("The VPC endpoint type must be Interface or GatewayLoadBalancer."));
    }
    if service_region.is_some_and(|region| region != world.settings.name) {
        return Err(ApiError::invalid("The service is not of this Region."));
    }
    if private_dns {
        let name = &draft.service_name;
        let message =
            format!("Private DNS can't be enabled because the service {name} has not verified the private DNS name.");
        return Err(ApiError::new(400, "InvalidParameter", &message));
    }
    dry_run?;
    let service_name = draft.service_name.clone();
    let endpoint = world.create_endpoint(account, draft)?.clone();
    Ok(vec![element(
        "vpcEndpoint",
        vec![
            text("vpcEndpointId", &endpoint.id),
            text("vpcEndpointType", kind.unwrap_or_default()),
            text("vpcId", &endpoint.vpc),
            text("serviceName", service_name),
            text("state", endpoint.state()),
            text("ipAddressType", &endpoint.ip_address_type),
            text("privateDnsEnabled", false),
            text("requesterManaged", false),
            text("creationTimestamp", endpoint.created.format(&Rfc3339).unwrap_or_default()),
            tag_set(&endpoint.tags),
            text("ownerId", &endpoint.owner),
        ],
    )])
}

pub(super) fn describe(world: &mut World, account: &str, params: &mut Params) -> Fields {
    let known = ["ip-address-type", "service-id", "vpc-endpoint-owner", "vpc-endpoint-region", "vpc-endpoint-state"];
    let filters = Filter::take(params, &known)?;
    let seen_at = world.now() - world.settings.read_lag;
    let mut found: Vec<&Endpoint> = world
        .endpoints
        .values()
        .filter(|endpoint| world.services.get(&endpoint.service).is_some_and(|service| service.owner == account))
        .collect();
    found.retain(|endpoint| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "ip-address-type" => filter.matches(&endpoint.ip_address_type),
            "service-id" => filter.matches(&endpoint.service),
            "vpc-endpoint-owner" => filter.matches(&endpoint.owner),
            "vpc-endpoint-region" => {
                let elsewhere = endpoint.region != world.settings.name;
                filter.matches(&endpoint.region) || (elsewhere && filter.matches("cross-region"))
            }
            // A word in the wrong case, or none of EC2's, silently matches nothing.
            _ => filter.matches(endpoint.state_at(seen_at)),
        })
    });
    let (found, next) = page(world, params, found)?;
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
    let dns = format!("{}-a1b2c3d4.{}.{}.vpce.amazonaws.com", endpoint.id, endpoint.service, endpoint.region);
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
        text("creationTimestamp", endpoint.created.format(&Rfc3339).unwrap_or_default()),
        list("dnsEntrySet", [vec![text("dnsName", dns), text("hostedZoneId", "Z1YSA3EXCYUU9Z")]]),
        values(arns, service.map(|service| &service.load_balancers).into_iter().flatten()),
        text("ipAddressType", &endpoint.ip_address_type),
        text("vpcEndpointRegion", &endpoint.region),
        tag_set(&endpoint.connection_tags),
    ]
}

type Decide = fn(&mut World, &str, &str) -> Result<(), ApiError>;

/// Accept and Reject: HTTP 200, with an `unsuccessful` item for each id that could not be decided.
pub(super) fn decide(world: &mut World, account: &str, params: &mut Params, decide: Decide) -> Fields {
    let service = params.require("ServiceId")?;
    let ids = params.list("VpcEndpointId");
    let dry_run = dry_run(params);
    params.finish()?;
    if world.services.get(&service).is_none_or(|found| found.owner != account) {
        return Err(ApiError::no_service(&service));
    }
    if ids.is_empty() {
        return Err(ApiError::missing("VpcEndpointId"));
    }
    if let Some(id) = ids.iter().find(|id| !id.starts_with("vpce-")) {
        let message = format!("Invalid Id: '{id}' (expecting 'vpce-...')");
        return Err(ApiError::new(400, "InvalidVpcEndpointId.Malformed", &message));
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
    let mut unsuccessful = Vec::new();
    for id in &ids {
        let result = match world.refuse_items.clone() {
            Some(code) => Err(ApiError::new(400, &code, "refused on request")),
            None => decide(world, &service, id),
        };
        if let Err(error) = result {
            let fields = vec![text("code", error.code), text("message", error.message)];
            unsuccessful.push(vec![element("error", fields), text("resourceId", id)]);
        }
    }
    Ok(vec![list("unsuccessful", unsuccessful)])
}
