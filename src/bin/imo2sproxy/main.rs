//! The daemon: accounts logged in, with connection points for Skype API plugins.

mod console;
mod data;
mod detach;
mod failure;
mod log;
#[cfg(test)]
mod manual;
mod options;
mod password;
mod plan;
mod points;
mod run;
mod settings;
mod signals;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use options::Arguments;
use options::Options;
use plan::Plan;

fn main() -> ExitCode {
    // Ends the program with status 2 on wrong usage.
    let mut arguments = Arguments::from(Options::parse());
    let outcome = match arguments.transfer.take() {
        Some(transfer) => transfer::run(transfer, arguments),
        None => Plan::new(arguments).and_then(run::run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.status.into()
        }
    }
}
