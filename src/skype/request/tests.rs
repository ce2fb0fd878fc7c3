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
        ("SET USERSTATUS LUNCH", "ERROR 28 Unknown userstatus"),
        ("SET USERSTATUS LOGGEDOUT", "ERROR 28 Unknown userstatus"),
        ("SET USER", "ERROR 26 Invalid user handle"),
        ("SET USER bob BUDDYSTATUS 3", "ERROR 518 Invalid status given for BUDDYSTATUS"),
        ("SET USER bob ISAUTHORIZED maybe", "ERROR 516 Invalid value given to ISAUTHORIZED/ISBLOCKED"),
        ("SET CHATMESSAGE x SEEN", "ERROR 30 Invalid message id"),
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
        ("CHAT DANCE", "ERROR 503 CHAT: Invalid or unknown action"),
        ("CALL", "ERROR 34 invalid user handle"),
        ("GET CALL x STATUS", "ERROR 11 Invalid call id"),
        ("GET CALL 1 SHOESIZE", "ERROR 13 Invalid PROP"),
        ("GET CALL 1 DTMF", "ERROR 13 Invalid PROP"),
        ("GET VOICEMAIL x TYPE", "ERROR 512 Invalid voicemail id"),
        ("GET VOICEMAIL 1", "ERROR 514 No voicemail property given"),
        ("GET APPLICATION", "ERROR 543 GET APPLICATION: missing or invalid application name"),
        ("GET APPLICATION x DATAGRAM", "ERROR 544 GET APPLICATION: missing or invalid property name"),
        ("GET GROUP x TYPE", "ERROR 562 SEARCH GROUPS: Invalid group id"),
        ("GET GROUP 1 SHOESIZE", "ERROR 564 SEARCH GROUPS: Invalid group property given"),
        ("GET AEC x", "ERROR 569 GET AEC: target not allowed"),
        ("GET AGC x", "ERROR 571 GET AGC: target not allowed"),
        ("GET USER bob AVATAR x /a", "ERROR 116 GET invalid ID"),
        ("GET USER bob AVATAR 1", "ERROR 121 GET File path doesn't exist"),
        ("SET AEC MAYBE", "ERROR 570 SET AEC: invalid value"),
        ("SET AGC MAYBE", "ERROR 572 SET AGC: invalid value"),
        ("SET MUTE MAYBE", "ERROR 33 invalid parameter"),
        ("SET AUTOAWAY MAYBE", "ERROR 53 invalid value"),
        ("SET AUDIO_IN Microphone", "ERROR 50 cannot set device"),
        ("SET SKYPEVERSION 5", "ERROR 18 SET: invalid WHAT"),
        ("SET USER bob HANDLE x", "ERROR 18 SET: invalid WHAT"),
        ("SET USER bob ISBLOCKED", "ERROR 516 Invalid value given to ISAUTHORIZED/ISBLOCKED"),
        ("SET USER bob SPEEDDIAL 123", "ERROR 515 Assigning speeddial property failed"),
        ("SET PROFILE SHOESIZE 43", "ERROR 552 SET PROFILE: invalid property profile given"),
        ("SET PROFILE PSTN_BALANCE 5", "ERROR 552 SET PROFILE: invalid property profile given"),
        ("SET CALL x SEEN", "ERROR 19 Invalid call id"),
        ("SET CALL 1 SHOESIZE", "ERROR 21 Unknown/disallowed call prop"),
        ("SET CALL 1 STATUS", "ERROR 21 Unknown/disallowed call prop"),
        ("SET CALL 1 STATUS LATER", "ERROR 25 Unknown WHAT"),
        ("SET CALL 1 DTMF A", "ERROR 42 Invalid DTMF code"),
        ("SET CHATMESSAGE 1 STATUS READ", "ERROR 32 Invalid WHAT"),
        ("SET GROUP 1 TYPE x", "ERROR 564 SEARCH GROUPS: Invalid group property given"),
        ("SET AVATAR x /a", "ERROR 116 GET invalid ID"),
        ("SET RINGTONE x /a", "ERROR 115 Invalid ringtone"),
        ("SET MENU_ITEM a CAPTION", "ERROR 18 SET: invalid WHAT"),
        ("ALTER CHAT c ADDMEMBERS", "ERROR 506 CHAT: ADDMEMBERS: invalid/missing user handle(s) as arguments"),
        ("ALTER CHAT c LEAVE now", "ERROR 505 CHAT: LEAVE does not take arguments"),
        ("ALTER CHAT c SETOPTIONS all", "ERROR 504 CHAT: action failed"),
        (
            "ALTER CHATMEMBER 1 SETROLETO KING",
            "ERROR 609 CHATMEMBER: ALTER SETROLE/CANSETROLETO: Invalid role specified",
        ),
        ("ALTER CALL", "ERROR 555 CALL: No proper call ID given"),
        ("ALTER CALL x", "ERROR 556 CALL: Invalid call ID given"),
        ("ALTER CALL 1", "ERROR 557 CALL: No action given"),
        ("ALTER CALL 1 DANCE", "ERROR 560 CALL: Unknown action"),
        ("ALTER CALL 1 END SOON", "ERROR 558 CALL: Missing or invalid arguments"),
        ("ALTER CALL 1 TRANSFER", "ERROR 558 CALL: Missing or invalid arguments"),
        ("ALTER CALL 1 SET_INPUT FILE=\"a.mp3\"", "ERROR 558 CALL: Missing or invalid arguments"),
        ("ALTER CALL 1 SET_INPUT PORT=\"0\"", "ERROR 558 CALL: Missing or invalid arguments"),
        ("ALTER VOICEMAIL", "ERROR 528 VOICEMAIL: No proper voicemail ID given"),
        ("ALTER VOICEMAIL x", "ERROR 529 VOICEMAIL: Invalid voicemail ID given"),
        ("ALTER VOICEMAIL 1", "ERROR 530 VOICEMAIL: No action given"),
        ("ALTER VOICEMAIL 1 DANCE", "ERROR 532 VOICEMAIL: Unknown action"),
        ("ALTER VOICEMAIL 1 DELETE now", "ERROR 531 VOICEMAIL: Action failed"),
        ("ALTER APPLICATION", "ERROR 545 ALTER APPLICATION: missing or invalid action"),
        ("ALTER APPLICATION x DANCE", "ERROR 546 ALTER APPLICATION: missing or invalid action"),
        ("ALTER APPLICATION x CONNECT", "ERROR 547 ALTER APPLICATION CONNECT: Invalid user handle"),
        ("ALTER APPLICATION x DISCONNECT bob:x", "ERROR 548 ALTER APPLICATION DISCONNECT: Invalid stream identifier"),
        ("ALTER APPLICATION x WRITE bob hi", "ERROR 549 ALTER APPLICATION WRITE: Missing or invalid stream identifier"),
        ("ALTER APPLICATION x READ", "ERROR 550 ALTER APPLICATION READ: Missing or invalid stream identifier"),
        (
            "ALTER APPLICATION x DATAGRAM bob hi",
            "ERROR 551 ALTER APPLICATION DATAGRAM: Missing or invalid stream identifier",
        ),
        ("ALTER GROUP x ADDUSER bob", "ERROR 562 SEARCH GROUPS: Invalid group id"),
        ("ALTER GROUP 1 DANCE", "ERROR 564 SEARCH GROUPS: Invalid group property given"),
        ("CREATE APPLICATION two words", "ERROR 540 CREATE APPLICATION: missing or invalid name"),
        ("CREATE SMS INCOMING +1", "ERROR 537 CREATE: Unknown object type given"),
        ("CREATE EVENT a-b CAPTION \"x\" HINT \"y\"", "ERROR 537 CREATE: Unknown object type given"),
        ("CREATE MENU_ITEM a CAPTION \"x\"", "ERROR 537 CREATE: Unknown object type given"),
        ("DELETE", "ERROR 538 DELETE: no object type given"),
        ("DELETE SHOE", "ERROR 539 DELETE: unknown object type given"),
        ("DELETE APPLICATION", "ERROR 542 DELETE APPLICATION: missing or invalid application name"),
        ("DELETE GROUP x", "ERROR 562 SEARCH GROUPS: Invalid group id"),
        ("SEARCH GREETING", "ERROR 534 SEARCH GREETING: invalid handle"),
        ("SEARCH MISSEDCALLS x", "ERROR 6 SEARCH MISSEDCALLS: target not allowed"),
        ("CALLVOICEMAIL", "ERROR 34 invalid user handle"),
        ("OPEN", "ERROR 69 Invalid open what"),
        ("OPEN SHOE", "ERROR 69 Invalid open what"),
        ("BTN_PRESSED", "ERROR 74 Invalid key"),
        ("BTN_RELEASED WINDOWS", "ERROR 74 Invalid key"),
        ("CLEAR SHOES", "ERROR 521 Invalid/unknown CLEAR target"),
        ("CLEAR CHATHISTORY now", "ERROR 522 CLEAR CHATHISTORY takes no arguments"),
        ("CLEAR VOICEMAILHISTORY now", "ERROR 523 CLEAR VOICEMAILHISTORY takes no arguments"),
        ("CLEAR CALLHISTORY", "ERROR 524 CLEAR CALLHISTORY: missing target argument"),
        ("CHAT", "ERROR 502 CHAT: No action name given"),
        ("CHAT FINDUSINGBLOB", "ERROR 610 CHAT: FINDUSINGBLOB: No existing chat for given blob found or invalid blob"),
        ("CHAT CREATEUSINGBLOB", "ERROR 611 CHAT: CREATEUSINGBLOB: Unable to create chat, invalid blob"),
        ("CLEAR", "ERROR 520 CLEAR needs a target"),
    ];
    for (line, expected) in cases {
        assert_eq!(refused(line), expected, "{line}");
    }
}

