//! Conversations of several, and calls.

use imo2skype::backend::Address;
use imo2skype::backend::Call;
use imo2skype::backend::CallControl;
use imo2skype::backend::Change;
use imo2skype::backend::Conversation;
use imo2skype::backend::ConversationMember;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Kind;
use imo2skype::backend::Message;
use imo2skype::backend::Receipt;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;
use imo2skype::model::RemoteId;
use imo2skype::model::Role;

use super::Outcome;
use super::State;
use crate::view::fold;

pub(super) struct Room {
    members: Vec<String>,
    topic: String,
}

impl Room {
    fn described(&self, id: &ConversationId, adder: Option<&str>) -> Conversation {
        let member =
            |name: &String| ConversationMember { handle: Handle::new(name.clone()), role: Role::User, active: true };
        Conversation {
            adder: adder.map(Handle::new),
            members: Some(self.members.iter().map(member).collect()),
            my_status: Some(MyStatus::Subscribed),
            topic: Some(self.topic.clone()),
            ..Conversation::named(id.clone())
        }
    }
}

impl State {
    pub(super) fn message(&mut self, author: &str, conversation: Address, kind: Kind, body: String) -> Message {
        let remote = RemoteId::new(format!("m{}", self.number()));
        Message {
            remote,
            conversation,
            author: Handle::new(author),
            author_name: None,
            kind,
            body,
            time: None,
            mark: None,
        }
    }

    /// Brings a message to every other member, and to the other logins of its author.
    pub(super) fn spread(&mut self, login: usize, id: &ConversationId, message: &Message) -> Result<(), Failure> {
        let own = self.account_of(login);
        for member in self.members(&own, id)? {
            let except = (member == own).then_some(login);
            self.bring(&member, except, message);
        }
        Ok(())
    }

    fn members(&self, own: &str, id: &ConversationId) -> Result<Vec<String>, Failure> {
        let room = self.rooms.get(id.as_str()).ok_or(Failure::Refused)?;
        if room.members.iter().any(|member| member == own) { Ok(room.members.clone()) } else { Err(Failure::Refused) }
    }

    pub(super) fn tell_rooms(&self, login: usize, name: &str) {
        for (id, room) in self.rooms.iter().filter(|(_, room)| room.members.iter().any(|member| member == name)) {
            self.tell(login, Event::Conversation(room.described(&ConversationId::new(id.clone()), None)));
        }
    }

    /// Shows a conversation to somebody who is new in it.
    fn introduce(&self, id: &ConversationId, adder: &str, name: &str) {
        for login in self.present(name) {
            self.tell(login, Event::Conversation(self.rooms[id.as_str()].described(id, Some(adder))));
        }
    }

    pub(super) fn found(&mut self, login: usize, users: &[Handle]) -> Outcome {
        let own = self.account_of(login);
        let id = ConversationId::new(format!("room{}", self.number()));
        let others = users.iter().map(|user| self.known(user)).collect::<Result<Vec<_>, _>>()?;
        let members = [vec![own.clone()], others].concat();
        self.rooms.insert(id.as_str().to_owned(), Room { members: members.clone(), topic: String::new() });
        for member in &members {
            self.introduce(&id, &own, member);
        }
        Ok(Receipt { conversation: Some(id), ..Receipt::default() })
    }

    pub(super) fn change(&mut self, login: usize, id: &ConversationId, change: Change) -> Outcome {
        let own = self.account_of(login);
        let before = self.members(&own, id)?;
        let key = id.as_str().to_owned();
        let (kind, body) = match change {
            Change::Invite(users) => {
                let added = users.iter().map(|user| self.known(user)).collect::<Result<Vec<_>, _>>()?;
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.members.extend(added.iter().filter(|name| !before.contains(name)).cloned());
                }
                for name in &added {
                    self.introduce(id, &own, name);
                }
                (Kind::Added(users), String::new())
            }
            Change::Kick { users, ban: false } => {
                let gone: Vec<_> = users.iter().map(fold).collect();
                if !gone.iter().all(|name| before.contains(name)) {
                    return Err(Failure::Refused);
                }
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.members.retain(|member| !gone.contains(member));
                }
                (Kind::Kicked(users), String::new())
            }
            Change::Leave => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.members.retain(|member| *member != own);
                }
                (Kind::Left, String::new())
            }
            Change::Topic(topic) => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.topic.clone_from(&topic);
                }
                (Kind::Topic, topic)
            }
            _ => return Err(Failure::Refused),
        };
        // Those who are gone hear of it too, and so does who did it.
        let message = self.message(&own, Address::Conversation(id.clone()), kind, body);
        for member in before {
            self.bring(&member, None, &message);
        }
        Ok(Receipt::default())
    }

    pub(super) fn place_call(&mut self, login: usize, users: &[Handle]) -> Outcome {
        let [user] = users else { return Err(Failure::Refused) };
        let (own, other) = (self.account_of(login), self.known(user)?);
        if self.present(&other).is_empty() || self.relation(&other, &own).blocked {
            return Err(Failure::Refused);
        }
        let id = RemoteId::new(format!("call{}", self.number()));
        let call = Call::named(id.clone(), user.clone(), CallType::OutgoingP2p, CallStatus::Ringing);
        self.calls.insert(id.as_str().to_owned(), (own, call));
        self.tell_call(&id);
        Ok(Receipt { remote: Some(id), ..Receipt::default() })
    }

    /// Tells both sides of a call.
    fn tell_call(&self, id: &RemoteId) {
        let Some((caller, call)) = self.calls.get(id.as_str()) else { return };
        for login in self.present(caller) {
            self.tell(login, Event::Call(call.clone()));
        }
        for login in self.present(&fold(&call.partner)) {
            let partner = Handle::new(caller.clone());
            self.tell(login, Event::Call(Call { partner, kind: CallType::IncomingP2p, ..call.clone() }));
        }
    }

    pub(super) fn control(&mut self, login: usize, id: &RemoteId, control: CallControl) -> Outcome {
        let own = self.account_of(login);
        let (caller, call) = self.calls.get_mut(id.as_str()).ok_or(Failure::Refused)?;
        let ours = *caller == own;
        if !ours && fold(&call.partner) != own {
            return Err(Failure::Refused);
        }
        call.status = match (control, call.status) {
            (CallControl::Answer, CallStatus::Ringing) if !ours => CallStatus::InProgress,
            (CallControl::End, CallStatus::Ringing) if !ours => CallStatus::Refused,
            (CallControl::End, CallStatus::Ringing) => CallStatus::Cancelled,
            (CallControl::End, CallStatus::InProgress) => CallStatus::Finished,
            _ => return Err(Failure::Refused),
        };
        self.tell_call(id);
        Ok(Receipt::default())
    }
}
