//! The names under which an endpoint is found: which is the Regional one, and which belong to a zone.

use crate::ids::{DnsName, EndpointId};
use crate::observed::{Connection, DnsNameState, Service};

/// For which part of an endpoint a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place<'n> {
    /// All of it.
    Regional,
    /// What it has in one zone. AWS writes the zone's name, and in some Regions its id.
    Zone(&'n str),
    /// That can not be told.
    Other,
}

/// Reads a name of AWS's: `<endpoint>-<random>.…`, and `<endpoint>-<random>-<zone>.…`.
pub(crate) fn place<'n>(name: &'n str, endpoint: &EndpointId) -> Place<'n> {
    let label = name.strip_prefix("*.").unwrap_or(name).split('.').next().unwrap_or_default();
    let Some(rest) = label.strip_prefix(endpoint.as_str()) else { return Place::Other };
    match rest.strip_prefix('-').map(|rest| rest.split_once('-')) {
        // Another endpoint's id may begin with this one's.
        None if !rest.is_empty() => Place::Other,
        None | Some(None) => Place::Regional,
        Some(Some((_, zone))) => Place::Zone(zone),
    }
}

/// Whether a zone is given by its id, which means the same zone in every account, and not by its name.
pub(crate) fn is_zone_id(zone: &str) -> bool {
    let number = zone.rsplit_once("-az").map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A connection's names, the Regional one first, then the zones in order.
pub(super) fn in_order(connection: &Connection) -> Vec<(&str, Place<'_>)> {
    let placed = |name| (name, place(name, &connection.endpoint));
    let mut names: Vec<_> = connection.dns_names.iter().map(|name| placed(name.as_str())).collect();
    names.sort_by_key(|(name, place)| (*place, *name));
    names
}

/// The name that is to be used, if AWS gave one that can be.
pub(super) fn regional(connection: &Connection) -> Option<DnsName> {
    let names = in_order(connection).into_iter().filter(|(_, place)| *place == Place::Regional);
    names.filter(|(name, _)| !name.starts_with("*.")).find_map(|(name, _)| DnsName::folded(name).ok())
}

/// The service's private DNS name, if it is proved.
pub(super) fn verified(service: &Service) -> Option<DnsName> {
    let dns = service.private_dns.as_ref().filter(|dns| dns.state == DnsNameState::Verified)?;
    DnsName::folded(&dns.name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_zone_they_stand_for() {
        let endpoint = EndpointId::parse("vpce-0a").unwrap();
        let tail = "vpce-svc-0b.us-west-2.vpce.amazonaws.com";
        for (label, expected) in [
            ("vpce-0a-abcd1234", Place::Regional),
            ("*.vpce-0a-abcd1234", Place::Regional),
            ("vpce-0a", Place::Regional),
            ("vpce-0a-abcd1234-us-west-2a", Place::Zone("us-west-2a")),
            ("vpce-0a-abcd1234-usw2-az1", Place::Zone("usw2-az1")),
            ("vpce-0c-abcd1234", Place::Other),
            ("vpce-0aff-abcd1234", Place::Other),
            ("api", Place::Other),
        ] {
            assert_eq!(place(&format!("{label}.{tail}"), &endpoint), expected, "{label}");
        }
        assert_eq!(place("", &endpoint), Place::Other);
    }

    #[test]
    fn a_zone_id_is_told_from_a_zones_name() {
        assert!(is_zone_id("usw2-az1") && is_zone_id("use1-az10"));
        assert!(!is_zone_id("us-west-2a") && !is_zone_id("us-west-2-lax-1a") && !is_zone_id("usw2-az"));
    }
}
