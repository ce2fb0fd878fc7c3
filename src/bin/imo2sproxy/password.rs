//! Where the password of an account comes from.

use std::io::IsTerminal;
use std::path::Path;

use secrecy::SecretString;

use crate::failure::Failure;
use crate::failure::complain;

/// The password: argument, file, environment, prompt, in this order.
pub(crate) fn find(username: &str, argument: Option<String>, file: Option<&Path>) -> Result<SecretString, Failure> {
    if let Some(password) = given(username, argument, file)? {
        return Ok(password);
    }
    let password = rpassword::prompt_password(format!("Password of {username}: "))
        .map_err(|error| Failure::usage(format!("cannot read the password: {error}")))?;
    checked(password, "the password")
}

/// The same without asking anybody; `None` if there is somebody to be asked.
pub(crate) fn given(
    username: &str,
    argument: Option<String>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, Failure> {
    if argument.is_some() {
        complain(
            "warning: other users of this machine can see a password on the command line; \
             --password-file and IMO2SKYPE_PASSWORD keep it to yourself",
        );
    }
    if let Some(password) = stated(argument, file)? {
        return Ok(Some(password));
    }
    if !std::io::stdin().is_terminal() {
        return Err(missing(username));
    }
    Ok(None)
}

/// The same once more, where it may be `known` already: nobody is asked or warned again.
pub(crate) fn again(
    username: &str,
    argument: Option<String>,
    file: Option<&Path>,
    known: Option<SecretString>,
) -> Result<SecretString, Failure> {
    stated(argument, file)?.or(known).ok_or_else(|| missing(username))
}

fn missing(username: &str) -> Failure {
    Failure::usage(format!("no password for {username}: give it by --password-file FILE or in IMO2SKYPE_PASSWORD"))
}

fn stated(argument: Option<String>, file: Option<&Path>) -> Result<Option<SecretString>, Failure> {
    if let Some(password) = argument {
        return checked(password, "the argument PASSWORD").map(Some);
    }
    if let Some(file) = file {
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read the password file {name}: {error}")))?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        return checked(password.to_owned(), &format!("the password file {name}")).map(Some);
    }
    match std::env::var("IMO2SKYPE_PASSWORD") {
        Ok(password) if !password.is_empty() => Ok(Some(password.into())),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage("IMO2SKYPE_PASSWORD is not UTF-8")),
        _ => Ok(None),
    }
}

fn checked(password: String, whence: &str) -> Result<SecretString, Failure> {
    if password.is_empty() { Err(Failure::usage(format!("{whence} is empty"))) } else { Ok(password.into()) }
}
