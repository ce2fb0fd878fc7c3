//! Sockets that a service manager holds.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::Plugin;
use crate::Running;
use crate::home;
use crate::imo2sproxy;

/// The program with a socket as its descriptor 3, as systemd starts it.
fn activated(home: &TempDir, socket: OwnedFd, name: &str, arguments: &[&str]) -> Command {
    let command = imo2sproxy(home, &[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "export LISTEN_PID=$$; exec \"$0\" \"$@\" 3<&0 </dev/null"])
        .arg(command.get_program())
        .args(arguments);
    shell.env_clear();
    for (key, value) in command.get_envs().filter_map(|(key, value)| Some((key, value?))) {
        shell.env(key, value);
    }
    shell.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name).current_dir(home.path());
    shell.stdin(socket).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

#[test]
fn a_plugin_that_connects_before_the_start_is_served() {
    let home = home();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound").to_string();
    let mut plugin = Plugin::connect(&address);
    plugin.send("#1 PING");
    // A port that is in use, if it were taken.
    let port = address.rsplit(':').next().expect("a port");
    let command = activated(&home, socket.into(), "imo2sproxy.socket", &["-p", port, "alice", "geheim"]);
    let mut running = Running::start(command);
    assert_eq!(running.told("listening: skypeproxy "), address);
    assert_eq!(plugin.wait("#1"), "#1 PONG");
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
}

#[test]
fn a_socket_goes_to_the_account_that_it_is_named_after() {
    let home = home();
    let config = "password_file = 'secret'\nport = 0\n[[account]]\nusername = 'alice'\n[[account]]\nusername = 'bob'\n";
    std::fs::write(home.path().join("config"), config).expect("a file");
    std::fs::write(home.path().join("secret"), "geheim").expect("a file");
    let path = home.path().join("bobs");
    let socket = UnixListener::bind(&path).expect("a socket");
    let mut running = Running::start(activated(&home, socket.into(), "bob", &["--config", "config"]));
    assert!(running.told("listening: skypeproxy 127.0.0.1:").ends_with(" (alice)"));
    assert_eq!(running.told("listening: skypeproxy "), format!("{} (bob)", path.display()));
    UnixStream::connect(&path).expect("it listens");
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
    assert!(path.exists(), "it is the service manager's");
}

#[test]
fn a_socket_stays_with_its_account_whatever_becomes_of_that() {
    let home = home();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound").to_string();
    let file = |name: &str, text: &str| std::fs::write(home.path().join(name), text).expect("a file");
    let whose = |plugin: &mut Plugin| plugin.send("#1 GET CURRENTUSERHANDLE").wait("#1");
    let config = |bob: &str| {
        let alice = "password_file = 'secret'\nport = 0\n[[account]]\nusername = 'alice'\n";
        file("config", &format!("{alice}[[account]]\nusername = 'bob'\n{bob}"));
    };
    file("secret", "geheim");
    config("password_file = 'nowhere'\n");
    let mut plugin = Plugin::connect(&address);
    plugin.send("#1 GET CURRENTUSERHANDLE");
    let mut running = Running::start(activated(&home, socket.into(), "bob", &["--config", "config"]));
    let mut alice = Plugin::connect(running.told("listening: skypeproxy ").strip_suffix(" (alice)").expect("alice"));
    assert_eq!(whose(&mut alice), "#1 CURRENTUSERHANDLE alice");
    running.told("listening: gateway ");
    for bob in ["", "keep_online = true\n"] {
        config(bob);
        running.signal(Signal::SIGHUP);
        assert_eq!(running.told("listening: skypeproxy "), format!("{address} (bob)"));
        assert_eq!(whose(&mut Plugin::connect(&address)), "#1 CURRENTUSERHANDLE bob");
    }
    assert_eq!(plugin.wait("#1"), "#1 CURRENTUSERHANDLE bob");
    plugin.end();
    assert_eq!(whose(&mut alice), "#1 CURRENTUSERHANDLE alice");
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
}

#[test]
fn a_socket_that_is_for_nobody_is_wrong_usage() {
    let home = home();
    let open = TcpListener::bind("0.0.0.0:0").expect("a free port");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    for (socket, arguments, hint) in
        [(open, &["alice", "geheim"][..], "IMO2SPROXY_KEY"), (closed, &["-mc", "alice", "geheim"], "no account has")]
    {
        let output = activated(&home, socket.into(), "", arguments).output().expect("the program starts");
        let errors = crate::text(&output.stderr);
        assert_eq!(crate::status(&output), 2, "{errors}");
        assert!(errors.contains(hint), "{errors}");
    }
}
