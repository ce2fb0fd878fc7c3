//! What a session knows: its own state, contacts, chats and messages.

mod ids;

pub use ids::ConversationId;
pub use ids::Handle;
pub use ids::ObjectId;
pub use ids::RemoteId;
