//! Callers that do everything wrong, at the wrong time and from everywhere at once: the C interface answers with a status,
//! never with a crash, a hang or a leak. Programs in C, plain and with sanitizers.
#![cfg(all(unix, feature = "capi", feature = "gateway", feature = "imo"))]

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;

use program::Program;
use program::SANITIZERS;
use program::libraries;
use program::root;
use program::text;

/// For atomics and POSIX; the last of two standards counts.
const POSIX: &[&str] = &["-std=c11", "-D_GNU_SOURCE"];

/// Every function of the header with each of its pointers, "function parameter"; "function -" for one without.
fn places() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/imo2skype.h")).expect("the header is committed");
    let code: String = header.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code)).collect();
    let mut places = BTreeSet::new();
    for declaration in code.split(';').filter(|declaration| !declaration.contains("typedef")) {
        let Some((result_and_name, parameters)) = declaration.split_once('(') else { continue };
        let name = result_and_name.rsplit([' ', '*']).next().expect("a name");
        let parameters = parameters.trim_end_matches(')').split(',').map(str::trim);
        let is_pointer = |parameter: &&str| parameter.contains('*') || parameter.contains("_fn ");
        let before = places.len();
        places.extend(parameters.filter(is_pointer).map(|parameter| {
            let parameter = parameter.rsplit([' ', '*']).next().expect("a name");
            format!("{name} {parameter}")
        }));
        if places.len() == before {
            places.insert(format!("{name} -"));
        }
    }
    places
}

/// Every function of `bindings/c/symbols.txt`.
fn functions() -> BTreeSet<String> {
    let symbols = fs::read_to_string(root().join("bindings/c/symbols.txt")).expect("the list is committed");
    let lines = symbols.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, _)| name.to_owned()).collect()
}

/// Nothing was forgotten: a new function, or one more pointer, has no hostile caller yet.
fn tries_every_place(program: &Program) {
    let output = program.run(&[]);
    assert!(output.status.success(), "{}\n{}", output.status, text(&output));
    let tried: BTreeSet<_> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(tried, places());
    let name = |place: &String| place.split_once(' ').expect("two words").0.to_owned();
    assert_eq!(tried.iter().map(name).collect::<BTreeSet<_>>(), functions());
}

#[test]
fn every_pointer_of_every_function() {
    tries_every_place(&plain("tests/c/arguments.c"));
}

#[test]
fn every_pointer_of_every_function_sanitized() {
    tries_every_place(&sanitized("tests/c/arguments.c"));
}

fn plain(source: &str) -> Program {
    Program::c(source, POSIX)
}

fn sanitized(source: &str) -> Program {
    Program::c(source, &[POSIX, &SANITIZERS].concat())
}

#[test]
fn eight_threads_at_once() {
    plain("tests/c/storm.c").succeeds();
}

#[test]
fn eight_threads_at_once_sanitized() {
    sanitized("tests/c/storm.c").succeeds();
}

#[test]
fn callbacks_that_call_back_in() {
    plain("tests/c/reentry.c").succeeds();
}

#[test]
fn callbacks_that_call_back_in_sanitized() {
    sanitized("tests/c/reentry.c").succeeds();
}

#[test]
fn a_process_with_children_signals_and_peers_that_hang_up() {
    plain("tests/c/process.c").succeeds();
}

#[test]
fn a_process_with_children_signals_and_peers_that_hang_up_sanitized() {
    sanitized("tests/c/process.c").succeeds();
}

/// The ways in which a process ends while sessions are open.
const ENDS: [&str; 7] = ["return", "exit", "_exit", "quick_exit", "atexit", "thread", "callback"];

fn leaves(program: &Program, ways: &[&str]) {
    for way in ways {
        let output = program.run(&[way]);
        assert_eq!(output.status.code(), Some(42), "{way}: {}\n{}", output.status, text(&output));
    }
}

#[test]
fn a_program_ends_while_sessions_are_open() {
    leaves(&plain("tests/c/leaving.c"), &ENDS);
}

#[test]
fn a_program_ends_while_sessions_are_open_sanitized() {
    leaves(&sanitized("tests/c/leaving.c"), &ENDS);
}

/// Not with sanitizers: what a thread makes for itself after its destructors have run is never taken back by the C
/// library, whoever calls, and counts as a leak of some bytes.
#[test]
fn a_thread_ends_while_it_uses_sessions() {
    leaves(&plain("tests/c/leaving.c"), &["key", "main"]);
}

fn loads_and_unloads(flags: &[&str]) {
    let library = libraries().join("libimo2skype.so");
    let loader = Program::c("tests/c/unload.c", &[POSIX, &["-Wl,--as-needed"], flags].concat());
    let output = loader.run(&[library.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}\n{}", output.status, text(&output));
}

#[test]
fn a_library_that_is_loaded_and_unloaded() {
    loads_and_unloads(&[]);
}

#[test]
fn a_library_that_is_loaded_and_unloaded_sanitized() {
    loads_and_unloads(&SANITIZERS);
}
