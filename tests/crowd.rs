//! A crowd: 64 clients on one account of one daemon, attached in every way that there is, each as if it were alone.
//!
//! They come by TCP, by a socket in the file system, by D-Bus, X11, skypenet and skyped, and speak five versions of the
//! protocol. People send numbered messages and change their moods; every client asks for every message and for its own
//! newest one, under numbers that all of them use, and writes to people now and then. It is true then that
//!
//! - clients of a protocol hear the same notifications in the same order, wherever they are attached,
//! - every client hears every message of people once, in order, and that every message of clients is SENT, once,
//! - every command has its reply, with its number, in order, at the client that gave it,
//! - people get every message of every client once, in order,
//! - and nothing else comes to anybody.
//!
//! | variable | meaning |
//! |---|---|
//! | `IMO2SKYPE_CROWD` | for how many seconds people talk; without it, until they have sent 128 messages |
//!
//! `cargo test --test crowd -- --nocapture` shows the figures. Needs what `tests/dbus.rs` and `tests/x11.rs` need.
#![cfg(all(target_os = "linux", feature = "programs"))]
#![expect(clippy::print_stdout, reason = "the outcome is worth to be seen")]

#[expect(dead_code, reason = "others need more of it")]
#[path = "dbus/bus.rs"]
mod bus;
#[path = "crowd/client.rs"]
mod client;
#[path = "crowd/daemon.rs"]
mod daemon;
#[path = "support/frames.rs"]
mod frames;
#[path = "crowd/load.rs"]
mod load;
#[path = "support/people.rs"]
mod people;
#[expect(dead_code, reason = "others need more of it")]
#[path = "x11/programs.rs"]
mod programs;
#[expect(dead_code, reason = "others need more of it")]
#[path = "x11/screen.rs"]
mod screen;
#[path = "crowd/wires.rs"]
mod wires;

use std::time::Duration;

use daemon::Daemon;
use load::Length;
use load::Load;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

/// How many messages there are where no time is asked for.
const MESSAGES: usize = 128;

#[test]
fn everyone_in_a_crowd_hears_everything_once_and_in_order_and_nothing_of_the_others() {
    let length = match std::env::var("IMO2SKYPE_CROWD") {
        Ok(text) => Length::Time(Duration::from_secs(text.parse().expect("IMO2SKYPE_CROWD is a number of seconds"))),
        Err(_) => Length::Messages(MESSAGES),
    };
    let daemon = Daemon::start();
    let mut load = Load::new(&daemon);
    let outcome = load.run(length);
    drop(load);
    match outcome {
        Ok(figures) => {
            daemon.stop();
            println!("{figures}");
        }
        Err(failure) => panic!("{failure}\n{}", daemon.complaints()),
    }
}
