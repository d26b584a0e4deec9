//! Where each domain's record belongs, what is there, and what the world sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use privatelink_core::ids::{DnsName, ServiceId};
use privatelink_core::observed::{DnsNameState, PrivateDns};
use privatelink_core::ownership::{
    Change, Domain, Domains, Existing, HostedZone, Memory, Place, Proof, Publisher, readable,
};
use tokio::time::Instant;

use super::Verifier;
use crate::clock;
use crate::error::{CallError, Meaning};
use crate::route53::accounts::Account;
use crate::route53::records;
use crate::route53::zones::{ZoneBook, choose};

/// How many domains DNS is asked about at the same time.
const ASKED_AT_ONCE: usize = 16;
/// The share of the time that is left which one call may take that is tried again and again: others wait behind it.
const SHARE: u32 = 4;

/// A service that has a private DNS name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) service: ServiceId,
    pub(super) private_dns: PrivateDns,
    pub(super) memory: Memory,
}

impl Verifier {
    /// Everything that is known of those names, account by account and zone by zone.
    pub(super) async fn places(&self, domains: &Domains, named: Vec<Named>, by: Instant) -> Vec<Domain> {
        let mut found = Vec::with_capacity(named.len());
        let mut by_role: BTreeMap<Option<String>, Vec<(Named, Proof)>> = BTreeMap::new();
        for named in named {
            match Proof::of(&named.private_dns) {
                Ok(Some(proof)) => match domains.publisher(&proof.record) {
                    Publisher::Person => found.push(self.domain(named, Place::Person, None)),
                    Publisher::Own => by_role.entry(None).or_default().push((named, proof)),
                    Publisher::Role(role) => by_role.entry(Some(role)).or_default().push((named, proof)),
                },
                // There is no record, so that it has no place.
                Ok(None) | Err(_) => found.push(self.domain(named, Place::NotAsked, None)),
            }
        }
        for (role, named) in by_role {
            match self.accounts.get(role.as_deref(), share(by)).await {
                Ok(account) => found.extend(self.in_account(&account, role, named, by).await),
                Err(error) => {
                    let what = format!("the role could not be assumed: {error}");
                    let place = || unreadable(&error, what.clone());
                    found.extend(named.into_iter().map(|(named, _)| self.domain(named, place(), None)));
                }
            }
        }
        stream::iter(found).map(|domain| self.ask(domain, by)).buffer_unordered(ASKED_AT_ONCE).collect().await
    }

    /// A domain with the change that it is waiting for, if there is one.
    fn domain(&self, named: Named, place: Place, change: Option<Change>) -> Domain {
        let Named { service, private_dns, memory } = named;
        Domain { service, private_dns, memory, place, change, seen: None }
    }

    /// The domains whose records belong into one account's zones.
    async fn in_account(
        &self,
        account: &Arc<Account>,
        role: Option<String>,
        mut named: Vec<(Named, Proof)>,
        by: Instant,
    ) -> Vec<Domain> {
        let mut found = Vec::with_capacity(named.len());
        let mut book = ZoneBook::default();
        let mut refused: Option<CallError> = None;
        let mut by_zone: BTreeMap<String, (_, Vec<(Named, Proof)>)> = BTreeMap::new();
        // In the order of the listings, so that one page serves all that stand on it.
        named.sort_by_cached_key(|(_, proof)| {
            proof.record.as_str().rsplit('.').map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        for (named, proof) in named {
            let looked = match &refused {
                // Who may not list zones may not list them for the next name either.
                Some(error) => Err(error.clone()),
                None => self.zone_of(account, &mut book, &proof.domain(), share(by)).await,
            };
            match looked {
                Ok((Some(zone), _)) => {
                    by_zone.entry(zone.id.clone()).or_insert_with(|| (zone, Vec::new())).1.push((named, proof));
                }
                Ok((None, private)) => found.push(self.domain(named, Place::NoZone { private }, None)),
                Err(error) => {
                    let what = format!("the hosted zones could not be listed: {error}");
                    found.push(self.domain(named, unreadable(&error, what), None));
                    refused = (error.meaning == Meaning::NotAllowed).then_some(error).or(refused);
                }
            }
        }
        for (id, (zone, named)) in by_zone {
            let records: Vec<DnsName> = named.iter().map(|(_, proof)| proof.record.clone()).collect();
            match records::read(account, &id, &records, share(by)).await {
                Ok(mut sets) => {
                    for (named, proof) in named {
                        // Two services can share a record.
                        let set = sets.get_mut(&proof.record).map_or(Existing::Nothing, |set| set.clone());
                        let place = Place::Zone { zone: zone.clone(), role: role.clone(), set };
                        let change = self.change(account, &named, share(by)).await;
                        found.push(self.domain(named, place, change));
                    }
                }
                Err(error) => {
                    let what = format!("the records of the hosted zone {id} could not be read: {error}");
                    let place = || unreadable(&error, what.clone());
                    found.extend(named.into_iter().map(|(named, _)| self.domain(named, place(), None)));
                }
            }
        }
        found
    }

    async fn zone_of(
        &self,
        account: &Account,
        book: &mut ZoneBook,
        name: &DnsName,
        by: Instant,
    ) -> Result<(Option<HostedZone>, bool), CallError> {
        let found = book.find(account, name, by).await?;
        let world = async |name: &DnsName| self.dns.delegation(name, by).await;
        Ok((choose(account, found.public, world, by).await?, found.private))
    }

    /// How far the change has come that a record was written with. One that is in sync is not asked about again, and one
    /// of a name that is verified is waited for by nobody.
    async fn change(&self, account: &Account, named: &Named, by: Instant) -> Option<Change> {
        if named.private_dns.state == DnsNameState::Verified {
            return None;
        }
        let label = named.private_dns.record.as_ref().map(|record| record.label.as_str())?;
        let kept = self.kept.change(&named.service, label);
        let remembered = || named.memory.change.clone().filter(|_| named.memory.label == label);
        let id = match kept {
            Some(change) if change.in_sync => return Some(change),
            Some(change) => change.id,
            None => remembered()?,
        };
        let change = records::change_of(account, &id, by).await?;
        self.kept.changed(&named.service, label, change.clone());
        Some(change)
    }

    /// What the world sees of a domain's record, where the next step depends on it.
    async fn ask(&self, mut domain: Domain, by: Instant) -> Domain {
        let Ok(Some(proof)) = Proof::of(&domain.private_dns) else { return domain };
        if !domain.wants_dns() {
            return domain;
        }
        let seen = self.dns.seen(&proof.record, &proof.value, by).await;
        if let Place::Zone { zone, role, .. } = &mut domain.place
            && zone.name_servers.is_none()
            && (seen.given || readable(&proof.value, &seen, None).is_err())
            && let Ok(account) = self.accounts.get(role.as_deref(), share(by)).await
        {
            // Only who looks for a cause has to know whom the world should be asking.
            zone.name_servers = account.name_servers(&zone.id, share(by)).await.ok();
        }
        domain.seen = Some(seen);
        domain
    }
}

/// A part of the time that is left.
fn share(by: Instant) -> Instant {
    let now = clock::now();
    now + by.saturating_duration_since(now) / SHARE
}

fn unreadable(error: &CallError, detail: String) -> Place {
    Place::Unreadable { code: error.code.clone(), detail, passes: error.meaning == Meaning::ComeAgain }
}
