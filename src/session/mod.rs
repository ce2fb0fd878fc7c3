//! The driver of a session: the engine behind its lock, the clients' queues, the clock.

mod browser;
mod callbacks;
mod feed;
mod files;
mod history;
mod lines;
mod members;
mod network;
mod overview;
mod pending;
mod queue;
mod signal;
mod timer;

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use crossbeam_channel::Sender;
use crossbeam_channel::bounded;

use crate::backend::Action;
use crate::backend::Backend;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Task;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;
use crate::model::Admission;
use crate::translate::Attachment;
use crate::translate::Click;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::FileTask;
use crate::translate::Login;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::Setup;
use crate::translate::Token;

use browser::Browser;
#[doc(hidden)]
pub use browser::Opener;
pub use callbacks::Callback;
use callbacks::Callbacks;
use callbacks::Listener;
use feed::Feed;
pub use files::Carried;
use history::Disk;
use members::Member;
use network::Keep;
use network::backend_for;
use network::with_server;
pub use overview::ClientOverview;
pub use overview::Counts;
pub use overview::Overview;
pub use pending::Pending;
use pending::Waiter;
use queue::Mode;
use queue::Queue;
pub use queue::Waker;
use timer::Alarm;
use timer::Timer;

/// The longest command, in bytes; a SkypeProxy frame has the same bound.
pub const MAX_COMMAND: usize = 1 << 20;

/// How long the last client's close may take for logging out.
const LOGOUT_GRACE: Duration = Duration::from_secs(3);

/// One account, logged in on one network, that speaks and understands the Skype API.
///
/// Commands go in by [`send_skype_command`](Self::send_skype_command); replies and notifications
/// come out, in one ordered stream, by [`poll_skype_notification`](Self::poll_skype_notification).
/// A session may be used from several threads at once. Dropping it closes it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use imo2skype::{Config, Session};
///
/// // Without a server, a gateway inside this process is the network.
/// let session = Session::open(Config::new("alice", "secret"))?;
/// let reply = session.invoke("GET CURRENTUSERHANDLE", Duration::from_secs(10))?;
/// assert_eq!(reply, "CURRENTUSERHANDLE alice");
/// # Ok::<(), imo2skype::Error>(())
/// ```
pub struct Session {
    shared: Arc<Shared>,
    client: ClientId,
    listener: Arc<Listener>,
    callbacks: Mutex<Option<Arc<Callbacks>>>,
    /// Whether the client has left; a panic closes its queue before that.
    left: AtomicBool,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Session>();
};

/// What all clients of one login share.
struct Shared {
    core: Mutex<Core>,
    started: Instant,
    tokens: AtomicU64,
    /// Set when the last client has gone: nothing more is taken from the network.
    over: AtomicBool,
    /// Where there is a history in a file.
    disk: Option<Disk>,
    /// Whether something came from the network that may not outlive a power failure.
    unsettled: AtomicBool,
    settling: Mutex<()>,
    queue_limit: usize,
    /// The folder below which clients may have files read and written.
    files: Option<String>,
    /// Where the pages of calls are opened, if the user wants that.
    browser: Option<Browser>,
    timer: Arc<Timer>,
    /// That of the caller who has opened the session: what is logged of it is in there, on whichever thread.
    span: tracing::Span,
    this: Weak<Shared>,
    /// Kept for as long as the session uses it.
    _gateway: Option<Keep>,
}

struct Core {
    engine: Engine,
    backend: Option<Box<dyn Backend>>,
    clients: Vec<Member>,
    /// Clients that read nothing any more but keep the login, see [`Session::keep_only`].
    keepers: Vec<ClientId>,
    next_client: u32,
    /// Reused from turn to turn.
    outputs: Vec<Output>,
    waiters: Vec<Waiter>,
    /// Files that clients wait for.
    files: Vec<FileTask>,
    /// Pages of calls, to be opened.
    pages: Vec<String>,
    login: Option<Sender<Login>>,
    /// When to look what clients have heard, if nothing else makes us look before.
    look: Option<Duration>,
    /// The time for which the timer was asked last.
    ordered: Option<Duration>,
    /// When something came from the network.
    last_event: Option<Duration>,
    counts: Counts,
}

