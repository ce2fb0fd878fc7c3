//! Application-to-application, and typing, which clients do by it (skype-api 3.10, 4.10, 7.7).

use crate::backend::Action;
use crate::backend::StreamAction;
use crate::backend::StreamEvent;
use crate::backend::Task;
use crate::backend::Typing;
use crate::model::Application;
use crate::model::Handle;
use crate::model::Stream;
use crate::skype::AlterApplication;
use crate::skype::ApplicationProperty;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Separator;
use crate::skype::StreamName;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;

/// The application by which clients tell each other that somebody types. Its streams lead to the
/// network's own typing and carry nothing but these datagrams.
pub(super) const TYPING: &str = "libpurple_typing";

const TYPING_WORDS: &[(Typing, &str)] =
    &[(Typing::Typing, "PURPLE_TYPING"), (Typing::Typed, "PURPLE_TYPED"), (Typing::Stopped, "PURPLE_NOT_TYPING")];

/// The longest text of a stream, in bytes (skype-api 3.10).
const LONGEST_TEXT: usize = 65_536;

/// How many streams an application may have.
const MOST_STREAMS: usize = 10_000;

impl Engine {
    pub(super) fn get_application(&self, reply: Line, name: &str, property: ApplicationProperty) -> Answer {
        let application = self.applications.get(name).ok_or(ErrorCode::GET_APPLICATION_NAME)?;
        Ok(application_value(reply, application, property))
    }

    /// Each client that takes part creates the application for itself: a second one of another client
    /// is no repetition.
    pub(super) fn create_application(&mut self, reply: Line, client: ClientId, name: &str) -> Answer {
        if self.applications.join(name, client.0) { Ok(reply) } else { Err(ErrorCode::APPLICATION_FAILED) }
    }

    pub(super) fn delete_application(
        &mut self,
        reply: Line,
        client: ClientId,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        if self.leave_application(name, client, out) { Ok(reply) } else { Err(ErrorCode::DELETE_APPLICATION_NAME) }
    }

    /// Has a client take part no more; the last one closes the streams. `false` if it did not take part.
    pub(super) fn leave_application(&mut self, name: &str, client: ClientId, out: &mut Vec<Output>) -> bool {
        let Some(left) = self.applications.leave(name, client.0) else { return false };
        for stream in left.into_iter().flat_map(|application| application.streams) {
            self.close_stream(name, stream, out);
        }
        true
    }

    fn close_stream(&mut self, name: &str, stream: Stream, out: &mut Vec<Output>) {
        if name != TYPING {
            let Stream { user, number, .. } = stream;
            let application = name.to_owned();
            let task = Task::Stream { application, user, number, action: StreamAction::Close };
            self.ask(task, Pending::Nothing, out);
        }
    }

    pub(super) fn alter_application(
        &mut self,
        reply: Line,
        client: ClientId,
        name: &str,
        action: AlterApplication<'_>,
        out: &mut Vec<Output>,
    ) -> Answer {
        let application = self.applications.get(name).filter(|known| known.clients.contains(&client.0));
        let application = application.ok_or(ErrorCode::ALTER_APPLICATION_NAME)?;
        match action {
            AlterApplication::Connect(typed) => {
                let user = self.names.parse(typed).filter(|user| *user != self.me.handle);
                let user = user.ok_or(ErrorCode::APPLICATION_CONNECT_HANDLE)?;
                if !self.is_online() || application.streams.len() >= MOST_STREAMS {
                    return Err(ErrorCode::APPLICATION_FAILED);
                }
                self.connect_stream(name, user, out);
                Ok(reply)
            }
            AlterApplication::Disconnect { user, number } => {
                let user = self.names.parse(user).ok_or(ErrorCode::APPLICATION_DISCONNECT_STREAM)?;
                let is_meant =
                    |stream: &Stream| stream.user == user && number.is_none_or(|number| number == stream.number);
                let application = self.applications.get_mut(name).ok_or(ErrorCode::ALTER_APPLICATION_NAME)?;
                let closed: Vec<_> = application.streams.iter().filter(|stream| is_meant(stream)).cloned().collect();
                if closed.is_empty() {
                    return Err(ErrorCode::APPLICATION_DISCONNECT_STREAM);
                }
                application.streams.retain(|stream| !is_meant(stream));
                self.announce_application(name, ApplicationProperty::Streams, out);
                for stream in closed {
                    self.close_stream(name, stream, out);
                }
                Ok(reply)
            }
            AlterApplication::Write(stream, text) => self.write(reply, name, stream, text, out),
            AlterApplication::Read(stream) => {
                let unknown = ErrorCode::APPLICATION_READ_STREAM;
                let user = self.names.parse(stream.user).ok_or(unknown)?;
                let application = self.applications.get_mut(name).ok_or(unknown)?;
                let stream = application.stream_mut(&user, stream.number).ok_or(unknown)?;
                let text = stream.read().unwrap_or_default();
                self.announce_application(name, ApplicationProperty::Received, out);
                Ok(reply.part(&text))
            }
            AlterApplication::Datagram(stream, text) => self.datagram(reply, name, stream, text, out),
        }
    }

