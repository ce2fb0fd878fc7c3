//! Conversations of several between the session and its network: founding them, changing them,
//! what the network tells of them, what it refuses (skype-api 7.4).

use crate::backend;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Change;
use crate::backend::Failure;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::model::Chat;
use crate::model::ChatIndex;
use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::Member;
use crate::model::Message;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::Role;
use crate::model::State;
use crate::model::Undeliverable;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;

/// What is to be done in a conversation as soon as the network has named it.
type Held = Box<dyn FnOnce(ConversationId) -> Task + Send>;

/// A conversation that the network has not named yet.
pub(super) struct Founding {
    chat: ChatIndex,
    /// The message that tells of it.
    said: Option<ObjectId>,
    /// How we stand to it if the network refuses.
    otherwise: MyStatus,
    /// With whom it was a dialog before.
    dialog: Option<Handle>,
    /// What waits for it.
    held: Vec<(Ticket, Held)>,
}

/// A change of a conversation that the network has not confirmed yet.
pub(super) struct Changing {
    chat: ChatIndex,
    /// The message that tells of it.
    said: Option<ObjectId>,
    change: Change,
    undo: Undo,
}

/// What to do if the network refuses a change; of options, what to do if it does not.
pub(super) enum Undo {
    Added(Vec<Handle>),
    Removed(Vec<Member>),
    Left {
        gone: Vec<Member>,
        bookmarked: bool,
    },
    Entering {
        before: MyStatus,
        bookmarked: bool,
    },
    MyStatus(MyStatus),
    Topic(String, String),
    Guidelines(String),
    Description(String),
    PasswordHint(String),
    /// Told only when the network has agreed (skype-api 3.6).
    Options(u32),
    Role(Handle, Role),
}

impl Engine {
    /// Makes a chat of several with these users.
    pub(super) fn found_chat(&mut self, users: &[Handle], now: Now, out: &mut Vec<Output>) -> ChatIndex {
        let me = self.me.handle.clone();
        let id = self.new_id();
        let name = self.free_name(&format!("#{me}/$"), &[me.as_str(), &id.to_string(), &now.unix.to_string()]);
        let members = vec![self.new_member(me, true)];
        let chat = self.chats.add(Chat::new(name, Place::Unnamed, members, now.unix));
        let told = [ChatProperty::Name, ChatProperty::ActivityTimestamp, ChatProperty::Status, ChatProperty::Type];
        self.announce_chat_properties(chat, &told, out);
        // In between one is not in it, as recorded (skype-api 7.4).
        self.chats.chat_mut(chat).my_status = MyStatus::Unsubscribed;
        self.announce_chat(chat, ChatProperty::Status, out);
        self.chats.chat_mut(chat).my_status = MyStatus::Subscribed;
        self.announce_member(chat, 0, ChatMemberProperty::Role, out);
        let told = [
            ChatProperty::MyRole,
            ChatProperty::Members,
            ChatProperty::ActiveMembers,
            ChatProperty::MyStatus,
            ChatProperty::Status,
            ChatProperty::Timestamp,
        ];
        self.announce_chat_properties(chat, &told, out);
        if !users.is_empty() {
            self.put_members(chat, users);
            self.announce_chat_properties(chat, &[ChatProperty::Members, ChatProperty::FriendlyName], out);
        }
        self.found(chat, users.to_vec(), None, None, out);
        chat
    }

    /// Has the network found the conversation of a chat.
    pub(super) fn found(
        &mut self,
        chat: ChatIndex,
        users: Vec<Handle>,
        said: Option<ObjectId>,
        dialog: Option<Handle>,
        out: &mut Vec<Output>,
    ) {
        let founding = Founding { chat, said, otherwise: MyStatus::Unsubscribed, dialog, held: Vec::new() };
        self.ask(Task::Found { users }, Pending::Founding(founding), out);
    }

