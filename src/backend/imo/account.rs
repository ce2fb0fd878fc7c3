//! What the two threads of an account share, and what both of them do: post, take in what comes,
//! and report the loss of the connection once.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use cookie_store::CookieStore;
use cookie_store::RawCookie;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

use super::calls::Caller;
use super::calls::Draft;
use super::http::Cut;
use super::http::Cutter;
use super::http::HttpError;
use super::http::Line;
use super::http::Reply;
use super::http::Trouble;
use super::queue::Queue;
use super::server::Server;
use super::session::End;
use super::session::Purpose;
use super::session::Session;
use super::session::Step;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Events;
use crate::backend::Lost;
use crate::backend::Presence;
use crate::imo;
use crate::model::Handle;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To reach the server.
    pub connect: Duration,
    /// To answer a request.
    pub request: Duration,
    /// To answer a long poll, which the server holds.
    pub poll: Duration,
    /// From the acceptance of the login to its outcome.
    pub login: Duration,
    /// To log out while others wait.
    pub logout: Duration,
    /// Between two signs of life of the user (imo-protocol 3.4).
    pub activity: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(20),
            poll: Duration::from_secs(40),
            login: Duration::from_secs(30),
            logout: Duration::from_secs(2),
            activity: Duration::from_secs(300),
        }
    }
}

/// Why something that was asked of the server came to nothing.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody else ended it, and has told or will tell.
    Cut,
    /// The server cannot be reached or does not make sense.
    Trouble(Trouble),
    /// The session ended.
    Over(End),
}

/// What a thread holds on to while it works for one connection.
#[derive(Clone)]
pub(super) struct Tie {
    /// The connection; none while logging out.
    pub(super) link: Option<u64>,
    /// Ends when the connection is given up.
    pub(super) cut: Cut,
    /// When everything must be over, while logging out.
    pub(super) deadline: Option<Instant>,
}

pub(super) struct State {
    pub(super) session: Option<Session>,
    /// Counts the sessions, to tell this one from the last.
    sessions: u64,
    /// The connection that is up or coming up.
    pub(super) link: Option<u64>,
    /// The number of the latest connection.
    pub(super) links: u64,
    /// Dropped to cut short whatever waits for the server.
    pub(super) cut: Option<(Cutter, Cut)>,
    pub(super) epoch: Epoch,
    pub(super) queue: Queue,
    pub(super) connect: bool,
    pub(super) logout: bool,
    /// Whether there is somebody to say goodbye to.
    pub(super) sign_off: bool,
    pub(super) stopping: Option<Duration>,
    pub(super) presence: Presence,
    pub(super) mood: String,
    pub(super) presence_changed: bool,
    pub(super) stay_active: bool,
    pub(super) refuse_auto_away: bool,
}

impl State {
    /// Whether actions may go out.
    pub(super) fn is_online(&self) -> bool {
        self.link.is_some() && self.session.as_ref().is_some_and(Session::is_online)
    }

    /// Whether the success of the login has been told, or is being told.
    pub(super) fn has_arrived(&self) -> bool {
        self.link.is_some() && self.session.as_ref().is_some_and(Session::has_arrived)
    }
}

/// One account, as both of its threads see it.
pub(super) struct Account {
    pub(super) server: Server,
    pub(super) uid: String,
    pub(super) me: Handle,
    pub(super) password: SecretString,
    pub(super) limits: Limits,
    cookies: Mutex<CookieStore>,
    state: Mutex<State>,
    pub(super) woken: Notify,
    events: OnceLock<Arc<dyn Events>>,
}

impl Account {
    /// An account that is offline.
    pub(super) fn new(server: Server, uid: &str, me: Handle, password: SecretString, limits: Limits) -> Self {
        let state = State {
            session: None,
            sessions: 0,
            link: None,
            links: 0,
            cut: None,
            epoch: Epoch::default(),
            queue: Queue::default(),
            connect: false,
            logout: false,
            sign_off: false,
            stopping: None,
            presence: Presence::Available,
            mood: String::new(),
            presence_changed: false,
            stay_active: false,
            refuse_auto_away: false,
        };
        Self {
            server,
            uid: uid.to_owned(),
            me,
            password,
            limits,
            cookies: Mutex::default(),
            state: Mutex::new(state),
            woken: Notify::new(),
            events: OnceLock::new(),
        }
    }

