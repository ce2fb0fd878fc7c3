//! The one thread of a connection point: calls come in, replies and notifications go out.
//!
//! Nothing is taken from a session before what was taken last is with the bus, so all that waits for a bus that is
//! slow, waits in the queues of the clients, which have their bound.

use std::future::Future;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Sender;
use zbus::Message;
use zbus::message::Flags;
use zbus::message::Type;
use zruntime::SharedRuntime;

use super::NAME;
use super::Options;
use super::bell::Bell;
use super::bell::Stopping;
use super::bus;
use super::bus::Bus;
use super::calls;
use super::calls::Call;
use super::calls::Refusal;
use super::clients::Client;
use super::clients::Clients;
use crate::error::Error;
use crate::session::Session;
use crate::skype::Command;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Request;

/// A bus that has not let us in by then is no bus.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// The first and the longest pause before the bus is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// So many notifications of one client go out before the others have their turn.
const BATCH: usize = 64;

/// No command takes long: those that need the network are answered without it.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What clients hear at the end (transports 2.6).
const LAST_LINES: [&str; 2] = ["CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"];

/// Why nobody is attended any more.
enum End {
    /// The connection point is to end.
    Stopping,
    /// The bus has gone.
    Lost(String),
}

impl From<Stopping> for End {
    fn from(_: Stopping) -> Self {
        Self::Stopping
    }
}

/// The life of the thread. How it began is told to `opened`.
pub(super) fn run(options: Options, bell: &Arc<Bell>, opened: &Sender<Result<(), Error>>) {
    zbus::block_on(async {
        let bus = match bell.unless_stopped(open(options)).await {
            Ok(Ok(bus)) => bus,
            Ok(Err(error)) => return drop(opened.send(Err(error))),
            Err(Stopping) => return,
        };
        if opened.send(Ok(())).is_err() {
            return;
        }
        match bell.session().await {
            Ok(session) => {
                let mut worker = Worker { options, bell, session, clients: Clients::default(), calls_first: false };
                worker.serve(bus).await;
            }
            Err(Stopping) => within(GOODBYE, bus.close()).await.unwrap_or_default(),
        }
    });
}

async fn open(options: Options) -> Result<Bus, Error> {
    let opened = within(OPEN_LIMIT, Bus::open(options)).await;
    opened.unwrap_or_else(|| Err(bus::unreachable(options, &"it does not answer")))
}

/// Waits for `future`, but not for longer than `limit`.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut limit) = (pin!(future), pin!(sleep(limit)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

async fn sleep(pause: Duration) {
    // Cannot fail on a thread that runs one.
    if let Ok(runtime) = SharedRuntime::current() {
        runtime.sleep(pause).await;
    }
}

/// What there is to do.
enum Next {
    Message(Message),
    /// Lines wait for a client.
    Lines(Arc<str>),
    /// Replies are due.
    Replies,
}

struct Worker<'a> {
    options: Options,
    bell: &'a Arc<Bell>,
    session: Arc<Session>,
    clients: Clients,
    /// Whose turn it is if there is both.
    calls_first: bool,
}

