//! Tells the operators of a domain: on their topic, or in the log where they have none.

use privatelink_core::notice::{DomainNotice, Record};
use privatelink_core::observed::Service;
use privatelink_core::ownership::{TTL, Tell};
use privatelink_core::plan::EffectKind;
use privatelink_core::report::{Ended, Outcome};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Verifier;
use super::carry::ended;
use crate::deadline::until;
use crate::error::CallError;

impl Verifier {
    /// Publishes one notice, unless it could not be marked as told.
    pub(super) async fn tell(
        &self,
        service: &Service,
        tell: &Tell,
        now: OffsetDateTime,
        by: Instant,
    ) -> (Outcome, Option<Value>) {
        let topic = self.config.operator_topic.as_ref();
        let notice = notice_of(service, tell);
        let outcome = |ended| {
            let mut thing = notice.thing(topic);
            thing.more.extend(service.private_dns.iter().map(|dns| ("privateDnsName", dns.name.clone())));
            Outcome::of_thing(EffectKind::Publish, thing, ended)
        };
        // What can not be marked would be sent with every look.
        if let Err(error) = self.could_tag(service, by).await {
            return (outcome(ended(error)), None);
        }
        match topic {
            Some(topic) => match self.topics.publish(topic, &notice.message(now), by).await {
                Ok(()) => (outcome(Ended::Done), None),
                Err(error) => (outcome(ended(error)), None),
            },
            None => {
                let line = json!({"message": "notice", "notice": notice.document(now)});
                (outcome(Ended::Done), Some(line))
            }
        }
    }

    /// Whether the service's tag could be written.
    async fn could_tag(&self, service: &Service, by: Instant) -> Result<(), CallError> {
        match until(by, || self.tag(&service.id, "for=", true)).await {
            Err(error) if error.code == "DryRunOperation" => Ok(()),
            answer => answer,
        }
    }
}

fn notice_of(service: &Service, tell: &Tell) -> DomainNotice {
    let Tell { news, finding, proof, before } = tell;
    DomainNotice {
        service: service.clone(),
        news: *news,
        diagnosis: finding.as_ref().map(|finding| finding.diagnosis),
        todo: finding.iter().flat_map(|finding| [finding.detail.clone(), finding.fix.clone()]).collect(),
        record: proof.as_ref().map(|proof| Record { name: proof.record.clone(), ttl: TTL, value: proof.value.clone() }),
        before: *before,
    }
}
