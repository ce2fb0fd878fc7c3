//! The same as `roundtrip local N` of `roundtrip.c`, over the Rust interface, for `cost.sh`.

use std::time::Duration;

use imo2skype::Config;
use imo2skype::Session;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds: usize = std::env::args().nth(1).ok_or("how many rounds?")?.parse()?;
    let mut config = Config::new("alice", "secret");
    config.set("autologin", "false")?;
    config.set("server", "http://127.0.0.1:9/")?;
    let session = Session::open(config)?;
    while session.poll_skype_notification(Some(Duration::ZERO))?.is_some() {}
    for _ in 0..rounds {
        session.send_skype_command("GET USERSTATUS")?;
        session.poll_skype_notification(Some(Duration::ZERO))?.ok_or("no reply")?;
    }
    session.close();
    Ok(())
}
