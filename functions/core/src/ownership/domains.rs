//! `domains.toml`: the domains whose record is not simply put into a Route 53 zone of the own account.

use std::collections::BTreeMap;

use crate::ids::{AccountId, DnsName};
use crate::policy::PolicyFaults;
use crate::tables::Tables;

/// The name of the file that lists the domains.
pub const DOMAINS_FILE: &str = "domains.toml";

/// How the record of a domain is published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Publisher {
    /// By this product, in a Route 53 zone of its own account.
    #[default]
    Own,
    /// By this product, in a zone that is reached through this role.
    Role(String),
    /// By a person, wherever the domain lives.
    Person,
}

/// All domains that are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains(BTreeMap<DnsName, Publisher>);

impl Domains {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Every fault of it, each with its line.
    pub fn load(bytes: &[u8]) -> Result<Self, PolicyFaults> {
        let mut faults = Vec::new();
        let mut domains = Self::default();
        let mut lines = BTreeMap::new();
        Tables::walk(DOMAINS_FILE, bytes, "domain", &mut faults, |tables, table, at| {
            let mut name = None;
            let mut dns = None;
            let mut role = None;
            for (key, value) in table {
                let place = value.span().start;
                match key.get_ref().as_ref() {
                    "name" => {
                        if let Some(text) = tables.string("name", value) {
                            match DnsName::parse(&text) {
                                Ok(found) if !text.starts_with("*.") => name = Some(found),
                                Ok(_) => tables.fault(place, format!("`{text}` is no domain; leave `*.` out")),
                                Err(error) => tables.fault(place, error.to_string()),
                            }
                        }
                    }
                    "dns" => match tables.string("dns", value).as_deref() {
                        Some(word @ ("route53" | "manual")) => dns = Some(word == "manual"),
                        Some(other) => {
                            tables.fault(place, format!("`dns` is `{other}`; it is `route53` or `manual`"));
                        }
                        None => {}
                    },
                    "roleArn" => {
                        if let Some(text) = tables.string("roleArn", value) {
                            if is_role(&text) {
                                role = Some(text);
                            } else {
                                let what = format!("`{text}` is no role's ARN: `arn:aws:iam::<account>:role/<name>`");
                                tables.fault(place, what);
                            }
                        }
                    }
                    unknown => {
                        let what = format!("unknown key `{unknown}`; a domain has `name`, `dns`, `roleArn`");
                        tables.fault(key.span().start, what);
                    }
                }
            }
            if !table.contains_key("name") {
                tables.fault(at, "a domain without `name`");
            }
            if dns == Some(true) && table.contains_key("roleArn") {
                tables.fault(at, "`roleArn` is of no use with `dns = \"manual\"`");
            }
            let Some(name) = name else { return };
            let line = tables.line(at);
            if let Some(first) = lines.insert(name.clone(), line) {
                return tables.fault(at, format!("the domain `{name}` is in line {first} already"));
            }
            let publisher = match (dns, role) {
                (Some(true), _) => Publisher::Person,
                (_, Some(role)) => Publisher::Role(role),
                (_, None) => Publisher::Own,
            };
            domains.0.insert(name, publisher);
        });
        if faults.is_empty() { Ok(domains) } else { Err(PolicyFaults::of(faults)) }
    }

    /// How a name's record is published: as the longest domain says that holds it.
    pub fn publisher(&self, name: &DnsName) -> Publisher {
        name.and_above().find_map(|name| self.0.get(&name)).cloned().unwrap_or_default()
    }
}

fn is_role(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            partition.starts_with("aws")
                && AccountId::parse(account).is_ok()
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_domain_wins() {
        let domains = Domains::load(
            br#"
            [[domain]]
            name = "example.com"
            dns = "manual"
            [[domain]]
            name = "eu.example.com"
            roleArn = "arn:aws:iam::444455556666:role/path/dns"
            [[domain]]
            name = "own.eu.example.com"
            dns = "route53"
            "#,
        )
        .unwrap();
        let publisher = |name| domains.publisher(&DnsName::parse(name).unwrap());
        assert_eq!(publisher("example.com"), Publisher::Person);
        assert_eq!(publisher("a.b.example.com"), Publisher::Person);
        let role = Publisher::Role("arn:aws:iam::444455556666:role/path/dns".to_owned());
        assert_eq!(publisher("*.eu.example.com"), role);
        assert_eq!(publisher("x.own.eu.example.com"), Publisher::Own);
        assert_eq!(publisher("notexample.com"), Publisher::Own);
        assert_eq!(Domains::load(b"").unwrap(), Domains::default());
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_lines() {
        let text = r#"colour = "red"
[[domain]]
name = "Example.com"
dns = "bind"
[[domain]]
dns = "manual"
roleArn = "arn:aws:iam::444455556666:role/dns"
[[domain]]
name = "a.example"
roleArn = "dns"
zone = "Z1"
[[domain]]
name = "a.example"
[[domain]]
name = "*.b.example"
"#;
        let faults = Domains::load(text.as_bytes()).unwrap_err();
        let found: Vec<String> = faults.faults().iter().map(ToString::to_string).collect();
        let expected = [
            "domains.toml:1: unknown key `colour`",
            "domains.toml:3: `Example.com` is not a DNS name in lower case",
            "domains.toml:4: `dns` is `bind`",
            "domains.toml:5: a domain without `name`",
            "domains.toml:5: `roleArn` is of no use",
            "domains.toml:10: `dns` is no role's ARN",
            "domains.toml:11: unknown key `zone`",
            "domains.toml:12: the domain `a.example` is in line 8 already",
            "domains.toml:15: `*.b.example` is no domain",
        ];
        for start in expected {
            assert!(found.iter().any(|fault| fault.starts_with(start)), "{start} is missing from {found:#?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        assert!(Domains::load(b"domain = 3").is_err() && Domains::load(&[0xff]).is_err());
    }
}
