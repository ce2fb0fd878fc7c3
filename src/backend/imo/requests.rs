//! The request thread: logs in and out and carries out the actions, one at a time and in order.

use std::time::Duration;
use std::time::Instant;

use rand::RngExt;
use rand::distr::Alphanumeric;
use secrecy::ExposeSecret;
use tokio::sync::watch;

use super::account::Account;
use super::account::Halt;
use super::account::State;
use super::account::Tie;
use super::calls::Caller;
use super::http::Cut;
use super::http::Line;
use super::http::Trouble;
use super::names::ImoNames;
use super::session::End;
use super::session::Purpose;
use super::session::Session;
use super::session::envelope;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Presence;
use crate::backend::Ticket;
use crate::imo;

/// The longest session id that is believed (imo-protocol 12, flaw 23).
const MAX_SSID: usize = 256;

enum Job {
    Stop(Duration),
    LogOut,
    Connect,
    Presence,
    StayActive,
    RefuseAutoAway,
    Act(Action),
    TurnDown(Ticket, Failure),
}

struct Worker<'a> {
    account: &'a Account,
    line: &'a Line,
    /// Where the poll thread gets its work: the latest connection counts.
    polls: watch::Sender<Option<Tie>>,
    /// What the server was last told of our presence.
    told: Option<(Presence, String)>,
    /// When the outcome of the login is due.
    login: Option<(Tie, Instant)>,
}

/// Works until the account is stopped.
pub(super) fn run(account: &Account, line: &Line, polls: watch::Sender<Option<Tie>>) {
    let mut worker = Worker { account, line, polls, told: None, login: None };
    loop {
        let job = next_job(&mut account.lock());
        match job {
            Some(Job::Stop(grace)) => return worker.stop(grace),
            Some(job) => worker.work(job),
            None => worker.wait(),
        }
    }
}

fn next_job(state: &mut State) -> Option<Job> {
    if let Some(grace) = state.stopping {
        return Some(Job::Stop(grace));
    }
    if state.logout {
        return Some(Job::LogOut);
    }
    if std::mem::take(&mut state.connect) {
        return Some(Job::Connect);
    }
    let online = state.link.is_some() && state.session.as_ref().is_some_and(Session::is_online);
    if !online {
        return turn_down(state);
    }
    if std::mem::take(&mut state.presence_changed) {
        return Some(Job::Presence);
    }
    if std::mem::take(&mut state.stay_active) {
        return Some(Job::StayActive);
    }
    if std::mem::take(&mut state.refuse_auto_away) {
        return Some(Job::RefuseAutoAway);
    }
    state.queue.pop_front().map(Job::Act)
}

/// The first action in the queue that does not wait for a connection, as messages do.
fn turn_down(state: &mut State) -> Option<Job> {
    let at = state.queue.iter().position(|action| !matches!(action, Action::SendText { .. }))?;
    let ticket = state.queue.remove(at)?.ticket()?;
    Some(Job::TurnDown(ticket, Failure::NotConnected))
}

