//! One client: a window that has sent a message.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use x11rb::protocol::xproto::Window;

use super::codec;
use super::codec::Message;
use super::display::Display;
use super::display::Trouble;
use super::wake::Bell;
use crate::error::Error;
use crate::session::Session;
use crate::translate::Attachment;

/// So many lines of one client go out before another has its turn.
const TURN: usize = 64;

/// The reply to a message that can be no command.
const SYNTAX_ERROR: &str = "ERROR 1 General syntax error";

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Parting {
    /// The client has no session any more.
    #[error(transparent)]
    Client(#[from] Error),
    /// The display is gone, and with it every client.
    #[error(transparent)]
    Display(#[from] Trouble),
}

/// How far the lines of a client have gone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// No line waits.
    Done,
    /// Lines wait, and may go out.
    More,
    /// Lines wait for this moment.
    Held(Instant),
}

pub(super) struct Client {
    session: Session,
    window: Window,
    /// How many lines have gone out.
    said: usize,
    /// Lines from this number on wait for that moment. Both rise, so there are not more of them than lines that wait.
    held: VecDeque<(usize, Instant)>,
}

impl Client {
    pub(super) fn attach(session: &Session, window: Window, bell: &Arc<Bell>) -> Result<Self, Error> {
        let session = session.attach_as(Attachment::Named, format!("x11 {window:#x}"))?;
        let bell = Arc::clone(bell);
        session.set_waker(Arc::new(move || bell.ring()));
        Ok(Self { session, window, said: 0, held: VecDeque::new() })
    }

    /// The number of the client, as the log shows it.
    pub(super) fn number(&self) -> u32 {
        self.session.client()
    }

    /// Hands on a command. What is said after one with an id waits for `delay`.
    pub(super) fn command(&mut self, message: &Message, delay: Duration, display: &Display) -> Result<(), Parting> {
        if let Message::Text(command) = message
            && !delay.is_zero()
            && codec::has_id(command)
            && let Some(until) = Instant::now().checked_add(delay)
        {
            self.hold(until);
        }
        loop {
            let outcome = match message {
                Message::Text(command) => self.session.send_skype_command(command),
                Message::Unreadable => self.session.answer(SYNTAX_ERROR),
            };
            match outcome {
                // Made room for by what waits; there is no time to hold it back.
                Err(Error::QueueFull { .. }) => self.say_all(display)?,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Says what waits, as far as it is its turn and its time.
    pub(super) fn say(&mut self, display: &Display) -> Result<Progress, Parting> {
        for _ in 0..TURN {
            // Whoever was given up has nothing more to wait for.
            if let Some(until) = self.held_until(Instant::now())
                && self.session.standing().is_ok()
            {
                return Ok(Progress::Held(until));
            }
            if !self.say_next(display)? {
                return Ok(Progress::Done);
            }
        }
        Ok(Progress::More)
    }

    /// Says all that waits now.
    pub(super) fn say_all(&mut self, display: &Display) -> Result<(), Parting> {
        // What comes meanwhile is for the next time: this ends.
        for _ in 0..self.session.unread() {
            self.say_next(display)?;
        }
        Ok(())
    }

    /// Says the next line, if there is one.
    fn say_next(&mut self, display: &Display) -> Result<bool, Parting> {
        let Some(line) = self.session.poll_skype_notification(Some(Duration::ZERO))? else { return Ok(false) };
        display.say(self.window, &line)?;
        self.said += 1;
        Ok(true)
    }

    fn hold(&mut self, until: Instant) {
        let from = self.said + self.session.unread();
        match self.held.back_mut() {
            Some(last) if last.0 == from => last.1 = until,
            _ => self.held.push_back((from, until)),
        }
    }

    /// Until when the next line waits, if it does not come at once.
    fn held_until(&mut self, now: Instant) -> Option<Instant> {
        while let Some((from, until)) = self.held.front() {
            if *from > self.said {
                return None;
            }
            if *until > now {
                return Some(*until);
            }
            self.held.pop_front();
        }
        None
    }
}
