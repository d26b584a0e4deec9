//! Services, endpoints, and what becomes of them: AWS without its wire.

mod cidr;
mod decisions;
mod drawn;
mod interfaces;
mod networks;
mod notices;
mod ownership;
mod permits;
mod sessions;
mod things;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;

use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::dns::Dns;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::happening::{ConnectionEvent, Happening, What};
use crate::requests::Requests;
use crate::route53::Route53;
use crate::sns::Sns;
use crate::{Settings, service};

pub use cidr::Cidr;
pub use interfaces::{Built, Interface};
pub(crate) use networks::Wish;
pub use networks::{
    GroupDraft, Network, Peer, Place, Rule, SecurityGroup, Subnet, SubnetDraft, Vpc, VpcDraft, zone_id,
};
pub use notices::ConnectionNotification;
pub(crate) use permits::Principal;
pub use sessions::Session;
pub(crate) use sessions::role_parts;
pub use things::{DnsState, Endpoint, EndpointDraft, PrivateDnsName, Service, ServiceDraft, Word};
pub(crate) use things::{KINDS, STATES};
pub use tokens::Made;

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
    /// The VPCs, by account and Region.
    pub networks: BTreeMap<Place, Network>,
    /// SNS's topics, and what they delivered.
    pub sns: Sns,
    /// What services' owners want to be told, by id.
    pub notifications: BTreeMap<String, ConnectionNotification>,
    /// The sessions of roles, by their access key ids.
    pub sessions: BTreeMap<String, Session>,
    /// What was made with client tokens, by account, operation and token.
    pub tokens: BTreeMap<(String, String, String), Made>,
    /// The TXT values that the world can read, with the names at which they stand.
    pub published_txt: BTreeSet<(String, String)>,
    /// The endpoints' ids by those of their connections.
    pub(crate) connections: BTreeMap<String, String>,
    /// What Route 53 keeps.
    pub route53: Route53,
    /// What is wrong with the world's DNS.
    pub dns: Dns,
    /// The requests that came last.
    pub requests: Requests,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// While a call is answered that is to refuse its items: the code, and whether every second one is done.
    pub(crate) refuse_items: Option<(String, bool)>,
    pub(crate) listeners: Vec<UnboundedSender<Happening>>,
    pub(crate) buckets: Buckets,
    pub(crate) random: fastrand::Rng,
    /// What will happen, by when, and in the order in which it was foreseen.
    pub(crate) due: BTreeMap<(OffsetDateTime, u64), Due>,
    pub(crate) foreseen: u64,
}

/// What is foreseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Due {
    /// An endpoint that is pending becomes available.
    Available(String),
    /// Somebody looks at the record of a service's private DNS name.
    Look(String),
}

impl World {
    /// Why the item at that place of the call is refused which is being answered.
    pub(crate) fn refused_item(&self, place: usize) -> Option<ApiError> {
        let (code, half) = self.refuse_items.as_ref()?;
        (!half || place % 2 == 1).then(|| ApiError::new(400, code, "refused on request"))
    }