    fn connect_stream(&mut self, name: &str, user: Handle, out: &mut Vec<Output>) {
        let Some(application) = self.applications.get_mut(name) else { return };
        let number = next_number(application, &user);
        if name == TYPING {
            // One stream to each user is enough, and nobody has to be asked (skype-api 7.7).
            if application.stream_mut(&user, 1).is_none() {
                application.connecting.push(user.clone());
                self.announce_application(name, ApplicationProperty::Connecting, out);
                self.stream_opened(name, &user, 1, out);
            } else {
                self.announce_application(name, ApplicationProperty::Streams, out);
            }
            return;
        }
        application.connecting.push(user.clone());
        self.announce_application(name, ApplicationProperty::Connecting, out);
        let pending = Pending::Connect(name.to_owned(), user.clone(), number);
        let application = name.to_owned();
        self.ask(Task::Stream { application, user, number, action: StreamAction::Open }, pending, out);
    }

    /// The network has opened a stream, or not.
    pub(super) fn connect_done(&mut self, name: &str, user: &Handle, number: u32, done: bool, out: &mut Vec<Output>) {
        if done && self.applications.get(name).is_none() {
            // Nobody is there any more who would close it.
            self.close_stream(name, Stream::new(user.clone(), number), out);
        } else if done {
            self.stream_opened(name, user, number, out);
        } else if let Some(application) = self.applications.get_mut(name) {
            application.connecting.retain(|connecting| connecting != user);
            self.announce_application(name, ApplicationProperty::Connecting, out);
        }
    }

    fn stream_opened(&mut self, name: &str, user: &Handle, number: u32, out: &mut Vec<Output>) {
        let Some(application) = self.applications.get_mut(name) else { return };
        let connecting = application.connecting.len();
        application.connecting.retain(|connecting| connecting != user);
        let connected = connecting != application.connecting.len();
        if application.stream_mut(user, number).is_none() {
            application.streams.push(Stream::new(user.clone(), number));
        }
        if connected {
            self.announce_application(name, ApplicationProperty::Connecting, out);
        }
        self.announce_application(name, ApplicationProperty::Streams, out);
    }

    fn write(&mut self, reply: Line, name: &str, stream: StreamName<'_>, text: &str, out: &mut Vec<Output>) -> Answer {
        let unknown = ErrorCode::APPLICATION_WRITE_STREAM;
        let user = self.names.parse(stream.user).ok_or(unknown)?;
        let application = self.applications.get_mut(name).ok_or(unknown)?;
        let number = stream.number;
        let stream = application.stream_mut(&user, number).ok_or(unknown)?;
        // One text in one line (skype-api 3.10).
        if name == TYPING || text.len() > LONGEST_TEXT || text.contains(['\n', '\r']) {
            return Err(ErrorCode::APPLICATION_FAILED);
        }
        stream.sending += text.len();
        self.announce_application(name, ApplicationProperty::Sending, out);
        let pending = Pending::Write(name.to_owned(), user.clone(), number, text.len());
        let action = StreamAction::Write(text.to_owned());
        self.ask(Task::Stream { application: name.to_owned(), user, number, action }, pending, out);
        Ok(reply)
    }

    /// The network has sent a text, or not: it is on its way no more.
    pub(super) fn write_done(&mut self, name: &str, user: &Handle, number: u32, length: usize, out: &mut Vec<Output>) {
        let stream = self.applications.get_mut(name).and_then(|application| application.stream_mut(user, number));
        if let Some(stream) = stream {
            stream.sending = stream.sending.saturating_sub(length);
            self.announce_application(name, ApplicationProperty::Sending, out);
        }
    }

    fn datagram(
        &mut self,
        reply: Line,
        name: &str,
        stream: StreamName<'_>,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        let unknown = ErrorCode::APPLICATION_DATAGRAM_STREAM;
        let user = self.names.parse(stream.user).ok_or(unknown)?;
        let application = self.applications.get_mut(name).ok_or(unknown)?;
        let number = stream.number;
        application.stream_mut(&user, number).ok_or(unknown)?;
        if name == TYPING {
            let word = text.trim_end_matches(' ');
            let known = TYPING_WORDS.iter().find(|(_, known)| *known == word).ok_or(ErrorCode::APPLICATION_FAILED)?;
            if self.is_online() {
                out.push(Output::ToBackend(Action::Typing { user, typing: known.0 }));
            }
            return Ok(reply);
        }
        if text.is_empty() || text.len() > LONGEST_TEXT || text.contains(['\n', '\r']) {
            return Err(ErrorCode::APPLICATION_FAILED);
        }
        let action = StreamAction::Datagram(text.to_owned());
        self.ask(Task::Stream { application: name.to_owned(), user, number, action }, Pending::Nothing, out);
        Ok(reply)
    }

