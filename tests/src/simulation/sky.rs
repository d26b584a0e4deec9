//! What the world's DNS says of the Region's zones, without a network between.

use privatelink_core::dns::{Answer, Delegation, Seen, ServerAnswer, Signatures, Trouble};
use privatelink_core::ids::DnsName;
use privatelink_dns::Says;
use privatelink_region::Region;
use privatelink_region::dns::{Code, Heard, Voice};
use privatelink_region::route53::Name;

/// The world's DNS.
#[derive(Debug)]
pub struct Sky(pub Region);

impl Says for Sky {
    fn seen(&self, record: &DnsName) -> Seen {
        let delegation = self.delegation(record);
        let servers = match &delegation {
            Delegation::To { servers, .. } => servers.clone(),
            Delegation::Nobody | Delegation::Unknown(_) => Vec::new(),
        };
        let answers = servers.iter().enumerate().map(|(index, server)| ServerAnswer {
            server: server.to_string(),
            address: Some([192, 0, 2, 1].into()),
            answer: self.txt(index, record),
        });
        Seen {
            record: record.clone(),
            answers: answers.collect(),
            delegation,
            given: false,
            passed_over: Vec::new(),
            doubled: None,
            signatures: Signatures::Unsigned,
        }
    }

    fn delegation(&self, name: &DnsName) -> Delegation {
        let world = self.0.world();
        let name = Name::parse(name.as_str()).unwrap();
        let zones = world.route53.published(world.now()).filter(|(zone, _)| name.is_within(&zone.name));
        let Some((zone, _)) = zones.max_by_key(|(zone, _)| zone.name.to_string().len()) else {
            return Delegation::Nobody;
        };
        let parsed = |name: &str| DnsName::parse(name.trim_end_matches('.')).unwrap();
        Delegation::To {
            zone: parsed(&zone.name.to_string()),
            servers: zone.name_servers.iter().map(|server| parsed(server)).collect(),
        }
    }
}

impl Sky {
    fn txt(&self, server: usize, record: &DnsName) -> Answer {
        let world = self.0.world();
        let name = Name::parse(record.as_str()).unwrap();
        match world.ask(Voice::NameServer(server), &name, "TXT", world.now()) {
            Heard::Silence => Answer::Trouble(Trouble::TimedOut),
            Heard::Response(said) | Heard::Cut(said) => match said.code {
                Code::NoError if said.answers.is_empty() => Answer::NoRecord,
                Code::NoError => Answer::Values(said.answers.iter().filter_map(|record| record.text()).collect()),
                Code::NxDomain => Answer::NoName,
                Code::ServFail => Answer::Trouble(Trouble::ServFail),
                Code::Refused => Answer::Trouble(Trouble::Refused),
            },
        }
    }
}
