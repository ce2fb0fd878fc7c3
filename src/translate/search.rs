//! SEARCH (skype-api 3.5).

use std::collections::HashSet;

use crate::model::Chat;
use crate::model::ChatIndex;
use crate::model::Kind;
use crate::model::ObjectId;
use crate::model::User;
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
                let missed = self.chats.missed().filter(|id| self.is_text(*id) || self.is_auth_request(*id));
                reply.list(Separator::CommaSpace, missed.filter(|id| self.is_shown(*id, protocol)))
            }
            SearchResult::Messages if target.is_empty() => {
                let shown = self.chats.newest_first().filter(|id| self.is_shown(*id, protocol));
                reply.list(Separator::CommaSpace, shown)
            }
            SearchResult::Messages => {
                let partner = self.names.parse(target).ok_or(ErrorCode::INVALID_HANDLE)?;
                let messages = self.chats.dialog(&partner).map(|index| &self.chats.chat(index).messages);
                let messages = messages.into_iter().flat_map(|messages| messages.iter().rev());
                reply.list(Separator::CommaSpace, messages.filter(|id| self.is_shown(**id, protocol)))
            }
            // Without windows every chat is as active as the others.
            SearchResult::Chats => list_chats(reply, self.chats.iter().map(|(_, chat)| chat)),
            SearchResult::MissedChats => {
                let mut chats: Vec<ChatIndex> = Vec::new();
                let mut seen = HashSet::new();
                let missed = self.chats.missed().filter(|id| self.is_text(*id));
                let missed = missed.filter_map(|id| self.chats.message(id)).map(|message| message.chat);
                chats.extend(missed.filter(|chat| seen.insert(*chat)));
                list_chats(reply, chats.into_iter().map(|index| self.chats.chat(index)))
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

    /// Whether a message is one that somebody wrote.
    fn is_text(&self, id: ObjectId) -> bool {
        self.chats.message(id).is_some_and(|message| message.kind.is_text())
    }

    /// Whether a message is a request to become a contact.
    fn is_auth_request(&self, id: ObjectId) -> bool {
        self.chats.message(id).is_some_and(|message| message.kind == Kind::AuthRequest)
    }

    /// Whether clients of a protocol know of a message, as they are told of it (skype-api 2, 5).
    fn is_shown(&self, id: ObjectId, protocol: Protocol) -> bool {
        if self.is_auth_request(id) {
            protocol < Protocol::AUTH_REQUESTS
        } else {
            protocol.has_chat_messages() || self.is_text(id)
        }
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

fn list_users<'a>(reply: Line, users: impl Iterator<Item = &'a User>) -> Line {
    reply.list(Separator::CommaSpace, users.map(|user| &user.handle))
}

fn list_chats<'a>(reply: Line, chats: impl Iterator<Item = &'a Chat>) -> Line {
    reply.list(Separator::CommaSpace, chats.map(|chat| &chat.name))
}
