//! Endpoint services, as their owner makes, sees, changes and deletes them.

use std::collections::BTreeSet;

use super::tokens::Token;
use super::{ApiError, Fields, Filter, check_tags, dry_run, page, tag_set, tag_specification, unsuccessful};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{PrivateDnsName, Service, ServiceDraft, World};
use crate::xml::{Element, element, list, text, values};

pub(super) fn create(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let token = Token::take(account, "CreateVpcEndpointServiceConfiguration", params);
    let mut load_balancers = params.list("NetworkLoadBalancerArn");
    load_balancers.extend(params.list("GatewayLoadBalancerArn"));
    let mut ip_address_types = params.list("SupportedIpAddressType");
    let draft = ServiceDraft {
        acceptance_required: params.boolean("AcceptanceRequired")?.unwrap_or(true),
        private_dns_name: params.take("PrivateDnsName"),
        supported_regions: params.list("SupportedRegion").into_iter().collect(),
        tags: tag_specification(params, "vpc-endpoint-service")?,
        load_balancers,
        ip_address_types: {
            if ip_address_types.is_empty() {
                ip_address_types.push("ipv4".to_owned());
            }
            ip_address_types
        },
    };
    let dry_run = dry_run(params);
    params.finish()?;
    if let Some(service) = token.made(world)?.and_then(|id| world.services.get(&id).cloned()) {
        dry_run?;
        return Ok(made(world, token, &service));
    }
    let gateways = draft.load_balancers.iter().filter(|arn| is_gateway(arn)).count();
    if draft.load_balancers.is_empty() || (gateways != 0 && gateways != draft.load_balancers.len()) {
        let message = "exactly one of network_load_balancer_arn or gateway_load_balancer_arn is a required member";
        return Err(ApiError::new(400, "InvalidParameter", message));
    }
    check_ip_address_types(&draft.ip_address_types)?;
    check_regions(&draft.supported_regions)?;
    if let Some(name) = &draft.private_dns_name {
        check_private_dns_name(name, gateways != 0)?;
    }
    dry_run?;
    let service = world.offer_service(account, draft).clone();
    Ok(made(world, token, &service))
}

fn made(world: &mut World, token: Token, service: &Service) -> Vec<Element> {
    let mut answer = vec![element("serviceConfiguration", configuration(world, service))];
    answer.extend(token.keep(world, &service.id));
    answer
}

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let ids = params.list("ServiceId");
    let filters = Filter::take(
        params,
        &["service-name", "service-id", "service-state", "supported-ip-address-types", "tag-key", "tag:"],
    )?;
    let mut found: Vec<&Service> = world.services.values().filter(|service| service.owner == account).collect();
    for id in &ids {
        if !found.iter().any(|service| service.id == *id) {
            return Err(ApiError::no_service(id));
        }
    }
    found.retain(|service| ids.is_empty() || ids.contains(&service.id));
    found.retain(|service| filters.iter().all(|filter| matches(world, service, filter)));
    let (found, next) = page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![list("serviceConfigurationSet", found.iter().map(|service| configuration(world, service)))];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

