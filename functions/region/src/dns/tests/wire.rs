//! Stories over UDP and TCP, with a client that knows nothing but the messages.

use std::net::SocketAddr;

use hickory_server::proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name as WireName, RData, RecordType};
use hickory_server::proto::serialize::binary::{BinEncodable, BinEncoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_millis(300);

fn question(of: &str, kind: RecordType, edns: Option<u16>) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(WireName::from_ascii(of).unwrap(), kind));
    if let Some(most) = edns {
        let mut edns = Edns::new();
        edns.set_max_payload(most);
        message.set_edns(edns);
    }
    message
}

async fn over_udp(at: SocketAddr, question: &Message) -> Option<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&question.to_vec().unwrap(), at).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let (length, from) = timeout(PATIENCE, socket.recv_from(&mut buffer)).await.ok()?.ok()?;
    assert_eq!(from, at);
    Some(Message::from_vec(&buffer[..length]).unwrap())
}

async fn over_tcp(at: SocketAddr, question: &Message) -> Option<Message> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    let bytes = question.to_vec().unwrap();
    stream.write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let length = timeout(PATIENCE, stream.read_u16()).await.ok()?.ok()?;
    let mut buffer = vec![0; length.into()];
    stream.read_exact(&mut buffer).await.unwrap();
    Some(Message::from_vec(&buffer).unwrap())
}

async fn ask(at: SocketAddr, of: &str, kind: RecordType) -> Message {
    let answer = over_udp(at, &question(of, kind, Some(1232))).await.unwrap();
    assert_eq!((answer.metadata.id, answer.queries.len()), (4711, 1));
    answer
}

/// The strings of the TXT records in an answer.
fn strings(message: &Message) -> Vec<Vec<Vec<u8>>> {
    let records = message.answers.iter().map(|record| &record.data);
    let txt = records.filter_map(|data| if let RData::TXT(txt) = data { Some(txt) } else { None });
    txt.map(|txt| txt.txt_data.iter().map(|string| string.to_vec()).collect()).collect()
}

fn texts(message: &Message) -> Vec<String> {
    strings(message).into_iter().map(|strings| String::from_utf8(strings.concat()).unwrap()).collect()
}

fn names(message: &Message) -> Vec<String> {
    let records = message.answers.iter().map(|record| &record.data);
    records.filter_map(|data| if let RData::NS(ns) = data { Some(ns.0.to_string()) } else { None }).collect()
}

async fn on_ports(region: &Region) -> NameServers {
    serve(region, Options { layout: Layout::Ports(0), ipv6_only: false }).await.unwrap()
}

