//! What the program shall do: options, environment, configuration file and defaults put together.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use imo2skype::Config;
use imo2skype::model::Handle;

use crate::control;
use crate::data::DataDir;
use crate::desk;
use crate::failure::Failure;
use crate::failure::complain;
use crate::metrics;
use crate::options::Arguments;
use crate::places::Place;
use crate::points::Points;
use crate::settings::Mode;
use crate::settings::Settings;
use crate::sources::Planned;
use crate::sources::Sources;

/// In the place of a file: no file.
pub(crate) const MEMORY: &str = "memory";

/// What the program shall do.
pub(crate) struct Plan {
    pub(crate) detach: bool,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) verbose: bool,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) data_dir: DataDir,
    pub(crate) desk: desk::Wanted,
    /// At least one of them can be tried.
    pub(crate) accounts: Vec<Planned>,
    /// Whether there was more than one account to begin with.
    pub(crate) several: bool,
    /// What was said for the whole program.
    pub(crate) whole: Settings,
    /// Where all of this is from.
    pub(crate) sources: Sources,
}

/// One account, and where plugins find it.
pub(crate) struct Account {
    /// What it was made from.
    pub(crate) settings: Settings,
    pub(crate) config: Config,
    /// The directory of the history, if it is to be made; or why there is no place for a file.
    pub(crate) history_dir: Result<Option<PathBuf>, Failure>,
    pub(crate) points: Points,
    pub(crate) console: bool,
    pub(crate) linger: Duration,
}

/// What is asked for, put together.
pub(crate) struct Wanted {
    /// What is for the whole program.
    pub(crate) whole: Settings,
    /// What is for each account.
    pub(crate) accounts: Vec<Settings>,
}

impl Wanted {
    /// What these options want, over those of the configuration file.
    pub(crate) fn of(over: Settings, config: Option<PathBuf>) -> Result<Self, Failure> {
        let file = config.map(|config| Settings::read(&config)).transpose()?.unwrap_or_default();
        Ok(Self::over_file(over, &file))
    }

    /// The same, where the file was read.
    pub(crate) fn over_file(over: Settings, file: &Settings) -> Self {
        let whole = over.over(file);
        let accounts = match &over.username {
            // Only this one, with the options of its table if it has one.
            Some(username) => {
                let table = file.account.iter().find(|account| account.username.as_ref() == Some(username));
                vec![table.map_or_else(|| whole.clone(), |table| over.over(&table.over(file)))]
            }
            None if file.account.is_empty() => vec![whole.clone()],
            None => file.account.iter().map(|account| over.over(&account.over(file))).collect(),
        };
        Self { whole, accounts }
    }
}

impl Account {
    /// What no other account can have.
    pub(crate) fn places(&self) -> Vec<Place> {
        let config = &self.config;
        let server = config.server.as_deref().unwrap_or_default();
        let who = format!("{} on {} {server}", Handle::fold(&config.username), config.network);
        let mut places = self.points.places();
        places.push(Place::named("username", "account", who.trim_end()));
        // Those that nobody has named are made of the name of the account.
        let history = self.settings.history.as_ref().map(|_| &config.history).filter(|file| *file != MEMORY);
        places.extend(history.map(|file| Place::named("history", "history", file)));
        places.extend(self.console.then(|| Place::named("mode", "console", "the console")));
        places
    }
}

impl Plan {
    pub(crate) fn new(arguments: Arguments) -> Result<Self, Failure> {
        let sources = Sources::new(arguments)?;
        let Wanted { whole, accounts: wanted } = sources.wanted()?;
        let several = wanted.len() > 1;
        let data_dir = DataDir::new(absolute(whole.data_dir.clone())?);
        let only_consoles = wanted.iter().all(|settings| modes(settings) == [Mode::C]);
        let accounts = sources.plan(wanted, &data_dir)?;
        for planned in &accounts {
            match &planned.account {
                Err(failure) if several => failure.clone().of(&planned.name).tell(),
                Err(failure) => return Err(failure.clone()),
                Ok(_) => {}
            }
        }
        let desk = desk(&whole, &data_dir, only_consoles)?;
        let mut good = accounts.iter().filter_map(|planned| planned.account.as_ref().ok()).peekable();
        if good.peek().is_none() {
            return Err(Failure::service("no account is left to run"));
        }

        let mut detach = detaches(&whole, good.any(|account| account.console))?;
        let verbose = whole.verbose == Some(true);
        if detach && verbose && whole.log_file.is_none() {
            complain("warning: the verbose log needs the console; give a file by -l to detach from it (-d)");
            detach = false;
        }
        Ok(Self {
            detach,
            pid_file: absolute(whole.pid_file.clone())?,
            verbose,
            log_file: absolute(whole.log_file.clone())?,
            data_dir,
            desk,
            accounts,
            several,
            whole,
            sources,
        })
    }
}

