//! A world with something of everything in it, saved and loaded, and how it goes on.

mod broken;
mod files;
mod mangled;
mod rich;

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use self::rich::{Rich, call, rich};
use super::*;
use crate::dns::{DnsFault, DnsFaultKind};
use crate::faults::{Fault, FaultKind, When};
use crate::route53::Name;
use crate::{Request, control};

const PROVIDER: &str = "999988887777";
const ACME: &str = "111122223333";
const START: OffsetDateTime = datetime!(2026-01-31 12:00:00.123456789 UTC);

const PLAIN: &str = "arn:aws:sns:us-west-2:999988887777:plain";
const ORDERED: &str = "arn:aws:sns:us-west-2:999988887777:ordered.fifo";

/// Lets a day pass with calls of all kinds, and tells everything that can be told of it.
fn live(Rich { region, verified, asked, waiting, zone, .. }: &Rich) -> Vec<String> {
    let mut happenings = region.listen();
    let mut told = Vec::new();
    let ordered = [&format!("TopicArn={ORDERED}"), "MessageGroupId=g"];
    for hour in 0..24 {
        region.step(Duration::from_secs(if hour == 0 { 1 } else { 3600 }));
        let text = ["Message=by its text"];
        told.push(call(region, PROVIDER, "sns", "Publish", &[&ordered[..], &text[..]].concat()));
        let path = format!("GET hostedzone/{zone}/rrset");
        told.push(call(region, PROVIDER, "route53", &path, &[]));
        let id = format!("ServiceId={verified}");
        // More than a bucket has after so short a time, or else after so many calls.
        for _ in 0..4 {
            let name = format!("ServiceName=com.amazonaws.vpce.us-west-2.{verified}");
            let params = ["VpcEndpointType=Interface", "VpcId=vpc-0b", &name];
            told.push(call(region, ACME, "ec2", "CreateVpcEndpoint", &params));
        }
        let accept = [id.as_str(), &format!("VpcEndpointId.1={waiting}")];
        told.push(call(region, PROVIDER, "ec2", "AcceptVpcEndpointConnections", &accept));
        told.push(call(region, PROVIDER, "ec2", "DescribeVpcEndpointConnections", &[]));
        told.push(call(region, PROVIDER, "ec2", "DescribeVpcEndpointServiceConfigurations", &[]));
        let asked = format!("ServiceId={asked}");
        told.push(call(region, PROVIDER, "ec2", "StartVpcEndpointServicePrivateDnsVerification", &[&asked]));
        rich::zone(region, &format!("h{hour}.example.com"), "");
    }
    let mut told: Vec<_> = told.into_iter().map(|(status, body)| format!("{status} {body}")).collect();
    told.extend(std::iter::from_fn(|| happenings.try_recv().ok()).map(|happening| format!("{happening:?}")));
    told.push(region.save().unwrap());
    told
}

#[test]
fn what_was_saved_is_there_when_it_is_loaded() {
    let Rich { region, .. } = rich();
    let text = region.save().unwrap();
    let loaded = Region::load(&text, Clock::standing).unwrap();
    assert_eq!(loaded.save().unwrap(), text);
    let (was, is) = (region.world(), loaded.world());
    let World {
        settings,
        services,
        endpoints,
        networks,
        sns,
        notifications,
        sessions,
        tokens,
        published_txt,
        connections,
        route53,
        buckets,
        random,
        due,
        foreseen,
        clock,
        requests: _,
        faults: _,
        dns: _,
        refuse_items: _,
        listeners: _,
    } = &*is;
    assert_eq!((settings, services, endpoints), (&was.settings, &was.services, &was.endpoints));
    assert_eq!((sns, notifications, route53), (&was.sns, &was.notifications, &was.route53));
    assert_eq!((published_txt, connections, sessions), (&was.published_txt, &was.connections, &was.sessions));
    assert_eq!((buckets, random, due, foreseen), (&was.buckets, &was.random, &was.due, &was.foreseen));
    assert_eq!((clock.now(), tokens, networks), (was.now(), &was.tokens, &was.networks));
    // There is something in everything, so that nothing is equal only because it is empty.
    let states: BTreeSet<_> = endpoints.values().map(Endpoint::state).collect();
    assert_eq!(states.len(), 5, "{states:?}");
    assert!(!notifications.is_empty() && !published_txt.is_empty() && due.len() == 3 && !tokens.is_empty(), "{due:?}");
    assert_eq!(sessions.values().map(|session| session.name.as_str()).collect::<Vec<_>>(), ["verifier"]);
    assert_eq!((sns.topics.len(), sns.deliveries.len(), route53.zones.len()), (2, 4, 2));
    assert_ne!(*buckets, Buckets::default());
    assert!(route53.zones.values().any(|zone| zone.seen(clock.now()) != Some(&zone.records)));
}

