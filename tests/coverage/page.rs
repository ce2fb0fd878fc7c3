//! The page `docs/skype-api-coverage.md`, made from the tables and from what is really answered.

use std::fmt::Write;

use imo2skype::skype;
use imo2skype::skype::ErrorCode;
use imo2skype::skype::Form;
use imo2skype::skype::PropertyRow;
use imo2skype::skype::Request;
use imo2skype::translate::Need;
use imo2skype::translate::need;

use crate::examples::examples;
use crate::world::Called;
use crate::world::World;

/// What no network here can do, so that it is always refused, and why.
pub(crate) const ALWAYS_REFUSED: &[(&str, &str)] = &[
    ("SET RINGER <device>", "there is no sound device but the default"),
    ("SET RINGTONE <number> <path>", "no sound is played"),
    ("ALTER GROUP <id> SHARE [<text>]", "no group is shared"),
    ("ALTER GROUP <id> ACCEPT", "no group is shared"),
    ("ALTER GROUP <id> DECLINE", "no group is shared"),
];

/// Properties that have the same value whatever happens, because no network tells them.
const FIXED: &[&str] = &[
    "USER HASCALLEQUIPMENT",
    "USER IS_CF_ACTIVE",
    "PROFILE PSTN_BALANCE",
    "PROFILE PSTN_BALANCE_CURRENCY",
    "PROFILE IPCOUNTRY",
    "PROFILE SMS_VALIDATED_NUMBERS",
    "CALL TARGET_IDENTITY",
    "CALL SUBJECT",
    "CALL PSTN_STATUS",
    "CALL VM_DURATION",
    "CALL VM_ALLOWED_DURATION",
    "CALL RATE",
    "CALL RATE_CURRENCY",
    "CALL RATE_PRECISION",
    "CALL VAA_INPUT_STATUS",
    "CALL FORWARDED_BY",
    "CHATMESSAGE CONF_ID",
    "CHATMESSAGE GUID",
    "CHATMESSAGE FILETRANSFERS",
    "GROUP VISIBLE",
    "GROUP EXPANDED",
    "FILETRANSFER CHATMESSAGE",
];

/// What a property is asked by.
pub(crate) fn get(row: &PropertyRow, called: &Called) -> String {
    let id = match row.object {
        "USER" => "bob",
        "PROFILE" => return format!("PROFILE {}", row.name),
        "APPLICATION" => "demo",
        "CALL" => &called.talking,
        "CHAT" => &called.chat,
        "CHATMEMBER" => &called.member,
        "CHATMESSAGE" => &called.received,
        "VOICEMAIL" => &called.voicemail,
        "SMS" => &called.composed,
        "GROUP" => &called.group,
        "FILETRANSFER" => &called.file,
        other => panic!("an object that is not asked: {other}"),
    };
    let argument = match (row.object, row.name) {
        ("USER", "AVATAR") => " 1 /pics/new.jpg",
        ("CALL", "CONF_PARTICIPANT") => " 1",
        ("CALL", "CAN_TRANSFER") => " bob",
        ("SMS", "CHUNK") => " 0",
        _ => "",
    };
    format!("{} {id} {}{argument}", row.object, row.name)
}

/// How a form is answered: by whom, and otherwise by which error.
enum Answer {
    Session,
    Network(Need),
    Refused(ErrorCode),
}

fn answer(form: &Form, called: &Called) -> Answer {
    let mut refused = None;
    for example in examples(form.syntax, called) {
        let needed = match Request::parse(&example) {
            Ok(Request { command, .. }) => need(&command),
            Err(error) => {
                refused = Some(error.code);
                continue;
            }
        };
        let said = World::whole().ask(&example);
        match (said.strip_prefix("ERROR "), needed) {
            (Some(error), _) => {
                let number = error.split(' ').next().and_then(|number| number.parse().ok());
                refused = number.and_then(ErrorCode::by_number);
            }
            (None, Some(need)) => return Answer::Network(need),
            (None, None) => return Answer::Session,
        }
    }
    Answer::Refused(refused.expect("an error"))
}

fn reason(syntax: &str) -> &'static str {
    let always = ALWAYS_REFUSED.iter().find(|row| row.0 == syntax).map(|row| row.1);
    let other = crate::OTHER_ERRORS.iter().find(|row| row.0 == syntax).map(|row| row.2);
    always.or(other).unwrap_or("")
}

pub(crate) fn page() -> String {
    let called = World::whole().called;
    let (mut session, mut network, mut refused) = (0, 0, 0);
    let mut table = String::new();
    let mut section = "";
    for form in Form::ALL {
        if form.section != section {
            section = form.section;
            let _ = write!(
                table,
                "\n### Section {section}\n\n| command | since | answered | otherwise |\n|---|---|---|---|\n"
            );
        }
        let (by, otherwise) = match answer(form, &called) {
            Answer::Session => {
                session += 1;
                ("by the session".to_owned(), String::new())
            }
            Answer::Network(need) => {
                network += 1;
                (format!("by the network: {:?}", need.ability), format!("`{}`", need.refusal))
            }
            Answer::Refused(code) => {
                refused += 1;
                (format!("`{code}`"), reason(form.syntax).to_owned())
            }
        };
        let syntax = form.syntax.replace('|', "\\|");
        let _ = writeln!(table, "| `{syntax}` | {} | {by} | {otherwise} |", form.since.number());
    }
    let rows = skype::property_rows();
    let mut page = format!(
        "# What is answered of the Skype API\n\n\
        Made by `IMO2SKYPE_WRITE=1 cargo test --test coverage` from the tables in `src/skype` and from the answers of \
        the translator; the test fails when this page is stale. Sections are those of the description of the API. *Since* is \
        the protocol version with which something appeared; it is understood at every version, and told from that version on.\n\n\
        - {} forms of command: {session} answered by the session alone, {network} by a network that is able to, {refused} always refused. Silent: 0.\n\
        - {} properties of {} objects.\n\n\
        ## Commands\n\n\
        *Answered by the network* names the ability (`Ability` in `src/backend/ability.rs`); *otherwise* is the reply where the \
        network has not got it. Objects that only a network brings (calls, voicemails, files) are unknown where it does not.\n",
        Form::ALL.len(),
        rows.len(),
        rows.iter().map(|row| row.object).collect::<std::collections::BTreeSet<_>>().len(),
    );
    page.push_str(&table);
    page.push_str(
        "\n## Properties\n\nAccess: `r` GET, `w` SET, `n` only told. *Fixed* values are those that no network tells.\n",
    );
    let mut object = "";
    for row in &rows {
        if row.object != object {
            object = row.object;
            let _ = write!(page, "\n### {object}\n\n| property | access | since | value |\n|---|---|---|---|\n");
        }
        let access = match (row.access.read, row.access.write) {
            (true, true) => "rw",
            (true, false) => "r",
            (false, true) => "w",
            (false, false) => "n",
        };
        let name = format!("{} {}", row.object, row.name);
        let value = if FIXED.contains(&name.as_str()) {
            let mut world = World::whole();
            let command = get(row, &world.called);
            let answer = world.ask(&format!("GET {command}"));
            format!("fixed: `{}`", answer[command.len()..].trim())
        } else {
            String::new()
        };
        let value = value.replace("fixed: ``", "fixed: empty");
        let _ = writeln!(page, "| `{}` | {access} | {} | {value} |", row.name, row.since.number());
    }
    page
}
