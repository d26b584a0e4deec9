//! What a service's owner decides about its connections, and a consumer about its endpoint.

use super::World;
use crate::error::ApiError;
use crate::happening::ConnectionEvent;

impl World {
    /// Accepts a connection that waits.
    ///
    /// # Errors
    ///
    /// Why it can not be accepted, as an item of an answer says it.
    pub fn accept(&mut self, service: &str, endpoint: &str) -> Result<(), ApiError> {
        self.decide(service, endpoint, &["pendingAcceptance"])?;
        self.become_state(endpoint, "pending", self.now());
        self.notify(ConnectionEvent::Accept, endpoint);
        Ok(())
    }

    /// Rejects a connection that waits, or cuts one that is live.
    ///
    /// # Errors
    ///
    /// Why it can not be rejected, as an item of an answer says it.
    pub fn reject(&mut self, service: &str, endpoint: &str) -> Result<(), ApiError> {
        self.decide(service, endpoint, &["pendingAcceptance", "pending", "available"])?;
        self.become_state(endpoint, "rejected", self.now());
        self.notify(ConnectionEvent::Reject, endpoint);
        Ok(())
    }

    /// Deletes an endpoint, as its owner does.
    ///
    /// # Errors
    ///
    /// `InvalidVpcEndpointId.NotFound`.
    pub fn delete_endpoint(&mut self, owner: &str, endpoint: &str) -> Result<(), ApiError> {
        if self.endpoints.get(endpoint).is_none_or(|found| found.owner != owner || found.state() == "deleted") {
            return Err(ApiError::no_endpoint(endpoint));
        }
        self.become_state(endpoint, "deleted", self.now());
        self.notify(ConnectionEvent::Delete, endpoint);
        Ok(())
    }

    fn decide(&self, service: &str, endpoint: &str, from: &[&str]) -> Result<(), ApiError> {
        let Some(found) = self.endpoints.get(endpoint).filter(|found| found.service == service) else {
            return Err(ApiError::no_endpoint(endpoint));
        };
        if !from.contains(&found.state()) {
            let message = format!("The endpoint {endpoint} is in state {} and can not be decided.", found.state());
            return Err(ApiError::new(400, "InvalidState", &message));
        }
        Ok(())
    }
}
