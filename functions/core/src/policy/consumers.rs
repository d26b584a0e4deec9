//! `consumers.toml`: who the customers are, by name, and which accounts are theirs.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{CONSUMERS_FILE, Fault, PolicyFaults, Sources};
use crate::ids::{AccountId, TopicArn};
use crate::tables::{Tables, Value};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its name, which no other has.
    pub name: String,
    /// Its AWS accounts, each of which belongs to it alone.
    pub accounts: Vec<AccountId>,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// How many connections it may have, for policies that ask.
    pub max_connections: Option<i64>,
    /// Its own SNS topic.
    pub topic: Option<TopicArn>,
}

/// All customers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumers {
    list: Vec<Consumer>,
    by_account: BTreeMap<AccountId, usize>,
}

impl Consumers {
    /// Reads `consumers.toml` alone, for whoever needs names and topics and no policy.
    ///
    /// # Errors
    ///
    /// Every fault of the file.
    pub fn load(sources: &Sources) -> Result<Self, PolicyFaults> {
        let mut faults = Vec::new();
        let consumers = Self::read(sources, &mut faults);
        if faults.is_empty() { Ok(consumers) } else { Err(PolicyFaults::of(faults)) }
    }

    /// The consumer that an account belongs to.
    pub fn of(&self, account: &AccountId) -> Option<&Consumer> {
        self.list.get(*self.by_account.get(account)?)
    }

    /// The consumers, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Consumer> {
        self.list.iter()
    }

    pub(super) fn read(sources: &Sources, faults: &mut Vec<Fault>) -> Self {
        let Some(bytes) = sources.0.get(CONSUMERS_FILE) else {
            // A policy that forbids a group would forbid nobody if the list were taken for empty.
            faults.push(Fault::new(
                CONSUMERS_FILE,
                None,
                "the file is missing; an empty one means that nobody is listed",
            ));
            return Self::default();
        };
        let mut reader = Reader::default();
        Tables::walk(CONSUMERS_FILE, bytes, "consumer", faults, |tables, table, at| reader.consumer(tables, table, at));
        reader.consumers
    }
}

#[derive(Default)]
struct Reader {
    consumers: Consumers,
    /// Where each consumer's name stands, for the fault of whoever comes second.
    lines: BTreeMap<String, usize>,
}

impl Reader {
    fn consumer(&mut self, tables: &mut Tables<'_>, table: &DeTable<'_>, at: usize) {
        let mut name = None;
        let mut accounts = None;
        let mut groups = Vec::new();
        let mut max_connections = None;
        let mut topic = None;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => name = tables.string("name", value),
                "accounts" => accounts = Some(accounts_of(tables, value)),
                "groups" => groups = tables.strings("groups", value).into_iter().map(|(group, _)| group).collect(),
                "maxConnections" => max_connections = max_connections_of(tables, value),
                "topic" => topic = topic_of(tables, value),
                unknown => tables.fault(
                    key.span().start,
                    format!("unknown key `{unknown}`; a consumer has `name`, `accounts`, `groups`, `maxConnections`, `topic`"),
                ),
            }
        }
        if !table.contains_key("name") {
            tables.fault(at, "a consumer without `name`");
        }
        if accounts.is_none() {
            tables.fault(at, "a consumer without `accounts`");
        }
        let (Some(name), Some(accounts)) = (name, accounts) else { return };
        let line = tables.line(at);
        if let Some(first) = self.lines.get(&name) {
            return tables.fault(at, format!("the name `{name}` is that of the consumer in line {first} already"));
        }
        self.lines.insert(name.clone(), line);
        self.add(tables, Consumer { name, accounts: Vec::new(), groups, max_connections, topic }, accounts);
    }

    /// Adds a consumer with those of its accounts that nobody has claimed before.
    fn add(&mut self, tables: &mut Tables<'_>, mut consumer: Consumer, accounts: Vec<(AccountId, usize)>) {
        let index = self.consumers.list.len();
        for (account, at) in accounts {
            match self.consumers.by_account.get(&account) {
                Some(other) if *other == index => tables.fault(at, format!("the account `{account}` is listed twice")),
                Some(other) => {
                    let other = self.consumers.list.get(*other).map_or("", |other| &other.name).to_owned();
                    tables.fault(at, format!("the account `{account}` belongs to the consumer `{other}` already"));
                }
                None => {
                    self.consumers.by_account.insert(account.clone(), index);
                    consumer.accounts.push(account);
                }
            }
        }
        self.consumers.list.push(consumer);
    }
}

