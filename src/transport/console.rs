//! The console: a line of input is a command, a notification is a line of output.

use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::error::Error;
use crate::error::Result;
use crate::session::MAX_COMMAND;
use crate::session::Session;

/// Commands run on the stack of the thread that reads them.
const STACK: usize = 256 * 1024;

/// Why a console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The input was over, and no line came for the time to linger. The client is closed.
    Input,
    /// Nobody reads the output any more.
    Output,
    /// The session was closed elsewhere.
    Session,
}

/// Reads commands from `input` and writes notifications to `output`, until the input is over and no
/// line has come for `linger`; without `linger` the output goes on until the session is closed.
///
/// What is wrong with the input is told to `complain`, one line each.
///
/// # Errors
///
/// [`Error::Detached`] when the output was too slow, [`Error::Internal`] when it failed or no thread
/// could be started.
pub fn run(
    session: &Arc<Session>,
    input: impl Read + Send + 'static,
    output: impl Write,
    complain: impl Fn(String) + Send + 'static,
    linger: Option<Duration>,
) -> Result<Ended> {
    let pace = Arc::new(Pace::default());
    let (theirs, their_pace) = (Arc::clone(session), Arc::clone(&pace));
    let reader = thread::Builder::new()
        .name("console-input".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            if read(&theirs, BufReader::new(input), &their_pace, &complain).is_ok()
                && let Some(linger) = linger
            {
                their_pace.linger(linger, &theirs);
                theirs.close();
            }
        })
        .map_err(|error| Error::Internal(format!("cannot start the thread of the console: {error}")))?;
    let ended = write(session, output, &pace);
    let lingered = pace.end();
    match ended? {
        Ended::Session if lingered => {
            // It may still be logging out. (Otherwise it waits for input, which nothing can cut short.)
            let _ = reader.join();
            Ok(Ended::Input)
        }
        ended => Ok(ended),
    }
}

/// What the two threads of a console tell each other.
#[derive(Default)]
struct Pace {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Since when the writer waits for a line; `None` while it has one.
    idle_since: Option<Instant>,
    /// How many lines were written.
    written: u64,
    /// Whether the time to linger is over.
    lingered: bool,
    /// Whether the writer has ended.
    over: bool,
}

impl Pace {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until nothing was written for `linger` from now, and nothing is left to write.
    fn linger(&self, linger: Duration, session: &Session) {
        let input_over = Instant::now();
        let mut state = self.state();
        while !state.over {
            let idle = state.idle_since.map(|since| since.max(input_over).elapsed());
            let left = match idle {
                Some(idle) if idle < linger => linger - idle,
                Some(_) if session.unread() == 0 => break,
                // The writer says when it is done.
                _ => Duration::from_secs(1),
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.lingered = true;
    }

    /// Waits until more than `before` lines were written; whether that can still happen.
    fn progress(&self, before: u64) -> bool {
        let mut state = self.state();
        while state.written == before && !state.over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.over
    }

    fn written(&self) -> u64 {
        self.state().written
    }

    /// The writer has ended; whether the time to linger was over.
    fn end(&self) -> bool {
        self.change(|state| state.over = true);
        self.state().lingered
    }
}

/// Hands on commands to the end of the input; an error means that there is no session any more.
fn read(session: &Session, mut input: impl BufRead, pace: &Pace, complain: &impl Fn(String)) -> Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        match next_line(&mut input, &mut line) {
            Ok(Next::End) => return Ok(()),
            Ok(Next::Line) => match str::from_utf8(&line) {
                Ok(command) if command.trim().is_empty() => {}
                Ok(command) => match send(session, command, pace) {
                    Ok(()) => {}
                    Err(error @ (Error::Closed | Error::Detached { .. })) => return Err(error),
                    Err(error) => complain(format!("line {number} of the input was not sent: {}", error.chain())),
                },
                Err(_) => complain(format!("line {number} of the input was not sent: it is not UTF-8")),
            },
            Ok(Next::TooLong) => complain(format!(
                "line {number} of the input was not sent: it is longer than {MAX_COMMAND} bytes, the most a command can have"
            )),
            Err(error) => {
                complain(format!("cannot read the input any further: {error}"));
                return Ok(());
            }
        }
    }
    Ok(())
}

