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
use super::calls::Draft;
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
use crate::backend::Receipt;
use crate::backend::Task;
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
    if !state.is_online() {
        // Whoever was told of the login may act on it at once, and is not turned down.
        return if state.has_arrived() { None } else { state.queue.next(false).map(Job::Act) };
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
    state.queue.next(true).map(Job::Act)
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
        match action {
            Action::Task { ticket, task } => self.carry_out(tie, ticket, task),
            Action::Typing { user, typing } => {
                let call = |caller: Caller<'_>| caller.im_typing(&ImoNames::uid(&user), typing);
                self.account.ask(self.line, tie, Purpose::Typing, call).map(drop)
            }
            // These do not wait in the queue.
            Action::Connect { .. } | Action::Disconnect | Action::SetPresence { .. } | Action::Seen { .. } => Ok(()),
        }
    }

    fn carry_out(&self, tie: &Tie, ticket: Ticket, task: Task) -> Result<(), Halt> {
        let plain = Purpose::Contact(ticket);
        match task {
            Task::SendText { to, body } => self.send(tie, ticket, to, body),
            Task::AddContact { user, greeting } => self
                .contact(tie, ticket, |session| (session.caller().add_buddy(&ImoNames::uid(&user), &greeting), plain)),
            Task::RemoveContact { user } => self.contact(tie, ticket, |session| {
                let uid = ImoNames::uid(&user);
                (session.caller().del_buddy(&uid, session.group_of(&user)), Purpose::Removal { ticket, uid })
            }),
            Task::AnswerAuthRequest { user, accept } => self.contact(tie, ticket, |session| {
                session.take_asker(&user);
                (session.caller().answer_auth(&ImoNames::uid(&user), accept), plain)
            }),
            Task::Block { user, blocked: true } => self.contact(tie, ticket, |session| {
                let waits = session.take_asker(&user);
                (session.caller().block(&ImoNames::uid(&user), waits), plain)
            }),
            Task::Block { user, blocked: false } => {
                self.contact(tie, ticket, |session| (session.caller().unblock_buddy(&ImoNames::uid(&user)), plain))
            }
            Task::SetAlias { user, alias } => self.contact(tie, ticket, |session| {
                (session.caller().change_buddy_alias(&ImoNames::uid(&user), &alias), plain)
            }),
            // There is no call for it, so it is not among the abilities.
            _ => {
                self.done(ticket, Err(Failure::Refused));
                Ok(())
            }
        }
    }

    fn send(&self, tie: &Tie, ticket: Ticket, to: Address, body: String) -> Result<(), Halt> {
        let account = self.account;
        let Address::User(user) = &to else {
            self.done(ticket, Err(Failure::UnknownUser));
            return Ok(());
        };
        let uid = ImoNames::uid(user);
        let mut text = Some((to, body));
        let sent = account.with_session(tie, |session| {
            if let Some((to, body)) = text.take() {
                session.send(ticket, to, &uid, body);
            }
        });
        if let Some((to, body)) = text {
            // The connection went in between: for the next one.
            account.lock().queue.put_back(Action::Task { ticket, task: Task::SendText { to, body } });
        }
        sent?;
        account.exchange(self.line, tie).map(drop)
    }

    /// Asks something about a contact, which does not wait for a connection.
    fn contact(
        &self,
        tie: &Tie,
        ticket: Ticket,
        call: impl FnOnce(&mut Session) -> (Draft, Purpose),
    ) -> Result<(), Halt> {
        let asked = self.account.with_session(tie, |session| {
            let online = session.is_online();
            if online {
                let (draft, purpose) = call(session);
                session.ask(draft, purpose);
            }
            online
        });
        if !matches!(asked, Ok(true)) {
            self.done(ticket, Err(Failure::NotConnected));
            return asked.map(drop);
        }
        self.account.exchange(self.line, tie).map(drop)
    }

    fn done(&self, ticket: Ticket, outcome: Result<Receipt, Failure>) {
        self.account.deliver(Event::Done { ticket, outcome });
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
        let rest = account.lock().queue.close();
        for ticket in rest {
            self.done(ticket, Err(Failure::NotConnected));
        }
    }

    /// Sends what was submitted before the stop.
    fn flush(&self, tie: &Tie) -> Result<(), Halt> {
        self.account.exchange(self.line, tie)?;
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

    fn drop_session(&self) {
        let session = self.account.lock().session.take();
        self.account.deliver_all(session.map(Session::close).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Limits;
    use super::super::server::Server;
    use super::*;
    use crate::backend::Typing;
    use crate::config::Config;
    use crate::model::Handle;
    use serde_json::json;

    /// An account whose connection is up, and that has been told of its login.
    fn arriving() -> Account {
        let mut config = Config::new("alice", "secret");
        config.server = Some("http://127.0.0.1:1/".to_owned());
        let (server, me) = (Server::of(&config).expect("a server"), Handle::new("alice"));
        let mut session = Session::new("S".to_owned(), "alice", me.clone());
        let signed_on = json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": 0,
            "data": {"name": "signed_on"}});
        session
            .polled(imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data: json!({"messages": [signed_on]}) });
        let account = Account::new(server, "alice", me, config.password, Limits::default());
        account.tie();
        let mut state = account.lock();
        session.step(state.epoch).expect("the success of the login");
        state.session = Some(session);
        drop(state);
        account
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
        assert!(next_job(&mut state).is_none());
        state.session.as_mut().expect("a session").handled();
        for wanted in wanted {
            assert!(matches!(next_job(&mut state), Some(Job::Act(action)) if action == wanted));
        }
    }
}
