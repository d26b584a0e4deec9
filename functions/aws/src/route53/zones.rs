//! The zones of an account, asked for by name: an account may have ten thousand of them.

use std::collections::BTreeMap;

use aws_sdk_route53::types::HostedZone as SdkZone;
use privatelink_core::dns::Delegation;
use privatelink_core::ids::DnsName;
use privatelink_core::ownership::{HostedZone, candidates, delegated_among};
use tokio::time::Instant;

use super::accounts::Account;
use super::name_of;
use super::order::Answered;
use crate::error::CallError;

/// The largest page that Route 53 gives.
const PAGE: i32 = 100;
/// More zones of one name than this are somebody's mistake.
const MOST_PAGES_OF_A_NAME: usize = 20;

/// What one run has learnt of an account's zones.
#[derive(Debug, Default)]
pub struct ZoneBook {
    answered: Answered,
    zones: BTreeMap<DnsName, Vec<HostedZone>>,
}

/// The zones that a name could belong into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The public ones of the longest name that there is any of.
    pub public: Vec<HostedZone>,
    /// Whether a private one has a name as long.
    pub private: bool,
}

impl ZoneBook {
    /// The zones for a name, from the longest name down.
    ///
    /// # Errors
    ///
    /// A listing could not be read.
    pub async fn find(&mut self, account: &Account, name: &DnsName, by: Instant) -> Result<Found, CallError> {
        let mut private = false;
        for candidate in candidates(name) {
            if !self.answered.covers(candidate.as_str()) {
                self.list(account, &candidate, by).await?;
            }
            let zones = self.zones.get(&candidate).map_or(&[][..], Vec::as_slice);
            private |= zones.iter().any(|zone| zone.private);
            let public: Vec<_> = zones.iter().filter(|zone| !zone.private).cloned().collect();
            if !public.is_empty() {
                return Ok(Found { public, private });
            }
        }
        Ok(Found { public: Vec::new(), private })
    }

    /// Reads the page that begins with a name; more, while they are all of that name.
    async fn list(&mut self, account: &Account, name: &DnsName, by: Instant) -> Result<(), CallError> {
        let mut id = None;
        for _ in 0..MOST_PAGES_OF_A_NAME {
            let call = || async {
                let call = account.client.list_hosted_zones_by_name().dns_name(name.as_str()).max_items(PAGE);
                call.set_hosted_zone_id(id.clone()).send().await.map_err(CallError::from)
            };
            let page = account.paced(by, call).await?;
            for zone in page.hosted_zones.iter().filter_map(hosted_zone) {
                let known = self.zones.entry(zone.name.clone()).or_default();
                if !known.iter().any(|known| known.id == zone.id) {
                    known.push(zone);
                }
            }
            let next = page.next_dns_name.filter(|_| page.is_truncated);
            if next.as_deref().and_then(name_of).as_ref() != Some(name) {
                self.answered.add(name.as_str(), next.as_deref());
                return Ok(());
            }
            id = page.next_hosted_zone_id;
        }
        Err(CallError::unreadable("the listing of hosted zones has no end"))
    }
}

fn hosted_zone(from: &SdkZone) -> Option<HostedZone> {
    let id = from.id().rsplit('/').next().unwrap_or_default();
    Some(HostedZone {
        id: (!id.is_empty()).then(|| id.to_owned())?,
        name: name_of(from.name())?,
        private: from.config().is_some_and(|config| config.private_zone()),
        name_servers: None,
    })
}

/// The name servers that Route 53 gave a zone. They never change.
///
/// # Errors
///
/// The zone could not be read.
pub async fn name_servers(account: &Account, zone: &str, by: Instant) -> Result<Vec<DnsName>, CallError> {
    let call = || async { account.client.get_hosted_zone().id(zone).send().await.map_err(CallError::from) };
    let answer = account.paced(by, call).await?;
    let servers = answer.delegation_set.map(|set| set.name_servers).unwrap_or_default();
    Ok(servers.iter().filter_map(|server| name_of(server)).collect())
}

/// Of the zones that were found, the one to write into. Several of one name are told apart by the world's delegation,
/// for which `world` is asked only then.
///
/// # Errors
///
/// The name servers of the zones could not be read.
pub async fn choose(
    account: &Account,
    mut found: Vec<HostedZone>,
    world: impl AsyncFnOnce(&DnsName) -> Delegation,
    by: Instant,
) -> Result<Option<HostedZone>, CallError> {
    if found.len() < 2 {
        return Ok(found.pop());
    }
    for zone in &mut found {
        zone.name_servers = Some(account.name_servers(&zone.id, by).await?);
    }
    let Some(name) = found.first().map(|zone| zone.name.clone()) else { return Ok(None) };
    Ok(delegated_among(&found, &world(&name).await).cloned())
}
