//! Would it work here? Reads, and dry runs of what would be written; nothing is changed.
//!
//! AWS documents that a provider may tag the connections to its service, and nobody has said to have tried: a dry run
//! answers for the account that asks.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;
use privatelink_core::ids::TopicArn;
use privatelink_core::observed::{Connection, EndpointState, Observed, TAG_DECISION, TAG_DOMAIN};
use privatelink_core::ownership::{Domain, DomainPlan, Existing, Place};
use privatelink_core::plan::Reason;
use tokio::time::Instant;

use crate::deadline::until;
use crate::error::{CallError, Meaning};
use crate::topics::Topics;

/// What was asked, and what the answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The question.
    pub question: String,
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

/// Tries what `domain-verifier` would write, on every service that has a private DNS name; and says where its record
/// belongs, since Route 53 has no dry runs.
pub(crate) async fn examine_domains(ec2: &Client, domains: &[(Domain, DomainPlan)], by: Instant) -> Vec<Check> {
    let mut checks = Vec::new();
    for (Domain { service, private_dns, place, .. }, plan) in domains {
        let name = &private_dns.name;
        let (answer, because) = match place {
            Place::Zone { zone, set: Existing::Values(_) | Existing::Nothing, role, .. } => {
                let through = role.as_ref().map(|role| format!(" through {role}")).unwrap_or_default();
                (Finding::Yes, format!("the hosted zone {} of `{}` was read{through}", zone.id, zone.name))
            }
            Place::Zone { zone, set: Existing::NotSimple, .. } => {
                (Finding::No, format!("record sets of a routing policy stand there in {}", zone.id))
            }
            Place::Person => (Finding::Yes, "a person publishes it, as domains.toml says".to_owned()),
            Place::NoZone { .. } => (Finding::No, "no public hosted zone of this account holds the name".to_owned()),
            Place::Unreadable { code, .. } => (Finding::No, format!("reading its zone was refused with `{code}`")),
            Place::NotAsked => (Finding::NotKnown, "AWS has told no record for it".to_owned()),
        };
        checks.push(Check { question: format!("is there a place for the record of {name}?"), answer, because });
        let wrong = plan.skipped.iter().find(|skip| matches!(skip.reason, Reason::Domain(_)));
        if let Some(skip) = wrong {
            let because = [skip.detail.clone(), skip.fix.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ");
            checks.push(Check { question: format!("can {name} be proved?"), answer: Finding::No, because });
        }
        let start = || async {
            let call = ec2.start_vpc_endpoint_service_private_dns_verification().service_id(service.as_str());
            call.dry_run(true).send().await.map(drop).map_err(CallError::from)
        };
        let (answer, because) = found(service.as_str(), until(by, start).await);
        checks.push(Check { question: format!("may the check of {name} be started?"), answer, because });
        let tag = || async {
            let tag = Tag::builder().key(TAG_DOMAIN).value("for=").build();
            let call = ec2.create_tags().resources(service.as_str()).tags(tag).dry_run(true);
            call.send().await.map(drop).map_err(CallError::from)
        };
        let (answer, because) = found(service.as_str(), until(by, tag).await);
        checks.push(Check { question: format!("may the service of {name} be tagged?"), answer, because });
    }
    checks
}

/// Asks whether topics are there. Whether they may be published to is told by no dry run.
pub async fn examine_topics(topics: &Topics, arns: &[TopicArn], by: Instant) -> Vec<Check> {
    let mut checks = Vec::new();
    for topic in arns {
        let question = format!("is the topic {topic} there?");
        let (answer, because) = match topics.look(topic, by).await {
            Ok(()) => (Finding::Yes, "its attributes were read".to_owned()),
            Err(error) if ["NotFound", "NotFoundException"].contains(&error.code.as_str()) => {
                (Finding::No, format!("SNS answers `{}`", error.code))
            }
            // Who may publish need not be allowed to read.
            Err(error) => (Finding::NotKnown, format!("SNS answers `{}`", error.code)),
        };
        checks.push(Check { question, answer, because });
    }
    checks
}

async fn check(
    question: &str,
    on: Option<&Connection>,
    attempt: impl AsyncFn(&Connection) -> Result<(), CallError>,
) -> Check {
    let question = question.to_owned();
    let Some(connection) = on else {
        let because = "no connection is there to try it on".to_owned();
        return Check { question, answer: Finding::NotKnown, because };
    };
    let (answer, because) = found(connection.endpoint.as_str(), attempt(connection).await);
    Check { question, answer, because }
}

/// What the end of a dry run says.
fn found(id: &str, ended: Result<(), CallError>) -> (Finding, String) {
    match ended {
        Err(error) if error.code == "DryRunOperation" => {
            (Finding::Yes, format!("a dry run on {id} would have succeeded"))
        }
        Err(error) if error.meaning == Meaning::NotAllowed => {
            (Finding::No, format!("a dry run on {id} was refused with `{}`", error.code))
        }
        Err(error) => (Finding::NotKnown, format!("a dry run on {id} ended with `{}`", error.code)),
        // A dry run that succeeds did something: that is not for this command to explain away.
        Ok(()) => (Finding::NotKnown, "AWS took the dry run for a real call".to_owned()),
    }
}
