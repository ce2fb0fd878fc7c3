//! The daemon: accounts logged in, with connection points for Skype API plugins.

mod accounts;
mod check;
mod console;
#[cfg_attr(not(unix), path = "control_elsewhere.rs")]
mod control;
mod data;
mod desk;
mod detach;
mod failure;
mod inherited;
mod journal;
mod log;
#[cfg(test)]
mod manual;
mod metrics;
#[cfg_attr(not(unix), path = "notify_elsewhere.rs")]
mod notify;
mod options;
mod password;
mod pid_file;
mod places;
mod plan;
mod points;
mod report;
mod run;
mod settings;
mod signals;
mod sources;
mod start;
mod status;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use options::Arguments;
use options::Options;
use options::Task;

fn main() -> ExitCode {
    // Ends the program with status 2 on wrong usage.
    let mut arguments = Arguments::from(Options::parse());
    let outcome = match std::mem::replace(&mut arguments.task, Task::Run) {
        Task::Run => run::run(arguments),
        Task::Transfer(transfer) => transfer::run(transfer, arguments),
        Task::Check => check::run(arguments),
        Task::Status { json } => status::run(json, arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.status.into()
        }
    }
}