fn send(session: &Session, command: &str, pace: &Pace) -> Result<()> {
    loop {
        let before = pace.written();
        match session.send_skype_command(command) {
            Err(Error::QueueFull { .. }) if pace.progress(before) => {}
            outcome => return outcome,
        }
    }
}

/// What [`next_line`] found.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// A line, without its end.
    Line,
    /// A line that can be no command; nothing of it was kept.
    TooLong,
    /// No more lines.
    End,
}

/// Reads a line, never keeping more of it than a command can have.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Next> {
    line.clear();
    line.shrink_to(64 * 1024);
    let (mut any, mut too_long) = (false, false);
    loop {
        let piece = match input.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() && !any {
            return Ok(Next::End);
        }
        any = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let part = &piece[..end.unwrap_or(piece.len())];
        // One more for the other half of a line end of Windows.
        too_long |= line.len() + part.len() > MAX_COMMAND + 1;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let (over, taken) = (piece.is_empty() || end.is_some(), end.map_or(piece.len(), |end| end + 1));
        input.consume(taken);
        if over {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(if too_long || line.len() > MAX_COMMAND { Next::TooLong } else { Next::Line });
        }
    }
}

fn write(session: &Session, mut output: impl Write, pace: &Pace) -> Result<Ended> {
    loop {
        pace.change(|state| state.idle_since = Some(Instant::now()));
        let line = match session.poll_skype_notification(None) {
            Ok(line) => line,
            Err(Error::Closed) => return Ok(Ended::Session),
            Err(error) => return Err(error),
        };
        pace.change(|state| state.idle_since = None);
        let Some(line) = line else { continue };
        let line = line.replace('\n', "\n\t") + "\n";
        match output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            Ok(()) => pace.change(|state| state.written += 1),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Ended::Output),
            Err(error) => return Err(Error::Internal(format!("cannot write to the console: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(input: &[u8]) -> Vec<(Next, Vec<u8>)> {
        // A buffer of three bytes, so that lines come in pieces.
        let (mut input, mut line, mut lines) = (BufReader::with_capacity(3, input), Vec::new(), Vec::new());
        loop {
            match next_line(&mut input, &mut line).expect("memory can be read") {
                Next::End => return lines,
                next => lines.push((next, line.clone())),
            }
        }
    }

    #[test]
    fn lines_end_in_every_known_way() {
        let lines = lines_of(b"PING\r\nGET USERSTATUS\n\nlast");
        let texts: Vec<_> = lines.iter().map(|(_, line)| String::from_utf8_lossy(line)).collect();
        assert_eq!(texts, ["PING", "GET USERSTATUS", "", "last"]);
        assert!(lines.iter().all(|(next, _)| *next == Next::Line));
    }

    #[test]
    fn a_line_too_long_is_skipped_and_takes_no_room() {
        let mut input = vec![b'x'; MAX_COMMAND + 2];
        input.extend_from_slice(b"\r\nPING\n");
        input.extend(vec![b'y'; MAX_COMMAND]);
        input.extend_from_slice(b"\r\n");
        let (mut input, mut line) = (BufReader::new(&input[..]), Vec::new());
        let mut next = || {
            let next = next_line(&mut input, &mut line).expect("memory can be read");
            (next, line.len())
        };
        assert_eq!(next(), (Next::TooLong, 0));
        assert_eq!(next(), (Next::Line, 4));
        assert_eq!(next(), (Next::Line, MAX_COMMAND));
        assert_eq!(next().0, Next::End);
    }
}
