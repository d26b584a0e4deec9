//! The record sets of a zone: read where they are wanted, exchanged as a whole or not at all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_route53::types::{
    Change as SdkChange, ChangeAction, ChangeBatch, ChangeInfo, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use privatelink_core::ids::DnsName;
use privatelink_core::ownership::{Change, Existing, TxtSet, Write};
use tokio::time::Instant;

use super::accounts::Account;
use super::name_of;
use super::order::Answered;
use crate::error::CallError;

/// The largest page that Route 53 gives.
const PAGE: i32 = 300;
/// The page for a zone of which one record is wanted: that one, and what else may stand at its name.
const SMALL_PAGE: i32 = 10;

/// What stands at some names of a zone, asked for in as few pages as there are.
///
/// # Errors
///
/// A page could not be read.
pub async fn read(
    account: &Account,
    zone: &str,
    names: &[DnsName],
    by: Instant,
) -> Result<BTreeMap<DnsName, Existing>, CallError> {
    let mut found: BTreeMap<DnsName, Existing> = BTreeMap::new();
    let mut answered = Answered::default();
    let mut wanted: Vec<&DnsName> = names.iter().collect();
    // In the order of the listing, so that one page serves all that stand on it.
    wanted.sort_by_key(|name| name.as_str().rsplit('.').map(ToOwned::to_owned).collect::<Vec<_>>());
    let page = if wanted.len() > 1 { PAGE } else { SMALL_PAGE };
    for name in wanted {
        if answered.covers(name.as_str()) {
            continue;
        }
        let call = || async {
            let call = account.client.list_resource_record_sets().hosted_zone_id(zone).max_items(page);
            let call = call.start_record_name(name.as_str()).start_record_type(RrType::Txt);
            call.send().await.map_err(CallError::from)
        };
        let listed = account.paced(by, call).await?;
        // Several sets of one name are several on one page; a set that two pages show is one.
        let mut shown: BTreeMap<DnsName, Existing> = BTreeMap::new();
        for set in listed.resource_record_sets.iter().filter(|set| set.r#type == RrType::Txt) {
            let Some(name) = name_of(&set.name) else { continue };
            shown.entry(name).and_modify(|known| *known = Existing::NotSimple).or_insert_with(|| existing(set));
        }
        found.extend(shown);
        // A page that ends within a name's sets has shown enough of it to see that they are several.
        answered.add(name.as_str(), listed.next_record_name.as_deref().filter(|_| listed.is_truncated));
        if !answered.covers(name.as_str()) {
            answered.add(name.as_str(), Some(&format!("0.{name}")));
        }
    }
    Ok(found)
}

fn existing(set: &ResourceRecordSet) -> Existing {
    match (&set.set_identifier, &set.alias_target, set.ttl) {
        (None, None, Some(ttl)) => {
            let values = set.resource_records().iter().map(|record| record.value.clone()).collect();
            Existing::Values(TxtSet { ttl, values })
        }
        _ => Existing::NotSimple,
    }
}

/// How a write ended that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It took effect, and this is its change.
    Changed(Change),
    /// What stands there is not what was read: it has to be read again.
    Overtaken {
        /// Whether an attempt before the last may be why.
        perhaps_ours: bool,
    },
}

/// Exchanges a record set: what was read is taken away and the new one put there, in one batch that fails as a whole.
///
/// # Errors
///
/// The last error.
pub async fn write(account: &Account, write: &Write, by: Instant) -> Result<Written, CallError> {
    let Write { zone, role: _, record, before, after } = write;
    let mut batch = ChangeBatch::builder().comment("privatelink: proof of a private DNS name");
    for (action, set) in before.iter().map(|set| (ChangeAction::Delete, set)).chain([(ChangeAction::Create, after)]) {
        batch = batch.changes(change(action, record, set)?);
    }
    let batch = batch.build().map_err(|error| CallError::unreadable(&error.to_string()))?;
    let attempts = AtomicUsize::new(0);
    let call = || async {
        attempts.fetch_add(1, Ordering::Relaxed);
        let call = account.client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch.clone());
        call.send().await.map_err(CallError::from)
    };
    match account.paced(by, call).await {
        Ok(answer) => Ok(Written::Changed(
            answer.change_info.as_ref().map_or_else(|| Change { id: String::new(), in_sync: true }, changed),
        )),
        Err(error) if error.code == "InvalidChangeBatch" => {
            Ok(Written::Overtaken { perhaps_ours: attempts.into_inner() > 1 })
        }
        Err(error) => Err(error),
    }
}

fn change(action: ChangeAction, record: &DnsName, set: &TxtSet) -> Result<SdkChange, CallError> {
    let records = set.values.iter().map(|value| ResourceRecord::builder().value(value).build());
    let records: Vec<_> =
        records.collect::<Result<_, _>>().map_err(|error| CallError::unreadable(&error.to_string()))?;
    let set = ResourceRecordSet::builder()
        .name(format!("{record}."))
        .r#type(RrType::Txt)
        .ttl(set.ttl)
        .set_resource_records(Some(records))
        .build()
        .map_err(|error| CallError::unreadable(&error.to_string()))?;
    SdkChange::builder()
        .action(action)
        .resource_record_set(set)
        .build()
        .map_err(|error| CallError::unreadable(&error.to_string()))
}

fn changed(info: &ChangeInfo) -> Change {
    let id = info.id.rsplit('/').next().unwrap_or_default().to_owned();
    Change { id, in_sync: info.status == ChangeStatus::Insync }
}

/// How far a change has come. Nothing is known of one that AWS has forgotten, or that may not be asked about: then DNS
/// itself has to say.
pub async fn change_of(account: &Account, id: &str, by: Instant) -> Option<Change> {
    let call = || async { account.client.get_change().id(id).send().await.map_err(CallError::from) };
    match account.paced(by, call).await {
        Ok(answer) => answer.change_info.as_ref().map(changed),
        Err(_) => None,
    }
}
