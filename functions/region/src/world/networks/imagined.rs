//! What an account names that nobody made. Until it has a VPC that was made on purpose, whatever it names is there, so
//! that endpoints can be made without any VPC being made first; subnets have addresses of both kinds.
//!
//! Nothing is drawn by lot: what is imagined moves no other draws, and is the same in every world.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::Cidr;
use super::{Network, SecurityGroup, Subnet, Vpc, Wish};

impl Network {
    /// Puts in what is asked for and not there, unless somebody made what is there.
    pub(super) fn imagine(&mut self, region: &str, Wish { vpc, subnets, groups }: Wish<'_>) {
        if self.made {
            return;
        }
        if !self.vpcs.contains_key(vpc) {
            let made = imagined_vpc(vpc, self.vpcs.len());
            // EC2's ids are of digits; that of the group has those of its VPC.
            self.imagine_group(&format!("sg-{}", vpc.strip_prefix("vpc-").unwrap_or(vpc)), "default", &made);
            self.vpcs.insert(vpc.to_owned(), made);
        }
        let Some(of) = self.vpcs.get(vpc).cloned() else { return };
        for id in subnets.iter().filter(|id| !id.is_empty()) {
            if !self.subnets.contains_key(id) {
                let before = self.subnets.values().filter(|subnet| subnet.vpc == vpc).count();
                self.subnets.insert(id.clone(), imagined_subnet(id, &of, before, region));
            }
        }
        for id in groups.iter().filter(|id| !id.is_empty()) {
            if !self.groups.contains_key(id) {
                self.imagine_group(id, id, &of);
            }
        }
    }

    fn imagine_group(&mut self, id: &str, name: &str, vpc: &Vpc) {
        let mut rules = 0;
        let group = SecurityGroup::new(id, name, vpc, || {
            rules += 1;
            format!("sgr-0{:016x}", digest(&format!("{}/{id}/{rules}", vpc.id)))
        });
        self.groups.insert(id.to_owned(), group);
    }
}

fn imagined_vpc(id: &str, before: usize) -> Vpc {
    let number = u8::try_from(before).unwrap_or(u8::MAX);
    Vpc {
        id: id.to_owned(),
        cidr: block4([10, number, 0, 0], 16),
        ipv6_cidr: Some(block6(number, 0, 56)),
        dns_support: true,
        dns_hostnames: true,
        tags: BTreeMap::new(),
    }
}

/// Each is in a zone of its own, as far as there are letters.
fn imagined_subnet(id: &str, vpc: &Vpc, before: usize, region: &str) -> Subnet {
    let number = u8::try_from(before).unwrap_or(u8::MAX);
    let [first, second, ..] = match vpc.cidr.nth(0) {
        Some(std::net::IpAddr::V4(address)) => address.octets(),
        Some(std::net::IpAddr::V6(_)) | None => [10, 0, 0, 0],
    };
    Subnet {
        id: id.to_owned(),
        vpc: vpc.id.clone(),
        cidr: Some(block4([first, second, number, 0], 24)),
        ipv6_cidr: Some(block6(second, number, 64)),
        zone: format!("{region}{}", char::from(b'a' + number % 26)),
        tags: BTreeMap::new(),
    }
}

fn block4(octets: [u8; 4], bits: u8) -> Cidr {
    let address = Ipv4Addr::from(octets);
    // There are no fewer bits than are asked for here; a block of one address is one in any case.
    Cidr::new(address.into(), bits).unwrap_or(Cidr { address: address.into(), bits: 32 })
}

fn block6(vpc: u8, subnet: u8, bits: u8) -> Cidr {
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, u16::from(vpc) << 8 | u16::from(subnet), 0, 0, 0, 0);
    Cidr::new(address.into(), bits).unwrap_or(Cidr { address: address.into(), bits: 128 })
}

/// A number that is a text's own, by the algorithm FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
