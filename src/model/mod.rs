//! What a session knows: users, conversations, messages, and the types of their names.

mod chats;
mod ids;
mod presence;
mod users;

pub use chats::Chat;
pub use chats::ChatIndex;
pub use chats::Chats;
pub use chats::Kind;
pub use chats::Member;
pub use chats::Message;
pub use chats::Place;
pub use chats::State;
pub use chats::Undeliverable;
pub use ids::ConversationId;
pub use ids::Handle;
pub use ids::ObjectId;
pub use ids::RemoteId;
pub use presence::Presence;
pub use users::Relation;
pub use users::User;
pub use users::Users;
