//! The border between the translator and the chat networks.
//!
//! A [`Backend`] is one account on one network. It knows nothing of the Skype API; the translator
//! knows nothing of networks. Between them go [`Action`]s (down) and [`Event`]s (up). A new ability
//! is a new variant and an [`Ability`], never a new method.

mod ability;
mod action;
mod event;
#[cfg(feature = "imo")]
pub mod imo;

use std::sync::Arc;

use crate::model::Handle;

pub use crate::model::Kind;
pub use crate::model::Presence;
pub use ability::Ability;
pub use ability::Capabilities;
pub use action::Action;
pub use action::Address;
pub use action::CallControl;
pub use action::Change;
pub use action::DeviceRole;
pub use action::Epoch;
pub use action::Mark;
pub use action::StreamAction;
pub use action::Task;
pub use action::Ticket;
pub use action::Typing;
pub use event::Call;
pub use event::Contact;
pub use event::Conversation;
pub use event::ConversationMember;
pub use event::Event;
pub use event::Failure;
pub use event::File;
pub use event::Lost;
pub use event::Message;
pub use event::Receipt;
pub use event::Sms;
pub use event::StreamEvent;
pub use event::Voicemail;

/// One account on one chat network.
pub trait Backend: Send {
    /// What this network can do.
    fn capabilities(&self) -> Capabilities;

    /// How this network spells user names.
    fn names(&self) -> Arc<dyn Names>;

    /// Starts the threads of the back end and returns at once. It stays offline until
    /// [`Action::Connect`]; how that went is an event.
    fn start(&mut self, events: Arc<dyn Events>);

    /// Queues `action`; never waits. Called under the lock of the session.
    ///
    /// # Errors
    ///
    /// The action, when the queue of the back end is full.
    fn submit(&mut self, action: Action) -> Result<(), Action>;

    /// Ends every thread that [`start`](Self::start) began and waits for them, cutting short
    /// whatever they wait for. Logs out first if it can within `grace`.
    /// Called without the lock of the session.
    fn stop(&mut self, grace: std::time::Duration);
}

/// Where a back end delivers what happens.
pub trait Events: Send + Sync {
    /// Takes one event; when it returns, the event has been handled, so a network that wants an acknowledgement may
    /// have it, once it is [settled](Self::settle). May block while the only client reads too slowly: call it without
    /// holding a lock.
    fn deliver(&self, event: Event);

    /// Takes events, one after the other. Events that are brought together are kept together, which is much less work.
    fn deliver_all(&self, events: Vec<Event>) {
        for event in events {
            self.deliver(event);
        }
    }

    /// Returns when nothing can undo what was delivered, a power failure neither: a back end asks before it tells the
    /// network that it need not keep it any more.
    fn settle(&self) {}

    /// Waits while the only client reads too slowly; a back end asks before it fetches more.
    fn wait_for_room(&self);
}

/// How a network spells its users. Pure: called under the lock of the session.
pub trait Names: Send + Sync {
    /// The user that a client means by `typed`, in the network's spelling; `None` if no user
    /// of this network can be called that.
    fn parse(&self, typed: &str) -> Option<Handle>;
}
