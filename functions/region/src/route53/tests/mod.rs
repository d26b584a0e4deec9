//! Stories of zones and changes, told over the wire: what they have in common.

mod changes;
mod zones;

use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::{Region, Reply, Settings};

const OWNER: &str = "111122223333";
const STRANGER: &str = "444455556666";

fn region(settings: Settings) -> Region {
    Region::new(settings, Clock::standing(time::macros::datetime!(2026-01-31 12:00:00.5 UTC)))
}

fn calm() -> Region {
    region(Settings { throttling: false, change_batch_errors_apart: true, ..Settings::default() })
}

fn call(region: &Region, account: &str, method: &str, path: &str, body: &str) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: method.into(),
        path: format!("/2013-04-01/{path}"),
        query: query.into(),
        authorization: format!("AWS4-HMAC-SHA256 Credential={account}/20260131/us-east-1/route53/aws4_request, x"),
        body: body.into(),
    };
    let Reply::Answer(mut answer) = region.answer(&request) else { panic!("no answer") };
    // Quotation marks are easier to read as such, and in a text they need no escape.
    answer.body = answer.body.replace("&apos;", "'").replace("&quot;", "\"");
    answer
}

fn get(region: &Region, path: &str) -> String {
    let answer = call(region, OWNER, "GET", path, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// The texts of all elements with that name.
fn all<'a>(body: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    body.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0)).collect()
}

fn one<'a>(body: &'a str, name: &str) -> &'a str {
    match all(body, name).as_slice() {
        [text] => text,
        other => panic!("{name} is there {} times in {body}", other.len()),
    }
}

fn zone_request(name: &str, reference: &str, more: &str) -> String {
    format!(
        "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{name}</Name>{more}\
         <CallerReference>{reference}</CallerReference></CreateHostedZoneRequest>"
    )
}

/// Makes a zone and gives its bare id.
fn zone(region: &Region, name: &str) -> String {
    let reference = region.world().route53.zones.len().to_string();
    let answer = call(region, OWNER, "POST", "hostedzone", &zone_request(name, &reference, ""));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = one(one(&answer.body, "HostedZone"), "Id").trim_start_matches("/hostedzone/").to_owned();
    region.step(Duration::from_secs(60));
    id
}

fn txt(action: &str, name: &str, values: &[&str]) -> String {
    set(action, name, "TXT", 300, values)
}

fn set(action: &str, name: &str, kind: &str, ttl: u32, values: &[&str]) -> String {
    let values: String =
        values.iter().map(|value| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>")).collect();
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>{ttl}</TTL>\
         <ResourceRecords>{values}</ResourceRecords></ResourceRecordSet></Change>"
    )
}

fn change(region: &Region, account: &str, zone: &str, changes: &[String]) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch>\
         <Comment>why</Comment><Changes>{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        changes.concat()
    );
    call(region, account, "POST", &format!("hostedzone/{zone}/rrset"), &body)
}

/// Makes changes that succeed.
fn changed(region: &Region, zone: &str, changes: &[String]) -> String {
    let answer = change(region, OWNER, zone, changes);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Makes changes that are refused, and gives the messages.
fn refused(region: &Region, zone: &str, changes: &[String]) -> Vec<String> {
    let before = region.world().route53.zones[zone].clone();
    let answer = change(region, OWNER, zone, changes);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains(&format!("<InvalidChangeBatch xmlns=\"{NAMESPACE}\">")), "{}", answer.body);
    assert_eq!(region.world().route53.zones[zone], before);
    all(&answer.body, "Message").into_iter().map(ToOwned::to_owned).collect()
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, one(one(&answer.body, "Error"), "Code"))
}

/// What the world reads at a name.
fn seen(region: &Region, name: &str, kind: &str) -> Vec<String> {
    let now = region.now();
    let world = region.world();
    let key = RecordKey { name: Name::parse(name).unwrap(), kind: kind.into(), identifier: None };
    world
        .route53
        .published(now)
        .filter_map(|(_, records)| records.get(&key))
        .flat_map(|set| set.values().to_vec())
        .collect()
}
