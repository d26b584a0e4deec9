//! `privatelink check`: would this policy folder load, and does it say what its author means?

use std::path::Path;
use std::process::ExitCode;

use privatelink_aws::folder::{load, load_domains};
use privatelink_core::policy::PolicyFaults;
use serde_json::json;

use crate::style::{BAD, DIM, GOOD, WAITS, paint};

fn texts(faults: &PolicyFaults) -> Vec<String> {
    faults.faults().iter().map(ToString::to_string).collect()
}

/// Checks a folder, says what was found, and ends with 0 if it can be deployed.
pub(crate) fn run(dir: &Path, strict: bool, as_json: bool) -> ExitCode {
    let loaded = load(dir);
    let (mut faults, warnings) = match &loaded {
        Ok(policy) => (Vec::new(), policy.warnings()),
        Err(faults) => (texts(faults), Vec::new()),
    };
    if dir.is_dir() {
        faults.extend(load_domains(dir).err().iter().flat_map(texts));
    }
    let good = faults.is_empty() && (warnings.is_empty() || !strict);
    if as_json {
        let (policies, consumers, digest) = match &loaded {
            Ok(policy) => (policy.len(), policy.consumers().iter().count(), Some(policy.digest())),
            Err(_) => (0, 0, None),
        };
        let report = json!({"ok": good, "faults": faults, "warnings": warnings,
                            "policies": policies, "consumers": consumers, "digest": digest});
        anstream::println!("{report}");
    } else {
        for fault in &faults {
            anstream::println!("{} {fault}", paint(BAD, "fault  "));
        }
        for warning in &warnings {
            anstream::println!("{} {warning}", paint(WAITS, "warning"));
        }
        match &loaded {
            Ok(policy) => {
                let (policies, consumers) = (policy.len(), policy.consumers().iter().count());
                let said = if good { paint(GOOD, "ok     ") } else { paint(BAD, "refused") };
                anstream::println!("{said} {policies} policies, {consumers} consumers");
                anstream::println!("{}", paint(DIM, policy.digest()));
            }
            Err(_) => {
                let said = paint(BAD, "refused");
                anstream::println!("{said} with this folder nothing would be accepted and nothing rejected");
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
