//! What an error of AWS means for whoever called.
//!
//! EC2's errors are not modelled, so that a code is all there is to go by; the text of a message never decides.
//! Codes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.

use std::fmt::{self, Write};

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It passes: throttling, a server's fault, a broken connection, a time-out.
    ComeAgain,
    /// The caller may not do this, whatever the ids are.
    NotAllowed,
    /// There is no such service, whatever the other ids are.
    NoSuchService,
    /// What was meant is gone, or was decided before.
    Over,
    /// Something in the request is not liked: with several ids in it, perhaps one of them.
    Refused,
}

/// An error of one call, or of one item of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// What to do about it.
    pub meaning: Meaning,
    /// AWS's code; where the error is not AWS's, a word for what happened.
    pub code: String,
    /// The whole story, for the log.
    pub detail: String,
    /// Whether the call may have taken effect all the same.
    pub perhaps_done: bool,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.code, self.detail)
    }
}

impl std::error::Error for CallError {}

const THROTTLED: [&str; 13] = [
    // SNS's own word, and what it says of the key of an encrypted topic.
    "Throttled",
    "KMSThrottling",
    // Route 53, while it still works on a former change of the zone.
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "EC2ThrottledException",
    "BandwidthLimitExceeded",
    "SlowDown",
];
const SERVERS_FAULT: [&str; 6] =
    ["InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout", "InternalServerError"];
const NOT_ALLOWED: [&str; 20] = [
    // SNS's own word, and what it says of the key of an encrypted topic.
    "AuthorizationError",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSInvalidState",
    "KMSNotFound",
    "KMSOptInRequired",
    "UnauthorizedOperation",
    "AuthFailure",
    "AccessDenied",
    "AccessDeniedException",
    "Blocked",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Meaning {
    /// What a code means, and the HTTP status where it came with one of its own.
    fn of(code: &str, status: Option<u16>) -> Self {
        if THROTTLED.contains(&code) || SERVERS_FAULT.contains(&code) {
            return Self::ComeAgain;
        }
        if NOT_ALLOWED.contains(&code) {
            return Self::NotAllowed;
        }
        if code.starts_with("InvalidVpcEndpointService") {
            return Self::NoSuchService;
        }
        if code.starts_with("NoSuch")
            || code.ends_with(".NotFound")
            || ["InvalidState", "IncorrectState", "NotFound"].contains(&code)
        {
            return Self::Over;
        }
        match status {
            Some(401 | 403) => Self::NotAllowed,
            Some(429 | 500..) => Self::ComeAgain,
            _ => Self::Refused,
        }
    }
}

impl CallError {
    /// The error of one item of a call that as a whole succeeded.
    pub fn of_item(code: &str, message: &str) -> Self {
        Self {
            meaning: Meaning::of(code, None),
            code: code.to_owned(),
            detail: message.to_owned(),
            perhaps_done: false,
        }
    }

    /// The error of one entry of a batch, with whose fault the service says it is.
    pub(crate) fn of_entry(code: &str, message: &str, senders_fault: bool) -> Self {
        let status = if senders_fault { 400 } else { 500 };
        Self { meaning: Meaning::of(code, Some(status)), ..Self::of_item(code, message) }
    }

    /// Whether a token bucket was empty.
    pub(crate) fn is_throttling(&self) -> bool {
        THROTTLED.contains(&self.code.as_str())
    }

    /// There was no time left to try it.
    pub(crate) fn too_late() -> Self {
        Self { perhaps_done: false, ..Self::of_the_way("DeadlineExceeded", "no time was left".to_owned()) }
    }

    pub(crate) fn timed_out() -> Self {
        Self::of_the_way("RequestTimeout", "no answer in time".to_owned())
    }

    /// An answer that is no answer: it says of an id that nobody asked about.
    pub(crate) fn unreadable(detail: &str) -> Self {
        Self::of_the_way("UnreadableResponse", detail.to_owned())
    }

    fn of_the_way(code: &str, detail: String) -> Self {
        Self { meaning: Meaning::ComeAgain, code: code.to_owned(), detail, perhaps_done: true }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let detail = error.message().map_or_else(|| story(&error), ToOwned::to_owned);
        match &error {
            SdkError::ConstructionFailure(_) => {
                Self { meaning: Meaning::Refused, code: "ConstructionFailure".to_owned(), detail, perhaps_done: false }
            }
            SdkError::TimeoutError(_) => Self::of_the_way("RequestTimeout", detail),
            SdkError::DispatchFailure(_) => Self::of_the_way("ConnectionFailed", detail),
            SdkError::ResponseError(_) => Self::of_the_way("UnreadableResponse", detail),
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                match error.code() {
                    Some(code) => Self {
                        meaning: Meaning::of(code, Some(status)),
                        code: code.to_owned(),
                        detail,
                        // What an empty bucket turned away was not begun.
                        perhaps_done: status >= 500 && !THROTTLED.contains(&code),
                    },
                    // A body that could not be read under HTTP 200 is no refusal.
                    None if status < 400 => Self::of_the_way("UnreadableResponse", detail),
                    None => {
                        let code = service.raw().body().bytes().and_then(root_element);
                        let code = code.unwrap_or_else(|| format!("HTTP{status}"));
                        Self { meaning: Meaning::of(&code, Some(status)), code, detail, perhaps_done: status >= 500 }
                    }
                }
            }
            _ => Self::of_the_way("Unknown", detail),
        }
    }
}

