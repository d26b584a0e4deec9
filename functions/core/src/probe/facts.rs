//! What the prober is told: the configurator's return value, which holds all that it needs to know.
//!
//! The same types write that value, so that the two sides can not drift apart.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Family, HttpPath};
use crate::ids::{DnsName, EndpointId, FoundId, ServiceId, ids_in};
use crate::json;
use crate::observed::EndpointState;
use crate::trigger::{LARGEST_PAYLOAD, Unrecognized};

/// The only function whose return value is taken.
pub const CONFIGURATOR: &str = "endpoint-configurator";

/// An interface endpoint, as the configurator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its id.
    #[serde(deserialize_with = "endpoint_id")]
    pub id: EndpointId,
    /// How far it has come.
    #[serde(serialize_with = "state_word", deserialize_with = "state")]
    pub state: EndpointState,
    /// The name of the service that it leads to: `com.amazonaws.vpce.<region>.vpce-svc-…`.
    pub service_name: String,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// The names under which it is to be found.
    pub names: Vec<Name>,
    /// The addresses of its network interfaces.
    pub addresses: Addresses,
    /// The TCP ports to try.
    pub ports: Vec<NonZeroU16>,
    /// What its security groups let in.
    pub inbound_rules: Vec<InboundRule>,
    /// The DNS attributes of its VPC.
    #[serde(default)]
    pub vpc_dns: VpcDns,
    /// The families that have to work. Both, where nothing is said: an endpoint that is IPv4's on purpose says so here.
    #[serde(default = "both", skip_serializing_if = "is_both")]
    pub families: Vec<Family>,
    /// Of these fields, those that say nothing because the configurator could not read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Whether a TLS handshake is tried too, with the private DNS name where there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// The path of one HTTP request that is tried too: over TLS where that is tried, else in the open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpPath>,
}

/// A name of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// The name, which may begin with `*.`.
    #[serde(deserialize_with = "dns_name")]
    pub name: DnsName,
    /// What it stands for.
    pub kind: NameKind,
    /// The zone that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone_id: Option<String>,
}

/// What a name of an endpoint stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameKind {
    /// The whole endpoint, by a name of AWS's.
    Regional,
    /// What it has in one zone, by a name of AWS's.
    Zonal,
    /// The whole endpoint, by the service's private DNS name.
    Private,
}

/// The addresses of an endpoint's network interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// Of IPv4.
    #[serde(default)]
    pub ipv4: Vec<Ipv4Addr>,
    /// Of IPv6.
    #[serde(default)]
    pub ipv6: Vec<Ipv6Addr>,
}

impl Addresses {
    /// Whether nothing is known of them.
    pub fn is_empty(&self) -> bool {
        let Self { ipv4, ipv6 } = self;
        ipv4.is_empty() && ipv6.is_empty()
    }

    /// Whether an address is one of them.
    pub fn contains(&self, address: &IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.ipv4.contains(address),
            IpAddr::V6(address) => self.ipv6.contains(address),
        }
    }
}

/// One rule of a security group, for what comes in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundRule {
    /// The group.
    pub security_group_id: String,
    /// EC2's word: `tcp`, `6`, or `-1` for all.
    pub protocol: String,
    /// The first port; nothing, or -1, for all.
    #[serde(default)]
    pub from_port: Option<i32>,
    /// The last port.
    #[serde(default)]
    pub to_port: Option<i32>,
    /// An address range, or the id of another group or of a prefix list.
    pub source: String,
}

/// The two DNS attributes of a VPC, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcDns {
    /// `enableDnsSupport`.
    #[serde(default)]
    pub support: Option<bool>,
    /// `enableDnsHostnames`.
    #[serde(default)]
    pub hostnames: Option<bool>,
}

impl Endpoint {
    /// The endpoint service that it leads to; AWS's own services have none.
    pub fn service(&self) -> Option<ServiceId> {
        ids_in(&self.service_name).find_map(|id| match id {
            FoundId::Service(id) => Some(id),
            FoundId::Endpoint(_) => None,
        })
    }

    /// Whether it is made for that family.
    pub fn has(&self, family: Family) -> bool {
        let kind = self.ip_address_type.to_ascii_lowercase();
        match family {
            Family::Ipv4 => kind != "ipv6",
            Family::Ipv6 => kind != "ipv4",
        }
    }

    /// The rules of its security groups, where they are known.
    pub fn known_rules(&self) -> Option<&[InboundRule]> {
        let unread = self.unread.iter().any(|field| field == "inboundRules");
        (!unread).then_some(&self.inbound_rules)
    }

    /// Its private DNS name.
    pub fn private_name(&self) -> Option<&DnsName> {
        self.names.iter().find(|name| name.kind == NameKind::Private).map(|name| &name.name)
    }
}

/// Reads the payload of an invocation: the configurator's return value, or the record of it that Lambda sends to a
/// destination. Nothing else is taken, since nothing else says what is true of the endpoints.
///
/// # Errors
///
/// It is neither, or a field of it can not be read.
pub fn endpoints_in(payload: &[u8]) -> Result<Vec<Endpoint>, Unrecognized> {
    if payload.len() > LARGEST_PAYLOAD {
        return Err(Unrecognized::new(format!("{} bytes are more than Lambda's 6 MiB", payload.len())));
    }
    let value = json::read(payload).map_err(|error| Unrecognized::new(format!("no JSON: {error}")))?;
    let Value::Object(mut event) = value else { return Err(Unrecognized::new("not a JSON object")) };
    let returned = match event.remove("responsePayload") {
        Some(Value::Object(returned)) => returned,
        Some(_) => return Err(Unrecognized::new("`responsePayload` is no JSON object")),
        None => event,
    };
    of_configurator(returned)
}

