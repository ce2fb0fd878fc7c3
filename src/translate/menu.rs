//! What belongs to a user interface (skype-api 3.13, 3.14, 7.14). A session has none of its own:
//! menu items and events wait for the program around it to say that somebody clicked, and a window
//! that nobody can open is refused.

use crate::model::MenuItem;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::MenuContext;
use crate::skype::MenuItemProperty;
use crate::skype::Separator;
use crate::skype::Window;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::engine::Answer;

/// What somebody clicked, in the program around the session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Click {
    /// An EVENT.
    Event {
        /// Its name.
        id: String,
    },
    /// A MENU_ITEM.
    MenuItem {
        /// Its name.
        id: String,
        /// The users that were chosen.
        users: Vec<String>,
        /// Which menu it stood in.
        context: MenuContext,
        /// The chat or the call it stood beside; empty if there was none.
        context_id: String,
    },
}

impl Engine {
    pub(super) fn create_event(&mut self, reply: Line, client: ClientId, id: &str) -> Answer {
        let new = self.menus.add_event(client.0, id);
        Some(reply.part("EVENT").part(id).part("CREATED")).filter(|_| new).ok_or(ErrorCode::CREATE_UNKNOWN_TYPE)
    }

    pub(super) fn delete_event(&mut self, reply: Line, client: ClientId, id: &str) -> Answer {
        let known = self.menus.remove_event(client.0, id);
        Some(reply).filter(|_| known).ok_or(ErrorCode::DELETE_UNKNOWN_TYPE)
    }

    #[expect(clippy::too_many_arguments, reason = "what a command brings with it")]
    pub(super) fn create_menu_item(
        &mut self,
        reply: Line,
        client: ClientId,
        id: &str,
        context: MenuContext,
        caption: &str,
        hint: &str,
        enabled: bool,
    ) -> Answer {
        let item = MenuItem { context, caption: caption.to_owned(), hint: hint.to_owned(), enabled };
        let new = self.menus.add_item(client.0, id, item);
        Some(reply.part("MENU_ITEM").part(id).part("CREATED")).filter(|_| new).ok_or(ErrorCode::CREATE_UNKNOWN_TYPE)
    }

    pub(super) fn set_menu_item(
        &mut self,
        reply: Line,
        client: ClientId,
        id: &str,
        property: MenuItemProperty,
        value: &str,
    ) -> Answer {
        let wrong = ErrorCode::SET_INVALID_WHAT;
        let item = self.menus.item_mut(client.0, id).ok_or(wrong)?;
        match property {
            MenuItemProperty::Caption => value.clone_into(&mut item.caption),
            MenuItemProperty::Hint => value.clone_into(&mut item.hint),
            MenuItemProperty::Enabled => {
                let words = [("TRUE", true), ("FALSE", false)];
                let word = words.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(value)).ok_or(wrong)?;
                item.enabled = word.1;
            }
            MenuItemProperty::Clicked => return Err(wrong),
        }
        Ok(reply)
    }

    pub(super) fn delete_menu_item(&mut self, reply: Line, client: ClientId, id: &str) -> Answer {
        let known = self.menus.remove_item(client.0, id);
        Some(reply).filter(|_| known).ok_or(ErrorCode::DELETE_UNKNOWN_TYPE)
    }

    /// Tells the clients to whom it belongs that somebody clicked.
    pub fn click(&self, click: &Click, out: &mut Vec<Output>) {
        match click {
            Click::Event { id } => {
                let clients: Vec<_> = self.menus.with_event(id).collect();
                self.announce_to(&clients, Line::about("EVENT", id, "CLICKED"), out);
            }
            Click::MenuItem { id, users, context, context_id } => {
                let clients: Vec<_> =
                    self.menus.with_item(id).filter(|row| row.1 == *context).map(|row| row.0).collect();
                let mut line = Line::about("MENU_ITEM", id, MenuItemProperty::Clicked.word());
                if !users.is_empty() {
                    line = line.list(Separator::CommaSpace, users);
                }
                line = line.part("CONTEXT").part(context.word());
                if !context_id.is_empty() {
                    line = line.part("CONTEXT_ID").part(context_id);
                }
                self.announce_to(&clients, line, out);
            }
        }
    }

    /// Opens what can be there without a window: a conversation, a voicemail. What is named has to
    /// exist, and every other window is refused: an echo would say that it is open.
    pub(super) fn open(&mut self, reply: Line, window: Window, target: &str, out: &mut Vec<Output>) -> Answer {
        let first = target.split([' ', ',']).next().unwrap_or("");
        let user = |engine: &Self| engine.names.parse(first);
        match window {
            // CHAT … OPENED is not said: one client reads a fourth word there (clients 2, rule 11).
            Window::Chat => self.chats.by_name(target).map(|_| reply).ok_or(ErrorCode::CHAT_INVALID_NAME),
            Window::Im => user(self).map(|_| reply).ok_or(ErrorCode::OPEN_INVALID_HANDLE),
            Window::Voicemail => self.open_voicemail(reply, target, out),
            Window::Authorization | Window::SendContacts | Window::UserInfo if user(self).is_none() => {
                Err(ErrorCode::OPEN_INVALID_HANDLE)
            }
            Window::AddAFriend if !first.is_empty() && user(self).is_none() => Err(ErrorCode::OPEN_INVALID_HANDLE),
            Window::FileTransfer => Err(self.file_window_refusal(target)),
            _ => Err(ErrorCode::OPEN_INVALID_WHAT),
        }
    }

    /// Why no file can be chosen: for whom, from where, and at last that there is no window.
    fn file_window_refusal(&self, target: &str) -> ErrorCode {
        let (users, folder) = match target.split_once("IN ") {
            Some((users, folder)) => (users, Some(folder)),
            None => (target, None),
        };
        let users: Vec<_> = users.split([' ', ',']).filter(|user| !user.is_empty()).collect();
        let contact = |user: &&str| self.users.get(user).is_some_and(|user| user.is_listed());
        match users.as_slice() {
            users if users.len() > 100 => ErrorCode::TOO_MANY_TARGETS,
            users if !users.iter().all(contact) => ErrorCode::USER_NOT_CONTACT,
            _ if folder.is_some_and(|folder| !self.avatars.allows(folder)) => ErrorCode::NO_SUCH_DIRECTORY,
            _ => ErrorCode::OPEN_INVALID_WHAT,
        }
    }
}
