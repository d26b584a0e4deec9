//! Zones and listings.

use super::*;
use crate::faults::{Fault, FaultKind, When};
use crate::happening::What;

#[test]
fn a_public_zone_is_born_with_four_name_servers_and_its_records() {
    let region = calm();
    let config = "<HostedZoneConfig><Comment>ours</Comment></HostedZoneConfig>";
    let answer = call(&region, OWNER, "POST", "hostedzone", &zone_request("Example.com", "1", config));
    assert_eq!(answer.status, 201);
    assert!(answer.body.contains(&format!("<CreateHostedZoneResponse xmlns=\"{NAMESPACE}\">")));
    assert_eq!(one(&answer.body, "Name"), "example.com.");
    assert_eq!(one(&answer.body, "Status"), "PENDING");
    assert_eq!(one(&answer.body, "SubmittedAt"), "2026-01-31T12:00:00.500Z");
    let servers = all(&answer.body, "NameServer");
    assert_eq!(servers.len(), 4);
    let id = one(one(&answer.body, "HostedZone"), "Id");
    let location = answer.headers.iter().find(|(name, _)| *name == "location").unwrap();
    assert_eq!(location.1, format!("https://route53.amazonaws.com/2013-04-01{id}"));

    let found = get(&region, &id[1..]);
    assert_eq!(one(&found, "HostedZone"), one(&answer.body, "HostedZone"));
    assert_eq!(one(&found, "DelegationSet"), one(&answer.body, "DelegationSet"));
    let records = get(&region, &format!("{}/rrset", &id[1..]));
    assert_eq!(all(&records, "Type"), ["NS", "SOA"]);
    assert_eq!(all(&records, "Value")[..4], servers.iter().map(|server| format!("{server}.")).collect::<Vec<_>>());

    assert_eq!(seen(&region, "example.com", "NS"), Vec::<String>::new());
    region.step(Duration::from_secs(60));
    assert_eq!(seen(&region, "example.com", "NS").len(), 4);
}

#[test]
fn a_private_zone_has_a_vpc_and_the_world_never_sees_it() {
    let region = calm();
    let vpc = "<VPC><VPCRegion>us-west-2</VPCRegion><VPCId>vpc-1</VPCId></VPC>";
    let made = call(&region, OWNER, "POST", "hostedzone", &zone_request("example.com", "1", vpc)).body;
    assert_eq!((one(&made, "PrivateZone"), one(&made, "VPCId")), ("true", "vpc-1"));
    assert!(!made.contains("DelegationSet"));
    assert!(get(&region, &one(one(&made, "HostedZone"), "Id")[1..]).contains("<VPCs><VPC>"));
    region.step(Duration::from_secs(60));
    assert_eq!(seen(&region, "example.com", "NS"), Vec::<String>::new());

    let again = call(&region, OWNER, "POST", "hostedzone", &zone_request("example.com", "2", vpc));
    assert_eq!(code(&again), (400, "ConflictingDomainExists"));
    let config = "<HostedZoneConfig><PrivateZone>true</PrivateZone></HostedZoneConfig>";
    let nowhere = call(&region, OWNER, "POST", "hostedzone", &zone_request("example.com", "3", config));
    assert_eq!(code(&nowhere), (400, "InvalidInput"));
}

#[test]
fn a_zone_is_not_made_twice_and_not_of_nonsense() {
    let region = calm();
    let create = |body: &str| call(&region, OWNER, "POST", "hostedzone", body);
    assert_eq!(create(&zone_request("example.com", "1", "")).status, 201);
    assert_eq!(code(&create(&zone_request("example.com", "1", ""))), (409, "HostedZoneAlreadyExists"));
    assert_eq!(create(&zone_request("example.com", "2", "")).status, 201);
    assert_eq!(code(&create(&zone_request("a..b", "3", ""))), (400, "InvalidDomainName"));
    let set = "<DelegationSetId>N1</DelegationSetId>";
    assert_eq!(code(&create(&zone_request("example.com", "4", set))), (400, "NoSuchDelegationSet"));
    assert_eq!(code(&create(&zone_request("example.com", "5", "<Colour>red</Colour>"))), (400, "InvalidInput"));
    assert_eq!(region.world().route53.zones.len(), 2);
}

#[test]
fn what_is_anothers_is_denied_and_what_is_nobodys_is_not_found() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let made = changed(&region, &zone, &[txt("UPSERT", "a.example.com", &["\"a\""])]);
    let path = &one(&made, "Id")[1..];
    let get = |account, path: &str| call(&region, account, "GET", path, "");
    assert_eq!(code(&get(STRANGER, path)), (403, "AccessDenied"));
    assert_eq!(code(&get(STRANGER, &format!("hostedzone/{zone}"))), (403, "AccessDenied"));
    assert_eq!(code(&get(STRANGER, &format!("hostedzone/{zone}/rrset"))), (403, "AccessDenied"));
    assert_eq!(
        code(&change(&region, STRANGER, &zone, &[txt("UPSERT", "a.example.com", &["\"b\""])])),
        (403, "AccessDenied")
    );
    assert!(!get(STRANGER, "hostedzonesbyname").body.contains("example.com"));
    assert_eq!(code(&get(OWNER, "hostedzone/ZNONE")), (404, "NoSuchHostedZone"));
    assert_eq!(code(&get(OWNER, "change/CNONE")), (404, "NoSuchChange"));
    assert_eq!(code(&get(OWNER, "healthcheck")), (400, "InvalidAction"));
}

