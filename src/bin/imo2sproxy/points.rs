//! The connection points of an account for clients in other processes.

use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use imo2skype::Session;
use imo2skype::transport::Serving;
#[cfg(unix)]
use imo2skype::transport::dbus;
use imo2skype::transport::skyped;
use imo2skype::transport::skyped::Identity;
use imo2skype::transport::skyped::Skyped;
use imo2skype::transport::skypenet;
use imo2skype::transport::skypenet::Skypenet;
use imo2skype::transport::skypeproxy;
use imo2skype::transport::skypeproxy::SkypeProxy;
use imo2skype::transport::stream::BindOptions;
use imo2skype::transport::stream::Inherited;
#[cfg(unix)]
use imo2skype::transport::x11;
#[cfg(unix)]
use imo2skype::transport::x11::X11;
use secrecy::SecretString;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::places::Place;
use crate::plan::absolute;
use crate::settings::Mode;
use crate::settings::Settings;

/// The connection points that an account is to have.
#[derive(Default)]
pub(crate) struct Points {
    socket: Option<BindOptions>,
    #[cfg(unix)]
    x11: Option<x11::Options>,
    skypenet: Option<BindOptions>,
    skyped: Option<(BindOptions, Result<Identity, Failure>)>,
    #[cfg(unix)]
    dbus: Option<dbus::Options>,
}

/// A connection point that has its place, and answers nobody before it is told whose clients they are.
pub(crate) type Bound = Box<dyn FnOnce(Arc<Session>) -> imo2skype::Result<Box<dyn Serving>> + Send>;

impl Points {
    /// What the settings ask for, as far as that can be seen without trying.
    pub(crate) fn new(settings: &Settings, modes: &[Mode], data_dir: &DataDir) -> Result<Self, Failure> {
        let mut points = Self::default();
        let absent = |name| Err(Failure::usage(format!("the connection point -m {name} is not in this build")));
        for mode in modes {
            match mode {
                Mode::C => {}
                Mode::S => points.socket = Some(socket(settings)?),
                Mode::N => points.skypenet = Some(port(settings, settings.skypenet_port, skypenet::DEFAULT_PORT)?),
                Mode::L => {
                    let bind = port(settings, settings.skyped_port, skyped::DEFAULT_PORT)?;
                    points.skyped = Some((bind, identity(settings, data_dir)?));
                }
                #[cfg(unix)]
                Mode::D => points.dbus = Some(dbus(settings)?),
                #[cfg(unix)]
                Mode::X => points.x11 = Some(display(settings)?),
                Mode::A => return absent("a (window messages)"),
                #[cfg(not(unix))]
                Mode::D => return absent("d (D-Bus)"),
                #[cfg(not(unix))]
                Mode::X => return absent("x (X11)"),
            }
        }
        Ok(points)
    }

    /// Where they are to be.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        let skyped = self.skyped.as_ref().map(|(options, _)| options);
        for (key, kind, options) in [
            ("port", "skypeproxy", self.socket.as_ref()),
            ("skypenet_port", "skypenet", self.skypenet.as_ref()),
            ("skyped_port", "skyped", skyped),
        ] {
            let Some(options) = options else { continue };
            places.extend(options.tcp.map(|address| Place::port(key, kind, address)));
            places.extend(options.unix.as_ref().map(|path| Place::named("socket", kind, path.display())));
        }
        #[cfg(unix)]
        {
            let screen = self.x11.as_ref().and_then(|options| options.screen().ok());
            places.extend(screen.map(|screen| Place::named("display", "x11", screen)));
            places.extend(self.dbus.map(|options| Place::named("mode", "dbus", options.place())));
        }
        places
    }

    /// Whether there is to be a SkypeProxy socket.
    pub(crate) fn has_socket(&self) -> bool {
        self.socket.is_some()
    }

    /// Takes a socket that listens already in the place of the one that was to be made.
    pub(crate) fn inherit(&mut self, inherited: Inherited) -> Result<(), Failure> {
        if let Some(socket) = &mut self.socket {
            (socket.tcp, socket.unix) = (None, None);
            socket.inherited.push(inherited);
            socket.check()?;
        }
        Ok(())
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
        if let Some(options) = self.x11 {
            let display = X11::bind(options).map_err(failed)?;
            bound.push(Box::new(move |session| Ok(Box::new(display.serve(session)?))));
        }
        if let Some(options) = self.skypenet {
            let socket = Skypenet::bind(options).map_err(failed)?;
            bound.push(Box::new(move |session| Ok(Box::new(socket.serve(session)?))));
        }
        if let Some((options, identity)) = self.skyped {
            let identity = identity?;
            if let Identity::Kept(file) = &identity {
                file.parent().map_or(Ok(()), make_directory)?;
            }
            let socket = Skyped::bind(options, &identity).map_err(failed)?;
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

/// The certificate of the skyped socket; inside: why there is no place for one of our own.
fn identity(settings: &Settings, data_dir: &DataDir) -> Result<Result<Identity, Failure>, Failure> {
    let (cert, key) = (absolute(settings.skyped_cert.clone())?, absolute(settings.skyped_key.clone())?);
    match (cert, key) {
        (Some(cert), key) => Ok(Ok(Identity::Files { key: key.unwrap_or_else(|| cert.clone()), cert })),
        (None, Some(_)) => Err(Failure::usage("skyped_key: belongs to a certificate; name that by --skyped-cert too")),
        (None, None) => Ok(data_dir.certificate().map(Identity::Kept)),
    }
}

/// A port of its own, or the one where clients look for it.
fn port(settings: &Settings, own: Option<u16>, default: u16) -> Result<BindOptions, Failure> {
    let bind = stream(settings, own.unwrap_or(default));
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
fn display(settings: &Settings) -> Result<x11::Options, Failure> {
    let reply_delay = Duration::from_millis(settings.reply_delay.unwrap_or(0));
    let options = x11::Options { display: settings.display.clone(), reply_delay };
    options.check()?;
    Ok(options)
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
