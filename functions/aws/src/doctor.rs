//! Would it work here? Reads, and dry runs of what would be written; nothing is changed.
//!
//! AWS documents that a provider may tag the connections to its service, and nobody has said to have tried: a dry run
//! answers for the account that asks.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;
use privatelink_core::observed::{Connection, EndpointState, Observed, TAG_DECISION};
use tokio::time::Instant;

use crate::deadline::until;
use crate::error::{CallError, Meaning};

/// What was asked, and what the answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: Finding,
    /// What it stands on.
    pub because: String,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It would work.
    Yes,
    /// It would not.
    No,
    /// Nothing was there to try it with, or AWS said neither.
    NotKnown,
}

/// Tries what `connection-acceptor` would write, on connections that are there.
pub async fn examine(ec2: &Client, observed: &Observed, by: Instant) -> Vec<Check> {
    let waiting = observed.connections.iter().find(|found| found.state == EndpointState::PendingAcceptance);
    let any = waiting.or_else(|| observed.connections.iter().find(|found| found.state.is_live()));
    vec![
        check("may connections be accepted?", waiting, async |found: &Connection| {
            let call = || async {
                let call = ec2.accept_vpc_endpoint_connections().service_id(found.service.as_str());
                let call = call.vpc_endpoint_ids(found.endpoint.as_str()).dry_run(true);
                call.send().await.map(drop).map_err(CallError::from)
            };
            until(by, call).await
        })
        .await,
        check("may connections be rejected?", any, async |found: &Connection| {
            let call = || async {
                let call = ec2.reject_vpc_endpoint_connections().service_id(found.service.as_str());
                let call = call.vpc_endpoint_ids(found.endpoint.as_str()).dry_run(true);
                call.send().await.map(drop).map_err(CallError::from)
            };
            until(by, call).await
        })
        .await,
        check("may connections be tagged?", any.filter(|found| found.id.is_some()), async |found: &Connection| {
            let id = found.id.as_ref().map(ToString::to_string).unwrap_or_default();
            let call = || async {
                let tag = Tag::builder().key(TAG_DECISION).value("held").build();
                let call = ec2.create_tags().resources(&id).tags(tag).dry_run(true);
                call.send().await.map(drop).map_err(CallError::from)
            };
            until(by, call).await
        })
        .await,
    ]
}

async fn check(
    question: &'static str,
    on: Option<&Connection>,
    attempt: impl AsyncFn(&Connection) -> Result<(), CallError>,
) -> Check {
    let Some(connection) = on else {
        let because = "no connection is there to try it on".to_owned();
        return Check { question, answer: Finding::NotKnown, because };
    };
    let (answer, because) = match attempt(connection).await {
        Err(error) if error.code == "DryRunOperation" => {
            (Finding::Yes, format!("a dry run on {} would have succeeded", connection.endpoint))
        }
        Err(error) if error.meaning == Meaning::NotAllowed => {
            (Finding::No, format!("a dry run on {} was refused with `{}`", connection.endpoint, error.code))
        }
        Err(error) => (Finding::NotKnown, format!("a dry run on {} ended with `{}`", connection.endpoint, error.code)),
        // A dry run that succeeds did something: that is not for this command to explain away.
        Ok(()) => (Finding::NotKnown, "AWS took the dry run for a real call".to_owned()),
    };
    Check { question, answer, because }
}
