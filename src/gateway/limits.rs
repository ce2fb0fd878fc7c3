//! How often somebody may try to log in. No clock of its own: time comes in as a value.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use std::time::Instant;

/// Wrong passwords for one account from one address before tries are delayed.
const FREE_PER_ACCOUNT: u32 = 5;
/// Wrong passwords from one address, whatever the account, before tries are delayed.
const FREE_PER_ADDRESS: u32 = 50;
/// The longest delay; also how long a failure is remembered.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Entries kept; the one that was quiet longest makes room.
const ENTRIES: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// One account from one address: a stranger cannot lock the owner out from afar.
    Account(String, IpAddr),
    /// Everything from one address: going through many names is guessing, too.
    Address(IpAddr),
}

impl Key {
    /// The keys of a try. On this machine many people may share the one address.
    fn of(name: &str, address: IpAddr) -> Vec<Self> {
        let mut keys = vec![Self::Account(name.to_ascii_lowercase(), address)];
        if !address.is_loopback() {
            keys.push(Self::Address(address));
        }
        keys
    }

    fn free(&self) -> u32 {
        match self {
            Self::Account(..) => FREE_PER_ACCOUNT,
            Self::Address(_) => FREE_PER_ADDRESS,
        }
    }
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts wrong passwords.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: HashMap<Key, Failures>,
}

impl Attempts {
    /// Whether `name` may be tried from `address` now.
    pub(crate) fn allowed(&self, name: &str, address: IpAddr, now: Instant) -> bool {
        Key::of(name, address).iter().all(|key| match self.failures.get(key) {
            Some(failures) => now.saturating_duration_since(failures.last) >= delay(failures.count, key.free()),
            None => true,
        })
    }

    /// A wrong password.
    pub(crate) fn failed(&mut self, name: &str, address: IpAddr, now: Instant) {
        for key in Key::of(name, address) {
            if self.failures.len() >= ENTRIES && !self.failures.contains_key(&key) {
                self.make_room(now);
            }
            let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now.saturating_duration_since(failures.last) >= LONGEST {
                failures.count = 0;
            }
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
        }
    }

    /// The right password. What the address did to other accounts is not forgiven by it.
    pub(crate) fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.failures.remove(&Key::Account(name.to_ascii_lowercase(), address));
    }

    fn make_room(&mut self, now: Instant) {
        self.failures.retain(|_, failures| now.saturating_duration_since(failures.last) < LONGEST);
        if self.failures.len() >= ENTRIES
            && let Some(oldest) =
                self.failures.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone())
        {
            self.failures.remove(&oldest);
        }
    }
}

/// 1 s after the last free try, doubled by each further one.
fn delay(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(1_u64 << over.min(20)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn delays_double() {
        let seconds: Vec<_> = [0, 4, 5, 6, 7, 14, 15, 40, u32::MAX].map(|count| delay(count, 5).as_secs()).into();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 512, 900, 900, 900]);
    }

    #[test]
    fn the_fifth_failure_delays_and_the_clock_forgives() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            assert!(attempts.allowed("Alice", HERE, start));
            attempts.failed("alice", HERE, start);
        }
        assert!(!attempts.allowed("ALICE", HERE, start));
        assert!(attempts.allowed("bob", HERE, start), "another account is free");
        assert!(attempts.allowed("alice", THERE, start), "the owner elsewhere is free");
        assert!(!attempts.allowed("alice", HERE, start + Duration::from_millis(999)));
        assert!(attempts.allowed("alice", HERE, start + Duration::from_secs(1)));
        attempts.failed("alice", HERE, start + Duration::from_secs(1));
        assert!(!attempts.allowed("alice", HERE, start + Duration::from_secs(2)));
        attempts.succeeded("alice", HERE);
        assert!(attempts.allowed("alice", HERE, start + Duration::from_secs(2)));
    }

    #[test]
    fn an_address_that_goes_through_many_names_is_delayed() {
        let now = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0..50 {
            attempts.failed(&format!("user{number}"), THERE, now);
            attempts.failed(&format!("user{number}"), HERE, now);
        }
        assert!(!attempts.allowed("fresh", THERE, now));
        assert!(attempts.allowed("fresh", HERE, now), "this machine is not one person");
    }

    #[test]
    fn memory_is_bounded() {
        let now = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0..ENTRIES + 10 {
            attempts.failed(&number.to_string(), HERE, now);
        }
        assert_eq!(attempts.failures.len(), ENTRIES);
    }
}
