//! SEARCH (skype-api 3.5).

use std::collections::HashSet;

use crate::model::Chat;
use crate::model::Class;
use crate::model::Entry;
use crate::model::User;
use crate::model::Which;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Search;
use crate::skype::SearchResult;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::engine::Answer;

impl Engine {
    pub(super) fn search(&self, reply: Line, search: &Search, target: &str, protocol: Protocol) -> Answer {
        Ok(match search.result {
            SearchResult::Friends => list_users(reply, self.users.iter().filter(|user| user.is_listed())),
            SearchResult::WaitingForAuthorization => {
                list_users(reply, self.users.iter().filter(|user| user.request.is_some()))
            }
            SearchResult::Users => self.search_users(reply, target),
            SearchResult::MissedMessages => {
                let missed = self.chats.list(Which::Missed).into_iter().filter(|entry| entry.class != Class::Other);
                list_messages(reply, missed, protocol)
            }
            SearchResult::Messages if target.is_empty() => {
                list_messages(reply, self.chats.list(Which::All).into_iter(), protocol)
            }
            SearchResult::Messages => {
                let partner = self.names.parse(target).ok_or(ErrorCode::INVALID_HANDLE)?;
                let dialog = self.chats.dialog(&partner).map(|index| self.chats.list(Which::In(index)));
                list_messages(reply, dialog.into_iter().flatten(), protocol)
            }
            // Without windows every chat is as active as the others.
            SearchResult::Chats => list_chats(reply, self.chats.iter().map(|(_, chat)| chat)),
            SearchResult::MissedChats => {
                let mut seen = HashSet::new();
                let missed = self.chats.list(Which::Missed).into_iter().filter(|entry| entry.class == Class::Text);
                let chats = missed.map(|entry| entry.chat).filter(|chat| seen.insert(*chat));
                list_chats(reply, chats.map(|index| self.chats.chat(index)))
            }
            SearchResult::RecentChats => {
                let mut chats: Vec<&Chat> = self.chats.iter().map(|(_, chat)| chat).collect();
                chats.sort_by_key(|chat| std::cmp::Reverse(chat.activity));
                list_chats(reply, chats.into_iter())
            }
            SearchResult::BookmarkedChats => {
                list_chats(reply, self.chats.iter().map(|(_, chat)| chat).filter(|chat| chat.bookmarked))
            }
            SearchResult::Calls => return self.search_calls(reply, target),
            SearchResult::ActiveCalls => reply.list(Separator::CommaSpace, self.calls.active().map(|(id, _)| id)),
            SearchResult::MissedCalls => {
                let missed = self.calls.newest_first().filter(|(_, call)| call.is_missed());
                reply.list(Separator::CommaSpace, missed.map(|(id, _)| id))
            }
            SearchResult::Voicemails => self.search_voicemails(reply, false),
            SearchResult::MissedVoicemails => self.search_voicemails(reply, true),
            SearchResult::Greeting => return self.search_greeting(reply, target),
            SearchResult::Sms => self.search_sms(reply, false),
            SearchResult::MissedSms => self.search_sms(reply, true),
            SearchResult::FileTransfers => self.search_transfers(reply, false),
            SearchResult::ActiveFileTransfers => self.search_transfers(reply, true),
            SearchResult::Groups => return self.search_groups(reply, target),
        })
    }

    /// Users who are known here, and whoever could be called so: these networks have no directory
    /// to ask (imo-protocol 9).
    fn search_users(&self, reply: Line, target: &str) -> Line {
        let wanted = target.to_lowercase();
        let fits = |user: &&User| {
            user.handle.as_str().to_lowercase().contains(&wanted) || user.name.to_lowercase().contains(&wanted)
        };
        let known = self.users.iter().filter(fits).map(|user| user.handle.clone());
        let exact = self.names.parse(target).filter(|handle| self.users.get(handle.as_str()).is_none());
        reply.list(Separator::CommaSpace, known.chain(exact))
    }
}

/// Those that clients of a protocol know of, as they are told of them (skype-api 2, 5).
fn list_messages(reply: Line, messages: impl Iterator<Item = Entry>, protocol: Protocol) -> Line {
    let shown = |entry: &Entry| match entry.class {
        Class::AuthRequest => protocol < Protocol::AUTH_REQUESTS,
        Class::Text => true,
        Class::Other => protocol.has_chat_messages(),
    };
    reply.list(Separator::CommaSpace, messages.filter(shown).map(|entry| entry.id))
}

fn list_users<'a>(reply: Line, users: impl Iterator<Item = &'a User>) -> Line {
    reply.list(Separator::CommaSpace, users.map(|user| &user.handle))
}

fn list_chats<'a>(reply: Line, chats: impl Iterator<Item = &'a Chat>) -> Line {
    reply.list(Separator::CommaSpace, chats.map(|chat| &chat.name))
}