impl Session {
    /// Opens a session; unless `autologin` is off, it logs in and returns when that has succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::LoginRefused`] for a wrong name or password, [`Error::Network`] when the server
    /// cannot be reached, [`Error::InvalidArgument`] for an option that cannot be.
    pub fn open(config: Config) -> Result<Self> {
        let (config, gateway) = with_server(config)?;
        let backend = backend_for(&config)?;
        Self::start(&config, backend, Browser::of_the_user(), gateway)
    }

    /// Whether there could be such a session, as far as that can be seen without trying.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for an option that cannot be.
    #[doc(hidden)]
    pub fn check(config: &Config) -> Result<()> {
        if config.server.is_some() { backend_for(config).map(drop) } else { Ok(()) }
    }

    /// Opens a session on a given back end; for tests of this package.
    #[doc(hidden)]
    pub fn with_backend(config: &Config, backend: Box<dyn Backend>) -> Result<Self> {
        Self::start(config, backend, Browser::of_the_user(), None)
    }

    /// The same with a browser; for tests of this package.
    #[doc(hidden)]
    pub fn with_browser(config: &Config, backend: Box<dyn Backend>, open: Opener) -> Result<Self> {
        Self::start(config, backend, Browser::new(open), None)
    }

    fn start(config: &Config, mut backend: Box<dyn Backend>, browser: Browser, gateway: Option<Keep>) -> Result<Self> {
        let mut engine = Engine::new(Setup {
            username: config.username.clone(),
            capabilities: backend.capabilities(),
            names: backend.names(),
            local_time: config.local_time,
            files: config.files.clone(),
            send_limit: config.send_limit,
            seed: rand::random(),
        });
        engine.set_keep_online(config.keep_online);
        engine.admit(config.admission.clone(), &mut Vec::new());
        let disk = history::restore(&mut engine, config)?;
        let timer = Timer::shared()?;
        let shared = Arc::new_cyclic(|this| Shared {
            core: Mutex::new(Core {
                engine,
                backend: None,
                clients: Vec::new(),
                keepers: Vec::new(),
                next_client: 1,
                outputs: Vec::new(),
                waiters: Vec::new(),
                files: Vec::new(),
                pages: Vec::new(),
                login: None,
                look: None,
                ordered: None,
                last_event: None,
                counts: Counts::default(),
            }),
            started: Instant::now(),
            tokens: AtomicU64::new(0),
            over: AtomicBool::new(false),
            disk,
            unsettled: AtomicBool::new(false),
            settling: Mutex::new(()),
            queue_limit: config.queue_limit,
            files: config.files.clone(),
            browser: config.interactive.then_some(browser),
            timer,
            span: tracing::Span::current(),
            this: this.clone(),
            _gateway: gateway,
        });
        backend.start(Arc::new(Feed(Arc::downgrade(&shared))));
        shared.lock().backend = Some(backend);
        shared.turn(|core, now| core.engine.resume(now, &mut core.outputs))?;
        if !config.autologin {
            return shared.attach(Attachment::Direct, String::new(), None);
        }
        let (sender, outcome) = bounded(1);
        // Dropped on failure, the session ends what it started.
        let session = shared.attach(Attachment::Direct, String::new(), Some(sender))?;
        let server = || config.server.clone().unwrap_or_else(|| config.network.clone());
        // The engine gives up by itself; without an answer the session was closed meanwhile.
        match outcome.recv().map_err(|_| Error::Closed)? {
            Login::Succeeded => Ok(session),
            Login::Refused { reason } => {
                Err(Error::LoginRefused { username: config.username.clone(), server: server(), reason })
            }
            Login::Unreachable { error } => Err(Error::Network { server: server(), source: error }),
        }
    }

