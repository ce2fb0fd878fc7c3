//! Sockets that a service manager holds for the program (sd_listen_fds): they become SkypeProxy sockets.

use std::collections::BTreeMap;
use std::sync::Arc;

use imo2skype::transport::stream::Inherited;

use crate::failure::Failure;
use crate::sources::Planned;

/// The sockets of each account, in the place of its own; however often it is started.
pub(crate) type Sockets = BTreeMap<String, Vec<Arc<Inherited>>>;

/// Gives every socket that was handed over to the account that it is named after, any other to the first that has a
/// SkypeProxy socket. One that cannot be started keeps its own for when it can. Must be called before there is a second
/// thread or process: they are for this one.
#[cfg(unix)]
pub(crate) fn hand_out(accounts: &[Planned]) -> Result<Sockets, Failure> {
    use listenfd::ListenFd;

    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut sockets = ListenFd::from_env();
    let mut names = names.split(':');
    let mut all = Sockets::new();
    for number in 0..sockets.len() {
        let name = names.next().unwrap_or_default();
        let failed = |error| Failure::service(format!("cannot use socket {number} of the service manager: {error}"));
        let socket = match sockets.take_unix_listener(number) {
            Ok(socket) => socket.map(Inherited::Unix),
            Err(_) => sockets.take_tcp_listener(number).map_err(failed)?.map(Inherited::Tcp),
        };
        let Some(socket) = socket else { continue };
        let takes = |planned: &&Planned| planned.account.as_ref().map_or(true, |account| account.points.has_socket());
        let named = accounts.iter().find(|planned| planned.name == name);
        let planned = match named {
            Some(named) => Some(named).filter(takes),
            None => accounts.iter().find(takes),
        };
        let planned = planned.ok_or_else(|| {
            let whose = named.map_or_else(|| "no account has".to_owned(), |_| format!("{name} does not have"));
            Failure::usage(format!("the service manager brings a socket, but {whose} the connection point -m s"))
        })?;
        all.entry(planned.name.clone()).or_default().push(Arc::new(socket));
    }
    Ok(all)
}

#[cfg(not(unix))]
pub(crate) fn hand_out(_accounts: &[Planned]) -> Result<Sockets, Failure> {
    Ok(Sockets::new())
}

/// The same socket: clients that come while the account is started again wait there.
pub(crate) fn one_more(socket: &Inherited) -> Result<Inherited, Failure> {
    let copy = match socket {
        Inherited::Tcp(socket) => socket.try_clone().map(Inherited::Tcp),
        #[cfg(unix)]
        Inherited::Unix(socket) => socket.try_clone().map(Inherited::Unix),
    };
    copy.map_err(|error| Failure::service(format!("cannot use a socket of the service manager: {error}")))
}
