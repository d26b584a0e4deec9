//! Endpoint services as consumers find them, and the permissions by which they do.

use super::{ApiError, Fields, Filter, check_tags, dry_run, page, services, tag_set};
use crate::query::Params;
use crate::service::Caller;
use crate::world::{Principal, Service, World};
use crate::xml::{Element, list, text, values};

/// Lists the services that an account may connect to. AWS's own are not simulated.
pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let names = params.list("ServiceName");
    let regions = params.list("ServiceRegion");
    let known =
        ["owner", "service-name", "service-region", "service-type", "supported-ip-address-types", "tag-key", "tag:"];
    let filters = Filter::take(params, &known)?;
    let here = &world.settings.name;
    // From another Region one has to ask for this one, and finds what supports that other one.
    let asks_here = if regions.is_empty() { caller.region == *here } else { regions.contains(here) };
    let reaches = |service: &Service| caller.region == *here || service.supported_regions.contains(&caller.region);
    for name in &names {
        if !reaches(world.offered(account, name)?) {
            return Err(ApiError::no_offer(name));
        }
    }
    let mut found: Vec<&Service> = world.services.values().filter(|service| service.admits(account)).collect();
    found.retain(|service| names.is_empty() || names.contains(&world.service_name(service)));
    found.retain(|service| asks_here && reaches(service));
    found.retain(|service| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "owner" => filter.matches(&service.owner),
            "service-name" => filter.matches(&world.service_name(service)),
            "service-region" => filter.matches(here),
            "service-type" => filter.matches(service.kind()),
            "supported-ip-address-types" => service.ip_address_types.iter().any(|kind| filter.matches(kind)),
            _ => service.owner == account && check_tags(filter, &service.tags),
        })
    });
    let (found, next) = page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let mut answer = vec![
        values("serviceNameSet", found.iter().map(|service| world.service_name(service))),
        list("serviceDetailSet", found.iter().map(|service| detail(world, account, service))),
    ];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

fn detail(world: &World, account: &str, service: &Service) -> Vec<Element> {
    let here = &world.settings.name;
    let mut fields = vec![
        text("serviceName", world.service_name(service)),
        text("serviceId", &service.id),
        list("serviceType", [vec![text("serviceType", service.kind())]]),
        text("serviceRegion", here),
        values("availabilityZoneSet", [format!("{here}a")]),
        text("owner", &service.owner),
        values("baseEndpointDnsNameSet", [format!("{}.{here}.vpce.amazonaws.com", service.id)]),
        text("vpcEndpointPolicySupported", false),
        text("acceptanceRequired", service.acceptance_required),
        text("managesVpcEndpoints", false),
        values("supportedIpAddressTypeSet", &service.ip_address_types),
    ];
    if let Some(name) = &service.private_dns_name {
        fields.push(text("privateDnsName", &name.name));
        fields.push(list("privateDnsNameSet", [vec![text("privateDnsName", &name.name)]]));
        fields.push(text("privateDnsNameVerificationState", name.state.word()));
    }
    // The tags are the owner's, and only his to read.
    if service.owner == account {
        fields.push(tag_set(&service.tags));
    }
    fields
}

/// Permits principals, or does so no more.
pub(super) fn permit(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let id = params.require("ServiceId")?;
    let add = params.list("AddAllowedPrincipals");
    let remove = params.list("RemoveAllowedPrincipals");
    let dry_run = dry_run(params);
    params.finish()?;
    services::owned(world, account, &id)?;
    if add.is_empty() && remove.is_empty() {
        return Err(ApiError::missing("AddAllowedPrincipals or RemoveAllowedPrincipals"));
    }
    for principal in add.iter().chain(&remove) {
        Principal::parse(principal)?;
    }
    dry_run?;
    let added = world.permit(&id, &add, &remove);
    let added = added.iter().map(|(principal, permission)| allowed(&id, principal, permission));
    Ok(vec![list("addedPrincipalSet", added), text("return", true)])
}

pub(super) fn describe_permissions(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let id = params.require("ServiceId")?;
    let filters = Filter::take(params, &["principal", "principal-type"])?;
    let mut found: Vec<_> = services::owned(world, account, &id)?.principals.iter().collect();
    found.retain(|(principal, _)| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "principal" => filter.matches(principal),
            _ => filter.matches(kind(principal)),
        })
    });
    let (found, next) = page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let items = found.iter().map(|(principal, permission)| {
        let mut fields = allowed(&id, principal, permission);
        fields.push(list("tagSet", []));
        fields
    });
    let mut answer = vec![list("allowedPrincipals", items)];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

fn kind(principal: &str) -> &'static str {
    Principal::parse(principal).map_or("", Principal::kind)
}

fn allowed(service: &str, principal: &str, permission: &str) -> Vec<Element> {
    vec![
        text("principalType", kind(principal)),
        text("principal", principal),
        text("servicePermissionId", permission),
        text("serviceId", service),
    ]
}
