//! Puts together what is to be known of one record: all servers side by side, each by itself, and what else there is
//! to ask meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{join, join_all};
use hickory_proto::dnssec::rdata::DS;
use hickory_proto::rr::{Name, RecordType, SerialNumber};
use privatelink_core::dns::{Answer, Delegation, Seen, ServerAnswer, Signatures, Trouble};
use privatelink_core::ids::DnsName;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Said, said, wire_name};
use crate::ask::{Question, ask};
use crate::given;
use crate::signatures::judge;
use crate::world::{Place, World};
use crate::zone::{NameServer, Zone};

/// How long servers that were given are asked for what they may know nothing of.
const ASIDE: Duration = Duration::from_secs(2);
/// How many servers of a top-level domain are asked for a record that cannot be theirs.
const TOP_LEVEL_SERVERS: usize = 2;

/// How many aliases are followed from answer to answer.
const HOPS: usize = 4;

/// One server, asked for the record.
struct Asked {
    /// Where it was asked.
    place: Option<SocketAddr>,
    answer: ServerAnswer,
}

/// Whom to ask again, and about what.
struct Zonewise<'a> {
    asked: Vec<Asked>,
    passed_over: Vec<String>,
    delegation: Delegation,
    ds: Result<Vec<DS>, Trouble>,
    /// With whom to follow an alias out of the zone.
    world: Option<&'a World>,
}

/// What the record's own name servers say.
pub(crate) async fn in_the_world(world: &World, record: &DnsName, expected: &str, by: Instant) -> Seen {
    let mut found = Zonewise {
        asked: Vec::new(),
        passed_over: Vec::new(),
        delegation: Delegation::Nobody,
        ds: Err(Trouble::TimedOut),
        world: Some(world),
    };
    match world.zone_of(record, by).await {
        Ok(None) => {}
        Err(trouble) => found.delegation = Delegation::Unknown(trouble),
        Ok(Some(zone)) => {
            let servers = join_all(zone_servers(&zone).map(|server| at_own(world, server, record, by)));
            let (answers, ds) = join(servers, world.ds(&zone, by)).await;
            for (server, asked) in zone_servers(&zone).zip(answers) {
                match asked {
                    Some(asked) => found.asked.push(asked),
                    None => found.passed_over.push(server.name.to_string()),
                }
            }
            found.delegation = zone.delegation();
            found.ds = ds;
        }
    }
    found.seen(record, expected, by).await
}

fn zone_servers(zone: &Zone) -> impl Iterator<Item = &NameServer> {
    let most = if zone.is_top_level() { TOP_LEVEL_SERVERS } else { usize::MAX };
    zone.servers.iter().take(most)
}

/// Asks one of the zone's own servers; nothing where it is passed over.
async fn at_own(world: &World, server: &NameServer, record: &DnsName, by: Instant) -> Option<Asked> {
    let (place, address, answer) = match world.place(server, by).await {
        Ok(Place::At(ip, place)) => (Some(place), Some(ip), txt(place, record, Some(world), by).await),
        Ok(Place::PassedOver) => return None,
        Ok(Place::Nowhere) => (None, None, Answer::Trouble(Trouble::Unreachable("its name has no address".to_owned()))),
        Err(trouble) => (None, None, Answer::Trouble(trouble)),
    };
    Some(Asked { place, answer: ServerAnswer { server: server.name.to_string(), address, answer } })
}

/// What servers say that are asked instead of the record's own.
pub(crate) async fn at_servers(servers: &[SocketAddr], record: &DnsName, expected: &str, by: Instant) -> Seen {
    let texts = join_all(servers.iter().map(|server| txt(*server, record, None, by)));
    let aside = async {
        let by = by.min(Instant::now() + ASIDE);
        let delegation = delegation_at(servers, record, by).await;
        let ds = match (servers.first(), &delegation) {
            (Some(server), Delegation::To { zone, .. }) => {
                timeout_at(by, given::ds(*server, zone, by)).await.unwrap_or(Err(Trouble::TimedOut))
            }
            (_, Delegation::To { .. } | Delegation::Nobody | Delegation::Unknown(_)) => Err(Trouble::TimedOut),
        };
        (delegation, ds)
    };
    let (texts, (delegation, ds)) = join(texts, aside).await;
    let asked = servers.iter().zip(texts).map(|(server, answer)| Asked {
        place: Some(*server),
        answer: ServerAnswer { server: server.to_string(), address: Some(server.ip()), answer },
    });
    let found = Zonewise { asked: asked.collect(), passed_over: Vec::new(), delegation, ds, world: None };
    found.seen(record, expected, by).await
}

