//! Who may ask for a connection, against who is listed: a service's allowed principals and `consumers.toml`.
//!
//! The two are kept in different places, and nothing keeps them together: a customer that is listed and not allowed can
//! not even ask, and an account that is allowed and not listed waits for a person.

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::{AccountId, ServiceId};
use crate::policy::Consumers;

/// One difference at one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A consumer's account that may not ask.
    NotAllowed {
        /// The service.
        service: ServiceId,
        /// The consumer.
        consumer: String,
        /// Its account.
        account: AccountId,
    },
    /// A principal that may ask, and whose account no consumer has.
    NotListed {
        /// The service.
        service: ServiceId,
        /// The principal, as AWS shows it.
        principal: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed { service, consumer, account } => write!(
                f,
                "`{consumer}` can not ask from {account} at {service}: aws ec2 modify-vpc-endpoint-service-permissions \
                 --service-id {service} --add-allowed-principals arn:aws:iam::{account}:root"
            ),
            Self::NotListed { service, principal } => {
                write!(f, "`{principal}` may ask at {service}, and no consumer in consumers.toml has its account")
            }
        }
    }
}

/// What differs at one service, both ways.
pub fn differences(service: &ServiceId, allowed: &[String], consumers: &Consumers) -> Vec<Difference> {
    // Everybody may ask: then nobody is shut out, and nobody in particular is let in.
    if allowed.iter().any(|principal| principal == "*") {
        return Vec::new();
    }
    let accounts: BTreeSet<AccountId> = allowed.iter().filter_map(|principal| account_of(principal)).collect();
    let listed = consumers.iter().flat_map(|consumer| consumer.accounts.iter().map(move |account| (consumer, account)));
    let shut_out = listed.filter(|(_, account)| !accounts.contains(*account)).map(|(consumer, account)| {
        Difference::NotAllowed { service: service.clone(), consumer: consumer.name.clone(), account: account.clone() }
    });
    let unlisted =
        allowed.iter().filter(|principal| account_of(principal).is_none_or(|account| consumers.of(&account).is_none()));
    let unlisted =
        unlisted.map(|principal| Difference::NotListed { service: service.clone(), principal: principal.clone() });
    let mut differences: Vec<_> = shut_out.chain(unlisted).collect();
    differences.sort();
    differences
}

/// The account in a principal: `arn:aws:iam::111122223333:root`, or the account alone.
fn account_of(principal: &str) -> Option<AccountId> {
    AccountId::parse(principal.split(':').nth(4).unwrap_or(principal)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Sources;

    fn found(allowed: &[&str]) -> Vec<String> {
        let files: Sources = [(
            "consumers.toml",
            "[[consumer]]\nname = \"acme\"\naccounts = [\"111122223333\"]\n[[consumer]]\nname = \"beta\"\naccounts = [\"222233334444\"]\n",
        )]
        .into_iter()
        .collect();
        let consumers = Consumers::load(&files).unwrap();
        let allowed: Vec<_> = allowed.iter().map(|principal| (*principal).to_owned()).collect();
        let service = ServiceId::parse("vpce-svc-0a").unwrap();
        differences(&service, &allowed, &consumers).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_are_told_both_ways() {
        let text = found(&["arn:aws:iam::111122223333:root", "arn:aws:iam::999999999999:role/x", "odd"]).join("\n");
        assert!(text.contains("`beta` can not ask from 222233334444"), "{text}");
        assert!(
            text.contains("`arn:aws:iam::999999999999:role/x` may ask") && text.contains("`odd` may ask"),
            "{text}"
        );
        assert!(!text.contains("acme"), "{text}");
    }

    #[test]
    fn where_everybody_may_ask_nothing_differs() {
        assert_eq!(found(&["*", "arn:aws:iam::999999999999:root"]), [""; 0]);
        assert_eq!(found(&["arn:aws:iam::111122223333:root", "222233334444"]), [""; 0]);
    }
}
