//! The variables of `availability-notifier`.

use std::time::Duration;

use time::OffsetDateTime;

use super::{AwsConfig, ConfigFaults, Mode, TagFilter, Vars};
use crate::ids::TopicArn;

/// What `availability-notifier` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierConfig {
    /// Where AWS is, and who asks.
    pub aws: AwsConfig,
    /// Whether it acts.
    pub mode: Mode,
    /// The policy folder, of which it reads `consumers.toml`.
    pub policy_dir: String,
    /// Which services are looked at; all of them without it.
    pub service_tag: Option<TagFilter>,
    /// The topic for consumers that name none of their own.
    pub notice_topic: TopicArn,
    /// The topic for what a person must see; without it such notices go to the log.
    pub operator_topic: Option<TopicArn>,
    /// Connections that are older and bear no tag are known, and not told of the state that they were found in.
    pub notify_since: Option<OffsetDateTime>,
    /// How long one invocation goes on looking while a connection is on its way.
    pub watch: Duration,
}

impl NotifierConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        const TOPIC: &str = "PRIVATELINK_NOTICE_TOPIC_ARN";
        let mut vars = Vars::new(lookup);
        let mut aws = vars.aws();
        aws.sns_endpoint = vars.endpoint("SNS");
        let mode = vars.mode();
        let policy_dir = vars.policy_dir();
        let service_tag = vars.tag("PRIVATELINK_SERVICE_TAG");
        vars.required(&[TOPIC]);
        let notice_topic = vars.topic(TOPIC);
        let operator_topic = vars.topic("PRIVATELINK_OPERATOR_TOPIC_ARN");
        let notify_since = vars.moment("PRIVATELINK_NOTIFY_SINCE");
        let watch = vars.watch();
        let config = notice_topic.map(|notice_topic| Self {
            aws,
            mode,
            policy_dir,
            service_tag,
            notice_topic,
            operator_topic,
            notify_since,
            watch,
        });
        vars.finish(config)?.ok_or_else(|| ConfigFaults(vec![format!("`{TOPIC}` is not set")]))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const LAMBDA: [(&str, &str); 5] = [
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "very secret"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("PRIVATELINK_NOTICE_TOPIC_ARN", "arn:aws:sns:us-west-2:999988887777:notices"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> Result<NotifierConfig, ConfigFaults> {
        let vars = [more, &LAMBDA].concat();
        NotifierConfig::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_topic_is_all_that_is_wanted_beside_what_lambda_sets() {
        let config = with(&[]).unwrap();
        assert_eq!((config.mode, config.policy_dir.as_str()), (Mode::Enforce, "/var/task/policy"));
        assert_eq!(config.notice_topic.as_str(), "arn:aws:sns:us-west-2:999988887777:notices");
        assert_eq!((config.operator_topic, config.notify_since, config.watch), (None, None, Duration::ZERO));
        let bare = NotifierConfig::from_vars(|_| None).unwrap_err().to_string();
        assert_eq!(bare.matches("PRIVATELINK_NOTICE_TOPIC_ARN").count(), 1, "{bare}");
    }

    #[test]
    fn variables_are_read() {
        let config = with(&[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:2"),
            ("PRIVATELINK_OPERATOR_TOPIC_ARN", "arn:aws-cn:sns:cn-north-1:999988887777:operators.fifo"),
            ("PRIVATELINK_NOTIFY_SINCE", "2026-01-31T13:00:00+01:00"),
            ("PRIVATELINK_WATCH_SECONDS", "840"),
        ])
        .unwrap();
        assert_eq!(config.aws.ec2_endpoint.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(config.aws.sns_endpoint.as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!((config.aws.route53_endpoint, config.aws.sts_endpoint), (None, None));
        assert!(config.operator_topic.unwrap().is_fifo());
        assert_eq!(config.notify_since, Some(datetime!(2026-01-31 12:00 UTC)));
        assert_eq!(config.watch, Duration::from_secs(840));
    }

    #[test]
    fn one_message_names_every_fault_once() {
        let message = with(&[
            ("AWS_ENDPOINT_URL", "localhost"),
            ("PRIVATELINK_NOTICE_TOPIC_ARN", "notices"),
            ("PRIVATELINK_OPERATOR_TOPIC_ARN", ""),
            ("PRIVATELINK_NOTIFY_SINCE", "yesterday"),
            ("PRIVATELINK_WATCH_SECONDS", "-1"),
        ])
        .unwrap_err()
        .to_string();
        for name in [
            "AWS_ENDPOINT_URL",
            "PRIVATELINK_NOTICE_TOPIC_ARN",
            "PRIVATELINK_OPERATOR_TOPIC_ARN",
            "PRIVATELINK_NOTIFY_SINCE",
            "PRIVATELINK_WATCH_SECONDS",
        ] {
            assert_eq!(message.matches(name).count(), 1, "{name}: {message}");
        }
        for seconds in ["-1", "1.5", "5s", ""] {
            assert!(with(&[("PRIVATELINK_WATCH_SECONDS", seconds)]).is_err(), "{seconds}");
        }
    }
}
