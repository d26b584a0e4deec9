//! Services, endpoints, and what becomes of them: AWS without its wire.

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;

use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::happening::{ConnectionEvent, Happening, Notification, What};
use crate::route53::Route53;
use crate::sns::Sns;
use crate::{Settings, service};

/// How long a connection is `pending` before it is `available`, in seconds.
const PENDING: std::ops::RangeInclusive<u64> = 60..=120;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// How it behaves where AWS leaves it open.
    pub settings: Settings,
    /// The endpoint services, by id.
    pub services: BTreeMap<String, Service>,
    /// The endpoints that consumers made, by id. To the provider they are connections.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// SNS's topics, and what they delivered.
    pub sns: Sns,
    /// The endpoints' ids by those of their connections.
    pub(crate) connections: BTreeMap<String, String>,
    /// What Route 53 keeps.
    pub route53: Route53,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// While a call is answered that is to refuse every one of its items: the code.
    pub(crate) refuse_items: Option<String>,
    pub(crate) listeners: Vec<UnboundedSender<Happening>>,
    buckets: Buckets,
    random: fastrand::Rng,
    /// What will happen, by when, and in the order in which it was foreseen.
    due: BTreeMap<(OffsetDateTime, u64), String>,
    foreseen: u64,
}

/// An endpoint service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: String,
    /// The account that owns it.
    pub owner: String,
    /// Whether a connection waits for its owner.
    pub acceptance_required: bool,
    /// Its load balancers' ARNs.
    pub load_balancers: Vec<String>,
    /// Whether they are Gateway Load Balancers. Such services send no notifications.
    pub gateway: bool,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: Vec<String>,
    /// The private DNS name.
    pub private_dns_name: Option<PrivateDnsName>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A private DNS name, and the TXT record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateDnsName {
    /// The name.
    pub name: String,
    /// The TXT record's first label.
    pub record: String,
    /// The TXT record's value.
    pub value: String,
}

/// An endpoint, which is a connection to its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// The connection's id.
    pub connection_id: String,
    /// The service's id.
    pub service: String,
    /// The account that owns it.
    pub owner: String,
    /// Its VPC.
    pub vpc: String,
    /// Its Region.
    pub region: String,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// When it was made.
    pub created: OffsetDateTime,
    /// EC2's words for its states, with since when. The last one is its state.
    pub history: Vec<(OffsetDateTime, &'static str)>,
    /// The provider's tags.
    pub connection_tags: BTreeMap<String, String>,
    /// The consumer's tags.
    pub tags: BTreeMap<String, String>,
}

impl Endpoint {
    /// EC2's word for its state.
    pub fn state(&self) -> &'static str {
        self.history.last().map_or("", |(_, state)| state)
    }

    /// The state as a read sees it that lags behind.
    pub fn state_at(&self, at: OffsetDateTime) -> &'static str {
        let seen = self.history.iter().rev().find(|(since, _)| *since <= at);
        seen.or(self.history.first()).map_or("", |(_, state)| state)
    }
}

impl World {
    pub(crate) fn new(settings: Settings, clock: Clock) -> Self {
        Self {
            random: fastrand::Rng::with_seed(settings.seed),
            route53: Route53::new(settings.seed),
            settings,
            services: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            sns: Sns::default(),
            connections: BTreeMap::new(),
            clock,
            faults: Faults::default(),
            refuse_items: None,
            listeners: Vec::new(),
            buckets: Buckets::default(),
            due: BTreeMap::new(),
            foreseen: 0,
        }
    }

