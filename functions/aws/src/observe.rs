//! Reads: every page of everything that is asked for, turned into the core's words at once.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, ServiceConfiguration, Tag, VpcEndpointConnection};
use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use privatelink_core::config::TagFilter;
use privatelink_core::ids::{AccountId, ConnectionId, EndpointId, ServiceId};
use privatelink_core::observed::{
    Connection, DnsNameState, EndpointState, Observed, PrivateDns, Service, Tags, TxtRecord, Unreadable,
};
use privatelink_core::report::Failure;
use privatelink_core::trigger::Look;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::deadline::until;
use crate::error::CallError;

/// The largest page that EC2 gives.
const PAGE: i32 = 1000;
/// The most values that EC2 takes in one filter.
const FILTER_VALUES: usize = 200;
/// How many listings are read at the same time. EC2 lets an account make 20 such calls a second.
const AT_ONCE: usize = 4;
/// Far more pages than any account fills: whoever sends more sends them without end.
const MOST_PAGES: usize = 10_000;

/// Looks at the services that `look` means and at all their connections, by `by` at the latest.
///
/// The services are listed whole and chosen here. That is one call for every thousand of them, and no filter decides
/// which are this account's and bear the tag.
///
/// # Errors
///
/// [`Failure::ReadFailed`], if any page could not be read.
pub async fn observe(
    ec2: &Client,
    region: &str,
    tag: Option<&TagFilter>,
    look: &Look,
    by: Instant,
) -> Result<Observed, Failure> {
    let services = observe_services(ec2, region, tag, look, by);
    let (mut observed, items) = match look {
        // Which services it is about is known already: their connections are listed at the same time, which spares an
        // event the time of a call. Of a service that turns out to be foreign, or of another tag, they are dropped; and
        // whoever names thousands of such has not more than that one call for it.
        Look::At(asked) if asked.len() <= FILTER_VALUES => {
            let asked: Vec<ServiceId> = asked.iter().cloned().collect();
            try_join(services, connections(ec2, &asked, region, by)).await?
        }
        Look::At(_) | Look::Everything | Look::Nowhere => {
            let observed = services.await?;
            let ids: Vec<ServiceId> = observed.services.keys().cloned().collect();
            let items = connections(ec2, &ids, region, by).await?;
            (observed, items)
        }
    };
    let is_foreign = |service: &ServiceId| !observed.services.contains_key(service);
    for item in items {
        match item {
            Ok(connection) if is_foreign(&connection.service) => {}
            Ok(connection) => observed.connections.push(connection),
            Err(unreadable) if unreadable.service.as_ref().is_some_and(is_foreign) => {}
            Err(unreadable) => observed.unreadable.push(unreadable),
        }
    }
    shown_once(&mut observed.connections);
    Ok(observed)
}

/// One that two pages show is one, and waits no more where either page says so.
fn shown_once(connections: &mut Vec<Connection>) {
    fn key(of: &Connection) -> (&ServiceId, &EndpointId) {
        (&of.service, &of.endpoint)
    }
    let waits = |of: &Connection| of.state == EndpointState::PendingAcceptance;
    connections.sort_unstable_by(|a, b| (key(a), waits(a)).cmp(&(key(b), waits(b))));
    connections.dedup_by(|a, b| key(a) == key(b));
}

/// Looks at the services that `look` means, and at nothing else.
///
/// # Errors
///
/// [`Failure::ReadFailed`], if any page could not be read.
pub async fn observe_services(
    ec2: &Client,
    region: &str,
    tag: Option<&TagFilter>,
    look: &Look,
    by: Instant,
) -> Result<Observed, Failure> {
    let mut observed = Observed::default();
    if *look == Look::Nowhere {
        return Ok(observed);
    }
    let configurations =
        services(ec2, by).await.map_err(|error| failed("DescribeVpcEndpointServiceConfigurations", error))?;
    for configuration in configurations {
        match service(&configuration, region) {
            Ok(service) if look.sees(&service.id) && bears(&service.tags, tag) => {
                observed.services.insert(service.id.clone(), service);
            }
            Ok(_) => {}
            Err(unreadable) => observed.unreadable.push(unreadable),
        }
    }
    if let Look::At(asked) = look {
        observed.foreign = asked.iter().filter(|id| !observed.services.contains_key(*id)).cloned().collect();
    }
    Ok(observed)
}

