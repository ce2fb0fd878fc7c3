//! What is made of the options of a program and kept in the repository: its manual pages, whose sections are written by
//! hand in `man/*.in`, and what shells complete. Included by the unit tests of both programs.
//!
//! `IMO2SKYPE_WRITE=1 cargo test --bins manual` writes all of it anew.

#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use clap_complete::Shell;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes `fresh` if that is asked for; what is kept has to be the same.
pub(crate) fn keep(name: &str, fresh: &str) {
    let path = root().join(name);
    if std::env::var_os("IMO2SKYPE_WRITE").is_some() {
        std::fs::write(&path, fresh).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "{name} is stale: IMO2SKYPE_WRITE=1 cargo test --bins manual writes it anew");
}

/// A page: the sections of `man/NAME.in`, with `@VERSION@` and, on lines of their own, the parts filled in.
pub(crate) fn page(name: &str, parts: &[(&str, String)]) -> String {
    let mut page = format!(".\\\" Made of man/{name}.in and the options: tests/support/manual.rs\n");
    for line in read(&format!("man/{name}.in")).lines() {
        match parts.iter().find(|(part, _)| *part == line) {
            Some((_, text)) => page += text,
            None => page += &format!("{}\n", line.replace("@VERSION@", env!("CARGO_PKG_VERSION"))),
        }
    }
    for (part, _) in parts {
        assert!(!page.contains(part), "man/{name}.in: {part} has to be a line of its own");
    }
    filled(&page)
}

/// Short lines, as mandoc wants them.
fn filled(page: &str) -> String {
    let mut filled = String::new();
    let (mut literal, mut tag) = (false, false);
    for line in page.lines().map(str::trim_end) {
        literal = line == ".EX" || (literal && line != ".EE");
        if literal || tag || line.starts_with('.') {
            filled += line;
            filled.push('\n');
        } else {
            let mut column = 0;
            for word in line.split(' ') {
                if column + 1 + word.len() > 80 {
                    filled.push('\n');
                    column = 0;
                } else if column > 0 {
                    filled.push(' ');
                    column += 1;
                }
                // At the begin of a line these are no text.
                if column == 0 && word.starts_with(['.', '\'']) {
                    filled += "\\&";
                }
                filled += word;
                column += word.len();
            }
            filled.push('\n');
        }
        tag = line == ".TP";
    }
    filled
}

/// The list of the options of a command, without its heading.
pub(crate) fn options(command: &clap::Command) -> String {
    let mut section = Vec::new();
    clap_mangen::Man::new(command.clone()).render_options_section(&mut section).expect("memory takes everything");
    // The apostrophe that its first two lines define: they belong to the head of a page.
    let section = String::from_utf8(section).expect("UTF-8").replace("\\*(Aq", "\\(aq");
    section.split_once(".SH OPTIONS\n").expect("every command has options").1.to_owned()
}

/// Text of a page, as roff wants it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

fn unescaped(text: &str) -> String {
    text.replace("\\-", "-").replace("\\(aq", "'").replace("\\(ti", "~").replace("\\&", "").replace("\\e", "\\")
}

/// What stands between `.EX` and `.EE`, as the reader sees it.
pub(crate) fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("\n.EX\n") {
        let (example, after) = after.split_once(".EE\n").expect("an example has an end");
        examples.push(unescaped(example));
        rest = after;
    }
    examples
}

/// mandoc has nothing to say about a page, except that it has no date: a date would change without anything else.
pub(crate) fn assert_well_formed(name: &str, page: &str) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join(name);
    std::fs::write(&path, page).expect("written");
    let output = Command::new("mandoc").args(["-T", "lint"]).arg(&path).output();
    let output = output.unwrap_or_else(|error| panic!("mandoc: {error}; Debian: apt-get install mandoc"));
    let complaints = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> = complaints.lines().filter(|line| !line.contains("missing date")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The scripts that complete the options of a command, and where they are kept.
pub(crate) fn completions(mut command: clap::Command) -> Vec<(String, String)> {
    let program = command.get_name().to_owned();
    let names = [
        (Shell::Bash, format!("completions/{program}.bash")),
        (Shell::Zsh, format!("completions/_{program}")),
        (Shell::Fish, format!("completions/{program}.fish")),
    ];
    let script = |shell| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, &program, &mut script);
        let script = String::from_utf8(script).expect("UTF-8");
        // For bash, clap_complete 4.6.11 takes the dash in the name of the program for a step to a command in one half
        // of the script, and not in the other.
        script.replace(&program.replace('-', "__subcmd__"), &program.replace('-', "__"))
    };
    let (shells, names): (Vec<_>, Vec<_>) = names.into_iter().unzip();
    names.into_iter().zip(shells.into_iter().map(script)).collect()
}

/// What bash would offer for the last of these words.
pub(crate) fn completed(command: clap::Command, words: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("script");
    let scripts = completions(command);
    let bash = scripts.into_iter().find_map(|(name, script)| name.ends_with(".bash").then_some(script));
    std::fs::write(&path, bash.expect("one for bash")).expect("written");
    let drive = "source \"$1\"; shift
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
        [[ $(complete -p \"$1\") =~ -F\\ ([^ ]+) ]] || exit
        \"${BASH_REMATCH[1]}\" \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", drive, "bash"])
        .arg(path)
        .args(words)
        .output()
        .unwrap_or_else(|error| panic!("bash: {error}; Debian: apt-get install bash"));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// Every call of a program that the documentation shows in a block of code, as the program gets it, and where.
pub(crate) fn calls(program: &str) -> Vec<(String, Vec<String>)> {
    let mut calls = Vec::new();
    for (name, text) in documentation() {
        for line in text {
            // `\` at the end of a line goes on in the next, and was joined by then.
            let words = shlex::split(&line).unwrap_or_default();
            for command in words.split(|word| ["|", "&&", ";", "&", "<", ">", ">>", "2>"].contains(&word.as_str())) {
                let mut command = command.iter().skip_while(|word| is_assignment(word) || *word == "exec");
                if command.next().is_some_and(|first| first == program) {
                    let arguments = std::iter::once(program.to_owned()).chain(command.cloned()).collect();
                    calls.push((format!("{name}: {line}"), arguments));
                }
            }
        }
    }
    calls
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.chars().all(|letter| letter == '_' || letter.is_ascii_uppercase() || letter.is_ascii_digit())
    })
}

/// The lines of code of every page for users.
fn documentation() -> Vec<(String, Vec<String>)> {
    let mut pages = vec![root().join("README.md")];
    for (folder, ending) in [("docs", ".md"), ("docs/clients", ".md"), ("man", ".in")] {
        pages.extend(files(folder, ending));
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("readable").replace("\\\n", " ");
        let name = path.strip_prefix(root()).expect("below it").display().to_string();
        let code = if name.ends_with(".md") { code(&text) } else { examples(&text).join("") };
        (name, code.lines().map(|line| line.trim().to_owned()).collect())
    };
    pages.into_iter().map(read).collect()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder of the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

/// What is in the files of a folder.
pub(crate) fn texts(folder: &str, ending: &str) -> Vec<String> {
    files(folder, ending).into_iter().map(|file| std::fs::read_to_string(file).expect("readable")).collect()
}

/// What stands between fences, or four spaces into the line.
fn code(markdown: &str) -> String {
    let mut code = String::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            code += line;
            code.push('\n');
        }
    }
    code
}
