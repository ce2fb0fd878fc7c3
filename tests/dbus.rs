//! The program imo2sproxy on a private bus, used by clients that behave like those that there are (clients 3 to 9).
//!
//! Needs dbus-daemon, and Python with dbus-python and PyGObject (Debian: dbus, python3-dbus, python3-gi).
#![cfg(all(target_os = "linux", feature = "programs"))]

#[path = "dbus/activation.rs"]
mod activation;
#[path = "support/bob.rs"]
mod bob;
#[path = "dbus/bus.rs"]
mod bus;
#[path = "dbus/clients.rs"]
mod clients;
#[path = "dbus/life.rs"]
mod life;
#[path = "dbus/npm.rs"]
mod npm;
#[path = "support/people.rs"]
mod people;

use std::time::Duration;

use bob::Bob;
use bus::Bus;
use bus::Running;
use bus::SESSION;
use bus::imo2sproxy;
use bus::root;
use bus::signal;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);