#[test]
fn zones_are_listed_by_their_reversed_names_page_by_page() {
    let region = calm();
    for name in ["example.org", "b.example.com", "example.com", "a.example.com", "example.com"] {
        zone(&region, name);
    }
    let mut names = Vec::new();
    let mut path = "hostedzonesbyname?maxitems=2".to_owned();
    loop {
        let page = get(&region, &path);
        let zones = one(&page, "HostedZones");
        assert!(all(zones, "Name").len() <= 2);
        names.extend(all(zones, "Name").into_iter().map(ToOwned::to_owned));
        if one(&page, "IsTruncated") == "false" {
            assert!(!page.contains("NextDNSName"));
            break;
        }
        let (name, id) = (one(&page, "NextDNSName"), one(&page, "NextHostedZoneId"));
        path = format!("hostedzonesbyname?maxitems=2&dnsname={name}&hostedzoneid={id}");
    }
    assert_eq!(names, ["example.com.", "example.com.", "a.example.com.", "b.example.com.", "example.org."]);
    let from = get(&region, "hostedzonesbyname?dnsname=B.example.com&maxitems=1");
    assert_eq!((one(one(&from, "HostedZone"), "Name"), one(&from, "DNSName")), ("b.example.com.", "B.example.com"));
    let lost = call(&region, OWNER, "GET", "hostedzonesbyname?hostedzoneid=Z1", "");
    assert_eq!(code(&lost), (400, "InvalidInput"));
}

#[test]
fn record_sets_are_listed_from_a_name_page_by_page() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let weighted = |identifier: &str| {
        let more = format!("</Type><SetIdentifier>{identifier}</SetIdentifier><Weight>1</Weight>");
        txt("CREATE", "w.example.com", &["\"a\""]).replace("</Type>", &more)
    };
    let changes = [
        txt("CREATE", "b.example.com", &["\"a\""]),
        set("CREATE", "b.example.com", "A", 60, &["192.0.2.1"]),
        txt("CREATE", "*.example.com", &["\"a\""]),
        weighted("two"),
        weighted("one"),
    ];
    changed(&region, &zone, &changes);
    let mut found = Vec::new();
    let mut query = "maxitems=2".to_owned();
    loop {
        let page = get(&region, &format!("hostedzone/{zone}/rrset?{query}"));
        for set in all(&page, "ResourceRecordSet") {
            let identifier = all(set, "SetIdentifier").concat();
            found.push(format!("{} {} {identifier}", one(set, "Name"), one(set, "Type")));
        }
        if one(&page, "IsTruncated") == "false" {
            break;
        }
        query = format!("maxitems=2&name={}&type={}", one(&page, "NextRecordName"), one(&page, "NextRecordType"));
        for identifier in all(&page, "NextRecordIdentifier") {
            query.push_str(&format!("&identifier={identifier}"));
        }
    }
    let expected = [
        "example.com. NS ",
        "example.com. SOA ",
        r"\052.example.com. TXT ",
        "b.example.com. A ",
        "b.example.com. TXT ",
        "w.example.com. TXT one",
        "w.example.com. TXT two",
    ];
    assert_eq!(found, expected);
    let wrong = call(&region, OWNER, "GET", &format!("hostedzone/{zone}/rrset?type=TXT"), "");
    assert_eq!(code(&wrong), (400, "InvalidInput"));
    let plain = refused(&region, &zone, &[txt("CREATE", "w.example.com", &["\"a\""])]);
    assert!(plain[0].contains("SetIdentifier"), "{plain:?}");
}

#[test]
fn too_many_calls_and_faults_on_request_are_said_in_route_53s_words() {
    let region = region(Settings::default());
    let mut heard = region.listen();
    let listed = || call(&region, OWNER, "GET", "hostedzonesbyname", "");
    assert!((0..50).all(|_| listed().status == 200));
    let throttled = listed();
    assert_eq!((code(&throttled), one(&throttled.body, "Message")), ((400, "Throttling"), "Rate exceeded"));
    region.step(Duration::from_secs(1));
    for (kind, expected) in
        [(FaultKind::Unauthorized, (403, "AccessDenied")), (FaultKind::Throttled, (400, "Throttling"))]
    {
        region.break_next(Fault { action: "ListHostedZonesByName".into(), times: 1, kind, when: When::Before });
        assert_eq!(code(&listed()), expected);
    }
    let mut errors = Vec::new();
    while let Ok(happening) = heard.try_recv() {
        if let What::Called { action, error: Some(error), .. } = happening.what {
            errors.push((action, error));
        }
    }
    let named = |code: &str| ("ListHostedZonesByName".to_owned(), code.to_owned());
    assert_eq!(errors, [named("Throttling"), named("AccessDenied"), named("Throttling")]);
}
