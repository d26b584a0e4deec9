//! Carries out what was planned about each domain: every step of every domain, whatever becomes of the others.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Tag;
use futures_util::{StreamExt, stream};
use privatelink_core::ids::ServiceId;
use privatelink_core::observed::{Service, TAG_DOMAIN};
use privatelink_core::ownership::{Domain, DomainPlan, Memory, Proof, Step, Write};
use privatelink_core::plan::EffectKind;
use privatelink_core::report::{Ended, Outcome, Thing};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Verifier;
use crate::deadline::{Deadline, until};
use crate::error::{CallError, Meaning};
use crate::route53::records::{self, Written};

/// How many domains are worked on at the same time.
const AT_ONCE: usize = 8;

/// What came of the steps.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) outcomes: Vec<Outcome>,
    /// What the operators are told through the log.
    pub(super) said: Vec<Value>,
    /// The services whose record was written, or was found to be another one than was read.
    pub(super) written: BTreeSet<ServiceId>,
}

/// A domain with what is to be done about it.
#[derive(Debug)]
pub(super) struct Work<'s> {
    pub(super) service: &'s Service,
    pub(super) domain: Domain,
    pub(super) plan: DomainPlan,
}

impl Verifier {
    /// Carries out all steps. `last` says that what was overtaken will not be looked at again.
    pub(super) async fn carry_out(
        &self,
        works: Vec<Work<'_>>,
        now: OffsetDateTime,
        last: bool,
        deadline: Deadline,
    ) -> Done {
        let mut all = Done::default();
        let mut under_way =
            stream::iter(works).map(|work| self.carry(work, now, last, deadline)).buffer_unordered(AT_ONCE);
        while let Some(Done { outcomes, said, written }) = under_way.next().await {
            all.outcomes.extend(outcomes);
            all.said.extend(said);
            all.written.extend(written);
        }
        all
    }

    async fn carry(&self, work: Work<'_>, now: OffsetDateTime, last: bool, deadline: Deadline) -> Done {
        let Work { service, domain, plan } = work;
        let label = domain.private_dns.record.as_ref().map_or("", |record| &record.label);
        let before = domain.memory.clone().about(label);
        let mut done = Done::default();
        let (mut started, mut told) = (true, true);
        for step in &plan.steps {
            let ended = match step {
                Step::WriteRecord(write) => self.write(&domain, label, write, last, &mut done.written, deadline).await,
                Step::StartCheck => {
                    let ended = self.start(&domain.service, deadline.decisions).await;
                    started = took_effect(&ended);
                    Some(ended)
                }
                Step::Tell(tell) => {
                    let (outcome, said) = self.tell(service, tell, now, deadline.end).await;
                    told &= took_effect(&outcome.ended);
                    done.outcomes.push(outcome);
                    done.said.extend(said);
                    continue;
                }
                Step::Remember(memory) => {
                    let mut memory = memory.clone();
                    // What did not happen is not remembered.
                    if !started {
                        memory.check = before.check;
                    }
                    if !told {
                        let Memory { told, verified, news, .. } = before.clone();
                        memory = Memory { told, verified, news, ..memory };
                        // Of a name about which nothing is remembered nobody is told that it is verified.
                        if memory.is_bare() {
                            memory = before.clone();
                        }
                    }
                    if memory.says_the_same(&domain.memory) && !self.kept.owes(&domain.service) {
                        continue;
                    }
                    Some(self.remember(&domain.service, memory, deadline.end).await)
                }
                Step::Blocked { code, passes } => {
                    let code = code.clone();
                    Some(if *passes { Ended::Retry(code) } else { Ended::Refused(code) })
                }
            };
            done.outcomes.extend(ended.map(|ended| outcome(&domain, step, ended)));
        }
        done
    }