/// Who answers for a name, by the word of the first of these servers.
pub(crate) async fn delegation_at(servers: &[SocketAddr], name: &DnsName, by: Instant) -> Delegation {
    let Some(server) = servers.first() else {
        return Delegation::Unknown(Trouble::Unreachable("no server is given".to_owned()));
    };
    timeout_at(by, given::delegation(*server, name, by)).await.unwrap_or(Delegation::Unknown(Trouble::TimedOut))
}

impl Zonewise<'_> {
    async fn seen(self, record: &DnsName, expected: &str, by: Instant) -> Seen {
        let (doubled, signatures) = join(self.doubled(record, expected, by), self.signatures(record, by)).await;
        Seen {
            record: record.clone(),
            delegation: self.delegation,
            given: self.world.is_none(),
            answers: self.asked.into_iter().map(|asked| asked.answer).collect(),
            passed_over: self.passed_over,
            doubled,
            signatures,
        }
    }

    /// A server that said something of the record.
    fn speaking(&self) -> Option<SocketAddr> {
        self.asked.iter().find(|asked| !matches!(asked.answer.answer, Answer::Trouble(_)))?.place
    }

    async fn doubled(&self, record: &DnsName, expected: &str, by: Instant) -> Option<Answer> {
        if self.asked.iter().any(|asked| has(&asked.answer.answer, expected)) {
            return None;
        }
        let zone = match &self.delegation {
            Delegation::To { zone, .. } => zone.clone(),
            // Where the zone is not known, the name that is to be proved is the likeliest.
            Delegation::Nobody | Delegation::Unknown(_) => record.and_above().nth(1)?,
        };
        // A name that is too long stands nowhere.
        let name = DnsName::parse(&format!("{record}.{zone}")).ok()?;
        Some(txt(self.speaking()?, &name, self.world, by).await)
    }

    async fn signatures(&self, record: &DnsName, by: Instant) -> Signatures {
        match &self.ds {
            Err(_) => Signatures::Unknown,
            Ok(ds) if ds.is_empty() => Signatures::Unsigned,
            Ok(ds) => self.signed(ds, record, by).await.unwrap_or(Signatures::Unknown),
        }
    }

    async fn signed(&self, ds: &[DS], record: &DnsName, by: Instant) -> Option<Signatures> {
        let Delegation::To { zone, .. } = &self.delegation else { return None };
        let (zone, record) = (wire_name(zone).ok()?, wire_name(record).ok()?);
        let server = self.speaking()?;
        let question = |name: &Name, kind| {
            let question = Question::own(name, kind).with_signatures();
            Question { recursion: self.world.is_none(), ..question }
        };
        let (keys, text) = (question(&zone, RecordType::DNSKEY), question(&record, RecordType::TXT));
        let (keys, text) = join(ask(server, &keys, by), ask(server, &text, by)).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        // A signature's times count modulo 2^32.
        let now = SerialNumber::new(u32::try_from(now & u64::from(u32::MAX)).ok()?);
        Some(judge(&zone, ds, &keys.ok()?, &record, &text.ok()?, now))
    }
}

fn has(answer: &Answer, expected: &str) -> bool {
    matches!(answer, Answer::Values(values) if values.iter().any(|value| value == expected.as_bytes()))
}

/// What one server says of a name's TXT records. An alias that leads out of its zone is followed.
async fn txt(server: SocketAddr, name: &DnsName, world: Option<&World>, by: Instant) -> Answer {
    match aliased(server, name, world, by).await {
        Ok(answer) => answer,
        Err(trouble) => Answer::Trouble(trouble),
    }
}

async fn aliased(server: SocketAddr, name: &DnsName, world: Option<&World>, by: Instant) -> Result<Answer, Trouble> {
    let mut target = match word_of(server, &wire_name(name)?, world, by).await? {
        Said::This(answer) => return Ok(answer),
        Said::Alias(target) => target,
    };
    for _ in 0..HOPS {
        let word = match (word_of(server, &target, world, by).await, world) {
            // The server does not speak for where the alias leads: that is for the resolver to find.
            (Ok(Said::This(Answer::Trouble(_))) | Err(_), Some(world)) => {
                let message = world.resolvers.ask(&Question::recursive(&target, RecordType::TXT), by).await?;
                said(&message, &target, false)
            }
            (word, _) => word?,
        };
        match word {
            Said::Alias(next) => target = next,
            // The alias is there, whatever it leads to.
            Said::This(Answer::NoName) => return Ok(Answer::NoRecord),
            Said::This(answer) => return Ok(answer),
        }
    }
    Ok(Answer::NoRecord)
}

async fn word_of(server: SocketAddr, name: &Name, world: Option<&World>, by: Instant) -> Result<Said, Trouble> {
    let own = world.is_some();
    let question = Question { recursion: !own, ..Question::own(name, RecordType::TXT) };
    Ok(said(&ask(server, &question, by).await?, name, own))
}
