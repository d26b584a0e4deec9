//! Why something does not work, in a word for programs, a sentence for a person, and what to do about it.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::{Serialize, Serializer};

use super::rules::lets_in;
use super::{Endpoint, Family, NameKind, Target, Vantage};
use crate::dns::Trouble;

/// The likely cause of something that does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The name has no IPv4 address: the endpoint has none, or its DNS records leave it out.
    NoA,
    /// The name has no IPv6 address: the endpoint is not dual-stack, or its DNS records are not.
    NoAaaa,
    /// A name of AWS's is not found: the endpoint is not the one that was described.
    NameNotFound,
    /// A private DNS name is not found inside the VPC: private DNS is off.
    PrivateDnsOff,
    /// A DNS attribute of the VPC is off.
    VpcDnsOff,
    /// A private DNS name is not found, as it has to be outside of the VPC.
    AskedFromOutside,
    /// The resolver says nothing of use.
    ResolverFailing,
    /// The answer is the world's, and not the endpoint's.
    PublicAnswer,
    /// The answer is private, and not the endpoint's.
    OtherAddresses,
    /// The endpoint's security groups do not let it in.
    SecurityGroup,
    /// Nobody answers, though the endpoint's security groups let it in as far as is known.
    TimeOut,
    /// The connection is refused or cut: nothing listens there, or no target is healthy.
    NoHealthyTarget,
    /// The system could not connect, for a reason of its own.
    Unreachable,
    /// The certificate is not the name's, or not trusted.
    WrongCertificate,
    /// What answers does not speak TLS.
    NoTls,
    /// What answers does not speak HTTP.
    NoHttp,
    /// The service answers that it is broken.
    ServerError,
}

impl Cause {
    /// The word of the return value.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoA => "no-a",
            Self::NoAaaa => "no-aaaa",
            Self::NameNotFound => "name-not-found",
            Self::PrivateDnsOff => "private-dns-off",
            Self::VpcDnsOff => "vpc-dns-off",
            Self::AskedFromOutside => "asked-from-outside",
            Self::ResolverFailing => "resolver-failing",
            Self::PublicAnswer => "public-answer",
            Self::OtherAddresses => "other-addresses",
            Self::SecurityGroup => "security-group",
            Self::TimeOut => "time-out",
            Self::NoHealthyTarget => "no-healthy-target",
            Self::Unreachable => "unreachable",
            Self::WrongCertificate => "wrong-certificate",
            Self::NoTls => "no-tls",
            Self::NoHttp => "no-http",
            Self::ServerError => "server-error",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The cause.
    pub cause: Cause,
    /// What was seen, for a person.
    pub detail: String,
    /// What to do, as a command or in a sentence.
    pub fix: String,
}

impl Refusal {
    pub(super) fn new(cause: Cause, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { cause, detail: detail.into(), fix: fix.into() }
    }
}

/// The resolver gave no answer.
pub(super) fn unresolved(target: &Target, trouble: &Trouble) -> Refusal {
    let detail = format!("the resolver says nothing of `{}`: {trouble}", target.asked());
    match attribute_off(target, &detail) {
        Some(refusal) => refusal,
        None => {
            let fix = "check the resolver of this network: in a VPC, its DHCP options and what \
                       `PRIVATELINK_DNS_SERVER` names";
            Refusal::new(Cause::ResolverFailing, detail, fix)
        }
    }
}

/// There is no such name, or nothing is known of it but that.
pub(super) fn not_found(target: &Target, from: Vantage) -> Refusal {
    let detail = format!("`{}` is not found", target.asked());
    match (target.kind, from) {
        (NameKind::Regional | NameKind::Zonal, _) => {
            let fix = match &target.endpoint {
                Some(endpoint) => format!(
                    "see which names the endpoint has now: `aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {} --query \
                     'VpcEndpoints[].DnsEntries[].DnsName'`",
                    endpoint.id
                ),
                None => "see whether the endpoint still exists, and which names it has".to_owned(),
            };
            Refusal::new(Cause::NameNotFound, detail, fix)
        }
        (NameKind::Private, Vantage::Anywhere) => Refusal::new(
            Cause::AskedFromOutside,
            format!("{detail}; outside of the endpoint's VPC that is as it should be"),
            "ask from inside the VPC; if this is inside, enable private DNS on the endpoint",
        ),
        (NameKind::Private, Vantage::Inside) => {
            let off = || Refusal::new(Cause::PrivateDnsOff, detail.as_str(), enable_private_dns(target));
            attribute_off(target, &detail).unwrap_or_else(off)
        }
    }
}

/// The name has no address of that family, and is the endpoint's otherwise.
pub(super) fn no_record(target: &Target, family: Family) -> Refusal {
    let cause = match family {
        Family::Ipv4 => Cause::NoA,
        Family::Ipv6 => Cause::NoAaaa,
    };
    let detail = format!("`{}` has no {} record", target.asked(), family.record());
    let records = "--dns-options DnsRecordIpType=dualstack";
    match &target.endpoint {
        None => Refusal::new(
            cause,
            detail,
            format!(
                "the endpoint or its DNS records are not dual-stack: `aws ec2 modify-vpc-endpoint --vpc-endpoint-id \
                     vpce-… --ip-address-type dualstack {records}`"
            ),
        ),
        Some(endpoint) if endpoint.has(family) => Refusal::new(
            cause,
            format!(
                "{detail}, though the endpoint is `{}`: its DNS record type leaves it out",
                endpoint.ip_address_type
            ),
            modify(endpoint, records),
        ),
        Some(endpoint) => Refusal::new(
            cause,
            format!("{detail}: the endpoint is `{}`", endpoint.ip_address_type),
            modify(endpoint, &format!("--ip-address-type dualstack {records}")),
        ),
    }
}

