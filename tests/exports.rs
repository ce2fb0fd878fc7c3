//! What the library exports, what the header declares and what `bindings/c/symbols.txt` promises
//! are the same functions.
#![cfg(all(target_os = "linux", feature = "capi", feature = "gateway"))]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The functions of the library that was built together with this test.
fn exported() -> BTreeSet<String> {
    let test = env::current_exe().expect("this test is a file");
    let library = test.with_file_name("libimo2skype.so");
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().expect("nm is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| line.split(' ').next_back()).map(str::to_owned).collect()
}

/// The functions of the header: names before a parenthesis, outside comments.
fn declared() -> BTreeSet<String> {
    let header = read("include/imo2skype.h");
    let code: String = header
        .split("/*")
        .enumerate()
        .map(|(index, part)| if index == 0 { part } else { part.split_once("*/").map_or("", |(_, code)| code) })
        .collect();
    let before_parentheses = code.split('(').map(|part| {
        let start = part.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        part[start..].to_owned()
    });
    before_parentheses.filter(|name| name.starts_with("imo2skype_")).collect()
}

/// The lines of the list: a name, and the version that had it first.
fn promised() -> Vec<(String, String)> {
    let lines = read("bindings/c/symbols.txt");
    let lines = lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (name, since) = line.split_once(' ').expect("a name and a version");
            (name.to_owned(), since.to_owned())
        })
        .collect()
}

#[test]
fn the_library_exports_what_the_header_declares() {
    assert_eq!(exported(), declared());
}

#[test]
fn the_list_names_what_the_header_declares() {
    let promised = promised();
    assert!(promised.is_sorted(), "bindings/c/symbols.txt is sorted");
    assert_eq!(promised.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), declared());
}

#[test]
fn the_header_says_since_when() {
    let header = read("include/imo2skype.h");
    // A declaration follows its comment at once.
    let sections: Vec<_> = header.split("/**").skip(1).filter_map(|section| section.split_once("*/")).collect();
    for (name, since) in promised() {
        let (comment, _) = sections.iter().find(|(_, code)| code.contains(&format!("{name}("))).expect(&name);
        // The sentence may be broken anywhere.
        let words = comment.replace("\n *", "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("Since {since}.")), "{name}: {words}");
    }
}
