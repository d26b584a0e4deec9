//! What one ModifyVpcEndpoint sets, and what a process remembers of those that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use time::{Duration, OffsetDateTime};

use super::AddressType;
use crate::ids::{EndpointId, ServiceId};
use crate::report::Thing;

/// How often a process sets the same thing within [`WITHIN`]: once, and once more after that was undone.
const MOST: usize = 2;
/// After this long an undoing is forgotten. Somebody who changes an endpoint now and then fights nobody.
const WITHIN: Duration = Duration::days(1);

/// A group of settings that are decided, and may be undone, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The IP address type and the DNS record type.
    Addresses,
    /// Private DNS.
    PrivateDns,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Addresses => "the IP address type or the DNS record type",
            Self::PrivateDns => "private DNS",
        })
    }
}

/// One change of one endpoint: one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The service, for the report.
    pub service: ServiceId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The addresses that it gets, if they are to change.
    pub ip_address_type: Option<AddressType>,
    /// The DNS records that it gets, if they are to change.
    pub dns_record_ip_type: Option<AddressType>,
    /// Whether private DNS is turned on.
    pub private_dns: bool,
}

impl Change {
    /// The settings that it sets.
    pub fn settings(&self) -> impl Iterator<Item = Setting> + use<> {
        let Self { service: _, endpoint: _, ip_address_type, dns_record_ip_type, private_dns } = self;
        let addresses = ip_address_type.is_some() || dns_record_ip_type.is_some();
        let settings = [addresses.then_some(Setting::Addresses), private_dns.then_some(Setting::PrivateDns)];
        settings.into_iter().flatten()
    }

    /// The same change in parts, one for each setting, for where AWS takes the one and not the other.
    pub fn parts(&self) -> Vec<Self> {
        let part = |setting| match setting {
            Setting::Addresses => Self { private_dns: false, ..self.clone() },
            Setting::PrivateDns => Self { ip_address_type: None, dns_record_ip_type: None, ..self.clone() },
        };
        self.settings().map(part).collect()
    }

    /// What it is done to, as the return value says it.
    pub fn thing(&self) -> Thing {
        let Self { service, endpoint, ip_address_type, dns_record_ip_type, private_dns } = self;
        let word = |kind: &Option<AddressType>| kind.map(|kind| kind.word().to_owned());
        let more = [
            ("ipAddressType", word(ip_address_type)),
            ("dnsRecordIpType", word(dns_record_ip_type)),
            ("privateDnsEnabled", private_dns.then(|| "true".to_owned())),
        ];
        let more = more.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Thing { service: service.clone(), endpoint: Some(endpoint.clone()), more }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, endpoint, ip_address_type, dns_record_ip_type, private_dns } = self;
        write!(f, "modify  {endpoint} to {service}:")?;
        let mut separator = "";
        for (name, kind) in [("addresses", ip_address_type), ("DNS records", dns_record_ip_type)] {
            if let Some(kind) = kind {
                write!(f, "{separator} {name} {kind}")?;
                separator = ",";
            }
        }
        if *private_dns {
            write!(f, "{separator} private DNS on")?;
        }
        Ok(())
    }
}

/// What a process remembers of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// When each setting was set.
    set: BTreeMap<Setting, Vec<OffsetDateTime>>,
    /// What was set in the run that goes on.
    set_now: BTreeSet<Setting>,
    /// What AWS did not take in the run that goes on.
    not_taken: BTreeSet<Setting>,
}

impl Memory {
    /// A new run begins: what was not taken in the last one may be by now.
    pub fn begin(&mut self) {
        self.set_now.clear();
        self.not_taken.clear();
    }

    /// AWS took the change.
    pub fn took(&mut self, change: &Change, at: OffsetDateTime) {
        for setting in change.settings() {
            self.set.entry(setting).or_default().push(at);
            self.set_now.insert(setting);
        }
    }

    /// AWS did not take the change.
    pub fn not_taken(&mut self, change: &Change) {
        self.not_taken.extend(change.settings());
    }

    /// Whether the setting was set in this run, so that AWS only does not show it yet.
    pub(super) fn is_set_now(&self, setting: Setting) -> bool {
        self.set_now.contains(&setting)
    }

    /// Whether AWS would not take the setting in this run, which its outcome says.
    pub(super) fn was_not_taken(&self, setting: Setting) -> bool {
        self.not_taken.contains(&setting)
    }

    /// Whether something else keeps undoing the setting.
    pub(super) fn is_undone(&self, setting: Setting, now: OffsetDateTime) -> bool {
        let lately = |at: &&OffsetDateTime| now - **at < WITHIN;
        self.set.get(&setting).is_some_and(|times| times.iter().filter(lately).count() >= MOST)
    }
}
