//! What one gateway process bears: the memory of idle sessions, the latency of messages at a steady
//! rate, and whether a message costs more where much is stored. It fails where a promise is not
//! kept.
//!
//! The load comes from this program over loopback, so both share the processors. `-- --quick` is a
//! short run; `-- idle`, `-- rate` and `-- flat` are parts.
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

#[cfg(target_os = "linux")]
#[path = "load/client.rs"]
mod client;
#[cfg(target_os = "linux")]
#[path = "load/gateway.rs"]
mod gateway;
#[cfg(target_os = "linux")]
#[path = "load/promises.rs"]
mod promises;
#[cfg(target_os = "linux")]
#[path = "load/traffic.rs"]
mod traffic;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    return promises::main();
    #[cfg(not(target_os = "linux"))]
    {
        println!("what a process takes is read from /proc, which is not here");
        ExitCode::SUCCESS
    }
}
