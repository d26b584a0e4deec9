//! What happens in the Region becomes events of the functions.

use std::time::Duration;

use privatelink_aws::clock;
use privatelink_region::happening::{Happening, TextForm, What};
use serde_json::{Value, json};

use super::functions::Function;
use super::{Due, Simulation};
use crate::stage::{ACME, PROVIDER};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A person.
    Hand,
    /// A function, or nobody.
    Function,
}

impl Simulation {
    /// What happens becomes events, which are lost, doubled, late, and overtake each other.
    ///
    /// The rules of the template do not take what the acceptor rejected itself, so that it is said who did what is heard.
    pub(super) fn hear(&mut self, by: By) {
        while let Ok(Happening { at, what }) = self.happenings.try_recv() {
            let (to, payload): (&[Function], _) = match what {
                What::Notified(notification) => {
                    let form = if self.random.bool() { TextForm::Json } else { TextForm::Prose };
                    let event = notification.bus_event(at, form);
                    (&[Function::Acceptor, Function::Notifier], serde_json::to_vec(&event).unwrap())
                }
                What::Recorded(event) => (wanted(&event, by), event.to_string().into_bytes()),
                What::Delivered { message, .. } if message.contains(ACME) => {
                    let record = json!({"messageId": "1", "eventSource": "aws:sqs", "body": message});
                    (&[Function::Configurator], json!({"Records": [record]}).to_string().into_bytes())
                }
                What::Delivered { .. } | What::Became { .. } | What::Called { .. } => continue,
            };
            for function in to {
                let times = self.random.choice([0, 0, 1, 1, 1, 2]).unwrap();
                for _ in 0..times {
                    let late = if self.random.u8(..3) == 0 { 300_000 } else { 3_000 };
                    let after = Duration::from_millis(self.random.u64(..late));
                    self.foresee(clock::now() + after, Due::Event(*function, payload.clone()));
                }
            }
        }
    }
}

/// Whose rules of the template want a record of CloudTrail's.
fn wanted(event: &Value, by: By) -> &'static [Function] {
    let detail = &event["detail"];
    if event["account"] != PROVIDER || !detail["errorCode"].is_null() {
        return &[];
    }
    match detail["eventName"].as_str() {
        Some("ModifyVpcEndpointServiceConfiguration") => &[Function::Acceptor, Function::Verifier],
        Some("RejectVpcEndpointConnections") if by == By::Hand => &[Function::Acceptor],
        Some("StartVpcEndpointServicePrivateDnsVerification") => &[Function::Verifier],
        _ => &[],
    }
}
