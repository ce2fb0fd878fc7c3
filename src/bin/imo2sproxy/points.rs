//! The connection points of an account for clients in other processes.

use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use imo2skype::Session;
use imo2skype::transport::Serving;
#[cfg(unix)]
use imo2skype::transport::dbus;
use imo2skype::transport::skypeproxy;
use imo2skype::transport::skypeproxy::SkypeProxy;
use imo2skype::transport::stream::BindOptions;
use secrecy::SecretString;

use crate::failure::Failure;
use crate::plan::absolute;
use crate::settings::Mode;
use crate::settings::Settings;

/// The connection points that an account is to have.
#[derive(Default)]
pub(crate) struct Points {
    socket: Option<BindOptions>,
    #[cfg(unix)]
    dbus: Option<dbus::Options>,
}

/// A connection point that has its place, and answers nobody before it is told whose clients they are.
pub(crate) type Bound = Box<dyn FnOnce(Arc<Session>) -> imo2skype::Result<Box<dyn Serving>> + Send>;

impl Points {
    /// What the settings ask for, as far as that can be seen without trying.
    pub(crate) fn new(settings: &Settings, modes: &[Mode]) -> Result<Self, Failure> {
        let mut points = Self::default();
        for mode in modes {
            let name = match mode {
                Mode::C => continue,
                Mode::S => {
                    points.socket = Some(socket(settings)?);
                    continue;
                }
                #[cfg(unix)]
                Mode::D => {
                    points.dbus = Some(dbus(settings)?);
                    continue;
                }
                Mode::A => "a (window messages)",
                #[cfg(not(unix))]
                Mode::D => "d (D-Bus)",
                Mode::X => "x (X11)",
                Mode::N => "n (skypenet)",
                Mode::L => "l (skyped lines)",
            };
            return Err(Failure::usage(format!("the connection point -m {name} is not in this build")));
        }
        Ok(points)
    }

    /// Takes every place. What can be seen without trying was seen before: a failure is no wrong usage.
    pub(crate) fn bind(self) -> Result<Vec<Bound>, Failure> {
        let failed = |error: imo2skype::Error| Failure::service(error.chain());
        let mut bound: Vec<Bound> = Vec::new();
        if let Some(options) = self.socket {
            let socket = SkypeProxy::bind(options).map_err(failed)?;
            bound.push(Box::new(move |session| Ok(Box::new(socket.serve(session)?))));
        }
        #[cfg(unix)]
        if let Some(options) = self.dbus {
            let dbus = dbus::Dbus::bind(options).map_err(failed)?;
            bound.push(Box::new(move |session| Ok(Box::new(dbus.serve(session)?))));
        }
        Ok(bound)
    }
}

/// The place of the SkypeProxy socket: one in the file system takes that of the port, unless both are asked for.
fn socket(settings: &Settings) -> Result<BindOptions, Failure> {
    let unix = absolute(settings.socket.clone())?;
    let mut bind = stream(settings, settings.port.unwrap_or(skypeproxy::DEFAULT_PORT));
    bind.tcp = bind.tcp.filter(|_| unix.is_none() || settings.port.is_some() || settings.host.is_some());
    bind.unix = unix;
    bind.check()?;
    Ok(bind)
}

/// A port at the address that is for all of them, with the password that is.
fn stream(settings: &Settings, port: u16) -> BindOptions {
    let mut bind = BindOptions::loopback(port);
    if let (Some(tcp), Some(host)) = (&mut bind.tcp, settings.host) {
        tcp.set_ip(host);
    }
    bind.key = settings.key.clone().map(SecretString::from);
    bind
}

#[cfg(unix)]
fn dbus(settings: &Settings) -> Result<dbus::Options, Failure> {
    let options = dbus::Options {
        system: settings.dbus_system == Some(true),
        reply_delay: Duration::from_millis(settings.reply_delay.unwrap_or_default()),
    };
    options.check()?;
    Ok(options)
}
