//! The C++ wrapper, `bindings/cpp/imo2skype.hpp`: what it does, and that every compiler takes it.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::program::Program;
use super::program::SANITIZERS;
use super::program::root;
use super::program::text;

/// What a header has to bear that other people's programs include. It is not linked.
const STRICT: [&str; 7] = [
    "-Wshadow",
    "-Wconversion",
    "-Wold-style-cast",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wno-unused-command-line-argument",
    "-fsyntax-only",
];

fn works(flags: &[&str]) {
    let program = Program::cpp("tests/c/wrapper.cpp", flags);
    program.succeeds();
    // An exception that a callback throws ends the program, as it does for a thread.
    let output = program.run(&["throw"]);
    assert_eq!(output.status.code(), Some(42), "{}\n{}", output.status, text(&output));
}

#[test]
fn every_function_and_every_exception() {
    works(&[]);
}

#[test]
fn every_function_and_every_exception_sanitized() {
    // Without optimization: it takes half the time to compile.
    works(&[&SANITIZERS[..], &["-O0"]].concat());
}

/// clang++ is not on every machine.
#[test]
fn every_compiler_takes_it_in_every_standard() {
    let clang = Command::new("clang++").arg("--version").output().is_ok();
    for standard in ["-std=c++17", "-std=c++20"] {
        Program::cpp("examples/cpp/bot.cpp", &[&STRICT[..], &[standard]].concat());
        if clang {
            Program::compile("clang++", standard, "examples/cpp/bot.cpp", &STRICT);
        }
    }
}

#[test]
fn the_program_on_its_page_compiles() {
    let page = fs::read_to_string(root().join("bindings/cpp/README.md")).expect("the page is there");
    let program = page.split("```cpp\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a program");
    let folder = TempDir::new().expect("a temporary folder");
    let source = folder.path().join("page.cpp");
    fs::write(&source, program).expect("it can be written");
    Program::cpp(source.to_str().expect("UTF-8"), &[]);
}
