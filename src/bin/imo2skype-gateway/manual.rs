//! The manual page and the completions are those of the options, and whatever the documentation shows of the program is
//! understood by it.

#[path = "../../../tests/support/manual.rs"]
mod support;

use clap::CommandFactory;
use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Options;

fn page() -> String {
    let mut options = Options::command();
    options.build();
    let mut commands = String::new();
    describe(&options, &mut commands);
    support::page("imo2skype-gateway.1", &[("@COMMANDS@", commands)])
}

/// Every command that does something, with its options.
fn describe(command: &clap::Command, text: &mut String) {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    if command.has_subcommands() {
        below.for_each(|below| describe(below, text));
        return;
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let [usage, about] = [usage, &about].map(support::escaped);
    *text += &format!(".SS \"{usage}\"\n{about}.\n{}", support::options(command));
}

#[test]
fn pages_and_completions_are_fresh() {
    support::keep("man/imo2skype-gateway.1", &page());
    for (name, script) in support::completions(Options::command()) {
        support::keep(&name, &script);
    }
}

#[test]
fn the_page_is_well_formed() {
    support::assert_well_formed("imo2skype-gateway.1", &page());
}

#[test]
fn what_the_documentation_calls_is_understood() {
    let calls = support::calls("imo2skype-gateway");
    assert!(calls.len() > 5, "{calls:?}");
    for (place, arguments) in calls {
        if let Err(error) = Options::try_parse_from(arguments) {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            assert!(asked, "{place}\n{error}");
        }
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let complete = |words: &[&str]| support::completed(Options::command(), words);
    assert_eq!(complete(&["imo2skype-gateway", "se"]), ["serve"]);
    assert_eq!(complete(&["imo2skype-gateway", "user", "a"]), ["add", "avatar"]);
    assert_eq!(complete(&["imo2skype-gateway", "serve", "--tls-"]), ["--tls-cert", "--tls-key"]);
}
