//! From what is known of a domain to its next step, or to the reason to wait.

use time::{Duration, OffsetDateTime};

use super::{
    Change, Checks, Domain, DomainPlan, Existing, Finding, HostedZone, MOST_VALUES, Memory, Place, Proof, Step, TTL,
    Tell, TxtSet, Write, quoted, readable, zone_line,
};
use crate::diagnosis::Diagnosis;
use crate::ids::ServiceId;
use crate::notice::DomainNews;
use crate::observed::DnsNameState;
use crate::plan::{Reason, Skip};

/// How long what passes by itself may last before a person is told of it.
const PATIENCE: Duration = Duration::minutes(15);
/// How long AWS may take to answer a check before it is taken for forgotten.
const ANSWER: Duration = Duration::minutes(30);
/// The pause after a first check that failed; it doubles with every one.
const FIRST_PAUSE: Duration = Duration::minutes(2);
/// The longest pause between two checks.
const LONGEST_PAUSE: Duration = Duration::hours(6);
/// After this many checks that failed though all is right, a person is told.
const MANY_CHECKS: u32 = 3;

/// Decides about one domain.
pub fn plan_ownership(domain: &Domain, now: OffsetDateTime) -> DomainPlan {
    let plan = DomainPlan {
        service: domain.service.clone(),
        steps: Vec::new(),
        skipped: Vec::new(),
        stale: None,
        under_way: false,
    };
    let label = domain.private_dns.record.as_ref().map_or("", |record| &record.label);
    let memory = domain.memory.clone().about(label);
    let mut planner = Planner { domain, now, memory, plan };
    planner.report_stale(label);
    match (Proof::of(&domain.private_dns), &domain.private_dns.state) {
        (Ok(None), DnsNameState::Unknown(word)) if word.is_empty() => planner.wait("AWS has not told the record yet"),
        (_, DnsNameState::Unknown(word)) => {
            let shown: String = word.chars().take(64).collect();
            planner.skip(Reason::UnknownState, Some(format!("the state `{shown}` is not known")), None);
        }
        (Err(finding), _) => planner.found(finding, None),
        (Ok(None), DnsNameState::Verified) => planner.skip(Reason::AlreadyRight, None, None),
        (Ok(None), _) => planner.wait("AWS has not told the record yet"),
        (Ok(Some(proof)), DnsNameState::Verified) => planner.watch(&proof),
        (Ok(Some(proof)), DnsNameState::PendingVerification | DnsNameState::Failed) => planner.prove(&proof),
    }
    planner.finish()
}

/// What is said of the record that a service's memory is about, once the service has another name or none.
pub fn stale(service: &ServiceId, memory: &Memory) -> Option<Skip> {
    let label = Some(&memory.label).filter(|label| !label.is_empty())?;
    let detail = format!("the record `{label}` of the service's former name is no longer needed");
    let fix = "remove it from its zone, if no other service shares it; nothing here does".to_owned();
    Some(Skip { detail: Some(detail), fix: Some(fix), ..Skip::service(service, Reason::AlreadyRight) })
}

struct Planner<'d> {
    domain: &'d Domain,
    now: OffsetDateTime,
    memory: Memory,
    plan: DomainPlan,
}

