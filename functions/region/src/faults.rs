//! What goes wrong, when somebody asks for it.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::service::Service;
use crate::{Answer, Reply};

/// The next calls of an operation go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation, in AWS's word.
    pub action: String,
    /// How many of its calls; [`u32::MAX`] is for ever.
    pub times: u32,
    /// In which way.
    pub kind: FaultKind,
    /// Whether they take effect all the same.
    pub when: When,
}

/// Whether a call that goes wrong takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// It goes wrong before it takes effect.
    Before,
    /// It takes effect, and then goes wrong.
    After,
    /// It does not go wrong: faults that are asked for after this one begin later.
    Never,
}

/// The ways in which a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// `RequestLimitExceeded`, with HTTP 503, or what the service says in its place.
    Throttled,
    /// `InternalError`, with HTTP 500.
    InternalError,
    /// `ServiceUnavailable`, with HTTP 503.
    Unavailable,
    /// A page that is not EC2's, with HTTP 502, as a proxy on the way sends.
    BadGateway,
    /// `UnauthorizedOperation`, with HTTP 403, or what the service says in its place.
    Unauthorized,
    /// A refusal with that code, with HTTP 400.
    Refused(String),
    /// The connection breaks.
    Reset,
    /// There is no answer.
    Silence,
    /// HTTP 200 with a body that is not XML.
    Garbage,
    /// HTTP 200, and every id in the call is `unsuccessful` with that code; before and after are the same.
    Items(String),
    /// The same of every second id, and the others are done.
    HalfOfItems(String),
}

impl FaultKind {
    /// The code with which items are refused, and whether only every second one is; nothing, if the call goes wrong as a
    /// whole.
    pub(crate) fn items(&self) -> Option<(&str, bool)> {
        match self {
            Self::Items(code) => Some((code, false)),
            Self::HalfOfItems(code) => Some((code, true)),
            Self::Throttled
            | Self::InternalError
            | Self::Unavailable
            | Self::BadGateway
            | Self::Unauthorized
            | Self::Refused(_)
            | Self::Reset
            | Self::Silence
            | Self::Garbage => None,
        }
    }

    pub(crate) fn code(&self, service: Service) -> String {
        match self {
            Self::Throttled => return service.throttled().code,
            Self::InternalError => "InternalError",
            Self::Unavailable => "ServiceUnavailable",
            Self::BadGateway => "502",
            Self::Unauthorized => return service.denied().code,
            Self::Refused(code) | Self::Items(code) | Self::HalfOfItems(code) => code,
            Self::Reset => "reset",
            Self::Silence => "silence",
            Self::Garbage => "garbage",
        }
        .to_owned()
    }

    /// What the caller gets, in the form of the service that was called.
    pub(crate) fn reply(&self, service: Service, request_id: &str) -> Reply {
        self.outcome(service).unwrap_or_else(|error| Reply::Answer(service.refuse(&error, request_id)))
    }

    /// What AWS itself refuses, which it records as well.
    pub(crate) fn refusal(&self, service: Service) -> Option<ApiError> {
        self.outcome(service).err()
    }

    fn outcome(&self, service: Service) -> Result<Reply, ApiError> {
        let page = |status, body: &str| Ok(Reply::Answer(Answer { status, ..Answer::xml(body.to_owned()) }));
        match self {
            Self::Throttled => Err(service.throttled()),
            Self::InternalError => Err(ApiError::new(500, "InternalError", "An internal error has occurred")),
            Self::Unavailable => {
                Err(ApiError::new(503, "ServiceUnavailable", "The service is not available. Try again."))
            }
            Self::BadGateway => page(502, "<html><body>502 Bad Gateway</body></html>"),
            Self::Unauthorized => Err(service.denied()),
            Self::Refused(code) | Self::Items(code) | Self::HalfOfItems(code) => {
                Err(ApiError::new(400, code, "refused on request"))
            }
            Self::Reset => Ok(Reply::Reset),
            Self::Silence => Ok(Reply::Silence),
            Self::Garbage => page(200, "{\"this\": \"is no XML\""),
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The fault of the call that is being made, if it is to have one.
    pub(crate) fn next(&mut self, action: &str) -> Option<Fault> {
        let at = self.0.iter().position(|fault| fault.action == action && fault.times > 0)?;
        let fault = self.0.get_mut(at)?;
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        Some(fault.clone()).filter(|fault| fault.when != When::Never)
    }
}
