//! The request thread: logs in and out and carries out the actions, one at a time and in order.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

use rand::RngExt;
use rand::distr::Alphanumeric;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::sync::watch;

use super::account::Account;
use super::account::Halt;
use super::account::State;
use super::account::Tie;
use super::answers::Purpose;
use super::drafts::Caller;
use super::drafts::Draft;
use super::http::Cut;
use super::http::HttpError;
use super::http::Line;
use super::http::Trouble;
use super::pictures::MAX_PICTURE;
use super::server::Version;
use super::session::End;
use super::session::Session;
use super::session::opening;
use crate::backend::Action;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Presence;
use crate::backend::Ticket;
use crate::imo;

/// The longest session id that is believed (imo-protocol 12, flaw 23).
const MAX_SSID: usize = 256;

enum Job {
    Withdrawn(Ticket, Failure),
    Stop(Duration),
    LogOut,
    Connect,
    Presence,
    StayActive,
    RefuseAutoAway,
    Errand,
    Act(Action),
    Picture(String),
}

pub(super) struct Worker<'a> {
    pub(super) account: &'a Account,
    pub(super) line: &'a Line,
    /// Where the poll thread gets its work: the latest connection counts.
    polls: watch::Sender<Option<Tie>>,
    /// What the server was last told of our presence.
    told: Option<(Presence, String)>,
    /// When the outcome of the login is due.
    login: Option<(Tie, Instant)>,
    /// When the news of a chat that we found is due.
    foundings: VecDeque<(String, Instant)>,
}

/// Works until the account is stopped.
pub(super) fn run(account: &Account, line: &Line, polls: watch::Sender<Option<Tie>>) {
    let mut worker = Worker { account, line, polls, told: None, login: None, foundings: VecDeque::new() };
    loop {
        match account.guard(|| worker.turn()) {
            Some(true) => {}
            Some(false) => return,
            None => worker.forget(),
        }
    }
}

fn next_job(state: &mut State, now: Instant) -> Option<Job> {
    if let Some((ticket, failure)) = state.queue.next_withdrawn() {
        return Some(Job::Withdrawn(ticket, failure));
    }
    if state.stopping.is_some() || state.logout {
        // What is told now is acknowledged with the farewell: else it would come again at the next login.
        let leave = state.stopping.map_or(Job::LogOut, Job::Stop);
        return (!state.is_telling()).then_some(leave);
    }
    if std::mem::take(&mut state.connect) {
        return Some(Job::Connect);
    }
    if !state.is_online() {
        // Whoever was told of the login may act on it at once, and is not turned down.
        return if state.has_arrived() { None } else { state.queue.next(false).map(Job::Act) };
    }
    if state.status.due().is_some_and(|due| due <= now) {
        return Some(Job::Presence);
    }
    if std::mem::take(&mut state.stay_active) {
        return Some(Job::StayActive);
    }
    if std::mem::take(&mut state.refuse_auto_away) {
        return Some(Job::RefuseAutoAway);
    }
    // Who is invited first hears what is said then.
    if state.has_errands() {
        return Some(Job::Errand);
    }
    let picture = |state: &State| state.pictures.next().map(|icon| Job::Picture(icon.to_owned()));
    state.queue.next(true).map(Job::Act).or_else(|| picture(state))
}

