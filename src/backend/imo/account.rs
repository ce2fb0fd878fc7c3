//! What the two threads of an account share, and what both of them do: post, take in what comes,
//! and report the loss of the connection once.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use cookie_store::CookieStore;
use cookie_store::RawCookie;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

use super::answers::Purpose;
use super::chats::Chats;
use super::drafts::Caller;
use super::drafts::Draft;
use super::guard::each;
use super::http::Cut;
use super::http::Cutter;
use super::http::HttpError;
use super::http::Line;
use super::http::Reply;
use super::http::Trouble;
use super::pictures::Pictures;
use super::queue::Queue;
use super::server::Server;
use super::session::End;
use super::session::Session;
use super::session::Step;
use super::status::Status;
use super::texts::Rest;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Events;
use crate::backend::Lost;
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
    /// For which a connection is kept that nothing is asked on: less than servers commonly keep theirs, so that a request
    /// rarely meets one that was just closed.
    pub idle: Duration,
    /// Between two signs of life of the user (imo-protocol 3.4).
    pub activity: Duration,
    /// From another mood text to telling it (imo-protocol 6.3).
    pub mood: Duration,
    /// From founding a chat to the news that it is there.
    pub found: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(20),
            poll: Duration::from_secs(40),
            login: Duration::from_secs(30),
            logout: Duration::from_secs(2),
            idle: Duration::from_secs(30),
            activity: Duration::from_secs(300),
            mood: Duration::from_secs(15),
            found: Duration::from_secs(30),
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
    pub(super) status: Status,
    pub(super) chats: Chats,
    pub(super) pictures: Pictures,
    pub(super) stay_active: bool,
    pub(super) refuse_auto_away: bool,
}

impl State {
    /// Whether actions may go out.
    pub(super) fn is_online(&self) -> bool {
        self.link.is_some() && self.session.as_ref().is_some_and(Session::is_online)
    }

    /// Whether there is nothing to do now that cannot wait.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let wanted =
            self.stopping.is_some() || self.logout || self.connect || self.stay_active || self.refuse_auto_away;
        let due = self.status.due().is_some_and(|due| due <= now);
        self.is_online() && !wanted && !due && !self.has_errands() && self.queue.is_empty()
    }

    /// Whether something is to be asked that no action waits for.
    pub(super) fn has_errands(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_errands(&self.chats))
    }

    /// Whether the other thread is in the middle of telling something.
    pub(super) fn is_telling(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_busy)
    }

    /// Whether the success of the login has been told, or is being told.
    pub(super) fn has_arrived(&self) -> bool {
        self.link.is_some() && self.session.as_ref().is_some_and(Session::has_arrived)
    }

    /// Ends the session, if there is one. What of it goes on in the next is before all that waits:
    /// it was sent before. The outcomes of the rest are to be told when the lock is let go.
    pub(super) fn end_session(&mut self) -> Vec<Event> {
        let Rest { events, texts } = self.session.take().map(|last| last.close(&mut self.chats)).unwrap_or_default();
        self.queue.put_back(texts);
        events
    }
}

