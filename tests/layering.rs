//! Who may import whom: the table of ARCHITECTURE.md, checked against every `use crate::` line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A module (the longest match counts) and what of ours it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("config", &["error", "model"]),
    ("threads", &[]),
    ("skype", &[]),
    ("model", &["skype"]),
    ("imo", &[]),
    ("backend", &["model"]),
    ("backend::imo", &["backend", "imo", "model", "config", "error", "threads"]),
    ("store", &["model", "error"]),
    ("translate", &["skype", "model", "backend"]),
    // The gateway only for sessions that name no server: an address is all that they take from it.
    ("session", &["translate", "backend", "backend::imo", "store", "model", "config", "error", "threads", "gateway"]),
    ("transport", &["session", "translate", "skype", "config", "error"]),
    ("gateway", &["imo", "config", "error", "threads"]),
    ("ffi", &["session", "gateway", "config", "error"]),
];

/// Modules that touch nothing: what they need of the world is brought to them.
const PURE: &[&str] = &["skype", "model", "imo", "translate", "config", "error"];

/// What would reach out into the world.
const OUTSIDE: &[&str] = &[
    "std::net",
    "std::fs",
    "std::thread",
    "std::io",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime",
    "rand::",
    "reqwest",
    "tokio",
    "println!",
];

/// The module of every source file, `backend::imo` for `src/backend/imo/http.rs`, with its text.
/// Tests may use anything.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let inside = path.strip_prefix(&root).expect("below the root");
            let first = inside.iter().next().and_then(|name| name.to_str()).expect("a name in UTF-8");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
            if path.is_dir() {
                // Programs use what the library exports, and the simulation is a test.
                if !["bin", "simulation"].contains(&first) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && first != "lib.rs" {
                let parts: Vec<_> = inside.iter().filter_map(|part| part.to_str()).collect();
                let modules: Vec<_> =
                    parts.iter().map(|part| part.trim_end_matches(".rs")).filter(|part| *part != "mod").collect();
                let text = fs::read_to_string(&path).expect("a source");
                let text = text.split("#[cfg(test)]\nmod tests {").next().expect("a beginning").to_owned();
                sources.push((modules.join("::"), path, text));
            }
        }
    }
    sources
}

/// The row of the table that counts for a module.
fn row(module: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let inside = |name: &str| module == name || module.starts_with(&format!("{name}::"));
    MAY_USE.iter().filter(|(name, _)| inside(name)).max_by_key(|(name, _)| name.len())
}

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for (module, path, text) in sources() {
        let Some((name, allowed)) = row(&module) else {
            wrong.push(format!("{} is in no row of the table", path.display()));
            continue;
        };
        seen.insert(*name, ());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            // Comments may name anything.
            if line.starts_with("//") {
                continue;
            }
            for used in line.split("crate::").skip(1) {
                let Some(target) = row(used) else { continue };
                // A transport may not even use another transport, but what those over streams have in common.
                let sibling = *name == "transport" && target.0 == "transport" && !same_transport(&module, used);
                if sibling || (target.0 != *name && !allowed.contains(&target.0)) {
                    wrong.push(format!("{}:{}: {name} may not use {}", path.display(), number + 1, target.0));
                }
            }
            assert!(!line.contains("crate::{"), "{}:{}: one module per line", path.display(), number + 1);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (name, _) in MAY_USE {
        assert!(seen.contains_key(name), "no source belongs to the row {name}");
    }
}

fn same_transport(module: &str, used: &str) -> bool {
    let name = |path: &str| path.split("::").nth(1).map(|name| name.trim_end_matches(';').to_owned());
    let shared = name(used).is_some_and(|name| name == "stream" || name.starts_with(char::is_uppercase));
    shared || name(module) == name(used)
}

#[test]
fn pure_modules_touch_nothing() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if !PURE.iter().any(|pure| module == *pure || module.starts_with(&format!("{pure}::"))) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for outside in OUTSIDE.iter().filter(|outside| line.contains(**outside)) {
                wrong.push(format!("{}:{}: {outside}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