/// Whether the program is to detach from the console.
pub(crate) fn detaches(whole: &Settings, console: bool) -> Result<bool, Failure> {
    let detaches = whole.daemon == Some(true);
    if detaches && console {
        return Err(Failure::usage("the console (-m c) and -d do not go together"));
    }
    Ok(detaches)
}

/// Where whoever looks after the program is answered.
pub(crate) fn desk(whole: &Settings, data_dir: &DataDir, only_consoles: bool) -> Result<desk::Wanted, Failure> {
    whole.metrics.map_or(Ok(()), metrics::check)?;
    let control = match &whole.control {
        Some(named) => control::Place::new(Some(named.clone()), data_dir)?,
        // Somebody sits at a console: it is no daemon, and there may be many.
        None if only_consoles => None,
        // Whoever has no place for data can do without.
        None => control::Place::new(None, data_dir).ok().flatten(),
    };
    Ok(desk::Wanted { control, metrics: whole.metrics })
}

pub(crate) fn modes(settings: &Settings) -> Vec<Mode> {
    settings.mode.as_ref().map(|modes| modes.list()).filter(|modes| !modes.is_empty()).unwrap_or(vec![Mode::S])
}

/// The connection points of an account, which are made anew for each start.
pub(crate) fn points(settings: &Settings, data_dir: &DataDir) -> Result<Points, Failure> {
    Points::new(settings, &modes(settings), data_dir)
}

/// An account that has no password yet.
pub(crate) fn account(settings: Settings, data_dir: &DataDir) -> Result<Account, Failure> {
    let points = points(&settings, data_dir)?;
    let modes = modes(&settings);
    let mut config = name(&settings)?;
    config.admission = settings.admission();
    let history_dir = place_history(&mut config, settings.history.clone(), data_dir)?;
    let numbers = [
        ("history_days", settings.history_days),
        ("history_messages", settings.history_messages),
        ("send_limit", settings.send_limit),
    ];
    for (key, number) in numbers {
        if let Some(number) = number {
            config.set(key, &number.to_string())?;
        }
    }
    config.ca_file = absolute_text("ca_file", settings.ca_file.clone())?;
    config.files = absolute_text("files", settings.files.clone())?;
    config.insecure_http = settings.insecure_http == Some(true);
    config.local_time = settings.local_time == Some(true);
    config.keep_online = settings.keep_online == Some(true);
    config.interactive = settings.interactive == Some(true);

    let linger = Duration::try_from_secs_f64(settings.linger.unwrap_or(2.0))
        .map_err(|_| Failure::usage("linger: takes a number of seconds"))?;
    let console = modes.contains(&Mode::C);
    Ok(Account { settings, config, history_dir, points, console, linger })
}

/// Whose account it is, and where.
pub(crate) fn name(settings: &Settings) -> Result<Config, Failure> {
    let username = settings.username.as_deref().filter(|username| !username.is_empty()).ok_or_else(|| {
        Failure::usage("whose account? Usage: imo2sproxy [OPTIONS] [USERNAME] [PASSWORD]; see --help")
    })?;
    let mut config = Config::new(username, "");
    if let Some(server) = &settings.server {
        config.set("server", server)?;
    }
    if let Some(network) = &settings.network {
        config.set("network", network)?;
    }
    Ok(config)
}

/// Says where the history is. Inside: the directory that has to be made for it, or why it can have no file.
pub(crate) fn place_history(
    config: &mut Config,
    named: Option<PathBuf>,
    data_dir: &DataDir,
) -> Result<Result<Option<PathBuf>, Failure>, Failure> {
    match named {
        Some(memory) if memory == Path::new(MEMORY) => return Ok(Ok(None)),
        Some(_) => {
            let named = absolute_text("history", named)?.unwrap_or_default();
            config.set("history", &named)?;
            return Ok(Ok(None));
        }
        None => {}
    }
    let default = data_dir.history(config);
    Ok(default.and_then(|path| {
        let text = path.to_str().ok_or_else(|| Failure::service(format!("{} is not UTF-8", path.display())))?;
        config.set("history", text)?;
        Ok(path.parent().map(Path::to_owned))
    }))
}

pub(crate) fn key_of_environment() -> Result<Option<String>, Failure> {
    match std::env::var("IMO2SPROXY_KEY") {
        Ok(key) => Ok((!key.is_empty()).then_some(key)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage("IMO2SPROXY_KEY is not UTF-8")),
    }
}

/// Detaching changes the directory that names without a root are taken from.
pub(crate) fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let absolute = path
        .map(|path| std::path::absolute(&path).map_err(|error| Failure::usage(format!("{}: {error}", path.display()))));
    absolute.transpose()
}

/// The same, where the library takes text.
fn absolute_text(name: &str, path: Option<PathBuf>) -> Result<Option<String>, Failure> {
    let text = absolute(path)?.map(|path| path.into_os_string().into_string());
    text.transpose().map_err(|path| Failure::usage(format!("{name}: {path:?} is not UTF-8")))
}
