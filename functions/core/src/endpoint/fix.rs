//! The commands that a person is told. Values are checked before they stand in one, and a command that lacks one is
//! left out.

use super::{AddressType, Change, Endpoint, EndpointSettings};
use crate::notice::shown::filled;

/// Makes commands about one endpoint.
pub(super) struct Fixer<'f> {
    endpoint: &'f Endpoint,
    settings: &'f EndpointSettings,
}

impl<'f> Fixer<'f> {
    pub(super) fn new(endpoint: &'f Endpoint, settings: &'f EndpointSettings) -> Self {
        Self { endpoint, settings }
    }

    fn fill(&self, command: &str, more: &[(&str, &[&str])]) -> Option<String> {
        let own = self.settings.region.as_str();
        let service = self.endpoint.service.as_ref().map_or("", |id| id.as_str());
        let (of_service, id, vpc) =
            ([self.endpoint.region_of_service(own)], [self.endpoint.id.as_str()], [self.endpoint.vpc.as_str()]);
        let mut values: Vec<(&str, &[&str])> = more.to_vec();
        let (own, service) = ([own], [service]);
        values.extend([
            ("region", &own[..]),
            ("service-region", &of_service),
            ("service", &service),
            ("endpoint", &id),
            ("vpc", &vpc),
        ]);
        filled(command, &values)
    }

    /// The provider lets the endpoint in.
    pub(super) fn accept(&self) -> Option<String> {
        self.fill(
            "aws ec2 accept-vpc-endpoint-connections --region <service-region> --service-id <service> \
             --vpc-endpoint-ids <endpoint>",
            &[],
        )
    }

    /// An endpoint that came to nothing goes, so that a new one can be made.
    pub(super) fn delete(&self) -> Option<String> {
        self.fill("aws ec2 delete-vpc-endpoints --region <region> --vpc-endpoint-ids <endpoint>", &[])
    }

    /// The provider lets its service speak a family.
    pub(super) fn support(&self, family: &str) -> Option<String> {
        self.fill(
            "aws ec2 modify-vpc-endpoint-service-configuration --region <service-region> --service-id <service> \
             --add-supported-ip-address-types <family>",
            &[("family", &[family])],
        )
    }

    /// A subnet gets IPv6 addresses. Which range it gets is for a person to say.
    pub(super) fn ipv6(&self, subnets: &[&str]) -> Option<String> {
        let one = |subnet: &&str| {
            self.fill(
                "aws ec2 associate-subnet-cidr-block --region <region> --subnet-id <subnet> \
                 --ipv6-cidr-block \"$IPV6_RANGE\"",
                &[("subnet", &[*subnet])],
            )
        };
        let all: Option<Vec<String>> = subnets.iter().map(one).collect();
        all.map(|all| all.join(" && "))
    }

    /// The endpoint goes from subnets that do not fit into others.
    pub(super) fn move_from(&self, subnets: &[&str]) -> Option<String> {
        self.fill(
            "aws ec2 modify-vpc-endpoint --region <region> --vpc-endpoint-id <endpoint> --remove-subnet-ids <subnets> \
             --add-subnet-ids $OTHER_SUBNETS",
            &[("subnets", subnets)],
        )
    }

    /// The provider gives its service a private DNS name.
    pub(super) fn name(&self) -> Option<String> {
        self.fill(
            "aws ec2 modify-vpc-endpoint-service-configuration --region <service-region> --service-id <service> \
             --private-dns-name \"$NAME\"",
            &[],
        )
    }

    /// The provider has the name checked.
    pub(super) fn verify(&self) -> Option<String> {
        self.fill(
            "aws ec2 start-vpc-endpoint-service-private-dns-verification --region <service-region> \
             --service-id <service>",
            &[],
        )
    }

    /// An attribute of the VPC is turned on: one at a time, as AWS wants it.
    pub(super) fn attribute(&self, option: &str) -> Option<String> {
        self.fill(
            "aws ec2 modify-vpc-attribute --region <region> --vpc-id <vpc> --<option> '{\"Value\":true}'",
            &[("option", &[option])],
        )
    }

    /// Another endpoint gives the name away.
    pub(super) fn give_away(&self, other: &Endpoint) -> Option<String> {
        self.fill(
            "aws ec2 modify-vpc-endpoint --region <region> --vpc-endpoint-id <other> --no-private-dns-enabled",
            &[("other", &[other.id.as_str()])],
        )
    }

    /// The ports are written in a way that can be read.
    pub(super) fn ports(&self) -> Option<String> {
        self.fill(
            "aws ec2 create-tags --region <region> --resources <endpoint> --tags 'Key=privatelink:ports,Value=443 8443'",
            &[],
        )
    }

    /// A person makes the change.
    pub(super) fn by_hand(&self, change: &Change) -> Option<String> {
        let Change { service: _, endpoint: _, ip_address_type, dns_record_ip_type, private_dns } = change;
        let mut command = "aws ec2 modify-vpc-endpoint --region <region> --vpc-endpoint-id <endpoint>".to_owned();
        if let Some(kind) = ip_address_type {
            command.push_str(&format!(" --ip-address-type {kind}"));
        }
        if let Some(kind) = dns_record_ip_type {
            command.push_str(&format!(" --dns-options DnsRecordIpType={kind}"));
        }
        if *private_dns {
            command.push_str(" --private-dns-enabled");
        }
        self.fill(&command, &[])
    }
}

/// What a family is called.
pub(super) fn family(word: &str) -> &'static str {
    match AddressType::from_word(word) {
        Some(AddressType::Ipv6) => "IPv6",
        Some(AddressType::Ipv4 | AddressType::Dualstack) | None => "IPv4",
    }
}