    async fn write(
        &self,
        domain: &Domain,
        label: &str,
        write: &Write,
        last: bool,
        written: &mut BTreeSet<ServiceId>,
        deadline: Deadline,
    ) -> Option<Ended> {
        let service = &domain.service;
        let by = deadline.decisions;
        let answer = match self.accounts.get(write.role.as_deref(), by).await {
            Ok(account) => records::write(&account, write, by).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Written::Changed(change)) => {
                self.kept.changed(service, label, change);
                written.insert(service.clone());
                Some(Ended::Done)
            }
            Ok(Written::Overtaken { perhaps_ours }) => {
                written.insert(service.clone());
                let code = || Ended::Refused("InvalidChangeBatch".to_owned());
                if perhaps_ours { Some(Ended::AlreadyDone) } else { last.then(code) }
            }
            Err(error) => Some(ended(error)),
        }
    }

    async fn start(&self, service: &ServiceId, by: Instant) -> Ended {
        let call = || async {
            let call = self.ec2.start_vpc_endpoint_service_private_dns_verification().service_id(service.as_str());
            call.send().await.map_err(CallError::from)
        };
        match until(by, call).await {
            Ok(answer) if answer.return_value == Some(false) => Ended::Retry("ReturnedFalse".to_owned()),
            Ok(_) => Ended::Done,
            Err(error) => ended(error),
        }
    }

    async fn remember(&self, service: &ServiceId, memory: Memory, by: Instant) -> Ended {
        let value = memory.to_string();
        let answer = until(by, || self.tag(service, &value, false)).await;
        // A process that goes on knows it in any case, and owes the tag to those that come after it.
        self.kept.remember(service, memory, answer.is_err());
        answer.map_or_else(ended, |()| Ended::Done)
    }

    /// Writes the service's tag, or asks whether it could.
    pub(super) async fn tag(&self, service: &ServiceId, value: &str, dry_run: bool) -> Result<(), CallError> {
        let tag = Tag::builder().key(TAG_DOMAIN).value(value).build();
        let call = self.ec2.create_tags().resources(service.as_str()).tags(tag);
        // A call that is no dry run does not say so, as nobody's does.
        let call = call.set_dry_run(dry_run.then_some(true));
        call.send().await.map(drop).map_err(CallError::from)
    }
}

pub(super) fn took_effect(ended: &Ended) -> bool {
    matches!(ended, Ended::Done | Ended::AlreadyDone)
}

pub(super) fn ended(error: CallError) -> Ended {
    match error.meaning {
        Meaning::ComeAgain => Ended::Retry(error.code),
        Meaning::NotAllowed | Meaning::NoSuchService | Meaning::Over | Meaning::Refused => Ended::Refused(error.code),
    }
}

/// What a plan comes to in `observe` mode.
pub(super) fn planned(domain: &Domain, plan: &DomainPlan) -> Vec<Outcome> {
    let outcome = |step: &Step| match step {
        Step::Blocked { code, .. } => outcome(domain, step, Ended::Refused(code.clone())),
        Step::WriteRecord(_) | Step::StartCheck | Step::Tell(_) | Step::Remember(_) => {
            outcome(domain, step, Ended::Planned)
        }
    };
    plan.steps.iter().map(outcome).collect()
}

fn outcome(domain: &Domain, step: &Step, ended: Ended) -> Outcome {
    let mut more = BTreeMap::from([("privateDnsName", domain.private_dns.name.clone())]);
    let kind = match step {
        Step::WriteRecord(Write { zone, record, after, .. }) => {
            more.insert("hostedZoneId", zone.clone());
            more.insert("record", record.to_string());
            more.extend(after.values.last().map(|value| ("value", value.clone())));
            EffectKind::WriteRecord
        }
        Step::StartCheck => {
            more.extend(
                Proof::of(&domain.private_dns).ok().flatten().map(|proof| ("record", proof.record.to_string())),
            );
            EffectKind::StartCheck
        }
        Step::Tell(tell) => {
            more.insert("type", tell.news.kind().to_string());
            EffectKind::Publish
        }
        Step::Remember(_) => EffectKind::Tag,
        Step::Blocked { .. } => EffectKind::WriteRecord,
    };
    Outcome::of_thing(kind, Thing { service: domain.service.clone(), endpoint: None, more }, ended)
}