/// A message that is being handled. When that ends, others may go on. After a panic nobody may: the
/// message is not acknowledged, and the session is [given up](Account::guard).
struct Handling<'a> {
    account: &'a Account,
    session: u64,
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        let mut state = self.account.lock();
        if state.sessions != self.session || thread::panicking() {
            return;
        }
        let arrived = state.session.as_mut().is_some_and(Session::handled);
        let wanted = arrived || state.has_errands() || state.stopping.is_some() || state.logout;
        drop(state);
        if wanted {
            self.account.wake();
        }
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
            status: Status::new(),
            chats: Chats::default(),
            pictures: Pictures::default(),
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

    pub(super) fn deliver_all(&self, events: impl IntoIterator<Item = Event>) {
        each(events, |event| self.deliver(event));
    }

    /// Returns when nothing can undo what the server may be told to forget: asked between making an envelope, with its
    /// `ack`, and posting it.
    pub(super) fn settle(&self) {
        if let Some(events) = self.events.get() {
            events.settle();
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
        envelope: &impl Serialize,
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
        match imo::parse(&reply.body).filter(Value::is_object) {
            Some(value) => Ok((reply.status, imo::take(value))),
            None => Err(Halt::Trouble(Trouble::NotJson(reply.status))),
        }
    }

    /// How long a request may take.
    pub(super) fn timeout(&self, tie: &Tie) -> Duration {
        let left = tie.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.limits.request, |left| left.min(self.limits.request))
    }

    pub(super) fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
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
            self.settle();
            let (_, answer) = match self.post(line, imo::FORWARD_TO_SERVER, &envelope, self.timeout(tie), tie) {
                Err(halt @ Halt::Trouble(Trouble::Connect(_))) => {
                    self.with_session(tie, Session::not_posted)?;
                    return Err(halt);
                }
                posted => posted?,
            };
            let (settled, goes_on) = self.with_chats(tie, |session, chats| {
                session.set_settling(true);
                let mut settled = session.settle(answer, chats);
                // Registered before anything else can end the session, so that it has an outcome then.
                let again = settled.again.take().map(|(draft, purpose)| session.ask(draft, purpose));
                (settled, again.is_some())
            })?;
            accepted = settled.accepted;
            self.take(settled.steps);
            // Also one that was interrupted meanwhile.
            if let Some(session) = self.lock().session.as_mut() {
                session.set_settling(false);
            }
            if let Some(end) = self.drain(tie) {
                return Err(Halt::Over(end));
            }
            if !goes_on {
                break;
            }
        }
        Ok(accepted)
    }

    /// Works on the session, as long as `tie` still holds.
    pub(super) fn with_session<T>(&self, tie: &Tie, work: impl FnOnce(&mut Session) -> T) -> Result<T, Halt> {
        self.with_chats(tie, |session, _| work(session))
    }

    /// Works on the session and the chats, as long as `tie` still holds.
    pub(super) fn with_chats<T>(&self, tie: &Tie, work: impl FnOnce(&mut Session, &mut Chats) -> T) -> Result<T, Halt> {
        let mut state = self.lock();
        let State { session, chats, link, .. } = &mut *state;
        if *link != tie.link {
            return Err(Halt::Cut);
        }
        session.as_mut().map(|session| work(session, chats)).ok_or(Halt::Cut)
    }

    /// Handles what the server sent, one message at a time and in order, whichever thread took it
    /// in, as long as `tie` still holds; tells if the session ended.
    pub(super) fn drain(&self, tie: &Tie) -> Option<End> {
        loop {
            let (_handling, steps) = {
                let mut state = self.lock();
                let State { session, chats, epoch, sessions, link, .. } = &mut *state;
                // What nobody hears any more, also during a farewell, is not acknowledged, and comes again.
                let session = session.as_mut().filter(|_| link.is_some() && *link == tie.link)?;
                match session.step(*epoch, chats) {
                    Some(steps) => (Handling { account: self, session: *sessions }, steps),
                    None => return session.ended(),
                }
            };
            self.take(steps);
        }
    }

    /// Puts a new session in the place of the last, and settles what that leaves open.
    pub(super) fn adopt(&self, tie: &Tie, session: Session) -> Result<(), Halt> {
        let mut state = self.lock();
        if state.link != tie.link {
            return Err(Halt::Cut);
        }
        state.sessions += 1;
        let events = state.end_session();
        state.session = Some(session);
        drop(state);
        self.deliver_all(events);
        Ok(())
    }

    fn take(&self, steps: Vec<Step>) {
        let is_message = |step: &Step| matches!(step, Step::Deliver(Event::Message(_)));
        if steps.iter().all(is_message)
            && let Some(events) = self.events.get()
        {
            let event = |step| if let Step::Deliver(event) = step { Some(event) } else { None };
            return events.deliver_all(steps.into_iter().filter_map(event).collect());
        }
        each(steps, |step| match step {
            Step::Deliver(Event::Call(mut call)) => {
                let told = call.page.take();
                call.page = told.as_deref().and_then(|path| self.server.page(path)).map(String::from);
                if told.is_some() && call.page.is_none() {
                    tracing::warn!("the page of a call is not below the address of the server: skipped");
                }
                self.deliver(Event::Call(call));
            }
            Step::Deliver(event) => self.deliver(event),
            Step::Icon(user, icon) => {
                let event = self.lock().pictures.told(user, icon);
                self.deliver_all(event);
                self.wake();
            }
            Step::Reflected(presence, mood) => self.lock().status.reflected(presence, mood.as_deref()),
            Step::StayActive => self.want(|state| state.stay_active = true),
            Step::RefuseAutoAway => self.want(|state| state.refuse_auto_away = true),
            Step::Requeue(action) => self.lock().queue.put_back([action]),
        });
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
            // A session that never was online has nothing worth taking up again.
            let gone = over || state.session.as_ref().is_some_and(|session| !session.has_signed_on());
            let mut outcomes = if gone { state.end_session() } else { Vec::new() };
            outcomes.extend(state.session.as_mut().map(Session::suspend).unwrap_or_default());
            if matches!(reason, Lost::Refused { .. }) {
                // There may never be another session.
                outcomes.extend(state.chats.abandon());
            }
            (state.epoch, outcomes)
        };
        self.deliver_all(outcomes.into_iter().chain([Event::Disconnected { epoch, reason }]));
        self.wake();
    }
}

fn halt(error: HttpError) -> Halt {
    match error {
        HttpError::Cut => Halt::Cut,
        HttpError::Trouble(trouble) => Halt::Trouble(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::super::poll::MAX_PAUSE;
    use super::*;

    /// Within this time the loss of the network has to be seen (interfaces 2.6).
    const SEEN: Duration = Duration::from_secs(60);

    #[test]
    fn nothing_waits_so_long_that_a_loss_is_seen_too_late() {
        let Limits { connect, request, poll, login, logout, .. } = Limits::default();
        // The last answer came just before the network went; whoever polls then pauses and asks once more.
        assert!(MAX_PAUSE + poll < SEEN);
        // A request is noticed before that, also one that finds its connection closed.
        assert!(connect + request < SEEN && connect < request);
        // While logging in, each of the calls has its limit, and the outcome has one.
        assert!(login + request < SEEN && logout < request);
        // A server holds a poll for 25 s (imo-protocol 3.4).
        assert!(poll > Duration::from_secs(25) + connect);
    }
}
