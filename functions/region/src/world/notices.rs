//! Which connection events a service's owner is notified of, and on which topics.

use serde::{Deserialize, Serialize};

use super::World;
use crate::happening::{ConnectionEvent, Notification, What};

/// What a service's owner wants to be told, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionNotification {
    /// Its id.
    pub id: String,
    /// The service.
    pub service: String,
    /// The SNS topic's ARN.
    pub topic: String,
    /// Of what it tells.
    pub events: Vec<ConnectionEvent>,
}

impl World {
    /// Tells a service's owner from now on.
    pub(crate) fn notify_on(
        &mut self,
        service: &str,
        topic: String,
        events: Vec<ConnectionEvent>,
    ) -> ConnectionNotification {
        let made = ConnectionNotification { id: self.id("vpce-nfn-"), service: service.to_owned(), topic, events };
        self.notifications.insert(made.id.clone(), made.clone());
        made
    }

    /// Sends an event to the topics that want it. While a service has none at all, everything goes to the topic that
    /// this product's own template makes: most tests need no more than that.
    pub(super) fn notify(&mut self, event: ConnectionEvent, id: &str) {
        let Some(endpoint) = self.endpoints.get(id).cloned() else { return };
        let Some(service) = self.services.get(&endpoint.service).filter(|service| !service.gateway).cloned() else {
            return;
        };
        let of_service = || self.notifications.values().filter(|notification| notification.service == service.id);
        let mut topics: Vec<String> = of_service()
            .filter(|notification| notification.events.contains(&event))
            .map(|notification| notification.topic.clone())
            .collect();
        if of_service().next().is_none() {
            topics.push(format!("arn:aws:sns:{}:{}:endpoint-connections", self.settings.name, service.owner));
        }
        for topic in topics {
            let notification = Notification {
                event,
                service_id: service.id.clone(),
                provider: service.owner.clone(),
                endpoint_id: endpoint.id.clone(),
                consumer: endpoint.owner.clone(),
                region: self.settings.name.clone(),
                topic,
                message_id: self.request_id(),
            };
            self.tell(self.now(), What::Notified(notification));
        }
    }
}
