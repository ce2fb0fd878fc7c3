//! What a client of the SkypeProxy socket sends, in pieces of any size.
//!
//! Whatever comes: how it was cut changes nothing, room is taken for bytes that came and not for what a length
//! promises, no more text is read than bytes came, a question is answered by one byte, nothing is done for who has not
//! given the password, and the number of a slot is found between other things.

#![no_main]

use std::iter::from_fn;
use std::iter::once;

use imo2skype::transport::skypeproxy::fuzzing::Asked;
use imo2skype::transport::skypeproxy::fuzzing::Client;
use imo2skype::transport::skypeproxy::fuzzing::encode;
use libfuzzer_sys::fuzz_target;

/// Short, so that it is found.
const KEY: &str = "k";
const AUTHENTICATE: &[u8] = b"\0\0\0\0\x01";
const CAPABILITIES: &[u8] = b"\0\0\0\0\x02";

/// What was asked and answered at once, and whether no more can come of it.
type Heard = (Vec<(Asked, Vec<u8>)>, bool);

fn hear<'a>(client: &mut Client, pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let mut heard = Vec::new();
    // There is room for eight bytes at least.
    let (mut waiting, room) = client.room();
    let mut most = room.max(4);
    for piece in pieces {
        client.feed(piece);
        most = most.max(waiting + piece.len());
        loop {
            let Ok(next) = client.step() else { return (heard, true) };
            let Some((asked, answer)) = next else { break };
            assert!(answer.len() <= usize::from(asked == Asked::Nothing), "{answer:?} to {asked:?}");
            assert!(
                client.admitted() || !matches!(asked, Asked::Line(_) | Asked::Pictures),
                "{asked:?} from a stranger"
            );
            heard.push((asked, answer));
            if matches!(heard.last(), Some((Asked::TurnAway, _))) {
                return (heard, true);
            }
        }
        let room;
        (waiting, room) = client.room();
        assert!(room <= 2 * most, "room for {room} bytes of {most}");
    }
    (heard, false)
}

/// Pieces of these sizes, again and again.
fn cut<'a>(mut stream: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().map(|size| usize::from(*size).max(1)).cycle();
    from_fn(move || {
        let size = sizes.next().unwrap_or(stream.len()).min(stream.len());
        stream.split_off(..size).filter(|piece| !piece.is_empty())
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((head, rest)) = data.split_first() else { return };
    let (sizes, stream) = rest.split_at(rest.len().min((head >> 1).into()));
    let key = (head & 1 == 1).then_some(KEY);
    let locked = u8::from(key.is_some());

    let mut client = Client::new(key);
    let whole = hear(&mut client, once(stream));
    let read: usize =
        whole.0.iter().map(|(asked, _)| if let Asked::Line(Some(text)) = asked { text.len() } else { 0 }).sum();
    assert!(read <= stream.len(), "{read} bytes of {}", stream.len());
    let said = |bytes: &[u8]| stream.windows(bytes.len()).any(|window| window == bytes);
    assert!(key.is_none() || !client.admitted() || said(AUTHENTICATE) && said(b"\0\0k"), "nobody gave the password");
    assert!(whole.0.iter().all(|(asked, _)| !matches!(asked, Asked::Slot(_))), "nobody asked for a slot");
    assert_eq!(hear(&mut Client::new(key), cut(stream, sizes)), whole);

    if !whole.1 && client.room().0 == 0 {
        let answers = [(Asked::Nothing, vec![locked | 2]), (Asked::Nothing, vec![locked])];
        assert_eq!(hear(&mut client, [CAPABILITIES, AUTHENTICATE]).0, answers);
        let asked = if key.is_some() { Asked::TurnAway } else { Asked::Line(Some("wrong".to_owned())) };
        assert_eq!(hear(&mut client, [&*encode("wrong")]).0, [(asked, vec![])]);
    }

    // While the number of a slot is awaited and does not come, everything else does.
    let mut client = Client::new(key);
    assert!(client.open());
    let (heard, _) = hear(&mut client, cut(stream, sizes));
    match heard.iter().filter(|(asked, _)| matches!(asked, Asked::Slot(_))).count() {
        0 => assert_eq!(heard, whole.0),
        numbers => assert_eq!(numbers, 1),
    }

    // It stands behind what was on its way, and alone or with something behind it that can begin a frame.
    let ping = if key.is_some() { Asked::Nothing } else { Asked::Line(Some("PING".to_owned())) };
    let number = Asked::Slot((1..255).contains(head).then_some(*head));
    let mut heard = vec![(Asked::Nothing, vec![locked | 2]), (ping, vec![]), (number, vec![])];
    heard.extend(whole.0);
    let expected = (heard, whole.1);
    let begun = [CAPABILITIES, &encode("PING"), &[*head]].concat();
    let together = [&*begun, stream].concat();
    let mut ways = vec![once(&*begun).chain(cut(stream, sizes)).collect::<Vec<_>>()];
    if stream.get(3) == Some(&0) {
        ways.push(vec![&together]);
    }
    for pieces in ways {
        let mut client = Client::new(key);
        assert!(client.open() && !client.open(), "one at a time");
        assert_eq!(hear(&mut client, pieces), expected);
        assert!(client.open());
    }

    let lines =
        stream.split(|byte| *byte == 0).filter_map(|line| str::from_utf8(line).ok().filter(|line| !line.is_empty()));
    let frames: Vec<u8> = lines.clone().flat_map(encode).collect();
    let lines = lines.map(|line| (Asked::Line(Some(line.to_owned())), vec![])).collect();
    assert_eq!(hear(&mut Client::new(None), cut(&frames, sizes)), (lines, false));
});
