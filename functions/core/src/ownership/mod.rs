//! What is to be done about a private DNS name, from the day it is given until the day it is taken away: the rule of
//! `domain-verifier`.
//!
//! ```text
//! no record -> written -> in sync -> readable -> check started -> verified -> watched
//! ```
//!
//! Every state has a next step or a reason to wait. A check that must fail is not started, nothing that others wrote is
//! lost, and nothing is ever removed.

mod diagnose;
mod domains;
mod memory;
mod planner;
mod record_set;
mod zone;

use std::fmt;

use time::OffsetDateTime;

use crate::diagnosis::Diagnosis;
use crate::dns::Seen;
use crate::ids::{DnsName, ServiceId};
use crate::notice::DomainNews;
use crate::observed::{DnsNameState, PrivateDns};
use crate::plan::Skip;

pub use diagnose::{Finding, readable, zone_line};
pub use domains::{DOMAINS_FILE, Domains, Publisher};
pub use memory::{Checks, Memory};
pub use planner::{plan_ownership, stale};
pub use record_set::{MOST_VALUES, TxtSet, quoted, unquoted};
pub use zone::{HostedZone, candidates, delegated_among};

/// How many seconds a new record lives.
pub const TTL: u32 = 300;

/// The TXT record that proves a name: its whole name, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// `<label>.<private DNS name without "*.">`.
    pub record: DnsName,
    /// The value, of which every letter's case counts.
    pub value: String,
}

impl Proof {
    /// Where the record goes and what it says. Nothing, as long as AWS has not told it.
    ///
    /// # Errors
    ///
    /// The private DNS name is no legal name, or none with the record's label before it.
    pub fn of(private_dns: &PrivateDns) -> Result<Option<Self>, Finding> {
        let PrivateDns { name, state: _, record } = private_dns;
        let illegal = |error: &dyn fmt::Display| {
            let fix = "give the service a private DNS name of lower-case letters, digits and `-` that is yours";
            Finding::new(Diagnosis::IllegalName, error.to_string(), fix)
        };
        let domain = DnsName::folded(name).map_err(|error| illegal(&error))?.without_wildcard();
        let Some(record) = record else { return Ok(None) };
        let value = record.value.clone();
        let record = domain.below(&record.label).map_err(|error| illegal(&error))?;
        Ok(Some(Self { record, value }))
    }

    /// The name below which the record stands, and for which a zone is looked for: nobody has a zone for a label that
    /// AWS made up.
    pub fn domain(&self) -> DnsName {
        self.record.and_above().nth(1).unwrap_or_else(|| self.record.clone())
    }
}

/// Everything that is known of one service's private DNS name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// The service.
    pub service: ServiceId,
    /// Its name, and how far the proof has come.
    pub private_dns: PrivateDns,
    /// What is remembered of it, which may be of another name.
    pub memory: Memory,
    /// Where its record belongs, and what is there.
    pub place: Place,
    /// The change of the zone that the record came with, where one is known of that may not be in sync yet.
    pub change: Option<Change>,
    /// What DNS says of the record, where it was asked.
    pub seen: Option<Seen>,
}

/// Where a record belongs, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It was not looked for, because there is no record to look for.
    NotAsked,
    /// In this hosted zone.
    Zone {
        /// The zone.
        zone: HostedZone,
        /// The role through which it is reached, where it is another account's.
        role: Option<String>,
        /// What stands there.
        set: Existing,
    },
    /// In none of the hosted zones that can be reached.
    NoZone {
        /// Whether there is a private one that holds the name.
        private: bool,
    },
    /// Wherever a person puts it.
    Person,
    /// AWS does not let the zone be looked at.
    Unreadable {
        /// AWS's error code.
        code: String,
        /// The whole story.
        detail: String,
        /// Whether it passes by itself.
        passes: bool,
    },
}

/// What stands in a zone where a record belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// Nothing.
    Nothing,
    /// A set of values.
    Values(TxtSet),
    /// Sets of a routing policy, or an alias: there is no one set that a value could be added to.
    NotSimple,
}

/// A change of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// Whether all of Route 53's name servers have it.
    pub in_sync: bool,
}

