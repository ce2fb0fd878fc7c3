//! What is sent and what is killed: all of it follows from the seed.

use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Who takes part in each world. The first one talks with each of the others.
pub(crate) const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// One direction of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

/// Every direction that is used, by its number.
pub(crate) const LANES: [Lane; 4] = [
    Lane { from: PEOPLE[0], to: PEOPLE[1] },
    Lane { from: PEOPLE[1], to: PEOPLE[0] },
    Lane { from: PEOPLE[0], to: PEOPLE[2] },
    Lane { from: PEOPLE[2], to: PEOPLE[0] },
];

impl Lane {
    /// The text of a message. No two are equal, and it says by itself where it belongs.
    pub(crate) fn text(self, number: usize) -> String {
        let Self { from, to } = self;
        let rest = match number % 30 {
            3 | 13 | 23 => "\nof two\n\nparagraphs".to_owned(),
            7 | 17 | 27 => ": gr\u{fc}\u{df} dich, \u{4f60}\u{597d} \u{1f980}".to_owned(),
            9 => format!(": {}", "long ".repeat(2_048).trim_end()),
            _ => String::new(),
        };
        format!("{number} of {from} to {to}{rest}")
    }
}

/// The number with which a text begins.
pub(crate) fn number(text: &str) -> Option<usize> {
    text.split(' ').next()?.parse().ok()
}

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gateway,
    Connection,
    Daemon,
    Late,
}

impl Kind {
    pub(crate) const NAMES: [(&str, Self); 4] =
        [("gateway", Self::Gateway), ("connection", Self::Connection), ("daemon", Self::Daemon), ("late", Self::Late)];
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// After so many bytes more.
    After(usize),
    /// In place of the next answer of the gateway.
    Answer,
    /// At once, and so many of the next connections with it.
    Refused(usize),
}

/// One kill; people by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    Gateway,
    Connection(usize, Cut),
    Daemon(usize),
    /// A daemon whose last request arrives when another has taken its place.
    Late(usize),
}

/// The kills, each with the count of messages taken and heard at which it is due.
///
/// Kinds and victims come in shuffled rounds, so that whoever is killed rarely is killed as well: a daemon that only
/// ever loses its connection waits longer each time (interfaces 2.6).
pub(crate) fn kills(seed: u64, kinds: &[Kind], count: usize, messages: usize) -> Vec<(usize, Kill)> {
    let mut random = StdRng::seed_from_u64(seed);
    // Some messages are left for the time after the last kill.
    let last = (2 * messages * LANES.len() * 19 / 20).max(1);
    let mut points: Vec<_> = (0..count).map(|_| random.random_range(1..=last)).collect();
    points.sort_unstable();
    let (mut round, mut victims) = (Vec::new(), Vec::new());
    points
        .into_iter()
        .map(|point| {
            let kill = match deal(&mut round, kinds, &mut random) {
                Kind::Gateway => Kill::Gateway,
                Kind::Connection => {
                    let cut = match random.random_range(0..4) {
                        0 => Cut::Answer,
                        1 => Cut::Refused(random.random_range(0..2)),
                        _ => Cut::After(random.random_range(0..20_000)),
                    };
                    Kill::Connection(random.random_range(0..PEOPLE.len()), cut)
                }
                Kind::Daemon => Kill::Daemon(deal(&mut victims, &[0, 1, 2], &mut random)),
                Kind::Late => Kill::Late(deal(&mut victims, &[0, 1, 2], &mut random)),
            };
            (point, kill)
        })
        .collect()
}

/// The next card of a shuffled deck, or of a new one.
fn deal<T: Copy>(deck: &mut Vec<T>, cards: &[T], random: &mut StdRng) -> T {
    if deck.is_empty() {
        deck.extend_from_slice(cards);
        deck.shuffle(random);
    }
    deck.pop().expect("a deck has cards")
}
