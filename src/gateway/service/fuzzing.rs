//! A gateway without its sockets: for the fuzz target `call`.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use super::Service;
use super::lock;
use super::now;
use super::operate;
use crate::gateway::core::Core;
use crate::gateway::db::Database;
use crate::gateway::http;
use crate::gateway::methods::Attempt;
use crate::gateway::methods::Verdict;
use crate::gateway::metrics::Metrics;

/// Whoever calls is at this address, from where nobody may log in: passwords are slow on purpose.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// A gateway in memory, with sessions that are logged in.
pub struct World {
    service: Service,
    runtime: Runtime,
    /// Session ids, and who is logged in there.
    sessions: Vec<(String, &'static str)>,
}

impl World {
    /// A session for each of these names, which may be there twice.
    #[must_use]
    pub fn new(names: &[&'static str]) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let database = Database::open(None).expect("a database");
        let mut core = Core::new(database, Metrics::default(), Duration::from_secs(3600)).expect("a state");
        for number in 0..100 {
            core.attempts.failed(&number.to_string(), ADDRESS, now().instant);
        }
        let open = |name: &&'static str| (core.open_session(now()).expect("a session"), *name);
        let sessions = names.iter().map(open).collect();
        let (service, _) = Service::new(core, false, true, Duration::ZERO).expect("a service");
        let world = Self { service, runtime, sessions };
        for session in 0..names.len() {
            world.log_in(session, true);
        }
        world
    }

    /// The id of a session.
    #[must_use]
    pub fn ssid(&self, session: usize) -> &str {
        &self.sessions[session].0
    }

    /// What becomes of a login whose password has been checked. Unknown names are registered.
    pub fn log_in(&self, session: usize, right: bool) {
        let (ssid, name) = &self.sessions[session];
        let attempt = Attempt { name: (*name).to_owned(), password: String::new(), address: ADDRESS };
        let mut core = lock(&self.service.core);
        let verdict = match core.db.user(name).expect("a look") {
            _ if !right => Verdict::Wrong,
            Some(_) => Verdict::Right,
            None => Verdict::New(String::new()),
        };
        operate(&mut core, |core| core.finish_login(ssid, &attempt, &verdict, now())).expect("a login");
        core.flush();
    }

    /// Answers the body of a `POST /imo`; `None` if it is refused before it is one in the protocol.
    #[must_use]
    pub fn post(&self, body: &[u8]) -> Option<String> {
        let (method, data) = http::fields(body).ok()?;
        let answer = self.runtime.block_on(self.service.post(&method, &data, ADDRESS));
        match answer {
            Ok(answer) => Some(serde_json::to_string(&answer).expect("an answer is JSON")),
            Err(super::Failure::Malformed(_) | super::Failure::Full) => None,
            Err(super::Failure::Internal) => panic!("the gateway failed"),
        }
    }
}
