//! Pictures of users, and the files that clients have them read from and written to (skype-api 3.2,
//! 3.3, 7.8). The engine touches no file: it asks for it, and answers the client when that is done.

use std::collections::HashMap;
use std::path::Component;
use std::path::Path;
use std::sync::Arc;

use crate::backend::Task;
use crate::model::Handle;
use crate::skype::Command;
use crate::skype::ErrorCode;
use crate::skype::Get;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::skype::Set;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::Token;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;
use crate::translate::engine::reply_to;

/// The longest picture, in bytes.
const LONGEST_PICTURE: u64 = 4 << 20;

/// The one picture that a user has.
const ONLY_PICTURE: u32 = 1;

/// A file to read or write for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTask {
    /// Names it in [`Engine::file_done`].
    pub number: u64,
    /// Where the file is.
    pub path: String,
    /// What to do with it.
    pub work: FileWork,
    /// The client that has the file brought over its connection, to a place of its own.
    pub carried_by: Option<ClientId>,
}

/// What to do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileWork {
    /// Write it, if it does not exist or is empty.
    Write(Arc<[u8]>),
    /// Read it, if it is no longer than so many bytes.
    Read(u64),
}

/// What became of a [`FileTask`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileOutcome {
    /// It was written.
    Written,
    /// It was read.
    Read(Vec<u8>),
    /// There is something in it already.
    NotEmpty,
    /// There is no such file, or no such folder.
    NotFound,
    /// It is too long, or may not be touched.
    Failed,
}

/// A client that waits for a file.
struct Waiting {
    client: ClientId,
    token: Token,
    /// The `#id` of its command, without the `#`.
    id: Option<String>,
    /// The reply, if all goes well.
    head: String,
}

/// The pictures that are known, and the clients that wait for files.
pub(super) struct Avatars {
    pictures: HashMap<Box<str>, Arc<[u8]>>,
    folder: Option<String>,
    waiting: HashMap<u64, Waiting>,
    next: u64,
}

impl Avatars {
    pub(super) fn new(folder: Option<String>) -> Self {
        Self { pictures: HashMap::new(), folder, waiting: HashMap::new(), next: 0 }
    }

    /// Whether clients may have a file there: below the folder that the user named.
    pub(super) fn allows(&self, path: &str) -> bool {
        let path = Path::new(path);
        let straight = path.components().all(|part| !matches!(part, Component::ParentDir | Component::CurDir));
        straight && self.folder.as_ref().is_some_and(|folder| path.starts_with(folder))
    }

    /// A client is gone, and waits no more.
    pub(super) fn forget(&mut self, client: ClientId) {
        self.waiting.retain(|_, waiting| waiting.client != client);
    }
}

impl Engine {
    /// Begins what needs a file; `None` if the command needs none.
    pub(super) fn begin_file(
        &mut self,
        client: ClientId,
        token: Token,
        request: &Request<'_>,
    ) -> Option<Result<FileTask, ErrorCode>> {
        let (head, path, work) = match request.command {
            Command::Get { head, what: Get::UserAvatar { handle, id, path } } => {
                (head, path, self.picture_of(handle, id).map(FileWork::Write))
            }
            Command::Get { head, what: Get::Avatar { id, path } } => {
                let me = self.me.handle.to_string();
                (head, path, self.picture_of(&me, id).map(FileWork::Write))
            }
            Command::Set { head, what: Set::Avatar { id, path } } if !path.is_empty() => {
                let work = match id {
                    ONLY_PICTURE => self.refusal(&request.command).map_or(Ok(FileWork::Read(LONGEST_PICTURE)), Err),
                    _ => Err(ErrorCode::AVATAR_INVALID_ID),
                };
                (head, path, work)
            }
            _ => return None,
        };
        let carries = matches!(work, Ok(FileWork::Write(_)))
            && self.clients.iter().any(|known| known.id == client && known.carries_files);
        let allowed = carries || self.avatars.allows(path);
        let refused = match &work {
            Ok(FileWork::Read(_)) => ErrorCode::FILE_NOT_FOUND,
            _ => ErrorCode::AVATAR_NO_PATH,
        };
        let work = work.and_then(|work| if allowed { Ok(work) } else { Err(refused) });
        Some(work.map(|work| {
            self.avatars.next += 1;
            let number = self.avatars.next;
            let id = request.id.map(str::to_owned);
            self.avatars.waiting.insert(number, Waiting { client, token, id, head: head.to_owned() });
            FileTask { number, path: path.to_owned(), work, carried_by: carries.then_some(client) }
        }))
    }

