//! A small world: `com`, `example.com` with two name servers, and a resolver that knows all of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::ResponseCode;
use privatelink_core::dns::{Answer, Seen};
use privatelink_dns::Dns;

use crate::server::{Handler, serve};
use crate::zone::{Zone, authority, reply, resolver, zone};
use crate::{name, soon};

pub(crate) const RECORD: &str = "_6e86v84tqgqubxbwii1m.example.com";
pub(crate) const VALUE: &str = "vpce:l6p0ERxlTt45jevFwOCp";

/// What a name server is like.
#[derive(Clone)]
pub(crate) enum Like {
    /// It has these zones.
    Has(Vec<Zone>),
    /// It says this to everything.
    Says(ResponseCode),
    /// It never says anything.
    Silent,
    /// Something else.
    Does(Handler),
}

pub(crate) struct World {
    pub(crate) dns: Dns,
    /// Every question, as `192.0.2.11 example.com. NS`; the resolver's as `resolver …`.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn com() -> Zone {
    zone(
        "com",
        "com NS a.nic.com
         a.nic.com A 192.0.2.1
         example.com NS ns1.example.com
         example.com NS ns2.example.com
         ns1.example.com A 192.0.2.11
         ns2.example.com A 192.0.2.12",
    )
}

pub(crate) fn example(more: &str) -> Zone {
    zone("example.com", &format!("example.com NS ns1.example.com\nexample.com NS ns2.example.com\n{more}"))
}

/// `example.com` with that value in the record.
pub(crate) fn with_value(value: &str) -> Zone {
    example(&format!("{RECORD} TXT {value}"))
}

/// `com`'s server has `com`; the others are like that.
pub(crate) async fn world(com: Zone, others: &[(&str, Like)]) -> World {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut everything = vec![com.clone()];
    let mut reach: HashMap<IpAddr, _> = HashMap::new();
    for (address, like) in others.iter().cloned().chain([("192.0.2.1", Like::Has(vec![com]))]) {
        let handler: Handler = match like {
            Like::Has(zones) => {
                everything.extend(zones.clone());
                Arc::new(move |query, _| Some(authority(&zones, query)))
            }
            Like::Says(code) => Arc::new(move |query, _| Some(reply(query, code))),
            Like::Silent => Arc::new(|_, _| None),
            Like::Does(handler) => handler,
        };
        let at = serve(noting(address.to_owned(), &asked, handler)).await;
        reach.insert(address.parse().unwrap(), at);
    }
    let knows: Handler = Arc::new(move |query, _| Some(resolver(&everything, query)));
    let resolver = serve(noting("resolver".to_owned(), &asked, knows)).await;
    // A link's own address without the link: no way leads there from any machine.
    let nowhere = SocketAddr::from(("fe80::1".parse::<Ipv6Addr>().unwrap(), 53));
    let dns = Dns::with(vec![resolver], move |ip| reach.get(&ip).copied().unwrap_or(nowhere));
    World { dns, asked }
}

fn noting(who: String, asked: &Arc<Mutex<Vec<String>>>, handler: Handler) -> Handler {
    let asked = asked.clone();
    Arc::new(move |query, tcp| {
        let question = &query.queries[0];
        asked.lock().unwrap().push(format!("{who} {} {}", question.name(), question.query_type()));
        handler(query, tcp)
    })
}

impl World {
    pub(crate) async fn seen(&self) -> Seen {
        self.dns.seen(&name(RECORD), VALUE, soon()).await
    }
}

/// Server and answer, in a line each: `ns1.example.com 192.0.2.11 Values(["…"])`.
pub(crate) fn lines(seen: &Seen) -> Vec<String> {
    let line = |answer: &Answer| match answer {
        Answer::Values(values) => {
            format!("Values({:?})", values.iter().map(|v| String::from_utf8_lossy(v)).collect::<Vec<_>>())
        }
        Answer::NoRecord | Answer::NoName | Answer::Trouble(_) => format!("{answer:?}"),
    };
    seen.answers.iter().map(|asked| format!("{} {}", asked.server, line(&asked.answer))).collect()
}
