//! Who answers for a name, and what stands there.

use std::time::Duration;

use hickory_proto::op::ResponseCode;
use privatelink_core::dns::{Answer, Delegation, Signatures, Trouble};

use crate::world::{Like, RECORD, VALUE, World, com, example, lines, with_value, world};
use crate::zone::zone;
use crate::{name, soon};

fn to(zone: &str, servers: &[&str]) -> Delegation {
    Delegation::To { zone: name(zone), servers: servers.iter().map(|server| name(server)).collect() }
}

fn own() -> Delegation {
    to("example.com", &["ns1.example.com", "ns2.example.com"])
}

async fn both_have(lines: &str) -> World {
    let zone = example(lines);
    world(com(), &[("192.0.2.11", Like::Has(vec![zone.clone()])), ("192.0.2.12", Like::Has(vec![zone]))]).await
}

#[tokio::test]
async fn a_record_is_read_at_each_of_its_zones_servers() {
    let seen = both_have(&format!("{RECORD} TXT {VALUE}")).await.seen().await;
    assert_eq!(seen.delegation, own());
    assert_eq!(
        lines(&seen),
        [format!("ns1.example.com Values([{VALUE:?}])"), format!("ns2.example.com Values([{VALUE:?}])")]
    );
    assert_eq!(seen.answers[1].address, Some([192, 0, 2, 12].into()));
    assert_eq!((seen.doubled, seen.signatures, seen.passed_over), (None, Signatures::Unsigned, vec![]));
}

#[tokio::test]
async fn values_come_as_they_are_and_whole() {
    for value in ["vpce:l6p0erxltt45jevfwocp", "\"vpce:l6p0ERxlTt45jevFwOCp\"", "vpce:l6p0", &"x".repeat(700)] {
        let seen = both_have(&format!("{RECORD} TXT {value}\n{RECORD} TXT another")).await.seen().await;
        let values = vec![value.as_bytes().to_vec(), b"another".to_vec()];
        assert_eq!(seen.answers[0].answer, Answer::Values(values));
    }
}

#[tokio::test]
async fn a_server_that_is_behind_is_seen_beside_one_that_is_not() {
    let servers = [("192.0.2.11", Like::Has(vec![with_value(VALUE)])), ("192.0.2.12", Like::Has(vec![example("")]))];
    let seen = world(com(), &servers).await.seen().await;
    assert_eq!(lines(&seen), [format!("ns1.example.com Values([{VALUE:?}])"), "ns2.example.com NoName".to_owned()]);
    assert_eq!(seen.doubled, None);
}

#[tokio::test]
async fn a_record_that_is_nowhere_is_looked_for_under_the_doubled_name() {
    let seen = both_have(&format!("{RECORD}.example.com TXT {VALUE}")).await.seen().await;
    assert_eq!(lines(&seen), ["ns1.example.com NoName", "ns2.example.com NoName"]);
    assert_eq!(seen.doubled, Some(Answer::Values(vec![VALUE.into()])));

    let seen = both_have(&format!("{RECORD} A 192.0.2.99")).await.seen().await;
    assert_eq!(lines(&seen), ["ns1.example.com NoRecord", "ns2.example.com NoRecord"]);
    assert_eq!(seen.doubled, Some(Answer::NoName));
}

#[tokio::test]
async fn an_alias_is_followed_in_the_zone_and_out_of_it() {
    let inside = format!("{RECORD} CNAME _Proof.example.com\n_proof.EXAMPLE.com TXT {VALUE}");
    let world_inside = both_have(&inside).await;
    assert_eq!(world_inside.seen().await.answers[0].answer, Answer::Values(vec![VALUE.into()]));
    let asked = world_inside.asked.lock().unwrap().clone();
    assert!(!asked.iter().any(|line| line.starts_with("resolver") && line.ends_with("TXT")), "{asked:?}");

    let zone = zone("elsewhere.net", &format!("_proof.elsewhere.net TXT {VALUE}"));
    let outside = example(&format!("{RECORD} CNAME _proof.elsewhere.net"));
    let servers = [("192.0.2.11", Like::Has(vec![outside])), ("192.0.2.99", Like::Has(vec![zone]))];
    let seen = world(com(), &servers).await.seen().await;
    assert_eq!(seen.answers[0].answer, Answer::Values(vec![VALUE.into()]));

    let dangling = format!("{RECORD} CNAME _proof.nowhere.net");
    assert_eq!(both_have(&dangling).await.seen().await.answers[0].answer, Answer::NoRecord);
}

#[tokio::test]
async fn a_wildcard_answers_for_the_record() {
    let seen = both_have("*.example.com TXT all mine").await.seen().await;
    assert_eq!(seen.answers[0].answer, Answer::Values(vec!["all mine".into()]));
}

#[tokio::test]
async fn a_domain_that_nobody_delegated_belongs_to_its_top_level_domain() {
    let com = ["a", "b", "c"].map(|n| format!("com NS {n}.nic.com\n{n}.nic.com A 192.0.2.1")).join("\n");
    let seen = world(zone("com", &com), &[]).await.seen().await;
    assert_eq!(seen.delegation, to("com", &["a.nic.com", "b.nic.com", "c.nic.com"]));
    // It is spared the same question to all its servers.
    assert_eq!(lines(&seen), ["a.nic.com NoName", "b.nic.com NoName"]);
}

