//! Tags.

use std::collections::BTreeMap;

use super::{ApiError, Fields, dry_run};
use crate::query::Params;
use crate::service::Caller;
use crate::world::World;
use crate::xml::text;

/// The most resources that one call tags, and the most tags that one resource bears.
const RESOURCES: usize = 1000;
const TAGS: usize = 50;

/// The longest key. EC2 takes one character less than most of AWS does.
const LONGEST_KEY: usize = 127;

pub(super) fn create(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let resources = params.list("ResourceId");
    let tags = take(params)?;
    let dry_run = dry_run(params);
    params.finish()?;
    if tags.is_empty() {
        return Err(ApiError::missing("Tag"));
    }
    check_resources(world, account, &resources)?;
    dry_run?;
    // One resource that can take no more tags refuses the whole call, so that it is all or nothing.
    for apply in [false, true] {
        for id in &resources {
            let Some(of_resource) = world.tags_of(account, id) else { return Err(not_found(id)) };
            let new = tags.keys().filter(|key| !of_resource.contains_key(*key)).count();
            if of_resource.len() + new > TAGS {
                return Err(ApiError::new(400, "TagLimitExceeded", "The maximum number of Tags has been reached."));
            }
            if apply {
                of_resource.extend(tags.clone());
            }
        }
    }
    Ok(vec![text("return", true)])
}

/// Takes tags away: all of them where none is named; one of any value where none is given; else one of that value,
/// which may be the empty one.
pub(super) fn delete(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let resources = params.list("ResourceId");
    let mut tags = Vec::new();
    for mut tag in params.structures("Tag") {
        tags.push((tag.require("Key")?, tag.take("Value")));
        tag.finish()?;
    }
    let dry_run = dry_run(params);
    params.finish()?;
    check_resources(world, account, &resources)?;
    dry_run?;
    for id in &resources {
        let Some(of_resource) = world.tags_of(account, id) else { return Err(not_found(id)) };
        of_resource.retain(|key, value| {
            let named = |(of, is): &(String, Option<String>)| of == key && is.as_ref().is_none_or(|is| is == value);
            !tags.is_empty() && !tags.iter().any(named)
        });
    }
    Ok(vec![text("return", true)])
}

fn check_resources(world: &mut World, account: &str, resources: &[String]) -> Result<(), ApiError> {
    if resources.is_empty() {
        return Err(ApiError::missing("ResourceId"));
    }
    if resources.len() > RESOURCES {
        let message = format!("The maximum number of resources in one call is {RESOURCES}.");
        return Err(ApiError::invalid(message));
    }
    match resources.iter().find(|id| world.tags_of(account, id).is_none()) {
        Some(id) => Err(not_found(id)),
        None => Ok(()),
    }
}

fn not_found(id: &str) -> ApiError {
    let kind = match id {
        id if id.starts_with("vpce-con-") => "InvalidVpcEndpointConnectionId.NotFound",
        id if id.starts_with("vpce-svc-") => "InvalidVpcEndpointServiceId.NotFound",
        id if id.starts_with("vpce-") => "InvalidVpcEndpointId.NotFound",
        _ => "InvalidID",
    };
    ApiError::new(400, kind, &format!("The ID '{id}' does not exist"))
}

/// Takes `Tag.N.Key` and `Tag.N.Value`, under AWS's rules for tags.
pub(super) fn take(params: &mut Params) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for mut tag in params.structures("Tag") {
        let key = tag.require("Key")?;
        let value = tag.take("Value").unwrap_or_default();
        tag.finish()?;
        if key.is_empty() || key.chars().count() > LONGEST_KEY {
            return Err(ApiError::invalid(format!(
                "Tag key '{key}' must have between 1 and {LONGEST_KEY} characters."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::invalid("Tag keys starting with 'aws:' are reserved for internal use"));
        }
        if value.chars().count() > 256 {
            return Err(ApiError::invalid("Tag value exceeds the maximum length of 256 characters"));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}
