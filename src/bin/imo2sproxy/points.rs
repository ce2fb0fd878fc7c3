//! The connection points of an account for clients in other processes.

use std::sync::Arc;

use imo2skype::Session;
use imo2skype::transport::Serving;
use imo2skype::transport::skyped;
use imo2skype::transport::skyped::Identity;
use imo2skype::transport::skyped::Skyped;
use imo2skype::transport::skypenet;
use imo2skype::transport::skypenet::Skypenet;
use imo2skype::transport::skypeproxy;
use imo2skype::transport::skypeproxy::SkypeProxy;
use imo2skype::transport::stream::BindOptions;
use secrecy::SecretString;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::plan::absolute;
use crate::settings::Mode;
use crate::settings::Settings;

/// The connection points that an account is to have.
#[derive(Default)]
pub(crate) struct Points {
    socket: Option<BindOptions>,
    skypenet: Option<BindOptions>,
    skyped: Option<(BindOptions, Result<Identity, Failure>)>,
}

/// A connection point that has its place, and answers nobody before it is told whose clients they are.
pub(crate) type Bound = Box<dyn FnOnce(Arc<Session>) -> imo2skype::Result<Box<dyn Serving>> + Send>;

impl Points {
    /// What the settings ask for, as far as that can be seen without trying.
    pub(crate) fn new(settings: &Settings, modes: &[Mode], data_dir: &DataDir) -> Result<Self, Failure> {
        let mut points = Self::default();
        for mode in modes {
            let name = match mode {
                Mode::C => continue,
                Mode::S => {
                    points.socket = Some(socket(settings)?);
                    continue;
                }
                Mode::N => {
                    let bind = stream(settings, settings.skypenet_port.unwrap_or(skypenet::DEFAULT_PORT));
                    bind.check()?;
                    points.skypenet = Some(bind);
                    continue;
                }
                Mode::L => {
                    let bind = stream(settings, settings.skyped_port.unwrap_or(skyped::DEFAULT_PORT));
                    bind.check()?;
                    points.skyped = Some((bind, identity(settings, data_dir)?));
                    continue;
                }
                Mode::A => "a (window messages)",
                Mode::D => "d (D-Bus)",
                Mode::X => "x (X11)",
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

/// A port at the address that is for all of them, with the password that is.
fn stream(settings: &Settings, port: u16) -> BindOptions {
    let mut bind = BindOptions::loopback(port);
    if let (Some(tcp), Some(host)) = (&mut bind.tcp, settings.host) {
        tcp.set_ip(host);
    }
    bind.key = settings.key.clone().map(SecretString::from);
    bind
}
