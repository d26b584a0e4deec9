//! The variables of `domain-verifier`.

use std::net::SocketAddr;
use std::time::Duration;

use super::{AwsConfig, ConfigFaults, Mode, TagFilter, Vars};
use crate::ids::TopicArn;

/// What `domain-verifier` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierConfig {
    /// Where AWS is, and who asks.
    pub aws: AwsConfig,
    /// Whether it acts.
    pub mode: Mode,
    /// The policy folder, of which it reads `domains.toml`. That file is optional, and so is the folder.
    pub policy_dir: Option<String>,
    /// Which services are looked at; all of them without it.
    pub service_tag: Option<TagFilter>,
    /// The topic for what a person must see; without it such notices go to the log.
    pub operator_topic: Option<TopicArn>,
    /// How long one invocation goes on looking while a change or a check is under way.
    pub watch: Duration,
    /// The servers that are asked instead of the domain's own name servers; those, where it is empty.
    pub dns_servers: Vec<SocketAddr>,
}

impl VerifierConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(lookup);
        let mut aws = vars.aws();
        aws.route53_endpoint = vars.endpoint("ROUTE_53");
        aws.sns_endpoint = vars.endpoint("SNS");
        aws.sts_endpoint = vars.endpoint("STS");
        let config = Self {
            aws,
            mode: vars.mode(),
            policy_dir: vars.optional_policy_dir(),
            service_tag: vars.tag("PRIVATELINK_SERVICE_TAG"),
            operator_topic: vars.topic("PRIVATELINK_OPERATOR_TOPIC_ARN"),
            watch: vars.watch(),
            dns_servers: vars.dns_servers(),
        };
        vars.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(more: &[(&'static str, &'static str)]) -> Result<VerifierConfig, ConfigFaults> {
        let aws = [("AWS_REGION", "us-west-2"), ("AWS_ACCESS_KEY_ID", "1"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let vars = [more, &aws].concat();
        VerifierConfig::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_lambda_sets_is_enough() {
        let config = with(&[]).unwrap();
        assert_eq!((config.mode, config.policy_dir, config.service_tag), (Mode::Enforce, None, None));
        assert_eq!((config.operator_topic, config.watch, config.dns_servers), (None, Duration::ZERO, Vec::new()));
        let lambda = with(&[("LAMBDA_TASK_ROOT", "/var/task")]).unwrap();
        assert_eq!(lambda.policy_dir.as_deref(), Some("/var/task/policy"));
    }

    #[test]
    fn variables_are_read() {
        let config = with(&[
            ("PRIVATELINK_DNS_SERVER", "127.0.0.1:5300, [::1]:53"),
            ("PRIVATELINK_WATCH_SECONDS", "50"),
            ("PRIVATELINK_OPERATOR_TOPIC_ARN", "arn:aws:sns:us-west-2:999988887777:operators"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_ROUTE_53", "http://127.0.0.1:2"),
        ])
        .unwrap();
        assert_eq!(config.dns_servers, ["127.0.0.1:5300".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(config.watch, Duration::from_secs(50));
        assert_eq!(config.aws.route53_endpoint.as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(config.aws.sts_endpoint.as_deref(), Some("http://127.0.0.1:1"));
    }

    #[test]
    fn one_message_names_every_fault() {
        let faults = with(&[
            ("PRIVATELINK_DNS_SERVER", "127.0.0.1,ns1.example.com:53"),
            ("PRIVATELINK_WATCH_SECONDS", "soon"),
            ("PRIVATELINK_OPERATOR_TOPIC_ARN", "operators"),
            ("PRIVATELINK_POLICY_DIR", ""),
        ]);
        let message = faults.unwrap_err().to_string();
        for word in ["`127.0.0.1`", "`ns1.example.com:53`", "WATCH_SECONDS", "OPERATOR_TOPIC_ARN", "POLICY_DIR"] {
            assert!(message.contains(word), "{word} is missing from: {message}");
        }
    }
}
