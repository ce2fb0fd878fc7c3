//! What a test needs of a network.

use std::io::Write;

use imo2skype::backend::Ability;
use imo2skype::backend::Backend;

/// Where networks differ and none is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Quirks {
    /// What we call a contact is told as the name of the contact (imo-protocol 5): there is one field for both.
    pub(crate) alias_is_name: bool,
}

/// A chat network with people on it.
pub(crate) trait Network {
    /// What it is called where a test is skipped.
    fn name(&self) -> &'static str;

    fn quirks(&self) -> Quirks;

    /// A back end for this person, offline; a new name is a new account with this password.
    fn backend(&self, name: &str, password: &str) -> Box<dyn Backend>;

    /// Cuts this person off, and keeps it so.
    fn break_off(&self, name: &str);

    /// Lets this person reach the network again; to connect is for the back end.
    fn heal(&self, name: &str);
}

/// Whether one of these abilities is missing; says so.
pub(crate) fn lacks(network: &dyn Network, wanted: &[Ability]) -> bool {
    let capabilities = network.backend("nobody", "secret").capabilities();
    let missing: Vec<_> = wanted.iter().filter(|ability| !capabilities.can(**ability)).collect();
    if !missing.is_empty() {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(std::io::stderr(), "skipped: {test}: {} cannot do {missing:?}", network.name());
    }
    !missing.is_empty()
}
