//! An endpoint's network interfaces, their addresses, and the names that lead to them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{Cidr, Endpoint, World};

/// EC2 keeps the first addresses of a subnet for itself.
const FIRST: u32 = 4;
/// In no subnet here are there more interfaces than that.
const LAST: u32 = 65_535;

/// A network interface of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its id.
    pub id: String,
    /// The IPv4 address that it has whenever its endpoint has such addresses.
    pub ipv4: Option<Ipv4Addr>,
    /// The same of IPv6.
    pub ipv6: Option<Ipv6Addr>,
}

/// What is in force of an endpoint, which is built anew for whatever is changed: it is what it was when it was available
/// for the last time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Built {
    /// Which addresses its interfaces have.
    pub ip_address_type: String,
    /// Which addresses its names have.
    pub dns_record_ip_type: String,
    /// Whether the service's private DNS name leads to it in its VPC.
    pub private_dns_enabled: bool,
}

impl Interface {
    pub(crate) fn new(id: String) -> Self {
        Self { id, ipv4: None, ipv6: None }
    }
}

impl Built {
    /// Whether its names have records of a type.
    pub(crate) fn has_records(&self, kind: &str) -> bool {
        let of = match self.dns_record_ip_type.as_str() {
            "service-defined" => self.ip_address_type.as_str(),
            of => of,
        };
        matches!((of, kind), ("ipv4" | "dualstack", "A") | ("ipv6" | "dualstack", "AAAA"))
    }
}

impl Endpoint {
    /// The name that leads to all of its interfaces.
    pub fn dns_name(&self) -> String {
        self.name_of("")
    }

    /// The name that leads to the interface in an Availability Zone.
    pub fn zonal_dns_name(&self, zone: &str) -> String {
        self.name_of(&format!("-{zone}"))
    }

    fn name_of(&self, zone: &str) -> String {
        format!("{}-a1b2c3d4{zone}.{}.{}.vpce.amazonaws.com", self.id, self.service, self.region)
    }

    /// Whether it is an account's in a Region.
    pub fn is_of(&self, owner: &str, region: &str) -> bool {
        self.owner == owner && self.region == region
    }

    /// The addresses that one of its interfaces has now.
    pub fn addresses(&self, interface: &Interface) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
        let kind = self.built.as_ref().map_or(&self.ip_address_type, |built| &built.ip_address_type);
        (interface.ipv4.filter(|_| kind != "ipv6"), interface.ipv6.filter(|_| kind != "ipv4"))
    }

    /// Puts in force what is wanted of it, as a state says.
    pub(super) fn settle(&mut self, state: &str) {
        match state {
            "available" => {
                self.built = Some(Built {
                    ip_address_type: self.ip_address_type.clone(),
                    dns_record_ip_type: self.dns_record_ip_type.clone(),
                    private_dns_enabled: self.private_dns_enabled,
                });
            }
            // What is in force stays so while it is built anew.
            "pending" => {}
            _ => self.built = None,
        }
    }
}

impl World {
    /// Gives the interfaces of an endpoint addresses of their subnets, where they have none.
    pub(crate) fn give_addresses(&mut self, endpoint: &str) {
        let Some(found) = self.endpoints.get(endpoint) else { return };
        let place = (found.owner.clone(), found.region.clone());
        // Where there is none to give, nobody's need to be looked at.
        if found.subnets.is_empty() {
            return;
        }
        let neighbours = self.endpoints.values().filter(|other| (&other.owner, &other.region) == (&place.0, &place.1));
        let interfaces = neighbours.flat_map(|other| other.subnets.values());
        let taken = interfaces.flat_map(|one| [one.ipv4.map(IpAddr::V4), one.ipv6.map(IpAddr::V6)]).flatten();
        let taken: BTreeSet<IpAddr> = taken.collect();
        let free =
            |block: Cidr| (FIRST..LAST).map_while(|number| block.nth(number)).find(|address| !taken.contains(address));
        let Some(network) = self.networks.get(&place) else { return };
        let Some(found) = self.endpoints.get_mut(endpoint) else { return };
        // An endpoint has one interface in each subnet, so that none of these takes another's.
        for (subnet, interface) in &mut found.subnets {
            let Some(subnet) = network.subnets.get(subnet) else { continue };
            for address in [subnet.cidr, subnet.ipv6_cidr].into_iter().flatten().filter_map(free) {
                match address {
                    IpAddr::V4(address) => interface.ipv4 = interface.ipv4.or(Some(address)),
                    IpAddr::V6(address) => interface.ipv6 = interface.ipv6.or(Some(address)),
                }
            }
        }
    }

    /// Gives an interface other addresses, of any kind: those of listeners on loopback, as a rule. It has them whenever
    /// its endpoint has addresses of that family.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn place_interface(&mut self, id: &str, addresses: &[IpAddr]) -> Result<&Interface, String> {
        let mut interfaces = self.endpoints.values_mut().flat_map(|endpoint| endpoint.subnets.values_mut());
        let interface = interfaces.find(|interface| interface.id == id);
        let interface = interface.ok_or_else(|| format!("there is no interface `{id}`"))?;
        for address in addresses {
            match address {
                IpAddr::V4(address) => interface.ipv4 = Some(*address),
                IpAddr::V6(address) => interface.ipv6 = Some(*address),
            }
        }
        Ok(interface)
    }
}
