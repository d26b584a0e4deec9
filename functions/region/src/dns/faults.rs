//! What is wrong with the world's DNS, when somebody asks for it. What is wrong with a zone's records themselves needs
//! nothing here: it is written into the zone.

use serde::{Deserialize, Serialize};

use crate::route53::Name;

/// Something that is not as it is by itself. Where two contradict each other, the later counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsFault {
    /// The zone's name.
    pub zone: Name,
    /// What is with it.
    pub kind: DnsFaultKind,
}

/// What can be with a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsFaultKind {
    /// The domain above does not delegate it.
    NotDelegated,
    /// The domain above delegates it to the name servers of the zone with that id, rather than to those of the one that
    /// was made first.
    DelegatedToZone(String),
    /// The domain above delegates it to these name servers.
    DelegatedElsewhere(Vec<Name>),
    /// The domain above has a DS record for it, to which its servers have no key.
    DnssecBroken,
    /// The resolver learns its name servers from themselves, as resolvers do, and so fails where they fail. By itself it
    /// says what the domain above delegates, whatever becomes of it.
    NameServersFromZone,
    /// Name servers of it do not answer as they should.
    Servers {
        /// Which, from 0 to 3; none is all of them.
        #[serde(default)]
        which: Vec<usize>,
        /// What they do.
        how: ServerFault,
    },
}

/// What a name server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFault {
    /// It fails: `SERVFAIL`.
    Servfail,
    /// It will not answer: `REFUSED`.
    Refused,
    /// It never answers.
    Silence,
    /// Over UDP it only says that the answer has to be asked for over TCP.
    Truncated,
    /// It answers as of so many seconds ago.
    SecondsBehind(u32),
    /// It has not heard of the last change.
    BeforeLastChange,
}

/// What was asked for.
#[derive(Debug, Default)]
pub struct Dns {
    faults: Vec<DnsFault>,
}

impl Dns {
    /// Lets something go wrong from now on.
    pub fn add(&mut self, fault: DnsFault) {
        self.faults.push(fault);
    }

    /// Puts a zone right again, or all of them.
    pub fn mend(&mut self, zone: Option<&Name>) {
        self.faults.retain(|fault| zone.is_some_and(|zone| *zone != fault.zone));
    }

    /// All that is wrong now.
    pub fn faults(&self) -> &[DnsFault] {
        &self.faults
    }

    /// Whether name servers of some zone may say different things.
    pub(crate) fn differs(&self) -> bool {
        self.faults.iter().any(|fault| match &fault.kind {
            DnsFaultKind::Servers { how, .. } => match how {
                ServerFault::SecondsBehind(_) | ServerFault::BeforeLastChange => true,
                ServerFault::Servfail | ServerFault::Refused | ServerFault::Silence | ServerFault::Truncated => false,
            },
            DnsFaultKind::NotDelegated
            | DnsFaultKind::DelegatedToZone(_)
            | DnsFaultKind::DelegatedElsewhere(_)
            | DnsFaultKind::DnssecBroken
            | DnsFaultKind::NameServersFromZone => false,
        })
    }

    /// What somebody wants of the delegation of a zone.
    pub(super) fn delegation(&self, zone: &Name) -> Option<&DnsFaultKind> {
        self.of(zone).find(|kind| match kind {
            DnsFaultKind::NotDelegated | DnsFaultKind::DelegatedToZone(_) | DnsFaultKind::DelegatedElsewhere(_) => true,
            DnsFaultKind::DnssecBroken | DnsFaultKind::NameServersFromZone | DnsFaultKind::Servers { .. } => false,
        })
    }

    pub(super) fn has(&self, zone: &Name, wanted: &DnsFaultKind) -> bool {
        self.of(zone).any(|kind| kind == wanted)
    }

    /// What is wrong with one of a zone's name servers.
    pub(super) fn server(&self, zone: &Name, server: usize) -> Option<ServerFault> {
        self.of(zone).find_map(|kind| match kind {
            DnsFaultKind::Servers { which, how } => (which.is_empty() || which.contains(&server)).then_some(*how),
            DnsFaultKind::NotDelegated
            | DnsFaultKind::DelegatedToZone(_)
            | DnsFaultKind::DelegatedElsewhere(_)
            | DnsFaultKind::DnssecBroken
            | DnsFaultKind::NameServersFromZone => None,
        })
    }

    /// The latest first.
    fn of(&self, zone: &Name) -> impl Iterator<Item = &DnsFaultKind> {
        self.faults.iter().rev().filter(move |fault| fault.zone == *zone).map(|fault| &fault.kind)
    }
}
