//! Servers that do not answer as they should.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use privatelink_core::dns::{Answer, Delegation, Trouble};
use tokio::time::Instant;

use crate::world::{Like, RECORD, VALUE, com, lines, with_value, world};
use crate::zone::{authority, reply, zone};
use crate::{name, soon};

/// What is seen of `ns2` where `ns1` has the record.
async fn beside_a_good_one(like: Like) -> String {
    let servers = [("192.0.2.11", Like::Has(vec![with_value(VALUE)])), ("192.0.2.12", like)];
    let begun = Instant::now();
    let seen = world(com(), &servers).await.seen().await;
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
    let lines = lines(&seen);
    assert_eq!(lines[0], format!("ns1.example.com Values([{VALUE:?}])"));
    lines[1].clone()
}

#[tokio::test]
async fn each_trouble_is_that_of_one_server() {
    let says = |code| beside_a_good_one(Like::Says(code));
    assert_eq!(says(ResponseCode::ServFail).await, "ns2.example.com Trouble(ServFail)");
    assert_eq!(says(ResponseCode::Refused).await, "ns2.example.com Trouble(Refused)");
    assert_eq!(says(ResponseCode::NotAuth).await, "ns2.example.com Trouble(NotAuthoritative)");
    assert!(says(ResponseCode::NotImp).await.starts_with("ns2.example.com Trouble(Other("));
    assert_eq!(beside_a_good_one(Like::Silent).await, "ns2.example.com Trouble(TimedOut)");
}

#[tokio::test]
async fn a_server_that_only_names_others_is_not_authoritative() {
    let lame = Like::Has(vec![com()]);
    assert_eq!(beside_a_good_one(lame).await, "ns2.example.com Trouble(NotAuthoritative)");
    let forgot: Like = Like::Does(Arc::new(|query, _| Some(reply(query, ResponseCode::NXDomain))));
    assert_eq!(beside_a_good_one(forgot).await, "ns2.example.com Trouble(NotAuthoritative)");
}

#[tokio::test]
async fn a_zone_whose_servers_all_fail_is_still_known_to_be_delegated() {
    let refused = Like::Says(ResponseCode::Refused);
    let seen = world(com(), &[("192.0.2.11", refused.clone()), ("192.0.2.12", refused)]).await.seen().await;
    assert!(matches!(&seen.delegation, Delegation::To { zone, .. } if zone.as_str() == "example.com"));
    assert_eq!(lines(&seen), ["ns1.example.com Trouble(Refused)", "ns2.example.com Trouble(Refused)"]);
    assert_eq!(seen.doubled, None);
}

#[tokio::test]
async fn an_answer_that_is_cut_is_asked_for_over_tcp() {
    let long = "y".repeat(2000);
    let zone = with_value(&long);
    let over_tcp: Like = Like::Does(Arc::new(move |query, tcp| {
        let text = query.queries[0].query_type() == RecordType::TXT;
        let answer = authority(std::slice::from_ref(&zone), query);
        Some(if tcp || !text { answer } else { answer.truncate() })
    }));
    assert_eq!(beside_a_good_one(over_tcp).await, format!("ns2.example.com Values([{long:?}])"));
}

#[tokio::test]
async fn a_cut_answer_without_tcp_is_a_trouble_and_no_empty_answer() {
    let cut: Like = Like::Does(Arc::new(|query, tcp| (!tcp).then(|| reply(query, ResponseCode::NoError).truncate())));
    let line = beside_a_good_one(cut).await;
    assert!(line.starts_with("ns2.example.com Trouble("), "{line}");
}

#[tokio::test]
async fn a_server_from_before_edns_is_asked_without_it() {
    for silent in [false, true] {
        let zone = with_value(VALUE);
        let old: Like = Like::Does(Arc::new(move |query, _| match query.edns {
            Some(_) if silent => None,
            Some(_) => Some(reply(query, ResponseCode::FormErr)),
            None => Some(authority(std::slice::from_ref(&zone), query)),
        }));
        assert_eq!(beside_a_good_one(old).await, format!("ns2.example.com Values([{VALUE:?}])"), "silent: {silent}");
    }
}

#[tokio::test]
async fn a_packet_that_is_lost_once_costs_a_second() {
    let zone = with_value(VALUE);
    let lost = std::sync::Mutex::new(false);
    let lossy: Like = Like::Does(Arc::new(move |query, _| {
        let first = !std::mem::replace(&mut *lost.lock().unwrap(), true);
        (!first).then(|| authority(std::slice::from_ref(&zone), query))
    }));
    assert_eq!(beside_a_good_one(lossy).await, format!("ns2.example.com Values([{VALUE:?}])"));
}

#[tokio::test]
async fn a_server_with_ipv6_alone_is_passed_over_where_there_is_none() {
    let com = zone(
        "com",
        "com NS a.nic.com
         a.nic.com A 192.0.2.1
         example.com NS ns1.example.com
         example.com NS ns6.example.com
         example.com NS lost.example.net
         ns1.example.com A 192.0.2.11
         ns6.example.com AAAA 2001:db8::6",
    );
    let seen = world(com, &[("192.0.2.11", Like::Has(vec![with_value(VALUE)]))]).await.seen().await;
    assert_eq!(seen.passed_over, ["ns6.example.com"]);
    assert_eq!(
        lines(&seen),
        [
            "lost.example.net Trouble(Unreachable(\"its name has no address\"))".to_owned(),
            format!("ns1.example.com Values([{VALUE:?}])"),
        ]
    );
    assert_eq!(seen.answers[0].address, None);
}

#[tokio::test]
async fn nothing_is_asked_past_the_time() {
    let servers = [("192.0.2.11", Like::Silent), ("192.0.2.12", Like::Silent)];
    let world = world(com(), &servers).await;
    let begun = Instant::now();
    let seen = world.dns.seen(&name(RECORD), VALUE, begun + Duration::from_millis(300)).await;
    assert!(begun.elapsed() < Duration::from_millis(600), "{:?}", begun.elapsed());
    assert!(seen.answers.iter().all(|asked| asked.answer == Answer::Trouble(Trouble::TimedOut)));
}

#[tokio::test]
async fn nobody_listens_where_the_resolver_should_be() {
    let dead = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let dns = privatelink_dns::Dns::with(vec![dead], |ip| (ip, 53).into());
    let delegation = dns.delegation(&name(RECORD), soon()).await;
    assert!(matches!(delegation, Delegation::Unknown(Trouble::Unreachable(_))), "{delegation:?}");
}
