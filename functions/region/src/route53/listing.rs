//! A zone's record sets, listed as the API shows them: changes that the world does not know of yet are in it.

use std::ops::Bound;

use super::name::Name;
use super::record::{RecordKey, is_kind};
use super::{Document, enum_fault, invalid_input, most_items, own_zone};
use crate::error::ApiError;
use crate::query::Params;
use crate::world::World;
use crate::xml::{element, text};

pub(super) fn list(world: &World, account: &str, params: &mut Params) -> Result<Document, ApiError> {
    let zone = own_zone(world, account, &params.take("Id").unwrap_or_default())?;
    let (name, kind, identifier) = (params.take("name"), params.take("type"), params.take("identifier"));
    let most = most_items(world, params, 300)?;
    if kind.is_some() && name.is_none() {
        return Err(invalid_input("Invalid request: type can be specified only together with name"));
    }
    if identifier.is_some() && kind.is_none() {
        return Err(invalid_input("Invalid request: identifier can be specified only together with name and type"));
    }
    if let Some(kind) = kind.as_ref().filter(|kind| !is_kind(kind)) {
        return Err(enum_fault(kind, "type"));
    }
    let from = match name {
        None => Bound::Unbounded,
        Some(name) => {
            let name = Name::parse(&name).map_err(|fault| invalid_input(&format!("FATAL problem: {fault}")))?;
            Bound::Included(RecordKey { name, kind: kind.unwrap_or_default(), identifier })
        }
    };
    let mut found = zone.records.range((from, Bound::Unbounded));
    let sets = found.by_ref().take(most).map(|(key, set)| set.element(key)).collect();
    let next = found.next().map(|(key, _)| key);
    let mut fields = vec![element("ResourceRecordSets", sets), text("IsTruncated", next.is_some())];
    if let Some(RecordKey { name, kind, identifier }) = next {
        fields.extend([text("NextRecordName", name), text("NextRecordType", kind)]);
        fields.extend(identifier.as_ref().map(|identifier| text("NextRecordIdentifier", identifier)));
    }
    fields.push(text("MaxItems", most));
    Ok(Document::of(fields))
}
