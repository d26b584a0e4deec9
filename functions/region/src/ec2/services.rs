//! Endpoint services, as their owner sees them.

use super::{ApiError, Fields, Filter, dry_run, page, tag_set, tag_specification};
use crate::query::Params;
use crate::world::{PrivateDnsName, Service, ServiceDraft, World};
use crate::xml::{Element, element, list, text, values};

pub(super) fn create(world: &mut World, account: &str, params: &mut Params) -> Fields {
    let mut load_balancers = params.list("NetworkLoadBalancerArn");
    load_balancers.extend(params.list("GatewayLoadBalancerArn"));
    let mut ip_address_types = params.list("SupportedIpAddressType");
    let draft = ServiceDraft {
        acceptance_required: params.boolean("AcceptanceRequired")?.unwrap_or(true),
        private_dns_name: params.take("PrivateDnsName"),
        tags: tag_specification(params, "vpc-endpoint-service")?,
        load_balancers,
        ip_address_types: {
            if ip_address_types.is_empty() {
                ip_address_types.push("ipv4".to_owned());
            }
            ip_address_types
        },
    };
    params.take("ClientToken");
    let dry_run = dry_run(params);
    params.finish()?;
    if draft.load_balancers.is_empty() {
        return Err(ApiError::missing("NetworkLoadBalancerArn or GatewayLoadBalancerArn"));
    }
    if let Some(other) = draft.ip_address_types.iter().find(|kind| !matches!(kind.as_str(), "ipv4" | "ipv6")) {
        return Err(ApiError::invalid(format!("'{other}' is not a valid IP address type.")));
    }
    dry_run?;
    let service = world.create_service(account, draft).clone();
    Ok(vec![element("serviceConfiguration", configuration(world, &service))])
}

pub(super) fn describe(world: &mut World, account: &str, params: &mut Params) -> Fields {
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

fn matches(world: &World, service: &Service, filter: &Filter) -> bool {
    match filter.name.as_str() {
        "service-name" => filter.matches(&world.service_name(service)),
        "service-id" => filter.matches(&service.id),
        "service-state" => filter.matches("Available"),
        "supported-ip-address-types" => service.ip_address_types.iter().any(|kind| filter.matches(kind)),
        "tag-key" => service.tags.keys().any(|key| filter.matches(key)),
        name => {
            let key = name.strip_prefix("tag:").unwrap_or_default();
            service.tags.get(key).is_some_and(|value| filter.matches(value))
        }
    }
}

fn configuration(world: &World, service: &Service) -> Vec<Element> {
    let name = world.service_name(service);
    let zone = format!("{}a", world.settings.name);
    let kind = if service.gateway { "GatewayLoadBalancer" } else { "Interface" };
    let arns = if service.gateway { "gatewayLoadBalancerArnSet" } else { "networkLoadBalancerArnSet" };
    let base = format!("{}.{}.vpce.amazonaws.com", service.id, world.settings.name);
    let mut fields = vec![
        list("serviceType", [vec![text("serviceType", kind)]]),
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
    if let Some(PrivateDnsName { name, record, value }) = &service.private_dns_name {
        fields.push(text("privateDnsName", name));
        fields.push(element(
            "privateDnsNameConfiguration",
            vec![text("state", "pendingVerification"), text("type", "TXT"), text("value", value), text("name", record)],
        ));
    }
    fields
}
