//! Who may connect to a service.

use super::{Service, World};
use crate::error::ApiError;

/// A principal of a service's permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal<'p> {
    /// `*`.
    All,
    /// Somebody of an account, with EC2's word for what kind of somebody.
    Of(&'p str, &'static str),
}

impl<'p> Principal<'p> {
    /// Reads `*` or an ARN of IAM's.
    ///
    /// # Errors
    ///
    /// `InvalidPrincipal`.
    pub(crate) fn parse(text: &'p str) -> Result<Self, ApiError> {
        if text == "*" {
            return Ok(Self::All);
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if let ["arn", partition, "iam", "", account, resource] = parts.as_slice()
            && partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
        {
            match resource.split_once('/') {
                None if *resource == "root" => return Ok(Self::Of(account, "Account")),
                Some(("user", name)) if !name.is_empty() => return Ok(Self::Of(account, "User")),
                Some(("role", name)) if !name.is_empty() => return Ok(Self::Of(account, "Role")),
                Some(_) | None => {}
            }
        }
        Err(ApiError::new(400, "InvalidPrincipal", &format!("Invalid Principal: '{text}'")))
    }

    /// EC2's word for what kind of principal it is.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Of(_, kind) => kind,
        }
    }
}

impl Service {
    /// Whether an account may connect, and so may see the service: its owner, and whom he permits. Here an account is
    /// all that is known of a caller, so that a role's permission is its whole account's.
    pub fn admits(&self, account: &str) -> bool {
        let permitted = |principal: &String| match Principal::parse(principal) {
            Ok(Principal::All) => true,
            Ok(Principal::Of(of, _)) => of == account,
            Err(_) => false,
        };
        self.owner == account || self.principals.keys().any(permitted)
    }
}

impl World {
    /// Permits and forbids, and answers with those that were not permitted before. Connections that there are stay.
    pub(crate) fn permit(&mut self, service: &str, add: &[String], remove: &[String]) -> Vec<(String, String)> {
        let mut added = Vec::new();
        for principal in add {
            let id = self.id("vpce-svc-perm-");
            let Some(service) = self.services.get_mut(service) else { continue };
            if !service.principals.contains_key(principal) {
                service.principals.insert(principal.clone(), id.clone());
                added.push((principal.clone(), id));
            }
        }
        if let Some(service) = self.services.get_mut(service) {
            service.principals.retain(|principal, _| !remove.contains(principal));
        }
        added
    }
}
