//! The variables, read once, with all their faults in one message.

use std::fmt;

use serde::Serialize;

/// Whether a function acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It acts.
    #[default]
    Enforce,
    /// It plans and reports, and writes nothing.
    Observe,
}

/// A tag that a thing must bear to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// What `connection-acceptor` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptorConfig {
    /// Where AWS is, and who asks.
    pub aws: AwsConfig,
    /// Whether it acts.
    pub mode: Mode,
    /// The policy folder.
    pub policy_dir: String,
    /// Which services are looked at; all of them without it.
    pub service_tag: Option<TagFilter>,
}

/// The variables of AWS's own that every client needs. Lambda sets them.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsConfig {
    /// The Region.
    pub region: String,
    /// The id of the access key.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: String,
    /// The token of a role's session.
    pub session_token: Option<String>,
    /// Another place for EC2 than AWS's own.
    pub ec2_endpoint: Option<String>,
}

impl fmt::Debug for AwsConfig {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, access_key_id, secret_access_key: _, session_token: _, ec2_endpoint } = self;
        f.debug_struct("AwsConfig")
            .field("region", region)
            .field("access_key_id", access_key_id)
            .field("ec2_endpoint", ec2_endpoint)
            .finish_non_exhaustive()
    }
}

/// All that is wrong with the variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults(Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong: {}", self.0.join("; "))
    }
}

impl std::error::Error for ConfigFaults {}

impl AcceptorConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars { lookup, faults: Vec::new() };
        let config = Self {
            aws: vars.aws(),
            mode: vars.mode(),
            policy_dir: vars.policy_dir(),
            service_tag: vars.tag("PRIVATELINK_SERVICE_TAG"),
        };
        if vars.faults.is_empty() { Ok(config) } else { Err(ConfigFaults(vars.faults)) }
    }
}

struct Vars<L> {
    lookup: L,
    faults: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Vars<L> {
    /// A variable that is set. An empty one is a mistake: it would silently mean the default.
    fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        if value.is_empty() {
            self.faults.push(format!("`{name}` is empty; leave it out for the default"));
            return None;
        }
        Some(value)
    }

    fn required(&mut self, names: &[&str]) -> String {
        let before = self.faults.len();
        for name in names {
            if let Some(value) = self.get(name) {
                return value;
            }
        }
        if self.faults.len() == before {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            self.faults.push(format!("{} is not set", names.join(" or ")));
        }
        String::new()
    }

    fn aws(&mut self) -> AwsConfig {
        AwsConfig {
            region: self.required(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            access_key_id: self.required(&["AWS_ACCESS_KEY_ID"]),
            secret_access_key: self.required(&["AWS_SECRET_ACCESS_KEY"]),
            // Long-lived keys have none, and some launchers then set it to nothing.
            session_token: (self.lookup)("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            ec2_endpoint: self.endpoint("EC2"),
        }
    }

    fn endpoint(&mut self, service: &str) -> Option<String> {
        let own = format!("AWS_ENDPOINT_URL_{service}");
        for name in [own.as_str(), "AWS_ENDPOINT_URL"] {
            if let Some(url) = self.get(name) {
                if !url.starts_with("http://") && !url.starts_with("https://") {
                    self.faults.push(format!("`{name}` is `{url}`, which is no `http://` or `https://` address"));
                }
                return Some(url);
            }
        }
        None
    }

    fn mode(&mut self) -> Mode {
        match self.get("PRIVATELINK_MODE").as_deref() {
            None | Some("enforce") => Mode::Enforce,
            Some("observe") => Mode::Observe,
            Some(other) => {
                self.faults.push(format!("`PRIVATELINK_MODE` is `{other}`; it is `enforce` or `observe`"));
                Mode::Observe
            }
        }
    }

    fn policy_dir(&mut self) -> String {
        if let Some(folder) = self.get("PRIVATELINK_POLICY_DIR") {
            return folder;
        }
        match (self.lookup)("LAMBDA_TASK_ROOT").filter(|root| !root.is_empty()) {
            Some(root) => format!("{root}/policy"),
            None => {
                self.faults.push("`PRIVATELINK_POLICY_DIR` is not set, nor is `LAMBDA_TASK_ROOT`".to_owned());
                String::new()
            }
        }
    }

    fn tag(&mut self, name: &str) -> Option<TagFilter> {
        let text = self.get(name)?;
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Some(TagFilter { key: key.to_owned(), value: value.to_owned() }),
            _ => {
                self.faults.push(format!("`{name}` is `{text}`; it is `key=value`"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<AcceptorConfig, ConfigFaults> {
        AcceptorConfig::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const LAMBDA: [(&str, &str); 4] = [
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "very secret"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> Result<AcceptorConfig, ConfigFaults> {
        read(&[&LAMBDA, more].concat())
    }

    #[test]
    fn what_lambda_sets_is_enough() {
        let config = with(&[]).unwrap();
        assert_eq!(
            (config.mode, config.policy_dir.as_str(), config.service_tag),
            (Mode::Enforce, "/var/task/policy", None)
        );
        assert_eq!((config.aws.session_token, config.aws.ec2_endpoint), (None, None));
    }

    #[test]
    fn variables_are_read() {
        let config = with(&[
            ("PRIVATELINK_MODE", "observe"),
            ("PRIVATELINK_POLICY_DIR", "/opt/policy"),
            ("PRIVATELINK_SERVICE_TAG", "team=a=b"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:2"),
        ])
        .unwrap();
        assert_eq!((config.mode, config.policy_dir.as_str()), (Mode::Observe, "/opt/policy"));
        assert_eq!(config.service_tag, Some(TagFilter { key: "team".to_owned(), value: "a=b".to_owned() }));
        assert_eq!(config.aws.ec2_endpoint.as_deref(), Some("http://127.0.0.1:2"));
    }

    #[test]
    fn one_message_names_every_fault() {
        let faults = read(&[
            ("PRIVATELINK_MODE", "Enforce"),
            ("PRIVATELINK_SERVICE_TAG", "team"),
            ("AWS_ENDPOINT_URL", "localhost"),
            ("AWS_ACCESS_KEY_ID", ""),
        ]);
        let message = faults.unwrap_err().to_string();
        for name in [
            "PRIVATELINK_MODE",
            "PRIVATELINK_SERVICE_TAG",
            "PRIVATELINK_POLICY_DIR",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID` is empty",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(message.contains(name), "{name} is missing from: {message}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", with(&[("AWS_SESSION_TOKEN", "secret too")]).unwrap()).contains("secret"));
    }
}
