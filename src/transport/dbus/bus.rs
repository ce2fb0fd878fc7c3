//! The connection to the bus, and what is asked of the bus itself.

use std::collections::VecDeque;
use std::task::Context;
use std::task::Poll;

use futures_util::StreamExt;
use serde::Serialize;
use zbus::Connection;
use zbus::DynamicType;
use zbus::Message;
use zbus::MessageStream;
use zbus::connection::Builder;
use zbus::fdo;
use zbus::message::Flags;
use zbus::message::Type;

use super::NAME;
use super::Options;
use super::calls::CLIENT_INTERFACE;
use super::calls::CLIENT_OBJECT;
use crate::error::Error;

/// The bus itself.
const DRIVER: &str = "org.freedesktop.DBus";
const DRIVER_OBJECT: &str = "/org/freedesktop/DBus";

/// Tells when a connection has gone, and no other change of an owner.
const GONE: &str = "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',\
                    interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";

/// Answers of RequestName.
const PRIMARY_OWNER: u32 = 1;
const ALREADY_OWNER: u32 = 4;
/// Its flag: fail if the name is another's.
const DO_NOT_QUEUE: u32 = 4;

/// A connection that owns the name.
pub(super) struct Bus {
    connection: Connection,
    /// Every message, in order. (Streams by rule would each have an order of their own.)
    stream: MessageStream,
    /// What came while the bus itself was asked something.
    backlog: VecDeque<Message>,
}

impl Bus {
    /// Connects and takes the name.
    pub(super) async fn open(options: Options) -> Result<Self, Error> {
        let builder = if options.system { Builder::system() } else { Builder::session() };
        let connection = builder.build().await.map_err(|error| unreachable(options, &error))?;
        let stream = MessageStream::from(&connection);
        let mut bus = Self { connection, stream, backlog: VecDeque::new() };
        // First, so that no client comes and goes unseen.
        let watched = bus.ask("AddMatch", &GONE).await;
        watched.map_err(|error| unreachable(options, &error))?;
        bus.take_name(options).await?;
        Ok(bus)
    }

    async fn take_name(&mut self, options: Options) -> Result<(), Error> {
        let answer = match self.ask("RequestName", &(NAME, DO_NOT_QUEUE)).await {
            Ok(answer) => answer.body().deserialize().map_err(|error| unreachable(options, &error))?,
            Err(error) => return Err(refused(options, &error)),
        };
        if [PRIMARY_OWNER, ALREADY_OWNER].contains(&answer) {
            return Ok(());
        }
        let owner = self.owner().await.unwrap_or_else(|| "another program".to_owned());
        let other = if options.system { "leave out --dbus-system" } else { "use the system bus (--dbus-system)" };
        Err(Error::InvalidArgument {
            name: "dbus",
            problem: format!("{NAME} on the {} is owned by {owner}; stop that one, or {other}", options.bus()),
        })
    }

    /// Who has the name, for people.
    async fn owner(&mut self) -> Option<String> {
        let answer = self.ask("GetNameOwner", &NAME).await.ok()?.body();
        let owner: String = answer.deserialize().ok()?;
        let process = match self.ask("GetConnectionUnixProcessID", &owner).await {
            Ok(answer) => answer.body().deserialize::<u32>().ok(),
            Err(_) => None,
        };
        Some(match process {
            Some(process) if process == std::process::id() => {
                format!("{owner}, another account of this program (process {process})")
            }
            Some(process) => format!("{owner} (process {process})"),
            None => owner,
        })
    }

    /// Calls a method of the bus itself.
    async fn ask<B: Serialize + DynamicType>(&mut self, method: &str, body: &B) -> zbus::Result<Message> {
        let call = Message::method_call(DRIVER_OBJECT, method).destination(DRIVER).interface(DRIVER).build(body)?;
        let serial = call.primary_header().serial_num();
        self.send(&call).await?;
        loop {
            let message = self.stream.next().await.ok_or(zbus::Error::InvalidReply)??;
            let answers = message.header().reply_serial() == Some(serial);
            match message.message_type() {
                Type::MethodReturn if answers => return Ok(message),
                Type::Error if answers => return Err(message.into()),
                _ => self.backlog.push_back(message),
            }
        }
    }

    pub(super) async fn send(&self, message: &Message) -> zbus::Result<()> {
        self.connection.send(message).await
    }

    /// The next message; `None` when the bus has gone.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        if let Some(message) = self.backlog.pop_front() {
            return Poll::Ready(Some(message));
        }
        self.stream.poll_next_unpin(context).map(|item| item.and_then(Result::ok))
    }

    /// Lets go of the name. When this has ended, everything that was sent has reached the bus.
    pub(super) async fn close(mut self) {
        // An error means that the bus has gone, and the name with it.
        let _ = self.ask("ReleaseName", &NAME).await;
        drop(self.stream);
        let _ = self.connection.close().await;
    }
}

/// A notification.
pub(super) fn notify(client: &str, line: &str) -> zbus::Result<Message> {
    Message::method_call(CLIENT_OBJECT, "Notify")
        .destination(client)
        .interface(CLIENT_INTERFACE)
        .with_flags(Flags::NO_REPLY_EXPECTED)
        .build(&line)
}

/// The connection that has gone, if this is what a message of the bus tells.
pub(super) fn gone(message: &Message) -> Option<String> {
    let header = message.header();
    let tells = message.message_type() == Type::Signal
        && header.sender().is_some_and(|sender| sender.as_str() == DRIVER)
        && header.member().is_some_and(|member| member.as_str() == "NameOwnerChanged");
    let (name, _, owner): (String, String, String) = tells.then(|| message.body().deserialize().ok()).flatten()?;
    owner.is_empty().then_some(name)
}

/// There is no such bus, or it does not answer.
pub(super) fn unreachable(options: Options, error: &dyn std::fmt::Display) -> Error {
    let (variable, default, cure) = if options.system {
        ("DBUS_SYSTEM_BUS_ADDRESS", "/run/dbus/system_bus_socket", "")
    } else {
        ("DBUS_SESSION_BUS_ADDRESS", "$XDG_RUNTIME_DIR/bus", " (dbus-run-session starts one)")
    };
    let address = std::env::var(variable);
    let place =
        address.map_or_else(|_| format!("is not set, so it was sought at {default}"), |set| format!("is {set}"));
    Error::InvalidArgument {
        name: "dbus",
        problem: format!("cannot reach the {}: {error}; {variable} {place}; is it running?{cure}", options.bus()),
    }
}

/// The bus does not let us have the name.
fn refused(options: Options, error: &zbus::Error) -> Error {
    let denied = matches!(error, zbus::Error::FDO(known) if matches!(**known, fdo::Error::AccessDenied(_)));
    if !denied {
        return unreachable(options, error);
    }
    let cure = if options.system {
        "; install the policy dist/dbus/com.Skype.API.conf and run as the user imo2skype, or leave out --dbus-system"
    } else {
        ""
    };
    Error::InvalidArgument {
        name: "dbus",
        problem: format!("the {} does not let this user own {NAME}{cure}", options.bus()),
    }
}
