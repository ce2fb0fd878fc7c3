//! Nothing is missing: every command, property and word of the Skype API, as `tests/reference` lists them, is in
//! the tables, is answered as documented, and stands in `docs/skype-api-coverage.md`.
//!
//! `IMO2SKYPE_WRITE=1 cargo test --test coverage` writes that page anew.

#[path = "coverage/examples.rs"]
mod examples;
#[path = "coverage/page.rs"]
mod page;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::Path;

use imo2skype::skype;
use imo2skype::skype::Form;
use imo2skype::skype::PropertyRow;

use examples::examples;
use world::World;

/// A line of `tests/reference/commands.txt`.
pub(crate) struct Documented {
    form: String,
    reply: String,
    errors: Vec<u16>,
}

fn reference(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
    let text = std::fs::read_to_string(path).expect("a list of the reference");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn commands() -> Vec<Documented> {
    let row = |line: String| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [form, reply, errors] = columns[..] else { panic!("not three columns: {line}") };
        let errors = errors.split(',').filter(|number| !number.is_empty());
        Documented {
            form: form.to_owned(),
            reply: reply.to_owned(),
            errors: errors.map(|number| number.parse().expect("a number")).collect(),
        }
    };
    reference("commands.txt").into_iter().map(row).collect()
}

/// What is answered with another error than the reference names, and why.
const OTHER_ERRORS: &[(&str, u16, &str)] = &[
    ("FILE <user> <path>", 2, "an extension of some proxies that clients probe for (clients 5.1)"),
    ("CHATFILE <chat> <path>", 2, "an extension of some proxies that clients probe for (clients 5.1)"),
    ("FILE", 2, "510 would tell the client that the extension is there (clients 5.6)"),
    ("SET VIDEO_IN [<device>]", 50, "the number of the other devices"),
    ("OPEN ADDAFRIEND [<user>]", 69, "a session has no windows"),
    ("OPEN AUTHORIZATION <user>", 69, "a session has no windows"),
    ("OPEN BLOCKEDUSERS", 69, "a session has no windows"),
    ("OPEN CALLHISTORY", 69, "a session has no windows"),
    ("OPEN CONFERENCE", 69, "a session has no windows"),
    ("OPEN CONTACTS", 69, "a session has no windows"),
    ("OPEN DIALPAD", 69, "a session has no windows"),
    ("OPEN FILETRANSFER [<users>] [IN <path>]", 69, "a session has no windows"),
    ("OPEN GETTINGSTARTED", 69, "a session has no windows"),
    ("OPEN IMPORTCONTACTS", 69, "a session has no windows"),
    ("OPEN LIVETAB", 69, "a session has no windows"),
    ("OPEN OPTIONS [<word>]", 69, "a session has no windows"),
    ("OPEN PROFILE", 69, "a session has no windows"),
    ("OPEN SEARCH", 69, "a session has no windows"),
    ("OPEN SENDCONTACTS <user>", 69, "a session has no windows"),
    ("OPEN SMS <id>", 69, "a session has no windows"),
    ("OPEN USERINFO <user>", 69, "a session has no windows"),
    ("OPEN VIDEOTEST [<id>]", 69, "a session has no windows"),
];

/// Forms whose documented reply needs another wording here, and why.
const OTHER_REPLIES: &[(&str, &str, &str)] = &[
    ("SEARCH MESSAGES [<user>]", "CHATMESSAGES", "from protocol 3 on (clients 7, 8.1)"),
    ("SEARCH MISSEDMESSAGES", "CHATMESSAGES", "from protocol 3 on (clients 7, 8.1)"),
];

