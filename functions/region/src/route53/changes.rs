//! Changes of a zone's record sets: batches that take effect as a whole or not at all, and what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::body::Node;
use super::record::{self, RecordData, RecordKey, RecordSet};
use super::state::{Records, Zone};
use super::{Document, change_info, denied, enum_fault, invalid_batch, invalid_input, own_zone};
use crate::error::ApiError;
use crate::query::Params;
use crate::world::World;

/// The most values in a batch; those of an UPSERT count twice.
const MOST_VALUES: usize = 1000;
/// The most characters in a batch's values; those of an UPSERT count twice.
const MOST_CHARACTERS: usize = 32_000;
/// The most record sets in a zone.
const MOST_RECORD_SETS: usize = 10_000;

/// What is to be done with a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Delete,
    Upsert,
}

struct Wanted {
    action: Action,
    key: RecordKey,
    set: RecordSet,
}

pub(super) fn change(world: &mut World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let id = params.take("Id").unwrap_or_default();
    let body = Node::parse(&params.take("Body").unwrap_or_default(), "ChangeResourceRecordSetsRequest")?;
    let batch = body.only(&["ChangeBatch"])?.require("ChangeBatch")?.only(&["Comment", "Changes"])?;
    let comment = batch.text_of("Comment")?.map(ToOwned::to_owned);
    let wanted: Vec<Wanted> = batch.require("Changes")?.items("Change")?.iter().map(read).collect::<Result<_, _>>()?;
    let now = world.now();
    let zone = own_zone(world, account, &id)?;
    if let Some(seconds) = world.settings.prior_request_seconds
        && now < zone.changed + Duration::from_secs(seconds)
    {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(ApiError::new(400, "PriorRequestNotComplete", message));
    }
    let records = apply(zone, &wanted).map_err(invalid_batch)?;
    let change = world.route53.change_zone(&id, records, comment, now);
    let change = change.ok_or_else(|| ApiError::new(500, "InternalFailure", "the zone is gone"))?;
    Ok(Document::of(vec![change_info(change, now)]))
}

pub(super) fn get(world: &World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let id = params.take("Id").unwrap_or_default();
    let Some(change) = world.route53.changes.get(&id) else {
        return Err(ApiError::new(404, "NoSuchChange", &format!("Could not find change with ID: {id}")));
    };
    if change.owner != account {
        return Err(denied(account));
    }
    Ok(Document::of(vec![change_info(change, world.now())]))
}

fn read(change: &Node) -> Result<Wanted, ApiError> {
    change.only(&["Action", "ResourceRecordSet"])?;
    let action = match change.require("Action")?.text()? {
        "CREATE" => Action::Create,
        "DELETE" => Action::Delete,
        "UPSERT" => Action::Upsert,
        other => return Err(enum_fault(other, "action")),
    };
    let (key, set) = RecordSet::read(change.require("ResourceRecordSet")?)?;
    if key.identifier.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > 128) {
        return Err(invalid_input("Invalid parameter: SetIdentifier must have between 1 and 128 characters"));
    }
    Ok(Wanted { action, key, set })
}

