//! The options.

use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;

/// A chat server that speaks the imo.im protocol.
#[derive(Debug, Parser)]
#[command(name = "imo2skype-gateway", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGTERM or SIGINT
    Serve(Serve),
    /// Look after users
    User {
        #[command(subcommand)]
        command: User,
    },
    /// Look after contacts
    Contact {
        #[command(subcommand)]
        command: Contact,
    },
    /// Ask a running server how it is
    Status {
        /// Its address
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8014/")]
        server: String,
        /// Has no effect here; taken because every command has it
        #[arg(long, value_name = "FILE", hide = true)]
        database: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8014")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) database: Database,
    /// Certificate chain to serve HTTPS with (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Register an unknown name at its first login
    #[arg(long)]
    pub(crate) open_registration: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Database {
    /// Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory
    /// of the platform
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Register a user
    Add(Named),
    /// Give a user a new password
    Passwd(Named),
    /// Remove a user with contacts, messages, chats and picture
    Remove {
        /// The user
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Give a user a picture; a running server shows it within seconds
    Avatar {
        /// The user
        name: String,
        /// The picture: PNG or JPEG, at most 256 KiB
        #[arg(required_unless_present = "remove")]
        file: Option<PathBuf>,
        /// Take the picture away
        #[arg(long, conflicts_with = "file")]
        remove: bool,
        #[command(flatten)]
        database: Database,
    },
    /// Show all users, one in a line
    List {
        /// After each name and a tab: how many messages wait for the user
        #[arg(long)]
        waiting: bool,
        #[command(flatten)]
        database: Database,
    },
}

/// The password comes from the file, from IMO2SKYPE_PASSWORD, or from a prompt; never from an
/// argument, which every user of the machine could read.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The user
    pub(crate) name: String,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contact {
    /// Make two users contacts of each other
    Add {
        /// One
        a: String,
        /// The other
        b: String,
        #[command(flatten)]
        database: Database,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }
}
