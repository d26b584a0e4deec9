//! The recursive resolvers: what they are, and a question to them. They find addresses and top-level domains; what a
//! zone holds is asked of its own servers.

use std::net::SocketAddr;

use hickory_proto::op::Message;
use hickory_resolver::system_conf::read_system_conf;
use privatelink_core::dns::Trouble;
use tokio::time::Instant;

use crate::answer::refusal;
use crate::ask::{Question, ask};

/// DNS's port.
pub(crate) const PORT: u16 = 53;

/// Recursive resolvers, in the order of asking.
#[derive(Debug)]
pub(crate) struct Resolvers(Result<Vec<SocketAddr>, String>);

impl Resolvers {
    /// Those of the system. That they can not be read is what every question is answered with.
    pub(crate) fn system() -> Self {
        Self(match read_system_conf() {
            Ok((config, _)) => Ok(config.name_servers.iter().map(|server| (server.ip, PORT).into()).collect()),
            Err(err) => Err(format!("the system's resolvers can not be read: {err}")),
        })
    }

    /// These.
    pub(crate) fn these(servers: Vec<SocketAddr>) -> Self {
        Self(Ok(servers))
    }

    /// The first answer that is one. That a name does not exist is an answer.
    pub(crate) async fn ask(&self, question: &Question, by: Instant) -> Result<Message, Trouble> {
        let servers = self.0.as_ref().map_err(|err| Trouble::Unreachable(err.clone()))?;
        let mut trouble = Trouble::Unreachable("the system names no resolver".to_owned());
        for server in servers {
            match ask(*server, question, by).await {
                Ok(message) => match refusal(&message) {
                    None => return Ok(message),
                    Some(refused) => trouble = refused,
                },
                Err(err) => trouble = err,
            }
        }
        Err(trouble)
    }
}
