//! Whether a user is there, in words that all networks share.

/// A presence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// There.
    Available,
    /// Not at the keyboard.
    Away,
    /// Not at the keyboard for long; only ever our own.
    NotAvailable,
    /// There, not to be disturbed.
    Busy,
    /// There, but shown as offline; only ever our own.
    Invisible,
    /// Not there.
    #[default]
    Offline,
}
