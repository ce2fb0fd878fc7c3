//! Says hello to the contact echo123 and prints what comes, until the echo has.
//!
//! `cargo run --example chat [SERVER-URL]`; without one, a gateway inside this program is the network.
#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::time::Duration;

use imo2skype::Config;
use imo2skype::Session;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::new("alice", "secret");
    config.server = std::env::args().nth(1);
    let session = Session::open(config)?;
    session.send_skype_command("MESSAGE echo123 hello")?;
    loop {
        let line = session.poll_skype_notification(Some(Duration::from_secs(30)))?.ok_or("no echo came")?;
        println!("{line}");
        match *line.split(' ').collect::<Vec<_>>() {
            ["CHATMESSAGE", id, "STATUS", "RECEIVED"] => {
                session.send_skype_command(&format!("GET CHATMESSAGE {id} BODY"))?;
            }
            ["CHATMESSAGE", _, "BODY", "hello"] => return Ok(()),
            _ => {}
        }
    }
}