    /// Hands one line of the Skype API to the session, `MESSAGE echo123 hello` for one. The reply
    /// is a line of [`poll_skype_notification`](Self::poll_skype_notification).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for a command longer than 1 MiB or one with a NUL in it,
    /// [`Error::QueueFull`] while too many lines wait unread, [`Error::Closed`]. What the Skype
    /// API refuses is a reply, `ERROR n text`, not an error.
    pub fn send_skype_command(&self, command: &str) -> Result<()> {
        self.send(command, None)
    }

    fn send(&self, command: &str, waiter: Option<Waiter>) -> Result<()> {
        check_command(command)?;
        self.has_room()?;
        self.shared.span.in_scope(|| lines::command(self.client, command));
        let token = waiter.as_ref().map_or(Token(0), |waiter| waiter.token);
        self.shared.turn(|core, now| {
            // Asked again under the lock: a command that loses the race with a close is not
            // carried out, and no reply would come.
            self.standing()?;
            if !core.clients.iter().any(|member| member.id == self.client) {
                return Err(Error::Closed);
            }
            core.waiters.extend(waiter);
            core.counts.commands += 1;
            core.engine.client_line(self.client, token, command, now, &mut core.outputs);
            Ok(())
        })??;
        self.shared.work_on_files();
        Ok(())
    }

    /// The next reply or notification, `None` when none came within `timeout`. Without a timeout
    /// it waits for ever.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the session is closed, also for those who wait;
    /// [`Error::Detached`] when the client was given up for leaving too much unread;
    /// [`Error::InvalidArgument`] while a callback is set.
    pub fn poll_skype_notification(&self, timeout: Option<Duration>) -> Result<Option<String>> {
        self.listener.queue.poll(timeout)
    }

    /// Sends `command` and returns the reply to it, without its `#id`, whatever it is: an
    /// `ERROR n text` too. Notifications stay in the queue.
    ///
    /// # Errors
    ///
    /// As [`send_skype_command`](Self::send_skype_command), and [`Error::NoReply`] if none came
    /// within `timeout`.
    pub fn invoke(&self, command: &str, timeout: Duration) -> Result<String> {
        self.begin(command)?.wait(timeout)?.ok_or(Error::NoReply)
    }

    /// The first half of [`invoke`](Self::invoke), for those who wait in their own way.
    #[doc(hidden)]
    pub fn begin(&self, command: &str) -> Result<Pending> {
        let token = Token(self.shared.tokens.fetch_add(1, Ordering::Relaxed) + 1);
        let (sender, reply) = bounded(1);
        let pending = Pending {
            shared: self.shared.this.clone(),
            token,
            reply,
            #[cfg(unix)]
            signal: std::sync::OnceLock::new(),
        };
        self.send(command, Some(Waiter { client: self.client, token, reply: Some(sender), signal: None }))?;
        Ok(pending)
    }

    /// One more client of the same login, with its own protocol version, ids and queue.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when this session is closed.
    pub fn attach(&self) -> Result<Self> {
        self.attach_as(Attachment::Direct, String::new())
    }

    /// One more client that came by a connection point; `peer` tells people which and whence: `skypeproxy 127.0.0.1:40712`.
    #[doc(hidden)]
    pub fn attach_as(&self, attachment: Attachment, peer: String) -> Result<Self> {
        if self.listener.queue.mode() == Mode::Closed {
            return Err(Error::Closed);
        }
        self.shared.attach(attachment, peer, None)
    }

    /// From now on these rules say who may do what.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when this session is closed.
    #[doc(hidden)]
    pub fn admit(&self, admission: Admission) -> Result<()> {
        self.shared.turn(|core, _| core.engine.admit(admission, &mut core.outputs))
    }

    /// Has `waker` called when a line comes, or the end, after [`poll_skype_notification`](Self::poll_skype_notification)
    /// has found nothing. For connection points that have one thread for many clients; set once, at the beginning.
    #[doc(hidden)]
    pub fn set_waker(&self, waker: Waker) {
        self.listener.queue.set_waker(waker);
    }

