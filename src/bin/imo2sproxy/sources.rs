//! Where it is said which accounts there are: it can be read again while the program runs.

use std::path::Path;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::data::DataDir;
use crate::failure::Failure;
use crate::options::Arguments;
use crate::password;
use crate::places::Places;
use crate::plan;
use crate::plan::Account;
use crate::plan::Wanted;
use crate::settings::Settings;

/// What the command line and the environment say, and the configuration file.
pub(crate) struct Sources {
    over: Settings,
    config: Option<PathBuf>,
    password: Option<String>,
    /// Where the program was started: names without a root are taken from there.
    directory: PathBuf,
}

/// One account of the plan.
pub(crate) struct Planned {
    pub(crate) name: String,
    /// The account, or why there cannot be such a one.
    pub(crate) account: Result<Account, Failure>,
}

impl Sources {
    pub(crate) fn new(arguments: Arguments) -> Result<Self, Failure> {
        let Arguments { settings, config, password, task: _ } = arguments;
        let environment = Settings { key: plan::key_of_environment()?, ..Settings::default() };
        // It may be gone; then everything has to be named with its root.
        let directory = std::env::current_dir().unwrap_or_default();
        Ok(Self { over: settings.over(&environment), config: plan::absolute(config)?, password, directory })
    }

    /// Whether there is a file that can change.
    pub(crate) fn has_file(&self) -> bool {
        self.config.is_some()
    }

    /// What is wanted now.
    pub(crate) fn wanted(&self) -> Result<Wanted, Failure> {
        let Wanted { whole, accounts } = Wanted::of(self.over.clone(), self.config.clone())?;
        let accounts = accounts.into_iter().map(|settings| settings.rooted(&self.directory)).collect();
        Ok(Wanted { whole, accounts })
    }

    /// The accounts, with passwords that somebody may be asked for.
    pub(crate) fn plan(&self, wanted: Vec<Settings>, data_dir: &DataDir) -> Result<Vec<Planned>, Failure> {
        planned(wanted, data_dir, |name, file| password::find(name, self.password.clone(), file))
    }

    /// The same while the program runs; the passwords of accounts that run are known already.
    pub(crate) fn plan_again(
        &self,
        wanted: Vec<Settings>,
        data_dir: &DataDir,
        known: impl Fn(&str) -> Option<SecretString>,
    ) -> Result<Vec<Planned>, Failure> {
        planned(wanted, data_dir, |name, file| password::again(name, self.password.clone(), file, known(name)))
    }
}

fn planned(
    wanted: Vec<Settings>,
    data_dir: &DataDir,
    password: impl Fn(&str, Option<&Path>) -> Result<SecretString, Failure>,
) -> Result<Vec<Planned>, Failure> {
    let several = wanted.len() > 1;
    let mut places = Places::default();
    let mut all = Vec::new();
    for settings in wanted {
        let file = settings.password_file.clone();
        let name = settings.username.clone().filter(|name| !name.is_empty());
        let account = plan::account(settings, data_dir).and_then(|mut account| {
            places.take(&account).into_iter().next().map_or(Ok(()), Err)?;
            // Last, because it may ask.
            account.config.password = password(&account.config.username, file.as_deref())?;
            Ok(account)
        });
        match (name, account) {
            // There is nothing else in the file.
            (None, Err(failure)) if !several => return Err(failure),
            (name, account) => all.push(Planned { name: name.unwrap_or_else(|| "[[account]]".to_owned()), account }),
        }
    }
    Ok(all)
}
