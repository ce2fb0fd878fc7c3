//! The program in its world: the engine, driven as `session` drives it, on the account without threads. It may die at
//! every point of its work.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::disk::Disk;
use super::ledger::Asked;
use super::ledger::Ledger;
use super::ledger::Unkept;
use crate::backend::Ability;
use crate::backend::Action;
use crate::backend::Capabilities;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::imo::ImoNames;
use crate::backend::imo::threadless::Doing;
use crate::backend::imo::threadless::Post;
use crate::backend::imo::threadless::Threadless;
use crate::model::ObjectId;
use crate::translate::Attachment;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Login;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::Setup;
use crate::translate::Token;

/// The program has died.
#[derive(Debug)]
pub(super) struct Death;

/// A client: lines wait for it until it reads them.
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) queue: VecDeque<String>,
    pushed: usize,
    offers: VecDeque<(usize, ObjectId)>,
}

pub(super) struct Program {
    pub(super) life: u32,
    engine: Engine,
    pub(super) backend: Threadless,
    pub(super) clients: Vec<Client>,
    next_client: u32,
    outputs: Vec<Output>,
    /// After how many points it dies.
    pub(super) fuse: Option<u32>,
    /// How the first login went.
    pub(super) login: Option<bool>,
}

impl Program {
    /// Starts it, with one client.
    pub(super) fn start(
        life: u32,
        disk: &Disk,
        send_limit: Duration,
        fuse: Option<u32>,
        now: Now,
        ledger: &mut Ledger,
    ) -> Result<Self, Death> {
        let mut engine = Engine::new(Setup {
            username: "alice".to_owned(),
            capabilities: Capabilities::messages_only(65_536).with(&[Ability::Contacts, Ability::Conversations]),
            names: Arc::new(ImoNames),
            local_time: false,
            files: None,
            send_limit,
            seed: u64::from(life) + 77,
        });
        engine.restore(Box::new(disk.clone())).map_err(|_| Death)?;
        let mut program = Self {
            life,
            engine,
            backend: Threadless::default(),
            clients: Vec::new(),
            next_client: 1,
            outputs: Vec::new(),
            fuse,
            login: None,
        };
        program.turn(now, ledger, None, |engine, outputs| engine.resume(now, outputs))?;
        let client = program.new_client();
        program.turn(now, ledger, None, |engine, outputs| {
            engine.login(now, outputs);
            engine.attach(client, Attachment::Direct, outputs);
        })?;
        Ok(program)
    }

    fn new_client(&mut self) -> ClientId {
        let id = ClientId(self.next_client);
        self.next_client += 1;
        self.clients.push(Client { id, queue: VecDeque::new(), pushed: 0, offers: VecDeque::new() });
        id
    }

    pub(super) fn attach(&mut self, now: Now, ledger: &mut Ledger) -> Result<(), Death> {
        let client = self.new_client();
        self.turn(now, ledger, None, |engine, outputs| engine.attach(client, Attachment::Direct, outputs))
    }

    /// A client goes.
    pub(super) fn leave(&mut self, place: usize, now: Now, ledger: &mut Ledger) -> Result<(), Death> {
        // What it has read counts before it goes.
        self.see_what_was_taken(ledger);
        let client = self.clients.remove(place);
        self.turn(now, ledger, None, |engine, outputs| {
            engine.detach(client.id, outputs);
            client.offers.iter().for_each(|(_, message)| engine.not_taken(*message, outputs));
        })
    }

    /// A client says something to the program.
    pub(super) fn command(
        &mut self,
        place: usize,
        line: &str,
        asked: &Asked,
        now: Now,
        ledger: &mut Ledger,
    ) -> Result<(), Death> {
        let client = self.clients[place].id;
        self.turn(now, ledger, Some(asked), |engine, outputs| {
            engine.client_line(client, Token(0), line, now, outputs);
        })
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.engine.timeout()
    }

    pub(super) fn on_timeout(&mut self, now: Now, ledger: &mut Ledger) -> Result<(), Death> {
        self.turn(now, ledger, None, |engine, outputs| {
            if engine.timeout().is_some_and(|due| due <= now.monotonic) {
                engine.on_timeout(now, outputs);
            }
        })
    }