fn accounts_of(tables: &mut Tables<'_>, value: &Value<'_>) -> Vec<(AccountId, usize)> {
    let mut accounts = Vec::new();
    for (text, at) in tables.strings("accounts", value) {
        match AccountId::parse(&text) {
            Ok(account) => accounts.push((account, at)),
            Err(error) => tables.fault(at, error.to_string()),
        }
    }
    accounts
}

fn max_connections_of(tables: &mut Tables<'_>, value: &Value<'_>) -> Option<i64> {
    let number = value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
    if number.is_none_or(|n| n < 0) {
        tables.fault(value.span().start, "`maxConnections` is no whole number from 0 up");
        return None;
    }
    number
}

fn topic_of(tables: &mut Tables<'_>, value: &Value<'_>) -> Option<TopicArn> {
    let topic = tables.string("topic", value)?;
    TopicArn::parse(&topic).map_err(|error| tables.fault(value.span().start, error.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Consumers, PolicyFaults> {
        Consumers::load(&[(CONSUMERS_FILE, text)].into_iter().collect())
    }

    fn faults(text: &str) -> Vec<String> {
        load(text).unwrap_err().faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_consumer_is_found_by_any_of_its_accounts() {
        let consumers = load(
            r#"
            [[consumer]]
            name = "acme"
            accounts = ["111122223333", "000022223333"]
            groups = ["partners"]
            maxConnections = 20
            topic = "arn:aws:sns:us-west-2:999988887777:acme"
            [[consumer]]
            name = "beta"
            accounts = ["222233334444"]
            "#,
        )
        .unwrap();
        let acme = consumers.of(&AccountId::parse("000022223333").unwrap()).unwrap();
        assert_eq!((acme.name.as_str(), acme.max_connections), ("acme", Some(20)));
        assert_eq!(consumers.of(&AccountId::parse("222233334444").unwrap()).unwrap().groups, [""; 0]);
        assert_eq!(consumers.of(&AccountId::parse("999999999999").unwrap()), None);
    }

    #[test]
    fn an_empty_file_lists_nobody_and_a_missing_one_is_a_fault() {
        assert_eq!(load("").unwrap().iter().count(), 0);
        assert!(Consumers::load(&Sources::default()).is_err());
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_lines() {
        let found = faults(
            r#"colour = "red"
[[consumer]]
name = "acme"
accounts = ["11112222333", 111122223333]
group = ["partners"]
maxConnections = -1
topic = "acme"
[[consumer]]
name = "beta"
accounts = ["222233334444", "222233334444"]
[[consumer]]
name = "gamma"
accounts = ["222233334444"]
[[consumer]]
name = "beta"
accounts = []
[[consumer]]
groups = [""]
"#,
        );
        let expected = [
            "consumers.toml:1: unknown key `colour`",
            "consumers.toml:4: `11112222333` is not an AWS account id",
            "consumers.toml:4: `accounts` wants strings",
            "consumers.toml:5: unknown key `group`",
            "consumers.toml:6: `maxConnections`",
            "consumers.toml:7: `acme` is not a topic's ARN",
            "consumers.toml:10: the account `222233334444` is listed twice",
            "consumers.toml:13: the account `222233334444` belongs to the consumer `beta`",
            "consumers.toml:14: the name `beta`",
            "consumers.toml:17: a consumer without `name`",
            "consumers.toml:17: a consumer without `accounts`",
            "consumers.toml:18: `groups` holds an empty string",
        ];
        for start in expected {
            assert!(found.iter().any(|fault| fault.starts_with(start)), "{start} is missing from {found:#?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }

    #[test]
    fn a_syntax_error_has_its_line() {
        let found = faults("[[consumer]]\nname = \n");
        assert!(found[0].starts_with("consumers.toml:2: "), "{found:?}");
        assert!(load("consumer = 3").is_err());
        assert!(load("consumer = [3]").is_err());
        let bytes: Sources = [(CONSUMERS_FILE, vec![0xff])].into_iter().collect();
        assert!(Consumers::load(&bytes).is_err());
    }
}
