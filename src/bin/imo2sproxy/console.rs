//! The console of one account, on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use imo2skype::Session;
use imo2skype::transport::console;

use crate::failure::Failure;
use crate::failure::complain;
use crate::run::Event;

/// Runs the console; how it ended is an event.
pub(crate) fn start(session: Arc<Session>, linger: Option<Duration>, events: Sender<Event>) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name("imo2sproxy-console".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            let complain = |text: String| complain(&text);
            let ended = console::run(&session, std::io::stdin(), std::io::stdout(), complain, linger);
            // What still comes is for nobody.
            session.keep_only();
            let _ = events.send(Event::ConsoleEnded(ended));
        })
        .map(drop)
        .map_err(|error| Failure::service(format!("cannot start the thread of the console: {error}")))
}
