//! The command line.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ArgAction;
use clap::Parser;

use crate::settings::Mode;
use crate::settings::Modes;
use crate::settings::Others;
use crate::settings::Settings;
use crate::transfer::Transfer;

/// Keeps Skype API plugins alive: logs in on a chat network and offers it to them as a Skype.
#[derive(Parser)]
#[command(
    name = "imo2sproxy",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = "Without --server a gateway inside the program is the network; it registers an unknown \
                  user name at its first login and knows echo123, which answers every message.\n\
                  A password that begins with a dash is written behind `--`.\n\n\
                  Exit status: 0 stopped as asked, 1 failure in service, 2 wrong usage, 3 login refused."
)]
pub(crate) struct Options {
    /// Detach from the console
    #[arg(short, long)]
    daemon: bool,
    /// Write the number of the process to FILE
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Log every command and notification
    #[arg(short, long)]
    verbose: bool,
    /// Append the log to FILE instead of writing it to the console
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Stamp messages with the current time, not with the server's
    #[arg(short = 't', long)]
    local_time: bool,
    /// Open the call page of the network in the browser when a call starts
    #[arg(short, long)]
    interactive: bool,
    /// Connection point, may be given several times: s SkypeProxy socket (default), a Skype API over
    /// window messages (Windows), d D-Bus, x X11, n skypenet, l skyped lines over TLS, c console
    #[arg(short, value_name = "MODE", action = ArgAction::Append, hide_possible_values = true)]
    mode: Vec<Mode>,
    /// Address to bind the socket to; any beyond loopback needs --key [default: 127.0.0.1]
    #[arg(short = 'h', long, value_name = "IP")]
    host: Option<IpAddr>,
    /// Port to bind the socket to; 0 picks a free one [default: 1401]
    #[arg(short, long)]
    port: Option<u16>,
    /// Socket in the file system, for this user alone, in place of the port (beside it with --port or --host)
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Port of the skypenet socket (-m n); 0 picks a free one [default: 5000]
    #[arg(long, value_name = "PORT")]
    skypenet_port: Option<u16>,
    /// Port of the skyped socket (-m l); 0 picks a free one [default: 2727]
    #[arg(long, value_name = "PORT")]
    skyped_port: Option<u16>,
    /// Certificate of the skyped socket (PEM) [default: one that is made and kept in --data-dir]
    #[arg(long, value_name = "FILE")]
    skyped_cert: Option<PathBuf>,
    /// Private key of that certificate (PEM) [default: in the same file]
    #[arg(long, value_name = "FILE")]
    skyped_key: Option<PathBuf>,
    /// Password that socket clients must give [env: IMO2SPROXY_KEY]
    #[arg(short, long, value_name = "PASSWORD")]
    key: Option<String>,
    /// What clients may do whose NAME is in no [[client]] table of --config: all, or only known ones are let in
    /// [default: all]
    #[arg(long, value_name = "WHICH", hide_possible_values = true)]
    allow_clients: Option<Others>,
    /// SET USERSTATUS OFFLINE of one client does not log out the account that others use too
    #[arg(long)]
    keep_online: bool,
    /// X11 display to offer the Skype API on [default: SKYPEDISPLAY or else DISPLAY of the environment]
    #[arg(long, value_name = "NAME")]
    display: Option<String>,
    /// D-Bus: the system bus instead of the session bus
    #[arg(long)]
    dbus_system: bool,
    /// D-Bus and X11: replies to commands with an id wait so long, for clients that miss faster ones [default: 0]
    #[arg(long, value_name = "MS")]
    reply_delay: Option<u64>,
    /// imo-compatible server; without it, a gateway inside the program
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Take http: for other hosts than this one
    #[arg(long)]
    insecure_http: bool,
    /// One more root certificate to trust (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Folder below which clients may have files (pictures of users) read and written; without it they may not
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Chat network [default: imo]
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Read the password from FILE
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Where the histories and the gateway inside the program are kept [default: imo2skype in the data directory of
    /// the user]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Socket by which --status asks, for this user alone; `none`: none [default: imo2skype/control in XDG_RUNTIME_DIR, or
    /// control in --data-dir]
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Tell Prometheus how the accounts stand, at http://ADDR/metrics; a loopback address, port 0 picks a free one
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Where messages, chats and their numbers are kept: a file for this account alone, or `memory`, which writes none
    /// [default: a file in `history` below --data-dir]
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Keep messages for N days; 0: for ever [default: 0]
    #[arg(long, value_name = "N")]
    history_days: Option<u64>,
    /// Keep about N messages, the newest; 0: all [default: 0]
    #[arg(long, value_name = "N")]
    history_messages: Option<u64>,
    /// Try for so long to send a message before it counts as failed [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    send_limit: Option<u64>,
    /// Write the history to FILE (`-`: standard output) as JSON Lines, and end; a daemon may use it meanwhile
    #[arg(long, value_name = "FILE", conflicts_with_all = ["import", "password"])]
    export: Option<PathBuf>,
    /// Add what --export wrote to the history, all of it or nothing, and end; no daemon may use it
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    import: Option<PathBuf>,
    /// Read everything as for a start, say what there is or every problem, and end; nothing is begun, asked or written
    #[arg(long, conflicts_with_all = ["export", "import", "status"])]
    check_config: bool,
    /// Say how the accounts of the running daemon stand, and end: status 0 if all are online, otherwise 1
    #[arg(long, conflicts_with_all = ["export", "import", "password"])]
    status: bool,
    /// With --status: as JSON
    #[arg(long, requires = "status")]
    json: bool,
    /// TOML file with the same options (`-` is written `_`) and `[[account]]` tables
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Console: after the end of input, leave once no line has come for so long [default: 2]
    #[arg(long, value_name = "SECONDS")]
    linger: Option<f64>,
    /// Print help
    #[arg(long, action = ArgAction::HelpShort)]
    help: Option<bool>,
    /// Print version
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,
    /// The account; with a --config of several, the only one to run
    username: Option<String>,
    /// Its password. Others can see it here; better: --password-file, IMO2SKYPE_PASSWORD, or the prompt
    password: Option<String>,
}

/// What the command line says.
pub(crate) struct Arguments {
    pub(crate) settings: Settings,
    pub(crate) config: Option<PathBuf>,
    pub(crate) password: Option<String>,
    pub(crate) task: Task,
}

/// What is to be done.
pub(crate) enum Task {
    Run,
    Transfer(Transfer),
    Check,
    Status { json: bool },
}

impl From<Options> for Arguments {
    fn from(options: Options) -> Self {
        // A switch that was not given leaves the decision to the configuration file.
        let switch = |given: bool| given.then_some(true);
        let settings = Settings {
            daemon: switch(options.daemon),
            pid_file: options.pid_file,
            verbose: switch(options.verbose),
            log_file: options.log_file,
            local_time: switch(options.local_time),
            interactive: switch(options.interactive),
            mode: (!options.mode.is_empty()).then_some(Modes::Many(options.mode)),
            host: options.host,
            port: options.port,
            socket: options.socket,
            skypenet_port: options.skypenet_port,
            skyped_port: options.skyped_port,
            skyped_cert: options.skyped_cert,
            skyped_key: options.skyped_key,
            key: options.key,
            allow_clients: options.allow_clients,
            keep_online: switch(options.keep_online),
            display: options.display,
            dbus_system: switch(options.dbus_system),
            reply_delay: options.reply_delay,
            server: options.server,
            insecure_http: switch(options.insecure_http),
            ca_file: options.ca_file,
            files: options.files,
            network: options.network,
            password_file: options.password_file,
            data_dir: options.data_dir,
            control: options.control,
            metrics: options.metrics,
            history: options.history,
            history_days: options.history_days,
            history_messages: options.history_messages,
            send_limit: options.send_limit,
            linger: options.linger,
            username: options.username,
            client: Vec::new(),
            account: Vec::new(),
        };
        let transfer = options.export.map(Transfer::Export).or(options.import.map(Transfer::Import));
        let task = match transfer {
            Some(transfer) => Task::Transfer(transfer),
            None if options.check_config => Task::Check,
            None if options.status => Task::Status { json: options.json },
            None => Task::Run,
        };
        Self { settings, config: options.config, password: options.password, task }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::CommandFactory;

    fn settings(arguments: &[&str]) -> Settings {
        let options = Options::try_parse_from([&["imo2sproxy"], arguments].concat()).expect("good usage");
        Arguments::from(options).settings
    }

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn h_is_host_and_modes_may_stick_together() {
        let settings = settings(&["-ms", "-m", "c", "-h", "127.0.0.1", "-p0", "-kx", "alice", "secret"]);
        assert_eq!(settings.mode, Some(Modes::Many(vec![Mode::S, Mode::C])));
        assert_eq!(settings.host, Some("127.0.0.1".parse().expect("an address")));
        assert_eq!((settings.port, settings.key.as_deref()), (Some(0), Some("x")));
    }

    #[test]
    fn the_original_command_line_is_understood() {
        // transports 1.7: [-d] [-v [-l logfile]] [-t] [-i] [-m s|a] [-h ip] [-p port] user password
        let settings =
            settings(&["-d", "-v", "-l", "log", "-t", "-i", "-m", "s", "-h", "127.0.0.1", "-p", "1401", "a", "b"]);
        assert_eq!([settings.daemon, settings.verbose, settings.local_time, settings.interactive], [Some(true); 4]);
        assert_eq!(settings.username.as_deref(), Some("a"));
    }
}
