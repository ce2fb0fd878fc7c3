//! SEARCH (skype-api 3.5).

use crate::model::Chat;
use crate::model::ChatIndex;
use crate::model::Kind;
use crate::model::ObjectId;
use crate::model::User;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Search;
use crate::skype::SearchResult;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::engine::Answer;

impl Engine {
    pub(super) fn search(&self, reply: Line, search: &Search, target: &str) -> Answer {
        Ok(match search.result {
            SearchResult::Friends => list_users(reply, self.users.iter().filter(|user| user.is_listed())),
            SearchResult::WaitingForAuthorization => {
                list_users(reply, self.users.iter().filter(|user| user.request.is_some()))
            }
            SearchResult::Users => self.search_users(reply, target),
            SearchResult::MissedMessages => {
                reply.list(Separator::CommaSpace, self.chats.missed().filter(|id| self.is_text(*id)))
            }
            SearchResult::Messages if target.is_empty() => reply.list(Separator::CommaSpace, self.chats.newest_first()),
            SearchResult::Messages => {
                let partner = self.names.parse(target).ok_or(ErrorCode::INVALID_HANDLE)?;
                let messages = self.chats.dialog(&partner).map(|index| &self.chats.chat(index).messages);
                reply.list(Separator::CommaSpace, messages.into_iter().flat_map(|messages| messages.iter().rev()))
            }
            SearchResult::Chats => list_chats(reply, self.chats.iter().map(|(_, chat)| chat)),
            SearchResult::MissedChats => {
                let mut chats: Vec<ChatIndex> = Vec::new();
                for message in self.chats.missed().filter_map(|id| self.chats.message(id)) {
                    if !chats.contains(&message.chat) {
                        chats.push(message.chat);
                    }
                }
                list_chats(reply, chats.into_iter().map(|index| self.chats.chat(index)))
            }
            SearchResult::RecentChats => {
                let mut chats: Vec<&Chat> = self.chats.iter().map(|(_, chat)| chat).collect();
                chats.sort_by_key(|chat| std::cmp::Reverse(chat.activity));
                list_chats(reply, chats.into_iter())
            }
            SearchResult::Nothing => reply.part(""),
        })
    }

    /// Whether a message is one that somebody wrote.
    fn is_text(&self, id: ObjectId) -> bool {
        self.chats.message(id).is_some_and(|message| message.kind == Kind::Text)
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
