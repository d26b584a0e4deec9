//! Tries an endpoint's names, and says what came of each step. What it means is decided in `privatelink_core`.
//!
//! # Invariants
//!
//! - Nothing here knows AWS, and nothing is written anywhere: a connection is made and left, at most with one `GET`.
//! - All of it together ends in time. What was not begun by then is left out of what was found, and nothing else is.

mod contact;
mod http;
mod tls;

use std::time::Duration;

use futures_util::stream::{StreamExt, iter};
use privatelink_core::probe::{Contact, Found, Question, Target, Vantage, contacts, questions};
use privatelink_dns::Dns;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use tls::Tls;

/// What all probing together may take; the contract says 30 seconds, and the report is to be within them.
const PATIENCE: Duration = Duration::from_secs(28);
/// What the questions may take of it. A resolver that answers does so in a thousandth of that.
const FOR_QUESTIONS: Duration = Duration::from_secs(8);
/// What is begun with less time than this would be blamed for nothing.
const SHORTEST: Duration = Duration::from_millis(500);
/// How much is under way at once. Lambda lets a process have 1024 open files.
const AT_ONCE: usize = 64;

/// What a probe needs: whom to ask, and whose certificates to believe.
#[derive(Debug)]
pub struct Probe {
    dns: Dns,
    tls: Tls,
}

impl Probe {
    /// Asks these servers, and believes the certificates that this system does.
    pub fn new(dns: Dns) -> Self {
        Self { dns, tls: Tls::default() }
    }

    /// The same, which believes these certificates instead.
    pub fn trusting(self, certificates: Vec<CertificateDer<'static>>) -> Self {
        Self { tls: Tls::trusting(certificates), ..self }
    }

    /// Finds out what is to be known of the targets by then.
    pub async fn find(&self, targets: &[Target], from: Vantage, by: Instant) -> Found {
        let begun = Instant::now();
        let by = by.min(begun + PATIENCE);
        let mut found = Found::default();

        let left = by.saturating_duration_since(begun);
        let answers_by = begun + (left / 2).min(FOR_QUESTIONS);
        let ask = |question: Question| async move {
            in_time(answers_by)?;
            let resolved = self.dns.addresses(&question.name, question.family, answers_by).await;
            Some((question, resolved))
        };
        let asked = iter(questions(targets)).map(ask).buffer_unordered(AT_ONCE);
        found.resolved = asked.filter_map(async |answer| answer).collect().await;

        let connect = |to: Contact| async move {
            in_time(by)?;
            let reached = contact::contact(&to, &self.tls, by).await?;
            Some((to, reached))
        };
        let connected = iter(contacts(targets, from, &found)).map(connect).buffer_unordered(AT_ONCE);
        found.reached = connected.filter_map(async |reached| reached).collect().await;
        found
    }
}

/// Whether there is time to begin something.
fn in_time(by: Instant) -> Option<()> {
    (Instant::now() + SHORTEST <= by).then_some(())
}
