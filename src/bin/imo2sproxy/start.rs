//! An account is started and stopped here, on threads of their own: none waits for another's network.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use imo2skype::Config;
use imo2skype::Error;
use imo2skype::Session;
use imo2skype::transport::Serving;
use imo2skype::transport::stream::Inherited;
use tracing::Span;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::failure::history_is_not_kept;
use crate::inherited;
use crate::plan;
use crate::plan::Account;
use crate::run::Event;

/// Which account of the table it is; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u64);

/// An account that stands.
pub(crate) struct Running {
    pub(crate) session: Arc<Session>,
    pub(crate) points: Vec<Box<dyn Serving>>,
    /// The time to linger, if the account has the console.
    pub(crate) console: Option<Duration>,
}

impl Running {
    /// Ends the sockets, then logs out.
    pub(crate) fn stop(mut self) {
        self.points.iter_mut().for_each(|point| point.stop());
        self.session.close();
    }
}

/// Starts an account; how that went is an event. What is logged of it is in `span`.
pub(crate) fn begin(
    id: Id,
    span: Span,
    account: Arc<Account>,
    sockets: Vec<Arc<Inherited>>,
    gateway: Option<String>,
    data_dir: Arc<DataDir>,
    events: Sender<Event>,
) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name("imo2sproxy-start".to_owned())
        .spawn(move || {
            // Whatever happens, the main thread must hear of it.
            let start = || span.in_scope(|| start(&account, &sockets, gateway, &data_dir));
            let outcome = catch_unwind(AssertUnwindSafe(start))
                .unwrap_or_else(|_| Err(Failure::service("internal error: starting the account panicked")));
            drop(account);
            // Nobody listens any more when the program is stopping already.
            let _ = events.send(Event::Started(id, outcome));
        })
        .map(drop)
        .map_err(|error| Failure::service(format!("cannot start a thread: {error}")))
}

fn start(
    account: &Account,
    sockets: &[Arc<Inherited>],
    gateway: Option<String>,
    data_dir: &DataDir,
) -> Result<Running, Failure> {
    // Made anew for each start: what is bound is gone with the one before.
    let mut points = plan::points(&account.settings, data_dir)?;
    for socket in sockets {
        points.inherit(inherited::one_more(socket)?)?;
    }
    // First, because it is quick to fail. Nobody is answered before the login.
    let bound = points.bind()?;
    let mut config = account.config.clone();
    config.server = config.server.or(gateway);
    let session = Arc::new(open(config, account.history_dir.clone())?);
    if !account.console {
        session.keep_only();
    }
    let points = bound.into_iter().map(|serve| serve(Arc::clone(&session))).collect::<imo2skype::Result<_>>()?;
    Ok(Running { session, points, console: account.console.then_some(account.linger) })
}

/// Opens the session. Where the file of its history cannot be used, it goes on without.
fn open(mut config: Config, history_dir: Result<Option<PathBuf>, Failure>) -> Result<Session, Failure> {
    let made = history_dir.and_then(|directory| directory.as_deref().map_or(Ok(()), make_directory));
    let problem = match made.map(|()| Session::open(config.clone())) {
        // The gateway has an address already: the only database of a session is its history.
        Ok(Err(error @ Error::Store { .. })) => error.chain(),
        Ok(opened) => return Ok(opened?),
        Err(failure) => failure.text().to_owned(),
    };
    history_is_not_kept(&config.username, &problem);
    config.set("history", "memory")?;
    Ok(Session::open(config)?)
}
