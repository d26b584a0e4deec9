//! Addresses, as a program is told them.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use privatelink_core::dns::Trouble;
use privatelink_core::probe::{Family, Resolved};
use privatelink_dns::Dns;
use tokio::time::Instant;

use crate::server::{Handler, serve};
use crate::zone::{Zone, authority, reply, resolver, zone};
use crate::{name, soon};

fn example() -> Zone {
    let lines = "
        api.example.com A 10.0.1.5
        api.example.com A 10.0.2.5
        api.example.com AAAA 2600:1f14::5
        v4.example.com A 10.0.1.5
        alias.example.com CNAME api.example.com
        dead.example.com CNAME gone.example.com
        out.example.com CNAME api.example.net";
    zone("example.com", lines)
}

fn to(addresses: &[&str]) -> Resolved {
    Resolved::To(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

async fn ask(dns: &Dns, text: &str, family: Family) -> Resolved {
    dns.addresses(&name(text), family, soon()).await
}

#[tokio::test]
async fn each_family_has_an_answer_of_its_own() {
    let handler: Handler = Arc::new(|query, _| Some(resolver(&[example()], query)));
    let given = Dns::servers(vec![serve(handler.clone()).await]);
    let system = Dns::with(vec![serve(handler).await], |ip| (ip, 53).into());
    for dns in [given, system] {
        assert_eq!(ask(&dns, "api.example.com", Family::Ipv4).await, to(&["10.0.1.5", "10.0.2.5"]));
        assert_eq!(ask(&dns, "api.example.com", Family::Ipv6).await, to(&["2600:1f14::5"]));
        assert_eq!(ask(&dns, "v4.example.com", Family::Ipv6).await, Resolved::NoRecord);
        assert_eq!(ask(&dns, "gone.example.com", Family::Ipv4).await, Resolved::NoName);
    }
}

#[tokio::test]
async fn an_alias_is_followed_where_the_server_does_not() {
    let net = || zone("example.net", "api.example.net A 10.0.3.5");
    let handler: Handler = Arc::new(move |query, _| Some(authority(&[example(), net()], query)));
    let dns = Dns::servers(vec![serve(handler).await]);
    assert_eq!(ask(&dns, "alias.example.com", Family::Ipv6).await, to(&["2600:1f14::5"]));
    assert_eq!(ask(&dns, "out.example.com", Family::Ipv4).await, to(&["10.0.3.5"]));
    assert_eq!(ask(&dns, "out.example.com", Family::Ipv6).await, Resolved::NoRecord);
    assert_eq!(ask(&dns, "dead.example.com", Family::Ipv4).await, Resolved::NoName);
}

#[tokio::test]
async fn the_first_server_that_says_anything_is_believed() {
    let failing: Handler = Arc::new(|query, _| Some(reply(query, ResponseCode::ServFail)));
    let silent: Handler = Arc::new(|_, _| None);
    let good: Handler = Arc::new(|query, _| Some(resolver(&[example()], query)));
    let servers = vec![serve(failing.clone()).await, serve(silent.clone()).await, serve(good).await];
    assert_eq!(ask(&Dns::servers(servers), "v4.example.com", Family::Ipv4).await, to(&["10.0.1.5"]));
    let failing = Dns::servers(vec![serve(failing).await]);
    assert_eq!(ask(&failing, "v4.example.com", Family::Ipv4).await, Resolved::Trouble(Trouble::ServFail));
    let silent = Dns::servers(vec![serve(silent).await]);
    let begun = Instant::now();
    let by = begun + Duration::from_millis(300);
    let told = silent.addresses(&name("v4.example.com"), Family::Ipv4, by).await;
    assert_eq!(told, Resolved::Trouble(Trouble::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_resolver_may_withhold_what_does_not_validate() {
    let validating: Handler = Arc::new(|query: &Message, _| {
        let code = if query.metadata.checking_disabled { ResponseCode::NoError } else { ResponseCode::ServFail };
        Some(reply(query, code))
    });
    let dns = Dns::servers(vec![serve(validating).await]);
    assert_eq!(ask(&dns, "v4.example.com", Family::Ipv4).await, Resolved::Trouble(Trouble::ServFail));
}
