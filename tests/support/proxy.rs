//! A network that fails as it is told to: what goes through it stops, disappears or is cut off anywhere.

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
use std::thread;

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
    weather: Weather,
    budgets: Option<Budgets>,
    open: Vec<TcpStream>,
    /// How many connections were cut because they had carried enough.
    cuts: usize,
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

impl Proxy {
    /// A proxy before `server`, an address with a port.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = State { weather: Weather::Clear, budgets: None, open: Vec::new(), cuts: 0 };
        let inside = Arc::new(Inside { state: Mutex::new(state), changed: Condvar::new() });
        let (server, shared) = (server.to_owned(), Arc::clone(&inside));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { continue };
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
        for stream in self.inside.lock().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
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
    let budget = {
        let mut state = inside.lock();
        state.open.extend([client.try_clone(), server.try_clone()].into_iter().flatten());
        Arc::new(Mutex::new(state.budgets.as_mut().map(|next| next())))
    };
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let (inside, budget) = (Arc::clone(inside), Arc::clone(&budget));
        thread::spawn(move || carry(from, to, &inside, &budget));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, inside: &Inside, budget: &Mutex<Option<usize>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !inside.passes() {
            continue;
        }
        let allowed = {
            let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
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
    // In a black hole nobody hears of the end, either.
    if inside.passes() {
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
