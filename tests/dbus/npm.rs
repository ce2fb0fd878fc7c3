//! skype-dbus of npm, the real one, where `tests/dbus/npm.sh` has put it.

use std::io::Write;

use crate::Bus;
use crate::root;

#[test]
fn skype_dbus_of_npm_attaches_asks_and_hears() {
    let package = root().join("target/npm-skype-dbus/node_modules/skype-dbus");
    if !package.exists() {
        let text = "NOT CHECKED: skype-dbus of npm is not installed; tests/dbus/npm.sh does it\n";
        // Past the capture of the test: somebody has to see it.
        let _ = std::io::stderr().write_all(text.as_bytes());
        return;
    }
    let bus = Bus::session();
    let daemon = bus.daemon(&[]);
    let mut node = bus.program("node");
    node.arg(root().join("tests/dbus/clients/npm.js")).arg(package);
    // Its library knows no other form.
    node.env("DBUS_SESSION_BUS_ADDRESS", bus.address().replace("unix:path=", "unix:socket="));
    let output = node.output().expect("node (Debian: apt-get install nodejs)");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{errors}");
    assert_eq!(daemon.running.stop().0, 0);
}
