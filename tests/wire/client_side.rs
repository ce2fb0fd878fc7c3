//! A server plays a conversation to our back end.

use std::collections::VecDeque;

use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::CallControl;
use imo2skype::backend::Change;
use imo2skype::backend::Event;
use imo2skype::backend::Mark;
use imo2skype::backend::Presence;
use imo2skype::backend::Task;
use imo2skype::backend::Typing;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;
use serde_json::Value;
use serde_json::json;

use crate::Conversation;
use crate::Line;
use crate::client::Client;
use crate::fits;
use crate::server::Call;
use crate::server::GUARD;
use crate::server::Server;
use crate::server::down;

struct Stage {
    server: Server,
    client: Client,
    /// The next number in either direction.
    up: u64,
    down: u64,
    tickets: u64,
    /// Told to the session besides what was asked for so far.
    heard: VecDeque<Event>,
    /// What the network called the conversation and the call that were told of last.
    room: Option<ConversationId>,
    call: Option<RemoteId>,
}

pub(crate) fn play(conversation: &Conversation) {
    let server = Server::start();
    let online = conversation.begin != "nothing";
    let client = if online { Client::online(&server) } else { Client::of(&server.url) };
    let (up, down) = if online { (4, 2) } else { (0, 0) };
    let heard = VecDeque::new();
    let mut stage = Stage { server, client, up, down, tickets: 0, heard, room: None, call: None };
    for line in conversation.lines.iter().filter(|line| line.who.is_none()) {
        stage.play(line);
    }
    assert!(stage.heard.is_empty(), "{:?}", stage.heard);
    assert!(stage.server.requests.try_recv().is_err(), "more is asked than the file says");
    stage.client.end();
}

impl Stage {
    fn play(&mut self, line: &Line) {
        if let Some(want) = &line.want {
            self.want(want);
        } else if let Some(path) = &line.get {
            let line = format!("GET /pre{path} HTTP/1.1");
            self.server.request(&line).raw("200 OK", "Set-Cookie: c=1\r\n", "hello");
        } else if let Some(wanted) = &line.up {
            self.expect(line, wanted);
        } else if let Some(data) = &line.down {
            self.server.poll().accept(json!([down(self.down, line.system(), data.clone())]));
            self.down += 1;
        } else if let Some(words) = &line.hears {
            let event = self.client.event();
            let text = format!("{event:?}");
            assert!(words.iter().all(|word| text.contains(word.as_str())), "{words:?} is not in {text}");
            match event {
                Event::Conversation(conversation) => self.room = Some(conversation.id),
                Event::Call(call) => self.call = Some(call.id),
                _ => {}
            }
        } else {
            panic!("a line for nobody: {line:?}");
        }
    }

    /// Something must be posted, and is answered.
    fn expect(&mut self, line: &Line, wanted: &Value) {
        let call = self.server.requests.recv_timeout(GUARD).unwrap_or_else(|_| panic!("nobody posts {wanted}"));
        let opening = line.outer() != "forward_to_server";
        let ssid = if opening { call.envelope["ssid"].clone() } else { json!("S") };
        let seq = if opening { 0 } else { self.up };
        let envelope = json!({"ack": "*", "ssid": ssid, "messages": [{"data": wanted, "to": {"system": line.system()},
            "from": {"system": "client", "ssid": ssid}, "seq": seq}]});
        let free: &[&str] = if opening { &["ssid"] } else { &["passwd"] };
        assert!(fits(&envelope, &call.envelope, free, false), "wanted {envelope}\nposted {}", call.envelope);
        assert!(call.envelope["ack"].as_u64().is_some_and(|ack| ack <= self.down), "ack: {}", call.envelope);
        assert_eq!(call.outer, line.outer());
        self.answer(line, call);
        self.up += u64::from(!opening);
    }

    fn answer(&mut self, line: &Line, call: Call) {
        match &line.answer {
            Some(answer) => call.json(answer),
            None => call.answer(self.up + u64::from(!line.refused), json!([])),
        }
    }

    /// Does what somebody wants: a verb, whom or what it is about, and the rest of the line.
    pub(crate) fn want(&mut self, want: &str) {
        let (verb, rest) = want.split_once(' ').unwrap_or((want, ""));
        let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
        let (user, text) = (Handle::new(name), words.to_owned());
        let mark = Mark::new(self.tickets.to_string());
        let task = match verb {
            "connect" => return self.client.connect(1),
            "logout" => return self.client.submit(Action::Disconnect),
            "presence" => {
                let presence = match name {
                    "available" => Presence::Available,
                    "away" => Presence::Away,
                    "busy" => Presence::Busy,
                    "invisible" => Presence::Invisible,
                    other => panic!("no presence {other}"),
                };
                return self.client.submit(Action::SetPresence { presence, mood: text });
            }
            "typing" => return self.client.typing(name, Typing::Typing),
            "typed" => return self.client.typing(name, Typing::Typed),
            "not_typing" => return self.client.typing(name, Typing::Stopped),
            "send" => Task::SendText { to: Address::User(user), body: text, mark },
            "add" => Task::AddContact { user, greeting: text },
            "remove" => Task::RemoveContact { user },
            "block" => Task::Block { user, blocked: true },
            "unblock" => Task::Block { user, blocked: false },
            "alias" => Task::SetAlias { user, alias: text },
            "accept" => Task::AnswerAuthRequest { user, accept: true },
            "deny" => Task::AnswerAuthRequest { user, accept: false },
            "found" => Task::Found { users: rest.split_terminator(' ').map(Handle::new).collect() },
            "say" => Task::SendText { to: Address::Conversation(self.room()), body: rest.to_owned(), mark },
            "invite" => self.change(Change::Invite(vec![user])),
            "kick" => self.change(Change::Kick { users: vec![user], ban: false }),
            "topic" => self.change(Change::Topic(rest.to_owned())),
            "leave" => self.change(Change::Leave),
            "call" => Task::PlaceCall { users: vec![user], voicemail: false },
            "answer" => self.control(CallControl::Answer),
            "hang-up" => self.control(CallControl::End),
            other => panic!("no verb {other}"),
        };
        self.tickets += 1;
        self.client.task(self.tickets, task);
    }

    fn room(&self) -> ConversationId {
        self.room.clone().expect("a conversation was told of")
    }

    fn change(&self, change: Change) -> Task {
        Task::Change { conversation: self.room(), change }
    }

    fn control(&self, control: CallControl) -> Task {
        Task::Call { call: self.call.clone().expect("a call was told of"), control }
    }
}
