//! Which hosted zone a name's record goes into.

use crate::dns::Delegation;
use crate::ids::DnsName;

/// A hosted zone, as Route 53 lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name.
    pub name: DnsName,
    /// Whether only VPCs see it.
    pub private: bool,
    /// The name servers that Route 53 gave it, where they were asked for.
    pub name_servers: Option<Vec<DnsName>>,
}

/// The names that a zone could have into which `name` belongs, the longest first. A top-level domain is nobody's.
pub fn candidates(name: &DnsName) -> Vec<DnsName> {
    name.without_wildcard().and_above().filter(|name| name.as_str().contains('.')).collect()
}

/// Of public zones of one name, the one to which the world delegates.
///
/// Where the world's answer fits none of them, or is not known, it is the first by its id: a rule that gives the same
/// answer every time, so that no record wanders from one zone to another.
pub fn delegated_among<'z>(zones: &'z [HostedZone], delegation: &Delegation) -> Option<&'z HostedZone> {
    let named = |zone: &&HostedZone| match delegation {
        Delegation::To { servers, .. } => shares_a_server(zone, servers),
        Delegation::Nobody | Delegation::Unknown(_) => false,
    };
    zones.iter().find(named).or_else(|| zones.iter().min_by(|a, b| a.id.cmp(&b.id)))
}

/// Whether one of those servers is the zone's. Registrars list them in any order, and sometimes not all.
pub(super) fn shares_a_server(zone: &HostedZone, servers: &[DnsName]) -> bool {
    zone.name_servers.iter().flatten().any(|own| servers.contains(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Trouble;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[test]
    fn zones_are_looked_for_from_the_longest_name_down_and_never_at_the_top() {
        let names = |text| candidates(&name(text)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names("*.api.eu.example.com"), ["api.eu.example.com", "eu.example.com", "example.com"]);
        assert_eq!(names("example.com"), ["example.com"]);
        assert_eq!(names("com"), [""; 0]);
    }

    #[test]
    fn of_two_zones_the_delegated_one_is_taken() {
        let zone = |id: &str, server: &str| HostedZone {
            id: id.to_owned(),
            name: name("example.com"),
            private: false,
            name_servers: Some(vec![name("ns-0.awsdns-00.net"), name(server)]),
        };
        let zones = [zone("Z1", "ns-1.awsdns-01.com"), zone("Z0", "ns-2.awsdns-02.com")];
        let to = |server| Delegation::To { zone: name("example.com"), servers: vec![name(server)] };
        let chosen = |delegation| delegated_among(&zones, &delegation).map(|zone| zone.id.as_str());
        assert_eq!(chosen(to("ns-1.awsdns-01.com")), Some("Z1"));
        assert_eq!(chosen(to("ns-2.awsdns-02.com")), Some("Z0"));
        assert_eq!(chosen(to("ns1.elsewhere.example")), Some("Z0"));
        assert_eq!(chosen(Delegation::Unknown(Trouble::TimedOut)), Some("Z0"));
        assert_eq!(delegated_among(&[], &Delegation::Nobody), None);
    }
}
