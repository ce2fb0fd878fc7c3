//! The lines of a configuration file, and what is wrong with them as text.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::settings::MISPLACED;
use crate::settings::Settings;
use crate::settings::without_value;

/// Where the options of a configuration file are.
#[derive(Debug, Default)]
pub(super) struct Lines {
    top: BTreeMap<String, usize>,
    accounts: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    line: usize,
    keys: BTreeMap<String, usize>,
}

/// What is wrong, and in which line, where that is known.
pub(super) type Problem = (Option<usize>, String);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        let line = |start: usize| text[..start].matches('\n').count() + 1;
        let keys = |table: &DeTable<'_>| {
            table.iter().map(|(key, _)| (key.get_ref().to_string(), line(key.span().start))).collect()
        };
        let accounts = match table.get_ref().get("account").map(|account| account.get_ref()) {
            Some(DeValue::Array(tables)) => tables
                .iter()
                .filter_map(|account| {
                    let table = account.get_ref().as_table()?;
                    Some(Table { line: line(account.span().start), keys: keys(table) })
                })
                .collect(),
            _ => Vec::new(),
        };
        Self { top: keys(table.get_ref()), accounts }
    }

    /// Where an option of an account stands: in its table, or above; otherwise where the account stands.
    pub(super) fn find(&self, account: Option<usize>, key: Option<&str>) -> Option<usize> {
        let table = account.and_then(|account| self.accounts.get(account));
        let exact = key.and_then(|key| table.and_then(|table| table.keys.get(key)).or_else(|| self.top.get(key)));
        exact.copied().or_else(|| table.map(|table| table.line))
    }

    pub(super) fn top(&self, key: &str) -> Option<usize> {
        self.top.get(key).copied()
    }
}

/// Every mistake that can be seen in the text alone.
pub(super) fn problems(text: &str) -> Vec<Problem> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            (line, error.message().to_owned())
        })
        .collect();
    // Further ones in the same line come of the first.
    problems.dedup_by_key(|(line, _)| *line);
    let lines = Lines::of(text);
    if let (true, Ok(table)) = (problems.is_empty(), text.parse::<toml::Table>()) {
        let tables = match table.get("account") {
            Some(toml::Value::Array(tables)) => tables.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        for (key, value) in &table {
            // One by one below.
            if key != "account" || tables.is_empty() {
                problems.extend(wrong(key, value).map(|text| (lines.top(key), text)));
            }
        }
        for (number, table) in tables.into_iter().enumerate() {
            for (key, value) in table {
                let misplaced = || alone(key, value).ok()?.misplaced().pop();
                let text = wrong(key, value).or_else(|| Some(format!("{} {MISPLACED}", misplaced()?)));
                problems.extend(text.map(|text| (lines.find(Some(number), Some(key)), text)));
            }
        }
    }
    if let (true, Err(text)) = (problems.is_empty(), Settings::parse(text)) {
        problems.push((None, text));
    }
    problems.sort();
    problems
}

/// What is wrong with an option that stands alone.
fn wrong(key: &str, value: &toml::Value) -> Option<String> {
    let error = alone(key, value).err()?;
    let text = without_value(&error);
    Some(if text.starts_with("unknown field") { text } else { format!("{key}: {text}") })
}

fn alone(key: &str, value: &toml::Value) -> Result<Settings, toml::de::Error> {
    Settings::deserialize(toml::Table::from_iter([(key.to_owned(), value.clone())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_found_with_its_line() {
        let text = "port = 'x'\nkeyy = 'geheim'\nkey = 12345\n\n[[account]]\nusername = 'a'\ndaemon = true\n\
                    verbose = true\n[[account]]\nusername = 'b'\nlinger = []\n[section]\nx = 1\n";
        let problems = problems(text);
        let lines: Vec<_> = problems.iter().map(|(line, _)| line.unwrap_or(0)).collect();
        assert_eq!(lines, [1, 2, 3, 7, 8, 11, 12], "{problems:?}");
        let all = format!("{problems:?}");
        assert!(!all.contains("geheim") && !all.contains("12345"), "{all}");
        assert!(all.contains("unknown field `keyy`") && all.contains("verbose is for the whole program"), "{all}");
    }

    #[test]
    fn broken_lines_are_found_together() {
        let problems = problems("port = \nverbose = true\nhost == 'x'\n");
        assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [Some(1), Some(3)], "{problems:?}");
    }

    #[test]
    fn options_are_found_where_they_count() {
        let lines = Lines::of("port = 1\nlinger = 2\n[[account]]\nusername = 'a'\n[[account]]\nport = 3\n");
        assert_eq!(lines.find(Some(0), Some("port")), Some(1));
        assert_eq!(lines.find(Some(1), Some("port")), Some(6));
        assert_eq!(lines.find(Some(1), Some("linger")), Some(2));
        assert_eq!(lines.find(Some(1), Some("history")), Some(5));
        assert_eq!(lines.find(None, Some("history")), None);
    }
}