    /// Names the receiver of events; the first one stays.
    pub(super) fn listen(&self, events: Arc<dyn Events>) {
        let _ = self.events.set(events);
    }

    /// The state. Never held while waiting, or while an event is delivered.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the request thread look for work.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    pub(super) fn deliver(&self, event: Event) {
        if let Some(events) = self.events.get() {
            events.deliver(event);
        }
    }

    pub(super) fn deliver_all(&self, events: Vec<Event>) {
        for event in events {
            self.deliver(event);
        }
    }

    pub(super) fn wait_for_room(&self) {
        if let Some(events) = self.events.get() {
            events.wait_for_room();
        }
    }

    /// Begins a connection; what there was of an earlier one is cut short.
    pub(super) fn tie(&self) -> Tie {
        let mut state = self.lock();
        state.links += 1;
        let (cutter, cut) = Cut::new();
        // Whoever stops or logs out wins.
        let live = state.stopping.is_none() && !state.logout;
        state.link = live.then_some(state.links);
        state.cut = live.then(|| (cutter, cut.clone()));
        state.queue.forget_typing();
        Tie { link: Some(state.links), cut, deadline: None }
    }

    /// Fetches the start page for its cookies (imo-protocol 1).
    pub(super) fn visit(&self, line: &Line, tie: &Tie) -> Result<(), Halt> {
        let url = &self.server.root;
        let reply = line.get(url, self.cookies_for(url), self.timeout(tie), &tie.cut).map_err(halt)?;
        self.keep_cookies(url, &reply);
        Ok(())
    }

    /// Posts an envelope and reads the answer.
    pub(super) fn post(
        &self,
        line: &Line,
        method: &str,
        envelope: &imo::Envelope,
        timeout: Duration,
        tie: &Tie,
    ) -> Result<(u16, imo::Answer), Halt> {
        let url = &self.server.imo;
        let data = serde_json::to_string(envelope).unwrap_or_default();
        let form = [("method", method), ("data", data.as_str())];
        let reply = line.post(url, &form, self.cookies_for(url), timeout, &tie.cut).map_err(halt)?;
        self.keep_cookies(url, &reply);
        if reply.status >= 500 {
            return Err(Halt::Trouble(Trouble::Status(reply.status)));
        }
        let value: Option<Value> = serde_json::from_slice(&reply.body).ok();
        match value.filter(Value::is_object) {
            Some(value) => Ok((reply.status, imo::take(value))),
            None => Err(Halt::Trouble(Trouble::NotJson(reply.status))),
        }
    }

    /// How long a request may take.
    pub(super) fn timeout(&self, tie: &Tie) -> Duration {
        let left = tie.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.limits.request, |left| left.min(self.limits.request))
    }

    fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<_> = cookies.get_request_values(url).map(|(name, value)| [name, value].join("=")).collect();
        let mut header = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|header| !header.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }

    fn keep_cookies(&self, url: &Url, reply: &Reply) {
        if reply.cookies.is_empty() {
            return;
        }
        let cookies = reply.cookies.iter().filter_map(|text| RawCookie::parse(text.clone()).ok());
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).store_response_cookies(cookies, url);
    }

    /// Asks something of the session and waits for the answer; tells whether it was accepted.
    /// Only the request thread calls this, so requests arrive in the order of their numbers.
    pub(super) fn ask(
        &self,
        line: &Line,
        tie: &Tie,
        purpose: Purpose,
        draft: impl FnOnce(Caller<'_>) -> Draft,
    ) -> Result<bool, Halt> {
        self.with_session(tie, |session| {
            let draft = draft(session.caller());
            session.ask(draft, purpose);
        })?;
        self.exchange(line, tie)
    }

    /// Posts the request that has no answer yet, if there is one.
    pub(super) fn exchange(&self, line: &Line, tie: &Tie) -> Result<bool, Halt> {
        let mut accepted = true;
        while let Some(envelope) = self.with_session(tie, Session::request)? {
            let (_, answer) = self.post(line, imo::FORWARD_TO_SERVER, &envelope, self.timeout(tie), tie)?;
            let settled = self.with_session(tie, |session| session.settle(answer))?;
            accepted = settled.accepted;
            self.take(settled.steps);
            if let Some(end) = self.drain() {
                return Err(Halt::Over(end));
            }
            match settled.again {
                Some((purpose, uid)) => self.with_session(tie, |session| {
                    let draft = session.caller().del_buddy(&uid, "Buddies");
                    session.ask(draft, purpose);
                })?,
                None => break,
            }
        }
        Ok(accepted)
    }

    /// Works on the session, as long as `tie` still holds.
    pub(super) fn with_session<T>(&self, tie: &Tie, work: impl FnOnce(&mut Session) -> T) -> Result<T, Halt> {
        let mut state = self.lock();
        if state.link != tie.link {
            return Err(Halt::Cut);
        }
        state.session.as_mut().map(work).ok_or(Halt::Cut)
    }

    /// Handles what the server sent, one message at a time and in order, whichever thread took it
    /// in; tells if the session ended.
    pub(super) fn drain(&self) -> Option<End> {
        loop {
            let (number, steps) = {
                let mut state = self.lock();
                let epoch = state.epoch;
                let number = state.sessions;
                let session = state.session.as_mut()?;
                match session.step(epoch) {
                    Some(steps) => (number, steps),
                    None => return session.ended(),
                }
            };
            self.take(steps);
            let mut state = self.lock();
            if state.sessions != number {
                return None;
            }
            let arrived = state.session.as_mut().is_some_and(Session::handled);
            drop(state);
            if arrived {
                self.wake();
            }
        }
    }

    /// Puts a new session in the place of the last, and settles what that leaves open.
    pub(super) fn adopt(&self, tie: &Tie, session: Session) -> Result<(), Halt> {
        let mut state = self.lock();
        if state.link != tie.link {
            return Err(Halt::Cut);
        }
        state.sessions += 1;
        let last = state.session.replace(session);
        drop(state);
        self.deliver_all(last.map(Session::close).unwrap_or_default());
        Ok(())
    }

    fn take(&self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Deliver(event) => self.deliver(event),
                Step::StayActive => self.want(|state| state.stay_active = true),
                Step::RefuseAutoAway => self.want(|state| state.refuse_auto_away = true),
                Step::Requeue(action) => self.lock().queue.put_back(action),
            }
        }
    }

    /// Leaves work for the request thread.
    pub(super) fn want(&self, note: impl FnOnce(&mut State)) {
        note(&mut self.lock());
        self.wake();
    }

    /// The connection came to nothing: reports it, unless that has been done or nobody asks.
    pub(super) fn fail(&self, tie: &Tie, halt: Halt) {
        let (reason, over) = match halt {
            Halt::Cut => return,
            Halt::Trouble(trouble) => {
                tracing::debug!(server = self.server.name(), error = %trouble, "connection lost");
                (Lost::Unreachable { error: Box::new(trouble) }, false)
            }
            Halt::Over(End::Over) => (Lost::Ended, true),
            Halt::Over(End::Refused(reason)) => (Lost::Refused { reason }, true),
        };
        let (epoch, outcomes) = {
            let mut state = self.lock();
            if state.link.is_none() || state.link != tie.link {
                return;
            }
            state.link = None;
            state.cut = None;
            if let Some(session) = state.session.as_mut() {
                session.suspend();
            }
            // A session that never was online has nothing worth taking up again.
            let gone = state.session.take_if(|session| over || !session.has_signed_on());
            (state.epoch, gone.map(Session::close).unwrap_or_default())
        };
        self.deliver_all(outcomes);
        self.deliver(Event::Disconnected { epoch, reason });
        self.wake();
    }
}

fn halt(error: HttpError) -> Halt {
    match error {
        HttpError::Cut => Halt::Cut,
        HttpError::Trouble(trouble) => Halt::Trouble(trouble),
    }
}
