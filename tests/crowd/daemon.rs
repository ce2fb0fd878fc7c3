//! The daemon, with every connection point that there is here.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::bus::Bus;
use crate::bus::Running;
use crate::programs::home;
use crate::screen::Screen;

/// So many of its last complaints are shown when something fails.
const TAIL: usize = 5;

pub(crate) struct Daemon {
    running: Running,
    pub(crate) home: TempDir,
    pub(crate) bus: Bus,
    pub(crate) screen: Screen,
    pub(crate) skypeproxy: String,
    pub(crate) skypenet: String,
    pub(crate) skyped: String,
    pub(crate) gateway: String,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let (home, bus, screen) = (home(), Bus::session(), Screen::start());
        let path = |name| home.path().join(name).display().to_string();
        let (socket, data) = (path("socket"), path("data"));
        let mut command = bus.daemon_command(&["-ms", "-mx", "-mn", "-ml", "--display", screen.name()]);
        command.args(["--port", "0", "--skypenet-port", "0", "--skyped-port", "0"]);
        command.args(["--socket", &socket, "--data-dir", &data]);
        let running = Running::start(&mut command, "imo2sproxy");
        let both = running.told("listening: skypeproxy ");
        let skypeproxy = both.strip_suffix(&format!(" {socket}")).expect("two sockets").to_owned();
        running.told("listening: x11 ");
        let skypenet = running.told("listening: skypenet ");
        let skyped = running.told("listening: skyped ");
        running.told("listening: dbus ");
        let gateway = running.told("listening: gateway ");
        Self { running, home, bus, screen, skypeproxy, skypenet, skyped, gateway }
    }

    /// Its socket in the file system.
    pub(crate) fn socket(&self) -> PathBuf {
        self.home.path().join("socket")
    }

    /// The certificate that it made.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.home.path().join("data/skyped.pem")
    }

    /// Has it end in order.
    pub(crate) fn stop(self) {
        let (status, errors) = self.running.stop();
        assert_eq!(status, 0, "{errors:#?}");
    }

    /// What it complained of last, now that it is of no more use.
    pub(crate) fn complaints(self) -> String {
        let errors = self.running.stop().1;
        let complaint = |line: &&str| line.contains("WARN ") || line.contains("ERROR ");
        let complaints: Vec<_> = errors.iter().map(String::as_str).filter(complaint).collect();
        complaints[complaints.len().saturating_sub(TAIL)..].join("\n")
    }
}
