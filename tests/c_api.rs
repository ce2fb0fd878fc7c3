//! The C interface from outside: C and C++ programs, compiled against the committed header and the
//! library of this build, as a user would do it; once more with sanitizers.
#![cfg(all(unix, feature = "capi", feature = "gateway", feature = "imo"))]

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use tempfile::TempDir;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Undefined behaviour, wrong memory and leaks end the program with a report.
const SANITIZERS: [&str; 4] = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the `libimo2skype.so` is that was built together with this test.
fn libraries() -> PathBuf {
    let test = env::current_exe().expect("this test is a file");
    test.parent().expect("in the folder `deps`").to_owned()
}

/// A compiled program; its folder goes with it.
struct Program {
    folder: TempDir,
}

impl Program {
    /// `source` in C99.
    fn c(source: &str, flags: &[&str]) -> Self {
        Self::compile(&env::var("CC").unwrap_or_else(|_| "cc".to_owned()), "-std=c99", source, flags)
    }

    /// `source` in C++17.
    fn cpp(source: &str, flags: &[&str]) -> Self {
        Self::compile(&env::var("CXX").unwrap_or_else(|_| "c++".to_owned()), "-std=c++17", source, flags)
    }

    fn compile(compiler: &str, standard: &str, source: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let output = Command::new(compiler)
            .arg(standard)
            .args(WARNINGS)
            .args(flags)
            .arg("-I")
            .arg(root().join("include"))
            .arg(root().join(source))
            .arg("-o")
            .arg(folder.path().join("program"))
            .arg("-L")
            .arg(libraries())
            .arg(format!("-Wl,-rpath,{}", libraries().display()))
            .args(["-limo2skype", "-pthread"])
            .output()
            .unwrap_or_else(|error| panic!("{compiler} is needed for this test: {error}"));
        assert!(output.status.success(), "{source} does not compile\n{}", text(&output));
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(self.folder.path().join("program"))
            .args(arguments)
            .current_dir(self.folder.path())
            // Cargo's own path; the program has to find the library by itself.
            .env_remove("LD_LIBRARY_PATH")
            .env("ASAN_OPTIONS", "detect_leaks=1")
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .output()
            .expect("what was compiled runs")
    }

    fn succeeds(&self) {
        let output = self.run(&[]);
        assert!(output.status.success(), "{}\n{}", output.status, text(&output));
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

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
fn the_header_in_cpp() {
    Program::cpp("tests/c/header.cpp", &[]).succeeds();
}

#[test]
fn the_header_in_cpp_sanitized() {
    Program::cpp("tests/c/header.cpp", &SANITIZERS).succeeds();
}

#[test]
fn the_example_chats() {
    chats(&Program::c("examples/c/chat.c", &[]));
}

#[test]
fn the_example_chats_sanitized() {
    chats(&Program::c("examples/c/chat.c", &SANITIZERS));
}

fn chats(example: &Program) {
    let output = example.run(&[]);
    assert!(output.status.success(), "{}\n{}", output.status, text(&output));
    let lines = String::from_utf8_lossy(&output.stdout);
    assert!(lines.trim_end().ends_with(" BODY hello"), "{lines}");

    let refused = example.run(&["ftp://nowhere/"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.starts_with("chat: ") && errors.trim_end().len() > "chat:".len(), "{errors}");
}

#[test]
fn the_example_is_short() {
    let example = fs::read_to_string(root().join("examples/c/chat.c")).expect("the example is there");
    assert!(example.lines().count() < 60);
}
