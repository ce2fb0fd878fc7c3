//! Lines of a client: read, and answered in an account that has one of everything.
//!
//! Whatever comes: one reply, it is the first thing said, and on ERROR the only one.

#![no_main]

#[path = "../../tests/support/world.rs"]
mod world;

use imo2skype::skype::Request;
use imo2skype::translate::Output;
use libfuzzer_sys::fuzz_target;

use world::World;
use world::reply;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut world = World::whole();
    // Several lines, so that one can build on the other; a NUL never reaches the translator.
    for line in text.split('\0').take(16) {
        if let Ok(request) = Request::parse(line) {
            assert_eq!(request.to_string(), line.trim_start_matches(' '));
        }
        let outputs = world.send(line);
        let (answer, _) = reply(&outputs);
        if answer.starts_with("ERROR ") {
            assert_eq!(outputs.len(), 1, "{line:?} was refused and yet did something");
        }
        let breaks = outputs.iter().filter(|output| match output {
            Output::ToClient(_, line) => line.is_empty(),
            _ => false,
        });
        assert_eq!(breaks.count(), 0, "an empty line");
    }
});
