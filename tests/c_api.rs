//! The C interface from outside: C and C++ programs, compiled against the committed header and the
//! library of this build, as a user would do it; once more with sanitizers.
#![cfg(all(unix, feature = "capi", feature = "gateway", feature = "imo"))]

#[path = "support/program.rs"]
mod program;

use std::fs;

use program::Program;
use program::SANITIZERS;
use program::root;

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(root().join("include/imo2skype.h")).expect("the header is committed");
    let generated = fs::read_to_string(env!("IMO2SKYPE_BUILT_HEADER")).expect("the header was built");
    assert!(committed == generated, "include/imo2skype.h is not what build.rs makes of src/ffi");
}

#[test]
fn every_function_with_every_wrong_argument() {
    Program::c("tests/c/api.c", &[]).succeeds();
}

#[test]
fn every_function_with_every_wrong_argument_sanitized() {
    Program::c("tests/c/api.c", &SANITIZERS).succeeds();
}

#[test]
fn descriptor() {
    Program::c("tests/c/fd.c", &[]).succeeds();
}

#[test]
fn descriptor_sanitized() {
    Program::c("tests/c/fd.c", &SANITIZERS).succeeds();
}

#[test]
fn threads() {
    Program::c("tests/c/threads.c", &[]).succeeds();
}

#[test]
fn threads_sanitized() {
    Program::c("tests/c/threads.c", &SANITIZERS).succeeds();
}

#[test]
fn callbacks() {
    Program::c("tests/c/callback.c", &[]).succeeds();
}

#[test]
fn callbacks_sanitized() {
    Program::c("tests/c/callback.c", &SANITIZERS).succeeds();
}

#[test]
fn log() {
    Program::c("tests/c/log.c", &[]).succeeds();
}

#[test]
fn log_sanitized() {
    Program::c("tests/c/log.c", &SANITIZERS).succeeds();
}

#[test]
fn network() {
    Program::c("tests/c/network.c", &[]).succeeds();
}

#[test]
fn network_sanitized() {
    Program::c("tests/c/network.c", &SANITIZERS).succeeds();
}

#[test]
fn history() {
    Program::c("tests/c/history.c", &[]).succeeds();
}

#[test]
fn history_sanitized() {
    Program::c("tests/c/history.c", &SANITIZERS).succeeds();
}

#[test]
fn the_header_in_cpp() {
    Program::cpp("tests/c/header.cpp", &[]).succeeds();
}

#[test]
fn the_header_in_cpp_sanitized() {
    Program::cpp("tests/c/header.cpp", &SANITIZERS).succeeds();
}