    pub(crate) fn new(settings: Settings, clock: Clock) -> Self {
        Self {
            random: fastrand::Rng::with_seed(settings.seed),
            route53: Route53::new(settings.seed),
            dns: Dns::default(),
            settings,
            services: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            networks: BTreeMap::new(),
            sns: Sns::default(),
            notifications: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            published_txt: BTreeSet::new(),
            connections: BTreeMap::new(),
            requests: Requests::default(),
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

    /// Lets everything happen that is due by now, and answers with when that was.
    pub(crate) fn catch_up(&mut self) -> OffsetDateTime {
        let now = self.now();
        while let Some(entry) = self.due.first_entry() {
            let (at, number) = *entry.key();
            if at > now {
                break;
            }
            match entry.remove() {
                Due::Available(id) => {
                    if self.endpoints.get(&id).is_some_and(|endpoint| endpoint.state() == "pending") {
                        self.become_state(&id, "available", at);
                    }
                }
                Due::Look(service) => self.look(&service, number, at),
            }
        }
        now
    }

    /// Foresees something, and answers with its number.
    fn foresee(&mut self, at: OffsetDateTime, what: Due) -> u64 {
        self.foreseen += 1;
        self.due.insert((at, self.foreseen), what);
        self.foreseen
    }

    /// Makes a service to which everybody may connect.
    pub fn create_service(&mut self, owner: &str, draft: ServiceDraft) -> &Service {
        let permission = self.id("vpce-svc-perm-");
        let service = self.offer_service(owner, draft);
        service.principals.insert("*".to_owned(), permission);
        service
    }

    /// Makes a service to which only its owner may connect until he permits others, as EC2 makes them.
    pub(crate) fn offer_service(&mut self, owner: &str, draft: ServiceDraft) -> &mut Service {
        let id = self.id("vpce-svc-");
        let ServiceDraft {
            acceptance_required,
            load_balancers,
            ip_address_types,
            private_dns_name,
            supported_regions,
            tags,
        } = draft;
        let private_dns_name = private_dns_name.map(|name| self.unproven(name));
        let gateway = load_balancers.iter().any(|arn| arn.contains(":loadbalancer/gwy/"));
        let service = Service {
            id: id.clone(),
            owner: owner.to_owned(),
            acceptance_required,
            load_balancers,
            gateway,
            ip_address_types,
            private_dns_name,
            supported_regions,
            principals: BTreeMap::new(),
            tags,
        };
        self.services.entry(id).or_insert(service)
    }

    /// Makes an endpoint, which is a request to connect.
    ///
    /// # Errors
    ///
    /// `InvalidServiceName`, if there is no such service for that account; or what EC2 says of a VPC, a subnet or a
    /// security group that is not there.
    pub fn create_endpoint(&mut self, owner: &str, draft: EndpointDraft) -> Result<&Endpoint, ApiError> {
        let place = (owner.to_owned(), draft.region.clone().unwrap_or_else(|| self.settings.name.clone()));
        let wish = Wish { vpc: &draft.vpc, subnets: &draft.subnets, groups: &draft.security_groups };
        let network = self.network_with(&place, wish)?;
        let service = self.offered(owner, &draft.service_name)?;
        let (service, kind, waits) = (service.id.clone(), service.kind(), service.acceptance_required);
        let now = self.now();
        let id = self.id("vpce-");
        let endpoint = Endpoint {
            id: id.clone(),
            connection_id: self.id("vpce-con-"),
            service,
            kind,
            owner: owner.to_owned(),
            vpc: draft.vpc,
            region: place.1.clone(),
            dns_record_ip_type: draft.dns_record_ip_type.unwrap_or_else(|| draft.ip_address_type.clone()),
            ip_address_type: draft.ip_address_type,
            private_dns_enabled: draft.private_dns_enabled,
            subnets: draft.subnets.into_iter().map(|subnet| (subnet, Interface::new(self.id("eni-")))).collect(),
            security_groups: draft.security_groups,
            built: None,
            created: now,
            history: Vec::new(),
            connection_tags: BTreeMap::new(),
            tags: draft.tags,
        };
        self.connections.insert(endpoint.connection_id.clone(), id.clone());
        self.networks.insert(place, network);
        self.endpoints.insert(id.clone(), endpoint);
        self.give_addresses(&id);
        self.become_state(&id, if waits { "pendingAcceptance" } else { "pending" }, now);
        self.notify(ConnectionEvent::Connect, &id);
        self.endpoints.get(&id).ok_or_else(|| ApiError::new(500, "InternalError", "the endpoint is gone"))
    }

    /// The service of that name, if an account may connect to it. EC2 does not tell the difference to one that is not.
    pub(crate) fn offered(&self, account: &str, name: &str) -> Result<&Service, ApiError> {
        let mut services = self.services.values();
        let service = services.find(|service| self.service_name(service) == name && service.admits(account));
        service.ok_or_else(|| ApiError::no_offer(name))
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
        if let Some(endpoint) = self.endpoints.get_mut(id) {
            return (endpoint.owner == account).then_some(&mut endpoint.tags);
        }
        let mut own = self.networks.iter_mut().filter(|((owner, _), _)| owner == account);
        own.find_map(|(_, network)| network.tags_of(id))
    }

    /// The name under which consumers find a service.
    pub fn service_name(&self, service: &Service) -> String {
        self.name_of(&service.id)
    }

    /// The same of a service that there may be no more.
    pub(crate) fn name_of(&self, service: &str) -> String {
        format!("com.amazonaws.vpce.{}.{service}", self.settings.name)
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

    pub(crate) fn become_state(&mut self, id: &str, state: &'static str, at: OffsetDateTime) {
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        endpoint.history.push((at, state));
        endpoint.settle(state);
        let account = endpoint.owner.clone();
        if state == "available" {
            self.give_addresses(id);
        }
        if state == "pending" {
            let ready = at + Duration::from_secs(self.random.u64(PENDING));
            self.foresee(ready, Due::Available(id.to_owned()));
        }
        self.tell(at, What::Became { endpoint_id: id.to_owned(), account, state });
    }

    pub(crate) fn tell(&mut self, at: OffsetDateTime, what: What) {
        let happening = Happening { at, what };
        self.listeners.retain(|listener| listener.send(happening.clone()).is_ok());
    }
}
