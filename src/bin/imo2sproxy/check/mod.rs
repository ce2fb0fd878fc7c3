//! `--check-config`: everything is read as for a start, and nothing is begun, asked, written or connected to.

mod lines;

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use imo2skype::Session;

use crate::data::DataDir;
use crate::failure::Failure;
use crate::failure::complain;
use crate::options::Arguments;
use crate::password;
use crate::places::Place;
use crate::places::Places;
use crate::plan;
use crate::plan::Wanted;
use crate::settings::Mode;
use crate::settings::Modes;
use crate::settings::Settings;

use lines::Lines;

/// Says on standard output that all is well and what there is, or every problem.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut check = Check::default();
    let good = check.all(arguments);
    for warning in &check.warnings {
        complain(&format!("warning: {warning}"));
    }
    for problem in &check.problems {
        complain(problem);
    }
    match check.problems.len() {
        0 => {}
        1 => return Err(Failure::usage("the configuration is not good: 1 problem")),
        many => return Err(Failure::usage(format!("the configuration is not good: {many} problems"))),
    }
    let plural = if good.len() == 1 { "" } else { "s" };
    let text = format!("the configuration is good: {} account{plural}\n{}", good.len(), good.concat());
    let mut output = std::io::stdout().lock();
    // Whoever closed standard output wants the exit status only.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    Ok(())
}

#[derive(Default)]
struct Check {
    file: Option<PathBuf>,
    lines: Lines,
    /// What the command line and the environment say: that stands in no line.
    over: Settings,
    problems: Vec<String>,
    warnings: Vec<String>,
    places: Places,
}

impl Check {
    /// Everything; a line for each account.
    fn all(&mut self, arguments: Arguments) -> Vec<String> {
        self.over = arguments.settings;
        match plan::key_of_environment() {
            Ok(key) => self.over.key = self.over.key.take().or(key),
            Err(failure) => self.problem(None, failure.text()),
        }
        self.file = arguments.config;
        let Some(file) = self.read() else { return Vec::new() };
        let Wanted { whole, accounts } = Wanted::over_file(self.over.clone(), &file);
        self.whole(&whole, &accounts);
        let data_dir = match plan::absolute(whole.data_dir.clone()) {
            Ok(named) => DataDir::new(named),
            Err(failure) => {
                self.problem(self.line(None, "data_dir"), failure.text());
                DataDir::new(None)
            }
        };
        let mut good = Vec::new();
        for (number, settings) in accounts.into_iter().enumerate() {
            // Which table it is: the number of an account, unless one was chosen by its name.
            let chosen = |table: &Settings| table.username == settings.username;
            let table = match self.over.username {
                Some(_) => file.account.iter().position(chosen),
                None => (!file.account.is_empty()).then_some(number),
            };
            good.extend(self.account(table, settings, arguments.password.clone(), &data_dir));
        }
        good
    }

    /// What the configuration file says, if it can be read.
    fn read(&mut self) -> Option<Settings> {
        let Some(path) = self.file.clone() else { return Some(Settings::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                self.problems.push(format!("cannot read the configuration file {}: {error}", path.display()));
                return None;
            }
        };
        self.lines = Lines::of(&text);
        for (line, problem) in lines::problems(&text) {
            self.problem(line, &problem);
        }
        let settings = Settings::parse(&text).ok()?;
        if settings.key.is_some() || settings.account.iter().any(|account| account.key.is_some()) {
            self.warn_of_readers("the configuration file, in which there is a key,", &path);
        }
        Some(settings)
    }

    /// What is for the whole program.
    fn whole(&mut self, whole: &Settings, accounts: &[Settings]) {
        let consoles = accounts.iter().any(|settings| plan::modes(settings).contains(&Mode::C));
        if let Err(failure) = plan::detaches(whole, consoles) {
            self.problem(self.line(None, "daemon"), failure.text());
        }
        let data_dir = DataDir::new(whole.data_dir.clone());
        if let Err(failure) = plan::desk(whole, &data_dir, false) {
            let key = failure.text().split(':').next().unwrap_or_default().to_owned();
            self.problem(self.line(None, &key), failure.text());
        }
        for (key, file) in [("log_file", &whole.log_file), ("pid_file", &whole.pid_file)] {
            if let Some(problem) = file.as_deref().and_then(no_directory_for) {
                self.problem(self.line(None, key), &format!("{key}: {problem}"));
            }
        }
        if let Some(data_dir) = &whole.data_dir
            && data_dir.exists()
            && !data_dir.is_dir()
        {
            self.problem(self.line(None, "data_dir"), &format!("data_dir: {} is no directory", data_dir.display()));
        }
    }

