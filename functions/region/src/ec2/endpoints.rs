//! Endpoints, as their owner makes, sees, changes and deletes them.

use std::collections::BTreeSet;

use super::fitting::{check_ip_address_type, check_private_dns, check_subnets, check_support, check_vpc_dns, fits};
use super::tokens::Token;
use super::{ApiError, Fields, Filter, check_tags, dry_run, page, tag_set, tag_specification, unsuccessful};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Endpoint, EndpointDraft, Interface, Wish, World};
use crate::xml::{Element, element, list, text, values};

/// The policy that an interface endpoint has where nobody gave it one, and here nobody can: it permits everything.
const POLICY: &str =
    r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

pub(super) fn create(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let token = Token::take(account, "CreateVpcEndpoint", params);
    let kind = params.take("VpcEndpointType");
    let mut draft = EndpointDraft {
        service_name: params.require("ServiceName")?,
        vpc: params.require("VpcId")?,
        region: Some(caller.region.clone()),
        ip_address_type: params.take("IpAddressType").unwrap_or_else(|| "ipv4".to_owned()),
        dns_record_ip_type: dns_record_ip_type(params)?,
        private_dns_enabled: params.boolean("PrivateDnsEnabled")?.unwrap_or(false),
        subnets: params.list("SubnetId"),
        security_groups: params.list("SecurityGroupId"),
        tags: tag_specification(params, "vpc-endpoint")?,
    };
    let service_region = params.take("ServiceRegion");
    let dry_run = dry_run(params);
    params.finish()?;
    if let Some(endpoint) = token.made(world)?.and_then(|id| world.endpoints.get(&id).cloned()) {
        dry_run?;
        return Ok(made(world, token, &endpoint));
    }
    check_ip_address_type(&draft.ip_address_type, draft.dns_record_ip_type.as_deref())?;
    if !matches!(kind.as_deref(), Some("Interface" | "GatewayLoadBalancer")) {
        return Err(ApiError::invalid("The VPC endpoint type must be Interface or GatewayLoadBalancer."));
    }
    let names_region = service_region.is_some();
    if service_region.is_some_and(|region| region != world.settings.name) {
        return Err(ApiError::invalid("The service is not of this Region."));
    }
    let service = world.offered(account, &draft.service_name)?;
    // A service of another Region is there for whoever names that Region, and calls one that the service supports.
    if caller.region != world.settings.name && (!names_region || !service.supported_regions.contains(&caller.region)) {
        return Err(ApiError::no_offer(&draft.service_name));
    }
    if kind.as_deref() != Some(service.kind()) {
        let message = format!("The VPC endpoint type must match the type of the service: {}.", service.kind());
        return Err(ApiError::new(400, "InvalidParameter", &message));
    }
    check_support(service, &draft.service_name, &draft.ip_address_type)?;
    let place = (account.to_owned(), caller.region.clone());
    let wish = Wish { vpc: &draft.vpc, subnets: &draft.subnets, groups: &draft.security_groups };
    let network = world.network_with(&place, wish)?;
    check_subnets(&network, draft.subnets.iter(), &draft.ip_address_type)?;
    if draft.private_dns_enabled {
        check_private_dns(service, &draft.service_name)?;
        check_vpc_dns(world, &network, &draft.vpc, service, None, (account, &caller.region))?;
        if service.acceptance_required {
            let message = "Private DNS can only be enabled after the endpoint connection is accepted by the owner of";
            return Err(ApiError::new(400, "InvalidParameter", &format!("{message} {}.", draft.service_name)));
        }
    }
    if draft.security_groups.is_empty() && !service.gateway {
        draft.security_groups.extend(network.default_group(&draft.vpc).map(|group| group.id.clone()));
    }
    dry_run?;
    let endpoint = world.create_endpoint(account, draft)?.clone();
    Ok(made(world, token, &endpoint))
}

