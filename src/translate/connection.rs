//! The state of the connection, and our own presence.

use std::time::Duration;

use crate::backend::Action;
use crate::backend::Epoch;
use crate::backend::Lost;
use crate::backend::Presence;
use crate::model::Handle;
use crate::skype::ConnectionStatus;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::UserProperty;
use crate::skype::UserStatus;
use crate::translate::Engine;
use crate::translate::Login;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::user::status_word;

/// How long a login may take before it counts as failed.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);
/// The pause before the first new attempt, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A connection that lived shorter than this counts as one more failed attempt, so that a server
/// that accepts and drops is not asked without end.
const STABLE: Duration = Duration::from_secs(10);

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Not wanted, or refused.
    Offline,
    /// Logging in; given up at this time.
    Connecting(Duration),
    /// Logged in since.
    Online(Duration),
    /// Waiting for the time of the next attempt.
    Pausing(Duration),
}

/// The state of the connection.
pub(super) struct Connection {
    link: Link,
    epoch: Epoch,
    /// Attempts that failed in a row.
    failed: u32,
    /// What the user wants to be seen as once online.
    status: UserStatus,
    /// Somebody waits to hear how the login went.
    login_awaited: bool,
    random: u64,
}

impl Connection {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            link: Link::Offline,
            epoch: Epoch(0),
            failed: 0,
            status: UserStatus::Online,
            login_awaited: false,
            random: seed,
        }
    }

    /// The next pause: twice the last, ± 20 %, from a second to a minute (interfaces 2.6).
    fn pause(&mut self) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failed.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        // splitmix64: the clock of a thousand sessions must not strike at once.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let percent = 80 + u32::try_from((mixed ^ (mixed >> 31)) % 41).unwrap_or(20);
        (doubled * percent / 100).clamp(FIRST_PAUSE, LONGEST_PAUSE)
    }
}

impl Engine {
    /// Logs in, as `SET USERSTATUS ONLINE` does; how it went is told by one [`Output::Login`].
    pub fn login(&mut self, now: Now, out: &mut Vec<Output>) {
        self.connection.login_awaited = true;
        self.connect(now, out);
    }

    /// When to call [`on_timeout`](Self::on_timeout) at the latest, in the time of [`Now::monotonic`].
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        let link = match self.connection.link {
            Link::Connecting(until) | Link::Pausing(until) => Some(until),
            Link::Offline | Link::Online(_) => None,
        };
        [link, self.call_timeout(), self.outbox.timeout(), self.save_timeout()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn on_timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        self.calls_go_on(now, out);
        self.look_at_the_outbox(now, out);
        match self.connection.link {
            Link::Pausing(until) if until <= now.monotonic => self.connect(now, out),
            Link::Connecting(until) if until <= now.monotonic => {
                out.push(Output::ToBackend(Action::Disconnect));
                let error = "the server did not finish the login in time".into();
                self.disconnected(self.connection.epoch, Lost::Unreachable { error }, now, out);
            }
            _ => {}
        }
    }

    /// Whether the user wants to be online, connected or not.
    pub(super) fn wants_online(&self) -> bool {
        self.connection.link != Link::Offline
    }

    pub(super) fn is_online(&self) -> bool {
        matches!(self.connection.link, Link::Online(_))
    }

    pub(super) fn connection_status(&self) -> ConnectionStatus {
        match self.connection.link {
            Link::Offline => ConnectionStatus::Offline,
            Link::Connecting(_) => ConnectionStatus::Connecting,
            Link::Online(_) => ConnectionStatus::Online,
            Link::Pausing(_) => ConnectionStatus::Pausing,
        }
    }

    pub(super) fn user_status(&self) -> UserStatus {
        if self.wants_online() { self.connection.status } else { UserStatus::Offline }
    }

    fn connect(&mut self, now: Now, out: &mut Vec<Output>) {
        self.connection.epoch.0 += 1;
        self.set_link(Link::Connecting(now.monotonic + LOGIN_LIMIT), out);
        out.push(Output::ToBackend(Action::Connect {
            epoch: self.connection.epoch,
            presence: presence_of(self.connection.status),
            mood: self.me.mood.clone(),
        }));
    }

    /// Moves on and says so; what was not seen to change is not said.
    fn set_link(&mut self, link: Link, out: &mut Vec<Output>) {
        let before = self.connection_status();
        self.connection.link = link;
        if self.connection_status() != before {
            self.announce_connection_status(out);
        }
    }

    pub(super) fn connected(
        &mut self,
        epoch: Epoch,
        me: Handle,
        display_name: Option<String>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        if epoch != self.connection.epoch || !matches!(self.connection.link, Link::Connecting(_)) {
            return;
        }
        self.me.handle = me;
        if let Some(name) = display_name {
            self.me.name = name;
        }
        self.set_link(Link::Online(now.monotonic), out);
        let me = Line::notification().part("CURRENTUSERHANDLE").part(self.me.handle.as_str());
        self.announce(Protocol::LOWEST, me, out);
        self.announce_user_status(out);
        self.announce_me(UserProperty::OnlineStatus, out);
        for user in self.users.iter().filter(|user| user.is_listed()) {
            self.announce_user(user, UserProperty::OnlineStatus, out);
        }
        self.send_at_once(now, out);
        if std::mem::take(&mut self.connection.login_awaited) {
            out.push(Output::Login(Login::Succeeded));
        }
    }

