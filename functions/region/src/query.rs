//! EC2's Query protocol, as far as it comes in: a form in the body, read into a tree that operations take their
//! parameters from. Whatever is left when an operation has taken all it knows is an unknown parameter.

use std::collections::BTreeMap;

use crate::Request;
use crate::ec2::ApiError;

/// The version of EC2's API.
const VERSION: &str = "2016-11-15";

/// One call.
#[derive(Debug, Clone)]
pub struct Query {
    /// The operation.
    pub action: String,
    /// Who calls: the access key id, which is the account here.
    pub account: String,
    params: Params,
}

/// A tree of parameters: `Filter.1.Value.2=x` stands at `Filter`, `1`, `Value`, `2`.
#[derive(Debug, Clone, Default)]
pub struct Params {
    value: Option<String>,
    children: BTreeMap<String, Params>,
}

impl Query {
    /// Reads a call.
    ///
    /// # Errors
    ///
    /// What EC2 says of a call that it can not read.
    pub fn read(request: &Request) -> Result<Self, ApiError> {
        let account = account(&request.authorization)?;
        let mut params = Params::default();
        for (key, value) in form_urlencoded::parse(&request.body) {
            let mut at = &mut params;
            for part in key.split('.') {
                at = at.children.entry(part.to_owned()).or_default();
            }
            at.value = Some(value.into_owned());
        }
        let action =
            params.take("Action").ok_or_else(|| ApiError::new(400, "MissingAction", "No action was supplied."))?;
        match params.take("Version").as_deref() {
            Some(VERSION) => Ok(Self { action, account, params }),
            version => {
                let message = format!("The version '{}' is not known.", version.unwrap_or_default());
                Err(ApiError::new(400, "InvalidAction", &message))
            }
        }
    }

    /// The parameters.
    pub fn into_params(self) -> Params {
        self.params
    }
}

/// The access key id out of `AWS4-HMAC-SHA256 Credential=<id>/<date>/<region>/ec2/aws4_request, …`. Signatures are not
/// checked: whoever can reach this Region may be whom he likes.
fn account(authorization: &str) -> Result<String, ApiError> {
    let id = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(id.to_owned());
    }
    let message = "AWS was not able to validate the provided access credentials; here the access key id is a twelve-digit account";
    Err(ApiError::new(401, "AuthFailure", message))
}

impl Params {
    /// Takes a plain parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let value = self.children.get_mut(name)?.value.take();
        self.drop_if_empty(name);
        value
    }

    /// Takes a parameter that has to be there.
    ///
    /// # Errors
    ///
    /// `MissingParameter`.
    pub fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name).ok_or_else(|| ApiError::missing(name))
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for anything else.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(format!("Value ({other}) for parameter {name} is invalid."))),
        }
    }

    /// Takes a list of plain values: `Name.1`, `Name.2`.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        self.structures(name).into_iter().filter_map(|mut item| item.value.take()).collect()
    }

    /// Takes a list of structures, in the order of their numbers.
    pub fn structures(&mut self, name: &str) -> Vec<Params> {
        let children = self.children.remove(name).unwrap_or_default().children;
        let mut items: Vec<_> =
            children.into_iter().filter_map(|(n, item)| Some((n.parse::<u32>().ok()?, item))).collect();
        items.sort_by_key(|(n, _)| *n);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// Says that everything that is known was taken.
    ///
    /// # Errors
    ///
    /// `UnknownParameter`, naming one that is left.
    pub fn finish(&self) -> Result<(), ApiError> {
        match self.children.keys().next() {
            None => Ok(()),
            Some(name) => {
                Err(ApiError::new(400, "UnknownParameter", &format!("The parameter {name} is not recognized")))
            }
        }
    }

    fn drop_if_empty(&mut self, name: &str) {
        if self.children.get(name).is_some_and(|child| child.value.is_none() && child.children.is_empty()) {
            self.children.remove(name);
        }
    }
}
