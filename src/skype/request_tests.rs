//! Commands as clients really send them, and as nobody should.

use proptest::prelude::*;

use super::*;

fn refused(line: &str) -> String {
    Request::parse(line).expect_err(line).to_string()
}

fn parsed(line: &str) -> Command<'_> {
    Request::parse(line).expect(line).command
}

#[test]
fn heads_are_echoed_as_typed() {
    let cases = [
        ("GET USER Bob fullname", "USER Bob fullname"),
        ("get userstatus ", "userstatus"),
        ("  GET PROFILE FULLNAME", "PROFILE FULLNAME"),
        ("#x GET CHATMESSAGE 7 BODY ", "CHATMESSAGE 7 BODY"),
    ];
    for (line, expected) in cases {
        let Command::Get { head, .. } = parsed(line) else { panic!("{line}") };
        assert_eq!(head, expected);
    }
    let cases = [
        ("SET USER bob BUDDYSTATUS 2 Please, let me", "USER bob BUDDYSTATUS 2"),
        ("SET CHATMESSAGE 7 SEEN", "CHATMESSAGE 7"),
        ("SET UserStatus away", "UserStatus away"),
        ("SET PROFILE MOOD_TEXT ", "PROFILE MOOD_TEXT"),
    ];
    for (line, expected) in cases {
        let Command::Set { head, .. } = parsed(line) else { panic!("{line}") };
        assert_eq!(head, expected);
    }
}

#[test]
fn a_body_keeps_every_byte() {
    let body = "  two blanks\r\n#7 PING\nand \"quotes\" %s \u{1f600} ";
    let line = format!("#M1 MESSAGE bob {body}");
    assert_eq!(parsed(&line), Command::Message { user: "bob", body });
}

#[test]
fn refusals_are_those_of_skype() {
    let cases = [
        ("", "ERROR 1 General syntax error"),
        ("#7", "#7 ERROR 1 General syntax error"),
        ("#", "ERROR 1 General syntax error"),
        ("#a\nb PING", "ERROR 1 General syntax error"),
        ("FOO", "ERROR 2 Unknown command"),
        ("#FT FILE", "#FT ERROR 2 Unknown command"),
        ("PINGPONG", "ERROR 2 Unknown command"),
        ("#7 GET FOO", "#7 ERROR 7 GET: invalid WHAT"),
        ("GET", "ERROR 7 GET: invalid WHAT"),
        ("GET USER", "ERROR 8 Invalid user handle"),
        ("GET USER bob", "ERROR 10 Invalid PROP"),
        ("GET USER bob SHOESIZE", "ERROR 10 Invalid PROP"),
        ("GET USER bob FULLNAME x", "ERROR 10 Invalid PROP"),
        ("GET CHATMESSAGE x BODY", "ERROR 14 Invalid message id"),
        ("GET MESSAGE -1 BODY", "ERROR 14 Invalid message id"),
        ("GET CHATMESSAGE 1 X", "ERROR 16 Invalid PROP"),
        ("GET CHAT", "ERROR 105 Invalid chat name"),
        ("GET CHAT #a/$b X", "ERROR 106 Invalid PROP"),
        ("GET PRIVILEGE FLYING", "ERROR 40 Unknown privilege"),
        ("GET CALL 1 STATUS", "ERROR 11 Invalid call id"),
        ("SET SILENT_MODE ON", "ERROR 18 SET: invalid WHAT"),
        ("SET USERSTATUS LUNCH", "ERROR 28 Unknown userstatus"),
        ("SET USERSTATUS LOGGEDOUT", "ERROR 28 Unknown userstatus"),
        ("SET USER", "ERROR 26 Invalid user handle"),
        ("SET USER bob BUDDYSTATUS 3", "ERROR 518 Invalid status given for BUDDYSTATUS"),
        ("SET USER bob ISAUTHORIZED maybe", "ERROR 516 Invalid value given to ISAUTHORIZED/ISBLOCKED"),
        ("SET CHATMESSAGE x SEEN", "ERROR 30 Invalid message id"),
        ("SET CHATMESSAGE 1 BODY", "ERROR 32 Invalid WHAT"),
        ("SET CALL 99999 STATUS FINISHED", "ERROR 19 Invalid call id"),
        ("#10 MESSAGE", "#10 ERROR 26 Invalid user handle"),
        ("#11 MESSAGE bob", "#11 ERROR 43 cannot send empty message"),
        ("MESSAGE bob ", "ERROR 43 cannot send empty message"),
        ("CHATMESSAGE", "ERROR 509 No chat name given"),
        ("SEARCH", "ERROR 3 SEARCH: unknown WHAT"),
        ("SEARCH FOO", "ERROR 3 SEARCH: unknown WHAT"),
        ("SEARCH USERS", "ERROR 4 Empty target not allowed"),
        ("SEARCH FRIENDS bob", "ERROR 67 Target not allowed with SEARCH FRIENDS"),
        ("SEARCH MISSEDCHATMESSAGES x", "ERROR 29 SEARCH what: target not allowed"),
        ("SEARCH CHATS x", "ERROR 107 Target not allowed with CHATS"),
        ("PROTOCOL", "ERROR 27 Invalid version number"),
        ("PROTOCOL x", "ERROR 27 Invalid version number"),
        ("ALTER", "ERROR 526 ALTER: no object type given"),
        ("ALTER SHOE 1 TIE", "ERROR 527 ALTER: unknown object type given"),
        ("ALTER CHAT", "ERROR 500 CHAT: Invalid chat name given"),
        ("ALTER CHAT c", "ERROR 502 CHAT: No action name given"),
        ("ALTER CHAT c DANCE", "ERROR 503 CHAT: Invalid or unknown action"),
        ("CREATE", "ERROR 536 CREATE: no object type given"),
        ("CREATE SHOE", "ERROR 537 CREATE: Unknown object type given"),
        ("CREATE APPLICATION", "ERROR 540 CREATE APPLICATION: missing or invalid name"),
        ("CREATE APPLICATION x", "ERROR 541 APPLICATION: operation failed"),
        ("DELETE GROUP 7", "ERROR 562 SEARCH GROUPS: Invalid group id"),
        ("CHAT CREATE", "ERROR 507 CHAT: CREATE: invalid/missing user handle(s) as argument"),
        ("CHAT DANCE", "ERROR 503 CHAT: Invalid or unknown action"),
        ("CALL", "ERROR 34 invalid user handle"),
        ("CALL bob", "ERROR 559 CALL: Action failed"),
        ("OPEN CONTACTS", "ERROR 69 Invalid open what"),
        ("CLEAR", "ERROR 520 CLEAR needs a target"),
        ("VOICEMAIL bob", "ERROR 110 No voicemail capability"),
    ];
    for (line, expected) in cases {
        assert_eq!(refused(line), expected, "{line}");
    }
}

