//! When our presence and the text beside it are told (imo-protocol 6.3). Pure: the time is brought in.

use std::time::Duration;
use std::time::Instant;

use crate::backend::Presence;

/// What we want to be seen as.
#[derive(Debug)]
pub(super) struct Status {
    presence: Presence,
    mood: String,
    /// When it is to be told, if it is.
    due: Option<Instant>,
}

impl Status {
    pub(super) fn new() -> Self {
        Self { presence: Presence::Available, mood: String::new(), due: None }
    }

    /// For the next login, which tells it by itself.
    pub(super) fn start(&mut self, presence: Presence, mood: String) {
        *self = Self { presence, mood, due: None };
    }

    /// Wants to be seen so. Another text alone waits, because a presence may follow, which tells both.
    pub(super) fn set(&mut self, presence: Presence, mood: String, now: Instant, wait: Duration) {
        let only_mood = self.presence == presence && self.mood != mood;
        let due = if only_mood { self.due.unwrap_or(now + wait) } else { now };
        (self.presence, self.mood, self.due) = (presence, mood, Some(due));
    }

    /// Another login has changed it: what is said later must not take that back.
    pub(super) fn reflected(&mut self, presence: Presence, mood: Option<&str>) {
        if presence != Presence::Offline {
            self.presence = presence;
        }
        if let Some(mood) = mood {
            mood.clone_into(&mut self.mood);
            self.due = None;
        }
    }

    /// When there is something to tell.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What is to be told now; that is no longer due.
    pub(super) fn take(&mut self) -> (Presence, String) {
        self.due = None;
        (self.presence, self.mood.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(15);

    fn status() -> (Status, Instant) {
        let mut status = Status::new();
        status.start(Presence::Available, "at work".to_owned());
        (status, Instant::now())
    }

    #[test]
    fn another_text_waits_and_the_newest_is_told() {
        let (mut status, now) = status();
        status.set(Presence::Available, "lunch".to_owned(), now, WAIT);
        assert_eq!(status.due(), Some(now + WAIT));
        status.set(Presence::Available, "dessert".to_owned(), now + WAIT / 2, WAIT);
        assert_eq!(status.due(), Some(now + WAIT));
        assert_eq!(status.take(), (Presence::Available, "dessert".to_owned()));
        assert_eq!(status.due(), None);
    }

    #[test]
    fn a_presence_tells_both_at_once() {
        let (mut status, now) = status();
        status.set(Presence::Available, "lunch".to_owned(), now, WAIT);
        let later = now + Duration::from_secs(1);
        status.set(Presence::Away, "lunch".to_owned(), later, WAIT);
        assert_eq!(status.due(), Some(later));
        assert_eq!(status.take(), (Presence::Away, "lunch".to_owned()));
        // The same once more: another login may have changed it.
        status.set(Presence::Away, "lunch".to_owned(), later, WAIT);
        assert_eq!(status.due(), Some(later));
        // A text that follows what is due does not hold it up.
        status.set(Presence::Away, "siesta".to_owned(), later, WAIT);
        assert_eq!(status.due(), Some(later));
    }

    #[test]
    fn a_text_does_not_take_back_what_another_login_said() {
        let (mut status, now) = status();
        status.set(Presence::Available, "lunch".to_owned(), now, WAIT);
        status.reflected(Presence::Away, None);
        assert_eq!(status.due(), Some(now + WAIT));
        assert_eq!(status.take(), (Presence::Away, "lunch".to_owned()));
        status.set(Presence::Away, "tea".to_owned(), now, WAIT);
        status.reflected(Presence::Busy, Some("by phone"));
        assert_eq!(status.due(), None);
        assert_eq!(status.take(), (Presence::Busy, "by phone".to_owned()));
    }
}