/// The zone's record sets after the batch, or all that is wrong with it.
fn apply(zone: &Zone, batch: &[Wanted]) -> Result<Records, Vec<String>> {
    within_limits(batch)?;
    let mut faults = Vec::new();
    let mut done: BTreeMap<&RecordKey, Vec<Action>> = BTreeMap::new();
    let mut records = zone.records.clone();
    for Wanted { action, key, set } in batch {
        let former = done.entry(key).or_default();
        // One record set is changed once, or deleted and made anew.
        let again = matches!(former.as_slice(), [Action::Delete]) && *action == Action::Create;
        if !former.is_empty() && !again {
            let (kind, name) = (&key.kind, &key.name);
            faults.push(format!(
                "The request contains an invalid set of changes for a resource record set '{kind} {name}'"
            ));
            continue;
        }
        former.push(*action);
        if !key.name.is_within(&zone.name) {
            faults.push(format!("RRSet with DNS name {} is not permitted in zone {}", key.name, zone.name));
            continue;
        }
        if let RecordData::Values { values, .. } = &set.data {
            faults.extend(record::faults(&key.kind, values));
        }
        match (action, records.get(key)) {
            (Action::Create, Some(_)) => {
                faults.push(format!("Tried to create resource record set {} but it already exists", shown(key)));
            }
            (Action::Delete, None) => {
                faults.push(format!("Tried to delete resource record set {} but it was not found", shown(key)));
            }
            (Action::Delete, Some(there)) if !there.same(set) => faults.push(format!(
                "Tried to delete resource record set {} but the values provided do not match the current values",
                shown(key)
            )),
            (Action::Delete, Some(_)) => {
                records.remove(key);
            }
            (Action::Create, None) | (Action::Upsert, _) => {
                records.insert(key.clone(), set.clone());
            }
        }
    }
    if faults.is_empty() {
        faults = conflicts(zone, &records, batch);
    }
    if faults.is_empty() { Ok(records) } else { Err(faults) }
}

fn within_limits(batch: &[Wanted]) -> Result<(), Vec<String>> {
    let weigh = |of: fn(&[String]) -> usize| -> usize {
        let twice = |action| if action == Action::Upsert { 2 } else { 1 };
        batch.iter().map(|wanted| twice(wanted.action) * of(wanted.set.values())).sum()
    };
    if weigh(<[String]>::len) > MOST_VALUES {
        return Err(vec![format!("Number of records limit of {MOST_VALUES} exceeded.")]);
    }
    if weigh(|values| values.iter().map(|value| value.chars().count()).sum()) > MOST_CHARACTERS {
        return Err(vec![format!("RDATA character limit of {MOST_CHARACTERS} exceeded.")]);
    }
    Ok(())
}

/// What can not stand together in a zone.
fn conflicts(zone: &Zone, records: &Records, batch: &[Wanted]) -> Vec<String> {
    let mut faults = Vec::new();
    if records.len() > MOST_RECORD_SETS {
        faults.push(format!("Exceeded limit MAX_RRSETS_BY_ZONE for zone: {}", zone.id));
    }
    for (kind, message) in [
        ("NS", "A HostedZone must contain at least one NS record for the zone itself."),
        ("SOA", "A HostedZone must contain exactly one SOA record."),
    ] {
        let apex = RecordKey { name: zone.name.clone(), kind: kind.to_owned(), identifier: None };
        if !records.contains_key(&apex) {
            faults.push(message.to_owned());
        }
    }
    for key in batch.iter().map(|wanted| &wanted.key).filter(|key| records.contains_key(key)) {
        let RecordKey { name, kind, identifier } = key;
        if kind == "CNAME" && *name == zone.name {
            faults.push(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {name}"));
        }
        if kind == "SOA" && *name != zone.name {
            faults.push(format!("RRSet of type SOA with DNS name {name} is not permitted in zone {}", zone.name));
        }
        let from = RecordKey { name: name.clone(), kind: String::new(), identifier: None };
        for other in records.range(&from..).map(|(other, _)| other).take_while(|other| other.name == *name) {
            if (kind == "CNAME") != (other.kind == "CNAME") {
                faults.push(format!(
                    "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type  {} \
                     with the same DNS name already exists in zone {}.",
                    other.kind, zone.name
                ));
            }
            if *kind == other.kind && identifier.is_some() != other.identifier.is_some() {
                faults.push(format!(
                    "RRSet with DNS name {name}, type {kind} can not stand beside one with and one without a \
                     SetIdentifier"
                ));
            }
        }
    }
    faults
}

fn shown(key: &RecordKey) -> String {
    let RecordKey { name, kind, identifier } = key;
    match identifier {
        Some(identifier) => format!("[name='{name}', type='{kind}', set-identifier='{identifier}']"),
        None => format!("[name='{name}', type='{kind}']"),
    }
}
