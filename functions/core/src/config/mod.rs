//! The variables, read once, with all their faults in one message.

mod acceptor;
mod configurator;
mod notifier;
mod prober;
mod vars;
mod verifier;

use std::fmt;

use serde::Serialize;

pub use acceptor::AcceptorConfig;
pub use configurator::ConfiguratorConfig;
pub use notifier::NotifierConfig;
pub use prober::ProberConfig;
pub use verifier::VerifierConfig;

use vars::Vars;

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

/// The variables of AWS's own that every client needs. Lambda sets them.
///
/// A function reads the addresses of those services only that it talks to.
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
    /// Another place for SNS.
    pub sns_endpoint: Option<String>,
    /// Another place for Route 53.
    pub route53_endpoint: Option<String>,
    /// Another place for STS.
    pub sts_endpoint: Option<String>,
}

impl fmt::Debug for AwsConfig {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            access_key_id,
            secret_access_key: _,
            session_token: _,
            ec2_endpoint,
            sns_endpoint,
            route53_endpoint,
            sts_endpoint,
        } = self;
        f.debug_struct("AwsConfig")
            .field("region", region)
            .field("access_key_id", access_key_id)
            .field("ec2_endpoint", ec2_endpoint)
            .field("sns_endpoint", sns_endpoint)
            .field("route53_endpoint", route53_endpoint)
            .field("sts_endpoint", sts_endpoint)
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
