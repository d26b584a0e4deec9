//! Who answers for a name: the cuts between zones on the way down to it, as the domains above delegate them.

use time::OffsetDateTime;

use super::DnsFaultKind;
use super::view::Voice;
use super::zone::{self, Record};
use crate::route53::{Name, Zone};
use crate::world::World;

/// The name servers of what is known only from [`World::published_txt`], or of domains above zones of Route 53's.
const ELSEWHERE: [&str; 2] = ["ns1.elsewhere.example.", "ns2.elsewhere.example."];
/// How long delegations may be kept, in seconds.
const TTL: u32 = 172_800;

/// A zone that is delegated.
#[derive(Debug, Clone)]
pub(super) struct Cut<'w> {
    /// Its name.
    pub(super) zone: Name,
    /// Its name servers.
    pub(super) servers: Vec<Server<'w>>,
}

/// One of a zone's name servers.
#[derive(Debug, Clone)]
pub(super) struct Server<'w> {
    /// Its name.
    pub(super) name: Name,
    /// Which of the zone's servers it is.
    pub(super) index: usize,
    /// What it has.
    pub(super) host: Host<'w>,
}

/// What a name server has of a zone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Host<'w> {
    /// A zone of Route 53's.
    Zone(&'w Zone),
    /// What is published outside of Route 53.
    Elsewhere,
    /// Nothing: it is one of Route 53's servers, and none of a zone of that name.
    Nothing,
}

impl<'w> Cut<'w> {
    pub(super) fn hosted(&self) -> Option<&'w Zone> {
        self.servers.iter().find_map(|server| match server.host {
            Host::Zone(zone) => Some(zone),
            Host::Elsewhere | Host::Nothing => None,
        })
    }

    pub(super) fn is_elsewhere(&self) -> bool {
        self.servers.iter().any(|server| matches!(server.host, Host::Elsewhere))
    }

    /// What the domain above says.
    pub(super) fn records(&self) -> Vec<Record> {
        self.servers.iter().map(|server| Record::new(&self.zone, "NS", TTL, server.name.to_string())).collect()
    }
}

