//! What a connection's tags remember of what was told.
//!
//! `privatelink:notified` holds the last state alone, and a connection that was available, is cut, and is available
//! again must not be told of that a second time. So whatever was told before the last state is kept too, in front of
//! it, in `privatelink:notifying`: `available rejected`. The same tag is the claim that is written before a notice is
//! published; a last state there that `privatelink:notified` does not have is of a notice that was never marked. Behind
//! the states the claim says whose it is, see `claim`.

use super::claim::CLAIMANT;
use crate::observed::{EndpointState, TAG_NOTIFIED, TAG_NOTIFIED_DOMAIN, TAG_NOTIFYING, Tags};

/// The words of the states that somebody is told of.
pub(super) const AVAILABLE: &str = "available";
pub(super) const REJECTED: &str = "rejected";
pub(super) const FAILED: &str = "failed";
pub(super) const EXPIRED: &str = "expired";
/// Not AWS's: a connection that waits for a person.
pub(super) const HELD: &str = "held";

/// Every state that was told of once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<'t> {
    /// The states, in the order in which they were told.
    states: Vec<&'t str>,
}

impl<'t> Told<'t> {
    pub(super) fn of(tags: &'t Tags) -> Self {
        let last = tags.get(TAG_NOTIFIED).map(String::as_str);
        let claimed = tags.get(TAG_NOTIFYING).map(String::as_str).unwrap_or_default();
        let mut states = Vec::new();
        let mut words: Vec<_> = claimed.split_whitespace().filter(|word| !word.starts_with(CLAIMANT)).collect();
        if words.last().copied() != last {
            words.pop();
        }
        for word in words.into_iter().chain(last) {
            // The state of a connection that was found at the first look was told to nobody, unless it is one of ours.
            if [AVAILABLE, REJECTED, FAILED, EXPIRED, HELD].contains(&word) && !states.contains(&word) {
                states.push(word);
            }
        }
        Self { states }
    }

    pub(super) fn contains(&self, state: &str) -> bool {
        self.states.contains(&state)
    }

    /// The value of the claim: what was told, and what is about to be.
    pub(super) fn claim(&self, state: Option<&str>) -> String {
        let new = state.filter(|state| !self.contains(state));
        self.states.iter().copied().chain(new).collect::<Vec<_>>().join(" ")
    }

    /// The tags that remember what was told before a claim was written over it.
    pub(super) fn as_it_is(&self) -> Vec<(&'static str, String)> {
        let last = self.states.last().map(|last| (TAG_NOTIFIED, (*last).to_owned()));
        last.into_iter().chain([(TAG_NOTIFYING, self.claim(None))]).collect()
    }

    /// The tags that remember that a state was told.
    pub(super) fn with(&self, state: &'static str) -> Vec<(&'static str, String)> {
        vec![(TAG_NOTIFIED, state.to_owned()), (TAG_NOTIFYING, self.claim(Some(state)))]
    }
}

/// The tags of a connection that is taken for known as it is found.
pub(super) fn known(state: &EndpointState, verified: Option<String>) -> Vec<(&'static str, String)> {
    let mut tags = vec![(TAG_NOTIFIED, state.word().to_owned())];
    if *state == EndpointState::Available {
        tags.extend(verified.map(|name| (TAG_NOTIFIED_DOMAIN, name)));
    }
    tags
}

/// Adds to a connection's tags, as they were read, what was marked since then: a read can lag behind a write.
///
/// What another process marked stays: of states that were told, both sides' are taken.
pub fn remember(tags: &mut Tags, marked: &[(&'static str, String)]) {
    let ours: Tags = marked.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let states: Vec<String> = {
        let mut told = Told::of(tags);
        let read = told.states.len();
        for state in Told::of(&ours).states {
            if !told.contains(state) {
                told.states.push(state);
            }
        }
        if told.states.len() == read { Vec::new() } else { told.states.into_iter().map(ToOwned::to_owned).collect() }
    };
    if let Some(last) = states.last() {
        tags.insert(TAG_NOTIFIED.to_owned(), last.clone());
        if states.len() > 1 {
            tags.insert(TAG_NOTIFYING.to_owned(), states.join(" "));
        }
    }
    for (key, value) in ours {
        if key == TAG_NOTIFIED_DOMAIN {
            tags.insert(key, value);
        } else {
            tags.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(read: &[(&str, &str)], marked: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let mut tags = read.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let marked: Vec<_> = marked.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        remember(&mut tags, &marked);
        tags.into_iter().collect()
    }

    #[test]
    fn what_was_marked_is_known_before_a_read_shows_it() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let (last, all, name) = (TAG_NOTIFIED, TAG_NOTIFYING, TAG_NOTIFIED_DOMAIN);
        for (read, marked, expected) in [
            (&[][..], &[(last, "available")][..], &[(last, "available")][..]),
            (&[], &[(last, "pending")], &[(last, "pending")]),
            (&[(last, "pending")], &[(last, "available")], &[(last, "available")]),
            (&[(last, "available")], &[(last, "pending")], &[(last, "available")]),
            (&[(last, "available")], &[(name, "a.example.com")], &[(last, "available"), (name, "a.example.com")]),
            (
                &[(last, "available")],
                &[(last, "rejected"), (all, "available rejected")],
                &[(last, "rejected"), (all, "available rejected")],
            ),
            // Another process went on.
            (
                &[(last, "rejected"), (all, "available rejected")],
                &[(last, "available")],
                &[(last, "rejected"), (all, "available rejected")],
            ),
        ] {
            let mut expected = pairs(expected);
            expected.sort();
            assert_eq!(remembered(read, marked), expected, "{read:?} {marked:?}");
        }
    }

    fn told(notified: &str, notifying: &str) -> Vec<String> {
        let tags = [(TAG_NOTIFIED, notified), (TAG_NOTIFYING, notifying)].into_iter().filter(|(_, v)| !v.is_empty());
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Told::of(&tags).states.iter().map(|state| (*state).to_owned()).collect()
    }

    #[test]
    fn a_claim_that_was_never_marked_told_nobody() {
        assert_eq!(told("", "available"), [""; 0]);
        assert_eq!(told("available", "available rejected"), ["available"]);
        assert_eq!(told("rejected", "available rejected"), ["available", "rejected"]);
        assert_eq!(told("available", ""), ["available"]);
        assert_eq!(told("available", "available rejected @1f:1769860805000"), ["available"]);
        assert_eq!(told("available", "available @1f:1769860805000"), ["available"]);
    }

    #[test]
    fn what_nobody_is_told_of_is_not_remembered() {
        assert_eq!(told("pending", ""), [""; 0]);
        assert_eq!(told("rejected", "nonsense available rejected"), ["available", "rejected"]);
    }

    #[test]
    fn the_last_state_stands_alone_in_its_tag() {
        let tags = [(TAG_NOTIFIED.to_owned(), "held".to_owned())].into();
        let marks = Told::of(&tags).with(AVAILABLE);
        assert_eq!(marks, [(TAG_NOTIFIED, "available".to_owned()), (TAG_NOTIFYING, "held available".to_owned())]);
        let first = [(TAG_NOTIFIED, "available".to_owned()), (TAG_NOTIFYING, "available".to_owned())];
        assert_eq!(Told::of(&Tags::new()).with(AVAILABLE), first);
    }
}