#[test]
fn every_form_of_command_is_in_the_table() {
    let known: BTreeSet<_> = Form::ALL.iter().map(|form| form.syntax).collect();
    assert_eq!(known.len(), Form::ALL.len(), "a form stands twice");
    let missing: Vec<_> = commands()
        .into_iter()
        .filter(|row| !row.reply.starts_with("ERROR") && !known.contains(row.form.as_str()))
        .map(|row| row.form)
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_form_of_command_is_answered_as_documented() {
    let mut wrong = Vec::new();
    let called = World::whole().called;
    for row in commands() {
        let reply = OTHER_REPLIES.iter().find(|other| other.0 == row.form).map_or(row.reply.as_str(), |other| other.1);
        for example in examples(&row.form, &called) {
            let answer = World::whole().ask(&format!("#1 {example}"));
            let error = answer.strip_prefix("ERROR ").map(|rest| {
                rest.split(' ').next().and_then(|number| number.parse::<u16>().ok()).expect("ERROR and a number")
            });
            let fine = match error {
                None => fits(&answer, reply),
                Some(number) => {
                    row.errors.contains(&number)
                        || OTHER_ERRORS.iter().any(|other| other.0 == row.form && other.1 == number)
                }
            };
            if !fine {
                wrong.push(format!(
                    "{example}\n    documented: {} or {:?}\n    answered:   {answer}",
                    row.reply, row.errors
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// On a network that can do everything, only what was decided so is refused.
#[test]
fn nothing_is_refused_that_could_be_done() {
    let called = World::whole().called;
    let mut refused = Vec::new();
    for form in Form::ALL {
        let answers = examples(form.syntax, &called).into_iter().map(|example| (World::whole().ask(&example), example));
        let all: Vec<_> = answers.collect();
        let always = page::ALWAYS_REFUSED.iter().any(|row| row.0 == form.syntax);
        let decided = always || OTHER_ERRORS.iter().any(|other| other.0 == form.syntax);
        let fails = all.iter().all(|(answer, _)| answer.starts_with("ERROR"));
        if fails && !decided || always && !fails {
            refused.push(format!("{all:?}"));
        }
    }
    assert!(refused.is_empty(), "\n{}", refused.join("\n"));
}

/// Whether an answer begins with the words of a pattern, a placeholder standing for one word.
fn fits(answer: &str, pattern: &str) -> bool {
    let mut words = answer.split(' ');
    pattern.split(' ').all(|expected| {
        let Some(word) = words.next() else { return false };
        expected.contains('<') || word == expected
    })
}

#[test]
fn every_property_is_in_the_table() {
    let rows = skype::property_rows();
    let find = |object: &str, name: &str| rows.iter().find(|row| row.object == object && row.name == name);
    let mut wrong = Vec::new();
    for line in reference("properties.txt") {
        let words: Vec<_> = line.split(' ').collect();
        let [object, name, access, since] = words[..] else { panic!("not four words: {line}") };
        // The older MESSAGE is asked in the words of CHATMESSAGE (skype-api 4.4).
        let (object, legacy) = if object == "MESSAGE" { ("CHATMESSAGE", true) } else { (object, false) };
        match find(object, name) {
            None => wrong.push(format!("{line}: missing")),
            Some(row) if !legacy => {
                let here = (access_word(row), row.since.number().to_string());
                if (here.0.as_str(), here.1.as_str()) != (access.trim_end_matches('n'), since) && access != "n" {
                    wrong.push(format!("{line}: here {} {}", here.0, here.1));
                }
            }
            Some(_) => {}
        }
    }
    let (decided, wrong): (Vec<_>, Vec<_>) =
        wrong.into_iter().partition(|line| OTHER_PROPERTIES.iter().any(|other| line.starts_with(other.0)));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(decided.len(), OTHER_PROPERTIES.len(), "a decision about nothing");
}

/// Properties whose row differs from the reference, and why.
const OTHER_PROPERTIES: &[(&str, &str)] = &[
    ("PROFILE MOOD_TEXT rw", "as the same property of USER"),
    ("PROFILE RICH_MOOD_TEXT rw", "as the same property of USER"),
    ("PROFILE TIMEZONE rw", "as the same property of USER"),
    ("PROFILE IS_VIDEO_CAPABLE r", "as the same property of USER"),
    ("PROFILE CALL_SEND_TO_VM rw", "as the other rules for calls"),
    ("CHATMESSAGE TIMESTAMP r", "the older MESSAGE has it from version 1 on"),
    ("CHATMESSAGE TYPE r", "the older MESSAGE has it from version 1 on"),
    ("CHATMESSAGE STATUS r", "the older MESSAGE has it from version 1 on"),
    ("CHATMESSAGE BODY rw", "the older MESSAGE has it from version 1 on"),
    ("CHATMESSAGE SEEN w", "the older MESSAGE has it from version 1 on"),
];

fn access_word(row: &PropertyRow) -> String {
    [("r", row.access.read), ("w", row.access.write)].into_iter().filter(|part| part.1).map(|part| part.0).collect()
}

#[test]
fn every_readable_property_has_a_value() {
    let mut wrong = Vec::new();
    for row in skype::property_rows().iter().filter(|row| row.access.read) {
        let mut world = World::whole();
        let command = page::get(row, &world.called);
        let answer = world.ask(&format!("GET {command}"));
        if !answer.starts_with(&format!("{command} ")) && answer != command {
            wrong.push(format!("GET {command}: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_words_are_those_of_the_reference() {
    macro_rules! tables {
        ($($name:literal $table:ident,)*) => {
            vec![$(($name, skype::$table::ALL.iter().map(|word| word.word()).collect::<BTreeSet<_>>()),)*]
        };
    }
    let tables = tables! {
        "USER SEX" Sex,
        "USER BUDDYSTATUS" BuddyStatus,
        "CALL TYPE" CallType,
        "CALL STATUS" CallStatus,
        "CALL VIDEO_STATUS" VideoStatus,
        "CALL VIDEO_SEND_STATUS" VideoStreamStatus,
        "CALL VIDEO_RECEIVE_STATUS" VideoStreamStatus,
        "CHAT STATUS" ChatStatus,
        "CHAT TYPE" ChatType,
        "CHAT MYSTATUS" MyStatus,
        "CHAT MYROLE" Role,
        "CHATMEMBER ROLE" Role,
        "CHATMESSAGE TYPE" ChatMessageType,
        "CHATMESSAGE STATUS" ChatMessageStatus,
        "CHATMESSAGE LEAVEREASON" LeaveReason,
        "VOICEMAIL TYPE" VoicemailType,
        "VOICEMAIL STATUS" VoicemailStatus,
        "VOICEMAIL FAILUREREASON" VoicemailFailure,
        "SMS TYPE" SmsType,
        "SMS STATUS" SmsStatus,
        "SMS FAILUREREASON" SmsFailure,
        "SMS TARGET_STATUSES" SmsTargetStatus,
        "GROUP TYPE" GroupType,
        "FILETRANSFER TYPE" FileTransferType,
        "FILETRANSFER STATUS" FileTransferStatus,
        "FILETRANSFER FAILUREREASON" FileTransferFailure,
        "SETTING USERSTATUS" UserStatus,
        "SETTING CONNSTATUS" ConnectionStatus,
        "SETTING WINDOWSTATE" WindowState,
        "SETTING PRIVILEGE" Privilege,
    };
    // Never said here, or said beyond the reference.
    let apart = [
        ("CHAT STATUS", "LEGACY_DIALOG"),
        ("CHAT TYPE", "LEGACY_DIALOG"),
        ("CHAT TYPE", "SHAREDGROUP"),
        ("CHAT TYPE", "LEGACY_UNSUBSCRIBED"),
        // What a client waits for (clients 5.4).
        ("CHATMESSAGE STATUS", "FAILED"),
    ];
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in reference("words.txt") {
        let (name, words) = line.split_once(": ").expect("a name and words");
        let Some((_, known)) = tables.iter().find(|table| table.0 == name) else { continue };
        compared += 1;
        let documented: BTreeSet<_> = words.split(' ').collect();
        for word in documented.symmetric_difference(known).filter(|word| !apart.contains(&(name, **word))) {
            wrong.push(format!("{name}: {word}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(compared, tables.len(), "a table has another name in the reference");
}

#[test]
fn the_page_of_coverage_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/skype-api-coverage.md");
    let fresh = page::page();
    if std::env::var_os("IMO2SKYPE_WRITE").is_some() {
        std::fs::write(&path, &fresh).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "stale: IMO2SKYPE_WRITE=1 cargo test --test coverage writes it anew");
}
