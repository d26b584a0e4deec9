//! Documents in files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use time::OffsetDateTime;

use super::StateFault;
use crate::Region;
use crate::clock::Clock;

impl Region {
    /// Saves the world to a file: the whole of it, or the file stays as it was.
    ///
    /// # Errors
    ///
    /// As [`Region::save`], or the file can not be written.
    pub fn save_to(&self, path: &Path) -> Result<(), StateFault> {
        let text = self.save()?;
        write(path, &text).map_err(|error| StateFault::of(format!("`{}` can not be written: {error}", path.display())))
    }

    /// Loads the world from a file as [`Region::load`] does; `None`, if there is no such file.
    ///
    /// # Errors
    ///
    /// As [`Region::load`], or the file can not be read.
    pub fn load_from(path: &Path, clock: impl FnOnce(OffsetDateTime) -> Clock) -> Result<Option<Self>, StateFault> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateFault::of(format!("`{}` can not be read: {error}", path.display()))),
        };
        let region = Self::load(&text, clock).map_err(|fault| StateFault {
            problems: fault.problems.into_iter().map(|problem| format!("`{}`: {problem}", path.display())).collect(),
        });
        region.map(Some)
    }
}

/// Writes beside the file and then puts that in its place, which nobody can see half done.
fn write(path: &Path, text: &str) -> io::Result<()> {
    /// Two that save at once each have a file of their own; the last one stays.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);

    let name = path.file_name().ok_or_else(|| io::Error::other("this is no name of a file"))?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}-{}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed)));
    let beside = path.with_file_name(beside);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        // A name that is there after the power failed is that of a whole file.
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // What went wrong is told; that something is left beside it is the smaller harm.
        let _ = fs::remove_file(&beside);
    }
    done
}
