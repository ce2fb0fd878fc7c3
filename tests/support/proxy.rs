//! A network that fails as it is told to: what goes through it stops, disappears or is cut off anywhere.
#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// What happens to what goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// It goes through.
    Clear,
    /// It waits until the weather changes.
    Stalled,
    /// It disappears, and no connection ends.
    BlackHole,
}

/// What makes the proxy cut every connection that there is, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// So many bytes have gone through, all connections and both ways together.
    After(usize),
    /// The server has answered; the answer does not arrive.
    Answer,
}

/// How many bytes the next connection carries, both ways together, before it is cut.
type Budgets = Box<dyn FnMut() -> usize + Send>;

/// A way to a server through which everything goes that does not use the server's own address.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: String,
    inside: Arc<Inside>,
}

struct Inside {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    server: String,
    weather: Weather,
    budgets: Option<Budgets>,
    trap: Option<Trap>,
    /// How many connections are still to be refused.
    refusals: usize,
    open: Vec<Arc<Connection>>,
    held: Vec<Arc<Connection>>,
    /// How many requests wait in connections that are held.
    waiting: usize,
    /// How many connections were cut because they had carried enough.
    cuts: usize,
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    budget: Mutex<Option<usize>>,
    held: AtomicBool,
}

impl State {
    fn cut(&mut self) {
        for connection in self.open.drain(..) {
            connection.end();
        }
    }

    /// How many of the next bytes go through before the trap closes, if they close it.
    fn spring(&mut self, length: usize, answer: bool) -> Option<usize> {
        let passed = match self.trap? {
            Trap::After(left) if left >= length => {
                self.trap = Some(Trap::After(left - length));
                return None;
            }
            Trap::After(left) => left,
            Trap::Answer if answer => 0,
            Trap::Answer => return None,
        };
        self.trap = None;
        Some(passed)
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next bytes, as soon as they do not have to wait.
    fn passes(&self) -> bool {
        let state = self.changed.wait_while(self.lock(), |state| state.weather == Weather::Stalled);
        state.unwrap_or_else(PoisonError::into_inner).weather == Weather::Clear
    }
}

impl Inside {
    /// Waits until what the client says may go on; whether it had to.
    fn hold_back(&self, connection: &Connection) -> bool {
        let mut state = self.lock();
        let held = connection.is_held();
        if held {
            state.waiting += 1;
            self.changed.notify_all();
            let waited = self.changed.wait_while(state, |_| connection.is_held());
            waited.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
        }
        held
    }
}

impl Proxy {
    /// A proxy before `server`, an address with a port.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = State {
            server: server.to_owned(),
            weather: Weather::Clear,
            budgets: None,
            trap: None,
            refusals: 0,
            open: Vec::new(),
            held: Vec::new(),
            waiting: 0,
            cuts: 0,
        };
        let inside = Arc::new(Inside { state: Mutex::new(state), changed: Condvar::new() });
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = {
                    let mut state = shared.lock();
                    if state.refusals > 0 {
                        state.refusals -= 1;
                        continue;
                    }
                    state.server.clone()
                };
                let Ok(server) = TcpStream::connect(server) else { continue };
                join(client, server, &shared);
            }
        });
        Self { address, inside }
    }

    pub(crate) fn turn(&self, weather: Weather) {
        self.inside.lock().weather = weather;
        self.inside.changed.notify_all();
    }

    /// Cuts every connection that there is.
    pub(crate) fn cut(&self) {
        self.inside.lock().cut();
    }

    /// The server has moved; connections to where it was end.
    pub(crate) fn lead_to(&self, server: &str) {
        let mut state = self.inside.lock();
        server.clone_into(&mut state.server);
        state.cut();
    }

    /// Sets a trap, and takes it away if it has not closed within `limit`; whether it has.
    pub(crate) fn cut_by(&self, trap: Trap, limit: Duration) -> bool {
        let mut state = self.inside.lock();
        state.trap = Some(trap);
        let waited = self.inside.changed.wait_timeout_while(state, limit, |state| state.trap.is_some());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.trap.take().is_none()
    }

    /// What is said to the server by the connections that there are now arrives only after [`release`](Self::release),
    /// even if whoever said it has gone. Waits until there is something, but not longer than `limit`.
    pub(crate) fn hold(&self, limit: Duration) {
        let mut state = self.inside.lock();
        state.open.iter().for_each(|connection| connection.held.store(true, Ordering::Relaxed));
        let open = state.open.clone();
        state.held.extend(open);
        let waited = self.inside.changed.wait_timeout_while(state, limit, |state| state.waiting == 0);
        drop(waited);
    }

    pub(crate) fn release(&self) {
        for connection in self.inside.lock().held.drain(..) {
            connection.held.store(false, Ordering::Relaxed);
        }
        self.inside.changed.notify_all();
    }

    /// Ends so many of the next connections as soon as they have begun.
    pub(crate) fn refuse(&self, count: usize) {
        self.inside.lock().refusals = count;
    }

    /// From now on connections are cut when they have carried so much.
    pub(crate) fn cut_after(&self, budgets: Budgets) {
        self.inside.lock().budgets = Some(budgets);
    }

    pub(crate) fn cuts(&self) -> usize {
        self.inside.lock().cuts
    }
}

/// Carries what goes between two ends.
fn join(client: TcpStream, server: TcpStream, inside: &Arc<Inside>) {
    let connection = {
        let mut state = inside.lock();
        let budget = Mutex::new(state.budgets.as_mut().map(|next| next()));
        let connection = Arc::new(Connection { client, server, budget, held: AtomicBool::new(false) });
        state.open.push(Arc::clone(&connection));
        connection
    };
    for answers in [false, true] {
        let (inside, connection) = (Arc::clone(inside), Arc::clone(&connection));
        thread::spawn(move || {
            // In a black hole nobody hears of the end, either.
            if connection.carry(answers, &inside) && inside.passes() {
                connection.end();
                inside.lock().open.retain(|open| !Arc::ptr_eq(open, &connection));
            }
        });
    }
}

impl Connection {
    fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    fn end(&self) {
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }

    /// Carries what the server answers, or what it is asked; whether the connection ends after that.
    fn carry(&self, answers: bool, inside: &Inside) -> bool {
        let (mut from, mut to) = if answers { (&self.server, &self.client) } else { (&self.client, &self.server) };
        let (mut buffer, mut held) = ([0; 4096], false);
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if !inside.passes() {
                continue;
            }
            held |= !answers && inside.hold_back(self);
            let sprung = inside.lock().spring(length, answers);
            if let Some(passed) = sprung {
                let _ = to.write_all(&buffer[..passed]);
                inside.lock().cut();
                inside.changed.notify_all();
                break;
            }
            let allowed = {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                let allowed = budget.map_or(length, |left| left.min(length));
                *budget = budget.map(|left| left - allowed);
                allowed
            };
            if to.write_all(&buffer[..allowed]).is_err() {
                break;
            }
            if allowed < length {
                inside.lock().cuts += 1;
                break;
            }
        }
        // The server must not see that a client has gone which was held, or it may drop what it has just heard.
        !held
    }
}