fn failed(call: &str, error: CallError) -> Failure {
    Failure::ReadFailed(format!("{call} failed with {error}"))
}

fn bears(tags: &Tags, filter: Option<&TagFilter>) -> bool {
    filter.is_none_or(|TagFilter { key, value }| tags.get(key) == Some(value))
}

async fn services(ec2: &Client, by: Instant) -> Result<Vec<ServiceConfiguration>, CallError> {
    let mut all = Vec::new();
    let mut pages = Pages::default();
    loop {
        let call = || async {
            let call = ec2.describe_vpc_endpoint_service_configurations().max_results(PAGE);
            call.set_next_token(pages.token()).send().await.map_err(CallError::from)
        };
        let page = until(by, call).await?;
        all.extend(page.service_configurations.unwrap_or_default());
        if !pages.turn(page.next_token)? {
            return Ok(all);
        }
    }
}

type Items = Vec<Result<Connection, Unreadable>>;

/// The connections of some services.
///
/// # Errors
///
/// [`Failure::ReadFailed`], if any page could not be read.
async fn connections(ec2: &Client, ids: &[ServiceId], region: &str, by: Instant) -> Result<Items, Failure> {
    // With no service there is no call: a filter without a value would list the connections of all.
    let listings = ids.chunks(FILTER_VALUES).map(|ids| listing(ec2, ids, region, by));
    let pages = stream::iter(listings).buffer_unordered(AT_ONCE).try_concat().await;
    pages.map_err(|error| failed("DescribeVpcEndpointConnections", error))
}

/// One listing, of the connections of as many services as fit into a filter. Each page is turned into the core's words
/// before the next one is asked for, since the SDK's take several times their room.
async fn listing(ec2: &Client, ids: &[ServiceId], region: &str, by: Instant) -> Result<Items, CallError> {
    let values = ids.iter().map(ToString::to_string).collect();
    let filter = Filter::builder().name("service-id").set_values(Some(values)).build();
    let mut all = Vec::new();
    let mut pages = Pages::default();
    loop {
        let call = || async {
            let call = ec2.describe_vpc_endpoint_connections().filters(filter.clone()).max_results(PAGE);
            call.set_next_token(pages.token()).send().await.map_err(CallError::from)
        };
        let page = until(by, call).await?;
        let items = page.vpc_endpoint_connections.unwrap_or_default();
        all.extend(items.into_iter().map(|item| connection(item, region)));
        if !pages.turn(page.next_token)? {
            return Ok(all);
        }
    }
}

/// Where a listing has got to.
#[derive(Default)]
pub(crate) struct Pages {
    token: Option<String>,
    turned: usize,
}

impl Pages {
    /// The token of the page to ask for.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Turns to the next page, if there is one. A listing that goes in a circle is an error and not a list.
    pub(crate) fn turn(&mut self, next: Option<String>) -> Result<bool, CallError> {
        let next = next.filter(|token| !token.is_empty());
        self.turned += 1;
        if next.is_some() && (next == self.token || self.turned >= MOST_PAGES) {
            return Err(CallError::unreadable("the listing has no end"));
        }
        self.token = next;
        Ok(self.token.is_some())
    }
}

fn tags(tags: &[Tag]) -> Tags {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())));
    pairs.collect::<BTreeMap<_, _>>()
}

