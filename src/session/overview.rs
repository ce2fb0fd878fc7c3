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
    /// What there was since it was opened.
    pub counts: Counts,
    /// Those who are attached, in the order in which they came.
    pub clients: Vec<ClientOverview>,
}

/// What a session has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Commands of clients.
    pub commands: u64,
    /// Lines for clients: replies and notifications.
    pub lines: u64,
    /// Messages that the network has brought, those of other logins of the account too.
    pub received: u64,
    /// Messages that the network was given; one that is sent again counts again.
    pub sent: u64,
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
            counts: core.counts,
            clients: clients.collect(),
        }
    }
}
