//! The AWS services that this Region speaks for, told apart by the scope of a request's credentials.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::query::Params;
use crate::world::{Session, World};
use crate::{Answer, Request, answers, ec2, route53, sns, sts};

/// One of AWS's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// EC2, in its Query protocol.
    Ec2,
    /// Route 53, in REST with XML.
    Route53,
    /// SNS, in the Query protocol.
    Sns,
    /// STS, in the Query protocol.
    Sts,
}

/// Who calls, and what of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account: the access key id itself, or that of the role whose session has this access key id.
    pub account: String,
    /// The access key id.
    pub key: String,
    /// The role's session that it calls in, if it does.
    pub session: Option<Session>,
    /// The Region that the credentials' scope names. Topics are told apart by it.
    pub region: String,
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
    /// `AuthFailure`, for an access key id that is neither an account nor that of a session, and `InvalidAction` for a
    /// service that is not here.
    pub fn of(authorization: &str, sessions: &BTreeMap<String, Session>) -> Result<Self, ApiError> {
        let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
        let scope = scope.split([',', ' ']).next().unwrap_or_default();
        let mut parts = scope.split('/');
        let key = parts.next().unwrap_or_default();
        let session = sessions.get(key);
        let account = session.map_or(key, Session::account);
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = "AWS was not able to validate the provided access credentials; \
                           here the access key id is a twelve-digit account, or that of a role's session";
            return Err(ApiError::new(401, "AuthFailure", message));
        }
        let region = parts.nth(1).unwrap_or_default();
        let service = match parts.next() {
            Some("ec2") => Service::Ec2,
            Some("route53") => Service::Route53,
            Some("sns") => Service::Sns,
            Some("sts") => Service::Sts,
            other => {
                let message = format!("The service '{}' is not simulated here.", other.unwrap_or_default());
                return Err(ApiError::new(400, "InvalidAction", &message));
            }
        };
        let (account, session) = (account.to_owned(), session.cloned());
        Ok(Self { account, key: key.to_owned(), session, region: region.to_owned(), service })
    }

    /// Its ARN: that of its session, or else its user's. There are no users here, so that every account has one.
    pub fn arn(&self) -> String {
        let user = || format!("arn:aws:iam::{}:user/simulated", self.account);
        self.session.as_ref().map_or_else(user, Session::arn)
    }

    /// Its id: that of its role with its session, or else its user's.
    pub fn id(&self) -> String {
        let user = || format!("AIDA{}USERX", self.account);
        self.session.as_ref().map_or_else(user, |session| format!("{}:{}", session.role_id(), session.name))
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
            Self::Sns => Params::read_query(request, sns::VERSION)?,
            Self::Sts => Params::read_query(request, sts::VERSION)?,
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
            Self::Sns => sns::dispatch(world, call, request_id),
            Self::Sts => sts::dispatch(world, call, request_id),
        }
    }

    /// A refusal in the service's form.
    pub fn refuse(self, error: &ApiError, request_id: &str) -> Answer {
        let body = match self {
            Self::Ec2 => ec2::error_body(error, request_id),
            Self::Route53 => route53::error_body(error, request_id),
            Self::Sns => answers::refusal(sns::NAMESPACE, error, request_id),
            Self::Sts => answers::refusal(sts::NAMESPACE, error, request_id),
        };
        Answer { status: error.status, headers: Vec::new(), body }
    }

    /// What the service says of too many calls.
    pub(crate) fn throttled(self) -> ApiError {
        match self {
            Self::Ec2 => ApiError::throttled(),
            Self::Route53 => route53::throttled(),
            Self::Sns => ApiError::new(429, "Throttled", "Rate exceeded"),
            Self::Sts => ApiError::new(400, "Throttling", "Rate exceeded"),
        }
    }

    /// What the service says of a call that is not permitted.
    pub(crate) fn denied(self) -> ApiError {
        let code = match self {
            Self::Ec2 => "UnauthorizedOperation",
            Self::Sns => "AuthorizationError",
            Self::Route53 | Self::Sts => "AccessDenied",
        };
        ApiError::new(403, code, "You are not authorized to perform this operation.")
    }
}
