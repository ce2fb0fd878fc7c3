//! Lines in, lines out.

use super::*;

use proptest::prelude::*;

fn drain(decoder: &mut Decoder, lines: &mut Vec<Option<String>>) -> Result<(), TooLong> {
    while let Some(said) = decoder.next()? {
        lines.push(match said {
            Said::Line(line) => Some(line.to_owned()),
            Said::Garbage => None,
        });
    }
    Ok(())
}

fn decode(records: &[&[u8]]) -> Vec<Option<String>> {
    let (mut decoder, mut lines) = (Decoder::default(), Vec::new());
    for record in records {
        decoder.feed(record);
        drain(&mut decoder, &mut lines).expect("short");
    }
    lines
}

fn encoded(line: &str) -> Vec<String> {
    let mut records = Vec::new();
    encode(line, |record| records.push(record.to_owned()));
    records
}

fn some(lines: &[&str]) -> Vec<Option<String>> {
    lines.iter().map(|line| Some((*line).to_owned())).collect()
}

#[test]
fn a_record_ends_a_line_with_and_without_line_feed() {
    let records: [&[u8]; 4] = [b"CREATE GROUP x", b"CALL bob", b"GET USER bob SEX\nGET USER bob CITY\r\n\n", b" \r\n"];
    let lines = some(&["CREATE GROUP x", "CALL bob", "GET USER bob SEX", "GET USER bob CITY"]);
    assert_eq!(decode(&records), lines);
    // A full record goes on in the next.
    let long = [&b"MESSAGE bob "[..], &vec![b'x'; FULL_RECORD - 12]].concat();
    assert_eq!(decode(&[&long, b"y\nPONG\n"])[1..], some(&["PONG"]));
    assert_eq!(decode(&[b"a\0b\n\xff\nPING\n"]), [None, None, Some("PING".to_owned())]);
}

#[test]
fn a_line_without_end_is_refused_and_takes_no_more_room() {
    let mut decoder = Decoder::default();
    for _ in 0..MAX_COMMAND / FULL_RECORD {
        decoder.feed(&[b'x'; FULL_RECORD]);
        assert_eq!(decoder.next(), Ok(None));
    }
    decoder.feed(b"\n");
    assert!(matches!(decoder.next(), Ok(Some(Said::Line(line))) if line.len() == MAX_COMMAND));
    decoder.feed(b"PONG\n");
    assert!(decoder.bytes.capacity() <= IDLE_ROOM);
    let mut decoder = Decoder::default();
    for _ in 0..MAX_COMMAND / FULL_RECORD {
        decoder.feed(&[b'x'; FULL_RECORD]);
    }
    decoder.feed(b"x");
    assert_eq!(decoder.next(), Err(TooLong));
}

#[test]
fn each_line_of_a_message_has_the_head_and_nothing_else_has_several_lines() {
    for (line, expected) in [
        ("CHATMESSAGE 5 BODY a\nb", &["CHATMESSAGE 5 BODY a\n", "CHATMESSAGE 5 BODY b\n"][..]),
        (
            "#7 CHATMESSAGE 5 BODY a\r\n\nb",
            &["#7 CHATMESSAGE 5 BODY a\n", "#7 CHATMESSAGE 5 BODY \n", "#7 CHATMESSAGE 5 BODY b\n"],
        ),
        ("CHATMESSAGE 5 BODY ", &["CHATMESSAGE 5 BODY \n"]),
        ("USER bob ABOUT a\nCHATMESSAGE 9 STATUS RECEIVED", &["USER bob ABOUT a CHATMESSAGE 9 STATUS RECEIVED\n"]),
        ("PROFILE MOOD_TEXT a\r\nb\rc", &["PROFILE MOOD_TEXT a b c\n"]),
        ("CHAT #a/$b;1 TOPIC a\nb", &["CHAT #a/$b;1 TOPIC a b\n"]),
        ("USERS ", &["USERS \n"]),
        ("USERS a, b", &["USERS a, b\n"]),
    ] {
        assert_eq!(encoded(line), expected, "{line:?}");
    }
}

#[test]
fn long_lists_and_messages_come_in_lines_that_the_client_can_read() {
    let names: Vec<_> = (0..500).map(|number| format!("somebody.{number}")).collect();
    for (head, between) in [("USERS ", ", "), ("GROUP 71 USERS ", ", "), ("CHAT #a/$b;1 ACTIVEMEMBERS ", " ")] {
        let records = encoded(&format!("{head}{}", names.join(between)));
        let lists = records.iter().map(|record| record.strip_prefix(head).and_then(|rest| rest.strip_suffix('\n')));
        let found: Vec<_> = lists.flat_map(|list| list.expect("the head").split(between)).collect();
        assert_eq!(found, names, "{head}");
        assert!(records.iter().all(|record| record.len() <= LONGEST));
    }
    let body = "gr\u{fc}\u{df}e ".repeat(1000);
    let records = encoded(&format!("CHATMESSAGE 5 BODY {body}"));
    let pieces = records.iter().map(|record| record.strip_prefix("CHATMESSAGE 5 BODY ").expect("the head"));
    assert_eq!(pieces.map(|piece| piece.strip_suffix('\n').expect("its end")).collect::<String>(), body);
    let mood = encoded(&format!("USER bob MOOD_TEXT {}", "\u{fc}".repeat(3000)));
    assert!(matches!(&mood[..], [line] if line.len() > LONGEST - 2 && line.len() <= LONGEST), "{mood:?}");
}

proptest! {
    #[test]
    fn whatever_the_session_says_every_record_is_one_short_line(
        start in prop_oneof![
            Just(""), Just("CHATMESSAGE 5 BODY "), Just("#1 CHATMESSAGE 5 BODY "), Just("USERS "), Just("CHAT c MEMBERS "),
            Just("GROUP 1 USERS "), Just("#"), Just("USER bob ABOUT "),
        ],
        text in prop_oneof![any::<String>(), "[a ,\r\n\u{fc}]{0,2000}"],
    ) {
        let records = encoded(&format!("{start}{text}"));
        prop_assert!(!records.is_empty());
        for record in records {
            prop_assert!(record.len() <= LONGEST, "{}", record.len());
            prop_assert_eq!(record.find(['\n', '\r']), Some(record.len() - 1));
        }
    }

    #[test]
    fn the_text_of_a_message_is_whole(text in "[a \u{fc}\u{1f600}]{0,2000}") {
        let lines = encoded(&format!("CHATMESSAGE 5 BODY {text}")).concat();
        prop_assert_eq!(lines.replace("CHATMESSAGE 5 BODY ", "").replace('\n', ""), text);
    }

    #[test]
    fn any_records_are_survived(records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..32)) {
        let (mut decoder, mut lines) = (Decoder::default(), Vec::new());
        for record in records {
            decoder.feed(&record);
            prop_assert_eq!(drain(&mut decoder, &mut lines), Ok(()));
            prop_assert_eq!(decoder.start, decoder.bytes.len());
        }
    }
}