impl Planner<'_> {
    fn skip(&mut self, reason: Reason, detail: Option<String>, fix: Option<String>) {
        let skip = Skip { detail, fix, ..Skip::service(&self.domain.service, reason) };
        self.plan.skipped.push(skip);
    }

    /// Something has to happen first that happens by itself, and before long.
    fn wait(&mut self, detail: &str) {
        self.plan.under_way = true;
        self.skip(Reason::NotReady, Some(detail.to_owned()), None);
    }

    /// A service that got another name has another record. The old one stays, and somebody should know.
    fn report_stale(&mut self, label: &str) {
        let old = &self.domain.memory.label;
        if !label.is_empty() && old != label {
            self.plan.stale = stale(&self.domain.service, &self.domain.memory);
        }
    }

    /// A name that is verified: the record is put back if it has gone, and all else is well.
    fn watch(&mut self, proof: &Proof) {
        let took_part = !self.domain.memory.is_bare();
        if took_part && !self.memory.verified {
            self.tell(DomainNews::Verified, None, Some(proof.clone()));
        }
        self.memory.verified = true;
        if took_part {
            let told = if self.memory.told.as_deref() == Some("required") { "required" } else { "verified" };
            let Memory { label, news, .. } = std::mem::take(&mut self.memory);
            self.memory = Memory { verified: true, told: Some(told.to_owned()), news, ..Memory::of(&label) };
        }
        match &self.domain.place {
            Place::Zone { zone, role, set } => match set {
                Existing::Values(set) if set.says(&proof.value) => self.skip(Reason::AlreadyRight, None, None),
                Existing::Nothing => self.write(proof, zone, role.as_ref(), None),
                Existing::Values(set) => self.write(proof, zone, role.as_ref(), Some(set)),
                Existing::NotSimple => self.skip(Reason::Domain(Diagnosis::RecordNotSimple), None, None),
            },
            Place::Unreadable { code, detail, passes } => self.blocked(code, detail, *passes),
            Place::NotAsked | Place::NoZone { .. } => self.skip(Reason::AlreadyRight, None, None),
            Place::Person => self.watch_person(proof),
        }
    }

    /// A name that is verified, and whose record a person keeps.
    fn watch_person(&mut self, proof: &Proof) {
        let gone = self.domain.seen.as_ref().and_then(|seen| readable(&proof.value, seen, None).err());
        match gone.map(|finding| self.in_place(finding)) {
            // Servers that fail or lag are AWS's to judge, as long as it says `verified`.
            Some(finding) if !finding.diagnosis.passes() => self.found(finding, Some(proof)),
            Some(_) | None => {
                if self.memory.told.as_deref() == Some("required") {
                    self.memory.told = Some("verified".to_owned());
                }
                self.skip(Reason::AlreadyRight, None, None);
            }
        }
    }

    /// A name that is to be proved.
    fn prove(&mut self, proof: &Proof) {
        match &self.domain.place {
            Place::Zone { zone, role, set: Existing::Nothing } => self.write(proof, zone, role.as_ref(), None),
            Place::Zone { zone, role, set: Existing::Values(set) } if !set.says(&proof.value) => {
                self.write(proof, zone, role.as_ref(), Some(set));
            }
            Place::NotAsked => self.wait("the record's place is not known yet"),
            Place::Zone { .. } | Place::NoZone { .. } | Place::Person | Place::Unreadable { .. } => {
                self.follow(proof);
            }
        }
    }

    /// The record is where it should be, as far as anybody here can put it there.
    fn follow(&mut self, proof: &Proof) {
        if let Some(Change { id, in_sync: false }) = &self.domain.change {
            self.memory.change = Some(id.clone());
            return self.wait("the change is on its way to Route 53's name servers");
        }
        self.memory.change = None;
        let Some(seen) = &self.domain.seen else {
            return self.wait("DNS was not asked yet");
        };
        let zone = match &self.domain.place {
            Place::Zone { zone, .. } => Some(zone),
            Place::NotAsked | Place::NoZone { .. } | Place::Person | Place::Unreadable { .. } => None,
        };
        match readable(&proof.value, seen, zone) {
            Ok(()) => self.check(proof),
            Err(finding) => {
                self.memory.since.get_or_insert(self.now);
                if let Place::Unreadable { code, passes, .. } = &self.domain.place {
                    self.plan.steps.push(Step::Blocked { code: code.clone(), passes: *passes });
                }
                let finding = self.for_a_person(finding, proof);
                let finding = self.in_place(finding);
                self.plan.under_way = self.passes(finding.diagnosis);
                self.found(finding, Some(proof));
            }
        }
    }

    /// A record that only others can publish is not waited for, whatever keeps the servers from answering.
    fn for_a_person(&self, finding: Finding, proof: &Proof) -> Finding {
        let others = match &self.domain.place {
            Place::Person | Place::NoZone { .. } | Place::Unreadable { .. } => true,
            Place::Zone { .. } | Place::NotAsked => false,
        };
        let silent = finding.diagnosis.passes() || finding.diagnosis == Diagnosis::ZoneNotDelegated;
        if !others || !silent || finding.diagnosis == Diagnosis::ServersBehind {
            return finding;
        }
        let fix = format!("publish this record: {}", zone_line(&proof.record, &proof.value));
        Finding { diagnosis: Diagnosis::RecordMissing, detail: finding.detail, fix }
    }

    /// The same finding in the light of where the record belongs.
    fn in_place(&self, finding: Finding) -> Finding {
        // What other sets say is no fault of theirs: it is that ours can not be put beside it here.
        let others = matches!(finding.diagnosis, Diagnosis::ValueDiffers | Diagnosis::ValueOfEarlierToken)
            && matches!(self.domain.place, Place::Zone { set: Existing::NotSimple, .. });
        if finding.diagnosis != Diagnosis::RecordMissing && !others {
            return finding;
        }
        let Finding { detail, fix, .. } = finding;
        let (diagnosis, detail) = match &self.domain.place {
            Place::Person => (Diagnosis::RecordRequired, detail),
            Place::NoZone { private: true } => (
                Diagnosis::PrivateZoneOnly,
                "only private hosted zones hold the name, and the world sees none of them".to_owned(),
            ),
            Place::NoZone { private: false } => {
                (Diagnosis::NoPublicZone, "no public hosted zone of this account holds the name".to_owned())
            }
            Place::Unreadable { detail, .. } => (Diagnosis::ZoneUnreadable, detail.clone()),
            Place::Zone { set: Existing::NotSimple, .. } => (
                Diagnosis::RecordNotSimple,
                "record sets of a routing policy stand where the record belongs".to_owned(),
            ),
            Place::Zone { .. } | Place::NotAsked => (Diagnosis::RecordMissing, detail),
        };
        Finding { diagnosis, detail, fix }
    }

    /// The record is readable: AWS is asked to look, unless it was asked not long ago.
    fn check(&mut self, proof: &Proof) {
        let failed = self.domain.private_dns.state == DnsNameState::Failed;
        self.memory.since = None;
        let Some(Checks { last, count }) = self.memory.check else {
            return self.start(0);
        };
        let pause = if failed { pause(count) } else { ANSWER.max(pause(count)) };
        if self.now >= last + pause {
            return self.start(count);
        }
        if !failed || self.now < last + FIRST_PAUSE {
            return self.wait("AWS is looking at the record");
        }
        let due = (last + pause - self.now).whole_minutes() + 1;
        let detail =
            format!("the record is right, and AWS's check number {count} said no; the next is in {due} minutes");
        let fix = format!("nothing, if it passes; else look at the record as AWS does: dig TXT {}", proof.record);
        let finding = Finding::new(Diagnosis::CheckFailed, detail, fix);
        self.found(finding, Some(proof));
    }

    fn start(&mut self, before: u32) {
        self.plan.steps.push(Step::StartCheck);
        self.plan.under_way = true;
        self.memory.check = Some(Checks { last: self.now, count: before.saturating_add(1) });
        if self.memory.verified {
            self.lost(Finding::new(
                Diagnosis::CheckFailed,
                "the record is readable all the same",
                "nothing: the check was started again",
            ));
        }
    }

    /// Something is wrong. Whoever has to know is told, once.
    fn found(&mut self, finding: Finding, proof: Option<&Proof>) {
        self.skip(Reason::Domain(finding.diagnosis), Some(finding.detail.clone()), Some(finding.fix.clone()));
        if self.memory.verified && self.domain.private_dns.state != DnsNameState::Verified {
            return self.lost(finding);
        }
        // While the name is still verified nothing has failed yet, and the record is what is wanted.
        let verified = self.domain.private_dns.state == DnsNameState::Verified;
        let (news, told) = if verified || finding.diagnosis.asks_for_record() {
            (DomainNews::RecordRequired, "required".to_owned())
        } else {
            (DomainNews::Failed, format!("failed/{}", finding.diagnosis.word()))
        };
        let before = self.memory.told.as_deref().unwrap_or_default();
        let passes = self.passes(finding.diagnosis);
        let known = before == told || (passes && before != "required" && !before.is_empty());
        if known || self.is_early(finding.diagnosis) {
            return;
        }
        self.memory.told = Some(told);
        self.tell(news, Some(finding), proof.cloned());
    }

    /// Whether it may end by itself: also that the zone was not read, where Route 53 may be asked again.
    fn passes(&self, diagnosis: Diagnosis) -> bool {
        diagnosis.passes() || diagnosis == Diagnosis::ZoneUnreadable && self.is_to_be_read_again()
    }

    fn is_to_be_read_again(&self) -> bool {
        matches!(self.domain.place, Place::Unreadable { passes: true, .. })
    }

    /// Whether it may pass before anybody would have read of it.
    fn is_early(&self, diagnosis: Diagnosis) -> bool {
        if diagnosis == Diagnosis::CheckFailed {
            return self.memory.check.is_none_or(|checks| checks.count < MANY_CHECKS);
        }
        let failed = self.domain.private_dns.state == DnsNameState::Failed && self.domain.change.is_none();
        let lasts = self.memory.since.is_some_and(|since| self.now >= since + PATIENCE);
        // That AWS found no record says nothing of a zone that was not read.
        self.passes(diagnosis) && !lasts && (!failed || self.is_to_be_read_again())
    }

    fn lost(&mut self, finding: Finding) {
        self.memory.verified = false;
        self.memory.told = Some(format!("lost/{}", finding.diagnosis.word()));
        let proof = Proof::of(&self.domain.private_dns).ok().flatten();
        self.tell(DomainNews::Lost, Some(finding), proof);
    }

    fn tell(&mut self, news: DomainNews, finding: Option<Finding>, proof: Option<Proof>) {
        let before = self.memory.news;
        self.memory.news = before.saturating_add(1);
        self.plan.steps.push(Step::Tell(Tell { news, finding, proof, before }));
    }

    fn blocked(&mut self, code: &str, detail: &str, passes: bool) {
        self.plan.steps.push(Step::Blocked { code: code.to_owned(), passes });
        self.skip(Reason::Domain(Diagnosis::ZoneUnreadable), Some(detail.to_owned()), None);
    }

    /// The value goes into the zone, beside whatever is there.
    fn write(&mut self, proof: &Proof, zone: &HostedZone, role: Option<&String>, before: Option<&TxtSet>) {
        if before.is_some_and(|set| set.values.len() >= MOST_VALUES) {
            let detail =
                format!("the record set `{}` has {MOST_VALUES} values, the most that Route 53 takes", proof.record);
            let fix =
                format!("remove a value that nobody needs, then this one is added: {}", quoted(proof.value.as_bytes()));
            return self.found(Finding::new(Diagnosis::RecordSetFull, detail, fix), Some(proof));
        }
        let after = match before {
            Some(set) => set.with(&proof.value),
            None => TxtSet { ttl: TTL.into(), values: vec![quoted(proof.value.as_bytes())] },
        };
        if self.memory.verified && self.domain.private_dns.state != DnsNameState::Verified {
            let detail = format!("the record `{}` had gone from its zone", proof.record);
            self.lost(Finding::new(
                Diagnosis::RecordMissing,
                detail,
                "nothing: it is written again, and the check started",
            ));
        }
        self.plan.under_way = true;
        self.memory.since = None;
        self.plan.steps.push(Step::WriteRecord(Write {
            zone: zone.id.clone(),
            role: role.cloned(),
            record: proof.record.clone(),
            before: before.cloned(),
            after,
        }));
    }

    fn finish(self) -> DomainPlan {
        let Self { domain, now, mut memory, mut plan } = self;
        let verified = domain.private_dns.state == DnsNameState::Verified;
        memory.waiting = if verified { None } else { memory.waiting.or(Some(now)) };
        let bare = domain.memory.is_bare() && memory.is_bare();
        if !bare && !memory.says_the_same(&domain.memory) {
            plan.steps.push(Step::Remember(Memory { at: Some(now), ..memory }));
        }
        plan
    }
}

/// The pause after a number of checks.
fn pause(checks: u32) -> Duration {
    let doublings = checks.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2_i32.saturating_pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
