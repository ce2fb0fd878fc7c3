//! The words of SEARCH (skype-api 3.5): one row each.

use crate::skype::ErrorCode;

/// What a SEARCH looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchResult {
    /// Contacts.
    Friends,
    /// Users that fit a text.
    Users,
    /// Users who asked to become contacts.
    WaitingForAuthorization,
    /// Messages that arrived and were not seen.
    MissedMessages,
    /// All messages, or those of the dialog with a user.
    Messages,
    /// All chats.
    Chats,
    /// Chats with missed messages.
    MissedChats,
    /// Chats by their last activity, newest first.
    RecentChats,
    /// Chats that were bookmarked.
    BookmarkedChats,
    /// All calls, or those with a user.
    Calls,
    /// Calls that have not ended.
    ActiveCalls,
    /// Calls that nobody answered and nobody saw.
    MissedCalls,
    /// Voicemails.
    Voicemails,
    /// Voicemails that were not heard.
    MissedVoicemails,
    /// The greeting of a user.
    Greeting,
    /// Short messages.
    Sms,
    /// Short messages that were not read.
    MissedSms,
    /// File transfers.
    FileTransfers,
    /// File transfers that have not ended.
    ActiveFileTransfers,
    /// Groups of contacts.
    Groups,
}

/// Which target a SEARCH takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// None; the error for giving one.
    None(ErrorCode),
    /// A user, or nothing.
    Optional,
    /// A text; the error for leaving it out.
    Required(ErrorCode),
}

/// One word of SEARCH.
#[derive(Debug, PartialEq, Eq)]
pub struct Search {
    /// The word.
    pub word: &'static str,
    head: &'static str,
    target: Target,
    /// What it looks for.
    pub result: SearchResult,
}

const fn row(word: &'static str, head: &'static str, target: Target, result: SearchResult) -> Search {
    Search { word, head, target, result }
}

const NO_TARGET: Target = Target::None(ErrorCode::SEARCH_TARGET_NOT_ALLOWED);
const NO_CHAT_TARGET: Target = Target::None(ErrorCode::SEARCH_CHATS_TARGET);

const WORDS: &[Search] = &[
    row("FRIENDS", "USERS", Target::None(ErrorCode::SEARCH_FRIENDS_TARGET), SearchResult::Friends),
    row("USERS", "USERS", Target::Required(ErrorCode::SEARCH_EMPTY_TARGET), SearchResult::Users),
    row("USERSWAITINGMYAUTHORIZATION", "USERS", NO_TARGET, SearchResult::WaitingForAuthorization),
    row("CALLS", "CALLS", Target::Optional, SearchResult::Calls),
    row("ACTIVECALLS", "CALLS", NO_TARGET, SearchResult::ActiveCalls),
    row("MISSEDCALLS", "CALLS", Target::None(ErrorCode::SEARCH_MISSEDCALLS_TARGET), SearchResult::MissedCalls),
    row("MESSAGES", "MESSAGES", Target::Optional, SearchResult::Messages),
    row("MISSEDMESSAGES", "MESSAGES", NO_TARGET, SearchResult::MissedMessages),
    row("CHATMESSAGES", "CHATMESSAGES", Target::Optional, SearchResult::Messages),
    row("MISSEDCHATMESSAGES", "CHATMESSAGES", NO_TARGET, SearchResult::MissedMessages),
    row("CHATS", "CHATS", NO_CHAT_TARGET, SearchResult::Chats),
    row("ACTIVECHATS", "CHATS", NO_CHAT_TARGET, SearchResult::Chats),
    row("MISSEDCHATS", "CHATS", NO_CHAT_TARGET, SearchResult::MissedChats),
    row("RECENTCHATS", "CHATS", NO_CHAT_TARGET, SearchResult::RecentChats),
    row("BOOKMARKEDCHATS", "CHATS", NO_CHAT_TARGET, SearchResult::BookmarkedChats),
    row("VOICEMAILS", "VOICEMAILS", NO_TARGET, SearchResult::Voicemails),
    row("MISSEDVOICEMAILS", "VOICEMAILS", NO_TARGET, SearchResult::MissedVoicemails),
    row("GREETING", "VOICEMAILS", Target::Required(ErrorCode::SEARCH_GREETING_HANDLE), SearchResult::Greeting),
    row("SMSS", "SMSS", NO_TARGET, SearchResult::Sms),
    row("MISSEDSMSS", "SMSS", NO_TARGET, SearchResult::MissedSms),
    row("FILETRANSFERS", "FILETRANSFERS", NO_TARGET, SearchResult::FileTransfers),
    row("ACTIVEFILETRANSFERS", "FILETRANSFERS", NO_TARGET, SearchResult::ActiveFileTransfers),
    row("GROUPS", "GROUPS", Target::Optional, SearchResult::Groups),
];

impl Search {
    /// Every word of SEARCH.
    pub const ALL: &[Self] = WORDS;

    /// Reads the word in any case of letters and checks the target.
    pub(super) fn parse(word: &str, target: &str) -> Result<&'static Self, ErrorCode> {
        let search =
            WORDS.iter().find(|search| search.word.eq_ignore_ascii_case(word)).ok_or(ErrorCode::SEARCH_UNKNOWN_WHAT)?;
        match search.target {
            Target::None(error) if !target.is_empty() => Err(error),
            Target::Required(error) if target.is_empty() => Err(error),
            _ => Ok(search),
        }
    }

    /// The first word of the reply.
    ///
    /// From protocol 3 on messages are CHATMESSAGE objects, and clients that still search with the
    /// older word expect the newer head (clients 7 and 8.1).
    #[must_use]
    pub fn head(&self, chat_messages: bool) -> &'static str {
        match (self.head, chat_messages) {
            ("MESSAGES", true) => "CHATMESSAGES",
            ("CHATMESSAGES", false) => "MESSAGES",
            (head, _) => head,
        }
    }
}
