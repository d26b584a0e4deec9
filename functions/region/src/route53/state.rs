//! Zones, their record sets, and how changes reach the world: nothing of HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::name::Name;
use super::record::{RecordKey, RecordSet};
use crate::state::form;

/// How long a change is `PENDING` before it is `INSYNC`, in seconds.
const PENDING: std::ops::RangeInclusive<u64> = 20..=60;

/// How many versions of a zone are kept that the world sees no more, for name servers that are behind.
const FORMER: usize = 3;

/// A zone's record sets.
pub type Records = BTreeMap<RecordKey, RecordSet>;

/// All that Route 53 keeps, for all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route53 {
    /// The zones, by id.
    pub zones: BTreeMap<String, Zone>,
    /// The changes, by id.
    pub changes: BTreeMap<String, Change>,
    #[serde(with = "form::random")]
    random: fastrand::Rng,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// The account that owns it.
    pub owner: String,
    /// Its name.
    pub name: Name,
    /// What its maker called it, so as not to make it twice.
    pub caller_reference: String,
    /// Its comment.
    pub comment: Option<String>,
    /// The VPCs that see it, each with its Region, if it is private.
    pub vpcs: Vec<(String, String)>,
    /// Its name servers, without a trailing dot.
    pub name_servers: [String; 4],
    /// Its record sets as the API shows them.
    #[serde(with = "form::pairs")]
    pub records: Records,
    /// When it was last changed.
    #[serde(with = "form::moment")]
    pub changed: OffsetDateTime,
    /// Which of all zones it is, the first made being the first.
    #[serde(deserialize_with = "form::count")]
    pub(crate) number: u64,
    /// From when on the world sees it.
    #[serde(with = "form::moment")]
    pub(crate) known: OffsetDateTime,
    /// Its record sets as the world sees them from a time on, the oldest first.
    #[serde(with = "form::seen")]
    pub(crate) seen: Vec<(OffsetDateTime, Records)>,
}

/// A change of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its id, without `/change/`.
    pub id: String,
    /// The account that asked for it.
    pub owner: String,
    /// Its comment.
    pub comment: Option<String>,
    /// When it was asked for.
    #[serde(with = "form::moment")]
    pub submitted: OffsetDateTime,
    /// When all name servers know of it.
    #[serde(with = "form::moment")]
    pub in_sync: OffsetDateTime,
}

/// What somebody wants a new zone to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneDraft {
    /// Its name.
    pub name: Name,
    /// What its maker calls it.
    pub caller_reference: String,
    /// Its comment.
    pub comment: Option<String>,
    /// The VPCs that are to see it, each with its Region. Without one it is public.
    pub vpcs: Vec<(String, String)>,
}

impl Zone {
    /// Whether only VPCs see it.
    pub fn private(&self) -> bool {
        !self.vpcs.is_empty()
    }

    /// Its record sets as its name servers know them; none, until they know of the zone.
    pub fn seen(&self, now: OffsetDateTime) -> Option<&Records> {
        self.version(now, 0)
    }

    /// Its record sets as its name servers knew them before the last change that all know of; none, if that made it.
    pub fn seen_before(&self, now: OffsetDateTime) -> Option<&Records> {
        self.version(now, 1)
    }

    /// The version of a time, or one that is so many changes older. In place of one that is not kept any more stands the
    /// oldest that is.
    fn version(&self, at: OffsetDateTime, older: usize) -> Option<&Records> {
        let current = self.seen.iter().rposition(|(from, _)| *from <= at);
        let pruned = self.seen.first().is_some_and(|(oldest, _)| *oldest > self.known);
        let found = match current.and_then(|current| current.checked_sub(older)) {
            Some(found) => found,
            None if pruned && self.known <= at => 0,
            None => return None,
        };
        self.seen.get(found).map(|(_, records)| records)
    }
}

