//! Carries changes out: one ModifyVpcEndpoint for each, or one for each of its parts where AWS does not take them
//! together.

use aws_sdk_ec2::types::{DnsOptionsSpecification, DnsRecordIpType, IpAddressType};
use futures_util::{StreamExt, stream};
use privatelink_core::endpoint::Change;
use privatelink_core::report::{Ended, Outcome};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{Configurator, outcome};
use crate::deadline::until;
use crate::error::{CallError, Meaning};

/// How many endpoints are changed at the same time: EC2 takes four such calls at once, and then one in three seconds.
const AT_ONCE: usize = 4;
/// How much of AWS's own words is told, in characters.
const MOST_WORDS: usize = 500;

/// How one call ended, and what AWS said.
struct Answered {
    ended: Ended,
    detail: Option<String>,
    /// Whether it was something in the request that AWS did not like.
    disliked: bool,
}

impl Configurator {
    /// Makes the changes, every one of them, and says in their order what came of each.
    pub(super) async fn carry_out(&self, changes: &[Change], at: OffsetDateTime, by: Instant) -> Vec<Outcome> {
        let carried = changes.iter().map(|change| self.carry(change, at, by));
        let all: Vec<Vec<Outcome>> = stream::iter(carried).buffered(AT_ONCE).collect().await;
        all.into_iter().flatten().collect()
    }

    async fn carry(&self, change: &Change, at: OffsetDateTime, by: Instant) -> Vec<Outcome> {
        let whole = self.modify(change, by).await;
        let parts = change.parts();
        if !whole.disliked || parts.len() < 2 {
            return vec![self.settle(change, whole, at)];
        }
        // A private name that another endpoint holds must not keep this one from getting its addresses.
        let mut outcomes = Vec::new();
        for part in &parts {
            let answered = self.modify(part, by).await;
            let is_pending = answered.ended == Ended::Done;
            outcomes.push(self.settle(part, answered, at));
            if is_pending {
                break;
            }
        }
        outcomes
    }

    fn settle(&self, change: &Change, answered: Answered, at: OffsetDateTime) -> Outcome {
        let Answered { ended, detail, disliked: _ } = answered;
        match ended {
            Ended::Done => self.kept.took(change, at),
            Ended::AlreadyDone | Ended::Refused(_) | Ended::Retry(_) | Ended::Planned => self.kept.not_taken(change),
        }
        outcome(change, ended, detail)
    }

    async fn modify(&self, change: &Change, by: Instant) -> Answered {
        let Change { service: _, endpoint, ip_address_type, dns_record_ip_type, private_dns } = change;
        let records = dns_record_ip_type.map(|kind| {
            DnsOptionsSpecification::builder().dns_record_ip_type(DnsRecordIpType::from(kind.word())).build()
        });
        let call = || async {
            let call = self.ec2.modify_vpc_endpoint().vpc_endpoint_id(endpoint.as_str());
            let call = call.set_ip_address_type(ip_address_type.map(|kind| IpAddressType::from(kind.word())));
            let call = call.set_dns_options(records.clone()).set_private_dns_enabled(private_dns.then_some(true));
            call.send().await.map_err(CallError::from)
        };
        let answered = |ended| Answered { ended, detail: None, disliked: false };
        match until(by, call).await {
            Ok(answer) if answer.r#return == Some(false) => answered(Ended::Retry("ReturnedFalse".to_owned())),
            Ok(_) => answered(Ended::Done),
            Err(error) => match error.meaning {
                // It was deleted meanwhile.
                Meaning::Over if error.code.ends_with(".NotFound") => answered(Ended::AlreadyDone),
                // It is being changed by something else.
                Meaning::Over | Meaning::ComeAgain => answered(Ended::Retry(error.code)),
                Meaning::NotAllowed => answered(Ended::Refused(error.code)),
                Meaning::Refused | Meaning::NoSuchService => Answered {
                    ended: Ended::Refused(error.code),
                    detail: Some(error.detail.chars().take(MOST_WORDS).collect()),
                    disliked: true,
                },
            },
        }
    }
}
