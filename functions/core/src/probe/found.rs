//! What the shell is to find out, and the words in which it says what it found.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU16;

use super::judge::{Standing, standing};
use super::{Family, HttpPath, Target, Vantage};
use crate::dns::Trouble;
use crate::ids::DnsName;

/// A question to the DNS: a name's addresses of one family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The name.
    pub name: DnsName,
    /// The family.
    pub family: Family,
}

/// What the DNS said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// These addresses, at least one.
    To(Vec<IpAddr>),
    /// The name exists, and has no address of that family.
    NoRecord,
    /// The name does not exist.
    NoName,
    /// There was no answer that says anything.
    Trouble(Trouble),
}

/// What is tried at one address and one port. Names that lead to the same address share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// The address.
    pub address: IpAddr,
    /// The TCP port.
    pub port: NonZeroU16,
    /// The name that the certificate has to hold, where TLS is tried.
    pub tls: Option<DnsName>,
    /// The HTTP request, where one is made: its host and its path.
    pub http: Option<(DnsName, HttpPath)>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// All that was tried works.
    Works {
        /// The status of the HTTP answer, if one was asked for.
        status: Option<u16>,
    },
    /// It could not be tried, for a reason of this system.
    NotTried(String),
    /// There is no way to such an address from here, with the system's reason.
    NoRoute(String),
    /// Nobody answered.
    TimedOut {
        /// The address that it was tried from.
        source: IpAddr,
    },
    /// The connection was refused.
    Refused,
    /// The connection was made, and then cut or left without a word.
    Cut(String),
    /// It failed in another way.
    Failed(String),
    /// The certificate is none for the name, or none that is trusted.
    BadCertificate(String),
    /// What answers does not speak TLS, or none that is spoken here.
    NoTls(String),
    /// What answers does not speak HTTP.
    NoHttp(String),
    /// The service says that it is broken, with that status.
    ServerError(u16),
}

/// Everything that was found out. What is not here was not tried in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What the DNS said.
    pub resolved: BTreeMap<Question, Resolved>,
    /// What came of the contacts.
    pub reached: BTreeMap<Contact, Reached>,
}

/// The questions that the targets come to. The other family is asked for even where it does not have to work: it shows
/// whose answers these are.
pub fn questions(targets: &[Target]) -> BTreeSet<Question> {
    let of = |target: &Target| {
        let name = target.asked();
        Family::BOTH.map(|family| Question { name: name.clone(), family })
    };
    targets.iter().filter(|target| !target.families.is_empty()).flat_map(of).collect()
}

/// The contacts that the answers lead to.
pub fn contacts(targets: &[Target], from: Vantage, found: &Found) -> BTreeSet<Contact> {
    let mut contacts = BTreeSet::new();
    for target in targets {
        for family in &target.families {
            if let Standing::Connect(addresses) = standing(target, *family, from, found) {
                contacts.extend(target.ports.iter().flat_map(|port| target.contacts(&addresses, *port)));
            }
        }
    }
    contacts
}

impl Target {
    /// What is tried at these addresses and that port.
    pub(super) fn contacts(&self, addresses: &[IpAddr], port: NonZeroU16) -> Vec<Contact> {
        let host = || self.tls.clone().unwrap_or_else(|| self.asked());
        let http = self.http.as_ref().map(|path| (host(), path.clone()));
        let contact = |address: &IpAddr| Contact { address: *address, port, tls: self.tls.clone(), http: http.clone() };
        addresses.iter().map(contact).collect()
    }
}
