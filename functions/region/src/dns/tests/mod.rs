//! Stories of what the world reads: what they have in common.

mod verification;
mod view;
mod wire;

use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::route53::{Name, RecordData, RecordKey, RecordSet, ZoneDraft};
use crate::{Region, Settings};

const OWNER: &str = "111122223333";
const STRANGER: &str = "444455556666";
const START: time::OffsetDateTime = time::macros::datetime!(2026-01-31 12:00 UTC);

fn region() -> Region {
    Region::new(Settings { throttling: false, ..Settings::default() }, Clock::standing(START))
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Makes a public zone that the world sees, and gives its id.
fn zone(region: &Region, account: &str, of: &str) -> String {
    let id = draft(region, account, of, Vec::new());
    region.step(Duration::from_secs(60));
    id
}

fn draft(region: &Region, account: &str, of: &str, vpcs: Vec<(String, String)>) -> String {
    let mut world = region.world();
    let now = world.now();
    let draft = ZoneDraft { name: name(of), caller_reference: of.into(), comment: None, vpcs };
    world.route53.create_zone(account, draft, now).0.id.clone()
}

/// Writes a record set; without values it is taken away.
fn write(region: &Region, zone: &str, of: &str, kind: &str, values: &[&str]) {
    let mut world = region.world();
    let now = world.now();
    let mut records = world.route53.zones[zone].records.clone();
    let key = RecordKey { name: name(of), kind: kind.into(), identifier: None };
    if values.is_empty() {
        records.remove(&key);
    } else {
        records.insert(key, RecordSet::simple(300, values.iter().map(ToString::to_string).collect()));
    }
    world.route53.change_zone(zone, records, None, now);
}

/// The same, and waits until the world sees it.
fn written(region: &Region, zone: &str, of: &str, kind: &str, values: &[&str]) {
    write(region, zone, of, kind, values);
    region.step(Duration::from_secs(60));
}

fn wrong(region: &Region, of: &str, kind: DnsFaultKind) {
    region.world().dns.add(DnsFault { zone: name(of), kind });
}

fn servers(region: &Region, of: &str, which: &[usize], how: ServerFault) {
    wrong(region, of, DnsFaultKind::Servers { which: which.to_vec(), how });
}

fn name_servers(region: &Region, zone: &str) -> Vec<String> {
    region.world().route53.zones[zone].name_servers.iter().map(|server| format!("{server}.")).collect()
}

/// What somebody hears: the code, and the answers' values.
fn hear(region: &Region, voice: Voice, of: &str, kind: &str) -> (Code, Vec<String>) {
    let at = region.now();
    let heard = region.world().ask(voice, &name(of), kind, at);
    match heard {
        Heard::Response(said) => (said.code, values(&said.answers)),
        Heard::Cut(_) | Heard::Silence => panic!("{heard:?}"),
    }
}

fn values(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.value.clone()).collect()
}

fn resolve(region: &Region, of: &str, kind: &str) -> (Code, Vec<String>) {
    hear(region, Voice::Resolver { unchecked: false }, of, kind)
}

fn found(values: &[&str]) -> (Code, Vec<String>) {
    (Code::NoError, values.iter().map(ToString::to_string).collect())
}

fn nothing(code: Code) -> (Code, Vec<String>) {
    (code, Vec::new())
}