impl Domain {
    /// Whether the next step depends on what DNS says of the record.
    ///
    /// A name that is verified and whose record stands in its zone is not asked for, nor one that nobody can have yet.
    pub fn wants_dns(&self) -> bool {
        let Ok(Some(proof)) = Proof::of(&self.private_dns) else { return false };
        let proven = match self.private_dns.state {
            DnsNameState::Verified => true,
            DnsNameState::PendingVerification | DnsNameState::Failed => false,
            DnsNameState::Unknown(_) => return false,
        };
        match &self.place {
            Place::NotAsked => false,
            Place::Person => true,
            Place::NoZone { .. } | Place::Unreadable { .. } => !proven,
            Place::Zone { set: Existing::Nothing, .. } => false,
            Place::Zone { set: Existing::NotSimple, .. } => !proven,
            Place::Zone { set: Existing::Values(set), .. } => !proven && !self.is_changing() && set.says(&proof.value),
        }
    }

    /// Since when the name has not been verified, as far as that is remembered.
    pub fn waiting_since(&self) -> Option<OffsetDateTime> {
        let label = self.private_dns.record.as_ref().map_or("", |record| &record.label);
        self.memory.waiting.filter(|_| self.memory.label == label)
    }

    fn is_changing(&self) -> bool {
        self.change.as_ref().is_some_and(|change| !change.in_sync)
    }
}

/// What is to be done about one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainPlan {
    /// The service.
    pub service: ServiceId,
    /// What is to be done, in that order.
    pub steps: Vec<Step>,
    /// What is not, and why.
    pub skipped: Vec<Skip>,
    /// The record of a former name, which is no longer needed: said once, when the name has changed.
    pub stale: Option<Skip>,
    /// Whether something is under way that ends by itself, and before long.
    pub under_way: bool,
}

/// One thing to be done about a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write the record into its zone.
    WriteRecord(Write),
    /// Let AWS check the record.
    StartCheck,
    /// Tell the operators.
    Tell(Tell),
    /// Remember this in the service's tag.
    Remember(Memory),
    /// Nothing can be done about the zone, which AWS says with this code.
    Blocked {
        /// AWS's error code.
        code: String,
        /// Whether it passes by itself.
        passes: bool,
    },
}

/// An exchange of a record set: exactly what was read against that and one value more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The hosted zone's id.
    pub zone: String,
    /// The role through which it is reached.
    pub role: Option<String>,
    /// The record.
    pub record: DnsName,
    /// What was read; nothing, where nothing was there.
    pub before: Option<TxtSet>,
    /// What is to be there.
    pub after: TxtSet,
}

/// Something that the operators are to know about a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// What happened.
    pub news: DomainNews,
    /// Why, where something is wrong.
    pub finding: Option<Finding>,
    /// The record that proves the name.
    pub proof: Option<Proof>,
    /// How often the operators were told something of this record before.
    pub before: u32,
}

impl fmt::Display for DomainPlan {
    /// The dry run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, steps, skipped, stale, under_way: _ } = self;
        for step in steps {
            match step {
                Step::WriteRecord(Write { zone, record, before, after, role: _ }) => {
                    let beside = before.as_ref().map_or(0, |set| set.values.len());
                    let value = after.values.last().map_or("", String::as_str);
                    writeln!(
                        f,
                        "write-record  {record} TXT {value} into {zone} for {service}, beside {beside} values"
                    )?;
                }
                Step::StartCheck => writeln!(f, "start-check   of {service}")?,
                Step::Tell(Tell { news, finding, proof: _, before: _ }) => {
                    let why = finding.as_ref().map(|finding| format!(": {}", finding.detail)).unwrap_or_default();
                    writeln!(f, "publish       {} of {service}{why}", news.kind())?;
                }
                // What is remembered is no news to whoever reads a dry run.
                Step::Remember(_) => {}
                Step::Blocked { code, passes: _ } => writeln!(f, "blocked       {service} by `{code}`")?,
            }
        }
        stale.iter().chain(skipped).try_for_each(|skip| writeln!(f, "{skip}"))
    }
}
