//! The manual pages and the completions are those of the options, and whatever the documentation shows of the program
//! is understood by it.

#[path = "../../../tests/support/manual.rs"]
mod support;

use std::collections::BTreeSet;

use clap::CommandFactory;
use clap::Parser;
use clap::error::ErrorKind;

use crate::options::Options;
use crate::settings::Settings;

/// Tables of the configuration file, described by hand in the page.
const TABLES: &[&str] = &["account", "client"];

fn program_page() -> String {
    support::page("imo2sproxy.1", &[("@OPTIONS@", support::options(&Options::command()))])
}

fn configuration_page() -> String {
    let (program, account): (Vec<_>, Vec<_>) = keys().into_iter().partition(|key| key.of_the_program);
    let entries = |keys: Vec<Key>| keys.iter().map(Key::entry).collect::<String>();
    support::page("imo2sproxy.toml.5", &[("@PROGRAM@", entries(program)), ("@ACCOUNT@", entries(account))])
}

/// A key of the configuration file.
struct Key {
    name: String,
    kind: String,
    of_the_program: bool,
    help: String,
}

impl Key {
    fn entry(&self) -> String {
        let Self { name, kind, help, .. } = self;
        let [name, kind, help] = [name, kind, help].map(|text| support::escaped(text));
        format!(".TP\n\\fB{name}\\fR (\\fI{kind}\\fR)\n{help}\n")
    }
}

/// Every key, in the order of the settings.
fn keys() -> Vec<Key> {
    let names = expected("");
    let command = Options::command();
    let key = |name: String| {
        let option = command.get_arguments().find(|argument| argument.get_id().as_str() == name);
        let option = option.unwrap_or_else(|| panic!("{name} is no option; a table belongs into TABLES"));
        if let Some(long) = option.get_long() {
            assert_eq!(long.replace('-', "_"), name, "a key is called like its option");
        }
        let help = option.get_long_help().or(option.get_help()).map(ToString::to_string).unwrap_or_default();
        let (kind, sample) = kind(&name);
        let misplaced = refusal(&format!("[[account]]\nusername = 'alice'\n{name} = {sample}\n"));
        let of_the_program = misplaced.is_some_and(|problem| problem.contains("is for the whole program"));
        Key { name, kind, of_the_program, help }
    };
    names.into_iter().filter(|name| !TABLES.contains(&name.as_str())).map(key).collect()
}

fn refusal(text: &str) -> Option<String> {
    Settings::parse(text).err()
}

/// The keys that may stand at this place of the file: whoever writes another one is told.
fn expected(place: &str) -> Vec<String> {
    let problem = refusal(&format!("{place}\nno_such_key = 1\n")).expect("there is no such key");
    let (_, expected) = problem.split_once("expected").unwrap_or_else(|| panic!("{problem}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What a key takes, in words, and an example of it: whoever writes something else is told.
fn kind(name: &str) -> (String, String) {
    let problem = refusal(&format!("{name} = {{}}\n")).expect("no option takes a table");
    if let Some((_, words)) = problem.split_once(" must be ") {
        return (words.to_owned(), "'s'".to_owned());
    }
    // One of several words does not say what it takes before it is given another.
    let takes = problem.rsplit_once("expected ").map_or("", |(_, takes)| takes);
    let (kind, sample) = match takes {
        "a boolean" => ("true or false", "true"),
        "path string" => ("path", "'file'"),
        "a string" => ("string", "'text'"),
        "IP address" => ("IP address in quotes", "'127.0.0.1'"),
        "socket address" => ("address and port in quotes", "'127.0.0.1:0'"),
        "u16" | "u32" | "u64" => ("whole number", "1"),
        "f64" => ("number", "1.5"),
        _ => {
            let problem = refusal(&format!("{name} = 'no such word'\n")).unwrap_or_default();
            assert!(problem.contains("unknown variant"), "{name}: say in words what {takes} is");
            let words: Vec<_> = problem.split('`').skip(1).step_by(2).map(|word| format!("\"{word}\"")).collect();
            return (words.join(" or "), words[0].clone());
        }
    };
    (kind.to_owned(), sample.to_owned())
}

#[test]
fn pages_and_completions_are_fresh() {
    support::keep("man/imo2sproxy.1", &program_page());
    support::keep("man/imo2sproxy.toml.5", &configuration_page());
    for (name, script) in support::completions(Options::command()) {
        support::keep(&name, &script);
    }
}

#[test]
fn the_pages_are_well_formed() {
    support::assert_well_formed("imo2sproxy.1", &program_page());
    support::assert_well_formed("imo2sproxy.toml.5", &configuration_page());
}

#[test]
fn the_page_of_the_configuration_has_every_key_and_no_other() {
    let page = configuration_page();
    let described = |heading: &str| -> BTreeSet<String> {
        let (_, section) = page.split_once(&format!("\n.SH \"{heading}\"\n")).unwrap_or_else(|| panic!("no {heading}"));
        let section = section.split("\n.SH ").next().unwrap_or_default();
        let entry = |entry: &str| entry.strip_prefix("\\fB")?.split_once("\\fR (").map(|(name, _)| name.to_owned());
        section.split(".TP\n").skip(1).filter_map(entry).collect()
    };
    let mut all = described("KEYS FOR THE WHOLE PROGRAM");
    all.extend(described("KEYS FOR AN ACCOUNT"));
    let keys: BTreeSet<String> = expected("").into_iter().collect();
    all.extend(TABLES.iter().filter(|table| keys.contains(**table)).map(|table| (*table).to_owned()));
    assert_eq!(all, keys);
    assert_eq!(described("CLIENTS"), expected("[[client]]").into_iter().collect());
}

#[test]
fn examples_of_configuration_files_are_taken() {
    let mut examples = support::examples(&configuration_page());
    assert!(examples.len() > 1, "{examples:?}");
    for page in support::texts("docs", ".md").into_iter().chain(support::texts("docs/clients", ".md")) {
        let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```\n").next());
        examples.extend(blocks.map(str::to_owned));
    }
    for example in examples.into_iter().chain(support::texts("dist", ".toml")) {
        // With what is to be taken in by those who need it, too.
        let whole: String = example.lines().map(|line| format!("{}\n", uncommented(line))).collect();
        assert_eq!(refusal(&whole), None, "{whole}");
        assert_eq!(refusal(&example), None, "{example}");
    }
}

/// A setting that stands in a comment; words stay there.
fn uncommented(line: &str) -> &str {
    let setting = line.strip_prefix('#').filter(|text| !text.starts_with(' ') && text.contains(" = "));
    setting.unwrap_or(line)
}

#[test]
fn what_the_documentation_calls_is_understood() {
    let calls = support::calls("imo2sproxy");
    assert!(calls.len() > 9, "{calls:?}");
    for (place, arguments) in calls {
        if let Err(error) = Options::try_parse_from(arguments) {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            assert!(asked, "{place}\n{error}");
        }
    }
}

#[test]
fn bash_completes_options() {
    let complete = |words: &[&str]| support::completed(Options::command(), words);
    assert_eq!(complete(&["imo2sproxy", "--ho"]), ["--host"]);
    assert_eq!(complete(&["imo2sproxy", "-m", "s", "--history-"]), ["--history-days", "--history-messages"]);
    let all = complete(&["imo2sproxy", "--"]);
    let options = Options::command();
    let missing = options.get_arguments().filter_map(clap::Arg::get_long);
    let missing: Vec<_> = missing.filter(|long| !all.contains(&format!("--{long}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