    /// From now on this client keeps the login alive and does nothing else: no line reaches it, so
    /// nobody has to poll it, and it does not count when the bound of another client is judged.
    #[doc(hidden)]
    pub fn keep_only(&self) {
        // An error means that the session is closed, and then there is nothing to keep.
        let _ = self.shared.turn(|core, _| {
            let Some(index) = core.clients.iter().position(|member| member.id == self.client) else { return };
            let mut member = core.clients.remove(index);
            core.keepers.push(self.client);
            core.engine.detach(self.client, &mut core.outputs);
            member.forget_offers(&mut core.engine, &mut core.outputs);
            lines::detached(self.client, &member.peer);
            // Another client may have become the only one, and nobody waits for this one any more.
            self.listener.queue.reconsider_room();
        });
    }

    /// Tells the clients that have created it that somebody clicked an EVENT or a MENU_ITEM: for a program that shows
    /// what its plugins want to have shown.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when this session is closed.
    pub fn click(&self, click: &Click) -> Result<()> {
        self.standing()?;
        self.shared.turn(|core, _| core.engine.click(click, &mut core.outputs))
    }

    /// Puts a line of the connection point's own into this client's stream, behind what waits there.
    ///
    /// # Errors
    ///
    /// As [`send_skype_command`](Self::send_skype_command).
    #[doc(hidden)]
    pub fn answer(&self, line: &str) -> Result<()> {
        self.has_room()?;
        self.shared.turn(|core, _| {
            self.standing()?;
            core.push(self.client, line.to_owned());
            Ok(())
        })?
    }

    /// Whether this client still takes part.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] or [`Error::Detached`] when it does not.
    #[doc(hidden)]
    pub fn standing(&self) -> Result<()> {
        match self.listener.queue.mode() {
            Mode::Polling | Mode::Callback => Ok(()),
            Mode::Closed => Err(Error::Closed),
            Mode::Detached => Err(Error::Detached { unread: self.shared.queue_limit }),
        }
    }

    /// Whether this client takes part and has room for what a command brings.
    fn has_room(&self) -> Result<()> {
        self.standing()?;
        if self.listener.queue.is_full() {
            return Err(Error::QueueFull { unread: self.shared.queue_limit });
        }
        Ok(())
    }

    /// How many lines wait for this client.
    #[doc(hidden)]
    #[must_use]
    pub fn unread(&self) -> usize {
        self.listener.queue.len()
    }

    /// The number of this client, as the log shows it.
    #[doc(hidden)]
    #[must_use]
    pub fn client(&self) -> u32 {
        self.client.0
    }

    /// A descriptor that is readable while lines wait, and once the session is closed, for `poll(2)`
    /// and its kin. It belongs to the session: do not read it, do not close it.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the process has no descriptor left.
    #[cfg(unix)]
    pub fn notification_fd(&self) -> Result<std::os::fd::RawFd> {
        // Lines are pushed under the lock: none comes between making the descriptor and looking what waits.
        let _core = self.shared.lock();
        self.listener.queue.descriptor()
    }

    /// Has `callback` called with each line, on one thread of the library, one line at a time;
    /// `None` gives polling back. When this returns, the callback before has ended for good,
    /// unless it is the one that called.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the session is closed.
    pub fn set_notification_callback(&self, callback: Option<Callback>) -> Result<()> {
        self.standing()?;
        let callbacks = {
            let mut callbacks = self.callbacks.lock().unwrap_or_else(PoisonError::into_inner);
            match &*callbacks {
                Some(callbacks) => Arc::clone(callbacks),
                None if callback.is_none() => return Ok(()),
                None => Arc::clone(callbacks.insert(Callbacks::shared()?)),
            }
        };
        self.shared.turn(|core, _| {
            if let Some(member) = core.clients.iter_mut().find(|member| member.id == self.client) {
                member.callbacks = Some(Arc::clone(&callbacks));
            }
        })?;
        if callbacks.set(&self.listener, callback) { Ok(()) } else { self.standing() }
    }

