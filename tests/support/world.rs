//! An account in the middle of its life: one of everything that the Skype API knows.
#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Call;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Contact;
use imo2skype::backend::Conversation;
use imo2skype::backend::ConversationMember;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::File;
use imo2skype::backend::Kind;
use imo2skype::backend::Message;
use imo2skype::backend::Names;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Sms;
use imo2skype::backend::StreamEvent;
use imo2skype::backend::Voicemail;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::ConversationId;
use imo2skype::model::Details;
use imo2skype::model::FileTransferStatus;
use imo2skype::model::FileTransferType;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;
use imo2skype::model::Participant;
use imo2skype::model::RemoteId;
use imo2skype::model::Role;
use imo2skype::model::SmsStatus;
use imo2skype::model::VoicemailStatus;
use imo2skype::model::VoicemailType;
use imo2skype::translate::Attachment;
use imo2skype::translate::ClientId;
use imo2skype::translate::Engine;
use imo2skype::translate::FileOutcome;
use imo2skype::translate::FileWork;
use imo2skype::translate::Now;
use imo2skype::translate::Output;
use imo2skype::translate::Setup;
use imo2skype::translate::Token;

/// The client that asks.
pub(crate) const CLIENT: ClientId = ClientId(1);
/// When everything happens.
pub(crate) const NOW: Now = Now { monotonic: Duration::from_secs(60), unix: 1_357_987_847 };

/// The picture that a file holds.
const PICTURE: &[u8] = b"\xff\xd8\xffpicture";

/// Users are what they are called, if it is one word of letters, digits and a few signs.
struct PlainNames;

impl Names for PlainNames {
    fn parse(&self, typed: &str) -> Option<Handle> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        (!typed.is_empty() && typed.bytes().all(good)).then(|| Handle::new(typed))
    }
}

/// What the objects of the world are called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Called {
    pub(crate) dialog: String,
    /// A chat of several of which we are the creator.
    pub(crate) chat: String,
    /// One that we have left.
    pub(crate) left: String,
    /// One to which we were invited.
    pub(crate) invited: String,
    /// A member of the chat.
    pub(crate) member: String,
    pub(crate) received: String,
    pub(crate) sent: String,
    pub(crate) ringing: String,
    pub(crate) talking: String,
    pub(crate) held: String,
    pub(crate) voicemail: String,
    pub(crate) sms: String,
    pub(crate) composed: String,
    pub(crate) file: String,
    pub(crate) group: String,
}

/// An engine and the names of what it knows.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) called: Called,
}

impl World {
    /// Online on a network with these abilities, with what such a network brings.
    pub(crate) fn new(abilities: &[Ability]) -> Self {
        let mut engine = Engine::new(Setup {
            username: "alice".to_owned(),
            capabilities: Capabilities::messages_only(65_536).with(abilities),
            names: Arc::new(PlainNames),
            local_time: false,
            files: Some("/pics".to_owned()),
            send_limit: Duration::from_secs(86_400),
            seed: 1,
        });
        let mut out = Vec::new();
        engine.attach(CLIENT, Attachment::Direct, &mut out);
        engine.login(NOW, &mut out);
        let mut world = Self { engine, called: Called::default() };
        let has = |ability| abilities.contains(&ability);
        world.people();
        world.dialog();
        if has(Ability::Conversations) {
            world.conversations();
        }
        if has(Ability::Calls) {
            world.calls();
        }
        if has(Ability::Voicemails) {
            world.voicemails();
        }
        if has(Ability::Sms) {
            world.sms();
        }
        if has(Ability::Files) {
            world.files();
        }
        world.objects_of_clients(has(Ability::Streams));
        world
    }

    /// A world where the network can do everything.
    pub(crate) fn whole() -> Self {
        Self::new(Ability::ALL)
    }

    /// What is said when the network tells of something.
    pub(crate) fn tell(&mut self, event: Event) -> Vec<String> {
        let mut out = Vec::new();
        self.engine.backend_event(event, NOW, &mut out);
        lines(&out)
    }