    /// Has the network do something in the conversation of a chat, as soon as it has a name.
    pub(super) fn ask_in(
        &mut self,
        chat: ChatIndex,
        pending: Pending,
        task: impl FnOnce(ConversationId) -> Task + Send + 'static,
        out: &mut Vec<Output>,
    ) -> Ticket {
        let ticket = self.expect(pending);
        match &self.chats.chat(chat).place {
            Place::Group(conversation) => {
                let task = task(conversation.clone());
                out.push(Output::ToBackend(Action::Task { ticket, task }));
            }
            // Where nothing is being founded, nothing is allowed that would come here.
            _ => match self.founding_of(chat) {
                Some(founding) => founding.held.push((ticket, Box::new(task))),
                None => drop(self.pending.remove(&ticket)),
            },
        }
        ticket
    }

    /// What the network has not answered yet of a chat that has no name there.
    pub(super) fn founding_of(&mut self, chat: ChatIndex) -> Option<&mut Founding> {
        self.pending.values_mut().find_map(|pending| match pending {
            Pending::Founding(founding) if founding.chat == chat => Some(founding),
            _ => None,
        })
    }

    /// Has the network change a conversation.
    pub(super) fn change(
        &mut self,
        chat: ChatIndex,
        change: Change,
        undo: Undo,
        said: Option<ObjectId>,
        out: &mut Vec<Output>,
    ) {
        let pending = Pending::Change(Changing { chat, said, change: change.clone(), undo });
        self.ask_in(chat, pending, |conversation| Task::Change { conversation, change }, out);
    }

    /// The network has founded a conversation, or not.
    pub(super) fn founding_done(&mut self, founding: Founding, outcome: Outcome, now: Now, out: &mut Vec<Output>) {
        let Founding { chat, said, otherwise, dialog, held } = founding;
        let conversation = outcome.and_then(|receipt| receipt.conversation.ok_or(Failure::Refused));
        // One that was found may be one that is known by another way.
        let conversation = conversation.and_then(|conversation| match self.chats.by_conversation(&conversation) {
            Some(known) if known != chat => Err(Failure::Refused),
            _ => Ok(conversation),
        });
        let state = if conversation.is_ok() { State::Sent } else { State::Failed(Undeliverable::Refused) };
        match conversation {
            Ok(conversation) => {
                self.chats.settle(chat, Place::Group(conversation.clone()));
                for (ticket, task) in held {
                    let task = task(conversation.clone());
                    out.push(Output::ToBackend(Action::Task { ticket, task }));
                }
            }
            Err(failure) => {
                match dialog.filter(|partner| self.chats.dialog(partner).is_none()) {
                    Some(partner) => self.back_to_dialog(chat, partner, out),
                    None => self.set_my_status(chat, otherwise, out),
                }
                for (ticket, _) in held {
                    self.done(ticket, Err(failure), now, out);
                }
            }
        }
        if let Some(said) = said {
            self.move_on(said, state, out);
        }
    }

    /// A dialog to which nobody could be added is what it was.
    fn back_to_dialog(&mut self, chat: ChatIndex, partner: Handle, out: &mut Vec<Output>) {
        let present = self.chats.chat(chat).present().map(|member| member.handle.clone());
        let added: Vec<_> = present.filter(|handle| *handle != self.me.handle && *handle != partner).collect();
        self.chats.settle(chat, Place::Dialog(partner));
        self.announce_chat(chat, ChatProperty::Status, out);
        self.take_out(chat, &added, out);
        self.announce_chat(chat, ChatProperty::FriendlyName, out);
    }

    /// The network has changed a conversation, or not; what it refused did not happen.
    pub(super) fn change_done(&mut self, changing: Changing, outcome: Outcome, out: &mut Vec<Output>) {
        let Changing { chat, said, change, undo } = changing;
        let done = outcome.is_ok();
        if let Ok(receipt) = &outcome
            && let (Some(said), Some(remote)) = (said, &receipt.remote)
        {
            self.chats.set_remote(said, remote);
        }
        match undo {
            Undo::Options(bits) if done => {
                self.chats.chat_mut(chat).options = bits;
                self.announce_chat(chat, ChatProperty::Options, out);
            }
            _ if done || !self.is_still_so(chat, &change) => {}
            undo => self.undo(chat, undo, out),
        }
        if let Some(said) = said {
            self.move_on(said, if done { State::Sent } else { State::Failed(Undeliverable::Refused) }, out);
        }
    }

