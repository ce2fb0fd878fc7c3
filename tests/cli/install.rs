//! What `dist/install.sh` installs works where it is, and goes again.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use crate::home;
use crate::program;
use crate::status;
use crate::text;

fn install(destdir: &Path, arguments: &[&str]) -> Output {
    let programs = assert_cmd::cargo::cargo_bin("imo2sproxy");
    let mut command = Command::new("sh");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/install.sh")).env_remove("DESTDIR");
    command.arg("--destdir").arg(destdir).arg("--programs").arg(programs.parent().expect("a folder"));
    command.args(arguments).output().expect("sh is there")
}

/// Every file below a folder, from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path.strip_prefix(folder).expect("below").to_owned())
            }
        }
    }
    files.sort();
    files
}

#[test]
fn what_is_installed_works_and_goes_again() {
    let home = home();
    let output = install(home.path(), &["--prefix", "/opt/skype/"]);
    assert_eq!((status(&output), text(&output.stderr)), (0, String::new()));
    let installed = files(&home.path().join("opt/skype"));
    let at = |name: &str| home.path().join("opt/skype").join(name);

    for name in ["imo2sproxy", "imo2skype-gateway"] {
        let mut command = program(name, home.path());
        let version = Command::new(at("bin").join(name)).arg("--version").output().expect("it starts");
        assert_eq!(text(&version.stdout), text(&command.arg("--version").output().expect("it starts").stdout));
        for completion in
            ["bash-completion/completions/NAME", "zsh/site-functions/_NAME", "fish/vendor_completions.d/NAME.fish"]
        {
            let file = at("share").join(completion.replace("NAME", name));
            assert!(std::fs::read_to_string(&file).is_ok_and(|script| script.contains(name)), "{}", file.display());
        }
    }
    for page in ["man1/imo2sproxy.1", "man1/imo2skype-gateway.1", "man5/imo2sproxy.toml.5"] {
        let shown = Command::new("mandoc").args(["-T", "html"]).arg(at("share/man").join(page)).output();
        let shown = shown.unwrap_or_else(|error| panic!("mandoc: {error}; Debian: apt-get install mandoc"));
        assert!(shown.status.success() && text(&shown.stdout).contains("id=\"SEE_ALSO\""), "{page}");
    }

    for name in &installed {
        let path = at("").join(name);
        let mode = path.metadata().expect("there").permissions().mode() & 0o777;
        if name.starts_with("bin") {
            assert_eq!(mode, 0o755, "{name:?}");
            continue;
        }
        assert_eq!(mode, 0o644, "{name:?}");
        let text = std::fs::read_to_string(&path).expect("text");
        let left = ["@bindir@", "@libdir@", "@datadir@"].into_iter().find(|left| text.contains(left));
        assert!(left.is_none() && !name.to_string_lossy().ends_with(".in"), "{name:?}: {left:?}");
        // Who starts a program has to find it.
        for word in
            text.split(['=', ' ', '\n', '"']).filter(|word| word.starts_with('/') && word.contains("/bin/imo2s"))
        {
            assert!(word.starts_with("/opt/skype/bin/"), "{name:?}: {word}");
        }
    }

    let output = install(home.path(), &["--prefix=/opt/skype", "--uninstall"]);
    assert_eq!((status(&output), text(&output.stderr)), (0, String::new()));
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
    assert!(!at("share/doc/imo2skype").exists());
}

#[test]
fn where_it_cannot_go_is_told_and_nothing_is_changed() {
    let home = home();
    for (arguments, expected, told) in [
        (&["--prefix", "usr"][..], 2, "usr"),
        (&["--prefix", "/a b"], 2, "/a b"),
        (&["--prefix"], 2, "--prefix"),
        (&["--user"], 2, "--user"),
        (&["--programs", "/nowhere"], 1, "cargo build --release"),
    ] {
        let output = install(home.path(), arguments);
        let errors = text(&output.stderr);
        assert_eq!(status(&output), expected, "{arguments:?}: {errors}");
        assert!(errors.contains(told), "{arguments:?}: {errors}");
    }
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
}
