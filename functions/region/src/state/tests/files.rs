//! Documents in files.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder of the test's own that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("privatelink-state-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_world_goes_through_a_file_and_leaves_nothing_beside_it() {
    let folder = Folder::new("through");
    let path = folder.0.join("world.json");
    assert!(Region::load_from(&path, Clock::standing).unwrap().is_none());
    let Rich { region, .. } = rich();
    for _ in 0..2 {
        region.step(Duration::from_secs(1));
        region.save_to(&path).unwrap();
        let loaded = Region::load_from(&path, Clock::standing).unwrap().unwrap();
        assert_eq!(loaded.save().unwrap(), region.save().unwrap());
        assert_eq!(folder.names(), ["world.json"]);
    }
}

#[test]
fn what_can_not_be_read_or_written_is_said_with_its_name() {
    let folder = Folder::new("refused");
    let Rich { region, .. } = rich();
    // A folder stands where the file is to be.
    let taken = folder.0.join("taken");
    fs::create_dir_all(taken.join("x")).unwrap();
    let fault = region.save_to(&taken).unwrap_err().to_string();
    assert!(fault.contains("taken` can not be written: "), "{fault}");
    assert_eq!(folder.names(), ["taken"]);
    let fault = Region::load_from(&taken, Clock::standing).unwrap_err().to_string();
    assert!(fault.contains("taken` can not be read: "), "{fault}");
    let broken = folder.0.join("broken.json");
    fs::write(&broken, "{").unwrap();
    let fault = Region::load_from(&broken, Clock::standing).unwrap_err().to_string();
    assert!(fault.contains("broken.json`: this is no JSON: "), "{fault}");
}
