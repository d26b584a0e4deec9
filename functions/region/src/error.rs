//! What a service says when it refuses.

/// A refusal, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: String,
    /// The message.
    pub message: String,
    /// One message for each fault, where the service says them in a form of its own.
    pub messages: Vec<String>,
}

impl ApiError {
    /// A refusal.
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), messages: Vec::new() }
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new(400, "MissingParameter", &format!("The request must contain the parameter {name}"))
    }

    pub(crate) fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(400, "InvalidParameterValue", message.as_ref())
    }

    /// A parameter that is missing, as the services say it whose requests a common layer checks.
    pub(crate) fn null(member: &str) -> Self {
        let problem = format!("Value null at '{member}' failed to satisfy constraint: Member must not be null");
        Self::validation(&problem)
    }

    pub(crate) fn validation(problem: &str) -> Self {
        Self::new(400, "ValidationError", &format!("1 validation error detected: {problem}"))
    }

    pub(crate) fn throttled() -> Self {
        Self::new(503, "RequestLimitExceeded", "Request limit exceeded.")
    }

    pub(crate) fn no_service(id: &str) -> Self {
        let digits = id.strip_prefix("vpce-svc-").unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!("Invalid Id: '{id}' (expecting 'vpce-svc-...')");
            return Self::new(400, "InvalidVpcEndpointServiceId.Malformed", &message);
        }
        let message = format!("The VpcEndpointService Id '{id}' does not exist");
        Self::new(400, "InvalidVpcEndpointServiceId.NotFound", &message)
    }

    pub(crate) fn no_offer(name: &str) -> Self {
        Self::new(400, "InvalidServiceName", &format!("The Vpc Endpoint Service '{name}' does not exist"))
    }

    pub(crate) fn malformed_endpoint(id: &str) -> Self {
        let message = format!("Invalid Id: '{id}' (expecting 'vpce-...')");
        Self::new(400, "InvalidVpcEndpointId.Malformed", &message)
    }

    pub(crate) fn no_endpoint(id: &str) -> Self {
        Self::new(400, "InvalidVpcEndpointId.NotFound", &format!("The Vpc Endpoint Id '{id}' does not exist"))
    }
}
