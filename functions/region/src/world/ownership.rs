//! The proof that a private DNS name is its service's owner's: a TXT record that the world can read.

use std::ops::RangeInclusive;
use std::time::Duration;

use time::OffsetDateTime;

use super::{DnsState, Due, PrivateDnsName, World};
use crate::error::ApiError;
use crate::route53::Name;

/// How long it takes until somebody looks who was asked to, in seconds.
const ASKED: RangeInclusive<u64> = 60..=180;
/// How often a verified name is looked at again. AWS does it "periodically" and does not say how often.
const AGAIN: Duration = Duration::from_secs(60 * 60);

impl World {
    /// Whether the world could read that value at that name at a time, as a resolver reads it that validates, and that
    /// asks the zone's name servers in their order.
    pub fn txt_is_published(&self, record_name: &str, value: &str, at: OffsetDateTime) -> bool {
        self.txt_is_read(record_name, value, at, 0)
    }

    /// The same, where another server is asked first. It matters where some are behind.
    fn txt_is_read(&self, record_name: &str, value: &str, at: OffsetDateTime, first: usize) -> bool {
        let Ok(name) = Name::parse(record_name) else { return false };
        let said = self.resolve(&name, "TXT", at, first, false);
        said.answers.iter().any(|record| record.text().as_deref() == Some(value.as_bytes()))
    }

    /// A name that is still to be proven, with a record that nobody has seen yet.
    pub(crate) fn unproven(&mut self, name: String) -> PrivateDnsName {
        PrivateDnsName {
            name,
            record: format!("_{}", self.token(20).to_ascii_lowercase()),
            value: format!("vpce:{}", self.token(20)),
            state: DnsState::PendingVerification,
            asked: false,
            look: 0,
        }
    }

    /// Looks at a service's record before long. Asking again until then changes nothing.
    ///
    /// # Errors
    ///
    /// The service has no private DNS name. AWS does not document how it says so.
    pub(crate) fn start_verification(&mut self, service: &str) -> Result<(), ApiError> {
        let at = self.now() + Duration::from_secs(self.random.u64(ASKED));
        let Some(name) = self.private_dns_name(service) else {
            let message = format!("The VPC endpoint service {service} does not have a private DNS name.");
            return Err(ApiError::new(400, "InvalidParameter", &message));
        };
        if name.asked {
            return Ok(());
        }
        let look = self.foresee(at, Due::Look(service.to_owned()));
        if let Some(name) = self.private_dns_name(service) {
            name.asked = true;
            name.look = look;
            if name.state == DnsState::Failed {
                name.state = DnsState::PendingVerification;
            }
        }
        Ok(())
    }

    /// Looks at a service's record, if this is still the look that is to come.
    pub(super) fn look(&mut self, service: &str, look: u64, at: OffsetDateTime) {
        let Some(name) = self.private_dns_name(service).filter(|name| name.look == look).map(|name| name.clone())
        else {
            return;
        };
        // Where it makes no difference nothing is drawn, so that it moves no other draws.
        let first = if self.dns.differs() { self.random.usize(..4) } else { 0 };
        let proven = self.is_proven(&name, at, first);
        // A name that failed is looked at again when its owner asks for it, as before it was verified.
        let look = if proven { self.foresee(at + AGAIN, Due::Look(service.to_owned())) } else { 0 };
        if let Some(name) = self.private_dns_name(service) {
            name.state = if proven { DnsState::Verified } else { DnsState::Failed };
            name.asked = false;
            name.look = look;
        }
    }

    fn private_dns_name(&mut self, service: &str) -> Option<&mut PrivateDnsName> {
        self.services.get_mut(service)?.private_dns_name.as_mut()
    }

    /// The record may stand under the name or under a domain above it; and where a host takes no underscore, its value
    /// may stand at the domain itself.
    fn is_proven(&self, name: &PrivateDnsName, at: OffsetDateTime, first: usize) -> bool {
        let lower = name.name.to_ascii_lowercase();
        let mut domain = lower.trim_end_matches('.');
        domain = domain.strip_prefix("*.").unwrap_or(domain);
        loop {
            let record = format!("{}.{domain}", name.record);
            if [record.as_str(), domain].into_iter().any(|place| self.txt_is_read(place, &name.value, at, first)) {
                return true;
            }
            // A top-level domain is nobody's.
            match domain.split_once('.') {
                Some((_, above)) if above.contains('.') => domain = above,
                _ => return false,
            }
        }
    }
}
