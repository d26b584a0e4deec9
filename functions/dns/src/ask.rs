//! One question to one server: over UDP, twice at most, and over TCP where the answer was cut.
//!
//! What comes back is the message as it is, or why there is none. What it means is not judged here.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use privatelink_core::dns::Trouble;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

/// How long one attempt waits. Name servers answer in a tenth of that.
const ATTEMPT: Duration = Duration::from_secs(1);
/// What one server may cost in all.
const ALL_ATTEMPTS: Duration = Duration::from_secs(2);
/// What passes every network in one piece.
const PAYLOAD: u16 = 1232;
/// What a server may send in spite of that.
const BUFFER: usize = 4096;

/// A question.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The name.
    pub(crate) name: Name,
    /// The type of the records.
    pub(crate) kind: RecordType,
    /// Whether the server is to ask others: a recursive resolver is, a zone's own server is not.
    pub(crate) recursion: bool,
    /// Whether signatures are wanted with the answer.
    pub(crate) signatures: bool,
    /// Whether a resolver is to withhold what it can not validate, as it does for programs.
    pub(crate) validated: bool,
}

impl Question {
    /// For a zone's own server.
    pub(crate) fn own(name: &Name, kind: RecordType) -> Self {
        Self { name: name.clone(), kind, recursion: false, signatures: false, validated: false }
    }

    /// For a recursive resolver.
    pub(crate) fn recursive(name: &Name, kind: RecordType) -> Self {
        Self { recursion: true, ..Self::own(name, kind) }
    }

    /// For a recursive resolver, as programs ask it.
    pub(crate) fn stub(name: &Name, kind: RecordType) -> Self {
        Self { validated: true, ..Self::recursive(name, kind) }
    }

    /// The same, with signatures.
    pub(crate) fn with_signatures(self) -> Self {
        Self { signatures: true, ..self }
    }

    fn message(&self, edns: bool) -> Message {
        // Its id is random.
        let mut message = Message::query();
        message.add_query(Query::query(self.name.clone(), self.kind));
        message.metadata.recursion_desired = self.recursion;
        // What a validating resolver would withhold is what has to be explained.
        message.metadata.checking_disabled = self.recursion && !self.validated;
        if edns {
            let mut edns = Edns::new();
            edns.set_max_payload(PAYLOAD).set_dnssec_ok(self.signatures);
            message.set_edns(edns);
        }
        message
    }
}

/// Asks one server, for two seconds at most.
pub(crate) async fn ask(server: SocketAddr, question: &Question, by: Instant) -> Result<Message, Trouble> {
    let by = by.min(Instant::now() + ALL_ATTEMPTS);
    let first = attempt(server, &question.message(true), by).await;
    let plainly = match &first {
        // Servers from before EDNS say so in one of these ways, or not at all.
        Ok(answer) => {
            matches!(
                answer.metadata.response_code,
                ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS
            )
        }
        Err(trouble) => *trouble == Trouble::TimedOut && Instant::now() < by,
    };
    if !plainly {
        return first;
    }
    // Signatures come by EDNS alone.
    let second = attempt(server, &question.message(question.signatures), by).await;
    match (first, second) {
        (Ok(first), Err(_)) => Ok(first),
        (_, second) => second,
    }
}

async fn attempt(server: SocketAddr, query: &Message, by: Instant) -> Result<Message, Trouble> {
    let until = by.min(Instant::now() + ATTEMPT);
    let bytes = query.to_vec().map_err(|err| Trouble::Other(format!("the question can not be written: {err}")))?;
    let answer = within(until, over_udp(server, query, &bytes)).await?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let until = by.min(Instant::now() + ATTEMPT);
    within(until, over_tcp(server, query, &bytes)).await
}

async fn within<T>(until: Instant, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout_at(until, work).await.unwrap_or(Err(Trouble::TimedOut))
}

async fn over_udp(server: SocketAddr, query: &Message, bytes: &[u8]) -> Result<Message, Trouble> {
    let socket = connected(server).await.map_err(unreachable)?;
    socket.send(bytes).await.map_err(unreachable)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(unreachable)?;
        let received = buffer.get(..length).unwrap_or_default();
        // A connected socket takes only what comes from the server; what still does not belong here is not ours.
        if received.get(..2) != Some(query.metadata.id.to_be_bytes().as_slice()) {
            continue;
        }
        // An answer that was cut can end in the middle of a record: the bit in its header is all that is needed.
        if received.get(2).is_some_and(|flags| flags & 0x02 != 0) {
            let mut cut = query.clone().into_response();
            cut.metadata.truncation = true;
            return Ok(cut);
        }
        if let Some(answer) = read(query, received)? {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Message, bytes: &[u8]) -> Result<Message, Trouble> {
    let mut stream = TcpStream::connect(server).await.map_err(unreachable)?;
    let length = u16::try_from(bytes.len()).map_err(|_| Trouble::Other("the question is too long".to_owned()))?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(bytes);
    stream.write_all(&framed).await.map_err(unreachable)?;
    let length = stream.read_u16().await.map_err(unreachable)?;
    let mut received = vec![0; usize::from(length)];
    stream.read_exact(&mut received).await.map_err(unreachable)?;
    read(query, &received)?.ok_or_else(|| Trouble::Other("the answer is to another question".to_owned()))
}

/// The answer, where it is one to this question.
pub(crate) fn read(query: &Message, received: &[u8]) -> Result<Option<Message>, Trouble> {
    let answer =
        Message::from_vec(received).map_err(|err| Trouble::Other(format!("the answer can not be read: {err}")))?;
    // A server that understood nothing of the question does not repeat it.
    let repeated = answer.queries == query.queries
        || (answer.queries.is_empty() && answer.metadata.response_code != ResponseCode::NoError);
    let is_answer =
        answer.metadata.message_type == MessageType::Response && answer.metadata.id == query.metadata.id && repeated;
    Ok(is_answer.then_some(answer))
}

/// Whether there is a way to that address from here. No packet is sent.
pub(crate) async fn has_route(server: SocketAddr) -> bool {
    connected(server).await.is_ok()
}

/// A fresh socket, whose port the system chooses at random, and which hears of it when nobody listens there.
async fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket)
}

fn unreachable(err: io::Error) -> Trouble {
    Trouble::Unreachable(err.to_string())
}