impl World {
    /// The zones on the way to a name, the highest first. Without any, nothing is delegated to anybody.
    pub(super) fn cuts(&self, name: &Name, at: OffsetDateTime) -> Vec<Cut<'_>> {
        let mut cuts: Vec<Cut<'_>> = Vec::new();
        for zone in name.ancestors() {
            match self.delegated(&zone, cuts.last(), at) {
                Ok(Some(cut)) => cuts.push(cut),
                Ok(None) => {}
                // What is not delegated is not there; in a zone of somebody's it is that zone's own matter.
                Err(()) if cuts.is_empty() => break,
                Err(()) => {}
            }
        }
        cuts
    }

    /// The public zones of a name, the first made first.
    fn public_zones(&self, name: &Name) -> Vec<&Zone> {
        let mut zones: Vec<&Zone> = self.route53.zones.values().filter(|zone| is_public(zone, name)).collect();
        zones.sort_by_key(|zone| zone.number);
        zones
    }

    /// How a zone is delegated; an error, if somebody wants it not to be.
    fn delegated(&self, zone: &Name, above: Option<&Cut<'_>>, at: OffsetDateTime) -> Result<Option<Cut<'_>>, ()> {
        let wanted = match self.dns.delegation(zone) {
            Some(DnsFaultKind::NotDelegated) => return Err(()),
            Some(DnsFaultKind::DelegatedElsewhere(servers)) => Some(servers.clone()),
            Some(DnsFaultKind::DelegatedToZone(id)) => self.route53.zones.get(id).map(servers_of),
            Some(DnsFaultKind::DnssecBroken | DnsFaultKind::NameServersFromZone | DnsFaultKind::Servers { .. })
            | None => None,
        };
        let by_records = || {
            let above = above?;
            let records = above.hosted()?.seen(at)?;
            let found = zone::answer(records, &above.zone, zone, "NS").answers;
            let found = found.into_iter().filter(|record| record.kind == "NS" && record.name == *zone);
            let servers: Vec<Name> = found.filter_map(|record| Name::parse(&record.value).ok()).collect();
            (!servers.is_empty()).then_some(servers)
        };
        let by_itself =
            || self.public_zones(zone).first().filter(|first| first.seen(at).is_some()).map(|it| servers_of(it));
        let implied = || self.is_implied(zone).then(elsewhere);
        let servers = wanted.or_else(by_records).or_else(by_itself).or_else(implied);
        Ok(servers.map(|servers| self.cut(zone, servers)))
    }

    fn cut(&self, zone: &Name, servers: Vec<Name>) -> Cut<'_> {
        let zones = self.public_zones(zone);
        let host = |(at, name): (usize, Name)| {
            let its = |zone: &&'_ Zone| servers_of(zone).iter().position(|server| *server == name);
            match zones.iter().find_map(|zone| Some((*zone, its(zone)?))) {
                Some((zone, index)) => Server { name, index, host: Host::Zone(zone) },
                None if is_of_route53(&name) => Server { name, index: at, host: Host::Nothing },
                None => Server { name, index: at, host: Host::Elsewhere },
            }
        };
        Cut { zone: zone.clone(), servers: servers.into_iter().enumerate().map(host).collect() }
    }

    /// The zone of Route 53's that would answer for a name, were it delegated.
    pub(super) fn undelegated(&self, name: &Name) -> Option<Cut<'_>> {
        let mut above = Some(name.clone());
        while let Some(zone) = above {
            if let Some(first) = self.public_zones(&zone).first() {
                return Some(self.cut(&zone, servers_of(first)));
            }
            above = zone.parent();
        }
        None
    }

    /// Whether somebody must have a domain, since there is something below it. Of what is not known it is taken to have
    /// two labels.
    fn is_implied(&self, domain: &Name) -> bool {
        domain.labels().count() == 2
            && (self.published_below(domain)
                || self.route53.zones.values().any(|zone| !zone.private() && zone.name.is_within(domain)))
    }

    /// Whether anything is published outside of Route 53 at that name or below it.
    pub(super) fn published_below(&self, name: &Name) -> bool {
        let bare = bare(name);
        let below = format!(".{bare}");
        self.published_txt.iter().any(|(published, _)| *published == bare || published.ends_with(&below))
    }

    /// The TXT values that are published outside of Route 53 at a name.
    pub(super) fn published_at(&self, name: &Name) -> impl Iterator<Item = &str> {
        let bare = bare(name);
        let from = (bare.clone(), String::new());
        let found = self.published_txt.range(from..).take_while(move |(name, _)| *name == bare);
        found.map(|(_, value)| value.as_str())
    }

    /// Which name server a name is one of.
    pub(super) fn name_server(&self, name: &Name, at: OffsetDateTime) -> Option<Voice> {
        let public = || self.route53.zones.values().filter(|zone| !zone.private());
        let of = public().find_map(|zone| servers_of(zone).iter().position(|server| server == name));
        let others = || {
            self.dns.faults().iter().any(|fault| match &fault.kind {
                DnsFaultKind::DelegatedElsewhere(servers) => servers.contains(name),
                DnsFaultKind::NotDelegated
                | DnsFaultKind::DelegatedToZone(_)
                | DnsFaultKind::DnssecBroken
                | DnsFaultKind::NameServersFromZone
                | DnsFaultKind::Servers { .. } => false,
            })
        };
        let by_records = || {
            let sets = public().filter_map(|zone| zone.seen(at)).flatten().filter(|(key, _)| key.kind == "NS");
            sets.flat_map(|(_, set)| set.values()).any(|value| Name::parse(value).is_ok_and(|server| server == *name))
        };
        match of {
            Some(index) => Some(Voice::NameServer(index)),
            None if elsewhere().contains(name) || others() || by_records() => Some(Voice::Elsewhere),
            None if is_registrys(name) => Some(Voice::Registry),
            None => None,
        }
    }
}

fn is_public(zone: &Zone, name: &Name) -> bool {
    !zone.private() && zone.name == *name
}

/// The names of a zone's servers.
pub(super) fn servers_of(zone: &Zone) -> Vec<Name> {
    zone.name_servers.iter().filter_map(|server| Name::parse(server).ok()).collect()
}

fn elsewhere() -> Vec<Name> {
    ELSEWHERE.iter().filter_map(|server| Name::parse(server).ok()).collect()
}

/// `a.nic.com`.
fn is_registrys(server: &Name) -> bool {
    let labels: Vec<_> = server.labels().collect();
    matches!(labels.as_slice(), [b"a", b"nic", _])
}

/// `ns-12.awsdns-34.com`.
fn is_of_route53(server: &Name) -> bool {
    server.labels().nth(1).is_some_and(|label| label.starts_with(b"awsdns-"))
}

/// A name as [`World::published_txt`] has it.
fn bare(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}
