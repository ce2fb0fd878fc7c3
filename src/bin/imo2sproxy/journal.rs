//! Standard error that goes to the journal of systemd: how grave a line is stands at its beginning, `<4>`, and the journal
//! adds the time.

use std::sync::OnceLock;

use tracing::Level;

/// Whether standard error goes to the journal.
pub(crate) fn listens() -> bool {
    static LISTENS: OnceLock<bool> = OnceLock::new();
    *LISTENS.get_or_init(|| std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_ours(&stream)))
}

/// Whether `8:123456`, device and inode, is standard error, which somebody may have put elsewhere since.
#[cfg(unix)]
fn is_ours(stream: &str) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let metadata = std::io::stderr().as_fd().try_clone_to_owned().and_then(|ours| std::fs::File::from(ours).metadata());
    metadata.is_ok_and(|metadata| stream == format!("{}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn is_ours(_stream: &str) -> bool {
    false
}

/// How grave it is (syslog(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}

impl From<Level> for Priority {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warning,
            Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// The text with the mark at each of its lines, which the journal takes one by one.
pub(crate) fn marked(text: &str, priority: Priority) -> String {
    let mark = format!("<{}>", priority as u8);
    text.split_inclusive('\n').flat_map(|line| [mark.as_str(), line]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_mark() {
        assert_eq!(marked("one\n\ttwo\n", Priority::from(Level::WARN)), "<4>one\n<4>\ttwo\n");
        assert_eq!(marked("", Priority::Info), "");
    }
}
