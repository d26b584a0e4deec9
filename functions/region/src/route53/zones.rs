//! Hosted zones: made, looked at, and listed by name.

use super::body::Node;
use super::name::Name;
use super::state::{Zone, ZoneDraft};
use super::{Document, change_info, enum_fault, invalid_input, most_items, own_zone};
use crate::error::ApiError;
use crate::query::Params;
use crate::world::World;
use crate::xml::{Element, element, text};

pub(super) fn create(world: &mut World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let body = Node::parse(&params.take("Body").unwrap_or_default(), "CreateHostedZoneRequest")?;
    body.only(&["Name", "VPC", "CallerReference", "HostedZoneConfig", "DelegationSetId"])?;
    let name = Name::parse(body.require("Name")?.text()?);
    let name = name.map_err(|fault| ApiError::new(400, "InvalidDomainName", &format!("FATAL problem: {fault}")))?;
    let caller_reference = body.require("CallerReference")?.text()?.to_owned();
    if caller_reference.is_empty() || caller_reference.chars().count() > 128 {
        return Err(invalid_input("Invalid parameter: CallerReference must have between 1 and 128 characters"));
    }
    if let Some(set) = body.text_of("DelegationSetId")? {
        // Reusable delegation sets are not simulated, so there is none.
        return Err(ApiError::new(400, "NoSuchDelegationSet", &format!("No delegation set found with ID: {set}")));
    }
    let mut vpcs = Vec::new();
    if let Some(vpc) = body.child("VPC") {
        vpc.only(&["VPCRegion", "VPCId"])?;
        let (region, id) = (vpc.require("VPCRegion")?.text()?, vpc.require("VPCId")?.text()?);
        if region.is_empty() {
            return Err(enum_fault(region, "vPC.vPCRegion"));
        }
        vpcs.push((region.to_owned(), id.to_owned()));
    }
    let mut comment = None;
    if let Some(config) = body.child("HostedZoneConfig") {
        config.only(&["Comment", "PrivateZone"])?;
        comment = config.text_of("Comment")?.map(ToOwned::to_owned);
        if config.boolean("PrivateZone")?.is_some_and(|private| private == vpcs.is_empty()) {
            return Err(invalid_input("A private hosted zone, and only a private one, is created with a VPC"));
        }
    }
    refuse_double(world, account, &name, &caller_reference, &vpcs)?;
    let now = world.now();
    let draft = ZoneDraft { name, caller_reference, comment, vpcs };
    let (zone, change) = world.route53.create_zone(account, draft, now);
    let mut fields = vec![zone_element(zone), change_info(change, now)];
    fields.extend(servers_or_vpcs(zone, |mut vpcs| vpcs.pop()));
    Ok(Document {
        status: 201,
        headers: vec![("location", format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{}", zone.id))],
        fields,
    })
}

fn refuse_double(
    world: &World,
    account: &str,
    name: &Name,
    caller_reference: &str,
    vpcs: &[(String, String)],
) -> Result<(), ApiError> {
    let zones = || world.route53.zones.values();
    if zones().any(|zone| zone.owner == account && zone.caller_reference == caller_reference) {
        let message = "A hosted zone has already been created with the specified caller reference.";
        return Err(ApiError::new(409, "HostedZoneAlreadyExists", message));
    }
    for vpc in vpcs {
        if let Some(zone) = zones().find(|zone| zone.name == *name && zone.vpcs.contains(vpc)) {
            let (region, id) = vpc;
            let message = format!(
                "The VPC {id} in region {region} has already been associated with the hosted zone {} with the same \
                 domain name.",
                zone.id
            );
            return Err(ApiError::new(400, "ConflictingDomainExists", &message));
        }
    }
    Ok(())
}

pub(super) fn get(world: &World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let zone = own_zone(world, account, &params.take("Id").unwrap_or_default())?;
    let mut fields = vec![zone_element(zone)];
    fields.extend(servers_or_vpcs(zone, |vpcs| Some(element("VPCs", vpcs))));
    Ok(Document::of(fields))
}

pub(super) fn list_by_name(world: &World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let (dns_name, from_id) = (params.take("dnsname"), params.take("hostedzoneid"));
    let most = most_items(world, params, 100)?;
    let from = match (&dns_name, &from_id) {
        (None, Some(_)) => {
            return Err(invalid_input("The hostedzoneid parameter can be used only together with dnsname"));
        }
        (None, None) => None,
        (Some(name), id) => {
            let name = Name::parse(name);
            let name =
                name.map_err(|fault| ApiError::new(400, "InvalidDomainName", &format!("FATAL problem: {fault}")))?;
            Some((name, id.as_deref().unwrap_or_default()))
        }
    };
    let mut zones: Vec<&Zone> = world.route53.zones.values().filter(|zone| zone.owner == account).collect();
    zones.sort_by_key(|zone| (&zone.name, &zone.id));
    if let Some((name, id)) = &from {
        zones.retain(|zone| (&zone.name, zone.id.as_str()) >= (name, id));
    }
    let next = zones.get(most);
    let mut fields = vec![element("HostedZones", zones.iter().take(most).map(|zone| zone_element(zone)).collect())];
    fields.extend(dns_name.map(|name| text("DNSName", name)));
    fields.extend(from_id.map(|id| text("HostedZoneId", id)));
    fields.push(text("IsTruncated", next.is_some()));
    if let Some(next) = next {
        fields.extend([text("NextDNSName", &next.name), text("NextHostedZoneId", &next.id)]);
    }
    fields.push(text("MaxItems", most));
    Ok(Document::of(fields))
}

fn zone_element(zone: &Zone) -> Element {
    let mut config: Vec<_> = zone.comment.iter().map(|comment| text("Comment", comment)).collect();
    config.push(text("PrivateZone", zone.private()));
    element(
        "HostedZone",
        vec![
            text("Id", format!("/hostedzone/{}", zone.id)),
            text("Name", &zone.name),
            text("CallerReference", &zone.caller_reference),
            element("Config", config),
            text("ResourceRecordSetCount", zone.records.len()),
        ],
    )
}

/// The delegation set of a public zone, or the VPCs of a private one, as the operation puts them.
fn servers_or_vpcs(zone: &Zone, put: impl FnOnce(Vec<Element>) -> Option<Element>) -> Option<Element> {
    if zone.private() {
        let vpcs = zone.vpcs.iter();
        return put(vpcs
            .map(|(region, id)| element("VPC", vec![text("VPCRegion", region), text("VPCId", id)]))
            .collect());
    }
    let servers = zone.name_servers.iter().map(|server| text("NameServer", server)).collect();
    Some(element("DelegationSet", vec![element("NameServers", servers)]))
}
