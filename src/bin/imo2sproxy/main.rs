//! The daemon: accounts logged in, with connection points for Skype API plugins.

mod console;
mod data;
mod detach;
mod failure;
mod log;
mod options;
mod password;
mod plan;
mod run;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use options::Options;
use plan::Plan;

fn main() -> ExitCode {
    // Ends the program with status 2 on wrong usage.
    let options = Options::parse();
    match Plan::new(options).and_then(run::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.status.into()
        }
    }
}