impl Worker<'_> {
    async fn serve(&mut self, mut bus: Bus) {
        loop {
            match self.attend(&mut bus).await {
                End::Stopping => {
                    within(GOODBYE, self.say_goodbye(bus)).await.unwrap_or_default();
                    return;
                }
                End::Lost(reason) => tracing::warn!(reason, "the {} has gone; its clients with it", self.options.bus()),
            }
            self.clients.clear();
            drop(bus);
            bus = match self.bell.unless_stopped(reopen(self.options)).await {
                Ok(bus) => bus,
                Err(Stopping) => return,
            };
            tracing::warn!("{NAME} is on the {} again", self.options.bus());
        }
    }

    async fn say_goodbye(&mut self, bus: Bus) {
        for client in self.clients.named() {
            for line in LAST_LINES {
                if let Ok(message) = bus::notify(&client, line) {
                    // If the bus has gone, nobody is left to hear it.
                    let _ = bus.send(&message).await;
                }
            }
        }
        self.clients.clear();
        bus.close().await;
    }

    /// Does what there is to do, to the end.
    async fn attend(&mut self, bus: &mut Bus) -> End {
        loop {
            let done = match self.next(bus).await {
                Ok(Next::Message(message)) => self.take(bus, &message).await,
                Ok(Next::Lines(client)) => self.tell(bus, &client, BATCH).await,
                Ok(Next::Replies) => self.release(bus).await,
                Err(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn next(&mut self, bus: &mut Bus) -> Result<Next, End> {
        let bell = self.bell;
        self.calls_first = !self.calls_first;
        let mut due = pin!(self.clients.due().map(|due| sleep(due.saturating_duration_since(Instant::now()))));
        poll_fn(|context| {
            bell.listen(context);
            if bell.is_stopping() {
                return Poll::Ready(Err(End::Stopping));
            }
            if let Some(due) = due.as_mut().as_pin_mut()
                && due.poll(context).is_ready()
            {
                return Poll::Ready(Ok(Next::Replies));
            }
            let lines = || bell.next_ready().map(Next::Lines);
            if !self.calls_first
                && let Some(lines) = lines()
            {
                return Poll::Ready(Ok(lines));
            }
            match bus.poll(context) {
                Poll::Ready(Some(message)) => Poll::Ready(Ok(Next::Message(message))),
                Poll::Ready(None) => Poll::Ready(Err(End::Lost("it closed the connection".to_owned()))),
                Poll::Pending => lines().map_or(Poll::Pending, |lines| Poll::Ready(Ok(lines))),
            }
        })
        .await
    }

    async fn send(&self, bus: &Bus, message: zbus::Result<Message>) -> Result<(), End> {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "a message that no bus can carry was left out");
                return Ok(());
            }
        };
        self.bell.unless_stopped(bus.send(&message)).await?.map_err(|error| End::Lost(error.to_string()))
    }

    async fn take(&mut self, bus: &Bus, message: &Message) -> Result<(), End> {
        if message.message_type() == Type::MethodCall {
            return self.answer(bus, message).await;
        }
        // What clients and the bus have to say about notifications is of no use (transports 2.5).
        if let Some(name) = bus::gone(message)
            && self.clients.detach(&name)
        {
            tracing::debug!(peer = name, "client gone");
        }
        Ok(())
    }

    async fn answer(&mut self, bus: &Bus, call: &Message) -> Result<(), End> {
        let header = call.header();
        let (path, member) = (header.path().map_or("", |path| path), header.member().map_or("", |member| member));
        let interface = header.interface().map(|interface| interface.as_str());
        let signature = header.signature().to_string_no_parens();
        let asked = calls::asked(path, interface, member, &signature);
        let wanted = !header.primary().flags().contains(Flags::NO_REPLY_EXPECTED);
        let back = || Message::method_return(&header);
        let reply = match asked {
            Ok(Call::Invoke) => match self.invoke(bus, call, wanted).await? {
                Ok(()) => return Ok(()),
                Err(refusal) => Err(refusal),
            },
            Ok(Call::Introspect) => Ok(back().build(&calls::introspection(path))),
            Ok(Call::Ping) => Ok(back().build(&())),
            Ok(Call::MachineId) => machine_id().map(|id| back().build(&id)),
            Ok(Call::AllProperties) => no_properties(call).map(|none| back().build(&none)),
            Ok(Call::Property) => Err(Refusal(calls::UNKNOWN_PROPERTY, "no interface has properties".to_owned())),
            Err(refusal) => Err(refusal),
        };
        if !wanted {
            return Ok(());
        }
        let reply = reply.unwrap_or_else(|Refusal(name, text)| Message::error(&header, name).build(&text));
        self.send(bus, reply).await
    }

    /// Hands on a command, and has its reply and what came of it told.
    async fn invoke(&mut self, bus: &Bus, call: &Message, wanted: bool) -> Result<Result<(), Refusal>, End> {
        let header = call.header();
        let body = call.body();
        let (Some(sender), Ok(command)) = (header.sender(), body.deserialize::<&str>()) else {
            return Ok(Err(Refusal(calls::INVALID_ARGS, "a command is text, and somebody's".to_owned())));
        };
        let name = sender.as_str();
        let outcome = loop {
            if let Err(refusal) = self.clients.attach(name, &self.session, self.bell) {
                return Ok(Err(refusal));
            }
            // What came before the command is told before its reply.
            self.tell(bus, name, usize::MAX).await?;
            let Some(client) = self.clients.get_mut(name) else { continue };
            match client.session.invoke(command, REPLY_LIMIT) {
                // Notifications wait for replies that wait: now they can't any longer.
                Err(Error::QueueFull { .. }) => self.release_all(bus, name).await?,
                Err(Error::Detached { .. }) => self.give_up(name),
                outcome => break outcome,
            }
        };
        let request = Request::parse(command);
        let named = matches!(request, Ok(Request { command: Command::Name(_), .. })) && outcome.is_ok();
        let id = request.map_or_else(|refused| refused.id, |request| request.id);
        let reply = match outcome {
            Ok(reply) => Line::reply(id).part(&reply),
            // Longer than a command can be.
            Err(Error::InvalidArgument { .. }) => Line::reply(id).value(ErrorCode::GENERAL_SYNTAX_ERROR),
            Err(Error::NoReply) => Line::reply(id).value(ErrorCode::INTERNAL_ERROR),
            Err(error) => return Ok(Err(Refusal(calls::FAILED, error.chain()))),
        };
        let (reply, _) = reply.finish();
        let Some(client) = self.clients.get_mut(name) else { return Ok(Ok(())) };
        client.named |= named;
        let waits = client.holds() || (id.is_some() && !self.options.reply_delay.is_zero());
        let (waits, may_wait) = (waits && wanted, client.may_hold());
        let message = Message::method_return(&header).build(&reply);
        match message {
            Ok(message) if waits && may_wait => {
                let delay = if id.is_some() { self.options.reply_delay } else { Duration::ZERO };
                self.clients.hold(name, message, Instant::now() + delay);
            }
            message => {
                if waits {
                    self.release_all(bus, name).await?;
                }
                if wanted {
                    self.send(bus, message).await?;
                }
            }
        }
        self.tell(bus, name, BATCH).await?;
        Ok(Ok(()))
    }

    /// Sends what waits for a client, up to `most` lines, unless replies have to go first.
    async fn tell(&mut self, bus: &Bus, name: &str, most: usize) -> Result<(), End> {
        for _ in 0..most {
            let Some(client) = self.clients.get(name).filter(|client| !client.holds()) else { return Ok(()) };
            match client.session.poll_skype_notification(Some(Duration::ZERO)) {
                Ok(Some(line)) => self.send(bus, bus::notify(name, &line)).await?,
                Ok(None) => return Ok(()),
                Err(_) => {
                    self.give_up(name);
                    return Ok(());
                }
            }
        }
        self.bell.ring(name.into());
        Ok(())
    }

    /// Sends the replies that are due, and what waits behind them.
    async fn release(&mut self, bus: &Bus) -> Result<(), End> {
        while let Some((name, reply)) = self.clients.take_due(Instant::now()) {
            self.send(bus, Ok(reply)).await?;
            self.tell(bus, &name, BATCH).await?;
        }
        Ok(())
    }

    /// Sends all replies of a client, due or not, and what waits behind them.
    async fn release_all(&mut self, bus: &Bus, name: &str) -> Result<(), End> {
        while let Some(reply) = self.clients.take_of(name) {
            self.send(bus, Ok(reply)).await?;
        }
        self.tell(bus, name, usize::MAX).await
    }

    /// Lets go of a client whose session has: it left too much unread, or the account was closed.
    fn give_up(&mut self, name: &str) {
        let reason = self.clients.get(name).and_then(|client: &Client| client.session.standing().err());
        let reason = reason.map(|reason| reason.chain());
        tracing::warn!(peer = name, reason, "client given up");
        self.clients.detach(name);
    }
}

/// Tries to be on the bus again, for as long as it takes.
async fn reopen(options: Options) -> Bus {
    let mut pause = FIRST_PAUSE;
    loop {
        sleep(pause).await;
        match open(options).await {
            Ok(bus) => return bus,
            Err(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                tracing::warn!(error = error.chain(), pause_ms = pause.as_millis(), "not on the bus yet");
            }
        }
    }
}

/// The properties of an interface: none has any.
fn no_properties(call: &Message) -> Result<std::collections::HashMap<String, zbus::Variant<'static>>, Refusal> {
    let body = call.body();
    match body.deserialize::<&str>() {
        Ok(interface) if calls::is_interface(interface) => Ok(std::collections::HashMap::new()),
        _ => Err(Refusal(calls::UNKNOWN_INTERFACE, "the object has no such interface".to_owned())),
    }
}

fn machine_id() -> Result<String, Refusal> {
    let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    let mut texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let is_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = texts.find_map(|text| Some(text.trim().to_owned()).filter(|text| is_id(text)));
    id.ok_or_else(|| Refusal(calls::FAILED, "this machine has no id".to_owned()))
}
