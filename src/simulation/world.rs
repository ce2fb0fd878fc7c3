//! A world of one seed: the account's program, its clients, the server, the others, the way between, and what goes
//! wrong there.

use std::time::Duration;

use super::dice::Dice;
use super::disk::Disk;
use super::gateway::Gateway;
use super::gateway::Served;
use super::gateway::Stranger;
use super::ledger::Asked;
use super::ledger::Ledger;
use super::ledger::Rules;
use super::program::Death;
use super::program::Program;
use crate::backend::imo::threadless::Post;
use crate::backend::imo::threadless::Reply;
use crate::imo;
use crate::translate::Now;

/// When every world begins.
const BEGINNING: u64 = 1_353_571_200;

/// Something on its way.
enum Flight {
    Up(u32, Post),
    /// The same once more, of which nobody knows.
    Copy(u32, Post),
    Down(u32, u64, imo::Answer),
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    GoOn,
    Carry,
    Command,
    Read,
    Say,
    Wait,
    Come,
    Leave,
    Lose,
    Refuse,
    Late,
    Cut,
    Die,
    End,
    GatewayDies,
    Disk,
}

/// A message that another has sent.
pub(super) struct Sent {
    pub(super) place: &'static str,
    pub(super) body: String,
}

pub(super) struct World {
    dice: Dice,
    clock: Duration,
    started: Duration,
    pub(super) gateway: Gateway,
    disk: Disk,
    pub(super) program: Option<Program>,
    lives: u32,
    flights: Vec<Flight>,
    pub(super) ledger: Ledger,
    pub(super) sent: Vec<Sent>,
    commands: u32,
    /// The name of the chat of several, once a client knows it.
    chat: Option<String>,
    send_limit: Duration,
    /// How often what goes wrong, in this world.
    faults: [usize; 9],
}