fn made(world: &mut World, token: Token, endpoint: &Endpoint) -> Vec<Element> {
    let mut answer = vec![element("vpcEndpoint", fields(world, endpoint))];
    answer.extend(token.keep(world, &endpoint.id));
    answer
}

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let ids = params.list("VpcEndpointId");
    let known = [
        "ip-address-type",
        "service-name",
        "service-region",
        "tag-key",
        "tag:",
        "vpc-id",
        "vpc-endpoint-id",
        "vpc-endpoint-state",
        "vpc-endpoint-type",
    ];
    let filters = Filter::take(params, &known)?;
    for id in &ids {
        owned(world, caller, id)?;
    }
    let mut found: Vec<&Endpoint> = world.endpoints.values().collect();
    found.retain(|endpoint| owned(world, caller, &endpoint.id).is_ok());
    found.retain(|endpoint| ids.is_empty() || ids.contains(&endpoint.id));
    found.retain(|endpoint| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "ip-address-type" => filter.matches(&endpoint.ip_address_type),
            "service-name" => filter.matches(&world.name_of(&endpoint.service)),
            "service-region" => filter.matches(&world.settings.name),
            "vpc-id" => filter.matches(&endpoint.vpc),
            "vpc-endpoint-id" => filter.matches(&endpoint.id),
            "vpc-endpoint-state" => filter.matches(endpoint.state()),
            "vpc-endpoint-type" => filter.matches(endpoint.kind),
            _ => check_tags(filter, &endpoint.tags),
        })
    });
    let (found, next) = page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("vpcEndpointSet", found.iter().map(|endpoint| fields(world, endpoint)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// Changes an endpoint, which is then built anew: it is `pending` for a while.
pub(super) fn modify(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let id = params.require("VpcEndpointId")?;
    let ip_address_type = params.take("IpAddressType");
    let dns_record_ip_type = dns_record_ip_type(params)?;
    let private_dns_enabled = params.boolean("PrivateDnsEnabled")?;
    let (add_subnets, remove_subnets) = (params.list("AddSubnetId"), params.list("RemoveSubnetId"));
    let (add_groups, remove_groups) = (params.list("AddSecurityGroupId"), params.list("RemoveSecurityGroupId"));
    let dry_run = dry_run(params);
    params.finish()?;
    let mut endpoint = owned(world, caller, &id)?.clone();
    if !matches!(endpoint.state(), "available" | "pending") {
        let message = format!("The VPC endpoint {id} is in state {} and can not be modified.", endpoint.state());
        return Err(ApiError::new(400, "IncorrectState", &message));
    }
    let service = world.services.get(&endpoint.service).ok_or_else(|| ApiError::no_service(&endpoint.service))?;
    let name = world.service_name(service);
    if let Some(kind) = ip_address_type {
        check_ip_address_type(&kind, dns_record_ip_type.as_deref())?;
        check_support(service, &name, &kind)?;
        // Names that no longer fit take after the addresses.
        if !fits(&kind, &endpoint.dns_record_ip_type) {
            endpoint.dns_record_ip_type.clone_from(&kind);
        }
        endpoint.ip_address_type = kind;
    }
    if let Some(kind) = dns_record_ip_type {
        check_ip_address_type(&endpoint.ip_address_type, Some(&kind))?;
        endpoint.dns_record_ip_type = kind;
    }
    let place = (caller.account.clone(), caller.region.clone());
    let network =
        world.network_with(&place, Wish { vpc: &endpoint.vpc, subnets: &add_subnets, groups: &add_groups })?;
    if private_dns_enabled == Some(true) {
        check_private_dns(service, &name)?;
        let place = (caller.account.as_str(), caller.region.as_str());
        check_vpc_dns(world, &network, &endpoint.vpc, service, Some(&endpoint), place)?;
    }
    endpoint.private_dns_enabled = private_dns_enabled.unwrap_or(endpoint.private_dns_enabled);
    for subnet in &remove_subnets {
        let none = || ApiError::new(400, "InvalidParameter", &format!("The endpoint is not in the subnet '{subnet}'."));
        endpoint.subnets.remove(subnet).ok_or_else(none)?;
    }
    let subnets: Vec<String> = endpoint.subnets.keys().chain(&add_subnets).cloned().collect();
    world.network_with(&place, Wish { vpc: &endpoint.vpc, subnets: &subnets, groups: &[] })?;
    check_subnets(&network, subnets.iter(), &endpoint.ip_address_type)?;
    endpoint.security_groups.retain(|group| !remove_groups.contains(group));
    for group in add_groups {
        if !endpoint.security_groups.contains(&group) {
            endpoint.security_groups.push(group);
        }
    }
    dry_run?;
    for subnet in add_subnets {
        endpoint.subnets.entry(subnet).or_insert_with(|| Interface::new(world.id("eni-")));
    }
    let was_available = endpoint.state() == "available";
    world.networks.insert(place, network);
    world.endpoints.insert(id.clone(), endpoint);
    world.give_addresses(&id);
    if was_available {
        world.become_state(&id, "pending", world.now());
    }
    Ok(vec![text("return", true)])
}

/// Deletes endpoints. One that is not there is an `unsuccessful` item.
pub(super) fn delete(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let ids = params.list("VpcEndpointId");
    let dry_run = dry_run(params);
    params.finish()?;
    if ids.is_empty() {
        return Err(ApiError::missing("VpcEndpointId"));
    }
    dry_run?;
    unsuccessful(world, &ids, |world, id| {
        let found = owned(world, caller, id).map(|_| ());
        // As an item the code is not the one that a whole call fails with.
        found.and_then(|()| world.delete_endpoint(account, id)).map_err(|error| {
            let code = "InvalidVpcEndpoint.NotFound";
            ApiError::new(error.status, code, &error.message)
        })
    })
}

/// An endpoint of the Region that the caller calls, if it is the account's.
fn owned<'w>(world: &'w World, caller: &Caller, id: &str) -> Result<&'w Endpoint, ApiError> {
    let digits = id.strip_prefix("vpce-").unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::malformed_endpoint(id));
    }
    let endpoint = world.endpoints.get(id);
    let endpoint = endpoint.filter(|endpoint| endpoint.owner == caller.account && endpoint.region == caller.region);
    endpoint.ok_or_else(|| ApiError::no_endpoint(id))
}