    /// Whether a chat still is what a change made of it: what has happened since then stays.
    fn is_still_so(&self, chat: ChatIndex, change: &Change) -> bool {
        let here = self.chats.chat(chat);
        match change {
            Change::Topic(topic) => here.topic == *topic,
            Change::Guidelines(text) => here.guidelines == *text,
            Change::Description(text) => here.description == *text,
            Change::Password { hint, .. } => here.password_hint == *hint,
            Change::Role { user, role } => here.role_of(user) == *role,
            Change::Join | Change::Accept | Change::EnterPassword(_) => {
                matches!(here.my_status, MyStatus::Connecting | MyStatus::WaitingRemoteAccept)
            }
            Change::Leave => here.my_status == MyStatus::Unsubscribed,
            Change::Disband => here.my_status == MyStatus::Disbanded,
            Change::Invite(users) => users.iter().any(|user| here.has(user)),
            Change::Kick { users, .. } => users.iter().any(|user| !here.has(user)),
            Change::Options(_) => true,
        }
    }

    fn undo(&mut self, chat: ChatIndex, undo: Undo, out: &mut Vec<Output>) {
        match undo {
            Undo::Added(mut handles) => {
                // Who takes part was let in nevertheless.
                let here = self.chats.chat(chat);
                let active = |handle: &Handle| here.place_of(handle).is_some_and(|place| here.members[place].active);
                handles.retain(|handle| !active(handle));
                self.take_out(chat, &handles, out);
            }
            Undo::Removed(members) => self.put_back(chat, members, out),
            Undo::Left { gone, bookmarked } => {
                self.put_back(chat, gone, out);
                self.set_my_status(chat, MyStatus::Subscribed, out);
                self.bookmark_again(chat, bookmarked, out);
            }
            Undo::Entering { before, bookmarked } => {
                self.set_my_status(chat, before, out);
                self.bookmark_again(chat, bookmarked, out);
            }
            Undo::MyStatus(before) => self.set_my_status(chat, before, out),
            Undo::Topic(topic, xml) => {
                let here = self.chats.chat_mut(chat);
                let with_tags = here.topic_xml != xml;
                (here.topic, here.topic_xml) = (topic, xml);
                if with_tags {
                    self.announce_chat(chat, ChatProperty::TopicXml, out);
                }
                self.announce_chat_properties(chat, &[ChatProperty::Topic, ChatProperty::FriendlyName], out);
            }
            Undo::Guidelines(text) => {
                self.chats.chat_mut(chat).guidelines = text;
                self.announce_chat(chat, ChatProperty::Guidelines, out);
            }
            Undo::Description(text) => {
                self.chats.chat_mut(chat).description = text;
                self.announce_chat(chat, ChatProperty::Description, out);
            }
            Undo::PasswordHint(hint) => {
                self.chats.chat_mut(chat).password_hint = hint;
                self.announce_chat(chat, ChatProperty::PasswordHint, out);
            }
            Undo::Options(_) => {}
            Undo::Role(handle, role) => self.give_role(chat, &handle, role, out),
        }
    }

    /// Puts members back who were taken out, as they were.
    fn put_back(&mut self, chat: ChatIndex, members: Vec<Member>, out: &mut Vec<Output>) {
        let name = self.friendly_name(chat);
        for member in members {
            let place = self.chats.put_member(chat, &member.handle, member.role, member.id);
            self.chats.chat_mut(chat).members[place].active = member.active;
        }
        self.announce_chat_properties(chat, &[ChatProperty::Members, ChatProperty::ActiveMembers], out);
        self.announce_new_name(chat, &name, out);
    }