/// Changes a service. It answers with no more than `return`: a new name's record has to be read.
pub(super) fn modify(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let id = params.require("ServiceId")?;
    let private_dns_name = params.take("PrivateDnsName");
    let remove_name = params.boolean("RemovePrivateDnsName")?.unwrap_or(false);
    let acceptance_required = params.boolean("AcceptanceRequired")?;
    let mut add = params.list("AddNetworkLoadBalancerArn");
    add.extend(params.list("AddGatewayLoadBalancerArn"));
    let mut remove = params.list("RemoveNetworkLoadBalancerArn");
    remove.extend(params.list("RemoveGatewayLoadBalancerArn"));
    let add_types = params.list("AddSupportedIpAddressType");
    let remove_types = params.list("RemoveSupportedIpAddressType");
    let add_regions = params.list("AddSupportedRegion");
    let remove_regions = params.list("RemoveSupportedRegion");
    let dry_run = dry_run(params);
    params.finish()?;
    let service = owned(world, account, &id)?;
    let mut supported_regions = service.supported_regions.clone();
    supported_regions.extend(add_regions);
    supported_regions.retain(|region| !remove_regions.contains(region));
    check_regions(&supported_regions)?;
    let load_balancers = changed(&service.load_balancers, add, &remove);
    let ip_address_types = changed(&service.ip_address_types, add_types, &remove_types);
    if remove_name && private_dns_name.is_some() {
        let message = "PrivateDnsName and RemovePrivateDnsName can not be given together.";
        return Err(ApiError::new(400, "InvalidParameterCombination", message));
    }
    if let Some(name) = &private_dns_name {
        check_private_dns_name(name, service.gateway)?;
    }
    if load_balancers.is_empty() || load_balancers.iter().any(|arn| is_gateway(arn) != service.gateway) {
        return Err(ApiError::invalid("A service needs a load balancer, and its load balancers are of one kind."));
    }
    if let Some(unknown) = remove.iter().find(|arn| !service.load_balancers.contains(arn)) {
        return Err(ApiError::invalid(format!("The load balancer '{unknown}' is not one of the service's.")));
    }
    if !remove.is_empty() && is_in_use(world, &id) {
        return Err(in_use());
    }
    if ip_address_types.is_empty() {
        return Err(ApiError::invalid("A service supports at least one IP address type."));
    }
    check_ip_address_types(&ip_address_types)?;
    dry_run?;
    let unproven = private_dns_name.map(|name| world.unproven(name));
    if let Some(service) = world.services.get_mut(&id) {
        service.load_balancers = load_balancers;
        service.ip_address_types = ip_address_types;
        service.supported_regions = supported_regions;
        service.acceptance_required = acceptance_required.unwrap_or(service.acceptance_required);
        if remove_name || unproven.is_some() {
            service.private_dns_name = unproven;
        }
    }
    Ok(vec![text("return", true)])
}

/// Deletes services. One with connections is an `unsuccessful` item.
pub(super) fn delete(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let ids = params.list("ServiceId");
    let dry_run = dry_run(params);
    params.finish()?;
    if ids.is_empty() {
        return Err(ApiError::missing("ServiceId"));
    }
    dry_run?;
    unsuccessful(world, &ids, |world, id| {
        let Ok(_) = owned(world, account, id) else {
            let message = format!("The VpcEndpointService Id '{id}' does not exist");
            return Err(ApiError::new(400, "InvalidVpcEndpointService.NotFound", &message));
        };
        if is_in_use(world, id) {
            return Err(in_use());
        }
        world.services.remove(id);
        world.notifications.retain(|_, notification| notification.service != *id);
        world.forget_tokens();
        Ok(())
    })
}

/// Asks AWS to look at the private DNS name's record.
pub(super) fn start_verification(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let id = params.require("ServiceId")?;
    let dry_run = dry_run(params);
    params.finish()?;
    owned(world, account, &id)?;
    dry_run?;
    world.start_verification(&id)?;
    Ok(vec![text("return", true)])
}

/// A service, if it is the account's.
pub(super) fn owned<'w>(world: &'w World, account: &str, id: &str) -> Result<&'w Service, ApiError> {
    let service = world.services.get(id).filter(|service| service.owner == account);
    service.ok_or_else(|| ApiError::no_service(id))
}

fn is_in_use(world: &World, id: &str) -> bool {
    world.endpoints.values().any(|endpoint| endpoint.service == id && endpoint.is_live())
}

fn in_use() -> ApiError {
    let message = "Service has existing active VPC Endpoint connections!";
    ApiError::new(400, "ExistingVpcEndpointConnections", message)
}

fn is_gateway(load_balancer: &str) -> bool {
    load_balancer.contains(":loadbalancer/gwy/")
}

