//! The page `docs/ancestor-flaws.md` names a test for each flaw, and the tests are there.

use std::fs;
use std::path::Path;

/// How many flaws imo-protocol 12 lists.
const FLAWS: usize = 43;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether `file` has the test, or the bench, or is a conversation itself.
fn has(file: &str, name: Option<&str>) -> bool {
    let text = read(file);
    match name {
        None => file.ends_with(".txt") || file.ends_with(".json"),
        Some(name) => {
            let mut before = "";
            text.lines().any(|line| {
                let line = line.trim();
                let is_test = before.starts_with("#[test]") || file.starts_with("tests/behavior/");
                let begins = ["fn ", "pub(crate) fn "].iter().any(|head| line.starts_with(&format!("{head}{name}(")));
                let found = begins && (is_test || file.starts_with("benches/"));
                before = line;
                found
            })
        }
    }
}

#[test]
fn each_flaw_has_a_test() {
    let page = read("docs/ancestor-flaws.md");
    let rows =
        page.lines().filter(|line| line.starts_with("| ") && line.chars().nth(2).is_some_and(|c| c.is_ascii_digit()));
    let mut numbers = Vec::new();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        numbers.push(cells[0].parse::<usize>().expect("a number"));
        let mut named = 0;
        for test in quoted(cells[2]) {
            let (file, name) = test.split_once(' ').map_or((test, None), |(file, name)| (file, Some(name)));
            assert!(has(file, name), "flaw {}: {test} is no test", cells[0]);
            named += 1;
        }
        assert!(named > 0, "flaw {} has no test", cells[0]);
    }
    assert_eq!(numbers, (1..=FLAWS).collect::<Vec<_>>(), "each number once, in order");
}

/// Flaw 39: no shell, and no file where others can put one first.
#[test]
fn no_shell_is_asked_and_no_file_is_put_where_others_can() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            for word in ["/bin/sh", "\"sh\"", "cmd.exe", "temp_dir(", "tmpnam", "\"/tmp"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn a_test_that_is_not_there_is_found_out() {
    assert!(has("tests/flaws.rs", Some("each_flaw_has_a_test")));
    assert!(!has("tests/flaws.rs", Some("each_flaw_has_no_test")));
    assert!(!has("tests/flaws.rs", Some("quoted")), "no test, only a function");
    assert!(!has("tests/flaws.rs", None));
}