    fn bookmark_again(&mut self, chat: ChatIndex, bookmarked: bool, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.chats.chat_mut(chat).bookmarked, bookmarked) != bookmarked {
            self.announce_chat(chat, ChatProperty::Bookmarked, out);
        }
    }

    /// `CHAT FINDUSINGBLOB` and `CHAT CREATEUSINGBLOB` (skype-api 3.6).
    pub(super) fn chat_by_blob(
        &mut self,
        reply: Line,
        blob: &str,
        create: bool,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let known = self.chats.iter().find(|(_, chat)| chat.blob == blob).map(|(index, _)| index);
        let line = |engine: &Self, chat: ChatIndex, property: ChatProperty| {
            engine.get_chat(
                reply.part("CHAT").part(&engine.chats.chat(chat).name).part(property.word()),
                &engine.chats.chat(chat).name,
                property,
            )
        };
        match known {
            Some(chat) if create => line(self, chat, ChatProperty::Name),
            Some(chat) => line(self, chat, ChatProperty::Status),
            None if !create => Err(ErrorCode::FIND_BLOB_FAILED),
            None if !self.wants_online() => Err(ErrorCode::CREATE_BLOB_FAILED),
            None => {
                let me = self.me.handle.clone();
                let name = self.free_name(&format!("#{me}/$"), &[blob]);
                let members = vec![self.new_member(me, false)];
                let mut made = Chat::new(name, Place::Unnamed, members, now.unix);
                made.my_status = MyStatus::Unsubscribed;
                made.members[0].present = false;
                blob.clone_into(&mut made.blob);
                let chat = self.chats.add(made);
                let told = [
                    ChatProperty::Name,
                    ChatProperty::ActivityTimestamp,
                    ChatProperty::Status,
                    ChatProperty::Type,
                    ChatProperty::MyStatus,
                    ChatProperty::Status,
                ];
                self.announce_chat_properties(chat, &told, out);
                let founding = Founding {
                    chat,
                    said: None,
                    otherwise: MyStatus::ApplicationDenied,
                    dialog: None,
                    held: Vec::new(),
                };
                self.ask(Task::FindByBlob { blob: blob.to_owned() }, Pending::Founding(founding), out);
                line(self, chat, ChatProperty::Name)
            }
        }
    }

    /// The network tells of a conversation.
    pub(super) fn conversation(&mut self, told: backend::Conversation, now: Now, out: &mut Vec<Output>) {
        let creator = told.creator.clone().unwrap_or_else(|| self.me.handle.clone());
        let (chat, new) = self.chat_at(&Address::Conversation(told.id.clone()), &creator, now);
        let (before, name) = (self.member_picture(chat), self.friendly_name(chat));
        let changed = self.take_over(chat, &told);
        if new {
            self.announce_invited(chat, told.adder.as_ref(), now, out);
            return;
        }
        let name = Some(name.as_str()).filter(|_| !changed.contains(&ChatProperty::Topic));
        self.announce_member_changes(chat, &before, name, out);
        for property in changed {
            match property {
                ChatProperty::MyStatus => {
                    self.announce_chat_properties(chat, &[ChatProperty::MyStatus, ChatProperty::Status], out);
                }
                ChatProperty::Topic => {
                    self.announce_chat_properties(chat, &[ChatProperty::Topic, ChatProperty::FriendlyName], out);
                }
                property => self.announce_chat(chat, property, out),
            }
        }
    }

    /// Takes over what is told of a conversation; returns what has changed.
    fn take_over(&mut self, chat: ChatIndex, told: &backend::Conversation) -> Vec<ChatProperty> {
        let mut changed = Vec::new();
        let (coming, going) = self.on_their_way(chat);
        if let Some(members) = &told.members {
            let here = self.chats.chat(chat).members.iter().filter(|member| member.present);
            let gone: Vec<_> = here.map(|member| member.handle.clone()).collect();
            for member in members.iter().filter(|member| !going.contains(&member.handle)) {
                self.put_members(chat, std::slice::from_ref(&member.handle));
                if let Some(place) = self.chats.chat(chat).place_of(&member.handle) {
                    let known = &mut self.chats.chat_mut(chat).members[place];
                    (known.role, known.active) = (member.role, member.active);
                }
            }
            let here = self.chats.chat_mut(chat);
            for member in here.members.iter_mut().filter(|member| gone.contains(&member.handle)) {
                let told = members.iter().any(|told| told.handle == member.handle);
                member.present = told || coming.contains(&member.handle);
            }
        }
        let here = self.chats.chat_mut(chat);
        let mut text = |known: &mut String, told: &Option<String>, property| {
            if let Some(told) = told.as_ref().filter(|told| *told != known) {
                told.clone_into(known);
                changed.push(property);
            }
        };
        text(&mut here.topic, &told.topic, ChatProperty::Topic);
        text(&mut here.guidelines, &told.guidelines, ChatProperty::Guidelines);
        text(&mut here.description, &told.description, ChatProperty::Description);
        text(&mut here.password_hint, &told.password_hint, ChatProperty::PasswordHint);
        text(&mut here.blob, &told.blob, ChatProperty::Blob);
        if let Some(options) = told.options.filter(|options| *options != here.options) {
            here.options = options;
            changed.push(ChatProperty::Options);
        }
        let back = |status| status == MyStatus::Subscribed && going.contains(&self.me.handle);
        if let Some(status) = told.my_status.filter(|status| *status != here.my_status && !back(*status)) {
            here.my_status = status;
            changed.push(ChatProperty::MyStatus);
        }
        if let Some(created) = told.created.filter(|created| *created != here.created) {
            here.created = created;
            changed.push(ChatProperty::Timestamp);
        }
        if told.adder.is_some() && told.adder != here.adder {
            here.adder.clone_from(&told.adder);
            changed.push(ChatProperty::Adder);
        }
        changed
    }

    /// Whom we have invited and whom we have removed, ourselves by leaving, while the network has not answered: what it
    /// tells in the meantime may be of before.
    fn on_their_way(&self, chat: ChatIndex) -> (Vec<Handle>, Vec<Handle>) {
        let (mut coming, mut going) = (Vec::new(), Vec::new());
        for pending in self.pending.values() {
            match pending {
                Pending::Change(Changing { chat: there, change, .. }) if *there == chat => match change {
                    Change::Invite(users) => coming.extend_from_slice(users),
                    Change::Kick { users, .. } => going.extend_from_slice(users),
                    Change::Leave | Change::Disband => going.push(self.me.handle.clone()),
                    _ => {}
                },
                _ => {}
            }
        }
        (coming, going)
    }

    /// Who is in a chat, and how.
    fn member_picture(&self, chat: ChatIndex) -> Vec<Member> {
        self.chats.chat(chat).members.iter().filter(|member| member.present).cloned().collect()
    }

    /// Says what is different among the members of a chat (skype-api 7.4), and the FRIENDLYNAME if
    /// it was `name` before.
    fn announce_member_changes(&self, chat: ChatIndex, before: &[Member], name: Option<&str>, out: &mut Vec<Output>) {
        let here = self.chats.chat(chat);
        for (place, member) in here.members.iter().enumerate().filter(|(_, member)| member.present) {
            let known = before.iter().find(|known| known.id == member.id);
            if member.role != known.map_or(Role::User, |known| known.role) {
                self.announce_member(chat, place, ChatMemberProperty::Role, out);
                if member.handle == self.me.handle {
                    self.announce_chat(chat, ChatProperty::MyRole, out);
                }
            }
            // Of those who have just come, the lists say it.
            if known.is_some_and(|known| known.active != member.active) {
                self.announce_member(chat, place, ChatMemberProperty::IsActive, out);
            }
        }
        let after = self.member_picture(chat);
        let ids = |members: &[Member], which: fn(&Member) -> bool| {
            members.iter().filter(|member| which(member)).map(|member| member.id).collect::<Vec<_>>()
        };
        let differs = |which| ids(before, which) != ids(&after, which);
        if differs(|member| member.role == Role::Applicant) {
            self.announce_chat(chat, ChatProperty::Applicants, out);
        }
        if differs(|member| member.role != Role::Applicant) {
            self.announce_chat(chat, ChatProperty::Members, out);
            if let Some(name) = name {
                self.announce_new_name(chat, name, out);
            }
        }
        if differs(|member| member.role != Role::Applicant && member.active) {
            self.announce_chat(chat, ChatProperty::ActiveMembers, out);
        }
    }

    /// What is said of a conversation that has appeared (skype-api 7.4).
    fn announce_invited(&mut self, chat: ChatIndex, adder: Option<&Handle>, now: Now, out: &mut Vec<Output>) {
        self.announce_chat_properties(chat, &[ChatProperty::Name, ChatProperty::Status, ChatProperty::Status], out);
        self.announce_member(chat, 0, ChatMemberProperty::Role, out);
        let told = [
            ChatProperty::MyRole,
            ChatProperty::Members,
            ChatProperty::FriendlyName,
            ChatProperty::ActiveMembers,
            ChatProperty::Timestamp,
            ChatProperty::Adder,
            ChatProperty::Topic,
            ChatProperty::Status,
        ];
        self.announce_chat_properties(chat, &told, out);
        let Some(adder) = adder else { return };
        let me = self.me.handle.clone();
        let others: Vec<_> = self.chats.chat(chat).present().map(|member| member.handle.clone()).collect();
        let added = Message::new(chat, adder.clone(), Kind::Added(vec![me.clone()]), State::Received, now.unix);
        let saw = others.into_iter().filter(|handle| *handle != me).collect();
        let saw = Message::new(chat, me, Kind::Saw(saw), State::Sent, now.unix);
        for message in [added, saw] {
            let id = self.new_id();
            self.chats.say(id, message);
            self.announce_status(id, out);
        }
    }

    /// Somebody has changed a conversation: what their message says becomes true.
    pub(super) fn apply(&mut self, chat: ChatIndex, author: &Handle, kind: &Kind, body: &str, out: &mut Vec<Output>) {
        match kind {
            Kind::Topic => {
                let here = self.chats.chat_mut(chat);
                // A network may have told of the conversation first.
                if here.topic == body && here.topic_xml.is_empty() {
                    return;
                }
                body.clone_into(&mut here.topic);
                here.topic_xml.clear();
                self.announce_chat_properties(chat, &[ChatProperty::Topic, ChatProperty::FriendlyName], out);
            }
            Kind::Guidelines => {
                body.clone_into(&mut self.chats.chat_mut(chat).guidelines);
                self.announce_chat(chat, ChatProperty::Guidelines, out);
            }
            Kind::Options(bits) => {
                self.chats.chat_mut(chat).options = *bits;
                self.announce_chat(chat, ChatProperty::Options, out);
            }
            Kind::Role(user, role) => self.give_role(chat, user, *role, out),
            Kind::Added(users) => {
                self.put_members(chat, users);
                if users.contains(&self.me.handle) && self.chats.chat(chat).my_status != MyStatus::Subscribed {
                    self.set_my_status(chat, MyStatus::Subscribed, out);
                }
                self.announce_chat_properties(chat, &[ChatProperty::Members, ChatProperty::FriendlyName], out);
                // Who has come by themselves is there.
                if users.contains(author) {
                    self.activate(chat, author, out);
                }
            }
            Kind::Applicant => {
                self.put_members(chat, std::slice::from_ref(author));
                self.give_role(chat, author, Role::Applicant, out);
                self.announce_chat(chat, ChatProperty::Applicants, out);
            }
            Kind::Left => self.went(chat, std::slice::from_ref(author), MyStatus::Unsubscribed, out),
            Kind::Kicked(users) => self.went(chat, users, MyStatus::Kicked, out),
            Kind::Banned(users) => self.went(chat, users, MyStatus::Banned, out),
            Kind::Text
            | Kind::Emote
            | Kind::Created(_)
            | Kind::Saw(_)
            | Kind::Picture
            | Kind::Contacts(_)
            | Kind::Gap
            | Kind::Undeliverable(_)
            | Kind::AuthRequest => {}
        }
    }

    /// Members are in a chat no more, we may be among them.
    fn went(&mut self, chat: ChatIndex, users: &[Handle], if_me: MyStatus, out: &mut Vec<Output>) {
        self.take_out(chat, users, out);
        if users.contains(&self.me.handle) {
            self.set_my_status(chat, if_me, out);
        }
    }
}
