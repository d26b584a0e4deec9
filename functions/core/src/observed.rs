//! The world as it was read: plain facts that the shell fills in, and nothing that it concluded.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use crate::ids::{AccountId, ConnectionId, EndpointId, ServiceId};

/// AWS tags, by key.
pub type Tags = BTreeMap<String, String>;

/// The key of the tag that says how a connection was decided: `accepted`, `rejected` or `held`.
pub const TAG_DECISION: &str = "privatelink:decision";
/// The key of the tag with the ids of the policies that decided, separated by a space.
pub const TAG_POLICY: &str = "privatelink:policy";

/// The key of the tag with the last state that a connection's consumer, or for `held` the operators, were told of.
pub const TAG_NOTIFIED: &str = "privatelink:notified";
/// The key of the tag with the private DNS name that a connection's consumer was told is verified.
pub const TAG_NOTIFIED_DOMAIN: &str = "privatelink:notified-domain";
/// The key of the tag that claims a notice before it is published, where nothing else shows that tags can be written.
pub const TAG_NOTIFYING: &str = "privatelink:notifying";
/// The key of the tag on a service with what its verifier remembers between runs.
pub const TAG_DOMAIN: &str = "privatelink:domain";

/// What one look at the provider's account found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The endpoint services that were looked at, by id.
    pub services: BTreeMap<ServiceId, Service>,
    /// Their connections, in no order.
    pub connections: Vec<Connection>,
    /// Ids that were asked for and are not this account's, or do not bear the tag that the configuration asks for.
    pub foreign: BTreeSet<ServiceId>,
    /// What AWS answered and could not be understood: it is reported and left alone.
    pub unreadable: Vec<Unreadable>,
}

/// An endpoint service, as DescribeVpcEndpointServiceConfigurations shows it to its owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name: `com.amazonaws.vpce.<region>.vpce-svc-…`.
    pub name: String,
    /// The Region it was read in.
    pub region: String,
    /// The private DNS name that was given to it, verified or not.
    pub private_dns: Option<PrivateDns>,
    /// `ipv4`, `ipv6`.
    pub ip_address_types: BTreeSet<String>,
    /// Whether a connection waits until the provider accepts it.
    pub acceptance_required: bool,
    /// All its tags.
    pub tags: Tags,
}

/// A service's private DNS name, and how far the proof has come that it is the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateDns {
    /// The name, as it was given.
    pub name: String,
    /// How far the proof has come.
    pub state: DnsNameState,
    /// The TXT record that proves it, as soon as AWS tells it.
    pub record: Option<TxtRecord>,
}

/// The TXT record that AWS wants to see for a private DNS name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxtRecord {
    /// Its first label alone: `_6e86v84tqgqubxbwii1m`.
    pub label: String,
    /// Its value, of which every letter's case counts: `vpce:l6p0ERxlTt45jevFwOCp`.
    pub value: String,
}

/// How far the proof of a private DNS name has come, read from EC2's own word with its case folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsNameState {
    /// Nobody has looked yet, or the last look was long ago.
    PendingVerification,
    /// The record was seen.
    Verified,
    /// The record was not seen.
    Failed,
    /// A word that nobody here knows, or none: nothing is done about such a name.
    Unknown(String),
}

impl DnsNameState {
    /// Reads EC2's word, in any case.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pendingverification" => Self::PendingVerification,
            "verified" => Self::Verified,
            "failed" => Self::Failed,
            _ => Self::Unknown(word.to_owned()),
        }
    }

    /// The word, as EC2 writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::PendingVerification => "pendingVerification",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Unknown(word) => word,
        }
    }
}

/// A connection of a consumer's endpoint to one of the services.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// The service.
    pub service: ServiceId,
    /// The consumer's endpoint.
    pub endpoint: EndpointId,
    /// What bears the provider's tags. AWS has been seen to leave it out of an answer, and then nothing can be tagged.
    pub id: Option<ConnectionId>,
    /// The consumer's account.
    pub owner: AccountId,
    /// How far it has come.
    pub state: EndpointState,
    /// When the consumer made the endpoint.
    pub created: OffsetDateTime,
    /// The endpoint's Region, which can differ from the service's.
    pub region: String,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// The names under which AWS made it known in the consumer's VPC, as AWS orders them.
    pub dns_names: Vec<String>,
    /// The tags that the provider put on it.
    pub tags: Tags,
}

/// An item of an answer that lacks what is needed to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The service that it belongs to, where that can be told.
    pub service: Option<ServiceId>,
    /// The endpoint, as it was written.
    pub endpoint: Option<String>,
    /// What is wrong with it.
    pub fault: String,
}

/// How far a connection has come, read from EC2's own word with its case folded.
///
/// The wire says `pendingAcceptance` where the SDK's enum knows only `PendingAcceptance`; that enum is never asked.
/// Words: <https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html>, "Endpoint states".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointState {
    /// Waits for the provider.
    PendingAcceptance,
    /// Accepted, and being made ready; also while its consumer changes it.
    Pending,
    /// Ready for traffic.
    Available,
    /// Turned away by the provider.
    Rejected,
    /// Could not be made ready.
    Failed,
    /// Nobody accepted it in time.
    Expired,
    /// Its consumer is deleting it.
    Deleting,
    /// Its consumer has deleted it.
    Deleted,
    /// A word that nobody here knows: nothing is done about such a connection.
    Unknown(String),
}

impl EndpointState {
    /// Reads EC2's word, in any case.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pendingacceptance" => Self::PendingAcceptance,
            "pending" => Self::Pending,
            "available" => Self::Available,
            "rejected" => Self::Rejected,
            "failed" => Self::Failed,
            "expired" => Self::Expired,
            "deleting" => Self::Deleting,
            "deleted" => Self::Deleted,
            _ => Self::Unknown(word.to_owned()),
        }
    }

    /// The word, as EC2 writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::PendingAcceptance => "pendingAcceptance",
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Unknown(word) => word,
        }
    }

    /// Whether traffic flows, or will without anybody's doing.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Pending | Self::Available)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_in_the_case_of_the_wire_and_of_the_model() {
        for word in ["pendingAcceptance", "PendingAcceptance", "pendingacceptance"] {
            assert_eq!(EndpointState::from_word(word), EndpointState::PendingAcceptance);
        }
        assert_eq!(EndpointState::from_word("Available"), EndpointState::Available);
        assert_eq!(EndpointState::from_word("Partial"), EndpointState::Unknown("Partial".to_owned()));
        assert_eq!(EndpointState::from_word(""), EndpointState::Unknown(String::new()));
    }

    #[test]
    fn states_of_names_are_read_in_the_case_of_the_wire_and_of_the_model() {
        for word in ["pendingVerification", "PendingVerification", "verified", "FAILED"] {
            assert!(!matches!(DnsNameState::from_word(word), DnsNameState::Unknown(_)), "{word}");
        }
        assert_eq!(DnsNameState::from_word("pendingVerification").word(), "pendingVerification");
        assert_eq!(DnsNameState::from_word("expired"), DnsNameState::Unknown("expired".to_owned()));
    }

    #[test]
    fn every_word_reads_back_as_itself() {
        let words =
            ["pendingAcceptance", "pending", "available", "rejected", "failed", "expired", "deleting", "deleted"];
        for word in words {
            let state = EndpointState::from_word(word);
            assert!(!matches!(state, EndpointState::Unknown(_)), "{word}");
            assert_eq!(state.word(), word);
        }
    }
}