#[test]
fn a_loaded_region_goes_on_as_the_saved_one() {
    let saved = rich();
    let region = Region::load(&saved.region.save().unwrap(), Clock::standing).unwrap();
    let Rich { verified, asked, pending, waiting, zone, .. } = rich();
    let loaded = Rich { region, verified, asked, pending, waiting, zone };
    let (was, is) = (live(&saved), live(&loaded));
    assert_eq!(was.len(), is.len());
    for (was, is) in was.iter().zip(&is) {
        assert_eq!(was, is);
    }
    let all = was.join("");
    for seen in ["RequestLimitExceeded", "state: \"available\"", ">verified<", ">failed<"] {
        assert!(all.contains(seen), "{seen}");
    }
}

#[test]
fn what_comes_to_nothing_is_not_saved() {
    let Rich { region, verified, pending, .. } = rich();
    // The service's next look, and the endpoint's becoming available.
    let before = region.world().due.len();
    region.world().services.get_mut(&verified).unwrap().private_dns_name = None;
    region.world().become_state(&pending, "deleted", datetime!(2026-01-31 13:00 UTC));
    let loaded = Region::load(&region.save().unwrap(), Clock::standing).unwrap();
    assert_eq!((region.world().due.len(), loaded.world().due.len()), (before, before - 2));
}

#[test]
fn time_goes_on_at_the_loaders_speed() {
    let Rich { region, .. } = rich();
    let (text, then) = (region.save().unwrap(), region.now());
    assert_eq!(Region::load(&text, Clock::standing).unwrap().now(), then);
    let fast = Region::load(&text, |at| Clock::running(at, 100_000.0)).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert!(fast.now() >= then + Duration::from_secs(200));
    // Nor does a clock that runs make a document that can not be loaded.
    for _ in 0..50 {
        Region::load(&fast.save().unwrap(), Clock::standing).unwrap();
    }
    assert!(fast.restore(&text).is_ok() && fast.now() >= then);
    std::thread::sleep(Duration::from_millis(2));
    assert!(fast.now() >= then + Duration::from_secs(200));
}

#[test]
fn whoever_holds_the_region_keeps_his_own_when_the_world_is_replaced() {
    let Rich { region, .. } = rich();
    let text = region.save().unwrap();
    let other = Region::new(Settings::default(), Clock::standing(START));
    let fault = Fault { action: "CreateTags".into(), times: 1, kind: FaultKind::Reset, when: When::Before };
    other.break_next(fault);
    let zone = Name::parse("example.com").unwrap();
    other.world().dns.add(DnsFault { zone, kind: DnsFaultKind::NotDelegated });
    let mut happenings = other.listen();
    call(&other, PROVIDER, "ec2", "DescribeVpcEndpoints", &[]);
    other.restore(&text).unwrap();
    assert_eq!(other.save().unwrap(), text);
    assert!(other.world().faults.next("CreateTags").is_some());
    assert_eq!(other.world().dns.faults().len(), 1);
    assert_eq!(other.world().requests.to_json().as_array().map(Vec::len), Some(1));
    while happenings.try_recv().is_ok() {}
    other.step(Duration::from_secs(3600));
    assert!(happenings.try_recv().is_ok());
}

#[test]
fn the_state_is_got_and_put_over_the_wire() {
    let Rich { region, .. } = rich();
    let ask = |region: &Region, method: &str, body: &[u8]| {
        let path = "/_region/state".to_owned();
        let request = Request { method: method.to_owned(), path, body: body.to_vec(), ..Request::default() };
        let answer = control::answer(region, &request);
        (answer.status, answer.body)
    };
    let (status, document) = ask(&region, "GET", b"");
    assert_eq!((status, &document), (200, &region.save().unwrap()));
    let other = Region::new(Settings::default(), Clock::standing(START));
    let before = other.save().unwrap();
    for broken in [b"\xff".as_slice(), b"", b"{}", document.replace("\"pending\"", "\"sleepy\"").as_bytes()] {
        let (status, body) = ask(&other, "PUT", broken);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, body["faults"].as_array().map(Vec::len)), (400, Some(1)), "{body}");
        assert_eq!(body["error"], body["faults"][0]);
        assert_eq!(other.save().unwrap(), before);
    }
    let (status, body) = ask(&other, "PUT", document.as_bytes());
    assert_eq!(status, 200, "{body}");
    assert_eq!(other.save().unwrap(), document);
    assert_eq!(ask(&other, "DELETE", b"").0, 404);
}
