//! Programs in C and C++ that a test compiles against the committed header and the library of this build.
#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use tempfile::TempDir;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Undefined behaviour, wrong memory and leaks end the program with a report.
pub(crate) const SANITIZERS: [&str; 4] = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the `libimo2skype.so` is that was built together with this test.
pub(crate) fn libraries() -> PathBuf {
    let test = env::current_exe().expect("this test is a file");
    test.parent().expect("in the folder `deps`").to_owned()
}

/// A compiled program; its folder goes with it.
pub(crate) struct Program {
    folder: TempDir,
}

impl Program {
    /// `source` in C99.
    pub(crate) fn c(source: &str, flags: &[&str]) -> Self {
        Self::compile(&env::var("CC").unwrap_or_else(|_| "cc".to_owned()), "-std=c99", source, flags)
    }

    /// `source` in C++17.
    pub(crate) fn cpp(source: &str, flags: &[&str]) -> Self {
        Self::compile(&env::var("CXX").unwrap_or_else(|_| "c++".to_owned()), "-std=c++17", source, flags)
    }

    pub(crate) fn compile(compiler: &str, standard: &str, source: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let output = Command::new(compiler)
            .arg(standard)
            .args(WARNINGS)
            .arg("-I")
            .arg(root().join("include"))
            .arg("-I")
            .arg(root().join("bindings/cpp"))
            .arg(root().join(source))
            .args(flags)
            .arg("-o")
            .arg(folder.path().join("program"))
            .arg("-L")
            .arg(libraries())
            .arg(format!("-Wl,-rpath,{}", libraries().display()))
            .args(["-limo2skype", "-pthread"])
            .output()
            .unwrap_or_else(|error| {
                panic!("{compiler} is needed for this test (Debian: apt-get install gcc g++): {error}")
            });
        assert!(output.status.success(), "{source} does not compile\n{}", text(&output));
        Self { folder }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path().join("program"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            // Cargo's own path; the program has to find the library by itself.
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("IMO2SKYPE_PASSWORD")
            .env("ASAN_OPTIONS", "detect_leaks=1")
            .env("UBSAN_OPTIONS", "print_stacktrace=1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("what was compiled runs")
    }

    pub(crate) fn succeeds(&self) {
        let output = self.run(&[]);
        assert!(output.status.success(), "{}\n{}", output.status, text(&output));
    }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
