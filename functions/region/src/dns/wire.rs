//! The view on the wire: questions read, answers written. What is answered is asked of the world at that time.

use std::net::IpAddr;

use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, LowerQuery, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{self, MX, NULL, SOA, TXT};
use hickory_server::proto::rr::{DNSClass, Name as WireName, RData, Record as WireRecord, RecordType};
use hickory_server::proto::serialize::binary::BinEncoder;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

use super::inside::Inside;
use super::view::{Heard, Voice, registry_soa};
use super::zone::{Code, Record, Response};
use crate::Region;
use crate::route53::{self, Name};

/// The most bytes of an answer over UDP to one who can take more than the 512 of old.
const DATAGRAM: u16 = 1232;
/// How long a name server's address may be kept, in seconds.
const TTL: u32 = 172_800;

/// Where the name servers are, as a resolver says it.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    /// Those of Route 53's zones, in their order.
    pub(super) name_servers: [IpAddr; 4],
    /// That of what is elsewhere.
    pub(super) elsewhere: IpAddr,
    /// That of the top-level domains.
    pub(super) registry: IpAddr,
}

/// One server.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) region: Region,
    pub(super) voice: Voice,
    /// Where the name servers are, if it knows.
    pub(super) addresses: Option<Addresses>,
    /// The VPC in which it is, if it is in one.
    pub(super) inside: Option<Inside>,
}

/// An answer as it goes out.
#[derive(Debug, Default)]
struct Reply {
    answers: Vec<WireRecord>,
    authority: Vec<WireRecord>,
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.recursion_available = matches!(self.voice, Voice::Resolver { .. });
        let unsent = |metadata| ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() });
        let mut reply = Reply::default();
        let udp = request.protocol() == Protocol::Udp;
        match self.hear(request) {
            Err(code) => metadata.response_code = code,
            Ok(Heard::Silence) => return unsent(metadata),
            Ok(Heard::Cut(_)) if udp => metadata.truncation = true,
            Ok(Heard::Cut(said) | Heard::Response(said)) => {
                metadata.authoritative = said.authoritative;
                match Reply::of(&said) {
                    Some(written) => {
                        metadata.response_code = code(said.code);
                        reply = written;
                    }
                    None => metadata.response_code = ResponseCode::NotImp,
                }
            }
        }
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM);
        let asked = request.edns.as_ref();
        edns.set_dnssec_ok(asked.is_some_and(|asked| asked.flags().dnssec_ok));
        let edns = asked.map(|_| &edns);
        let most = asked.map_or(512, |asked| asked.max_payload().clamp(512, DATAGRAM));
        let builder = || MessageResponseBuilder::new(&request.queries, edns);
        let fits = |Reply { answers, authority }: &Reply| {
            let mut bytes = Vec::new();
            let built = builder().build(metadata, answers, authority, [], []);
            built.destructive_emit(&mut BinEncoder::new(&mut bytes)).is_ok() && bytes.len() <= usize::from(most)
        };
        if udp && !fits(&reply) {
            metadata.truncation = true;
            reply = Reply::default();
        }
        let built = builder().build(metadata, &reply.answers, &reply.authority, [], []);
        response_handle.send_response(built).await.unwrap_or_else(|_| unsent(metadata))
    }
}

impl Handler {
    /// Asks the world.
    fn hear(&self, request: &Request) -> Result<Heard, ResponseCode> {
        if request.metadata.message_type != MessageType::Query || request.metadata.op_code != OpCode::Query {
            return Err(ResponseCode::NotImp);
        }
        let [query] = request.queries.queries() else { return Err(ResponseCode::FormErr) };
        if query.query_class() != DNSClass::IN {
            return Err(ResponseCode::Refused);
        }
        if matches!(query.query_type(), RecordType::ANY | RecordType::AXFR | RecordType::IXFR) {
            return Err(ResponseCode::NotImp);
        }
        let voice = match self.voice {
            Voice::Resolver { .. } => Voice::Resolver { unchecked: request.metadata.checking_disabled },
            Voice::NameServer(_) | Voice::Elsewhere | Voice::Registry => self.voice,
        };
        Ok(self.ask(voice, query))
    }

