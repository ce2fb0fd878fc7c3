//! Callers that do everything wrong, at the wrong time and from everywhere at once: the C interface answers with a status,
//! never with a crash, a hang or a leak. Programs in C, plain and with sanitizers.
#![cfg(all(unix, feature = "capi", feature = "gateway", feature = "imo"))]

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;

use program::Program;
use program::SANITIZERS;
use program::root;
use program::text;

/// The last of two standards counts; for atomics.
const C11: &[&str] = &["-std=c11"];

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
    tries_every_place(&Program::c("tests/c/arguments.c", &[]));
}

#[test]
fn every_pointer_of_every_function_sanitized() {
    tries_every_place(&Program::c("tests/c/arguments.c", &SANITIZERS));
}

#[test]
fn a_process_with_children_signals_and_peers_that_hang_up() {
    Program::c("tests/c/process.c", C11).succeeds();
}

#[test]
fn a_process_with_children_signals_and_peers_that_hang_up_sanitized() {
    Program::c("tests/c/process.c", &[C11, &SANITIZERS].concat()).succeeds();
}