impl Worker<'_> {
    /// Waits for work, or for the time at which the outcome of the login is due.
    fn wait(&mut self) {
        let woken = self.account.woken.notified();
        let Some((tie, due)) = &self.login else {
            self.line.wait(woken, &Cut::never());
            return;
        };
        let due = tokio::time::Instant::from_std(*due);
        if let Some(Err(_)) = self.line.wait(async { tokio::time::timeout_at(due, woken).await }, &Cut::never()) {
            let online = self.account.with_session(tie, |session| session.has_signed_on());
            if matches!(online, Ok(false)) {
                let trouble = Trouble::NoLogin(self.account.limits.login);
                self.account.fail(tie, Halt::Trouble(trouble));
            }
            self.login = None;
        }
    }

    fn work(&mut self, job: Job) {
        let tie = self.current();
        let result = match job {
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
            Job::Act(action) => self.act(&tie, action),
            Job::TurnDown(ticket, failure) => {
                self.account.deliver(Event::Done { ticket, outcome: Err(failure) });
                Ok(())
            }
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

    fn ask(&self, tie: &Tie, call: impl FnOnce(Caller<'_>) -> super::calls::Draft) -> Result<(), Halt> {
        self.account.ask(self.line, tie, Purpose::Plain, call).map(drop)
    }

    /// Tells the server the presence that is wanted, if it does not know.
    fn set_status(&mut self, tie: &Tie) -> Result<(), Halt> {
        let wanted = {
            let mut state = self.account.lock();
            state.presence_changed = false;
            (state.presence, state.mood.clone())
        };
        if self.told.as_ref() != Some(&wanted) {
            self.ask(tie, |caller| caller.set_status(wanted.0, &wanted.1))?;
            self.told = Some(wanted);
        }
        Ok(())
    }

    fn act(&self, tie: &Tie, action: Action) -> Result<(), Halt> {
        let account = self.account;
        match action {
            Action::SendText { ticket, to, body } => {
                let Address::User(user) = &to else {
                    account.deliver(Event::Done { ticket, outcome: Err(Failure::UnknownUser) });
                    return Ok(());
                };
                let uid = ImoNames::uid(user);
                let mut text = Some((ticket, to, body));
                let sent = account.with_session(tie, |session| {
                    if let Some((ticket, to, body)) = text.take() {
                        session.send(ticket, to, &uid, body);
                    }
                });
                if let Some((ticket, to, body)) = text {
                    // The connection went in between: for the next one.
                    account.lock().queue.push_front(Action::SendText { ticket, to, body });
                }
                sent?;
                account.exchange(self.line, tie).map(drop)
            }
            Action::AddContact { ticket, user, greeting } => self.contact(tie, ticket, |caller| {
                (caller.add_buddy(&ImoNames::uid(&user), &greeting), Purpose::Contact(ticket))
            }),
            Action::AnswerAuthRequest { ticket, user, accept } => self.contact(tie, ticket, |caller| {
                (caller.answer_auth(&ImoNames::uid(&user), accept), Purpose::Contact(ticket))
            }),
            Action::RemoveContact { ticket, user } => {
                let uid = ImoNames::uid(&user);
                let group = account.with_session(tie, |session| session.group_of(&user)).unwrap_or("Offline");
                self.contact(tie, ticket, |caller| {
                    (caller.del_buddy(&uid, group), Purpose::Removal { ticket, uid: uid.clone() })
                })
            }
            Action::Connect { .. } | Action::Disconnect | Action::SetPresence { .. } => Ok(()),
        }
    }

    fn contact(
        &self,
        tie: &Tie,
        ticket: Ticket,
        call: impl FnOnce(Caller<'_>) -> (super::calls::Draft, Purpose),
    ) -> Result<(), Halt> {
        let asked = self.account.with_session(tie, |session| {
            let (draft, purpose) = call(session.caller());
            session.ask(draft, purpose);
        });
        if asked.is_err() {
            self.account.deliver(Event::Done { ticket, outcome: Err(Failure::NotConnected) });
        }
        asked?;
        self.account.exchange(self.line, tie).map(drop)
    }

    fn connect(&mut self) {
        let account = self.account;
        let tie = account.tie();
        if let Some(session) = account.lock().session.as_mut() {
            session.suspend();
        }
        account.lock().sign_off = false;
        self.login = None;
        match self.log_in(&tie) {
            Ok(()) => drop(self.polls.send_replace(Some(tie))),
            Err(halt) => account.fail(&tie, halt),
        }
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
        match self.account.drain() {
            Some(end) => Err(Halt::Over(end)),
            None => Ok(()),
        }
    }

    /// Opens a session (imo-protocol 3.1).
    fn open(&self, tie: &Tie) -> Result<Session, Halt> {
        let account = self.account;
        account.visit(self.line, tie)?;
        let id: String = rand::rng().sample_iter(Alphanumeric).take(16).map(char::from).collect();
        let draft = Caller { ssid: &id, uid: &account.uid }.get_cookie_and_ssid();
        let (status, answer) =
            account.post(self.line, imo::REST_RPC, &envelope(&id, 0, 0, &draft), account.timeout(tie), tie)?;
        // Unnoticed, this would become a login that waits for ever (imo-protocol 12, flaw 31).
        if status >= 400 {
            return Err(Halt::Trouble(Trouble::Status(status)));
        }
        let given = imo::find_ssid(&answer.data).filter(|ssid| (1..=MAX_SSID).contains(&ssid.len()));
        let ssid = given.map_or(id, str::to_owned);
        Ok(Session::new(ssid, &account.uid, account.me.clone()))
    }

    /// The calls after the opening, in the order of imo-protocol 3.3.
    fn sign_on(&mut self, tie: &Tie) -> Result<(), Halt> {
        let account = self.account;
        let password = account.password.expose_secret();
        if !account.ask(self.line, tie, Purpose::Plain, |caller| caller.account_login(password))? {
            return Err(Halt::Trouble(Trouble::Refused("account_login")));
        }
        self.told = Some((Presence::Available, String::new()));
        self.login = Some((tie.clone(), Instant::now() + account.limits.login));
        self.ask(tie, |caller| caller.get_unread_msgs())?;
        self.ask(tie, |caller| caller.get_alpha_for_user())?;
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
        let rest = std::mem::take(&mut account.lock().queue);
        for ticket in rest.iter().filter_map(Action::ticket) {
            account.deliver(Event::Done { ticket, outcome: Err(Failure::NotConnected) });
        }
    }

    /// Sends what was submitted before the stop.
    fn flush(&self, tie: &Tie) -> Result<(), Halt> {
        self.account.exchange(self.line, tie)?;
        while self.account.with_session(tie, |session| session.is_online())? {
            let Some(action) = self.account.lock().queue.pop_front() else { break };
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

    fn drop_session(&self) {
        let session = self.account.lock().session.take();
        self.account.deliver_all(session.map(Session::close).unwrap_or_default());
    }
}