    /// From now on a client has files that it asks for brought over its connection.
    pub fn carry_files(&mut self, client: ClientId) {
        if let Some(client) = self.clients.iter_mut().find(|known| known.id == client) {
            client.carries_files = true;
        }
    }

    fn picture_of(&self, typed: &str, id: u32) -> Result<Arc<[u8]>, ErrorCode> {
        if id != ONLY_PICTURE {
            return Err(ErrorCode::AVATAR_INVALID_ID);
        }
        let handle = self.names.parse(typed).ok_or(ErrorCode::GET_USER_INVALID_HANDLE)?;
        let picture = self.avatars.pictures.get(&*Handle::fold(handle.as_str()));
        picture.cloned().ok_or(ErrorCode::AVATAR_CANNOT_LOAD)
    }

    /// What became of an [`Output::File`]; the client is answered now.
    pub fn file_done(&mut self, number: u64, outcome: FileOutcome, out: &mut Vec<Output>) {
        let Some(Waiting { client, token, id, head }) = self.avatars.waiting.remove(&number) else { return };
        let set = head.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("AVATAR"));
        let mut picture = None;
        let answer = match outcome {
            FileOutcome::Written => Ok(()),
            FileOutcome::Read(bytes) if is_picture(&bytes) => {
                picture = Some(Arc::<[u8]>::from(bytes));
                Ok(())
            }
            FileOutcome::Read(_) => Err(ErrorCode::INVALID_AVATAR),
            FileOutcome::NotEmpty => Err(ErrorCode::AVATAR_NOT_EMPTY),
            FileOutcome::NotFound if set => Err(ErrorCode::FILE_NOT_FOUND),
            FileOutcome::NotFound => Err(ErrorCode::AVATAR_NO_PATH),
            FileOutcome::Failed if set => Err(ErrorCode::INVALID_AVATAR),
            FileOutcome::Failed => Err(ErrorCode::AVATAR_NO_PATH),
        };
        let answer = answer.map(|()| Line::reply(id.as_deref()).part(&head));
        out.push(reply_to(client, token, id.as_deref(), answer));
        if let Some(picture) = picture {
            self.set_own_picture(Some(picture), out);
            self.announce(Protocol::LOWEST, Line::notification().part(&head), out);
        }
    }

    pub(super) fn remove_avatar(&mut self, reply: Line, id: u32, out: &mut Vec<Output>) -> Answer {
        if id != ONLY_PICTURE {
            return Err(ErrorCode::AVATAR_INVALID_ID);
        }
        self.set_own_picture(None, out);
        self.announce(Protocol::LOWEST, Line::notification().part("AVATAR").value(id).part(""), out);
        Ok(reply.part(""))
    }

    fn set_own_picture(&mut self, picture: Option<Arc<[u8]>>, out: &mut Vec<Output>) {
        let me = self.me.handle.clone();
        let before = self.avatars.pictures.get(&*Handle::fold(me.as_str())).cloned();
        self.avatar_changed(&me, picture.clone());
        self.ask(Task::SetAvatar { picture }, Pending::Avatar(before), out);
    }

    /// The network has answered; a picture that it refused is not ours.
    pub(super) fn own_picture_done(&mut self, before: Option<Arc<[u8]>>, done: bool) {
        if !done {
            let me = self.me.handle.clone();
            self.avatar_changed(&me, before);
        }
    }

    /// Somebody has another picture.
    pub(super) fn avatar_changed(&mut self, user: &Handle, picture: Option<Arc<[u8]>>) {
        let key = Handle::fold(user.as_str());
        match picture {
            Some(picture) => drop(self.avatars.pictures.insert(key.into(), picture)),
            None => drop(self.avatars.pictures.remove(&*key)),
        }
    }
}

/// Whether it looks like a picture that clients can show.
fn is_picture(bytes: &[u8]) -> bool {
    let begins = [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"];
    begins.into_iter().any(|beginning| bytes.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_touched_below_the_named_folder_only() {
        let avatars = Avatars::new(Some("/home/alice/skype".to_owned()));
        for path in ["/home/alice/skype/a.jpg", "/home/alice/skype/pics/a.jpg"] {
            assert!(avatars.allows(path), "{path}");
        }
        for path in ["/etc/passwd", "/home/alice/skype/../x", "/home/alice/skyper/x", "a.jpg", ""] {
            assert!(!avatars.allows(path), "{path}");
        }
        assert!(!Avatars::new(None).allows("/home/alice/skype/a.jpg"));
    }
}
