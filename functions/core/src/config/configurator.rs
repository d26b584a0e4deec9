//! The variables of `endpoint-configurator`.

use std::num::NonZeroU16;
use std::time::Duration;

use super::{AwsConfig, ConfigFaults, Mode, TagFilter, Vars};
use crate::endpoint::{AddressType, ports_in};

/// What `endpoint-configurator` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguratorConfig {
    /// Where AWS is, and who asks.
    pub aws: AwsConfig,
    /// Whether it acts.
    pub mode: Mode,
    /// Which endpoints are looked at: those of somebody else are in the same account, so there is no default.
    pub endpoint_tag: TagFilter,
    /// Which addresses endpoints are to have.
    pub ip_address_type: AddressType,
    /// Whether private DNS is to be turned on.
    pub private_dns: bool,
    /// The ports that the prober is to try, where an endpoint names none.
    pub probe_ports: Vec<NonZeroU16>,
    /// How long one invocation goes on looking while an endpoint is pending.
    pub watch: Duration,
}

impl ConfiguratorConfig {
    /// Reads the variables through `lookup`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        const TAG: &str = "PRIVATELINK_ENDPOINT_TAG";
        let mut vars = Vars::new(lookup);
        let aws = vars.aws();
        let mode = vars.mode();
        vars.required(&[TAG]);
        let endpoint_tag = vars.tag(TAG);
        let ip_address_type = ip_address_type(&mut vars);
        let private_dns = private_dns(&mut vars);
        let probe_ports = probe_ports(&mut vars);
        let watch = vars.watch();
        let config = endpoint_tag.map(|endpoint_tag| Self {
            aws,
            mode,
            endpoint_tag,
            ip_address_type,
            private_dns,
            probe_ports,
            watch,
        });
        vars.finish(config)?.ok_or_else(|| ConfigFaults(vec![format!("`{TAG}` is not set")]))
    }
}

fn ip_address_type(vars: &mut Vars<impl Fn(&str) -> Option<String>>) -> AddressType {
    const NAME: &str = "PRIVATELINK_IP_ADDRESS_TYPE";
    let Some(text) = vars.get(NAME) else { return AddressType::Dualstack };
    AddressType::from_word(&text).unwrap_or_else(|| {
        vars.fault(format!("`{NAME}` is `{text}`; it is `ipv4`, `dualstack` or `ipv6`"));
        AddressType::Dualstack
    })
}

fn private_dns(vars: &mut Vars<impl Fn(&str) -> Option<String>>) -> bool {
    const NAME: &str = "PRIVATELINK_PRIVATE_DNS";
    match vars.get(NAME).as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            vars.fault(format!("`{NAME}` is `{other}`; it is `true` or `false`"));
            false
        }
    }
}

fn probe_ports(vars: &mut Vars<impl Fn(&str) -> Option<String>>) -> Vec<NonZeroU16> {
    const NAME: &str = "PRIVATELINK_PROBE_PORTS";
    let text = vars.get(NAME).unwrap_or_else(|| "443".to_owned());
    ports_in(&text).unwrap_or_else(|bad| {
        vars.fault(format!("`{NAME}` holds `{bad}`, which is no port; it is a list like `443,8443`"));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: [(&str, &str); 4] = [
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "very secret"),
        ("PRIVATELINK_ENDPOINT_TAG", "privatelink=managed"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> Result<ConfiguratorConfig, ConfigFaults> {
        let vars = [more, &LAMBDA].concat();
        ConfiguratorConfig::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn numbers(config: &ConfiguratorConfig) -> Vec<u16> {
        config.probe_ports.iter().map(|port| port.get()).collect()
    }

    #[test]
    fn a_tag_is_all_that_is_wanted_beside_what_lambda_sets() {
        let config = with(&[]).unwrap();
        assert_eq!(
            (config.mode, config.ip_address_type, config.private_dns),
            (Mode::Enforce, AddressType::Dualstack, false)
        );
        assert_eq!((numbers(&config), config.watch), (vec![443], Duration::ZERO));
        assert_eq!((config.endpoint_tag.key.as_str(), config.endpoint_tag.value.as_str()), ("privatelink", "managed"));
        let bare = ConfiguratorConfig::from_vars(|_| None).unwrap_err().to_string();
        assert_eq!(bare.matches("PRIVATELINK_ENDPOINT_TAG").count(), 1, "{bare}");
    }

    #[test]
    fn variables_are_read() {
        let config = with(&[
            ("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:2"),
            ("PRIVATELINK_MODE", "observe"),
            ("PRIVATELINK_IP_ADDRESS_TYPE", "ipv6"),
            ("PRIVATELINK_PRIVATE_DNS", "true"),
            ("PRIVATELINK_PROBE_PORTS", "8443, 443,8443"),
            ("PRIVATELINK_WATCH_SECONDS", "50"),
        ])
        .unwrap();
        assert_eq!(config.aws.ec2_endpoint.as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!((config.mode, config.ip_address_type, config.private_dns), (Mode::Observe, AddressType::Ipv6, true));
        assert_eq!((numbers(&config), config.watch), (vec![443, 8443], Duration::from_secs(50)));
    }

    #[test]
    fn one_message_names_every_fault_once() {
        let wrong = [
            ("PRIVATELINK_ENDPOINT_TAG", "managed"),
            ("PRIVATELINK_IP_ADDRESS_TYPE", "dual-stack"),
            ("PRIVATELINK_PRIVATE_DNS", "yes"),
            ("PRIVATELINK_PROBE_PORTS", "443,https"),
            ("PRIVATELINK_WATCH_SECONDS", "-1"),
            ("PRIVATELINK_MODE", "Enforce"),
        ];
        let message = with(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert_eq!(message.matches(name).count(), 1, "{name}: {message}");
        }
    }

    #[test]
    fn what_is_empty_or_no_port_is_a_mistake() {
        for name in ["PRIVATELINK_IP_ADDRESS_TYPE", "PRIVATELINK_PRIVATE_DNS", "PRIVATELINK_PROBE_PORTS"] {
            assert!(with(&[(name, "")]).is_err(), "{name}");
        }
        for ports in ["0", "65536", "-1", "443-445", "+443", ",", "443;80"] {
            assert!(with(&[("PRIVATELINK_PROBE_PORTS", ports)]).is_err(), "{ports}");
        }
    }
}