    /// Closes this client: everyone who waits on it is woken. The last client of a login logs out
    /// and ends every thread of it. Closing twice does nothing.
    pub fn close(&self) {
        self.listener.queue.set_mode(Mode::Closed);
        if self.left.swap(true, Ordering::SeqCst) {
            return;
        }
        let callbacks = self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(callbacks) = &callbacks {
            callbacks.set(&self.listener, None);
        }
        self.shared.leave(self.client);
        // The last to let go waits for the thread, which may wait for the lock: not before the client has left.
        drop(callbacks);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("client", &self.client.0).finish_non_exhaustive()
    }
}

impl Shared {
    /// Adds a client; with `login` it also logs in, and tells there how that went.
    fn attach(&self, attachment: Attachment, peer: String, login: Option<Sender<Login>>) -> Result<Session> {
        let listener = Arc::new(Listener::new(Arc::new(Queue::new(self.queue_limit))));
        // No client is called so.
        let mut client = ClientId(0);
        let attached = self.turn(|core, now| {
            let id = ClientId(core.next_client);
            client = id;
            core.next_client += 1;
            lines::attached(id, &peer);
            core.clients.push(Member::new(id, peer, Arc::clone(&listener)));
            if login.is_some() {
                core.login = login;
                core.engine.login(now, &mut core.outputs);
            }
            core.engine.attach(id, attachment, &mut core.outputs);
            // The client that a full queue made the network wait for is no longer the only one.
            for member in &core.clients {
                member.listener.queue.reconsider_room();
            }
        });
        // Nobody gets a session that could leave later.
        attached.inspect_err(|_| self.leave(client))?;
        // Never dangling: `self` is inside the Arc.
        let shared = self.this.upgrade().ok_or(Error::Closed)?;
        Ok(Session { shared, client, listener, callbacks: Mutex::new(None), left: AtomicBool::new(false) })
    }

    fn leave(&self, client: ClientId) {
        let _span = self.span.enter();
        // An error means that the session is closed: nobody is left to learn of it.
        let _ = self.turn(|core, _| {
            core.engine.detach(client, &mut core.outputs);
            if let Some(member) = core.clients.iter_mut().find(|member| member.id == client) {
                member.forget_offers(&mut core.engine, &mut core.outputs);
            }
        });
        let backend = {
            let mut core = self.lock();
            core.clients.retain(|member| {
                let leaves = member.id == client;
                if leaves {
                    lines::detached(client, &member.peer);
                }
                !leaves
            });
            core.keepers.retain(|keeper| *keeper != client);
            // Nobody is left waiting for a reply that can't come any more.
            core.waiters.retain(|waiter| waiter.client != client);
            core.files.retain(|task| task.carried_by != Some(client));
            if !core.clients.is_empty() || !core.keepers.is_empty() {
                return;
            }
            // What nobody hears any more stays with the network, unless it can be kept.
            self.over.store(self.disk.is_none(), Ordering::SeqCst);
            core.waiters.clear();
            core.login = None;
            core.engine.end();
            core.backend.take()
        };
        if let Some(mut backend) = backend {
            backend.stop(LOGOUT_GRACE);
            let _ = self.turn(|core, now| core.engine.finish(now));
            self.over.store(true, Ordering::SeqCst);
        }
    }

    /// Runs the engine once and hands out what it says. Work under the lock is pure CPU.
    fn turn<R>(&self, work: impl FnOnce(&mut Core, Now) -> R) -> Result<R> {
        let _span = self.span.enter();
        let mut core = self.lock();
        if self.over.load(Ordering::SeqCst) {
            return Err(Error::Closed);
        }
        let now = self.now();
        let result = catch_unwind(AssertUnwindSafe(|| {
            core.see_what_was_taken();
            let result = work(&mut core, now);
            self.hand_out(&mut core, now);
            result
        }));
        let result = result.map_err(|_| {
            // The state can't be trusted any more; nobody is left waiting for it.
            self.over.store(true, Ordering::SeqCst);
            for member in &core.clients {
                member.listener.queue.set_mode(Mode::Closed);
            }
            core.waiters.clear();
            core.login = None;
            Error::Internal("a panic stopped this session".to_owned())
        });
        let pages = std::mem::take(&mut core.pages);
        drop(core);
        if let Some(browser) = &self.browser {
            pages.into_iter().for_each(|page| browser.open(page));
        }
        result
    }

