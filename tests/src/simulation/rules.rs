//! The policies that are in force one after the other: each as Cedar, for the product, and said once more in Rust, for
//! whoever checks the product.

use crate::stage::{ACME, BETA, STRANGER};

/// The second account of the consumer `acme`.
pub const ACME_TOO: &str = "111122224444";
/// How many connections `acme` may have to one service, with both accounts.
pub const MOST: usize = 3;

/// Everybody who connects.
pub const ACCOUNTS: [&str; 4] = [ACME, ACME_TOO, BETA, STRANGER];

/// Who is who.
pub const CONSUMERS: &str = r#"
[[consumer]]
name = "acme"
accounts = ["111122223333", "111122224444"]
groups = ["partners"]
maxConnections = 3

[[consumer]]
name = "beta"
accounts = ["222233334444"]
groups = ["blocked"]
topic = "arn:aws:sns:eu-west-1:222233334444:connections"
"#;

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted.
    Accept,
    /// It is rejected.
    Reject,
    /// A person decides.
    Hold,
}

/// A policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Partners are welcome up to their limit, the blocked are turned away.
    Usual,
    /// The same, but that nobody is welcome from another Region.
    Near,
    /// Whoever is listed nowhere is welcome as well.
    Open,
    /// Nobody is welcome, and nobody is turned away.
    Closed,
    /// The blocked are welcome, whoever is listed nowhere is turned away, and partners wait.
    Turned,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Usual, Self::Near, Self::Open, Self::Closed, Self::Turned];

    /// The policy as the product reads it.
    pub fn cedar(self) -> String {
        let partners = r#"@id("partners") permit(principal in PrivateLink::Group::"partners",
            action == PrivateLink::Action::"Accept", resource)
            when { principal has consumer && principal.consumer has maxConnections
                && context.consumerConnections < principal.consumer.maxConnections };"#;
        let blocked = r#"@id("blocked") permit(principal in PrivateLink::Group::"blocked",
            action == PrivateLink::Action::"Reject", resource);"#;
        let strangers = |action: &str| {
            format!(
                r#"@id("strangers") permit(principal, action == PrivateLink::Action::"{action}", resource)
                unless {{ principal has consumer }};"#
            )
        };
        match self {
            Self::Usual => format!("{partners}\n{blocked}"),
            Self::Near => format!(
                "{partners}\n{blocked}\n{}",
                r#"@id("near") forbid(principal, action == PrivateLink::Action::"Accept", resource)
                    when { context.crossRegion };"#
            ),
            Self::Open => format!("{partners}\n{blocked}\n{}", strangers("Accept")),
            Self::Closed => format!(
                "{partners}\n{}",
                r#"@id("closed") forbid(principal, action == PrivateLink::Action::"Accept", resource);"#
            ),
            Self::Turned => format!(
                "{}\n{}",
                r#"@id("blocked") permit(principal in PrivateLink::Group::"blocked",
                    action == PrivateLink::Action::"Accept", resource);"#,
                strangers("Reject")
            ),
        }
    }

    /// What it says of an account whose consumer has so many other connections to the service, and whose endpoint is or
    /// is not in another Region.
    pub fn judge(self, account: &str, abroad: bool, others: usize) -> Verdict {
        let (partner, blocked) = (consumer(account) == "acme", consumer(account) == "beta");
        match self {
            Self::Closed => Verdict::Hold,
            Self::Near if abroad && !blocked => Verdict::Hold,
            Self::Usual | Self::Near | Self::Open if partner => {
                if others < MOST {
                    Verdict::Accept
                } else {
                    Verdict::Hold
                }
            }
            Self::Usual | Self::Near | Self::Open if blocked => Verdict::Reject,
            Self::Usual | Self::Near => Verdict::Hold,
            Self::Open => Verdict::Accept,
            Self::Turned if partner => Verdict::Hold,
            Self::Turned if blocked => Verdict::Accept,
            Self::Turned => Verdict::Reject,
        }
    }
}

/// Whose connections are counted together.
pub fn consumer(account: &str) -> &str {
    match account {
        ACME | ACME_TOO => "acme",
        BETA => "beta",
        other => other,
    }
}
