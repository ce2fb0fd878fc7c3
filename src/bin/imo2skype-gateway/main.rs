//! imo2skype-gateway: a chat server that speaks the imo.im protocol, and the care of its accounts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod cli;
mod commands;
#[cfg(test)]
mod manual;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(cli::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("imo2skype-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}