fn of_configurator(mut returned: Map<String, Value>) -> Result<Vec<Endpoint>, Unrecognized> {
    if returned.get("function").and_then(Value::as_str) != Some(CONFIGURATOR) {
        return Err(Unrecognized::new(format!("not what `{CONFIGURATOR}` returns, which is all that is taken here")));
    }
    let Some(Value::Array(endpoints)) = returned.remove("endpoints") else {
        return Err(Unrecognized::new("`endpoints` is no list"));
    };
    let read = |(at, endpoint): (usize, Value)| {
        serde_json::from_value(endpoint).map_err(|error| Unrecognized::new(format!("`endpoints[{at}]`: {error}")))
    };
    endpoints.into_iter().enumerate().map(read).collect()
}

fn both() -> Vec<Family> {
    Family::BOTH.to_vec()
}

fn is_both(families: &[Family]) -> bool {
    families == Family::BOTH
}

fn parsed<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

fn endpoint_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EndpointId, D::Error> {
    parsed(deserializer, EndpointId::parse)
}

fn dns_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DnsName, D::Error> {
    parsed(deserializer, DnsName::folded)
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EndpointState, D::Error> {
    Ok(EndpointState::from_word(&String::deserialize(deserializer)?))
}

fn state_word<S: Serializer>(state: &EndpointState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.word())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn endpoint() -> Value {
        json!({
            "id": "vpce-0a", "state": "available", "serviceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0b",
            "ipAddressType": "dualstack",
            "names": [{"name": "vpce-0a-x-usw2-az1.vpce-svc-0b.us-west-2.vpce.amazonaws.com", "kind": "zonal",
                       "availabilityZoneId": "usw2-az1"}, {"name": "API.example.com.", "kind": "private"}],
            "addresses": {"ipv4": ["10.0.1.5"], "ipv6": ["2600:1f14::5"]}, "ports": [443],
            "inboundRules": [{"securityGroupId": "sg-0c", "protocol": "-1", "fromPort": null, "toPort": null,
                              "source": "10.0.0.0/16"}],
            "vpcDns": {"support": true, "hostnames": false},
        })
    }

    fn returned(endpoint: Value) -> Value {
        json!({"function": CONFIGURATOR, "mode": "enforce", "outcomes": [], "skipped": [], "endpoints": [endpoint]})
    }

    #[test]
    fn the_return_value_is_read_directly_and_from_a_destinations_record() {
        let value = returned(endpoint());
        let record = json!({
            "version": "1.0", "timestamp": "2026-01-31T12:00:00.000Z", "requestPayload": {},
            "requestContext": {"requestId": "1", "condition": "Success", "approximateInvokeCount": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}, "responsePayload": value,
        });
        let direct = endpoints_in(value.to_string().as_bytes()).unwrap();
        assert_eq!(direct, endpoints_in(record.to_string().as_bytes()).unwrap());
        let [endpoint] = direct.as_slice() else { panic!("{direct:?}") };
        assert_eq!(endpoint.service().unwrap().as_str(), "vpce-svc-0b");
        assert_eq!(endpoint.private_name().unwrap().as_str(), "api.example.com");
        assert_eq!((endpoint.families.as_slice(), endpoint.tls, &endpoint.http), (&Family::BOTH[..], false, &None));
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut facts = endpoint();
        facts["names"][1]["name"] = "api.example.com".into();
        facts["http"] = "/health".into();
        facts["tls"] = true.into();
        for families in [json!(["ipv4"]), json!(["ipv6", "ipv4"])] {
            facts["families"] = families;
            let read = endpoints_in(returned(facts.clone()).to_string().as_bytes()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), json!([facts]));
        }
    }

    #[test]
    fn nothing_else_is_taken() {
        let with = |pointer: &str, value: Value| {
            let mut event = returned(endpoint());
            *event.pointer_mut(pointer).unwrap() = value;
            event
        };
        for event in [
            json!({}),
            json!([]),
            json!(null),
            json!({"endpointIds": ["vpce-0a"]}),
            json!({"responsePayload": {"errorType": "Retry", "errorMessage": "later"}}),
            json!({"responsePayload": "text"}),
            json!({"responsePayload": {"responsePayload": returned(endpoint())}}),
            json!({"$serde_json::private::RawValue": returned(endpoint()).to_string()}),
            with("/function", json!("connection-acceptor")),
            with("/endpoints", json!({})),
            with("/endpoints/0/id", json!("vpce-svc-0a")),
            with("/endpoints/0/names/0/name", json!("a b")),
            with("/endpoints/0/names/0/kind", json!("public")),
            with("/endpoints/0/addresses/ipv4/0", json!("10.0.1.256")),
            with("/endpoints/0/ports", json!([0])),
            with("/endpoints/0/ports", json!([65_536])),
            with("/endpoints/0/ports", json!(["443"])),
        ] {
            assert!(endpoints_in(event.to_string().as_bytes()).is_err(), "{event}");
        }
        assert!(endpoints_in(b"\xff").is_err() && endpoints_in(b"").is_err());
        let error = endpoints_in(with("/endpoints/0/id", json!("x")).to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains("`endpoints[0]`") && error.contains("`x` is not a VPC endpoint's id"), "{error}");
    }
}
