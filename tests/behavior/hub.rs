//! A network in memory that can do all that makes sense between people: the measure of the suite itself.

mod people;
mod rooms;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Call;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Failure;
use imo2skype::backend::Kind;
use imo2skype::backend::Lost;
use imo2skype::backend::Message;
use imo2skype::backend::Names;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::backend::Ticket;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::network::Quirks;
use people::Account;
use people::Relation;
use rooms::Room;

const MAX_BODY: usize = 65_536;
const ABILITIES: &[Ability] = &[
    Ability::Contacts,
    Ability::Authorization,
    Ability::Mood,
    Ability::Blocking,
    Ability::Aliases,
    Ability::Avatars,
    Ability::OwnAvatar,
    Ability::Conversations,
    Ability::Topics,
    Ability::Kicking,
    Ability::Typing,
    Ability::Calls,
];

type Outcome = Result<Receipt, Failure>;

#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By folded name.
    accounts: BTreeMap<String, Account>,
    /// Who thinks what of whom.
    relations: BTreeMap<(String, String), Relation>,
    rooms: BTreeMap<String, Room>,
    /// As who placed them sees them.
    calls: BTreeMap<String, (String, Call)>,
    logins: BTreeMap<usize, Login>,
    cut_off: BTreeSet<String>,
    /// Numbers everything.
    last: usize,
}

/// One back end.
struct Login {
    account: String,
    epoch: Epoch,
    /// It has the connection.
    online: bool,
    /// It was online and has not logged out: what it misses is kept for it.
    alive: bool,
    presence: Presence,
    events: Sender<Event>,
    missed: Vec<Message>,
    /// Messages that wait for a connection.
    waiting: Vec<(Ticket, Address, String)>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }
}

impl Network for Hub {
    fn name(&self) -> &'static str {
        "the hub"
    }

    fn quirks(&self) -> Quirks {
        Quirks { alias_is_name: false }
    }

    fn backend(&self, name: &str, password: &str) -> Box<dyn Backend> {
        let (account, password) = (name.to_owned(), password.to_owned());
        Box::new(HubBackend { hub: self.clone(), account, password, started: None })
    }

    fn break_off(&self, name: &str) {
        let mut state = self.lock();
        state.cut_off.insert(name.to_owned());
        let cut: Vec<_> = state.logins.iter().filter(|(_, login)| login.account == name).map(|(id, _)| *id).collect();
        for login in cut {
            state.lose(login);
        }
    }

    fn heal(&self, name: &str) {
        self.lock().cut_off.remove(name);
    }
}

struct HubBackend {
    hub: Hub,
    account: String,
    password: String,
    started: Option<(usize, JoinHandle<()>)>,
}

struct AnyName;

impl Names for AnyName {
    fn parse(&self, typed: &str) -> Option<Handle> {
        Some(Handle::new(typed))
    }
}

impl Backend for HubBackend {
    fn capabilities(&self) -> Capabilities {
        Capabilities::messages_only(MAX_BODY).with(ABILITIES)
    }

    fn names(&self) -> Arc<dyn Names> {
        Arc::new(AnyName)
    }

    fn start(&mut self, events: Arc<dyn Events>) {
        let (sender, receiver) = unbounded();
        let mut state = self.hub.lock();
        let id = state.number();
        let login = Login {
            account: self.account.clone(),
            epoch: Epoch::default(),
            online: false,
            alive: false,
            presence: Presence::Offline,
            events: sender,
            missed: Vec::new(),
            waiting: Vec::new(),
        };
        state.logins.insert(id, login);
        self.started = Some((id, thread::spawn(move || receiver.iter().for_each(|event| events.deliver(event)))));
    }

    fn submit(&mut self, action: Action) -> Result<(), Action> {
        let Some((login, _)) = self.started else { return Err(action) };
        let mut state = self.hub.lock();
        match action {
            Action::Connect { epoch, presence, mood } => {
                state.connect(login, epoch, &self.password);
                state.show(login, presence, mood);
            }
            Action::Disconnect => state.log_out(login),
            Action::SetPresence { presence, mood } => state.show(login, presence, mood),
            Action::Typing { user, typing } => state.typing(login, &user, typing),
            Action::Task { ticket, task } => state.begin(login, ticket, task),
            _ => {}
        }
        Ok(())
    }

    fn stop(&mut self, _grace: Duration) {
        let Some((id, thread)) = self.started.take() else { return };
        let mut state = self.hub.lock();
        state.log_out(id);
        if let Some(login) = state.logins.remove(&id) {
            for (ticket, ..) in login.waiting {
                let _ = login.events.send(Event::Done { ticket, outcome: Err(Failure::NotConnected) });
            }
        }
        drop(state);
        thread.join().expect("no panic");
    }
}

