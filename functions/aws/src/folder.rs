//! The policy folder: read at the start, and again when its files change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use privatelink_core::ownership::{DOMAINS_FILE, Domains};
use privatelink_core::policy::{CONSUMERS_FILE, Consumers, Policy, PolicyFaults, Sources};

/// A folder, and the policy that its files were when they were last looked at.
#[derive(Debug)]
pub struct PolicyFolder {
    path: PathBuf,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    sources: Sources,
    policy: Result<Arc<Policy>, PolicyFaults>,
}

impl PolicyFolder {
    /// Names the folder, and reads nothing yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), kept: Mutex::new(None) }
    }

    /// The policy as its files are now. They are few and small: comparing them whole costs less than being wrong about
    /// when they changed.
    ///
    /// # Errors
    ///
    /// Every fault of the folder.
    pub fn current(&self) -> Result<Arc<Policy>, PolicyFaults> {
        let sources = read_sources(&self.path)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some(Kept { sources: before, policy }) if *before == sources => policy.clone(),
            _ => {
                let policy = Policy::load(&sources).map(Arc::new);
                *kept = Some(Kept { sources, policy: policy.clone() });
                policy
            }
        }
    }
}

/// The policy that a folder holds now, for whoever looks once.
///
/// # Errors
///
/// Every fault of the folder.
pub fn load(folder: &Path) -> Result<Policy, PolicyFaults> {
    Policy::load(&read_sources(folder)?)
}

/// The domains that a folder's `domains.toml` lists. Neither the file nor the folder need be there.
///
/// # Errors
///
/// Every fault of the file.
pub fn load_domains(folder: &Path) -> Result<Domains, PolicyFaults> {
    match fs::read(folder.join(DOMAINS_FILE)) {
        Ok(bytes) => Domains::load(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Domains::default()),
        Err(error) => Err(PolicyFaults::unreadable(&folder.display().to_string(), &format!("{DOMAINS_FILE}: {error}"))),
    }
}

/// The consumers that a folder lists now, for whoever needs no policy: a fault of another file is none of theirs.
///
/// # Errors
///
/// Every fault of `consumers.toml`.
pub fn load_consumers(folder: &Path) -> Result<Consumers, PolicyFaults> {
    match fs::read(folder.join(CONSUMERS_FILE)) {
        Ok(content) => Consumers::load(&[(CONSUMERS_FILE, content)].into_iter().collect()),
        // It is the loader that says what a missing file means.
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
            Consumers::load(&Sources::default())
        }
        Err(error) => {
            let what = format!("{CONSUMERS_FILE}: {error}");
            Err(PolicyFaults::unreadable(&folder.display().to_string(), &what))
        }
    }
}

/// The files of a folder that are part of a policy.
fn read_sources(folder: &Path) -> Result<Sources, PolicyFaults> {
    read_files(folder).map_err(|error| PolicyFaults::unreadable(&folder.display().to_string(), &error.to_string()))
}

fn read_files(folder: &Path) -> io::Result<Sources> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // A name that is not UTF-8 is none of the policy's.
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && Sources::wants(name)
        {
            let content = fs::read(&path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
            files.push((name.to_owned(), content));
        }
    }
    Ok(files.into_iter().collect())
}
