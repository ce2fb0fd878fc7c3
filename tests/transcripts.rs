//! Replays the conversations in `tests/transcripts` (its README tells how to read them).

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::CallControl;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Change;
use imo2skype::backend::Epoch;
use imo2skype::backend::Names;
use imo2skype::backend::Task;
use imo2skype::model::Admission;
use imo2skype::model::Grants;
use imo2skype::model::Handle;
use imo2skype::model::ObjectId;
use imo2skype::skype::MenuContext;
use imo2skype::translate::Attachment;
use imo2skype::translate::Click;
use imo2skype::translate::ClientId;
use imo2skype::translate::Engine;
use imo2skype::translate::FileOutcome;
use imo2skype::translate::FileTask;
use imo2skype::translate::FileWork;
use imo2skype::translate::Login;
use imo2skype::translate::Now;
use imo2skype::translate::Output;
use imo2skype::translate::Setup;
use imo2skype::translate::Token;

#[path = "transcripts/events.rs"]
mod events;
#[path = "transcripts/history.rs"]
mod history;

use history::History;

/// Users are what they are called, if it is one word of letters, digits and a few signs.
struct PlainNames;

impl Names for PlainNames {
    fn parse(&self, typed: &str) -> Option<Handle> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (!typed.is_empty() && typed.bytes().all(good)).then(|| Handle::new(typed))
    }
}

struct Stage {
    engine: Engine,
    abilities: Vec<Ability>,
    history: Option<History>,
    /// Clients that take no lines, and what they were to be told of.
    deaf: Vec<ClientId>,
    unheard: Vec<(ClientId, ObjectId)>,
    clock: Duration,
    epoch: Epoch,
    start: u64,
    clients: HashMap<String, (ClientId, VecDeque<String>)>,
    actions: VecDeque<String>,
    files: VecDeque<FileTask>,
    words: HashMap<String, String>,
}

impl Stage {
    /// A network that can do what `text` says in a line `@@ can`, or what every network can.
    fn new(text: &str) -> Self {
        let usual = [Ability::Contacts, Ability::Authorization, Ability::Mood];
        let abilities = match text.lines().find_map(|line| line.strip_prefix("@@ can ")) {
            Some("all") => Ability::ALL.to_vec(),
            Some(names) => names.split(' ').map(ability).collect(),
            None => usual.to_vec(),
        };
        Self {
            engine: engine(&abilities),
            abilities,
            history: None,
            deaf: Vec::new(),
            unheard: Vec::new(),
            clock: Duration::ZERO,
            epoch: Epoch(0),
            start: 1_357_987_847,
            clients: HashMap::new(),
            actions: VecDeque::new(),
            files: VecDeque::new(),
            words: HashMap::new(),
        }
    }

    /// Goes on with what is kept, as after a crash: whatever is not kept is gone.
    fn begin_again(&mut self) {
        let history = self.history.get_or_insert_with(History::default);
        // The file can be had by one at a time.
        self.engine = engine(&self.abilities);
        self.engine.restore(Box::new(history.open())).expect("a history");
        self.clients.clear();
        self.actions.clear();
        self.unheard.clear();
        self.turn(|engine, now, out| engine.resume(now, out));
    }

    fn now(&self) -> Now {
        Now { monotonic: self.clock, unix: self.start + self.clock.as_secs() }
    }

