//! Blocks of addresses: `10.0.0.0/16`, `2001:db8::/56`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::form;

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

impl Cidr {
    /// A block that begins with an address; `None`, if addresses have fewer bits than that. What is behind the bits does
    /// not count.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(address) if bits <= 32 => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask4(bits))),
            IpAddr::V6(address) if bits <= 128 => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask6(bits))),
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(Self { address, bits })
    }

    /// Reads `10.0.0.0/16`.
    ///
    /// # Errors
    ///
    /// It is no block.
    pub fn parse(text: &str) -> Result<Self, String> {
        let block = text.split_once('/').and_then(|(address, bits)| {
            let bits = bits.parse().ok().filter(|_| !bits.starts_with('+'))?;
            Self::new(address.parse().ok()?, bits)
        });
        block.filter(|block| block.to_string() == text).ok_or_else(|| "expected one like `10.0.0.0/16`".to_owned())
    }

    /// Whether it is one of IPv4 addresses.
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether an address is in it.
    pub fn has(&self, address: IpAddr) -> bool {
        Self::new(address, self.bits).is_some_and(|block| block.address == self.address)
    }

    /// Whether all of another block is in it.
    pub fn holds(&self, other: &Self) -> bool {
        other.bits >= self.bits && self.has(other.address)
    }

    /// Its address of that number, counted from 0; `None`, if there are not as many.
    pub fn nth(&self, number: u32) -> Option<IpAddr> {
        let address = match self.address {
            IpAddr::V4(first) => IpAddr::V4(Ipv4Addr::from_bits(first.to_bits().checked_add(number)?)),
            IpAddr::V6(first) => IpAddr::V6(Ipv6Addr::from_bits(first.to_bits().checked_add(number.into())?)),
        };
        Some(address).filter(|address| self.has(*address))
    }

    /// How many addresses there are in it, as far as anybody counts.
    pub fn size(&self) -> u32 {
        let all: u8 = if self.is_ipv4() { 32 } else { 128 };
        1_u32.checked_shl(u32::from(all - self.bits)).unwrap_or(u32::MAX)
    }
}

fn mask4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

fn mask6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::text(deserializer, "a block of addresses", Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn a_block_has_its_addresses_and_holds_smaller_blocks() {
        let vpc = block("10.1.0.0/16");
        assert!(vpc.has("10.1.255.255".parse().unwrap()) && !vpc.has("10.2.0.0".parse().unwrap()));
        assert!(vpc.holds(&block("10.1.2.0/24")) && !vpc.holds(&block("10.0.0.0/8")) && !vpc.holds(&block("::/0")));
        assert_eq!(block("10.1.2.0/24").nth(4), Some("10.1.2.4".parse().unwrap()));
        assert_eq!(block("10.1.2.0/30").nth(4), None);
        assert_eq!(block("2001:db8:0:1::/64").nth(4), Some("2001:db8:0:1::4".parse().unwrap()));
        assert!(block("0.0.0.0/0").has("255.255.255.255".parse().unwrap()));
        assert_eq!((block("10.1.2.0/24").size(), block("::/0").size()), (256, u32::MAX));
    }

    #[test]
    fn what_is_no_block_or_not_written_as_one_is_none() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/24", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/08", "::/129"] {
            assert!(Cidr::parse(text).is_err(), "{text}");
        }
    }
}