    /// The time.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn catch_up(&mut self) {
        let now = self.now();
        while let Some(entry) = self.due.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let id = entry.remove();
            if self.endpoints.get(&id).is_some_and(|endpoint| endpoint.state() == "pending") {
                self.become_state(&id, "available", at);
            }
        }
    }

    /// Makes a service.
    pub fn create_service(&mut self, owner: &str, draft: ServiceDraft) -> &Service {
        let id = self.id("vpce-svc-");
        let ServiceDraft { acceptance_required, load_balancers, ip_address_types, private_dns_name, tags } = draft;
        let private_dns_name = private_dns_name.map(|name| PrivateDnsName {
            name,
            record: format!("_{}", self.token(20).to_ascii_lowercase()),
            value: format!("vpce:{}", self.token(20)),
        });
        let gateway = load_balancers.iter().any(|arn| arn.contains(":loadbalancer/gwy/"));
        let service = Service {
            id: id.clone(),
            owner: owner.to_owned(),
            acceptance_required,
            load_balancers,
            gateway,
            ip_address_types,
            private_dns_name,
            tags,
        };
        self.services.entry(id).or_insert(service)
    }

    /// Makes an endpoint, which is a request to connect.
    ///
    /// # Errors
    ///
    /// `InvalidServiceName`, if there is no such service.
    pub fn create_endpoint(&mut self, owner: &str, draft: EndpointDraft) -> Result<&Endpoint, ApiError> {
        let EndpointDraft { service_name, vpc, region, ip_address_type, tags } = draft;
        let service = self.services.values().find(|service| self.service_name(service) == service_name);
        let Some((service, waits)) = service.map(|service| (service.id.clone(), service.acceptance_required)) else {
            let message = format!("The Vpc Endpoint Service '{service_name}' does not exist");
            return Err(ApiError::new(400, "InvalidServiceName", &message));
        };
        let now = self.now();
        let id = self.id("vpce-");
        let endpoint = Endpoint {
            id: id.clone(),
            connection_id: self.id("vpce-con-"),
            service,
            owner: owner.to_owned(),
            vpc,
            region: region.unwrap_or_else(|| self.settings.name.clone()),
            ip_address_type,
            created: now,
            history: Vec::new(),
            connection_tags: BTreeMap::new(),
            tags,
        };
        self.connections.insert(endpoint.connection_id.clone(), id.clone());
        self.endpoints.insert(id.clone(), endpoint);
        self.become_state(&id, if waits { "pendingAcceptance" } else { "pending" }, now);
        self.notify(ConnectionEvent::Connect, &id);
        self.endpoints.get(&id).ok_or_else(|| ApiError::new(500, "InternalError", "the endpoint is gone"))
    }

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
        if self.endpoints.get(endpoint).is_none_or(|found| found.owner != owner) {
            return Err(ApiError::no_endpoint(endpoint));
        }
        self.become_state(endpoint, "deleted", self.now());
        self.notify(ConnectionEvent::Delete, endpoint);
        Ok(())
    }

    /// The tags that an account put on a thing: on its service, on its endpoint, or on a connection to its service.
    pub(crate) fn tags_of(&mut self, account: &str, id: &str) -> Option<&mut BTreeMap<String, String>> {
        if self.services.contains_key(id) {
            return self
                .services
                .get_mut(id)
                .filter(|service| service.owner == account)
                .map(|service| &mut service.tags);
        }
        if let Some(endpoint) = self.connections.get(id) {
            let endpoint = self.endpoints.get_mut(endpoint)?;
            let provider = self.services.get(&endpoint.service)?.owner == account;
            return provider.then_some(&mut endpoint.connection_tags);
        }
        let endpoint = self.endpoints.get_mut(id)?;
        (endpoint.owner == account).then_some(&mut endpoint.tags)
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

    /// The name under which consumers find a service.
    pub fn service_name(&self, service: &Service) -> String {
        format!("com.amazonaws.vpce.{}.{}", self.settings.name, service.id)
    }

    pub(crate) fn throttle(&mut self, service: service::Service, account: &str, action: &str) -> Result<(), ApiError> {
        let now = self.now();
        if self.settings.throttling && !self.buckets.take(service, account, action, now) {
            return Err(service.throttled());
        }
        Ok(())
    }

    pub(crate) fn log_call(&mut self, action: &str, account: &str, result: Result<(), &str>) {
        let error = result.err().map(ToOwned::to_owned);
        self.tell(self.now(), What::Called { action: action.to_owned(), account: account.to_owned(), error });
    }

    pub(crate) fn request_id(&mut self) -> String {
        self.token(32).to_ascii_lowercase()
    }

    fn become_state(&mut self, id: &str, state: &'static str, at: OffsetDateTime) {
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        endpoint.history.push((at, state));
        let account = endpoint.owner.clone();
        if state == "pending" {
            let ready = at + Duration::from_secs(self.random.u64(PENDING));
            self.foreseen += 1;
            self.due.insert((ready, self.foreseen), id.to_owned());
        }
        self.tell(at, What::Became { endpoint_id: id.to_owned(), account, state });
    }

    fn notify(&mut self, event: ConnectionEvent, id: &str) {
        let Some(endpoint) = self.endpoints.get(id).cloned() else { return };
        let Some(service) = self.services.get(&endpoint.service).filter(|service| !service.gateway).cloned() else {
            return;
        };
        let notification = Notification {
            event,
            service_id: service.id,
            provider: service.owner,
            endpoint_id: endpoint.id,
            consumer: endpoint.owner,
            region: self.settings.name.clone(),
            message_id: self.request_id(),
        };
        self.tell(self.now(), What::Notified(notification));
    }

    pub(crate) fn tell(&mut self, at: OffsetDateTime, what: What) {
        let happening = Happening { at, what };
        self.listeners.retain(|listener| listener.send(happening.clone()).is_ok());
    }

    /// A new id in EC2's long form, which always begins with a zero.
    fn id(&mut self, prefix: &str) -> String {
        let digits = format!("{:016x}", self.random.u64(..));
        format!("{prefix}0{digits}")
    }

    /// A new id in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes = self.random.u128(..);
        bytes = bytes & !(0xf << 76) | 4 << 76;
        bytes = bytes & !(0x3 << 62) | 2 << 62;
        let digits = format!("{bytes:032x}");
        let part = |range| digits.get(range).unwrap_or_default();
        [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
    }

    pub(crate) fn token(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.random.alphanumeric()).take(length).collect()
    }
}

/// What somebody wants a new service to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDraft {
    /// Whether connections wait.
    pub acceptance_required: bool,
    /// Its load balancers' ARNs.
    pub load_balancers: Vec<String>,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: Vec<String>,
    /// The private DNS name.
    pub private_dns_name: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What somebody wants a new endpoint to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointDraft {
    /// The service's name.
    pub service_name: String,
    /// The VPC.
    pub vpc: String,
    /// Its Region; this one, where it is left out.
    pub region: Option<String>,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// The consumer's tags.
    pub tags: BTreeMap<String, String>,
}
