//! How variables are read: one by one, with every fault kept for the one message.

use std::net::SocketAddr;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{AwsConfig, ConfigFaults, Mode, TagFilter};
use crate::ids::TopicArn;

/// The variables, and what was found wrong with those that were read.
pub(super) struct Vars<L> {
    lookup: L,
    faults: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Vars<L> {
    pub(super) fn new(lookup: L) -> Self {
        Self { lookup, faults: Vec::new() }
    }

    /// What was read, if all of it was right.
    pub(super) fn finish<C>(self, config: C) -> Result<C, ConfigFaults> {
        if self.faults.is_empty() { Ok(config) } else { Err(ConfigFaults(self.faults)) }
    }

    /// Notes a fault, once: a variable that stands in for several others is read for each of them.
    pub(super) fn fault(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// A variable that is set. An empty one is a mistake: it would silently mean the default.
    pub(super) fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        if value.is_empty() {
            self.fault(format!("`{name}` is empty; leave it out for the default"));
            return None;
        }
        Some(value)
    }

    /// The first of the variables that is set; one of them must be.
    pub(super) fn required(&mut self, names: &[&str]) -> String {
        let before = self.faults.len();
        for name in names {
            if let Some(value) = self.get(name) {
                return value;
            }
        }
        if self.faults.len() == before {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            self.fault(format!("{} is not set", names.join(" or ")));
        }
        String::new()
    }

    /// What every client needs, and where EC2 is; where other services are, whoever talks to them asks.
    pub(super) fn aws(&mut self) -> AwsConfig {
        AwsConfig {
            region: self.required(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            access_key_id: self.required(&["AWS_ACCESS_KEY_ID"]),
            secret_access_key: self.required(&["AWS_SECRET_ACCESS_KEY"]),
            // Long-lived keys have none, and some launchers then set it to nothing.
            session_token: (self.lookup)("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            ec2_endpoint: self.endpoint("EC2"),
            sns_endpoint: None,
            route53_endpoint: None,
            sts_endpoint: None,
        }
    }

    /// Another place for one of AWS's services than AWS's own: `EC2`, `SNS`, `ROUTE_53`, `STS`.
    pub(super) fn endpoint(&mut self, service: &str) -> Option<String> {
        let own = format!("AWS_ENDPOINT_URL_{service}");
        for name in [own.as_str(), "AWS_ENDPOINT_URL"] {
            if let Some(url) = self.get(name) {
                if !url.starts_with("http://") && !url.starts_with("https://") {
                    self.fault(format!("`{name}` is `{url}`, which is no `http://` or `https://` address"));
                }
                return Some(url);
            }
        }
        None
    }

    pub(super) fn mode(&mut self) -> Mode {
        match self.get("PRIVATELINK_MODE").as_deref() {
            None | Some("enforce") => Mode::Enforce,
            Some("observe") => Mode::Observe,
            Some(other) => {
                self.fault(format!("`PRIVATELINK_MODE` is `{other}`; it is `enforce` or `observe`"));
                Mode::Observe
            }
        }
    }

    pub(super) fn policy_dir(&mut self) -> String {
        if let Some(folder) = self.get("PRIVATELINK_POLICY_DIR") {
            return folder;
        }
        match (self.lookup)("LAMBDA_TASK_ROOT").filter(|root| !root.is_empty()) {
            Some(root) => format!("{root}/policy"),
            None => {
                self.fault("`PRIVATELINK_POLICY_DIR` is not set, nor is `LAMBDA_TASK_ROOT`".to_owned());
                String::new()
            }
        }
    }

    /// The policy folder of a function that can do without it.
    pub(super) fn optional_policy_dir(&mut self) -> Option<String> {
        let root = || (self.lookup)("LAMBDA_TASK_ROOT").filter(|root| !root.is_empty());
        let default = root().map(|root| format!("{root}/policy"));
        self.get("PRIVATELINK_POLICY_DIR").or(default)
    }

    /// Name servers by their addresses, separated by commas.
    pub(super) fn dns_servers(&mut self) -> Vec<SocketAddr> {
        const NAME: &str = "PRIVATELINK_DNS_SERVER";
        let Some(text) = self.get(NAME) else { return Vec::new() };
        let mut servers = Vec::new();
        for server in text.split(',').map(str::trim) {
            match server.parse() {
                Ok(server) => servers.push(server),
                Err(_) => {
                    self.fault(format!("`{NAME}` holds `{server}`, which is no address and port: `127.0.0.1:53`"))
                }
            }
        }
        servers
    }

    pub(super) fn tag(&mut self, name: &str) -> Option<TagFilter> {
        let text = self.get(name)?;
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Some(TagFilter { key: key.to_owned(), value: value.to_owned() }),
            _ => {
                self.fault(format!("`{name}` is `{text}`; it is `key=value`"));
                None
            }
        }
    }

    /// A topic's ARN.
    pub(super) fn topic(&mut self, name: &str) -> Option<TopicArn> {
        let text = self.get(name)?;
        TopicArn::parse(&text).map_err(|error| self.fault(format!("`{name}`: {error}"))).ok()
    }

    /// A moment, as RFC 3339 writes it.
    pub(super) fn moment(&mut self, name: &str) -> Option<OffsetDateTime> {
        let text = self.get(name)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339).ok();
        if moment.is_none() {
            self.fault(format!("`{name}` is `{text}`; it is a time like `2026-01-31T12:00:00Z`"));
        }
        moment
    }

    /// How long one invocation goes on looking while something is under way.
    pub(super) fn watch(&mut self) -> Duration {
        const NAME: &str = "PRIVATELINK_WATCH_SECONDS";
        let Some(text) = self.get(NAME) else { return Duration::ZERO };
        // However many they are, an invocation ends before its own deadline.
        match text.parse::<u32>() {
            Ok(seconds) => Duration::from_secs(seconds.into()),
            Err(_) => {
                self.fault(format!("`{NAME}` is `{text}`; it is a whole number of seconds, such as `50`"));
                Duration::ZERO
            }
        }
    }
}
