//! What the commands do.

use std::io::IsTerminal;
use std::io::Read;
use std::io::Write;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use anyhow::anyhow;
use anyhow::bail;
use etcetera::BaseStrategy;
use imo2skype::Accounts;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::TlsFiles;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tracing_subscriber::EnvFilter;

use crate::cli::Command;
use crate::cli::Contact;
use crate::cli::Database;
use crate::cli::Named;
use crate::cli::Options;
use crate::cli::Serve;
use crate::cli::User;

const PASSWORD_VARIABLE: &str = "IMO2SKYPE_PASSWORD";

pub(crate) fn run(options: Options) -> Result<()> {
    match options.command {
        Command::Serve(options) => serve(options),
        Command::User { command: User::Add(user) } => {
            let accounts = accounts(&user.database)?;
            told(accounts.add(&user.name, &password(&user)?))?;
            println!("added {}", user.name);
            Ok(())
        }
        Command::User { command: User::Passwd(user) } => {
            let accounts = accounts(&user.database)?;
            told(accounts.set_password(&user.name, &password(&user)?))?;
            println!("changed the password of {}", user.name);
            Ok(())
        }
        Command::User { command: User::Remove { name, database } } => {
            told(accounts(&database)?.remove(&name))?;
            println!("removed {name}");
            Ok(())
        }
        Command::User { command: User::Avatar { name, file, remove: _, database } } => {
            let accounts = accounts(&database)?;
            match file {
                Some(file) => {
                    let picture = picture(&file)?;
                    told(accounts.set_picture(&name, &picture)).with_context(|| file.display().to_string())?;
                    println!("changed the picture of {name}");
                }
                None => {
                    told(accounts.remove_picture(&name))?;
                    println!("removed the picture of {name}");
                }
            }
            Ok(())
        }
        Command::User { command: User::List { waiting, database } } => {
            let mut out = std::io::stdout().lock();
            for (name, count) in told(accounts(&database)?.waiting())? {
                if waiting { writeln!(out, "{name}\t{count}") } else { writeln!(out, "{name}") }?;
            }
            Ok(())
        }
        Command::Contact { command: Contact::Add { a, b, database } } => {
            told(accounts(&database)?.connect(&a, &b))?;
            println!("{a} and {b} are contacts");
            Ok(())
        }
        Command::Status { server, database: _ } => status(&server),
    }
}

/// An error of the library with its causes in one line.
fn told<T>(result: imo2skype::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow!(error.chain()))
}

fn accounts(database: &Database) -> Result<Accounts> {
    told(Accounts::open(&file(database)?))
}

/// The database that is meant. Only the default one's folder is made: another one that is
/// missing is more likely a typing error.
fn file(database: &Database) -> Result<PathBuf> {
    if let Some(file) = &database.database {
        return Ok(file.clone());
    }
    let base = etcetera::choose_base_strategy().context("no home directory; name a file with --database")?;
    let folder = base.data_dir().join("imo2skype");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}; name a file with --database", folder.display()))?;
    Ok(folder.join("gateway.db"))
}

fn serve(options: Serve) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // Fails only where a subscriber is there already, and then that one is right.
    drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init());
    // Before the server stands: a signal that comes early must not be lost.
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot catch signals")?;
    let mut config = GatewayConfig::default();
    config.database = Some(file(&options.database)?);
    config.listen = options.listen;
    config.open_registration = options.open_registration;
    let tls = options.tls_cert.zip(options.tls_key).map(|(cert, key)| TlsFiles { cert, key });
    let exposed = tls.is_none() && !is_loopback(&config.listen);
    #[cfg(unix)]
    allow_connections();
    let gateway = told(match tls {
        Some(files) => Gateway::start_tls(config, &files),
        None => Gateway::start(config),
    })?;
    if exposed {
        eprintln!(
            "imo2skype-gateway: WARNING: {} can be reached from other machines and passwords cross the network \
             unprotected; use --tls-cert and --tls-key, or listen on 127.0.0.1",
            gateway.url()
        );
    }
    println!("listening: gateway {}", gateway.url());
    std::io::stdout().flush().context("cannot write to standard output")?;
    signals.forever().next();
    gateway.stop();
    Ok(())
}

/// Each session has two connections, and most systems give a program 1,024 files if it does not ask for more.
#[cfg(unix)]
fn allow_connections() {
    use nix::sys::resource::Resource;
    use nix::sys::resource::getrlimit;
    use nix::sys::resource::setrlimit;
    let files = Resource::RLIMIT_NOFILE;
    if let Err(error) = getrlimit(files).and_then(|(_, most)| setrlimit(files, most, most)) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

fn is_loopback(address: &str) -> bool {
    address.to_socket_addrs().is_ok_and(|mut addresses| addresses.all(|address| address.ip().is_loopback()))
}

/// File, environment, prompt: the first that is there.
fn password(user: &Named) -> Result<String> {
    if let Some(file) = &user.password_file {
        return first_line(file);
    }
    if let Some(password) = std::env::var_os(PASSWORD_VARIABLE) {
        return password.into_string().map_err(|_| anyhow!("{PASSWORD_VARIABLE} is no UTF-8"));
    }
    if !std::io::stdin().is_terminal() {
        bail!("no password: use --password-file, set {PASSWORD_VARIABLE}, or run it on a terminal");
    }
    let password = rpassword::prompt_password(format!("Password for {}: ", user.name)).context("cannot read it")?;
    if rpassword::prompt_password("Once more: ").context("cannot read it")? != password {
        bail!("the two passwords differ; try again");
    }
    Ok(password)
}

/// A picture, or enough of a longer file to see that it is too long.
fn picture(file: &Path) -> Result<Vec<u8>> {
    let mut picture = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(1 << 20).read_to_end(&mut picture))
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(picture)
}

fn first_line(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn status(server: &str) -> Result<()> {
    // reqwest leaves the choice to the program.
    drop(rustls::crypto::ring::default_provider().install_default());
    let url = format!("{}/healthz", server.trim_end_matches('/'));
    let client = reqwest::blocking::Client::builder()
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .context("cannot start an HTTP client")?;
    let answer = client
        .get(&url)
        .send()
        .map_err(|error| anyhow!(error.without_url()))
        .with_context(|| format!("no gateway at {server}; is it running? --server names another one"))?;
    let code = answer.status();
    let body: serde_json::Value = answer
        .text()
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .with_context(|| format!("{server} is no imo2skype gateway; --server names another one"))?;
    let state = body.get("status").and_then(serde_json::Value::as_str).unwrap_or("unknown");
    let sessions = body.get("sessions").and_then(serde_json::Value::as_i64).unwrap_or_default();
    let waiting = body.get("waiting").and_then(serde_json::Value::as_i64).unwrap_or_default();
    let version = body.get("version").and_then(serde_json::Value::as_str).unwrap_or("unknown");
    if !code.is_success() {
        bail!("{server}: {state}; its log says more");
    }
    println!("{server}: {state}, version {version}, sessions {sessions}, waiting {waiting}");
    Ok(())
}