impl Worker<'_> {
    /// Does what is to be done now, or waits; tells whether to go on.
    fn turn(&mut self) -> bool {
        let now = Instant::now();
        self.look_at_the_clock(now);
        let job = next_job(&mut self.account.lock(), now);
        match job {
            Some(Job::Stop(grace)) => {
                self.stop(grace);
                return false;
            }
            Some(job) => self.work(job),
            None => self.wait(),
        }
        true
    }

    /// The session was given up. Chats that were founded outlive it.
    fn forget(&mut self) {
        self.told = None;
        self.login = None;
    }

    /// Waits for work, or for the time at which something is due.
    fn wait(&mut self) {
        let woken = self.account.woken.notified();
        let due = self.due().map(tokio::time::Instant::from_std);
        let work = async {
            match due {
                Some(due) => drop(tokio::time::timeout_at(due, woken).await),
                None => woken.await,
            }
        };
        let _ = self.line.rest(work, &Cut::never());
    }

    /// When something is due.
    fn due(&self) -> Option<Instant> {
        let state = self.account.lock();
        let status = state.status.due().filter(|_| state.is_online());
        let login = self.login.as_ref().map(|(_, due)| *due);
        [status, login, self.foundings.front().map(|(_, due)| *due)].into_iter().flatten().min()
    }

    /// What is overdue has come to nothing.
    fn look_at_the_clock(&mut self, now: Instant) {
        if let Some((tie, due)) = self.login.take() {
            match self.account.with_session(&tie, |session| session.has_signed_on()) {
                Ok(false) if due <= now => {
                    self.account.fail(&tie, Halt::Trouble(Trouble::NoLogin(self.account.limits.login)))
                }
                Ok(false) => self.login = Some((tie, due)),
                Ok(true) | Err(_) => {}
            }
        }
        while self.foundings.front().is_some_and(|(_, due)| *due <= now) {
            let Some((name, _)) = self.foundings.pop_front() else { return };
            let event = self.account.lock().chats.give_up(&name, Failure::Unclear);
            self.account.deliver_all(event);
        }
    }

    /// The server has been asked to found a chat.
    pub(super) fn expect_chat(&mut self, name: String) {
        self.foundings.retain(|(known, _)| *known != name);
        self.foundings.push_back((name, Instant::now() + self.account.limits.found));
    }

    fn work(&mut self, job: Job) {
        let tie = self.current();
        let result = match job {
            Job::Withdrawn(ticket, failure) => {
                self.done(ticket, Err(failure));
                Ok(())
            }
            Job::Stop(_) => Ok(()),
            Job::LogOut => {
                self.log_out();
                Ok(())
            }
            Job::Connect => {
                self.connect();
                Ok(())
            }
            Job::Presence => {
                // Another login may have changed it: said even if we said it before.
                self.told = None;
                self.set_status(&tie)
            }
            Job::StayActive => self.ask(&tie, |caller| caller.observed_user_activity()),
            Job::RefuseAutoAway => self.ask(&tie, |caller| caller.refuse_auto_away()),
            Job::Errand => self.run_errand(&tie),
            Job::Act(action) => self.act(&tie, action),
            Job::Picture(icon) => self.fetch(&tie, &icon),
        };
        if let Err(halt) = result {
            self.account.fail(&tie, halt);
        }
    }

    /// The connection that is up.
    fn current(&self) -> Tie {
        let state = self.account.lock();
        // Without a cut there is no connection, and nothing will be asked.
        let cut = state.cut.as_ref().map_or_else(Cut::never, |(_, cut)| cut.clone());
        Tie { link: Some(state.links), cut, deadline: None }
    }

    fn ask(&self, tie: &Tie, call: impl FnOnce(Caller<'_>) -> Draft) -> Result<(), Halt> {
        self.account.ask(self.line, tie, Purpose::Plain, call).map(drop)
    }

    /// Tells the server the presence that is wanted, if it does not know.
    fn set_status(&mut self, tie: &Tie) -> Result<(), Halt> {
        let wanted = self.account.lock().status.take();
        if self.told.as_ref() != Some(&wanted) {
            self.ask(tie, |caller| caller.set_status(wanted.0, &wanted.1))?;
            self.told = Some(wanted);
        }
        Ok(())
    }

    fn connect(&mut self) {
        let account = self.account;
        let tie = account.tie();
        let over = account.lock().session.as_mut().map(Session::suspend);
        account.deliver_all(over.unwrap_or_default());
        account.lock().sign_off = false;
        self.login = None;
        match self.log_in(&tie) {
            Ok(()) => drop(self.polls.send_replace(Some(tie))),
            Err(halt) => account.fail(&tie, halt),
        }
    }

    fn run_errand(&mut self, tie: &Tie) -> Result<(), Halt> {
        let founded = self.account.with_chats(tie, Session::run_errand)?;
        founded.into_iter().for_each(|name| self.expect_chat(name));
        self.account.exchange(self.line, tie).map(drop)
    }

    /// Fetches a picture until there is something else to do. Without it the connection is as good as before.
    fn fetch(&self, tie: &Tie, icon: &str) -> Result<(), Halt> {
        let account = self.account;
        let Some(url) = account.server.picture(icon) else {
            tracing::warn!(icon, "no name of a picture: skipped");
            account.lock().pictures.give_up(icon);
            return Ok(());
        };
        let limits = (account.timeout(tie), MAX_PICTURE);
        let due = self.due().map(tokio::time::Instant::from_std);
        // Not every call is to work: that of one more picture is not.
        let urgent = async {
            while account.lock().is_idle(Instant::now()) {
                let woken = account.woken.notified();
                let late = match due {
                    Some(due) => tokio::time::timeout_at(due, woken).await.is_err(),
                    None => {
                        woken.await;
                        false
                    }
                };
                if late {
                    return;
                }
            }
        };
        let reply = self.line.get_meanwhile(&url, account.cookies_for(&url), limits, urgent, &tie.cut);
        match reply {
            Ok(None) => {}
            Err(HttpError::Cut) => return Err(Halt::Cut),
            Ok(Some(reply)) if reply.status == 200 && !reply.body.is_empty() => {
                let events = account.lock().pictures.fetched(icon, reply.body.into());
                account.deliver_all(events);
            }
            Ok(Some(reply)) => {
                tracing::debug!(icon, status = reply.status, "no picture");
                account.lock().pictures.give_up(icon);
            }
            Err(HttpError::Trouble(trouble)) => {
                tracing::debug!(icon, error = %trouble, "no picture");
                account.lock().pictures.give_up(icon);
            }
        }
        Ok(())
    }

    /// Takes up the session that was interrupted, or opens a new one.
    fn log_in(&mut self, tie: &Tie) -> Result<(), Halt> {
        if let Ok(true) = self.account.with_session(tie, |session| session.has_signed_on()) {
            match self.resume(tie) {
                // The server has lost it. If it answers with an error page, it may be the session
                // or the server: the attempt to open a new one tells (imo-protocol 3.4).
                Err(Halt::Over(End::Over) | Halt::Trouble(Trouble::Status(_))) => {}
                result => return result,
            }
        }
        let session = self.open(tie)?;
        self.account.adopt(tie, session)?;
        self.sign_on(tie)
    }

    fn resume(&mut self, tie: &Tie) -> Result<(), Halt> {
        self.account.exchange(self.line, tie)?;
        self.ask(tie, |caller| caller.observed_user_activity())?;
        self.set_status(tie)?;
        self.account.with_session(tie, Session::resume)?;
        match self.account.drain(tie) {
            Some(end) => Err(Halt::Over(end)),
            None => Ok(()),
        }
    }

    /// Opens a session (imo-protocol 3.1).
    fn open(&self, tie: &Tie) -> Result<Session, Halt> {
        let account = self.account;
        account.visit(self.line, tie)?;
        let id: String = rand::rng().sample_iter(Alphanumeric).take(16).map(char::from).collect();
        let opening = opening(Caller { ssid: &id, uid: &account.uid }, account.server.version);
        let (status, answer) = account.post(self.line, imo::REST_RPC, &opening, account.timeout(tie), tie)?;
        // Unnoticed, this would become a login that waits for ever (imo-protocol 12, flaw 31).
        if status >= 400 {
            return Err(Halt::Trouble(Trouble::Status(status)));
        }
        let given = imo::find_ssid(&answer.data).filter(|ssid| (1..=MAX_SSID).contains(&ssid.len()));
        let ssid = given.map_or(id, str::to_owned);
        let knows_marks = answer.data.get(imo::CLIENT_MSG_IDS).and_then(Value::as_bool).unwrap_or_default();
        let session = Session::new(ssid, &account.uid, account.me.clone(), account.server.version);
        Ok(session.knowing_marks(knows_marks))
    }

    /// The calls after the opening, in the order of imo-protocol 3.3.
    fn sign_on(&mut self, tie: &Tie) -> Result<(), Halt> {
        let account = self.account;
        let version = account.server.version;
        if version == Version::Zero {
            self.ask(tie, |caller| caller.cookie_login())?;
        }
        let password = account.password.expose_secret();
        if !account.ask(self.line, tie, Purpose::Plain, |caller| caller.account_login(password))? {
            return Err(Halt::Trouble(Trouble::Refused("account_login")));
        }
        self.told = Some((Presence::Available, String::new()));
        self.login = Some((tie.clone(), Instant::now() + account.limits.login));
        self.ask(tie, |caller| caller.get_unread_msgs())?;
        if version == Version::One {
            self.ask(tie, |caller| caller.get_alpha_for_user())?;
        }
        self.ask(tie, |caller| caller.observed_user_activity())?;
        self.set_status(tie)
    }

    /// Logs out while the program goes on. Cut short by a stop, it is begun again by that.
    fn log_out(&mut self) {
        let account = self.account;
        let (cutter, cut) = Cut::new();
        let sign_off = {
            let mut state = account.lock();
            if state.stopping.is_some() {
                return;
            }
            state.cut = Some((cutter, cut.clone()));
            state.logout = false;
            state.sign_off
        };
        let tie = Tie { link: None, cut, deadline: Some(Instant::now() + account.limits.logout) };
        if sign_off && matches!(self.farewell(&tie), Err(Halt::Cut)) {
            return;
        }
        account.lock().sign_off = false;
        self.drop_session();
    }

    fn stop(&mut self, grace: Duration) {
        let account = self.account;
        let sign_off = account.lock().sign_off && !grace.is_zero();
        if sign_off {
            let tie = Tie { link: None, cut: Cut::never(), deadline: Some(Instant::now() + grace) };
            if let Err(halt) = self.flush(&tie).and_then(|()| self.farewell(&tie)) {
                tracing::debug!(?halt, "left without logging out");
            }
        }
        self.drop_session();
        let rest = account.lock().queue.close();
        account.deliver_all(rest.into_iter().map(|(ticket, failure)| Event::Done { ticket, outcome: Err(failure) }));
    }

    /// Sends what was submitted before the stop.
    fn flush(&mut self, tie: &Tie) -> Result<(), Halt> {
        self.account.exchange(self.line, tie)?;
        let online = self.account.with_session(tie, |session| session.is_online())?;
        if online && self.account.lock().status.due().is_some() {
            self.set_status(tie)?;
        }
        while self.account.with_session(tie, |session| session.is_online())? {
            let Some(action) = self.account.lock().queue.next(true) else { break };
            self.act(tie, action)?;
        }
        Ok(())
    }

    fn farewell(&self, tie: &Tie) -> Result<(), Halt> {
        if self.account.lock().session.is_none() {
            return Ok(());
        }
        // What was cut short is asked again with its number, so that its outcome is known.
        self.account.exchange(self.line, tie)?;
        self.ask(tie, |caller| caller.signoff_all())
    }

    fn drop_session(&mut self) {
        self.foundings.clear();
        let events = {
            let mut state = self.account.lock();
            let mut events = state.end_session();
            events.extend(state.chats.abandon());
            events
        };
        self.account.deliver_all(events);
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Limits;
    use super::super::chats::Chats;
    use super::super::server::Server;
    use super::*;
    use crate::backend::Task;
    use crate::backend::Ticket;
    use crate::backend::Typing;
    use crate::config::Config;
    use crate::model::Handle;
    use serde_json::json;

    /// An account whose connection is up, and that has been told of its login.
    fn arriving() -> Account {
        let mut config = Config::new("alice", "secret");
        config.server = Some("http://127.0.0.1:1/".to_owned());
        let (server, me) = (Server::of(&config).expect("a server"), Handle::new("alice"));
        let mut session = Session::new("S".to_owned(), "alice", me.clone(), Version::One);
        let signed_on = json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": 0,
            "data": {"name": "signed_on"}});
        session
            .polled(imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data: json!({"messages": [signed_on]}) });
        let account = Account::new(server, "alice", me, config.password, Limits::default());
        account.tie();
        let mut state = account.lock();
        session.step(state.epoch, &mut Chats::default()).expect("the success of the login");
        state.session = Some(session);
        drop(state);
        account
    }

    #[test]
    fn nobody_leaves_in_the_middle_of_what_is_told() {
        for stopping in [None, Some(Duration::ZERO)] {
            let account = arriving();
            let mut state = account.lock();
            (state.stopping, state.logout) = (stopping, true);
            assert!(next_job(&mut state, Instant::now()).is_none());
            state.session.as_mut().expect("a session").handled();
            let job = next_job(&mut state, Instant::now());
            match stopping {
                Some(_) => assert!(matches!(job, Some(Job::Stop(_)))),
                None => assert!(matches!(job, Some(Job::LogOut))),
            }
        }
    }

    #[test]
    fn what_is_wanted_while_the_login_is_told_is_not_turned_down() {
        let account = arriving();
        let mut state = account.lock();
        let bob = Handle::new("bob");
        let wanted = [
            Action::Task { ticket: Ticket(1), task: Task::RemoveContact { user: bob.clone() } },
            Action::Typing { user: bob, typing: Typing::Typing },
        ];
        for action in wanted.clone() {
            state.queue.push(action).expect("room");
        }
        assert!(next_job(&mut state, Instant::now()).is_none());
        state.session.as_mut().expect("a session").handled();
        for wanted in wanted {
            assert!(matches!(next_job(&mut state, Instant::now()), Some(Job::Act(action)) if action == wanted));
        }
    }
}
