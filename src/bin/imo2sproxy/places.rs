//! What there is only once: two accounts that want the same are found before anything is started.

use std::fmt;
use std::net::SocketAddr;

use crate::failure::Failure;
use crate::plan::Account;

/// Where a connection point is, or something else that belongs to one account only.
#[derive(Debug)]
pub(crate) struct Place {
    /// The option that says where it is.
    key: &'static str,
    /// As in `listening: skypeproxy 127.0.0.1:1401`.
    kind: &'static str,
    spot: Spot,
}

#[derive(Debug)]
enum Spot {
    Port(SocketAddr),
    Named(String),
}

impl Place {
    pub(crate) fn port(key: &'static str, kind: &'static str, address: SocketAddr) -> Self {
        Self { key, kind, spot: Spot::Port(address) }
    }

    pub(crate) fn named(key: &'static str, kind: &'static str, name: impl fmt::Display) -> Self {
        Self { key, kind, spot: Spot::Named(name.to_string()) }
    }

    fn meets(&self, other: &Self) -> bool {
        match (&self.spot, &other.spot) {
            (Spot::Port(one), Spot::Port(other)) => {
                one.port() != 0
                    && one.port() == other.port()
                    && (one.ip().to_canonical() == other.ip().to_canonical()
                        || covers(*one, *other)
                        || covers(*other, *one))
            }
            (Spot::Named(one), Spot::Named(other)) => one == other,
            _ => false,
        }
    }
}

/// Whether the first is every address of this machine, and so the second.
fn covers(all: SocketAddr, one: SocketAddr) -> bool {
    all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4())
}

impl fmt::Display for Spot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(formatter),
            Self::Named(name) => name.fmt(formatter),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.spot)
    }
}

/// Who has which place.
#[derive(Default)]
pub(crate) struct Places(Vec<(Place, String)>);

impl Places {
    /// Takes the places of an account; none if some have an owner already, of which each is told.
    pub(crate) fn take(&mut self, account: &Account) -> Vec<Failure> {
        let before = self.0.len();
        let mut failures = Vec::new();
        for place in account.places() {
            match self.0.iter().find(|(taken, _)| taken.meets(&place)) {
                None => self.0.push((place, account.config.username.clone())),
                Some((_, owner)) => failures.push(Failure::usage(format!(
                    "{key}: {} belongs to {owner} already; give one of the two another {key}",
                    place.spot,
                    key = place.key
                ))),
            }
        }
        if !failures.is_empty() {
            self.0.truncate(before);
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_meet_where_one_socket_would_be_in_the_way_of_the_other() {
        for (one, other, meet) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "127.0.0.2:1", false),
            ("127.0.0.1:1", "[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
            ("[::]:1", "127.0.0.1:1", true),
            ("[::]:1", "[::1]:1", true),
        ] {
            let place = |address: &str| Place::port("port", "skypeproxy", address.parse().expect("an address"));
            assert_eq!(place(one).meets(&place(other)), meet, "{one} {other}");
            assert_eq!(place(other).meets(&place(one)), meet, "{other} {one}");
        }
    }
}
