//! What the daemon costs: the way of a local command over the socket beside that of a bare echo, the memory of an idle
//! daemon and of its clients, and how often it wakes up while nothing happens. It fails where a promise is not kept.
//!
//! `-- --quick` is a short run; `-- roundtrip`, `-- idle` and `-- clients` are parts.
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

#[cfg(target_os = "linux")]
#[path = "daemon/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "daemon/promises.rs"]
mod promises;

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
