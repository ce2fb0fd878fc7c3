//! What the request thread asks of the server for each task (imo-protocol 9).

use std::time::SystemTime;

use super::account::Halt;
use super::account::Tie;
use super::answers::Purpose;
use super::buid;
use super::chats::Chats;
use super::chats::Errand;
use super::chats::Round;
use super::drafts::Caller;
use super::drafts::Draft;
use super::names::ImoNames;
use super::requests::Worker;
use super::session::Session;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::CallControl;
use crate::backend::Change;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Mark;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::model::Handle;
use crate::model::RemoteId;

impl Worker<'_> {
    pub(super) fn act(&mut self, tie: &Tie, action: Action) -> Result<(), Halt> {
        match action {
            Action::Task { ticket, task } => self.carry_out(tie, ticket, task),
            Action::Typing { user, typing } => {
                let call = |caller: Caller<'_>| caller.im_typing(&ImoNames::uid(&user), typing);
                self.account.ask(self.line, tie, Purpose::Typing, call).map(drop)
            }
            // These do not wait in the queue.
            Action::Connect { .. }
            | Action::Disconnect
            | Action::SetPresence { .. }
            | Action::Seen { .. }
            | Action::Withdraw { .. } => Ok(()),
        }
    }

    fn carry_out(&mut self, tie: &Tie, ticket: Ticket, task: Task) -> Result<(), Halt> {
        let plain = Purpose::Task(ticket);
        match task {
            Task::SendText { to, body, mark } => self.send(tie, ticket, to, body, mark),
            Task::AddContact { user, greeting } => self
                .ask_for(tie, ticket, |session| (session.caller().add_buddy(&ImoNames::uid(&user), &greeting), plain)),
            Task::RemoveContact { user } => self.ask_for(tie, ticket, |session| {
                let uid = ImoNames::uid(&user);
                (session.caller().del_buddy(&uid, session.group_of(&user)), Purpose::Removal { ticket, uid })
            }),
            Task::AnswerAuthRequest { user, accept } => self.ask_for(tie, ticket, |session| {
                session.take_asker(&user);
                (session.caller().answer_auth(&ImoNames::uid(&user), accept), plain)
            }),
            Task::Block { user, blocked: true } => self.ask_for(tie, ticket, |session| {
                let waits = session.take_asker(&user);
                (session.caller().block(&ImoNames::uid(&user), waits), plain)
            }),
            Task::Block { user, blocked: false } => {
                self.ask_for(tie, ticket, |session| (session.caller().unblock_buddy(&ImoNames::uid(&user)), plain))
            }
            Task::SetAlias { user, alias } => self.ask_for(tie, ticket, |session| {
                (session.caller().change_buddy_alias(&ImoNames::uid(&user), &alias), plain)
            }),
            Task::Found { users } => self.found(tie, ticket, users),
            Task::Change { conversation, change } => self.change(tie, ticket, conversation.as_str(), change),
            Task::PlaceCall { users, voicemail: false } if users.len() == 1 => self.place_call(tie, ticket, users),
            Task::Call { call, control } => self.control(tie, ticket, call, control),
            // There is no call for it, so it is not among the abilities.
            _ => self.refuse(ticket),
        }
    }

    fn refuse(&self, ticket: Ticket) -> Result<(), Halt> {
        self.done(ticket, Err(Failure::Refused));
        Ok(())
    }

    fn send(&self, tie: &Tie, ticket: Ticket, to: Address, body: String, mark: Mark) -> Result<(), Halt> {
        let account = self.account;
        let uid = match &to {
            Address::User(user) => ImoNames::uid(user),
            Address::Conversation(conversation) => buid::chat(conversation.as_str()),
        };
        let mut text = Some((to, body, mark));
        let sent = account.with_session(tie, |session| {
            let Some((to, body, mark)) = text.take() else { return false };
            let may = session.may_send(&mark);
            if may {
                session.send(ticket, to, &uid, body, mark);
            }
            may
        });
        if let Some((to, body, mark)) = text {
            // The connection went in between: for the next one.
            account.lock().queue.put_back([Action::Task { ticket, task: Task::SendText { to, body, mark } }]);
        }
        if !sent? {
            self.done(ticket, Err(Failure::Unclear));
            return Ok(());
        }
        account.exchange(self.line, tie).map(drop)
    }

    /// Asks something that does not wait for a connection.
    fn ask_for(
        &self,
        tie: &Tie,
        ticket: Ticket,
        call: impl FnOnce(&mut Session) -> (Draft, Purpose),
    ) -> Result<(), Halt> {
        self.begin(tie, ticket, |session, _| {
            let (draft, purpose) = call(session);
            session.ask(draft, purpose);
            Vec::new()
        })
    }

    /// Does the same with a request that is registered in its own way.
    fn begin(
        &self,
        tie: &Tie,
        ticket: Ticket,
        register: impl FnOnce(&mut Session, &mut Chats) -> Vec<Event>,
    ) -> Result<(), Halt> {
        let begun =
            self.account.with_chats(tie, |session, chats| session.is_online().then(|| register(session, chats)));
        match begun {
            Ok(Some(events)) => {
                self.account.deliver_all(events);
                self.account.exchange(self.line, tie).map(drop)
            }
            Ok(None) => {
                self.done(ticket, Err(Failure::NotConnected));
                Ok(())
            }
            Err(halt) => {
                self.done(ticket, Err(Failure::NotConnected));
                Err(halt)
            }
        }
    }

    fn found(&mut self, tie: &Tie, ticket: Ticket, users: Vec<Handle>) -> Result<(), Halt> {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut founded = None;
        let asked = self.begin(tie, ticket, |session, chats| {
            // Registered before it is asked, as the news of it may be faster than the answer.
            let name = chats.found(ticket, users, unix);
            session.found(&name);
            founded = Some(name);
            Vec::new()
        });
        founded.into_iter().for_each(|name| self.expect_chat(name));
        asked
    }

    fn change(&self, tie: &Tie, ticket: Ticket, gid: &str, change: Change) -> Result<(), Halt> {
        let round = |errand, users| Round::new(Some(ticket), gid, errand, users);
        match change {
            Change::Invite(users) | Change::Kick { users, ban: false } if users.is_empty() => {
                self.done(ticket, Ok(Receipt::default()));
                Ok(())
            }
            Change::Invite(users) => self.begin(tie, ticket, |session, chats| {
                session.begin(round(Errand::Invite, users), chats);
                Vec::new()
            }),
            Change::Kick { users, ban: false } => self.begin(tie, ticket, |session, chats| {
                session.begin(round(Errand::Kick, users), chats);
                Vec::new()
            }),
            Change::Topic(topic) => self.begin(tie, ticket, |session, chats| {
                let draft = session.caller().set_group_topic(gid, &topic);
                chats.set_topic(gid, topic);
                session.ask(draft, Purpose::Task(ticket));
                Vec::new()
            }),
            Change::Leave => self.begin(tie, ticket, |session, chats| {
                chats.leave(gid, true);
                let draft = session.caller().leave_group(gid);
                session.ask(draft, Purpose::Leave { ticket, gid: gid.to_owned() });
                Vec::new()
            }),
            _ => self.refuse(ticket),
        }
    }

    fn place_call(&self, tie: &Tie, ticket: Ticket, users: Vec<Handle>) -> Result<(), Halt> {
        self.begin(tie, ticket, |session, _| {
            users.into_iter().flat_map(|user| session.place_call(ticket, user)).collect()
        })
    }

    /// The two ways to control a call are additions that a server may refuse.
    fn control(&self, tie: &Tie, ticket: Ticket, call: RemoteId, control: CallControl) -> Result<(), Halt> {
        let partner = self.account.with_session(tie, |session| session.calls.partner(&call).map(ImoNames::uid));
        let Ok(Some(uid)) = partner else { return self.refuse(ticket) };
        match control {
            CallControl::Answer => self.ask_for(tie, ticket, |session| {
                (session.caller().accept_audio_chat(&uid), Purpose::Answer { ticket, call })
            }),
            CallControl::End => self.ask_for(tie, ticket, |session| {
                (session.caller().end_audio_chat(&uid), Purpose::HangUp { ticket, call })
            }),
            _ => self.refuse(ticket),
        }
    }

    pub(super) fn done(&self, ticket: Ticket, outcome: Result<Receipt, Failure>) {
        self.account.deliver(Event::Done { ticket, outcome });
    }
}
