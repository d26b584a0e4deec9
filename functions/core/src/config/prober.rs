//! The variables of `connectivity-prober`, which needs neither a Region nor keys.

use std::net::SocketAddr;

use super::{ConfigFaults, Mode, Vars};

/// What `connectivity-prober` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProberConfig {
    /// What the report says of the mode. A probe writes nothing, so that both modes try the same.
    pub mode: Mode,
    /// The servers that are asked instead of the system's resolver; that, where it is empty.
    pub dns_servers: Vec<SocketAddr>,
}

impl ProberConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(lookup);
        let config = Self { mode: vars.mode(), dns_servers: vars.dns_servers() };
        vars.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_to_be_set_and_all_that_is_wrong_is_told_at_once() {
        let config = ProberConfig::from_vars(|_| None).unwrap();
        assert_eq!(config, ProberConfig { mode: Mode::Enforce, dns_servers: Vec::new() });
        let wrong = |name: &str| match name {
            "PRIVATELINK_MODE" => Some("maybe".to_owned()),
            "PRIVATELINK_DNS_SERVER" => Some("10.0.0.2".to_owned()),
            _ => None,
        };
        let message = ProberConfig::from_vars(wrong).unwrap_err().to_string();
        assert!(message.contains("`maybe`") && message.contains("`10.0.0.2`"), "{message}");
    }
}