/// The answer holds addresses that are not the endpoint's.
pub(super) fn strange(target: &Target, strangers: &[IpAddr], public: bool, from: Vantage) -> Refusal {
    let name = target.asked();
    if !public {
        let detail = format!("`{name}` leads to {}, which the endpoint does not have", list(strangers));
        let fix = format!(
            "run `endpoint-configurator` again, since the endpoint's interfaces may have changed; if it stays, another \
             endpoint, a private hosted zone or a resolver rule holds `{name}` in this VPC"
        );
        return Refusal::new(Cause::OtherAddresses, detail, fix);
    }
    let detail = format!("`{name}` has a public answer, {}, and not the endpoint's", list(strangers));
    match from {
        Vantage::Anywhere => Refusal::new(
            Cause::PublicAnswer,
            detail,
            "outside of the endpoint's VPC that is all there can be; ask from inside",
        ),
        Vantage::Inside => {
            let fix = format!(
                "{}; if that is on, the resolver that is asked is not the VPC's own, and has to forward `{name}` to it \
                 (169.254.169.253)",
                enable_private_dns(target)
            );
            attribute_off(target, &detail).unwrap_or_else(|| Refusal::new(Cause::PublicAnswer, detail, fix))
        }
    }
}

/// Nobody answered at that address. `elsewhere` is whether another address of the endpoint did.
pub(super) fn timed_out(
    target: &Target,
    address: IpAddr,
    source: IpAddr,
    port: NonZeroU16,
    elsewhere: bool,
    from: Vantage,
) -> Refusal {
    let detail = format!("nobody answers at {address} port {port}");
    if elsewhere {
        let fix = "look at the network ACLs of that address's subnet, and let the provider look for healthy targets in \
                   its zone";
        return Refusal::new(Cause::TimeOut, detail, fix);
    }
    if let Some(endpoint) = &target.endpoint
        && endpoint.known_rules().is_some_and(|rules| !rules.iter().any(|rule| lets_in(rule, source, port)))
    {
        let detail = format!("{detail}: no rule of the endpoint's security groups lets {source} in");
        return Refusal::new(Cause::SecurityGroup, detail, authorize(endpoint, source, port));
    }
    let fix = match (from, &target.endpoint) {
        (Vantage::Anywhere, None) => {
            "a private address is reached from inside its VPC, or from a network that is joined \
                                      to it; inside, look at the endpoint's security groups, then at the network ACLs"
        }
        (Vantage::Anywhere | Vantage::Inside, _) => {
            "look at the network ACLs of both subnets, and let the provider look at its load balancer's security groups, \
             which are asked too where it enforces them on PrivateLink traffic"
        }
    };
    Refusal::new(Cause::TimeOut, detail, fix)
}

/// The connection was refused or cut.
pub(super) fn turned_away(address: IpAddr, port: NonZeroU16, how: &str) -> Refusal {
    let fix = format!(
        "let the provider see whether its load balancer listens on port {port}, and whether a target is healthy: \
         `aws elbv2 describe-target-health --target-group-arn …`"
    );
    Refusal::new(Cause::NoHealthyTarget, format!("{address} port {port} {how}"), fix)
}

fn modify(endpoint: &Endpoint, what: &str) -> String {
    format!("aws ec2 modify-vpc-endpoint --vpc-endpoint-id {} {what}", endpoint.id)
}

fn enable_private_dns(target: &Target) -> String {
    match &target.endpoint {
        Some(endpoint) => modify(endpoint, "--private-dns-enabled"),
        None => "enable private DNS on the endpoint".to_owned(),
    }
}

/// The VPC's DNS attribute that is off, if one is: nothing private is found without both.
fn attribute_off(target: &Target, detail: &str) -> Option<Refusal> {
    let endpoint = target.endpoint.as_ref()?;
    let (attribute, option) = match (endpoint.vpc_dns.support, endpoint.vpc_dns.hostnames) {
        (Some(false), _) => ("enableDnsSupport", "--enable-dns-support"),
        (_, Some(false)) if target.kind == NameKind::Private => ("enableDnsHostnames", "--enable-dns-hostnames"),
        (_, _) => return None,
    };
    let fix = format!(
        "aws ec2 modify-vpc-attribute {option} Value=true --vpc-id $(aws ec2 describe-vpc-endpoints --vpc-endpoint-ids \
         {} --query 'VpcEndpoints[0].VpcId' --output text)",
        endpoint.id
    );
    Some(Refusal::new(Cause::VpcDnsOff, format!("{detail}; the VPC's attribute `{attribute}` is off"), fix))
}

fn authorize(endpoint: &Endpoint, source: IpAddr, port: NonZeroU16) -> String {
    let range = match source {
        IpAddr::V4(source) => format!("IpRanges=[{{CidrIp={source}/32}}]"),
        IpAddr::V6(source) => format!("Ipv6Ranges=[{{CidrIpv6={source}/128}}]"),
    };
    let group = match endpoint.inbound_rules.first() {
        Some(rule) => rule.security_group_id.clone(),
        None => format!(
            "$(aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {} --query 'VpcEndpoints[0].Groups[0].GroupId' \
             --output text)",
            endpoint.id
        ),
    };
    format!(
        "aws ec2 authorize-security-group-ingress --group-id {group} --ip-permissions \
         'IpProtocol=tcp,FromPort={port},ToPort={port},{range}'"
    )
}

/// Addresses in a sentence.
fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