impl World {
    pub(super) fn new(seed: u64, disk: &Disk, traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        disk.clear();
        let strangers = [Stranger::Zero, Stranger::Expired, Stranger::Reset, Stranger::Page];
        let stranger = strangers[dice.below(strangers.len())];
        let rules = Rules { marks: dice.percent(85), impatient: dice.percent(8) };
        let faults = std::array::from_fn(|_| if dice.percent(40) { 0 } else { 1 + dice.below(5) });
        Self {
            gateway: Gateway::new(rules.marks, stranger),
            clock: Duration::ZERO,
            started: Duration::ZERO,
            disk: disk.clone(),
            program: None,
            lives: 0,
            flights: Vec::new(),
            ledger: Ledger::new(rules, disk.clone(), traced),
            sent: Vec::new(),
            commands: 0,
            chat: None,
            send_limit: Duration::from_secs(if rules.impatient { 30 } else { 10_000_000 }),
            faults,
            dice,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { monotonic: self.clock - self.started, unix: BEGINNING + self.clock.as_secs() }
    }

    /// Lets things happen, well and badly.
    pub(super) fn live(&mut self) {
        let steps = 60 + self.dice.below(140);
        let [lose, refuse, late, cut, die, end, gateway, disk, leave] = self.faults;
        let disk = if self.dice.percent(25) { disk } else { 0 };
        let choices = [
            (60, Choice::GoOn),
            (40, Choice::Carry),
            (16, Choice::Command),
            (12, Choice::Read),
            (8, Choice::Say),
            (6, Choice::Wait),
            (2, Choice::Come),
            (leave, Choice::Leave),
            (lose, Choice::Lose),
            (refuse, Choice::Refuse),
            (late, Choice::Late),
            (cut, Choice::Cut),
            (die, Choice::Die),
            (end.min(2), Choice::End),
            (gateway.min(2), Choice::GatewayDies),
            (disk, Choice::Disk),
        ];
        for _ in 0..steps {
            if self.ledger.wrong.is_some() {
                return;
            }
            let choice = self.dice.pick(&choices);
            self.happen(choice);
        }
    }

    fn happen(&mut self, choice: Choice) {
        match choice {
            Choice::Carry => return self.carry(),
            Choice::Say => return self.say(),
            Choice::Wait => return self.wait(),
            Choice::Lose => return self.lose(),
            Choice::GatewayDies => {
                self.ledger.note(|| "THE GATEWAY DIES".to_owned());
                for (life, number) in self.gateway.crash() {
                    if let Some(program) = self.program.as_mut().filter(|program| program.life == life) {
                        program.backend.reply(number, Reply::Lost);
                    }
                }
                return;
            }
            Choice::Disk => {
                let full = !self.disk.is_full();
                self.ledger.note(|| format!("THE DISK IS {}", if full { "FULL" } else { "FREE" }));
                return self.disk.set_full(full);
            }
            Choice::Die => {
                let points = self.dice.below(12);
                let fuse = u32::try_from(points).unwrap_or_default();
                self.ledger.note(|| format!("THE PROGRAM WILL DIE IN {fuse} POINTS"));
                if let Some(program) = &mut self.program {
                    program.fuse.get_or_insert(fuse);
                }
                return;
            }
            _ => {}
        }
        let Some(mut program) = self.program.take() else { return self.start() };
        let alive = match choice {
            Choice::GoOn => self.go_on(&mut program),
            Choice::Command => self.command(&mut program),
            Choice::Read => {
                self.read(&mut program);
                Ok(())
            }
            Choice::Come if program.clients.len() < 3 => {
                self.ledger.note(|| "a client comes".to_owned());
                let now = self.now();
                program.attach(now, &mut self.ledger)
            }
            Choice::Leave if !program.clients.is_empty() => {
                let place = self.dice.below(program.clients.len());
                self.ledger.note(|| format!("client {} goes", program.clients[place].id.0));
                let now = self.now();
                program.leave(place, now, &mut self.ledger)
            }
            Choice::Refuse | Choice::Late | Choice::Cut => {
                self.trouble(choice, &mut program);
                Ok(())
            }
            Choice::End => {
                self.ledger.note(|| "the program ends".to_owned());
                let now = self.now();
                let ended = program.end(now, &mut self.ledger);
                return self.died(ended.is_ok());
            }
            _ => Ok(()),
        };
        match alive {
            // Whoever cannot log in gives up; somebody starts it again.
            Ok(()) if program.login == Some(false) => {
                let now = self.now();
                let ended = program.end(now, &mut self.ledger);
                self.died(ended.is_ok());
            }
            Ok(()) => self.program = Some(program),
            Err(Death) => self.died(false),
        }
    }

    fn start(&mut self) {
        self.lives += 1;
        self.started = self.clock;
        let life = self.lives;
        let now = self.now();
        let fuse = if self.faults[4] > 3 && self.dice.percent(10) { Some(3) } else { None };
        self.ledger.note(|| format!("the program starts, life {life}"));
        match Program::start(life, &self.disk, self.send_limit, fuse, now, &mut self.ledger) {
            Ok(program) => self.program = Some(program),
            Err(Death) => self.died(false),
        }
    }

    fn died(&mut self, orderly: bool) {
        self.ledger.note(|| if orderly { "the program has ended" } else { "THE PROGRAM DIES" }.to_owned());
        self.ledger.died();
        self.disk.open_again();
        // Answers find nobody; what was posted may still arrive.
        self.flights.retain(|flight| !matches!(flight, Flight::Down(..)));
    }

    fn go_on(&mut self, program: &mut Program) -> Result<(), Death> {
        let times = 1 + self.dice.below(6);
        for _ in 0..times {
            if !self.one_step(program)? {
                break;
            }
        }
        Ok(())
    }

    fn one_step(&mut self, program: &mut Program) -> Result<bool, Death> {
        let now = self.now();
        match program.go_on(now, &mut self.ledger)? {
            None => return Ok(false),
            Some(None) => {}
            Some(Some(post)) => {
                self.ledger.note(|| format!("post {} {}", post.number, shown(&post.envelope)));
                self.flights.push(Flight::Up(program.life, post));
            }
        }
        Ok(true)
    }

    /// Something arrives: mostly what has been under way the longest.
    fn carry(&mut self) {
        if self.flights.is_empty() {
            return;
        }
        let place = if self.dice.percent(70) { 0 } else { self.dice.below(self.flights.len()) };
        let twice = self.faults[2] > 0 && self.dice.percent(5);
        let talkative = self.dice.percent(40);
        match self.flights.remove(place) {
            Flight::Up(life, post) | Flight::Copy(life, post) => {
                self.serve(life, &post, talkative);
                if twice {
                    self.ledger.note(|| format!("post {} is on its way once more", post.number));
                    self.flights.push(Flight::Copy(life, post));
                }
            }
            Flight::Down(life, number, answer) => {
                if let Some(program) = self.program.as_mut().filter(|program| program.life == life) {
                    self.ledger.note(|| format!("answer {number} {}", answer.data));
                    program.backend.reply(number, Reply::Answer(answer));
                }
            }
        }
    }

    fn serve(&mut self, life: u32, post: &Post, talkative: bool) {
        self.ledger.note(|| format!("the gateway has post {} of life {life}", post.number));
        match self.gateway.serve((life, post.number), post.opening, &post.envelope, talkative) {
            Served::Answer(answer) => self.flights.push(Flight::Down(life, post.number, answer)),
            Served::Page => {
                if let Some(program) = self.program.as_mut().filter(|program| program.life == life) {
                    program.backend.reply(post.number, Reply::Page);
                }
            }
            Served::Held => {}
        }
        self.look_at_the_gateway();
    }

    fn look_at_the_gateway(&mut self) {
        for ((life, number), answer) in self.gateway.answered.drain(..) {
            self.flights.push(Flight::Down(life, number, answer));
        }
    }

    fn say(&mut self) {
        let (place, author) =
            self.dice.pick(&[(3, ("bob", "bob")), (1, ("carol", "carol")), (1, ("c1;", "bob")), (1, ("c1;", "carol"))]);
        let body = format!("i{}", self.sent.len());
        self.ledger.note(|| format!("{author} says {body} in {place}"));
        self.gateway.say(place, author, body.clone(), BEGINNING + self.clock.as_secs());
        self.sent.push(Sent { place, body });
        self.look_at_the_gateway();
    }

    /// Time goes by.
    fn wait(&mut self) {
        let most = if self.dice.percent(80) { 3_000 } else { 70_000 };
        let millis = self.dice.below(most) as u64;
        self.pass(Duration::from_millis(millis));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.clock + time;
        let mut rings = 0;
        while let Some(due) = self.program.as_ref().and_then(Program::timeout).map(|due| self.started + due)
            && due <= end
        {
            let stuck = self.clock == due;
            self.clock = self.clock.max(due);
            self.ring();
            rings += usize::from(stuck);
            if rings > 1_000 {
                return self.ledger.must(false, || "something is due for ever".to_owned());
            }
        }
        self.clock = end;
    }

    fn ring(&mut self) {
        let now = self.now();
        self.ledger.note(|| format!("it is {:?}", now.monotonic));
        let Some(mut program) = self.program.take() else { return };
        match program.on_timeout(now, &mut self.ledger) {
            Ok(()) => self.program = Some(program),
            Err(Death) => self.died(false),
        }
    }

    /// Something does not arrive.
    fn lose(&mut self) {
        if self.flights.is_empty() {
            return;
        }
        let place = self.dice.below(self.flights.len());
        let (life, number, what) = match self.flights.remove(place) {
            Flight::Copy(..) => return,
            Flight::Up(life, post) => (life, post.number, "POST"),
            Flight::Down(life, number, _) => (life, number, "ANSWER"),
        };
        self.ledger.note(|| format!("{what} {number} IS LOST"));
        if let Some(program) = self.program.as_mut().filter(|program| program.life == life) {
            program.backend.reply(number, Reply::Lost);
        }
    }

    /// The program hears nothing any more of something that may still arrive, or could not be posted.
    fn trouble(&mut self, choice: Choice, program: &mut Program) {
        let life = program.life;
        let mine = |flight: &Flight| matches!(flight, Flight::Up(of, _) if *of == life);
        let Some(place) = self.flights.iter().rposition(mine) else { return };
        let Flight::Up(_, post) = &self.flights[place] else { return };
        let number = post.number;
        let reply = match choice {
            Choice::Refuse => {
                self.flights.remove(place);
                Reply::NotReached
            }
            _ => Reply::Lost,
        };
        self.ledger.note(|| format!("POST {number}: {choice:?}"));
        program.backend.reply(number, reply);
        if choice == Choice::Cut {
            // Answers that are on their way go with it.
            let answers: Vec<_> = self.flights.extract_if(.., |flight| matches!(flight, Flight::Down(..))).collect();
            for answer in answers {
                if let Flight::Down(_, number, _) = answer {
                    program.backend.reply(number, Reply::Lost);
                }
            }
        }
    }

    fn read(&mut self, program: &mut Program) {
        if program.clients.is_empty() {
            return;
        }
        let place = self.dice.below(program.clients.len());
        let most = if self.dice.percent(60) { 100 } else { 3 };
        let client = &mut program.clients[place];
        let mut count = 0;
        while count < most
            && let Some(line) = client.queue.pop_front()
        {
            count += 1;
            // Only the chat of several is called after its topic or its first members; dialogs are asked for by name.
            if line.starts_with("CHAT ") && line.ends_with("STATUS MULTI_SUBSCRIBED") {
                self.chat = line.split(' ').nth(1).map(str::to_owned);
            }
        }
        self.ledger.note(|| format!("client {} reads {count} lines", program.clients[place].id.0));
    }

    fn command(&mut self, program: &mut Program) -> Result<(), Death> {
        if program.clients.is_empty() {
            return Ok(());
        }
        let client = self.dice.below(program.clients.len());
        let kind = self.dice.pick(&[(6, 0), (1, 1), (1, 2), (1, 3)]);
        let of = |ids: Vec<u32>, dice: &mut Dice| if ids.is_empty() { None } else { Some(ids[dice.below(ids.len())]) };
        let (line, asked) = match kind {
            0 => {
                let body = format!("o{}", self.commands);
                let place = self.dice.pick(&[(3, "bob"), (1, "carol"), (2, "c1;")]);
                let line = match (place, &self.chat) {
                    ("c1;", Some(chat)) => format!("CHATMESSAGE {chat} {body}"),
                    ("c1;", None) => return Ok(()),
                    _ => format!("MESSAGE {place} {body}"),
                };
                (line, Asked::Say { place: place.to_owned(), body })
            }
            1 => {
                let ids = self.ledger.bodies.keys().chain(&self.ledger.arrived).copied().collect();
                let Some(id) = of(ids, &mut self.dice) else { return Ok(()) };
                (format!("GET CHATMESSAGE {id} BODY"), Asked::Body(id))
            }
            2 => {
                let Some(id) = of(self.ledger.arrived.iter().copied().collect(), &mut self.dice) else { return Ok(()) };
                self.ledger.maybe_seen.insert(id);
                (format!("SET CHATMESSAGE {id} SEEN"), Asked::Seen(id))
            }
            _ => ("SEARCH MISSEDCHATMESSAGES".to_owned(), Asked::Missed),
        };
        self.ask(program, client, &line, &asked)
    }

    fn ask(&mut self, program: &mut Program, client: usize, line: &str, asked: &Asked) -> Result<(), Death> {
        self.commands += 1;
        let line = format!("#{} {line}", self.commands);
        self.ledger.note(|| format!("client {} > {line}", program.clients[client].id.0));
        let now = self.now();
        program.command(client, &line, asked, now, &mut self.ledger)
    }

    /// The reply to a question of the last client, when nothing goes wrong any more.
    pub(super) fn question(&mut self, line: &str, asked: &Asked) -> String {
        let Some(mut program) = self.program.take() else { return String::new() };
        self.ledger.reply.clear();
        let client = program.clients.len() - 1;
        if self.ask(&mut program, client, line, asked).is_ok() {
            program.clients[client].queue.clear();
            self.program = Some(program);
        }
        self.ledger.reply.clone()
    }

    /// Nothing goes wrong any more: everything comes to its end.
    pub(super) fn settle(&mut self) {
        self.ledger.note(|| "FROM NOW ON ALL IS WELL".to_owned());
        self.disk.set_full(false);
        if let Some(program) = &mut self.program {
            program.fuse = None;
        }
        self.faults = [0; 9];
        for _ in 0..400 {
            if self.program.is_none() {
                self.start();
            }
            let Some(mut program) = self.program.take() else { continue };
            if program.clients.is_empty() {
                let now = self.now();
                // Without a fuse nobody dies.
                let _ = program.attach(now, &mut self.ledger);
            }
            while let Ok(true) = self.one_step(&mut program) {}
            while !program.clients.is_empty() && program.clients.iter().any(|client| !client.queue.is_empty()) {
                self.read(&mut program);
            }
            let given_up = program.login == Some(false);
            self.program = Some(program);
            if given_up {
                self.happen(Choice::End);
            } else if !self.flights.is_empty() {
                self.carry();
            } else if self.is_quiet() {
                // What clients have heard is kept a little later.
                self.pass(Duration::from_secs(100));
                if self.flights.is_empty() && self.is_quiet() {
                    return;
                }
            } else {
                self.pass(Duration::from_secs(61));
            }
        }
        self.ledger.must(false, || "things do not come to an end".to_owned());
    }

    fn is_quiet(&mut self) -> bool {
        if !self.gateway.mailbox.is_empty() || self.program.as_ref().and_then(|program| program.login) != Some(true) {
            return false;
        }
        let open = self.ledger.said.iter().filter(|said| !self.ledger.is_lost(said.id));
        let open: Vec<_> = open.map(|said| said.id).collect();
        open.into_iter()
            .all(|id| !self.question(&format!("GET CHATMESSAGE {id} STATUS"), &Asked::Other).ends_with("SENDING"))
    }

    /// The program dies when all is well, and comes again.
    pub(super) fn die_and_come_again(&mut self) {
        self.program = None;
        self.died(false);
        self.flights.clear();
        self.settle();
    }
}

/// A post in short.
fn shown(envelope: &imo::Envelope) -> String {
    let ssid = envelope.ssid.as_deref().unwrap_or_default();
    match envelope.messages.first() {
        None => format!("poll {ssid} ack {}", envelope.ack.unwrap_or_default()),
        Some(message) => {
            let seq = message.seq.unwrap_or_default();
            format!("request {ssid} seq {seq} ack {} {}", envelope.ack.unwrap_or_default(), message.data)
        }
    }
}
