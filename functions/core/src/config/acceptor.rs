//! The variables of `connection-acceptor`.

use super::{AwsConfig, ConfigFaults, Mode, TagFilter, Vars};

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

impl AcceptorConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(lookup);
        let config = Self {
            aws: vars.aws(),
            mode: vars.mode(),
            policy_dir: vars.policy_dir(),
            service_tag: vars.tag("PRIVATELINK_SERVICE_TAG"),
        };
        vars.finish(config)
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