/// What is left of a list, and what is new in it.
fn changed(of: &[String], add: Vec<String>, remove: &[String]) -> Vec<String> {
    let mut all = of.to_vec();
    all.extend(add.into_iter().filter(|new| !of.contains(new)));
    all.retain(|one| !remove.contains(one));
    all
}

fn check_ip_address_types(types: &[String]) -> Result<(), ApiError> {
    match types.iter().find(|kind| !matches!(kind.as_str(), "ipv4" | "ipv6")) {
        Some(other) => Err(ApiError::invalid(format!("'{other}' is not a valid IP address type."))),
        None => Ok(()),
    }
}

/// Which Regions there are is not simulated; what can be none is refused all the same.
fn check_regions(regions: &BTreeSet<String>) -> Result<(), ApiError> {
    let is_region = |region: &str| {
        let mut parts = region.rsplit('-');
        let number = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let mut words = 0;
        number
            && parts.all(|part| {
                words += 1;
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase())
            })
            && words >= 2
    };
    match regions.iter().find(|region| !is_region(region)) {
        Some(other) => Err(ApiError::invalid(format!("'{other}' is not a valid Region."))),
        None => Ok(()),
    }
}

/// Lower case, and a wildcard at most in front. Gateway Load Balancers have no names.
fn check_private_dns_name(name: &str, gateway: bool) -> Result<(), ApiError> {
    if gateway {
        let message = "Private DNS names are not supported for Gateway Load Balancer endpoint services.";
        return Err(ApiError::new(400, "InvalidParameter", message));
    }
    let is_label = |label: &str| {
        let of_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(of_label)
    };
    let domain = name.strip_prefix("*.").unwrap_or(name);
    if name.len() > 253 || !domain.contains('.') || !domain.split('.').all(is_label) {
        return Err(ApiError::new(400, "InvalidParameter", &format!("The private DNS name '{name}' is invalid.")));
    }
    Ok(())
}

fn matches(world: &World, service: &Service, filter: &Filter) -> bool {
    match filter.name.as_str() {
        "service-name" => filter.matches(&world.service_name(service)),
        "service-id" => filter.matches(&service.id),
        "service-state" => filter.matches("Available"),
        "supported-ip-address-types" => service.ip_address_types.iter().any(|kind| filter.matches(kind)),
        _ => check_tags(filter, &service.tags),
    }
}

fn configuration(world: &World, service: &Service) -> Vec<Element> {
    let name = world.service_name(service);
    let zone = format!("{}a", world.settings.name);
    let arns = if service.gateway { "gatewayLoadBalancerArnSet" } else { "networkLoadBalancerArnSet" };
    let base = format!("{}.{}.vpce.amazonaws.com", service.id, world.settings.name);
    let mut fields = vec![
        list("serviceType", [vec![text("serviceType", service.kind())]]),
        text("serviceId", &service.id),
        text("serviceName", name),
        text("serviceState", "Available"),
        values("availabilityZoneSet", [zone]),
        text("acceptanceRequired", service.acceptance_required),
        text("managesVpcEndpoints", false),
        values(arns, &service.load_balancers),
        values("supportedIpAddressTypeSet", &service.ip_address_types),
        values("baseEndpointDnsNameSet", [base]),
        tag_set(&service.tags),
    ];
    // A service for its own Region alone tells of none: what AWS says there is in no source.
    if !service.supported_regions.is_empty() {
        let region = |region| vec![text("region", region), text("serviceState", "Available")];
        fields.push(list("supportedRegionSet", service.supported_regions.iter().map(region)));
    }
    if let Some(PrivateDnsName { name, record, value, state, .. }) = &service.private_dns_name {
        fields.push(text("privateDnsName", name));
        fields.push(element(
            "privateDnsNameConfiguration",
            vec![text("state", state.word()), text("type", "TXT"), text("value", value), text("name", record)],
        ));
    }
    fields
}
