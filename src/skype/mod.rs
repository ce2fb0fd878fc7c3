//! The language of the Skype API: requests in, replies and notifications out.
//!
//! A line is parsed once, into a [`Request`], and written once, by a [`Line`]; no code elsewhere
//! splits or glues API text. Words, properties and errors are tables that can be laid beside the
//! vendor's reference.

mod error;
mod line;
mod property;
mod protocol;
mod request;
mod search;
mod word;

pub use error::ErrorCode;
pub use error::ErrorReply;
pub use line::Line;
pub use line::Separator;
pub use property::ChatMemberProperty;
pub use property::ChatMessageProperty;
pub use property::ChatProperty;
pub use property::ProfileProperty;
pub use property::UserProperty;
pub use protocol::Protocol;
pub use request::Command;
pub use request::Get;
pub use request::Request;
pub use request::Set;
pub use search::Search;
pub use search::SearchResult;
pub use word::BuddyStatus;
pub use word::ChatMessageStatus;
pub use word::ChatMessageType;
pub use word::ConnectionStatus;
pub use word::LeaveReason;
pub use word::UserStatus;