impl State {
    fn number(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    fn tell(&self, login: usize, event: Event) {
        if let Some(login) = self.logins.get(&login) {
            let _ = login.events.send(event);
        }
    }

    /// The logins of an account that have a connection.
    fn present(&self, account: &str) -> Vec<usize> {
        let there = |(_, login): &(&usize, &Login)| login.account == account && login.online;
        self.logins.iter().filter(there).map(|(id, _)| *id).collect()
    }

    fn account_of(&self, login: usize) -> String {
        self.logins[&login].account.clone()
    }

    fn connect(&mut self, id: usize, epoch: Epoch, password: &str) {
        let name = self.account_of(id);
        let refused = Lost::Refused { reason: "wrong password".to_owned() };
        let known = self.accounts.entry(name.clone()).or_insert_with(|| Account::new(&name, password));
        let reason = match known.password == password {
            _ if self.cut_off.contains(&name) => Some(Lost::Unreachable { error: "the cable is cut".into() }),
            false => Some(refused),
            true => None,
        };
        let login = self.logins.get_mut(&id).expect("a login");
        login.epoch = epoch;
        if let Some(reason) = reason {
            return self.tell(id, Event::Disconnected { epoch, reason });
        }
        login.online = true;
        login.alive = true;
        let missed = std::mem::take(&mut login.missed);
        let waiting = std::mem::take(&mut login.waiting);
        self.tell(id, Event::Contacts { contacts: self.list(&name), complete: true });
        self.tell(id, Event::Connected { epoch, me: Handle::new(name.clone()), display_name: None });
        self.catch_up(id, &name);
        let kept = self.accounts.get_mut(&name).map(|account| std::mem::take(&mut account.kept));
        for message in kept.unwrap_or_default().into_iter().chain(missed) {
            self.tell(id, Event::Message(message));
        }
        for (ticket, to, body) in waiting {
            let outcome = self.send_text(id, to, body);
            self.tell(id, Event::Done { ticket, outcome });
        }
    }

    fn lose(&mut self, id: usize) {
        let Some(login) = self.logins.get_mut(&id).filter(|login| login.online) else { return };
        login.online = false;
        let (epoch, name) = (login.epoch, login.account.clone());
        self.tell(id, Event::Disconnected { epoch, reason: Lost::Unreachable { error: "cut".into() } });
        self.publish(&name);
    }

    fn log_out(&mut self, id: usize) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        login.online = false;
        login.alive = false;
        let (name, missed) = (login.account.clone(), std::mem::take(&mut login.missed));
        if let Some(account) = self.accounts.get_mut(&name) {
            account.kept.extend(missed);
        }
        self.publish(&name);
    }

    fn begin(&mut self, id: usize, ticket: Ticket, task: Task) {
        let login = self.logins.get_mut(&id).expect("a login");
        let outcome = match task {
            Task::SendText { to, body, .. } if !login.online => return login.waiting.push((ticket, to, body)),
            _ if !login.online => Err(Failure::NotConnected),
            Task::SendText { to, body, .. } => self.send_text(id, to, body),
            Task::AddContact { user, greeting } => self.add(id, &user, greeting),
            Task::RemoveContact { user } => self.remove(id, &user),
            Task::AnswerAuthRequest { user, accept } => self.answer(id, &user, accept),
            Task::Block { user, blocked } => self.block(id, &user, blocked),
            Task::SetAlias { user, alias } => self.set_alias(id, &user, alias),
            Task::SetAvatar { picture } => self.set_avatar(id, picture),
            Task::Found { users } => self.found(id, &users),
            Task::Change { conversation, change } => self.change(id, &conversation, change),
            Task::PlaceCall { users, .. } => self.place_call(id, &users),
            Task::Call { call, control } => self.control(id, &call, control),
            _ => Err(Failure::Refused),
        };
        self.tell(id, Event::Done { ticket, outcome });
    }

    /// Brings a message to every login of an account but `except`; who has none finds it later.
    fn bring(&mut self, account: &str, except: Option<usize>, message: &Message) {
        let mut heard = except.is_some();
        for (id, login) in &mut self.logins {
            if login.account != account || Some(*id) == except {
                continue;
            }
            if login.online {
                let _ = login.events.send(Event::Message(message.clone()));
            } else if login.alive {
                login.missed.push(message.clone());
            } else {
                continue;
            }
            heard = true;
        }
        if let Some(account) = self.accounts.get_mut(account).filter(|_| !heard) {
            account.kept.push(message.clone());
        }
    }

    fn send_text(&mut self, id: usize, to: Address, body: String) -> Outcome {
        if body.is_empty() || body.len() > MAX_BODY {
            return Err(Failure::Refused);
        }
        let author = self.account_of(id);
        let message = self.message(&author, to.clone(), Kind::Text, body);
        match &to {
            Address::User(user) => {
                let theirs = self.known(user)?;
                if self.relation(&theirs, &author).blocked {
                    return Err(Failure::Refused);
                }
                let conversation = Address::User(Handle::new(author.clone()));
                self.bring(&theirs, None, &Message { conversation, ..message.clone() });
                self.bring(&author, Some(id), &message);
            }
            Address::Conversation(room) => self.spread(id, room, &message)?,
            _ => return Err(Failure::Refused),
        }
        Ok(Receipt { remote: Some(message.remote), ..Receipt::default() })
    }
}
