//! What happens in the Region, for whoever listens; and the events that AWS makes of it.

use std::collections::BTreeMap;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::sns::{Attribute, Protocol};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: OffsetDateTime,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// EC2 sent a connection notification.
    Notified(Notification),
    /// A connection came into a state.
    Became {
        /// The consumer's endpoint.
        endpoint_id: String,
        /// Its account.
        account: String,
        /// EC2's word for the state.
        state: &'static str,
    },
    /// SNS brought a message to a subscriber.
    Delivered {
        /// The topic's ARN.
        topic: String,
        /// Over what.
        protocol: Protocol,
        /// To whom: an address, a URL, or an ARN.
        endpoint: String,
        /// The message's subject.
        subject: Option<String>,
        /// What the subscriber got, in the form of its protocol.
        message: String,
        /// The message's attributes.
        attributes: BTreeMap<String, Attribute>,
    },
    /// CloudTrail recorded a call: the whole EventBridge event `AWS API Call via CloudTrail`.
    Recorded(Value),
    /// Somebody called the API.
    Called {
        /// The operation.
        action: String,
        /// The caller's account.
        account: String,
        /// The error's code, if it failed.
        error: Option<String>,
    },
}

/// The event of EC2's own that a connection notification tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionEvent {
    /// A consumer made an endpoint.
    Connect,
    /// The provider accepted it.
    Accept,
    /// The provider rejected it.
    Reject,
    /// The consumer deleted it.
    Delete,
}

/// A connection notification: EC2 to SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Which event.
    pub event: ConnectionEvent,
    /// The service.
    pub service_id: String,
    /// The service's owner, whose topic gets it.
    pub provider: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// The endpoint's owner.
    pub consumer: String,
    /// The Region.
    pub region: String,
    /// The topic's ARN.
    pub topic: String,
    /// SNS's message id.
    pub message_id: String,
}

/// The form of a notification's text. AWS documents none, so that code has to live with either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// A sentence.
    Prose,
    /// A JSON object.
    Json,
}

impl Notification {
    /// The text of the message.
    pub fn text(&self, form: TextForm) -> String {
        let Self { event, service_id, endpoint_id, consumer, .. } = self;
        match form {
            TextForm::Prose => {
                format!("{event:?}: endpoint {endpoint_id} of account {consumer}, endpoint service {service_id}.")
            }
            TextForm::Json => json!({
                "event": format!("{event:?}"),
                "vpcEndpointId": endpoint_id,
                "vpcEndpointOwner": consumer,
                "serviceId": service_id,
            })
            .to_string(),
        }
    }

    /// The event of this product's bus that the road from EC2 makes of it: SNS, SQS, an EventBridge pipe, the bus.
    /// The pipe's template puts the text where a string stands, and an object where the text is JSON.
    pub fn bus_event(&self, at: OffsetDateTime, form: TextForm) -> EventBridgeEvent<Value> {
        let text = self.text(form);
        let message = match form {
            TextForm::Prose => Value::from(text),
            TextForm::Json => serde_json::from_str(&text).unwrap_or(Value::Null),
        };
        let mut event = EventBridgeEvent::default();
        event.version = Some("0".to_owned());
        event.id = Some(self.message_id.clone());
        event.detail_type = "Endpoint Connection Notification".to_owned();
        event.source = "privatelink".to_owned();
        event.account = Some(self.provider.clone());
        event.time = DateTime::from_timestamp(at.unix_timestamp(), 0);
        event.region = Some(self.region.clone());
        event.resources = Some(Vec::new());
        event.detail = json!({
            "topicArn": self.topic,
            "messageId": self.message_id,
            "timestamp": at.format(&Rfc3339).unwrap_or_default(),
            "subject": null,
            "message": message,
        });
        event
    }
}