    /// One account; what there is to tell of it.
    fn account(
        &mut self,
        table: Option<usize>,
        mut settings: Settings,
        password: Option<String>,
        data_dir: &DataDir,
    ) -> Option<String> {
        let name = settings.username.clone();
        let before = self.problems.len();
        let problem = |check: &mut Self, key: Option<&str>, text: &str| {
            let line = match key {
                Some(key) => check.line(table, key),
                None => check.lines.find(table, None),
            };
            let whose = name.as_ref().filter(|_| table.is_some()).map(|name| format!("{name}: ")).unwrap_or_default();
            check.problem(line, &format!("{whose}{text}"));
        };
        if let Some(name) = &name
            && let Err(failure) = password::given(name, password, settings.password_file.as_deref())
        {
            problem(self, settings.password_file.as_ref().map(|_| "password_file"), failure.text());
        }
        if let Some(file) = &settings.password_file {
            self.warn_of_readers("the password file", file);
        }
        // An option that cannot be is told of, and left out to see what else there is.
        let mut has_modes = true;
        let mut account = loop {
            let failure = match plan::account(settings.clone(), data_dir).and_then(|account| {
                Session::check(&account.config)?;
                Ok(account)
            }) {
                Ok(account) => break account,
                Err(failure) => failure,
            };
            let key = key_of(failure.text());
            problem(self, key, failure.text());
            if !key.is_some_and(|key| settings.forget(key) || key == "username") {
                return None;
            }
            match key {
                Some("username") => settings.username = Some("nobody".to_owned()),
                // The default has places that nobody asked for.
                Some("mode") => (settings.mode, has_modes) = (Some(Modes::One(Mode::C)), false),
                _ => {}
            }
        };
        if let Err(failure) = &account.history_dir {
            problem(self, Some("history"), failure.text());
        }
        for (key, wrong) in [
            (
                "files",
                settings
                    .files
                    .as_deref()
                    .filter(|files| !files.is_dir())
                    .map(|files| format!("{} is no directory", files.display())),
            ),
            ("history", settings.history.as_deref().and_then(no_directory_for)),
        ] {
            if let Some(wrong) = wrong {
                problem(self, Some(key), &format!("{key}: {wrong}"));
            }
        }
        account.console &= has_modes;
        for failure in self.places.take(&account) {
            let key = key_of(failure.text());
            problem(self, key, failure.text());
        }
        if self.problems.len() > before {
            return None;
        }
        let server = account.config.server.as_deref().unwrap_or("embedded gateway");
        let config = &account.config;
        let mut points: Vec<_> = account.points.places().iter().map(Place::to_string).collect();
        points.extend(account.console.then(|| "console".to_owned()));
        Some(format!("{}: {}, {server}, {}\n", config.username, config.network, points.join(", ")))
    }

    /// Where an option is; nowhere if the command line says it.
    fn line(&self, account: Option<usize>, key: &str) -> Option<usize> {
        if self.over.clone().forget(key) { None } else { self.lines.find(account, Some(key)) }
    }

    fn problem(&mut self, line: Option<usize>, text: &str) {
        let place = match (&self.file, line) {
            (Some(file), Some(line)) => format!("{}:{line}: ", file.display()),
            _ => String::new(),
        };
        self.problems.push(format!("{place}{text}"));
    }

    #[cfg(unix)]
    fn warn_of_readers(&mut self, what: &str, path: &Path) {
        use std::os::unix::fs::PermissionsExt;
        let Ok(mode) = path.metadata().map(|metadata| metadata.permissions().mode() & 0o777) else { return };
        if mode & 0o077 != 0 {
            let path = path.display();
            let warning = format!("{what} {path} is open to other users (mode {mode:04o}): chmod 600 {path}");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    #[cfg(not(unix))]
    fn warn_of_readers(&mut self, _what: &str, _path: &Path) {}
}

/// Why nothing can be made at this place.
fn no_directory_for(file: &Path) -> Option<String> {
    if file == Path::new(plan::MEMORY) {
        return None;
    }
    if file.is_dir() {
        return Some(format!("{} is a directory", file.display()));
    }
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty())?;
    (!directory.is_dir()).then(|| format!("{} is no directory", directory.display()))
}

/// The option that a text is about.
fn key_of(text: &str) -> Option<&str> {
    let head = text.split(' ').next()?;
    match head.strip_suffix(':') {
        Some(key) => Some(key),
        None if text.starts_with("whose account?") => Some("username"),
        None if text.starts_with("the connection point ") => Some("mode"),
        None => None,
    }
}
