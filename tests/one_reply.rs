//! Whatever a client sends, at every protocol version: one reply, with its id, in the client's letters, and nothing
//! changes on ERROR.

#[path = "coverage/examples.rs"]
mod examples;
#[path = "support/world.rs"]
mod world;

use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::StreamAction;
use imo2skype::backend::Task;
use imo2skype::skype;
use imo2skype::skype::Form;
use imo2skype::skype::Search;
use imo2skype::skype::Setting;
use imo2skype::translate::Output;
use proptest::prelude::*;
use proptest::sample::Index;

use examples::examples;
use world::World;
use world::lines;
use world::reply;

/// What is done to a well-formed command.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    LowerCase,
    DropWord(Index),
    DoubleWord(Index),
    SwapWord(Index, String),
    Cut(Index),
    Append(String),
}

fn apply(change: &Change, line: &str) -> String {
    let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    match change {
        Change::Nothing => {}
        Change::LowerCase => return line.to_ascii_lowercase(),
        Change::DropWord(index) => drop(words.remove(index.index(words.len()))),
        Change::DoubleWord(index) => {
            let at = index.index(words.len());
            words.insert(at, words[at].clone());
        }
        Change::SwapWord(index, word) => {
            let at = index.index(words.len());
            words[at].clone_from(word);
        }
        Change::Cut(index) => {
            let ends: Vec<_> = line.char_indices().map(|(at, _)| at).collect();
            return ends.get(index.index(ends.len().max(1))).map_or(String::new(), |end| line[..*end].to_owned());
        }
        Change::Append(text) => return format!("{line}{text}"),
    }
    words.join(" ")
}

