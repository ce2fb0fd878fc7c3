//! Commands that a form stands for, in the world of `tests/support/world.rs`.

use crate::world::Called;

/// The form with what may be left out and without it, its placeholders filled with what there is.
pub(crate) fn examples(form: &str, called: &Called) -> Vec<String> {
    let mut examples = vec![fill(form, &without_options(form), called), fill(form, &with_options(form), called)];
    examples.dedup();
    examples
}

fn with_options(form: &str) -> String {
    form.replace(['[', ']'], "")
}

fn without_options(form: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    for char in form.chars() {
        match char {
            '[' => depth += 1,
            ']' => depth -= 1,
            char if depth == 0 => text.push(char),
            _ => {}
        }
    }
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn fill(form: &str, text: &str, called: &Called) -> String {
    let begins = |words: &[&str]| words.iter().any(|word| form.starts_with(word));
    let id = if begins(&["ALTER CALL <id> RESUME", "SET CALL <id> STATUS INPROGRESS"]) {
        &called.held
    } else if begins(&["ALTER CALL <id> ANSWER", "ALTER CALL <id> END"]) {
        &called.ringing
    } else if form.contains(" CALL ") {
        &called.talking
    } else if form.contains("VOICEMAIL") {
        &called.voicemail
    } else if begins(&["SET SMS <id> SEEN"]) {
        &called.sms
    } else if form.contains(" SMS ") {
        &called.composed
    } else if form.contains(" FILETRANSFER ") {
        &called.file
    } else if form.contains(" GROUP ") {
        &called.group
    } else if form.contains(" CHATMEMBER ") {
        &called.member
    } else if form.contains(" BODY ") {
        &called.sent
    } else {
        &called.received
    };
    let chat = if begins(&["ALTER CHAT <chat> JOIN", "ALTER CHAT <chat> ENTERPASSWORD"]) {
        &called.left
    } else if begins(&["ALTER CHAT <chat> ACCEPTADD"]) {
        &called.invited
    } else {
        &called.chat
    };
    let property = match form.split(' ').nth(1).unwrap_or("") {
        "USER" | "PROFILE" => "FULLNAME",
        "APPLICATION" => "STREAMS",
        "MESSAGE" | "CHATMESSAGE" => "BODY",
        "CHATMEMBER" => "ROLE",
        "GROUP" => "USERS",
        "CHAT" => "MEMBERS",
        _ => "STATUS",
    };
    // SET PROFILE: some property that takes a text.
    let property = if begins(&["SET PROFILE"]) { "CITY" } else { property };
    let word = if begins(&["SET WINDOWSTATE"]) {
        "NORMAL"
    } else if begins(&["CREATE MENU_ITEM"]) {
        "TOOLS"
    } else if begins(&["ALTER CHAT <chat> SETPASSWORD", "ALTER CHAT <chat> ENTERPASSWORD"]) {
        "secret"
    } else {
        "DANCE"
    };
    let number = if form.contains("SMS") && !form.contains("CHUNK") {
        "+4912345"
    } else if form.contains("CHUNK") {
        "0"
    } else {
        "1"
    };
    let name = if begins(&["CREATE"]) {
        "fresh"
    } else if form.contains("EVENT") {
        "news"
    } else {
        "hello"
    };
    let switch = ["MUTE", "PCSPEAKER", "AGC", "AEC", "AUTOAWAY", "SILENT_MODE", "RINGTONE", "HOOK", "READY"];
    let bool = if switch.iter().any(|name| form.contains(name)) { "ON" } else { "TRUE" };
    let code = if form.contains("DTMF") {
        "7"
    } else if form.contains("SPEEDDIAL") {
        "42"
    } else {
        "de"
    };
    let blob = if form.contains("FINDUSINGBLOB") { "blob-of-g1" } else { "a-new-blob" };
    let users = if form.contains("ADDMEMBERS") { "daniel, eve" } else { "bob, cecil" };
    let device = if form.starts_with("ALTER") { "PORT=\"1234\"" } else { "Headset" };
    // The last one of two is another call.
    let text = text.replace("JOIN_CONFERENCE <id>", &format!("JOIN_CONFERENCE {}", called.held));
    let text = text.replace("CONTACT_TYPE_FILTER <word>", "CONTACT_TYPE_FILTER all");
    let text = text.replace("ENABLED <bool>", "ENABLED true").replace("CONTACTS <bool>", "CONTACTS false");
    let pairs = [
        ("<user>", "bob"),
        ("<users>", users),
        ("<chat>", chat),
        ("<text>", "Plans"),
        ("<id>", id),
        ("<stream>", "bob:1"),
        ("<app>", if begins(&["CREATE"]) { "fresh" } else { "demo" }),
        ("<name>", name),
        ("<path>", "/pics/new.jpg"),
        ("<number>", number),
        ("<word>", word),
        ("<bits>", "9"),
        ("<role>", "LISTENER"),
        ("<blob>", blob),
        ("<key>", "YES"),
        ("<code>", code),
        ("<target>", "bob"),
        ("<device>", device),
        ("<bool>", bool),
        ("<status>", "AWAY"),
        ("<property>", property),
    ];
    pairs.into_iter().fold(text, |text, (placeholder, value)| text.replace(placeholder, value))
}
