//! What `docs/clients/scripts.md` shows for copying.

use std::path::Path;
use std::process::Command;

use crate::history::Daemon;
use crate::home;
use crate::status;
use crate::text;

#[test]
fn the_script_for_the_socket_hears_the_echo() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients/scripts.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let mut scripts = page.split("```python\n").skip(1).filter_map(|rest| rest.split("```\n").next());
    let script = scripts.find(|script| script.contains("1401")).expect("a script with the port");

    let home = home();
    let daemon = Daemon::start(&home, &[]);
    let (_, port) = daemon.address().rsplit_once(':').expect("address and port");
    let script = format!("import socket\nsocket.setdefaulttimeout(60)\n{}", script.replace("1401", port));
    let output = Command::new("python3").args(["-c", &script]).output();
    let output = output.unwrap_or_else(|error| panic!("python3: {error}; Debian: apt-get install python3"));
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let heard = text(&output.stdout);
    assert!(heard.starts_with("PROTOCOL 8\n") && heard.ends_with("STATUS RECEIVED\n"), "{heard}");
    daemon.stop();
}