fn service(from: &ServiceConfiguration, region: &str) -> Result<Service, Unreadable> {
    let id = from.service_id().unwrap_or_default();
    let unreadable = |fault: String| Unreadable { service: None, endpoint: None, fault };
    let id = ServiceId::parse(id).map_err(|error| unreadable(error.to_string()))?;
    let types = from.supported_ip_address_types().iter().map(|kind| kind.as_str().to_ascii_lowercase());
    Ok(Service {
        name: from.service_name().unwrap_or_default().to_owned(),
        region: region.to_owned(),
        private_dns: private_dns(from),
        ip_address_types: types.collect::<BTreeSet<_>>(),
        // Nothing is known of a service that does not say, and then nobody is said to be let in.
        acceptance_required: from.acceptance_required().unwrap_or(true),
        tags: tags(from.tags()),
        id,
    })
}

fn private_dns(from: &ServiceConfiguration) -> Option<PrivateDns> {
    let name = from.private_dns_name().filter(|name| !name.is_empty())?;
    let proof = from.private_dns_name_configuration();
    let state = proof.and_then(|proof| proof.state()).map_or("", |state| state.as_str());
    let record = proof.and_then(|proof| {
        let (label, value) = (proof.name()?.to_owned(), proof.value()?.to_owned());
        (!label.is_empty() && !value.is_empty()).then_some(TxtRecord { label, value })
    });
    Some(PrivateDns { name: name.to_owned(), state: DnsNameState::from_word(state), record })
}

fn connection(from: VpcEndpointConnection, region: &str) -> Result<Connection, Unreadable> {
    let service = from.service_id().and_then(|id| ServiceId::parse(id).ok());
    let unreadable =
        |fault: String| Unreadable { service: service.clone(), endpoint: from.vpc_endpoint_id.clone(), fault };
    let Some(of_service) = service.clone() else {
        return Err(unreadable("it names no service".to_owned()));
    };
    let endpoint = EndpointId::parse(from.vpc_endpoint_id().unwrap_or_default());
    let owner = AccountId::parse(from.vpc_endpoint_owner().unwrap_or_default());
    let (endpoint, owner) = match (endpoint, owner) {
        (Ok(endpoint), Ok(owner)) => (endpoint, owner),
        (Err(error), _) | (_, Err(error)) => return Err(unreadable(error.to_string())),
    };
    let created =
        from.creation_timestamp().and_then(|at| OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok());
    let Some(created) = created else {
        return Err(unreadable("it does not say when it was made".to_owned()));
    };
    Ok(Connection {
        service: of_service,
        endpoint,
        id: from.vpc_endpoint_connection_id().and_then(|id| ConnectionId::parse(id).ok()),
        owner,
        // The SDK's enum knows only words that EC2 does not send; its text is the word that was sent.
        state: EndpointState::from_word(from.vpc_endpoint_state().map_or("", |state| state.as_str())),
        created,
        region: from.vpc_endpoint_region().filter(|region| !region.is_empty()).unwrap_or(region).to_owned(),
        ip_address_type: from.ip_address_type().map_or("ipv4", |kind| kind.as_str()).to_ascii_lowercase(),
        dns_names: from.dns_entries().iter().filter_map(|entry| entry.dns_name().map(ToOwned::to_owned)).collect(),
        tags: tags(from.tags()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(endpoint: &str, state: &str) -> Connection {
        let shown = VpcEndpointConnection::builder()
            .service_id("vpce-svc-0a")
            .vpc_endpoint_id(endpoint)
            .vpc_endpoint_owner("111122223333")
            .vpc_endpoint_state(state.into())
            .creation_timestamp(aws_smithy_types::DateTime::from_secs(1));
        connection(shown.build(), "us-west-2").unwrap()
    }

    #[test]
    fn what_two_pages_show_is_there_once_and_waits_no_more_where_one_says_so() {
        let (pending, available) = (shown("vpce-0a", "pendingAcceptance"), shown("vpce-0a", "available"));
        let other = shown("vpce-0b", "pendingAcceptance");
        for pages in [[&pending, &other, &available], [&available, &other, &pending]] {
            let mut connections = pages.map(Clone::clone).to_vec();
            shown_once(&mut connections);
            assert_eq!(connections, [available.clone(), other.clone()]);
        }
    }
}