impl Route53 {
    pub(crate) fn new(seed: u64) -> Self {
        // A source of its own, so that what happens here moves no other service's draws.
        Self { zones: BTreeMap::new(), changes: BTreeMap::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// What the world sees: the public zones that are there for it, each with its record sets, as of the changes that
    /// are `INSYNC`. Several may have the same name: which one counts, a parent's delegation to its name servers says.
    pub fn published(&self, now: OffsetDateTime) -> impl Iterator<Item = (&Zone, &Records)> {
        self.zones.values().filter(|zone| !zone.private()).filter_map(move |zone| Some((zone, zone.seen(now)?)))
    }

    /// Makes a zone, with the records that every zone has. It is a change too.
    pub fn create_zone(&mut self, owner: &str, draft: ZoneDraft, now: OffsetDateTime) -> (&Zone, &Change) {
        let ZoneDraft { name, caller_reference, comment, vpcs } = draft;
        let id = self.id('Z');
        let name_servers = self.name_servers(!vpcs.is_empty());
        let apex = |kind: &str| RecordKey { name: name.clone(), kind: kind.to_owned(), identifier: None };
        let dotted = name_servers.iter().map(|server| format!("{server}.")).collect();
        let soa = format!("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", name_servers[0]);
        let records = BTreeMap::from([
            (apex("NS"), RecordSet::simple(172_800, dotted)),
            (apex("SOA"), RecordSet::simple(900, vec![soa])),
        ]);
        let change = self.draw_change(owner, None, now);
        // Zones may be taken away by hand.
        let number = self.zones.values().map(|zone| zone.number).max().unwrap_or(0) + 1;
        let zone = Zone {
            id: id.clone(),
            owner: owner.to_owned(),
            name,
            caller_reference,
            comment,
            vpcs,
            name_servers,
            records: BTreeMap::new(),
            changed: now,
            number,
            known: change.in_sync,
            seen: Vec::new(),
        };
        let zone = self.zones.entry(id).or_insert(zone);
        let change = settle(zone, records, change);
        (zone, self.changes.entry(change.id.clone()).or_insert(change))
    }

    /// Gives a zone other record sets; `None`, if there is no such zone.
    pub fn change_zone(
        &mut self,
        id: &str,
        records: Records,
        comment: Option<String>,
        now: OffsetDateTime,
    ) -> Option<&Change> {
        let owner = self.zones.get(id)?.owner.clone();
        let change = self.draw_change(&owner, comment, now);
        let change = settle(self.zones.get_mut(id)?, records, change);
        Some(self.changes.entry(change.id.clone()).or_insert(change))
    }

    fn draw_change(&mut self, owner: &str, comment: Option<String>, now: OffsetDateTime) -> Change {
        let in_sync = now + Duration::from_secs(self.random.u64(PENDING));
        Change { id: self.id('C'), owner: owner.to_owned(), comment, submitted: now, in_sync }
    }

    /// Public zones get servers of four top level domains, as AWS's zones do; private ones all have the same.
    fn name_servers(&mut self, private: bool) -> [String; 4] {
        let mut at = 0;
        ["com", "net", "org", "co.uk"].map(|domain| {
            let (server, group) = if private { (0, 0) } else { (self.random.u16(..512), self.random.u8(..64)) };
            let server = format!("ns-{}.awsdns-{group:02}.{domain}", at + server);
            at += 512;
            server
        })
    }

    fn id(&mut self, prefix: char) -> String {
        let rest = std::iter::repeat_with(|| self.random.alphanumeric().to_ascii_uppercase()).take(20);
        std::iter::once(prefix).chain(rest).collect()
    }
}

/// Lets a change of a zone run its course. Name servers learn of a zone's changes in their order, so that none is in
/// sync before those that came earlier.
fn settle(zone: &mut Zone, records: Records, mut change: Change) -> Change {
    if let Some((former, _)) = zone.seen.last() {
        change.in_sync = change.in_sync.max(*former);
    }
    zone.changed = change.submitted;
    // What is seen no more is forgotten, but for the last versions before the one that is in sync.
    let current = zone.seen.iter().rposition(|(from, _)| *from <= change.submitted).unwrap_or(0);
    zone.seen.drain(..current.saturating_sub(FORMER));
    zone.seen.push((change.in_sync, records.clone()));
    zone.records = records;
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);

    fn draft(name: &str) -> ZoneDraft {
        let name = Name::parse(name).unwrap();
        ZoneDraft { name, caller_reference: "1".into(), comment: None, vpcs: Vec::new() }
    }

    #[test]
    fn the_world_sees_changes_in_their_order_and_none_before_it_is_in_sync() {
        let mut route53 = Route53::new(7);
        let (zone, change) = route53.create_zone("111122223333", draft("example.com"), START);
        let (id, made) = (zone.id.clone(), change.in_sync);
        assert_eq!(route53.published(made - Duration::from_secs(1)).count(), 0);
        assert_eq!(route53.published(made).count(), 1);

        let mut last = made;
        for n in 1..=30 {
            let now = START + Duration::from_secs(100 + n);
            let mut records = route53.zones[&id].records.clone();
            let name = Name::parse(&format!("n{n}.example.com")).unwrap();
            records.insert(
                RecordKey { name, kind: "TXT".into(), identifier: None },
                RecordSet::simple(300, vec!["\"x\"".into()]),
            );
            let change = route53.change_zone(&id, records.clone(), None, now).unwrap();
            assert!(change.in_sync >= last && change.in_sync >= now + Duration::from_secs(20));
            last = change.in_sync;
            assert_ne!(route53.zones[&id].seen(now), Some(&records));
            assert_eq!(route53.zones[&id].seen(last), Some(&records));
        }
        assert!(last <= START + Duration::from_secs(100 + 30 + 60));
    }

    #[test]
    fn servers_that_are_behind_know_older_versions_as_far_as_they_are_kept() {
        let mut route53 = Route53::new(7);
        let (zone, made) = route53.create_zone("111122223333", draft("example.com"), START);
        let (id, made) = (zone.id.clone(), made.in_sync);
        assert_eq!(zone.seen_before(made), None);
        let mut versions = vec![zone.records.clone()];
        for n in 1..=20 {
            let now = made + Duration::from_secs(100 * n);
            let mut records = versions.last().unwrap().clone();
            records.values_mut().for_each(|set| *set = RecordSet::simple(n as u32, set.values().to_vec()));
            route53.change_zone(&id, records.clone(), None, now);
            versions.push(records);
            let zone = &route53.zones[&id];
            let (of, later) = (versions.len(), now + Duration::from_secs(60));
            assert_eq!(zone.seen_before(later), versions.get(of - 2));
            assert_eq!(zone.seen(now), versions.get(of - 2));
            assert_eq!(zone.seen(made - Duration::from_secs(1)), None);
            assert!(zone.seen(made).is_some() && zone.seen.len() <= FORMER + 2);
        }
        assert_eq!(route53.zones[&id].seen(made), versions.get(16), "the oldest that is kept");
    }

    #[test]
    fn the_world_sees_no_private_zone() {
        let mut route53 = Route53::new(7);
        let vpcs = vec![("us-west-2".to_owned(), "vpc-1".to_owned())];
        let (zone, change) = route53.create_zone("111122223333", ZoneDraft { vpcs, ..draft("example.com") }, START);
        let later = change.in_sync;
        assert!(zone.seen(later).is_some());
        assert_eq!(route53.published(later).count(), 0);
    }
}
