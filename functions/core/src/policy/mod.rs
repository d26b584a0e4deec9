//! The policy: a folder of Cedar files and `consumers.toml`, read as a whole or refused as a whole.
//!
//! [`Policy::load`] takes the folder's files as bytes and finds every fault of every file before it says no.
//! [`Policy::at`] prepares the judging of one service's connections. Nothing outside this module knows Cedar.

mod cedar;
mod consumers;
mod entities;
mod judge;
mod nearest;

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

pub use consumers::{Consumer, Consumers};
pub use judge::{Counts, Decision, Facts, HoldReason, Judge, Verdict};
pub use nearest::NearMiss;

use cedar::CedarPolicies;

/// The Cedar schema that every policy is held to, as `privatelink schema` prints it.
pub const SCHEMA: &str = include_str!("privatelink.cedarschema");

/// The name of the file that lists the consumers.
pub const CONSUMERS_FILE: &str = "consumers.toml";

/// The files of a policy folder that concern the policy, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, Vec<u8>>);

impl Sources {
    /// Whether a file of that name is part of the policy.
    pub fn wants(name: &str) -> bool {
        name == CONSUMERS_FILE || (name.ends_with(".cedar") && !name.starts_with('.'))
    }

    /// A digest over the names and contents of all the files, to tell two policies apart in a log.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (name, content) in &self.0 {
            for part in [name.as_bytes(), content.as_slice()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    fn cedar(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.0.iter().filter(|(name, _)| *name != CONSUMERS_FILE);
        files.map(|(name, content)| (name.as_str(), content.as_slice()))
    }
}

impl<N: Into<String>, C: Into<Vec<u8>>> FromIterator<(N, C)> for Sources {
    /// Keeps the files that are part of a policy and leaves out all others.
    fn from_iter<I: IntoIterator<Item = (N, C)>>(files: I) -> Self {
        let files = files.into_iter().map(|(name, content)| (name.into(), content.into()));
        Self(files.filter(|(name, _): &(String, _)| Self::wants(name)).collect())
    }
}

/// One thing that is wrong with a policy folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, or the folder itself.
    pub file: String,
    /// The line, counted from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Fault {
    pub(crate) fn new(file: &str, line: Option<usize>, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {what}"),
            None => write!(f, "{file}: {what}"),
        }
    }
}

/// Everything that is wrong with a policy folder. While it is, nothing is accepted and nothing is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFaults(Vec<Fault>);

impl PolicyFaults {
    /// A folder that could not be read at all.
    pub fn unreadable(folder: &str, cause: &str) -> Self {
        Self(vec![Fault::new(folder, None, format!("the policy folder can not be read: {cause}"))])
    }

    /// These faults, of which there is at least one.
    pub(crate) fn of(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        Self(faults)
    }

    /// The faults, in the order of their files and lines.
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for PolicyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the policy has a fault")?,
            n => write!(f, "the policy has {n} faults")?,
        }
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyFaults {}

/// A policy without a fault.
pub struct Policy {
    cedar: CedarPolicies,
    consumers: Consumers,
    entities: entities::Known,
    digest: String,
}

impl fmt::Debug for Policy {
    /// Shows which policy it is; the whole would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("digest", &self.digest).field("policies", &self.len()).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads, parses and validates a whole folder.
    ///
    /// # Errors
    ///
    /// Every fault of every file, each with its file, its line and its cause.
    pub fn load(sources: &Sources) -> Result<Self, PolicyFaults> {
        let mut faults = Vec::new();
        let consumers = Consumers::read(sources, &mut faults);
        let cedar = CedarPolicies::read(sources, &mut faults);
        if !faults.is_empty() {
            faults.sort();
            return Err(PolicyFaults(faults));
        }
        let entities = entities::Known::of(&consumers)
            .map_err(|error| PolicyFaults(vec![Fault::new(CONSUMERS_FILE, None, error.to_string())]))?;
        Ok(Self { cedar, consumers, entities, digest: sources.digest() })
    }

    /// The consumers that `consumers.toml` lists.
    pub fn consumers(&self) -> &Consumers {
        &self.consumers
    }

    /// The digest of the files that it was read from.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many policies it has.
    pub fn len(&self) -> usize {
        self.cedar.len()
    }

    /// Whether it has no policy at all; a folder without one is refused, so this is never true.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is legal and probably not meant: Cedar's own warnings, ids that no consumer has, and consumers that are
    /// permitted both actions.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.cedar.warnings(&self.consumers);
        warnings.extend(judge::permitted_both(self));
        warnings
    }
}