fn dns_record_ip_type(params: &mut Params) -> Result<Option<String>, ApiError> {
    let mut options = params.structure("DnsOptions");
    let kind = options.take("DnsRecordIpType");
    options.finish()?;
    Ok(kind)
}

fn fields(world: &World, endpoint: &Endpoint) -> Vec<Element> {
    let network = world.network(&endpoint.owner, &endpoint.region);
    let mut names = Vec::new();
    if endpoint.kind == "Interface" {
        let subnets = endpoint.subnets.keys().filter_map(|id| network?.subnets.get(id));
        let zones: BTreeSet<&str> = subnets.map(|subnet| subnet.zone.as_str()).collect();
        let zonal = zones.into_iter().map(|zone| endpoint.zonal_dns_name(zone));
        let of = |name| vec![text("dnsName", name), text("hostedZoneId", "Z1YSA3EXCYUU9Z")];
        names.extend(std::iter::once(endpoint.dns_name()).chain(zonal).map(of));
    }
    let private = world.services.get(&endpoint.service).and_then(|service| service.private_dns_name.as_ref());
    if let Some(private) = private.filter(|_| endpoint.private_dns_enabled) {
        names.push(vec![text("dnsName", &private.name), text("hostedZoneId", "Z04203801HJX3KOGOKWWD")]);
    }
    let groups = endpoint.security_groups.iter().map(|group| {
        let name = network.and_then(|network| network.groups.get(group)).map_or(group, |group| &group.name);
        vec![text("groupId", group), text("groupName", name)]
    });
    let policy = (endpoint.kind == "Interface").then(|| text("policyDocument", POLICY));
    let mut fields = vec![
        text("vpcEndpointId", &endpoint.id),
        text("vpcEndpointType", endpoint.kind),
        text("vpcId", &endpoint.vpc),
        text("serviceName", world.name_of(&endpoint.service)),
        text("serviceRegion", &world.settings.name),
        text("state", endpoint.state()),
        values("routeTableIdSet", [""; 0]),
        values("subnetIdSet", endpoint.subnets.keys()),
        list("groupSet", groups),
        text("ipAddressType", &endpoint.ip_address_type),
        element("dnsOptions", vec![text("dnsRecordIpType", &endpoint.dns_record_ip_type)]),
        text("privateDnsEnabled", endpoint.private_dns_enabled),
        text("requesterManaged", false),
        values("networkInterfaceIdSet", endpoint.subnets.values().map(|interface| &interface.id)),
        list("dnsEntrySet", names),
        text("creationTimestamp", super::instant(endpoint.created)),
        tag_set(&endpoint.tags),
        text("ownerId", &endpoint.owner),
    ];
    fields.extend(policy);
    fields
}
