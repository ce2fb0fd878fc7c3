//! The file in which a session keeps what it knows, if the user wants one.

use crate::config::Config;
use crate::error::Result;
use crate::translate::Engine;

#[cfg(feature = "history")]
pub(super) type Disk = std::sync::Arc<crate::store::Durable>;

/// In a build without the feature `history` there is never one.
#[cfg(not(feature = "history"))]
pub(super) enum Disk {}

#[cfg(not(feature = "history"))]
impl Disk {
    pub(super) fn settle(&self) {
        match *self {}
    }
}

/// Has the engine go on where the last session has ended.
#[cfg(feature = "history")]
pub(super) fn restore(engine: &mut Engine, config: &Config) -> Result<Option<Disk>> {
    use crate::error::Error;
    use crate::store::Retention;
    use crate::store::Store;

    let Some(path) = config.history_file() else { return Ok(None) };
    let retention = Retention { age: config.history_age, messages: config.history_messages };
    let store = Store::open(path, &config.network, &config.username, retention)?;
    let disk = store.durable();
    let restored = engine.restore(Box::new(store));
    restored.map_err(|source| Error::Store { path: path.display().to_string(), source })?;
    Ok(Some(disk))
}

#[cfg(not(feature = "history"))]
pub(super) fn restore(_: &mut Engine, config: &Config) -> Result<Option<Disk>> {
    match config.history_file() {
        None => Ok(None),
        Some(_) => {
            use crate::error::Error;
            let problem = "this build keeps no history in files (feature `history`); it takes memory".to_owned();
            Err(Error::InvalidArgument { name: "history", problem })
        }
    }
}
