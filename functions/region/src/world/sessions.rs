//! The sessions of roles: which access key ids STS gave out, and whose they are.

use serde::{Deserialize, Serialize};

use super::World;

/// What an access key id of AWS's is made of behind its first four letters, and how long that is.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LENGTH: usize = 16;

/// Somebody who assumed a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The role's ARN.
    pub role: String,
    /// What he called his session.
    pub name: String,
}

impl Session {
    /// The account of the role, in which the session acts.
    pub fn account(&self) -> &str {
        self.parts().0
    }

    /// The role's name, without its path.
    pub fn role_name(&self) -> &str {
        self.parts().1
    }

    /// The role's id. There are no roles here, so that every account has one id for all of them.
    pub fn role_id(&self) -> String {
        format!("AROA{}ROLEX", self.account())
    }

    /// The session's own ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account(), self.role_name(), self.name)
    }

    fn parts(&self) -> (&str, &str) {
        role_parts(&self.role).unwrap_or_default()
    }
}

/// A role's account and its name, without its path.
pub(crate) fn role_parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let head = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let (account, resource) = (parts.next()?, parts.next()?);
    let right = matches!(head, ["arn", "aws" | "aws-cn" | "aws-us-gov", "iam", ""])
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    (right && !name.is_empty()).then_some((account, name))
}

impl World {
    /// Begins a session, and answers with its access key id, which nobody had before.
    pub(crate) fn begin_session(&mut self, session: Session) -> String {
        let digits = std::iter::repeat_with(|| self.random.choice(DIGITS).map_or('A', |digit| char::from(*digit)));
        let key: String = "ASIA".chars().chain(digits.take(LENGTH)).collect();
        self.sessions.insert(key.clone(), session);
        key
    }
}
