//! The IP address type and the DNS record type of an endpoint.
//!
//! AWS lets an endpoint speak a family where its service does and every subnet of it has such addresses; one that
//! speaks IPv6 alone has to be in subnets that have nothing else.
//! <https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html>

use std::collections::BTreeMap;

use super::fix::{Fixer, family};
use super::{AddressType, Endpoint, EndpointSettings, Obstacle, Part, Seen, Subnet, Wish};
use crate::notice::shown::shown;

/// What is to be set: the addresses, and the records.
pub(super) type Addresses = (Option<AddressType>, Option<AddressType>);

pub(super) fn wish(endpoint: &Endpoint, seen: &Seen, settings: &EndpointSettings) -> Wish<Addresses> {
    let wanted = settings.ip_address_type;
    let records = endpoint.dns_record_ip_type.as_deref();
    if endpoint.ip_address_type == wanted.word() {
        // Records that AWS does not tell of are taken to be right: setting them again and again would make the endpoint
        // pending each time.
        return match records {
            Some(records) if !fits(records, wanted) => Wish::Set((None, Some(wanted))),
            Some(_) | None => Wish::Right,
        };
    }
    let fixer = Fixer::new(endpoint, settings);
    let mut obstacles = of_service(endpoint, seen, wanted, &fixer);
    obstacles.extend(of_subnets(endpoint, seen, wanted, &fixer));
    if !obstacles.is_empty() {
        return Wish::Not(obstacles);
    }
    let records = (!records.is_some_and(|records| fits(records, wanted))).then_some(wanted);
    Wish::Set((Some(wanted), records))
}

/// Whether records are those of such addresses. Where there is one family alone, the service can define nothing else.
fn fits(records: &str, wanted: AddressType) -> bool {
    records == wanted.word() || records == "service-defined" && wanted != AddressType::Dualstack
}

fn of_service(endpoint: &Endpoint, seen: &Seen, wanted: AddressType, fixer: &Fixer<'_>) -> Vec<Obstacle> {
    let Some(offer) = seen.offers.get(&endpoint.service_name) else { return vec![no_offer(endpoint, seen)] };
    if offer.ip_address_types.is_empty() {
        return vec![Obstacle::new("AWS does not say which families of addresses its service speaks", None)];
    }
    let missing = wanted.families().iter().filter(|family| !offer.ip_address_types.contains(**family));
    missing
        .map(|word| {
            let detail = format!("its service does not speak {}; its provider can change that", family(word));
            Obstacle::new(detail, fixer.support(word))
        })
        .collect()
}

/// The obstacle that nothing is known of a service.
pub(super) fn no_offer(endpoint: &Endpoint, seen: &Seen) -> Obstacle {
    match seen.denied.get(&Part::Offers) {
        Some(_) => Obstacle::new("what its service offers could not be read", None),
        None => {
            let name = shown(&endpoint.service_name);
            Obstacle::new(format!("AWS does not show its service, `{name}`, to this account"), None)
        }
    }
}

fn of_subnets(endpoint: &Endpoint, seen: &Seen, wanted: AddressType, fixer: &Fixer<'_>) -> Vec<Obstacle> {
    if seen.denied.contains_key(&Part::Subnets) && !endpoint.subnets.is_empty() {
        return vec![Obstacle::new("its subnets could not be read", None)];
    }
    let known: BTreeMap<&str, Option<&Subnet>> =
        endpoint.subnets.iter().map(|id| (id.as_str(), seen.subnets.get(id))).collect();
    let that = |is: &dyn Fn(&Option<&Subnet>) -> bool| -> Vec<&str> {
        known.iter().filter(|(_, subnet)| is(subnet)).map(|(id, _)| *id).collect()
    };
    let named = |ids: &[&str]| ids.iter().map(|id| format!("`{}`", shown(id))).collect::<Vec<_>>().join(", ");
    let mut obstacles = Vec::new();
    let unknown = that(&|subnet| subnet.is_none());
    if !unknown.is_empty() {
        obstacles.push(Obstacle::new(format!("AWS does not show its subnets {}", named(&unknown)), None));
    }
    let speaks = |family: &str| wanted.families().contains(&family);
    let without_six = that(&|subnet| subnet.is_some_and(|subnet| !subnet.ipv6));
    if speaks("ipv6") && !without_six.is_empty() {
        let detail = format!(
            "its subnets {} have no IPv6 addresses; each needs a free /64 of the VPC's IPv6 range, which the VPC may have \
             to get first (`aws ec2 associate-vpc-cidr-block --amazon-provided-ipv6-cidr-block`)",
            named(&without_six)
        );
        obstacles.push(Obstacle::new(detail, fixer.ipv6(&without_six)));
    }
    let without_four = that(&|subnet| subnet.is_some_and(|subnet| !subnet.ipv4));
    if speaks("ipv4") && !without_four.is_empty() {
        let detail = format!("its subnets {} have no IPv4 addresses, and can not get any", named(&without_four));
        obstacles.push(Obstacle::new(detail, fixer.move_from(&without_four)));
    }
    let with_four = that(&|subnet| subnet.is_some_and(|subnet| subnet.ipv4));
    if wanted == AddressType::Ipv6 && !with_four.is_empty() {
        let detail = format!(
            "its subnets {} have IPv4 addresses too, and AWS gives an endpoint IPv6 alone in IPv6-only subnets",
            named(&with_four)
        );
        obstacles.push(Obstacle::new(detail, fixer.move_from(&with_four)));
    }
    obstacles
}
