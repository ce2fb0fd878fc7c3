//! What a session is about, for people who look after it.

use std::time::Duration;

use crate::session::Session;

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// The account, as the network spells it.
    pub account: String,
    /// The word of CONNSTATUS.
    pub connection: &'static str,
    /// The word of USERSTATUS.
    pub status: &'static str,
    /// How long ago something came from the network; `None` if nothing has.
    pub last_event: Option<Duration>,
    /// Those who are attached, in the order in which they came.
    pub clients: Vec<ClientOverview>,
}

/// How a client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOverview {
    /// Its number, as the log shows it.
    pub number: u32,
    /// By which connection point it came, and whence; empty in the process.
    pub peer: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// The version of the protocol that it speaks.
    pub protocol: u8,
    /// How many lines wait for it.
    pub unread: usize,
}

impl Session {
    /// How this session stands.
    #[doc(hidden)]
    #[must_use]
    pub fn overview(&self) -> Overview {
        let core = self.shared.lock();
        let (account, connection, status) = core.engine.standing();
        let clients = core.clients.iter().filter_map(|member| {
            let (name, protocol) = core.engine.client(member.id)?;
            Some(ClientOverview {
                number: member.id.0,
                peer: member.peer.clone(),
                name: name.map(str::to_owned),
                protocol: protocol.number(),
                unread: member.listener.queue.len(),
            })
        });
        Overview {
            account: account.to_owned(),
            connection,
            status,
            last_event: core.last_event.map(|since| self.shared.started.elapsed().saturating_sub(since)),
            clients: clients.collect(),
        }
    }
}