fn change() -> impl Strategy<Value = Change> {
    let word = prop_oneof!["[A-Za-z0-9#:=\"]{0,6}", "-?[0-9]{1,12}", Just("\n".to_owned()), "\\PC{0,3}"];
    prop_oneof![
        3 => Just(Change::Nothing),
        1 => Just(Change::LowerCase),
        1 => any::<Index>().prop_map(Change::DropWord),
        1 => any::<Index>().prop_map(Change::DoubleWord),
        2 => (any::<Index>(), word).prop_map(|(index, word)| Change::SwapWord(index, word)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => prop_oneof![Just(" ".to_owned()), " .{0,5}", "\\PC{0,5}"].prop_map(Change::Append),
    ]
}

/// A command of the language, well or badly formed, or anything at all.
fn line() -> impl Strategy<Value = String> {
    let forms = (any::<Index>(), any::<Index>(), change()).prop_map(|(form, example, change)| {
        let examples = examples(form.get(Form::ALL).syntax, &World::whole().called);
        let example: &String = example.get(&examples);
        apply(&change, example)
    });
    let id = prop::option::of("#[!-~]{1,5} ");
    (id, prop_oneof![8 => forms.boxed(), 1 => ".{0,40}".boxed()])
        .prop_map(|(id, line)| format!("{}{line}", id.unwrap_or_default()))
}

/// Everything that can be asked for.
fn state(world: &mut World) -> Vec<String> {
    let searches = Search::ALL.iter().map(|search| match search.word {
        "USERS" | "GREETING" => format!("SEARCH {} bob", search.word),
        word => format!("SEARCH {word}"),
    });
    let settings = Setting::ALL.iter().map(|setting| format!("GET {}", setting.word()));
    let called = world.called.clone();
    let objects = [
        ("USER", "bob"),
        ("USER", "eve"),
        ("CHAT", &called.chat),
        ("CHAT", &called.left),
        ("CHATMEMBER", &called.member),
        ("CHATMESSAGE", &called.received),
        ("CHATMESSAGE", &called.sent),
        ("CALL", &called.talking),
        ("CALL", &called.ringing),
        ("VOICEMAIL", &called.voicemail),
        ("SMS", &called.composed),
        ("GROUP", &called.group),
        ("FILETRANSFER", &called.file),
        ("APPLICATION", "demo"),
    ];
    let rows = skype::property_rows();
    let readable = rows.iter().filter(|row| row.access.read && row.name != "AVATAR");
    let properties = readable.flat_map(|row| match row.object {
        "PROFILE" => vec![format!("GET PROFILE {}", row.name)],
        object => {
            let ids = objects.iter().filter(|known| known.0 == object);
            ids.map(|(object, id)| format!("GET {object} {id} {}", row.name)).collect()
        }
    });
    let questions: Vec<_> = searches.chain(settings).chain(properties).collect();
    questions.iter().map(|question| format!("{question}: {}", world.ask(question))).collect()
}

fn check(abilities: &[Ability], protocol: u8, lines: &[String]) -> Result<(), TestCaseError> {
    let mut world = World::new(abilities);
    world.ask(&format!("PROTOCOL {protocol}"));
    let mut before = state(&mut world);
    for line in lines {
        before = answer_once(&mut world, line, before)?;
    }
    Ok(())
}

/// Sends a line, checks what comes of it, and returns the state after it.
fn answer_once(world: &mut World, line: &str, before: Vec<String>) -> Result<Vec<String>, TestCaseError> {
    let outputs = world.send(line);
    let (answer, whole) = reply(&outputs);
    let start = whole.len() - answer.len();
    let trimmed = line.trim_start_matches(' ');
    let id = trimmed.split(' ').next().filter(|word| word.starts_with('#') && word.len() > 1);
    match id.filter(|id| !id[1..].contains(char::is_whitespace)) {
        Some(id) => prop_assert_eq!(&whole[..start], format!("{} ", id)),
        None => prop_assert_eq!(start, 0),
    }
    let broken = lines(&outputs).into_iter().filter(|line| line.contains('\n') && !may_hold_breaks(line));
    let broken: Vec<_> = broken.filter(|line| *line != answer).collect();
    prop_assert!(broken.is_empty(), "{:?} brought {:?}", line, broken);
    let after = state(world);
    if answer.starts_with("ERROR ") {
        prop_assert_eq!(outputs.len(), 1, "{:?} was refused and yet did something: {:?}", line, outputs);
        prop_assert_eq!(&before, &after, "{:?} was refused and yet changed something", line);
    }
    Ok(after)
}

/// Whether a notification is about a text that may hold line breaks (skype-api 1.1).
fn may_hold_breaks(line: &str) -> bool {
    let texts = ["BODY", "ABOUT", "MOOD_TEXT", "RICH_MOOD_TEXT", "RECEIVEDAUTHREQUEST", "GUIDELINES"];
    line.split(' ').take(3).any(|word| texts.contains(&word))
}

/// Every form with each of its words left out, doubled and replaced by what does not belong there, and cut short
/// behind each.
fn spoilt() -> Vec<String> {
    let called = World::whole().called;
    let lines: Vec<_> = Form::ALL.iter().flat_map(|form| examples(form.syntax, &called)).collect();
    let mut spoilt = Vec::new();
    for line in lines {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        for at in 0..words.len() {
            let mut with = |change: &dyn Fn(&mut Vec<String>)| {
                let mut words = words.clone();
                change(&mut words);
                spoilt.push(words.join(" "));
            };
            with(&|words| drop(words.remove(at)));
            with(&|words| words.truncate(at));
            with(&|words| words.insert(at, words[at].clone()));
            for wrong in ["", "x", "0", "-1", "99999999999", "\n", "\"", "a:b"] {
                with(&|words| wrong.clone_into(&mut words[at]));
            }
        }
        spoilt.push(format!("{line} "));
        spoilt.push(format!("{line}\nPING"));
    }
    spoilt.sort();
    spoilt.dedup();
    spoilt
}

#[test]
fn every_form_spoilt_in_every_place_has_one_reply() {
    let lines = spoilt();
    assert!(lines.len() > 5_000, "{}", lines.len());
    let mut world = World::whole();
    let whole = state(&mut world);
    let mut before = whole.clone();
    for line in lines {
        before = answer_once(&mut world, &line, before).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        // What was done to the world is not to hide what the next line does.
        if before != whole {
            world = World::whole();
            before = whole.clone();
        }
    }
}

#[test]
fn a_network_that_answers_nothing_is_not_asked_for_ever() {
    const MOST: usize = 10_000;
    let asked = |outputs: &[Output]| {
        // To end what there is is never refused.
        let is_new = |task: &Task| !matches!(task, Task::Stream { action: StreamAction::Close, .. });
        let tasks = outputs
            .iter()
            .filter(|output| matches!(output, Output::ToBackend(Action::Task { task, .. }) if is_new(task)));
        tasks.count()
    };
    let mut world = World::whole();
    let mut unanswered = 0;
    while unanswered < MOST {
        unanswered += asked(&world.send("SET USER bob ISBLOCKED TRUE"));
    }
    let called = world.called.clone();
    for line in Form::ALL.iter().flat_map(|form| examples(form.syntax, &called)) {
        assert_eq!(asked(&world.send(&line)), 0, "{line:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn one_reply_with_its_id(protocol in 1..=8u8, lines in prop::collection::vec(line(), 1..8)) {
        check(Ability::ALL, protocol, &lines)?;
    }

    #[test]
    fn also_on_a_network_that_can_do_little(protocol in 1..=8u8, lines in prop::collection::vec(line(), 1..8)) {
        check(&[Ability::Contacts, Ability::Authorization, Ability::Mood], protocol, &lines)?;
    }

    #[test]
    fn the_head_comes_back_in_the_letters_it_was_typed(row in any::<Index>(), upper in any::<u64>()) {
        let rows: Vec<_> = skype::property_rows().into_iter().filter(|row| row.object == "USER").collect();
        let property = row.get(&rows).name;
        prop_assume!(property != "AVATAR");
        let typed: String = format!("USER bob {property}")
            .chars()
            .enumerate()
            .map(|(at, char)| if upper >> (at % 64) & 1 == 1 { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() })
            .collect();
        let answer = World::whole().ask(&format!("GET {typed}"));
        let expected = format!("{typed} ");
        prop_assert!(answer.starts_with(&expected), "{} to {}", answer, expected);
    }
}
