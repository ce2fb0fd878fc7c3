//! The poll thread: fetches what happens on the network (imo-protocol 3.4).

use std::time::Duration;
use std::time::Instant;

use tokio::sync::watch;

use super::account::Account;
use super::account::Halt;
use super::account::Tie;
use super::http::Cut;
use super::http::Line;
use super::session::Session;
use crate::imo;

/// A server that has nothing new answers later than this, or it is asked more slowly.
const QUICK: Duration = Duration::from_millis(500);
/// How many quick answers without news are taken before that.
const FREE: u32 = 3;
/// The longest pause between two polls.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Polls for one connection after the other, until there can be no more.
pub(super) fn run(account: &Account, line: &Line, mut ties: watch::Receiver<Option<Tie>>) {
    while let Some(Ok(())) = line.rest(ties.changed(), &Cut::never()) {
        let tie = ties.borrow_and_update().clone();
        account.guard(|| {
            if let Some(tie) = tie
                && let Err(halt) = poll(account, line, &tie)
            {
                account.fail(&tie, halt);
            }
        });
    }
}

fn poll(account: &Account, line: &Line, tie: &Tie) -> Result<(), Halt> {
    let mut active = Instant::now();
    let mut fruitless = 0;
    loop {
        account.wait_for_room();
        if active.elapsed() >= account.limits.activity {
            active = Instant::now();
            account.want(|state| state.stay_active = true);
        }
        let envelope = account.with_session(tie, |session| session.poll())?;
        account.settle();
        let begun = Instant::now();
        let (_, answer) = account.post(line, imo::FORWARD_TO_SERVER, &envelope, account.limits.poll, tie)?;
        let new = account.with_session(tie, |session: &mut Session| session.polled(answer))?;
        if let Some(end) = account.drain(tie) {
            return Err(Halt::Over(end));
        }
        fruitless = if new > 0 || begun.elapsed() >= QUICK { 0 } else { fruitless + 1 };
        if let Some(pause) = pause(fruitless) {
            line.pause(pause, &tie.cut).ok_or(Halt::Cut)?;
        }
    }
}

/// How long to wait after so many quick answers in a row without news (imo-protocol 12, flaw 24).
fn pause(fruitless: u32) -> Option<Duration> {
    let doubled = fruitless.checked_sub(FREE + 1)?.min(10);
    Some((Duration::from_millis(50) * 2_u32.pow(doubled)).min(MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        let table = [(0, None), (FREE, None), (FREE + 1, Some(50)), (FREE + 2, Some(100)), (u32::MAX, Some(1000))];
        for (fruitless, wanted) in table {
            assert_eq!(pause(fruitless), wanted.map(Duration::from_millis));
        }
    }
}
