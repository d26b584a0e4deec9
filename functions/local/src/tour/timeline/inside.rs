//! The lines of the consumer that is shown from the inside.

use privatelink_core::probe::{Family, Tried, Verdict};
use privatelink_core::report::Answer;
use serde_json::Value;
use time::OffsetDateTime;

use super::Timeline;
use crate::style::{BAD, GOOD, WAITS, paint};

impl Timeline<'_> {
    /// What `endpoint-configurator` set.
    pub(crate) fn set(&self, at: OffsetDateTime, answer: &Answer) {
        for line in answer.log() {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            if (text("message"), text("effect"), text("result")) != ("effect", "modify-endpoint", "done") {
                continue;
            }
            let parts = [("ipAddressType", "dual-stack"), ("privateDnsEnabled", "its private DNS name")];
            let parts = parts.iter().filter(|(key, _)| !text(key).is_empty()).map(|(_, what)| *what);
            let what = parts.collect::<Vec<_>>().join(", ");
            self.line(
                at,
                &format!("  {} is {} by its owner's function: {what}", text("endpointId"), paint(GOOD, "set")),
            );
        }
    }

    /// What `connectivity-prober` found. What it has found before is not shown again.
    pub(crate) fn probed(&mut self, at: OffsetDateTime, probed: &Value) {
        let outcomes = || probed.get("outcomes").and_then(Value::as_array).into_iter().flatten();
        let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let all = outcomes().count();
        if all == 0 {
            return;
        }
        let works = |one: &&Value| text(one, "result") == "done";
        let done = outcomes().filter(works).count();
        let by = |key: &str, words: &[(&str, &'static str)]| {
            let are = |(word, _): &&(&str, &str)| outcomes().filter(works).any(|one| text(one, key) == *word);
            words.iter().filter(are).map(|(_, shown)| *shown).collect::<Vec<_>>().join(", ")
        };
        let (style, mut found) = match outcomes().find(|one| !works(one)) {
            None => (GOOD, String::new()),
            Some(one) => (BAD, format!("; {} over {}: {}", text(one, "name"), text(one, "family"), text(one, "cause"))),
        };
        if done > 0 {
            let names = by("kind", &[("regional", "Regional"), ("zonal", "zonal"), ("private", "private")]);
            let families = by("family", &[("ipv4", "IPv4"), ("ipv6", "IPv6")]);
            found = format!(" (names: {names}; over {families}){found}");
        }
        let not_tried = match probed.get("skipped").and_then(Value::as_array).map_or(0, Vec::len) {
            0 => String::new(),
            n => format!("; {n} can not be tried from here"),
        };
        let found = format!("{}{found}{not_tried}", paint(style, &format!("{done} of {all} work")));
        if self.found.as_ref() != Some(&found) {
            self.line(at, &format!("  tried from inside its VPC: {found}"));
            self.found = Some(found);
        }
    }

    /// What came of the consumer's call.
    pub(crate) fn called(&self, at: OffsetDateTime, account: &str, name: &str, tried: &[Tried]) {
        self.request(at, account, &format!("calls {name} from inside its VPC"));
        for family in Family::BOTH {
            let Some(Tried { addresses, port, verdict, .. }) = tried.iter().find(|tried| tried.family == family) else {
                self.line(at, &format!("  over {family}: not shown, since this machine has no loopback address of it"));
                continue;
            };
            let to: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let came = match verdict {
                Verdict::Works { status } => {
                    let status = status.map(|status| format!(" with HTTP {status}")).unwrap_or_default();
                    format!("{} port {port} {}{status}", to.join(", "), paint(GOOD, "answers"))
                }
                Verdict::Refused(refusal) => format!("{}: {}", paint(BAD, refusal.cause.word()), refusal.detail),
                Verdict::NotTested(why) => format!("{}: {why}", paint(WAITS, "not tried")),
            };
            self.line(at, &format!("  over {family}: {came}"));
        }
    }
}
