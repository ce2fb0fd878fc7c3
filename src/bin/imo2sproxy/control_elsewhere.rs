//! The control socket is in no build for systems without Unix sockets.

use std::path::Path;
use std::path::PathBuf;

use crate::data::DataDir;
use crate::failure::Failure;
use crate::report::Reports;

pub(crate) enum Place {}

impl Place {
    pub(crate) fn new(named: Option<PathBuf>, _data_dir: &DataDir) -> Result<Option<Self>, Failure> {
        match named {
            Some(named) if named != Path::new("none") => Err(Failure::usage("--control is not in this build")),
            _ => Ok(None),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match *self {}
    }

    pub(crate) fn bind(self) -> Result<Option<Control>, Failure> {
        match self {}
    }
}

pub(crate) enum Control {}

impl Control {
    pub(crate) async fn serve(self, _reports: Reports) -> std::io::Result<()> {
        match self {}
    }
}

pub(crate) fn ask(_path: &Path) -> Result<String, Failure> {
    Err(Failure::usage("--status is not in this build"))
}
