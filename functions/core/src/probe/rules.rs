//! Whether an endpoint's security groups let a connection in.

use std::net::IpAddr;
use std::num::NonZeroU16;

use super::InboundRule;

/// Whether a rule lets TCP in from an address to a port. A rule for another group or a prefix list is taken to: whose
/// addresses those hold is not known here.
pub(super) fn lets_in(rule: &InboundRule, source: IpAddr, port: NonZeroU16) -> bool {
    let InboundRule { security_group_id: _, protocol, from_port, to_port, source: range } = rule;
    let everything = matches!(protocol.to_ascii_lowercase().as_str(), "-1" | "all");
    let tcp = everything || matches!(protocol.to_ascii_lowercase().as_str(), "tcp" | "6");
    let port = i32::from(port.get());
    let bound = |port: &Option<i32>| port.filter(|port| *port >= 0);
    let first = bound(from_port).is_none_or(|first| first <= port);
    let last = bound(to_port).is_none_or(|last| port <= last);
    tcp && (everything || (first && last)) && in_range(range, source)
}

/// Whether an address is in `10.0.0.0/16`, `2600:1f14::/56` or the like.
fn in_range(range: &str, address: IpAddr) -> bool {
    let (base, length) = range.split_once('/').unwrap_or((range, ""));
    let Ok(base) = base.parse::<IpAddr>() else { return true };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((base_bits, width), (address_bits, address_width)) = (bits(base), bits(address));
    let Ok(length) = (if length.is_empty() { Ok(width) } else { length.parse::<u32>() }) else { return true };
    let mask = u128::MAX.checked_shl(128 - length.min(width)).unwrap_or(0);
    width == address_width && base_bits & mask == address_bits & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, ports: [i32; 2], source: &str) -> InboundRule {
        let [from_port, to_port] = ports.map(Some);
        let (protocol, source) = (protocol.to_owned(), source.to_owned());
        InboundRule { security_group_id: "sg-0a".to_owned(), protocol, from_port, to_port, source }
    }

    fn check(rule: &InboundRule, source: &str, expected: bool) {
        let port = NonZeroU16::new(443).unwrap();
        assert_eq!(lets_in(rule, source.parse().unwrap(), port), expected, "{rule:?} from {source}");
    }

    #[test]
    fn a_rule_counts_by_protocol_port_and_range() {
        check(&rule("tcp", [443, 443], "10.0.0.0/16"), "10.0.7.9", true);
        check(&rule("6", [1, 65_535], "10.0.7.9/32"), "10.0.7.9", true);
        check(&rule("-1", [-1, -1], "0.0.0.0/0"), "10.0.7.9", true);
        check(&rule("tcp", [443, 443], "10.1.0.0/16"), "10.0.7.9", false);
        check(&rule("tcp", [80, 442], "10.0.0.0/16"), "10.0.7.9", false);
        check(&rule("tcp", [444, 500], "10.0.0.0/16"), "10.0.7.9", false);
        check(&rule("udp", [443, 443], "10.0.0.0/16"), "10.0.7.9", false);
        check(&rule("icmp", [-1, -1], "0.0.0.0/0"), "10.0.7.9", false);
        let mut all = rule("-1", [0, 0], "10.0.0.0/8");
        (all.from_port, all.to_port) = (None, None);
        check(&all, "10.0.7.9", true);
    }

    #[test]
    fn a_rule_for_ipv4_lets_no_ipv6_in() {
        check(&rule("tcp", [443, 443], "0.0.0.0/0"), "2600:1f14::7", false);
        check(&rule("tcp", [443, 443], "::/0"), "2600:1f14::7", true);
        check(&rule("tcp", [443, 443], "::/0"), "10.0.7.9", false);
        check(&rule("tcp", [443, 443], "2600:1f14::/56"), "2600:1f14::7", true);
        check(&rule("tcp", [443, 443], "2600:1f15::/56"), "2600:1f14::7", false);
    }

    #[test]
    fn what_can_not_be_told_is_taken_to_let_in() {
        for source in ["sg-0b", "pl-0c", "", "10.0.0.0/x"] {
            check(&rule("tcp", [443, 443], source), "10.0.7.9", true);
        }
    }
}
