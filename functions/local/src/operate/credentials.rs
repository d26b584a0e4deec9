//! Who asks, where no variable says so: whoever the `aws` command line would be.
//!
//! Profiles, single sign-on, roles and metadata services are what that tool exists for, and most who operate AWS have
//! it. It is asked for nothing but keys.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The SDK's own variables of the keys, with the names that `aws configure export-credentials` has for them.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
    ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
    ("AWS_SESSION_TOKEN", "SessionToken"),
];

/// What to do without.
const ADVICE: &str = "set `AWS_REGION`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or install the `aws` command \
                      line and log in";

/// The variables of Region and keys that are not set, as the `aws` command line has them. Nothing, where they are set.
///
/// # Errors
///
/// They are not set, and the tool is not there or knows nobody.
pub(crate) fn from_tool(profile: Option<&str>) -> Result<BTreeMap<&'static str, String>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    if profile.is_some() || !set("AWS_ACCESS_KEY_ID") {
        let told = ask(profile, &["export-credentials", "--format", "process"])?;
        let keys: Value =
            serde_json::from_str(&told).map_err(|error| format!("`aws` told no keys: {error}; {ADVICE}"))?;
        for (name, field) in KEYS {
            // A set that is half of one and half of another is nobody's: what the tool leaves out is empty.
            let key = keys.get(field).and_then(Value::as_str).unwrap_or_default();
            found.insert(name, key.to_owned());
        }
        if !set("AWS_REGION") && !set("AWS_DEFAULT_REGION") {
            let region = ask(profile, &["get", "region"]).unwrap_or_default();
            found.extend((!region.trim().is_empty()).then(|| ("AWS_REGION", region.trim().to_owned())));
        }
    }
    Ok(found)
}

fn ask(profile: Option<&str>, what: &[&str]) -> Result<String, Box<dyn Error>> {
    let mut command = Command::new("aws");
    command.arg("configure").args(what).args(profile.iter().flat_map(|name| ["--profile", name])).stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| format!("there are no keys, and `aws` can not be asked: {error}; {ADVICE}"))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("there are no keys, and `aws` knows none: {}; {ADVICE}", said.trim()).into())
}