    /// Does one thing that waits for nothing: `None` if there is no such thing.
    pub(super) fn go_on(&mut self, now: Now, ledger: &mut Ledger) -> Result<Option<Option<Post>>, Death> {
        match self.backend.next() {
            None => Ok(None),
            Some(Doing::Post(post)) => Ok(Some(Some(post))),
            Some(Doing::Tell(event)) => {
                ledger.note(|| format!("event {event:?}"));
                let said = if let Event::Message(message) = &event { Some(message.body.clone()) } else { None };
                self.turn(now, ledger, None, |engine, outputs| engine.backend_event(event, now, outputs))?;
                said.into_iter().for_each(|body| ledger.unkept(Unkept::Body(body)));
                self.point()?;
                Ok(Some(None))
            }
        }
    }

    /// Ends in an orderly way.
    pub(super) fn end(mut self, now: Now, ledger: &mut Ledger) -> Result<(), Death> {
        while !self.clients.is_empty() {
            self.leave(0, now, ledger)?;
        }
        self.engine.end();
        for event in self.backend.stop() {
            ledger.note(|| format!("event {event:?}"));
            self.turn(now, ledger, None, |engine, outputs| engine.backend_event(event, now, outputs))?;
        }
        self.turn(now, ledger, None, |engine, _| engine.finish(now))
    }

    fn point(&mut self) -> Result<(), Death> {
        match &mut self.fuse {
            None => Ok(()),
            Some(0) => Err(Death),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// As `Shared::turn` and `Shared::hand_out`.
    fn turn(
        &mut self,
        now: Now,
        ledger: &mut Ledger,
        asked: Option<&Asked>,
        work: impl FnOnce(&mut Engine, &mut Vec<Output>),
    ) -> Result<(), Death> {
        self.see_what_was_taken(ledger);
        work(&mut self.engine, &mut self.outputs);
        self.point()?;
        self.engine.save(now);
        self.point()?;
        let mut outputs = std::mem::take(&mut self.outputs);
        while !outputs.is_empty() {
            for output in outputs.drain(..) {
                self.hand_out(output, now, ledger, asked);
                self.point()?;
            }
            std::mem::swap(&mut outputs, &mut self.outputs);
            self.engine.save(now);
        }
        Ok(())
    }

    fn hand_out(&mut self, output: Output, now: Now, ledger: &mut Ledger, asked: Option<&Asked>) {
        match output {
            Output::Reply { client, line, start, .. } => {
                ledger.replied(asked, &line[start..]);
                self.push(client, line);
            }
            Output::ToClient(client, line) => {
                ledger.told(self.life, client, &line);
                self.push(client, line);
            }
            Output::Offered(client, message) => {
                ledger.offered(message.0);
                match self.clients.iter_mut().find(|known| known.id == client) {
                    Some(client) => client.offers.push_back((client.pushed, message)),
                    None => self.engine.not_taken(message, &mut self.outputs),
                }
            }
            Output::ToBackend(action) => {
                if let Err(Action::Task { ticket, .. }) = self.backend.submit(action) {
                    let event = Event::Done { ticket, outcome: Err(Failure::NotConnected) };
                    self.engine.backend_event(event, now, &mut self.outputs);
                }
            }
            Output::Login(login) => self.login = Some(matches!(login, Login::Succeeded)),
            _ => {}
        }
    }

    fn push(&mut self, client: ClientId, line: String) {
        if let Some(client) = self.clients.iter_mut().find(|known| known.id == client) {
            client.pushed += 1;
            client.queue.push_back(line);
        }
    }

    fn see_what_was_taken(&mut self, ledger: &mut Ledger) {
        for client in &mut self.clients {
            let taken = client.pushed - client.queue.len();
            while let Some((line, message)) = client.offers.front().copied()
                && line <= taken
            {
                client.offers.pop_front();
                self.engine.heard(message);
                ledger.taken(self.life, message.0);
            }
        }
    }
}