    /// A user types to us, or has stopped.
    pub(super) fn typing(&mut self, user: &Handle, typing: Typing, out: &mut Vec<Output>) {
        let Some(application) = self.applications.get_mut(TYPING) else { return };
        if application.stream_mut(user, 1).is_none() {
            self.stream_opened(TYPING, user, 1, out);
        }
        let word = TYPING_WORDS.iter().find(|(known, _)| *known == typing).map_or("", |(_, word)| word);
        self.announce_datagram(TYPING, user, 1, word, out);
    }

    fn announce_datagram(&self, name: &str, user: &Handle, number: u32, text: &str, out: &mut Vec<Output>) {
        let Some(application) = self.applications.get(name) else { return };
        let line = Line::about("APPLICATION", name, ApplicationProperty::Datagram.word());
        self.announce_to(&application.clients, line.value(format_args!("{user}:{number}")).one_line(text), out);
    }

    /// Something happened on a stream.
    pub(super) fn stream_event(
        &mut self,
        name: &str,
        user: &Handle,
        number: u32,
        event: StreamEvent,
        out: &mut Vec<Output>,
    ) {
        // To those who have not created the application nobody can connect.
        let Some(application) = self.applications.get_mut(name).filter(|_| name != TYPING) else { return };
        match event {
            StreamEvent::Opened => self.stream_opened(name, user, number, out),
            StreamEvent::Closed => {
                let before = application.streams.len();
                application.streams.retain(|stream| stream.user != *user || stream.number != number);
                if before != application.streams.len() {
                    self.announce_application(name, ApplicationProperty::Streams, out);
                }
            }
            StreamEvent::Received(text) => {
                let Some(stream) = application.stream_mut(user, number) else { return };
                if stream.receive(text) {
                    self.announce_application(name, ApplicationProperty::Received, out);
                } else {
                    // Nobody reads it: better an end that is seen than a text that is missing.
                    tracing::warn!(application = name, "a stream that nobody reads is closed");
                    let full = stream.clone();
                    application.streams.retain(|stream| stream.user != *user || stream.number != number);
                    self.announce_application(name, ApplicationProperty::Streams, out);
                    self.close_stream(name, full, out);
                }
            }
            StreamEvent::Datagram(text) => self.announce_datagram(name, user, number, &text, out),
        }
    }

    /// Without a connection there are no streams; those of typing begin again by themselves.
    pub(super) fn streams_end(&mut self, out: &mut Vec<Output>) {
        for name in self.applications.names() {
            let Some(application) = self.applications.get_mut(&name).filter(|_| name != TYPING) else { continue };
            application.connectable.clear();
            let connecting = !std::mem::take(&mut application.connecting).is_empty();
            let streams = !std::mem::take(&mut application.streams).is_empty();
            if connecting {
                self.announce_application(&name, ApplicationProperty::Connecting, out);
            }
            if streams {
                self.announce_application(&name, ApplicationProperty::Streams, out);
            }
        }
    }

    /// The users who have an application too.
    pub(super) fn connectable(&mut self, name: &str, users: Vec<Handle>, out: &mut Vec<Output>) {
        if let Some(application) = self.applications.get_mut(name)
            && application.connectable != users
        {
            application.connectable = users;
            self.announce_application(name, ApplicationProperty::Connectable, out);
        }
    }

    /// Tells the clients that have created the application (skype-api 5).
    fn announce_application(&self, name: &str, property: ApplicationProperty, out: &mut Vec<Output>) {
        let Some(application) = self.applications.get(name) else { return };
        let line = Line::about("APPLICATION", name, property.word());
        self.announce_to(&application.clients, application_value(line, application, property), out);
    }
}

/// Adds the value of a property to a line.
fn application_value(line: Line, application: &Application, property: ApplicationProperty) -> Line {
    let streams = application.streams.iter();
    match property {
        ApplicationProperty::Connectable => line.list(Separator::Space, &application.connectable),
        ApplicationProperty::Connecting => line.list(Separator::Space, &application.connecting),
        ApplicationProperty::Streams => {
            line.list(Separator::Space, streams.map(|stream| format!("{}:{}", stream.user, stream.number)))
        }
        ApplicationProperty::Sending => {
            let sending = streams.filter(|stream| stream.sending > 0);
            line.list(
                Separator::Space,
                sending.map(|stream| format!("{}:{}={}", stream.user, stream.number, stream.sending)),
            )
        }
        ApplicationProperty::Received => {
            let waiting = streams.filter_map(|stream| stream.next_length().map(|length| (stream, length)));
            line.list(
                Separator::Space,
                waiting.map(|(stream, length)| format!("{}:{}={length}", stream.user, stream.number)),
            )
        }
        // Only told.
        ApplicationProperty::Datagram => line.part(""),
    }
}

/// The number of the next stream to a user.
fn next_number(application: &Application, user: &Handle) -> u32 {
    let taken = application.streams.iter().filter(|stream| stream.user == *user).map(|stream| stream.number);
    let connecting = application.connecting.iter().filter(|connecting| *connecting == user).count();
    taken.max().unwrap_or(0) + 1 + u32::try_from(connecting).unwrap_or(0)
}