    fn ask(&self, voice: Voice, query: &LowerQuery) -> Heard {
        let name = Name::of_labels(query.original().name().iter());
        let kind: &str = query.query_type().into();
        let world = self.region.world();
        let at = world.now();
        if let Some(inside) = &self.inside {
            return world.ask_inside(inside, &name, kind, at);
        }
        let heard = world.ask(voice, &name, kind, at);
        let Some(addresses) = &self.addresses else { return heard };
        match (voice, &heard) {
            (Voice::Resolver { .. }, Heard::Response(said)) if said.code == Code::NxDomain => {}
            _ => return heard,
        }
        // The names of name servers are in no zone that is known here.
        let address = match world.name_server(&name, at) {
            None | Some(Voice::Resolver { .. }) => return heard,
            Some(Voice::NameServer(index)) => addresses.name_servers.get(index).copied(),
            Some(Voice::Elsewhere) => Some(addresses.elsewhere),
            Some(Voice::Registry) => Some(addresses.registry),
        };
        let record = address.map(|address| match address {
            IpAddr::V4(address) => Record::new(&name, "A", TTL, address.to_string()),
            IpAddr::V6(address) => Record::new(&name, "AAAA", TTL, address.to_string()),
        });
        Heard::Response(match record.filter(|record| record.kind == kind) {
            Some(record) => Response { authoritative: false, ..Response::found(vec![record]) },
            None => Response { authoritative: false, ..Response::nothing(Code::NoError, Some(registry_soa(&name))) },
        })
    }
}

impl Reply {
    /// `None`, if there is a record of a type that is not written here.
    fn of(said: &Response) -> Option<Self> {
        let written = |records: &[Record]| records.iter().map(record).collect::<Option<Vec<_>>>();
        Some(Self { answers: written(&said.answers)?, authority: written(&said.authority)? })
    }
}

fn code(code: Code) -> ResponseCode {
    match code {
        Code::NoError => ResponseCode::NoError,
        Code::NxDomain => ResponseCode::NXDomain,
        Code::ServFail => ResponseCode::ServFail,
        Code::Refused => ResponseCode::Refused,
    }
}

fn record(record: &Record) -> Option<WireRecord> {
    Some(WireRecord::from_rdata(wire_name(&record.name)?, record.ttl, data(&record.kind, &record.value)?))
}

fn wire_name(name: &Name) -> Option<WireName> {
    WireName::from_labels(name.labels()).ok()
}

fn named(text: &str) -> Option<WireName> {
    wire_name(&Name::parse(text).ok()?)
}

/// A record's value as it is on the wire.
fn data(kind: &str, value: &str) -> Option<RData> {
    let mut parts = value.split_whitespace();
    Some(match kind {
        "A" => RData::A(rdata::A(value.parse().ok()?)),
        "AAAA" => RData::AAAA(rdata::AAAA(value.parse().ok()?)),
        "CNAME" => RData::CNAME(rdata::CNAME(named(value)?)),
        "NS" => RData::NS(rdata::NS(named(value)?)),
        "PTR" => RData::PTR(rdata::PTR(named(value)?)),
        "MX" => RData::MX(MX::new(parts.next()?.parse().ok()?, named(parts.next()?)?)),
        "SOA" => {
            let (server, person) = (named(parts.next()?)?, named(parts.next()?)?);
            let mut number = || parts.next()?.parse::<u32>().ok();
            let serial = number()?;
            let mut time = || i32::try_from(number()?).ok();
            let (refresh, retry, expire) = (time()?, time()?, time()?);
            RData::SOA(SOA::new(server, person, serial, refresh, retry, expire, number()?))
        }
        "TXT" => {
            let strings = route53::strings(value).ok()?;
            RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
        "DS" => {
            let mut bytes = parts.next()?.parse::<u16>().ok()?.to_be_bytes().to_vec();
            bytes.push(parts.next()?.parse().ok()?);
            bytes.push(parts.next()?.parse().ok()?);
            let digest: String = parts.collect();
            for at in (0..digest.len()).step_by(2) {
                bytes.push(u8::from_str_radix(digest.get(at..at + 2)?, 16).ok()?);
            }
            RData::Unknown { code: RecordType::DS, rdata: NULL::with(bytes) }
        }
        _ => return None,
    })
}