fn ready() -> (Region, String) {
    let region = region();
    let zone = zone(&region, OWNER, "example.com");
    written(&region, &zone, "_a.example.com", "TXT", &["\"vpce:aBc\"", r#""two" "strings \303\244""#]);
    (region, zone)
}

#[tokio::test]
async fn name_servers_and_the_resolver_say_what_is_in_the_zone() {
    let (region, zone) = ready();
    let servers = on_ports(&region).await;
    for (at, authoritative) in
        servers.name_servers().into_iter().map(|at| (at, true)).chain([(servers.resolver(), false)])
    {
        for answer in [
            ask(at, "_A.example.COM.", RecordType::TXT).await,
            over_tcp(at, &question("_A.example.COM.", RecordType::TXT, None)).await.unwrap(),
        ] {
            let metadata = &answer.metadata;
            assert_eq!(
                (metadata.authoritative, metadata.recursion_available, metadata.response_code),
                (authoritative, !authoritative, ResponseCode::NoError)
            );
            assert_eq!(answer.queries[0].name().to_string(), "_A.example.COM.");
            let two = vec![b"two".to_vec(), b"strings \xc3\xa4".to_vec()];
            assert_eq!(strings(&answer), [vec![b"vpce:aBc".to_vec()], two]);
        }
        assert_eq!(names(&ask(at, "example.com.", RecordType::NS).await), name_servers(&region, &zone));
        let none = ask(at, "_b.example.com.", RecordType::TXT).await;
        assert_eq!(none.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(none.authorities[0].record_type(), RecordType::SOA);
        assert!(none.edns.is_some());
    }
    let other = ask(servers.name_servers()[0], "example.org.", RecordType::TXT).await;
    assert_eq!(other.metadata.response_code, ResponseCode::Refused);

    // The next question gets the next answer.
    written(&region, &zone, "_a.example.com", "TXT", &["\"new\""]);
    assert_eq!(texts(&ask(servers.name_servers()[3], "_a.example.com.", RecordType::TXT).await), ["new"]);
}

#[tokio::test]
async fn what_is_in_no_zone_and_no_type_that_is_written_is_said_so() {
    let (region, zone) = ready();
    let servers = on_ports(&region).await;
    let server = servers.name_servers()[1];
    written(&region, &zone, "example.com", "CAA", &["0 issue \"ca.example.net\""]);
    written(&region, &zone, "example.com", "MX", &["10 mail.example.com"]);
    let code = async |kind| ask(server, "example.com.", kind).await.metadata.response_code;
    assert_eq!(code(RecordType::CAA).await, ResponseCode::NotImp);
    assert_eq!(code(RecordType::ANY).await, ResponseCode::NotImp);
    assert_eq!(code(RecordType::SRV).await, ResponseCode::NoError);
    let mail = ask(server, "example.com.", RecordType::MX).await;
    assert!(matches!(&mail.answers[0].data, RData::MX(mx) if mx.exchange.to_string() == "mail.example.com."));
    let mut none = question("example.com.", RecordType::TXT, None);
    none.queries.clear();
    assert_eq!(over_udp(server, &none).await.unwrap().metadata.response_code, ResponseCode::FormErr);
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_a_datagram_is_asked_for_over_tcp() {
    let (region, zone) = ready();
    let servers = on_ports(&region).await;
    let at = servers.name_servers()[2];
    let cut = async |edns| {
        let answer = over_udp(at, &question("_l.example.com.", RecordType::TXT, edns)).await.unwrap();
        assert_eq!(answer.edns.is_some(), edns.is_some());
        assert!(answer.metadata.truncation == answer.answers.is_empty());
        answer.metadata.truncation
    };
    for (length, without, with) in [(1, false, false), (2, true, false), (4, true, false), (5, true, true)] {
        let values: Vec<String> = (0..length).map(|at| format!("\"{at}{}\"", "x".repeat(254))).collect();
        written(&region, &zone, "_l.example.com", "TXT", &values.iter().map(String::as_str).collect::<Vec<_>>());
        let told = (cut(None).await, cut(Some(4096)).await);
        assert_eq!(told, (without, with), "{length}");
        assert_eq!(cut(Some(512)).await, without);
        let whole = over_tcp(at, &question("_l.example.com.", RecordType::TXT, None)).await.unwrap();
        assert_eq!((whole.metadata.truncation, texts(&whole).len()), (false, length));
    }
    self::servers(&region, "example.com", &[], ServerFault::Truncated);
    let question = question("_a.example.com.", RecordType::TXT, Some(1232));
    let answer = over_udp(at, &question).await.unwrap();
    assert!(answer.metadata.truncation && answer.answers.is_empty());
    assert_eq!(texts(&over_tcp(at, &question).await.unwrap()).len(), 2);
    assert_eq!(texts(&over_udp(servers.resolver(), &question).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn each_server_goes_wrong_in_its_own_way() {
    let (region, zone) = ready();
    written(&region, &zone, "_a.example.com", "TXT", &["\"new\""]);
    let up = on_ports(&region).await;
    let at = up.name_servers();
    servers(&region, "example.com", &[0], ServerFault::Servfail);
    servers(&region, "example.com", &[1], ServerFault::Refused);
    servers(&region, "example.com", &[2], ServerFault::Silence);
    servers(&region, "example.com", &[3], ServerFault::BeforeLastChange);
    assert_eq!(ask(at[0], "_a.example.com.", RecordType::TXT).await.metadata.response_code, ResponseCode::ServFail);
    assert_eq!(ask(at[1], "_a.example.com.", RecordType::TXT).await.metadata.response_code, ResponseCode::Refused);
    let silent = question("_a.example.com.", RecordType::TXT, None);
    assert!(over_udp(at[2], &silent).await.is_none() && over_tcp(at[2], &silent).await.is_none());
    assert_eq!(texts(&ask(at[3], "_a.example.com.", RecordType::TXT).await)[0], "vpce:aBc");
    // Whatever becomes of the zone, the first server says what the domain above does.
    assert_eq!(names(&ask(at[0], "example.com.", RecordType::NS).await).len(), 4);

    region.world().dns.mend(Some(&name("example.com")));
    wrong(&region, "example.com", DnsFaultKind::DnssecBroken);
    let resolver = up.resolver();
    assert_eq!(ask(resolver, "_a.example.com.", RecordType::TXT).await.metadata.response_code, ResponseCode::ServFail);
    let mut unchecked = question("_a.example.com.", RecordType::TXT, None);
    unchecked.metadata.checking_disabled = true;
    assert_eq!(texts(&over_udp(resolver, &unchecked).await.unwrap()), ["new"]);
    assert_eq!(texts(&ask(at[1], "_a.example.com.", RecordType::TXT).await), ["new"]);
    for at in [resolver, at[0]] {
        let ds = ask(at, "example.com.", RecordType::DS).await;
        assert_eq!(ds.answers[0].record_type(), RecordType::DS);
        // A key's tag, an algorithm, a kind of digest, and a digest; whether they were told apart or not.
        let mut bytes = Vec::new();
        ds.answers[0].data.emit(&mut BinEncoder::new(&mut bytes)).unwrap();
        assert_eq!(bytes.len(), 36);
    }
}

/// Only Linux has all of 127.0.0.0/8.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_walks_from_the_resolver_to_each_name_server() {
    let (region, _) = ready();
    region.world().published_txt.insert(("_b.example.org".into(), "elsewhere".into()));
    let up = serve(&region, Options { layout: Layout::Addresses(0), ipv6_only: false }).await.unwrap();
    let port = up.resolver().port();
    for (of, record, value, servers) in [
        ("example.com.", "_a", "vpce:aBc", &up.name_servers()[..]),
        ("example.org.", "_b", "elsewhere", &[up.elsewhere()]),
    ] {
        let mut asked = Vec::new();
        for server in names(&ask(up.resolver(), of, RecordType::NS).await) {
            let found = ask(up.resolver(), &server, RecordType::A).await;
            let RData::A(address) = found.answers[0].data else { panic!("{found:?}") };
            assert!(ask(up.resolver(), &server, RecordType::AAAA).await.answers.is_empty());
            let at = SocketAddr::from((address.0, port));
            assert_eq!(texts(&ask(at, &format!("{record}.{of}"), RecordType::TXT).await)[0], value);
            asked.push(at);
        }
        asked.dedup();
        assert_eq!(asked, servers);
    }
    let hosts: Vec<_> = up.name_servers().iter().map(|at| at.ip().to_string()).collect();
    assert_eq!(hosts, ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]);
}

/// As a resolver goes that has to ask the root first.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_top_level_domain_has_a_server_that_delegates_what_is_there_and_denies_the_rest() {
    let (region, zone) = ready();
    let up = serve(&region, Options { layout: Layout::Addresses(0), ipv6_only: false }).await.unwrap();
    let [server] = &names(&ask(up.resolver(), "com.", RecordType::NS).await)[..] else { panic!("not one server") };
    let found = ask(up.resolver(), server, RecordType::A).await;
    let RData::A(address) = found.answers[0].data else { panic!("{found:?}") };
    assert_eq!(address.0, up.registry().ip());
    let delegated = ask(up.registry(), "_a.example.com.", RecordType::NS).await;
    assert!(!delegated.metadata.authoritative && delegated.answers.is_empty(), "{delegated:?}");
    let to: Vec<_> = delegated.authorities.iter().map(|record| record.data.to_string()).collect();
    assert_eq!(to, name_servers(&region, &zone));
    let unsigned = ask(up.registry(), "example.com.", RecordType::DS).await;
    assert!(unsigned.metadata.authoritative && unsigned.answers.is_empty(), "{unsigned:?}");
    let fault = |kind| region.world().dns.add(DnsFault { zone: name("example.com"), kind });
    fault(DnsFaultKind::DnssecBroken);
    assert_eq!(ask(up.registry(), "example.com.", RecordType::DS).await.answers.len(), 1);
    fault(DnsFaultKind::NotDelegated);
    for denied in ["_a.example.com.", "nobody.com."] {
        let answer = ask(up.registry(), denied, RecordType::NS).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain, "{denied}");
        assert!(answer.metadata.authoritative && answer.authorities[0].name.to_string() == "com.", "{answer:?}");
    }
}

#[tokio::test]
async fn name_servers_can_have_ipv6_addresses_only() {
    let (region, zone) = ready();
    let up = serve(&region, Options { layout: Layout::Ports(0), ipv6_only: true }).await.unwrap();
    let server = &name_servers(&region, &zone)[2];
    let four = ask(up.resolver(), server, RecordType::A).await;
    assert_eq!((four.metadata.response_code, four.answers.len()), (ResponseCode::NoError, 0));
    let six = ask(up.resolver(), server, RecordType::AAAA).await;
    let RData::AAAA(address) = six.answers[0].data else { panic!("{six:?}") };
    assert_eq!(address.0.to_ipv4_mapped().map(Into::into), Some(up.name_servers()[2].ip()));
    let nobody = ask(up.resolver(), "ns-1.awsdns-99.com.", RecordType::A).await;
    assert_eq!(nobody.metadata.response_code, ResponseCode::NXDomain);
}

/// At an address where no other test has anything to do.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn servers_stop_when_they_are_told_to_or_dropped_and_their_ports_are_free_again() {
    let (region, _) = ready();
    let up = serve(&region, Options { layout: Layout::Addresses(0), ipv6_only: false }).await.unwrap();
    let at = up.elsewhere();
    let port = at.port();
    let question = question("example.com.", RecordType::NS, None);
    let mut open = TcpStream::connect(at).await.unwrap();
    assert!(over_udp(at, &question).await.is_some());
    up.stop().await;
    assert!(over_udp(at, &question).await.is_none() && TcpStream::connect(at).await.is_err());
    assert_eq!(timeout(PATIENCE, open.read(&mut [0])).await.unwrap().unwrap_or(0), 0, "the connection is closed");

    let again = serve(&region, Options { layout: Layout::Addresses(port), ipv6_only: false }).await.unwrap();
    assert_eq!(again.elsewhere(), at);
    assert!(serve(&region, Options { layout: Layout::Addresses(port), ipv6_only: false }).await.is_err());
    drop(again);
    let stopped = async {
        while TcpStream::connect(at).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), stopped).await.unwrap();
}

#[tokio::test]
async fn ports_can_be_chosen_and_follow_each_other() {
    let region = region();
    for first in (20_000..30_000).step_by(7) {
        if let Ok(up) = serve(&region, Options { layout: Layout::Ports(first), ipv6_only: false }).await {
            let servers = up.name_servers().map(|at| at.port());
            assert_eq!(
                [up.resolver(), up.elsewhere(), up.registry()].map(|at| at.port()),
                [first, first + 5, first + 6]
            );
            assert_eq!(servers, [first + 1, first + 2, first + 3, first + 4]);
            return;
        }
    }
    panic!("no seven ports are free");
}