#[test]
fn a_number_that_does_not_fit_is_merely_unknown() {
    let Command::Get { what: Get::ChatMessage { id, .. }, .. } = parsed("GET CHATMESSAGE 99999999999 BODY") else {
        panic!("a message");
    };
    assert_eq!(id, u32::MAX);
}

/// Lines that have a chance of being commands.
fn any_line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("GET"),
        Just("SET"),
        Just("SEARCH"),
        Just("MESSAGE"),
        Just("CHATMESSAGE"),
        Just("USER"),
        Just("CHAT"),
        Just("bob"),
        Just("7"),
        Just("BODY"),
        Just("SEEN"),
        Just("USERSTATUS"),
        Just("AWAY"),
        Just("ALTER"),
        Just("BUDDYSTATUS"),
        Just("2"),
        Just("FRIENDS"),
        Just("PING"),
        Just("NAME"),
        Just("PROTOCOL"),
        Just(""),
        Just("#9"),
        Just("\n"),
        Just("fullname"),
    ];
    (proptest::option::of("#[A-Za-z0-9]{1,4} "), proptest::collection::vec(word, 0..6), ".{0,8}")
        .prop_map(|(id, words, rest)| format!("{}{}{rest}", id.unwrap_or_default(), words.join(" ")))
}

proptest! {
    #[test]
    fn parse_never_panics(line in ".*") {
        let _ = Request::parse(&line);
    }

    #[test]
    fn display_round_trips(line in any_line()) {
        if let Ok(request) = Request::parse(&line) {
            let printed = request.to_string();
            prop_assert_eq!(Request::parse(&printed), Ok(request.clone()));
        }
    }

    #[test]
    fn a_refusal_carries_the_id(line in any_line()) {
        if let Err(refusal) = Request::parse(&line) {
            let text = refusal.to_string();
            match line.trim_start_matches(' ').strip_prefix('#').and_then(|rest| rest.split(' ').next()) {
                Some(id) if !id.is_empty() && !id.contains(char::is_whitespace) => {
                    prop_assert!(text.starts_with(&format!("#{id} ERROR ")), "{}", text);
                }
                _ => prop_assert!(text.starts_with("ERROR "), "{}", text),
            }
        }
    }
}