#[test]
fn what_was_altered_is_named_as_documented() {
    let cases = [
        ("ALTER CHAT #a/$b SETTOPIC Plans for", "ALTER CHAT", "SETTOPIC"),
        ("alter Chat #a/$b leave ", "alter Chat", "leave"),
        ("ALTER CHATMEMBER 7 CANSETROLETO HELPER", "ALTER CHATMEMBER", "CANSETROLETO"),
        ("ALTER FILETRANSFER 7 ACCEPT /home", "ALTER FILETRANSFER", "ACCEPT"),
        ("ALTER GROUP 70 ADDUSER bob", "ALTER GROUP 70 ADDUSER bob", ""),
        ("ALTER CALL 12 END HANGUP ", "ALTER CALL 12 END HANGUP", ""),
        ("ALTER APPLICATION x DATAGRAM bob:1 PURPLE_TYPING", "ALTER APPLICATION x DATAGRAM bob:1", ""),
        ("ALTER APPLICATION x WRITE bob:1 a  b", "ALTER APPLICATION x WRITE bob:1", ""),
        ("ALTER CALL 12 TRANSFER \"bob, cecil\"", "ALTER CALL 12 TRANSFER \"bob, cecil\"", ""),
    ];
    for (line, front, back) in cases {
        let Command::Alter { head, .. } = parsed(line) else { panic!("{line}") };
        assert_eq!(head, Head { front, back }, "{line}");
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