    /// Reads and writes what commands have asked for: on the thread of the client, without the lock.
    fn work_on_files(&self) {
        // In a statement of its own: the lock is not held while the file is.
        while let Some(task) = { self.lock().next_file() } {
            let outcome = files::work(&task, self.files.as_deref());
            // An error means that the session is closed, and nobody waits any more.
            let _ = self.turn(|core, _| core.engine.file_done(task.number, outcome, &mut core.outputs));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        // Panics are caught inside the lock, see `turn`.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self, core: &mut Core, now: Now) {
        core.engine.save(now);
        let mut outputs = std::mem::take(&mut core.outputs);
        while !outputs.is_empty() {
            for output in outputs.drain(..) {
                match output {
                    Output::Reply { client, token, mut line, start } => {
                        let waiter = core.waiters.iter().position(|waiter| waiter.token == token);
                        if let Some(waiter) = waiter {
                            lines::notification(client, &line);
                            line.drain(..start);
                            core.waiters.swap_remove(waiter).answer(line);
                        } else {
                            core.push(client, line);
                        }
                    }
                    Output::ToClient(client, line) => core.push(client, line),
                    Output::Offered(client, message) => core.offer(client, message, now),
                    Output::ToBackend(action) => {
                        let message = matches!(&action, Action::Task { task: Task::SendText { .. }, .. });
                        let refused = core.backend.as_mut().and_then(|backend| backend.submit(action).err());
                        core.counts.sent += u64::from(message && refused.is_none());
                        if let Some(Action::Task { ticket, .. }) = refused {
                            let event = Event::Done { ticket, outcome: Err(Failure::NotConnected) };
                            core.engine.backend_event(event, now, &mut core.outputs);
                        }
                    }
                    Output::File(task) => core.files.push(task),
                    Output::CallPage(page) => core.pages.push(page),
                    Output::Login(login) => {
                        if let Some(waiting) = core.login.take() {
                            let _ = waiting.send(login);
                        }
                    }
                }
            }
            // What handing out made the engine say; the buffer with room goes on.
            std::mem::swap(&mut outputs, &mut core.outputs);
            core.engine.save(now);
        }
        core.outputs = outputs;
        let look = core.look.filter(|_| self.disk.is_some());
        if let Some(due) = [core.engine.timeout(), look].into_iter().flatten().min()
            && core.ordered.is_none_or(|ordered| due < ordered)
        {
            core.ordered = Some(due);
            let alarm: Weak<dyn Alarm> = self.this.clone();
            self.timer.order(self.started + due, alarm);
        }
    }

    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Now { monotonic: self.started.elapsed(), unix }
    }

    /// The queue of the only client, if there is just one.
    fn only_queue(&self) -> Option<Arc<Queue>> {
        match self.lock().clients.as_slice() {
            [only] => Some(Arc::clone(&only.listener.queue)),
            _ => None,
        }
    }
}

impl Alarm for Shared {
    fn ring(&self) {
        // An error means that the session is closed; nothing is due then.
        let _ = self.turn(|core, now| {
            core.ordered = None;
            core.look.take_if(|look| *look <= now.monotonic);
            if core.engine.timeout().is_some_and(|due| due <= now.monotonic) {
                core.engine.on_timeout(now, &mut core.outputs);
            }
        });
    }
}

fn check_command(command: &str) -> Result<()> {
    let problem = if command.len() > MAX_COMMAND {
        format!("{} bytes; a command has at most {MAX_COMMAND}", command.len())
    } else if command.contains('\0') {
        "has a NUL in it, which no command can have".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::InvalidArgument { name: "command", problem })
}

/// Waits for a thread, unless it is the one that asks.
fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread
        && thread.thread().id() != std::thread::current().id()
    {
        // A panic of that thread was reported when it happened.
        let _ = thread.join();
    }
}