/// An error with all its causes: by itself an SDK error says only "service error".
///
/// `DisplayErrorContext` would show the whole response too, and in that of AssumeRole there are keys.
fn story(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(told, ": {error}");
        cause = error.source();
    }
    told
}

/// The name of a document's root element. Route 53 documents an error, `InvalidChangeBatch`, whose code is there and
/// nowhere else.
pub(crate) fn root_element(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let root = text.split('<').skip(1).find(|tag| !tag.starts_with(['?', '!']))?;
    let name = root.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    (!name.is_empty() && !["ErrorResponse", "Response", "html"].contains(&name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, status, meaning) in [
            ("RequestLimitExceeded", Some(503), Meaning::ComeAgain),
            ("Throttling", Some(400), Meaning::ComeAgain),
            ("InternalError", Some(500), Meaning::ComeAgain),
            ("SomethingNew", Some(500), Meaning::ComeAgain),
            ("SomethingNew", Some(400), Meaning::Refused),
            ("SomethingNew", Some(403), Meaning::NotAllowed),
            ("UnauthorizedOperation", Some(403), Meaning::NotAllowed),
            ("InvalidVpcEndpointServiceId.NotFound", Some(400), Meaning::NoSuchService),
            ("InvalidVpcEndpointService.NotFound", Some(400), Meaning::NoSuchService),
            ("InvalidVpcEndpointId.NotFound", Some(400), Meaning::Over),
            ("InvalidVpcEndpoint.NotFound", None, Meaning::Over),
            ("InvalidState", None, Meaning::Over),
            ("InvalidVpcEndpointId.Malformed", Some(400), Meaning::Refused),
            ("InvalidParameterValue", Some(400), Meaning::Refused),
            ("PriorRequestNotComplete", Some(400), Meaning::ComeAgain),
            ("NoSuchHostedZone", Some(404), Meaning::Over),
            ("NotFound", Some(404), Meaning::Over),
            ("Throttled", Some(400), Meaning::ComeAgain),
            ("AuthorizationError", Some(400), Meaning::NotAllowed),
            ("InvalidChangeBatch", Some(400), Meaning::Refused),
        ] {
            assert_eq!(Meaning::of(code, status), meaning, "{code} {status:?}");
        }
    }

    #[test]
    fn an_error_that_is_its_own_root_is_read() {
        let read = |body: &str| root_element(body.as_bytes());
        let documented = "<?xml version=\"1.0\"?>\n<InvalidChangeBatch xmlns=\"x\"><Messages/></InvalidChangeBatch>";
        assert_eq!(read(documented).as_deref(), Some("InvalidChangeBatch"));
        for other in ["<ErrorResponse><Error/></ErrorResponse>", "<html>", "", "<", "no XML", "<?xml?>", "< a>"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
