//! The connection point on X11 displays: a real display, and clients in C with Xlib as they were in their time.
#![cfg(all(unix, feature = "programs", feature = "x11"))]

#[path = "support/fake.rs"]
mod fake;
#[path = "x11/inside.rs"]
mod inside;
#[path = "x11/known_clients.rs"]
mod known_clients;
#[path = "x11/programs.rs"]
mod programs;
#[path = "x11/screen.rs"]
mod screen;
#[path = "x11/whole_life.rs"]
mod whole_life;

use std::time::Duration;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);
