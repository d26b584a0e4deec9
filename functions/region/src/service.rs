//! The AWS services that this Region speaks for, told apart by the scope of a request's credentials.

use crate::error::ApiError;
use crate::query::Params;
use crate::world::World;
use crate::{Answer, Request, ec2, route53};

/// One of AWS's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// EC2, in its Query protocol.
    Ec2,
    /// Route 53, in REST with XML.
    Route53,
}

/// Who calls, and what of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The access key id, which is the account here.
    pub account: String,
    /// The service.
    pub service: Service,
}

/// One call, read from its request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The operation.
    pub action: String,
    /// Its parameters.
    pub params: Params,
}

impl Caller {
    /// Reads `AWS4-HMAC-SHA256 Credential=<id>/<date>/<region>/<service>/aws4_request, …`. Signatures are not checked:
    /// whoever can reach this Region may be whom he likes.
    ///
    /// # Errors
    ///
    /// `AuthFailure`, for an access key id that is no account, and `InvalidAction` for a service that is not here.
    pub fn of(authorization: &str) -> Result<Self, ApiError> {
        let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
        let scope = scope.split([',', ' ']).next().unwrap_or_default();
        let mut parts = scope.split('/');
        let account = parts.next().unwrap_or_default();
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = "AWS was not able to validate the provided access credentials; \
                           here the access key id is a twelve-digit account";
            return Err(ApiError::new(401, "AuthFailure", message));
        }
        let service = match parts.nth(2) {
            Some("ec2") => Service::Ec2,
            Some("route53") => Service::Route53,
            other => {
                let message = format!("The service '{}' is not simulated here.", other.unwrap_or_default());
                return Err(ApiError::new(400, "InvalidAction", &message));
            }
        };
        Ok(Self { account: account.to_owned(), service })
    }
}

impl Service {
    /// Reads a call.
    ///
    /// # Errors
    ///
    /// What the service says of a call that it can not read.
    pub fn read(self, caller: Caller, request: &Request) -> Result<Call, ApiError> {
        let (action, params) = match self {
            Self::Ec2 => Params::read_query(request, ec2::VERSION)?,
            Self::Route53 => route53::read(request)?,
        };
        Ok(Call { caller, action, params })
    }

    /// Carries a call out.
    ///
    /// # Errors
    ///
    /// The service's refusal.
    pub fn dispatch(self, world: &mut World, call: Call, request_id: &str) -> Result<Answer, ApiError> {
        match self {
            Self::Ec2 => ec2::dispatch(world, call, request_id),
            Self::Route53 => route53::dispatch(world, call, request_id),
        }
    }

    /// What the service says of too many requests.
    pub fn throttled(self) -> ApiError {
        match self {
            Self::Ec2 => ApiError::throttled(),
            Self::Route53 => route53::throttled(),
        }
    }

    /// What the service says to a caller who may not do what he asks for.
    pub fn unauthorized(self) -> ApiError {
        let message = "You are not authorized to perform this operation.";
        match self {
            Self::Ec2 => ApiError::new(403, "UnauthorizedOperation", message),
            Self::Route53 => ApiError::new(403, "AccessDenied", message),
        }
    }

    /// A refusal in the service's form.
    pub fn refuse(self, error: &ApiError, request_id: &str) -> Answer {
        let body = match self {
            Self::Ec2 => ec2::error_body(error, request_id),
            Self::Route53 => route53::error_body(error, request_id),
        };
        Answer { status: error.status, headers: Vec::new(), body }
    }
}
