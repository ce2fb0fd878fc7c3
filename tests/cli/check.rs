//! A configuration that is only looked at.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::failure;
use crate::home;
use crate::imo2sproxy;
use crate::status;
use crate::text;

/// Writes a file for its owner alone.
fn write(home: &TempDir, name: &str, text: &str) {
    let path = home.path().join(name);
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("ours");
}

/// What is said of a good configuration, and the warnings.
fn good(home: &TempDir, arguments: &[&str]) -> (String, String) {
    let output = imo2sproxy(home, &[&["--check-config"], arguments].concat()).output().expect("the program starts");
    assert_eq!(status(&output), 0, "{output:?}");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_good_configuration_is_told_and_nothing_is_begun() {
    let home = home();
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server_address = server.local_addr().expect("bound");
    write(&home, "password", "geheim\n");
    let config = format!(
        "data_dir = 'd'\npid_file = 'pid'\nlog_file = 'log'\npassword_file = 'password'\nkey = 'Schluessel'\n\
         metrics = '127.0.0.1:0'\n\
         [[account]]\nusername = 'alice'\nport = {}\n\
         [[account]]\nusername = 'bob'\nport = 0\nhost = '0.0.0.0'\nserver = 'http://{server_address}/'\n\
         mode = ['s', 'c']\n",
        server_address.port()
    );
    write(&home, "config", &config);
    let (told, warnings) = good(&home, &["--config", "config"]);
    let expected = format!(
        "the configuration is good: 2 accounts\n\
         alice: imo, embedded gateway, skypeproxy {server_address}\n\
         bob: imo, http://{server_address}/, skypeproxy 0.0.0.0:0, console\n"
    );
    assert_eq!((told, warnings.as_str()), (expected, ""));
    // One of them, with what the command line says over it.
    let (told, _) = good(&home, &["--config", "config", "-p", "1500", "alice"]);
    assert!(told.ends_with("1 account\nalice: imo, embedded gateway, skypeproxy 127.0.0.1:1500\n"), "{told}");
    let mut left: Vec<_> =
        std::fs::read_dir(home.path()).expect("ours").map(|entry| entry.expect("one").file_name()).collect();
    left.sort();
    assert_eq!(left, ["config", "password"], "something was written");
    server.set_nonblocking(true).expect("a socket");
    let nobody = server.accept().expect_err("somebody connected").kind();
    assert_eq!(nobody, ErrorKind::WouldBlock);

    for name in ["config", "password"] {
        std::fs::set_permissions(home.path().join(name), Permissions::from_mode(0o644)).expect("ours");
    }
    let (_, warnings) = good(&home, &["--config", "config"]);
    let warnings: Vec<_> = warnings.lines().collect();
    assert_eq!(warnings.len(), 2, "once for each file: {warnings:?}");
    assert!(warnings.iter().all(|line| line.contains("mode 0644") && line.contains("chmod 600")), "{warnings:?}");
}

#[test]
fn every_problem_is_told_with_its_line() {
    let home = home();
    write(&home, "empty", "");
    let config = "history_days = 40000\nlog_file = 'nowhere/log'\n\
                  [[account]]\nusername = 'alice'\npassword_file = 'empty'\nlinger = -1\nsend_limit = 1\nserver = 'http://192.0.2.1/'\n\
                  [[account]]\nusername = 'bob'\nmode = 'a'\nhost = '0.0.0.0'\n\
                  [[account]]\nusername = 'carol'\nport = 1402\nfiles = 'nowhere'\nca_file = 'nowhere'\nserver = 'https://imo.example/'\n\
                  [[account]]\nusername = 'Carol'\nport = 1402\nserver = 'https://imo.example/'\n";
    write(&home, "config", config);
    let errors = failure(&home, &["--check-config", "--config", "config"], 2);
    for problem in [
        "config:2: log_file: nowhere is no directory",
        "config:5: alice: the password file empty is empty",
        "config:6: alice: linger: ",
        "config:7: alice: send_limit: ",
        "config:8: alice: server: http: would show",
        "config:1: alice: history_days: ",
        "config:9: bob: no password for bob",
        "config:11: bob: the connection point -m a",
        "config:1: bob: history_days: ",
        "config:16: carol: files: nowhere is no directory",
        "config:17: carol: ca_file: ",
        "config:20: Carol: username: carol on imo https://imo.example/ belongs to carol already",
        "config:21: Carol: port: 127.0.0.1:1402 belongs to carol already",
    ] {
        let line = errors.lines().find(|line| line.contains(problem));
        assert!(line.is_some(), "{problem:?} is missing in {errors}");
    }
    assert!(!errors.contains("1401"), "nobody asked for it: {errors}");
    let count = errors.lines().count() - 1;
    assert!(errors.ends_with(&format!("imo2sproxy: the configuration is not good: {count} problems\n")), "{errors}");

    write(&home, "config", "prot = 1\n[[account]]\nusername = 'a'\nkey = 7777\nverbose = true\nhost = 'x'\n");
    let errors = failure(&home, &["--check-config", "--config", "config"], 2);
    for problem in ["config:1: unknown field `prot`", "config:4: key: ", "config:5: verbose is for", "config:6: "] {
        assert!(errors.lines().any(|line| line.contains(problem)), "{problem:?} is missing in {errors}");
    }
    assert!(!errors.contains("7777") && errors.lines().count() == 5, "{errors}");
    // What the command line says stands in no file.
    write(&home, "config", "port = 1\nusername = 'alice'\n");
    let errors =
        failure(&home, &["--check-config", "--config", "config", "--linger=-1", "--metrics", "192.0.2.1:1"], 2);
    for problem in ["imo2sproxy: linger: ", "imo2sproxy: metrics: ", "imo2sproxy: no password for alice"] {
        assert!(errors.lines().any(|line| line.starts_with(problem)), "{problem:?} is missing in {errors}");
    }
    for (arguments, hint) in
        [(&["--config", "nowhere"][..], "nowhere"), (&[], "USERNAME"), (&["-d", "-mc", "a", "b"], "-d do not")]
    {
        let errors = failure(&home, &[&["--check-config"], arguments].concat(), 2);
        assert!(errors.contains(hint), "{errors}");
    }
}

#[test]
fn no_secret_is_in_what_is_said_of_a_file() {
    let home = home();
    for config in [
        "key = 4711",
        "key = [\"geheim\"]",
        "key = 'geheim",
        "key = geheim",
        "key = 'a', password = 'geheim'",
        "password = 'geheim'",
        "port = 'geheim'",
        "mode = 'geheim'",
        "allow_clients = 'geheim'",
        "[[client]]\nname = 'geheim'",
        "[[client]]\nname = 4711\nallow = []",
        "[[client]]\nname = 'a'\nallow = ['geheim']",
        "[[account]]\nusername = 'a'\npassword = 'geheim'",
        "[[account]]\nusername = 'a'\nkey = 4711",
        "[[account]]\nusername = 'a'\nkey 'geheim'",
    ] {
        write(&home, "config", &format!("{config}\n"));
        for arguments in [&["--check-config", "--config", "config"][..], &["--config", "config"]] {
            let errors = failure(&home, arguments, 2);
            assert!(!errors.contains("geheim") && !errors.contains("4711"), "{config}: {errors}");
            assert!(errors.contains("config:") && errors.lines().count() <= 2, "{config}: {errors}");
        }
    }
}

#[test]
fn the_example_is_good() {
    let home = home();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/imo2sproxy.toml");
    let example = std::fs::read_to_string(example).expect("the example");
    let credentials = "/run/credentials/imo2sproxy.service/";
    assert!(example.contains(credentials));
    for name in ["passwords_alice", "passwords_bob"] {
        write(&home, name, "geheim\n");
    }
    write(&home, "config", &example.replace(credentials, ""));
    let (told, warnings) = good(&home, &["--config", "config"]);
    let accounts = "alice: imo, embedded gateway, skypeproxy 127.0.0.1:1401\n\
                    bob: imo, embedded gateway, skypeproxy 127.0.0.1:1402\n";
    assert_eq!((told, warnings.as_str()), (format!("the configuration is good: 2 accounts\n{accounts}"), ""));
    // What is only shown is good, too.
    let shown = example.replace(credentials, "").replace("\n#", "\n").replace("/var/log/imo2skype/", "");
    let shown: String = shown.lines().filter(|line| !line.starts_with(' ')).map(|line| format!("{line}\n")).collect();
    write(&home, "config", &shown);
    let (told, _) = good(&home, &["--config", "config", "-p0"]);
    assert!(told.contains("bob: imo, https://imo.example/, skypeproxy 192.0.2.1:0"), "{told}");
}