    pub(super) fn disconnected(&mut self, epoch: Epoch, reason: Lost, now: Now, out: &mut Vec<Output>) {
        let link = self.connection.link;
        if epoch != self.connection.epoch || matches!(link, Link::Offline | Link::Pausing(_)) {
            return;
        }
        if matches!(link, Link::Online(since) if now.monotonic.saturating_sub(since) >= STABLE) {
            self.connection.failed = 0;
        }
        let awaited = std::mem::take(&mut self.connection.login_awaited);
        match reason {
            Lost::Refused { reason } => {
                tracing::error!(reason, "the network refused the login");
                self.go_offline(out);
                if awaited {
                    out.push(Output::Login(Login::Refused { reason }));
                }
            }
            Lost::Unreachable { error } if awaited => {
                self.go_offline(out);
                out.push(Output::Login(Login::Unreachable { error }));
            }
            Lost::Ended if self.connection.failed == 0 && !awaited => {
                self.connection.failed = 1;
                self.connect(now, out);
            }
            lost => {
                // A first login that the server ends is tried again, and still awaited.
                self.connection.login_awaited = awaited;
                self.connection.failed = self.connection.failed.saturating_add(1);
                let pause = self.connection.pause();
                if let Lost::Unreachable { error } = lost {
                    tracing::warn!(error = %error, pause_ms = pause.as_millis(), "the connection was lost");
                }
                self.set_link(Link::Pausing(now.monotonic + pause), out);
                self.users_leave(now, out);
                self.calls_end(out);
                self.streams_end(out);
            }
        }
    }

    /// Offline for good: nothing is tried until somebody asks for it.
    fn go_offline(&mut self, out: &mut Vec<Output>) {
        self.set_link(Link::Offline, out);
        self.announce_user_status(out);
    }

    pub(super) fn set_user_status(&mut self, status: UserStatus, now: Now, out: &mut Vec<Output>) {
        if status == UserStatus::Offline {
            if self.wants_online() {
                // Skype says first what the user is, then what the connection is (skype-api 7.6).
                self.connection.epoch.0 += 1;
                self.connection.link = Link::Offline;
                self.connection.login_awaited = false;
                self.announce_user_status(out);
                self.announce_connection_status(out);
                self.announce_me(UserProperty::OnlineStatus, out);
                self.users_leave(now, out);
                self.calls_end(out);
                self.streams_end(out);
                out.push(Output::ToBackend(Action::Disconnect));
            } else {
                self.announce_user_status(out);
            }
            return;
        }
        let changed = self.connection.status != status;
        self.connection.status = status;
        if self.wants_online() {
            if self.is_online() {
                if changed {
                    self.announce_me(UserProperty::OnlineStatus, out);
                }
                self.send_presence(out);
            }
            // Said even if nothing changed: a client waits for it (clients 3.4).
            self.announce_user_status(out);
        } else {
            self.connection.failed = 0;
            self.connect(now, out);
        }
    }

    /// Another login of the account changed what we are seen as.
    pub(super) fn own_presence(&mut self, presence: Presence, mood: Option<String>, out: &mut Vec<Output>) {
        if !self.is_online() {
            return;
        }
        if let Some(mood) = mood.filter(|mood| *mood != self.me.mood) {
            self.take_over_mood(&mood, out);
        }
        let status = status_of(presence);
        // Several of our words mean the same to the network: keep the one that the user chose.
        if status != UserStatus::Offline && presence_of(self.connection.status) != presence {
            self.connection.status = status;
            self.announce_me(UserProperty::OnlineStatus, out);
            self.announce_user_status(out);
        }
    }

    pub(super) fn send_presence(&self, out: &mut Vec<Output>) {
        out.push(Output::ToBackend(Action::SetPresence {
            presence: presence_of(self.connection.status),
            mood: self.me.mood.clone(),
        }));
    }

    fn announce_connection_status(&self, out: &mut Vec<Output>) {
        let line = Line::notification().part("CONNSTATUS").part(self.connection_status().word());
        self.announce(Protocol::LOWEST, line, out);
    }

    fn announce_user_status(&self, out: &mut Vec<Output>) {
        let line =
            |protocol| Some(Line::notification().part("USERSTATUS").part(status_word(self.user_status(), protocol)));
        self.announce_by(line, out);
    }
}

/// What a status means to a network (imo-protocol 6.1, matrix-mapping 3.1).
fn presence_of(status: UserStatus) -> Presence {
    match status {
        UserStatus::Online | UserStatus::SkypeMe | UserStatus::Unknown => Presence::Available,
        UserStatus::Away => Presence::Away,
        UserStatus::NotAvailable => Presence::NotAvailable,
        UserStatus::DoNotDisturb => Presence::Busy,
        UserStatus::Invisible => Presence::Invisible,
        UserStatus::Offline | UserStatus::LoggedOut => Presence::Offline,
    }
}

/// The word for a presence.
pub(super) fn status_of(presence: Presence) -> UserStatus {
    match presence {
        Presence::Available => UserStatus::Online,
        Presence::Away => UserStatus::Away,
        Presence::NotAvailable => UserStatus::NotAvailable,
        Presence::Busy => UserStatus::DoNotDisturb,
        Presence::Invisible => UserStatus::Invisible,
        Presence::Offline => UserStatus::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_minute_and_differ_between_sessions() {
        let mut firsts = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut connection = Connection::new(seed);
            for failed in 1..=40 {
                connection.failed = failed;
                let pause = connection.pause();
                let doubled = FIRST_PAUSE.saturating_mul(1 << (failed - 1).min(10)).min(LONGEST_PAUSE);
                assert!((FIRST_PAUSE..=LONGEST_PAUSE).contains(&pause), "{failed}: {pause:?}");
                assert!(pause >= doubled * 80 / 100 && pause <= doubled * 120 / 100, "{failed}: {pause:?}");
                if failed == 4 {
                    firsts.insert(pause);
                }
            }
        }
        assert!(firsts.len() > 30, "no jitter: {firsts:?}");
    }
}