    /// What a command is answered, and everything that it causes; files are there, and folders.
    pub(crate) fn send(&mut self, line: &str) -> Vec<Output> {
        let mut out = Vec::new();
        self.engine.client_line(CLIENT, Token(7), line, NOW, &mut out);
        while let Some(at) = out.iter().position(|output| matches!(output, Output::File(_))) {
            let Output::File(task) = out.remove(at) else { unreachable!("looked for") };
            let outcome = match task.work {
                FileWork::Write(_) => FileOutcome::Written,
                _ => FileOutcome::Read(PICTURE.to_vec()),
            };
            self.engine.file_done(task.number, outcome, &mut out);
        }
        out
    }

    /// The reply to a command, behind its id.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        reply(&self.send(line)).0
    }

    fn people(&mut self) {
        let details = Details { city: "Budapest".to_owned(), timezone: Some(3600), ..Details::default() };
        let bob = Contact {
            name: Some("Bob Example".to_owned()),
            presence: Some(Presence::Available),
            mood: Some("at work".to_owned()),
            details: Some(Box::new(details)),
            ..Contact::named(Handle::new("bob"))
        };
        let others = ["cecil", "daniel", "+4912345"].map(|handle| Contact::named(Handle::new(handle)));
        self.tell(Event::Contacts { contacts: std::iter::once(bob).chain(others).collect(), complete: true });
        let display_name = Some("Alice Example".to_owned());
        self.tell(Event::Connected { epoch: Epoch(1), me: Handle::new("alice"), display_name });
        self.tell(Event::AuthRequest { user: Handle::new("eve"), text: "let me in".to_owned() });
        self.tell(Event::Avatar { user: Handle::new("bob"), picture: Some(PICTURE.into()) });
        self.tell(Event::Avatar { user: Handle::new("alice"), picture: Some(PICTURE.into()) });
    }

    fn dialog(&mut self) {
        let bob = Handle::new("bob");
        let told = self.tell(Event::Message(Message {
            remote: RemoteId::new("r1"),
            conversation: Address::User(bob.clone()),
            author: bob,
            author_name: None,
            kind: Kind::Text,
            body: "two\nlines".to_owned(),
            time: None,
            mark: None,
        }));
        self.called.dialog = second_word(&told, "CHAT ");
        self.called.received = second_word(&told, "CHATMESSAGE ");
        let sent = self.send("MESSAGE bob hello");
        self.called.sent = second_word(&[reply(&sent).0], "CHATMESSAGE ");
        let ticket = sent.iter().find_map(|output| match output {
            Output::ToBackend(Action::Task { ticket, .. }) => Some(*ticket),
            _ => None,
        });
        let receipt = Receipt { remote: Some(RemoteId::new("r2")), ..Receipt::default() };
        self.tell(Event::Done { ticket: ticket.expect("a task"), outcome: Ok(receipt) });
    }

    fn conversation(&mut self, id: &str, my_status: MyStatus) -> Vec<String> {
        let roles = [("alice", Role::Creator), ("bob", Role::User), ("cecil", Role::Helper)];
        let members =
            roles.map(|(handle, role)| ConversationMember { handle: Handle::new(handle), role, active: true });
        let conversation = Conversation {
            creator: Some(Handle::new("alice")),
            members: Some(members.into()),
            my_status: Some(my_status),
            blob: Some(format!("blob-of-{id}")),
            ..Conversation::named(ConversationId::new(id))
        };
        self.tell(Event::Conversation(conversation))
    }

    fn conversations(&mut self) {
        let told = self.conversation("g1", MyStatus::Subscribed);
        self.called.chat = second_word(&told, "CHAT ");
        let members = self.ask(&format!("GET CHAT {} MEMBEROBJECTS", self.called.chat));
        self.called.member = members.rsplit(' ').next().expect("a member").to_owned();
        let told = self.conversation("g2", MyStatus::Unsubscribed);
        self.called.left = second_word(&told, "CHAT ");
        let told = self.conversation("g3", MyStatus::AcceptRequired);
        self.called.invited = second_word(&told, "CHAT ");
    }

    fn call(&mut self, id: &str, partner: &str, kind: CallType, status: CallStatus) -> String {
        let participant = Participant { handle: Handle::new("echo123"), kind, status: CallStatus::InProgress };
        let call = Call::named(RemoteId::new(id), Handle::new(partner), kind, status);
        let told = self.tell(Event::Call(Call { participants: Some(vec![participant]), ..call }));
        second_word(&told, "CALL ")
    }

    fn calls(&mut self) {
        self.called.ringing = self.call("c1", "cecil", CallType::IncomingP2p, CallStatus::Ringing);
        self.called.talking = self.call("c2", "daniel", CallType::OutgoingP2p, CallStatus::InProgress);
        self.called.held = self.call("c3", "frank", CallType::OutgoingP2p, CallStatus::LocalHold);
    }

    fn voicemails(&mut self) {
        for (id, kind) in [("v1", VoicemailType::Incoming), ("v2", VoicemailType::DefaultGreeting)] {
            let told = self.tell(Event::Voicemail(Voicemail {
                id: RemoteId::new(id),
                kind,
                partner: Handle::new("bob"),
                status: VoicemailStatus::Unplayed,
                failure: None,
                time: None,
                duration: Some((5, 60)),
            }));
            if kind == VoicemailType::Incoming {
                self.called.voicemail = second_word(&told, "VOICEMAIL ");
            }
        }
    }

    fn sms(&mut self) {
        let told = self.tell(Event::Sms(Sms {
            id: RemoteId::new("s1"),
            status: SmsStatus::Received,
            failure: None,
            time: None,
            arrived: Some(("+4912345".to_owned(), "hello".to_owned())),
            targets: None,
            price: None,
        }));
        self.called.sms = second_word(&told, "SMS ");
    }

    fn files(&mut self) {
        let told = self.tell(Event::File(File {
            id: RemoteId::new("f1"),
            kind: FileTransferType::Incoming,
            partner: Handle::new("bob"),
            status: FileTransferStatus::New,
            failure: None,
            name: "text.odt".to_owned(),
            path: None,
            size: 83_534_193,
            transferred: None,
            speed: None,
        }));
        self.called.file = second_word(&told, "FILETRANSFER ");
    }

    fn objects_of_clients(&mut self, streams: bool) {
        let composed = self.ask("CREATE SMS OUTGOING +4912345");
        self.called.composed = second_word(&[composed], "SMS ");
        self.called.group = second_word(&lines(&self.send("CREATE GROUP Family")), "GROUP ");
        self.ask(&format!("ALTER GROUP {} ADDUSER bob", self.called.group));
        self.ask("CREATE EVENT news CAPTION \"News\" HINT \"Click here\"");
        self.ask("CREATE MENU_ITEM hello CONTEXT CONTACT CAPTION \"Say hello\"");
        self.ask("CREATE APPLICATION demo");
        if streams {
            for event in [StreamEvent::Opened, StreamEvent::Received("hello".to_owned())] {
                let (application, user) = ("demo".to_owned(), Handle::new("bob"));
                self.tell(Event::Stream { application, user, number: 1, event });
            }
        }
    }
}

/// The notifications and replies among outputs.
pub(crate) fn lines(outputs: &[Output]) -> Vec<String> {
    let line = |output: &Output| match output {
        Output::ToClient(_, line) => Some(line.clone()),
        Output::Reply { line, start, .. } => Some(line[*start..].to_owned()),
        _ => None,
    };
    outputs.iter().filter_map(line).collect()
}

/// The one reply among outputs behind its id, and the whole line; it is the first thing said.
pub(crate) fn reply(outputs: &[Output]) -> (String, String) {
    let replies: Vec<_> = outputs.iter().filter(|output| matches!(output, Output::Reply { .. })).collect();
    assert_eq!(replies.len(), 1, "{outputs:?}");
    match &outputs[0] {
        Output::Reply { line, start, .. } => (line[*start..].to_owned(), line.clone()),
        other => panic!("before the reply came {other:?}"),
    }
}

/// The second word of the first line that begins so.
fn second_word(lines: &[String], beginning: &str) -> String {
    let line = lines.iter().find(|line| line.starts_with(beginning));
    let line = line.unwrap_or_else(|| panic!("no {beginning}in {lines:?}"));
    line.split(' ').nth(1).expect("a second word").to_owned()
}
