//! Which network a session is on, and where.

use std::any::Any;
use std::sync::Arc;

use crate::backend::Backend;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;

/// Something that lives as long as the session.
pub(super) type Keep = Arc<dyn Any + Send + Sync>;

/// Names a server where the configuration does not.
pub(super) fn with_server(config: Config) -> Result<(Config, Option<Keep>)> {
    if config.server.is_some() { Ok((config, None)) } else { embedded(config) }
}

/// A gateway in the memory of this process: all sessions without a server share it, so that they
/// can talk to each other, and the last of them ends it.
#[cfg(feature = "gateway")]
fn embedded(mut config: Config) -> Result<(Config, Option<Keep>)> {
    use std::sync::Mutex;
    use std::sync::PoisonError;
    use std::sync::Weak;

    use crate::gateway::Gateway;
    use crate::gateway::GatewayConfig;

    static SHARED: Mutex<Weak<Gateway>> = Mutex::new(Weak::new());

    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let gateway = match shared.upgrade() {
        Some(gateway) => gateway,
        None => {
            let gateway = Arc::new(Gateway::start(GatewayConfig::embedded(None))?);
            *shared = Arc::downgrade(&gateway);
            gateway
        }
    };
    config.server = Some(gateway.url().to_owned());
    Ok((config, Some(gateway)))
}

#[cfg(not(feature = "gateway"))]
fn embedded(_config: Config) -> Result<(Config, Option<Keep>)> {
    let problem = "none is named, and this build has no gateway of its own";
    Err(Error::InvalidArgument { name: "server", problem: problem.to_owned() })
}

/// The back end of the network that the configuration names.
pub(super) fn backend_for(config: &Config) -> Result<Box<dyn Backend>> {
    match config.network.as_str() {
        #[cfg(feature = "imo")]
        "imo" => Ok(Box::new(crate::backend::imo::open(config)?)),
        other => {
            let problem = format!("this build has no network {other:?}");
            Err(Error::InvalidArgument { name: "network", problem })
        }
    }
}