#[tokio::test]
async fn not_even_the_top_level_domain_exists() {
    let world = world(com(), &[]).await;
    assert_eq!(world.dns.delegation(&name("_x.api.internal"), soon()).await, Delegation::Nobody);
    assert!(world.dns.seen(&name("_x.api.internal"), VALUE, soon()).await.answers.is_empty());
}

#[tokio::test]
async fn a_zone_below_is_the_one_that_counts_wherever_it_is_served() {
    let below = zone("api.example.com", &format!("api.example.com NS ns3.example.com\n_x.api.example.com TXT {VALUE}"));
    let cut = "api.example.com NS ns3.example.com\nns3.example.com A 192.0.2.13";
    for shared in [false, true] {
        let above = if shared { vec![example(cut), below.clone()] } else { vec![example(cut)] };
        let servers = [
            ("192.0.2.11", Like::Has(above.clone())),
            ("192.0.2.12", Like::Has(above)),
            ("192.0.2.13", Like::Has(vec![below.clone()])),
        ];
        let seen = world(com(), &servers).await.dns.seen(&name("_x.api.example.com"), VALUE, soon()).await;
        assert_eq!(seen.delegation, to("api.example.com", &["ns3.example.com"]), "shared: {shared}");
        assert_eq!(lines(&seen), [format!("ns3.example.com Values([{VALUE:?}])")], "shared: {shared}");
    }
}

#[tokio::test]
async fn an_alias_does_not_hide_whose_zone_it_stands_in() {
    let below = zone(
        "api.example.com",
        &format!(
            "api.example.com NS ns3.example.com
             _x.api.example.com CNAME _proof.api.example.com
             _proof.api.example.com TXT {VALUE}"
        ),
    );
    let both = Like::Has(vec![example("api.example.com NS ns3.example.com\nns3.example.com A 192.0.2.13"), below]);
    let servers = [("192.0.2.11", both.clone()), ("192.0.2.13", both)];
    let seen = world(com(), &servers).await.dns.seen(&name("_x.api.example.com"), VALUE, soon()).await;
    assert_eq!(seen.delegation, to("api.example.com", &["ns3.example.com"]));
    assert_eq!(lines(&seen), [format!("ns3.example.com Values([{VALUE:?}])")]);
}

#[tokio::test]
async fn the_zone_above_says_who_is_named_and_not_the_zone_itself() {
    // The registrar still names the old servers, of which one says that others took over.
    let moved = zone("example.com", &format!("example.com NS new.example.net\n{RECORD} TXT {VALUE}"));
    let servers = [("192.0.2.11", Like::Has(vec![moved])), ("192.0.2.12", Like::Says(ResponseCode::Refused))];
    let seen = world(com(), &servers).await.seen().await;
    assert_eq!(seen.delegation, own());
    assert_eq!(
        lines(&seen),
        [format!("ns1.example.com Values([{VALUE:?}])"), "ns2.example.com Trouble(Refused)".to_owned()]
    );
}

#[tokio::test]
async fn a_delegation_is_kept_for_a_run_and_a_record_never() {
    let world = both_have(&format!("{RECORD} TXT {VALUE}")).await;
    world.seen().await;
    let first = world.asked.lock().unwrap().clone();
    // Their addresses came with their names.
    assert!(!first.iter().any(|line| line.starts_with("resolver ns1")), "{first:?}");
    let before = first.len();
    world.seen().await;
    let asked = world.asked.lock().unwrap()[before..].to_vec();
    assert!(asked.iter().all(|line| !line.starts_with("resolver") && !line.starts_with("192.0.2.1 ")), "{asked:?}");
    assert_eq!(asked.iter().filter(|line| line.ends_with("TXT")).count(), 2, "{asked:?}");
}

#[tokio::test]
async fn a_way_that_is_closed_to_all_name_servers_is_not_taken_for_a_missing_domain() {
    let com = zone("com", "com NS a.nic.com\na.nic.com A 192.0.2.200");
    let world = world(com, &[("192.0.2.200", Like::Silent)]).await;
    let begun = tokio::time::Instant::now();
    let seen = world.seen().await;
    assert_eq!(seen.delegation, Delegation::Unknown(Trouble::TimedOut));
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_resolver_is_believed_where_the_top_level_domain_has_no_server_to_ask() {
    let com = zone(
        "com",
        "com NS nobody.nic.com
         ns1.example.com A 192.0.2.11",
    );
    let example = zone("example.com", &format!("example.com NS ns1.example.com\n{RECORD} TXT {VALUE}"));
    let seen = world(com.clone(), &[("192.0.2.11", Like::Has(vec![example]))]).await.seen().await;
    assert_eq!(seen.delegation, to("example.com", &["ns1.example.com"]));
    assert_eq!(lines(&seen), [format!("ns1.example.com Values([{VALUE:?}])")]);
    assert_eq!(world(com, &[]).await.seen().await.delegation, to("com", &["nobody.nic.com"]));
}

#[tokio::test]
async fn many_records_are_looked_at_side_by_side() {
    let world = std::sync::Arc::new(both_have(&format!("{RECORD} TXT {VALUE}")).await);
    let looks: Vec<_> = (0..20)
        .map(|_| {
            let world = world.clone();
            // On threads of the runtime's choice, should it have any.
            tokio::spawn(async move { world.seen().await })
        })
        .collect();
    for look in looks {
        assert_eq!(look.await.unwrap().answers[0].answer, Answer::Values(vec![VALUE.into()]));
    }
}
