//! Tags of connections: alike ones in calls of a thousand, and the one that spoils a call is found.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;
use privatelink_core::notice::Mark;
use tokio::time::Instant;

use crate::deadline::until;
use crate::error::{CallError, Meaning};

type Tags = [(&'static str, String)];

/// A mark, and what became of writing it.
pub(super) type Marked<'m, 'o> = (&'m Mark<'o>, Result<(), CallError>);

/// Marks that write the same tags.
pub(super) fn alike<'m, 'o>(marks: impl IntoIterator<Item = &'m Mark<'o>>) -> BTreeMap<&'m Tags, Vec<&'m Mark<'o>>> {
    let mut groups: BTreeMap<&Tags, Vec<_>> = BTreeMap::new();
    for mark in marks {
        groups.entry(mark.tags.as_slice()).or_default().push(mark);
    }
    groups
}

/// Writes marks that are alike. A call that is refused is halved.
pub(super) async fn write<'m, 'o>(ec2: &Client, marks: Vec<&'m Mark<'o>>, by: Instant) -> Vec<Marked<'m, 'o>> {
    let mut done = Vec::with_capacity(marks.len());
    let mut todo = vec![marks];
    while let Some(mut marks) = todo.pop() {
        match until(by, || create(ec2, &marks)).await {
            Err(error) if matches!(error.meaning, Meaning::Over | Meaning::Refused) && marks.len() > 1 => {
                let second = marks.split_off(marks.len().div_ceil(2));
                todo.extend([second, marks]);
            }
            answer => done.extend(marks.into_iter().map(|mark| (mark, answer.clone()))),
        }
    }
    done
}

async fn create(ec2: &Client, marks: &[&Mark<'_>]) -> Result<(), CallError> {
    let Some(first) = marks.first() else { return Ok(()) };
    let ids = marks.iter().map(|mark| mark.connection.to_string()).collect();
    let tags = first.tags.iter().map(|(key, value)| Tag::builder().key(*key).value(value).build()).collect();
    let call = ec2.create_tags().set_resources(Some(ids)).set_tags(Some(tags));
    call.send().await.map(drop).map_err(CallError::from)
}