    fn turn(&mut self, work: impl FnOnce(&mut Engine, Now, &mut Vec<Output>)) {
        let mut outputs = Vec::new();
        let now = self.now();
        work(&mut self.engine, now, &mut outputs);
        self.engine.save(now);
        for output in outputs {
            match output {
                Output::Reply { client, line, .. } | Output::ToClient(client, line) => {
                    let queue = self.clients.values_mut().find(|(id, _)| *id == client).expect("a client of ours");
                    queue.1.push_back(line);
                }
                Output::ToBackend(action) => {
                    if let Action::Connect { epoch, .. } = action {
                        self.epoch = epoch;
                    }
                    self.actions.push_back(describe(&action));
                }
                Output::Offered(client, message) if self.deaf.contains(&client) => self.unheard.push((client, message)),
                // The others take their lines at once.
                Output::Offered(_, message) => self.engine.heard(message),
                Output::File(task) => {
                    let work = if matches!(task.work, FileWork::Write(_)) { "WriteFile" } else { "ReadFile" };
                    self.actions.push_back(format!("{work} {}", task.path));
                    self.files.push_back(task);
                }
                Output::CallPage(page) => self.actions.push_back(format!("CallPage {page}")),
                Output::Login(login) => self.actions.push_back(describe_login(&login)),
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    fn attach(&mut self, name: &str, attachment: Attachment) {
        let id = ClientId(u32::try_from(self.clients.len()).expect("few clients") + 1);
        self.clients.insert(name.to_owned(), (id, VecDeque::new()));
        self.turn(|engine, _, out| engine.attach(id, attachment, out));
    }

    /// What was said and not expected.
    fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<_> = self.actions.iter().map(|action| format!("=> {action}")).collect();
        for (name, (_, lines)) in &self.clients {
            left.extend(lines.iter().map(|line| format!("<<{} {}", suffix(name), visible(line))));
        }
        left
    }

    /// Puts in what the words in braces stand for.
    fn fill(&self, text: &str) -> String {
        let mut text = text.replace('⏎', "\n");
        for (word, value) in &self.words {
            text = text.replace(&format!("{{{word}}}"), value);
        }
        text.strip_suffix('␠').map(|text| format!("{text} ")).unwrap_or(text)
    }

    /// Compares with what came; a word in braces that is not known yet stands for one token.
    fn matches(&mut self, expected: &str, actual: &str) -> bool {
        let expected = self.fill(expected);
        let mut rest = actual;
        let mut pattern = expected.as_str();
        let mut learnt: Vec<(String, String)> = Vec::new();
        while let Some((before, after)) = pattern.split_once('{') {
            let Some((word, after)) = after.split_once('}') else { break };
            let Some(tail) = rest.strip_prefix(before) else { return false };
            let token = match learnt.iter().find(|(known, _)| known == word) {
                Some((_, value)) => value.clone(),
                None => tail.split([' ', ',']).next().unwrap_or("").to_owned(),
            };
            let Some(tail) = tail.strip_prefix(token.as_str()) else { return false };
            learnt.push((word.to_owned(), token));
            (rest, pattern) = (tail, after);
        }
        let same = rest == pattern;
        if same {
            self.words.extend(learnt);
        }
        same
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let (mark, rest) = line.split_at_checked(2).ok_or("a line of one letter")?;
        match mark {
            "<<" => {
                let (client, expected) = client_and_text(rest);
                let queue = &mut self.clients.get_mut(client).ok_or("no such client")?.1;
                let actual = queue.pop_front().ok_or("nothing more was said")?;
                if self.matches(expected, &actual) { Ok(()) } else { Err(format!("it said: {}", visible(&actual))) }
            }
            "=>" => {
                let actual = self.actions.pop_front().ok_or("nothing more was asked of the network")?;
                if self.matches(rest.trim_start(), &actual) { Ok(()) } else { Err(format!("it asked: {actual}")) }
            }
            _ => {
                let left = self.leftovers();
                if !left.is_empty() {
                    return Err(format!("before it, this was said and not expected:\n    {}", left.join("\n    ")));
                }
                self.input(mark, rest)
            }
        }
    }

    fn input(&mut self, mark: &str, rest: &str) -> Result<(), String> {
        match mark {
            ">>" => {
                let (client, text) = client_and_text(rest);
                let text = self.fill(text);
                let id = self.clients.get(client).ok_or("no such client")?.0;
                self.turn(|engine, now, out| engine.client_line(id, Token(0), &text, now, out));
                Ok(())
            }
            "<=" => {
                let words = words(rest.trim());
                if let ["Disk", outcome] = words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    return self.disk(outcome);
                }
                let event = events::event(&words, self.epoch)?;
                self.turn(|engine, now, out| engine.backend_event(event, now, out));
                Ok(())
            }
            "++" => {
                let seconds = rest.trim().strip_suffix('s').and_then(|text| text.parse().ok()).ok_or("not a time")?;
                self.clock += Duration::from_secs(seconds);
                let due = self.engine.timeout().is_some_and(|due| due <= self.clock);
                if due {
                    self.turn(|engine, now, out| engine.on_timeout(now, out));
                }
                Ok(())
            }
            "@@" => {
                let words = words(rest.trim());
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                match words.as_slice() {
                    ["ids", first] => self.engine.number_from(first.parse().map_err(|_| "not a number")?),
                    ["time", start] => self.start = start.parse().map_err(|_| "not a time")?,
                    ["client", name] => self.attach(name, Attachment::Remote),
                    ["client", name, "named"] => self.attach(name, Attachment::Named),
                    ["client", name, "direct"] => self.attach(name, Attachment::Direct),
                    ["login"] => self.turn(|engine, now, out| engine.login(now, out)),
                    ["online"] => {
                        self.turn(|engine, now, out| engine.login(now, out));
                        let connected = events::event(&[String::from("Connected")], self.epoch)?;
                        self.turn(|engine, now, out| engine.backend_event(connected, now, out));
                        self.actions.clear();
                    }
                    ["gone", name] => {
                        let (id, _) = self.clients.remove(*name).ok_or("no such client")?;
                        let unheard: Vec<_> = self.unheard.extract_if(.., |(client, _)| *client == id).collect();
                        self.turn(|engine, _, out| {
                            engine.detach(id, out);
                            unheard.into_iter().for_each(|(_, message)| engine.not_taken(message, out));
                        });
                    }
                    ["deaf", name] => self.deaf.push(self.clients.get(*name).ok_or("no such client")?.0),
                    ["crash"] => self.begin_again(),
                    ["grants", others, tables @ ..] => {
                        let others = if *others == "all" { Grants::ALL } else { Grants::NONE };
                        let known = tables.iter().map(|table| grants(table)).collect::<Result<_, _>>()?;
                        self.turn(|engine, _, out| engine.admit(Admission { known, others }, out));
                    }
                    ["keep-online"] => self.engine.set_keep_online(true),
                    ["ending"] => self.engine.end(),
                    ["disk", room] => self.history.as_ref().ok_or("no history")?.set_full(*room == "full"),
                    ["click", "event", id] => self.click(&Click::Event { id: (*id).to_owned() }),
                    ["click", "item", id, context, rest @ ..] => {
                        let (users, context_id) = match rest {
                            [users @ .., last] if last.starts_with('#') => (users, *last),
                            users => (users, ""),
                        };
                        self.click(&Click::MenuItem {
                            id: (*id).to_owned(),
                            users: users.iter().map(|user| (*user).to_owned()).collect(),
                            context: MenuContext::parse(context).ok_or("not a menu")?,
                            context_id: context_id.to_owned(),
                        });
                    }
                    // Read before the first line.
                    ["can", ..] | ["history"] => {}
                    other => return Err(format!("no such direction: {other:?}")),
                }
                Ok(())
            }
            _ => Err("a line begins with >>, <<, =>, <=, ++ or @@".to_owned()),
        }
    }

    fn click(&mut self, click: &Click) {
        self.turn(|engine, _, out| engine.click(click, out));
    }

    fn disk(&mut self, outcome: &str) -> Result<(), String> {
        let outcome = match outcome {
            "written" => FileOutcome::Written,
            "picture" => FileOutcome::Read(b"\xff\xd8\xffpicture".to_vec()),
            "text" => FileOutcome::Read(b"text".to_vec()),
            "not-empty" => FileOutcome::NotEmpty,
            "not-found" => FileOutcome::NotFound,
            "failed" => FileOutcome::Failed,
            other => return Err(format!("no such outcome: {other}")),
        };
        let task = self.files.pop_front().ok_or("no file is waited for")?;
        self.turn(|engine, _, out| engine.file_done(task.number, outcome, out));
        Ok(())
    }
}

/// A name and what it may do, from `Kopete=read,send`.
fn grants(table: &str) -> Result<(String, Grants), String> {
    let (name, words) = table.split_once('=').ok_or("a name, = and words")?;
    let words = words.split(',').filter(|word| !word.is_empty());
    let granted = words.map(|word| Grants::named(word).ok_or_else(|| format!("no such grant: {word}")));
    let granted = granted.collect::<Result<Vec<_>, _>>()?;
    Ok((name.to_owned(), granted.into_iter().fold(Grants::ATTACH, Grants::and)))
}

fn ability(name: &str) -> Ability {
    let found = Ability::ALL.iter().find(|ability| format!("{ability:?}") == name);
    *found.unwrap_or_else(|| panic!("no such ability: {name}"))
}

fn describe(action: &Action) -> String {
    match action {
        Action::Connect { epoch, presence, mood } => format!("Connect {} {presence:?} {mood:?}", epoch.0),
        Action::Disconnect => "Disconnect".to_owned(),
        Action::SetPresence { presence, mood } => format!("SetPresence {presence:?} {mood:?}"),
        Action::Typing { user, typing } => format!("Typing {user} {typing:?}"),
        Action::Seen { conversation, message } => format!("Seen {} {}", place(conversation), message.as_str()),
        Action::Task { ticket, task } => {
            let (verb, rest) = describe_task(task);
            format!("{verb} t{} {rest}", ticket.0).trim_end().to_owned()
        }
        Action::Withdraw { ticket } => format!("Withdraw t{}", ticket.0),
        other => format!("{other:?}"),
    }
}

fn place(address: &Address) -> String {
    match address {
        Address::User(user) => user.to_string(),
        Address::Conversation(conversation) => format!("[{}]", conversation.as_str()),
        other => format!("{other:?}"),
    }
}

fn all(users: &[Handle]) -> String {
    users.iter().map(Handle::as_str).collect::<Vec<_>>().join(",")
}

/// What is to be done, and with what.
fn describe_task(task: &Task) -> (&'static str, String) {
    match task {
        Task::SendText { to, body, mark } => {
            ("SendText", format!("{} {body:?}{}", place(to), if mark.repeated { " again" } else { "" }))
        }
        Task::Edit { conversation, message, body } => {
            ("Edit", format!("{} {} {body:?}", place(conversation), message.as_str()))
        }
        Task::AddContact { user, greeting } => ("AddContact", format!("{user} {greeting:?}")),
        Task::RemoveContact { user } => ("RemoveContact", user.to_string()),
        Task::AnswerAuthRequest { user, accept } => {
            ("AnswerAuthRequest", format!("{user} {}", if *accept { "accept" } else { "deny" }))
        }
        Task::Block { user, blocked } => ("Block", format!("{user} {blocked}")),
        Task::SetAlias { user, alias } => ("SetAlias", format!("{user} {alias:?}")),
        Task::SetName { name } => ("SetName", format!("{name:?}")),
        Task::SetAvatar { picture } => ("SetAvatar", picture.as_ref().map_or("none", |_| "picture").to_owned()),
        Task::Found { users } => ("Found", all(users)),
        Task::Change { conversation, change } => ("Change", format!("[{}] {}", conversation.as_str(), changes(change))),
        Task::FindByBlob { blob } => ("FindByBlob", blob.clone()),
        Task::Stream { application, user, number, action } => {
            ("Stream", format!("{application} {user}:{number} {action:?}"))
        }
        Task::PlaceCall { users, voicemail } => {
            ("PlaceCall", format!("{}{}", all(users), if *voicemail { " voicemail" } else { "" }))
        }
        Task::Call { call, control: CallControl::Video { send, start } } => {
            ("Call", format!("{} Video send={send} start={start}", call.as_str()))
        }
        Task::Call { call, control: CallControl::Device { role, device } } => {
            ("Call", format!("{} Device {role:?} {device}", call.as_str()))
        }
        Task::Call { call, control } => ("Call", format!("{} {control:?}", call.as_str())),
        Task::Voicemail { voicemail, action, device } => {
            ("Voicemail", format!("{} {} {device}", voicemail.as_str(), action.word()))
        }
        Task::SendSms { kind, numbers, reply_to, body } => {
            ("SendSms", format!("{} {} {reply_to:?} {body:?}", kind.word(), numbers.join(",")))
        }
        Task::File { file, accept } => (
            "File",
            format!("{} {}", file.as_str(), accept.as_deref().map_or("stop".to_owned(), |to| format!("into {to}"))),
        ),
        other => ("Other", format!("{other:?}")),
    }
}

fn changes(change: &Change) -> String {
    match change {
        Change::Invite(users) => format!("Invite {}", all(users)),
        Change::Kick { users, ban } => format!("{} {}", if *ban { "Ban" } else { "Kick" }, all(users)),
        Change::Password { password, hint } => format!("Password {password:?} {hint:?}"),
        Change::Role { user, role } => format!("Role {user} {}", role.word()),
        other => format!("{other:?}"),
    }
}

fn describe_login(login: &Login) -> String {
    match login {
        Login::Succeeded => "Login succeeded".to_owned(),
        Login::Refused { reason } => format!("Login refused {reason:?}"),
        Login::Unreachable { error } => format!("Login unreachable {:?}", error.to_string()),
        other => format!("{other:?}"),
    }
}

/// The client behind the mark (`a` if none is named) and the text behind the blank.
fn client_and_text(rest: &str) -> (&str, &str) {
    let (client, text) = rest.split_once(' ').unwrap_or((rest, ""));
    (if client.is_empty() { "a" } else { client }, text)
}

fn suffix(client: &str) -> &str {
    if client == "a" { "" } else { client }
}

fn visible(line: &str) -> String {
    let line = line.replace('\n', "⏎");
    line.strip_suffix(' ').map(|line| format!("{line}␠")).unwrap_or(line)
}

/// Splits at blanks, except between double quotes (also `name="Bob Example"`).
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut begun) = (String::new(), false, false);
    for char in text.chars() {
        match char {
            '"' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            char => {
                word.push(char);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// An engine on a network that can do this.
fn engine(abilities: &[Ability]) -> Engine {
    Engine::new(Setup {
        username: "alice".to_owned(),
        capabilities: Capabilities::messages_only(65_536).with(abilities),
        names: Arc::new(PlainNames),
        local_time: false,
        files: Some("/pics".to_owned()),
        send_limit: Duration::from_secs(86_400),
        seed: 1,
    })
}

fn replay(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).expect("a transcript");
    let mut stage = Stage::new(&text);
    if text.contains("@@ history") {
        stage.begin_again();
    }
    if !text.contains("@@ client a") {
        // Most conversations begin with everything in place.
        stage.input("@@", "online")?;
        stage.input("@@", "client a")?;
    }
    let mut at = String::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        at = format!("{}:{}: {line}", path.display(), number + 1);
        stage.step(line).map_err(|problem| format!("{at}\n  {problem}"))?;
    }
    let left = stage.leftovers();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("{at}\n  after it, this was said too:\n    {}", left.join("\n    ")))
    }
}

#[test]
fn every_conversation_goes_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert!(paths.len() >= 20, "only {} transcripts", paths.len());
    let mut report = String::new();
    for path in paths {
        if let Err(problem) = replay(&path) {
            let _ = writeln!(report, "{problem}\n");
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
