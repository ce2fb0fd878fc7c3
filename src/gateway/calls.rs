//! Calls between two accounts: who called, whether it was answered, and the names of both ends.
//! Sound is not carried; a call is made known, accepted and ended (imo-protocol 4, 5).

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use crate::imo::Streams;

use super::accounts::User;
use super::accounts::UserId;
use super::core::Core;
use super::core::Now;
use super::core::token;
use super::events;
use super::events::Outgoing;
use super::methods::ACCEPTED;
use super::methods::Outcome;
use super::methods::refuse;
use super::names::CALL_LIMIT;

/// How long a call waits to be answered.
const RINGING: Duration = Duration::from_secs(60);

/// The two accounts of a call, the smaller first.
type Pair = (UserId, UserId);

fn pair(one: UserId, other: UserId) -> Pair {
    (one.min(other), one.max(other))
}

/// One end of a call.
#[derive(Clone, Debug)]
struct End {
    user: User,
    /// What it sends, which is what the other end receives.
    stream: String,
    /// The name of its page, which only this side knows.
    page: String,
}

impl End {
    /// `None` when the machine has no random numbers.
    fn new(user: &User) -> Option<Self> {
        // Whoever knows the name of the page may hang up: twice as long as a session's.
        Some(Self { user: user.clone(), stream: token()?, page: token()? + &token()? })
    }
}

#[derive(Clone, Debug)]
struct Call {
    caller: End,
    callee: End,
    since: Instant,
    answered: bool,
}

impl Call {
    fn ends(&self) -> [(&End, &End); 2] {
        [(&self.caller, &self.callee), (&self.callee, &self.caller)]
    }

    /// The end of `account`, and the other one.
    fn ends_of(&self, account: UserId) -> (&End, &End) {
        if self.caller.user.id == account { (&self.caller, &self.callee) } else { (&self.callee, &self.caller) }
    }

    /// What makes the call known to `account`.
    fn streams_info(&self, account: UserId) -> Outgoing {
        let (own, other) = self.ends_of(account);
        let streams = Streams {
            buid: Some(other.user.name.clone()),
            is_initiator: Some(own.user.id == self.caller.user.id),
            send_stream: Some(own.stream.clone()),
            recv_stream: Some(other.stream.clone()),
            page: Some(format!("call/{}", own.page)),
        };
        events::streams_info(&own.user.name, &streams)
    }
}

/// What the page of a call shows to one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) own: User,
    pub(crate) other: User,
    pub(crate) is_initiator: bool,
    pub(crate) answered: bool,
}

/// All calls of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: HashMap<Pair, Call>,
    /// With whom an account has calls.
    partners: HashMap<UserId, Vec<UserId>>,
    pages: HashMap<String, (UserId, Pair)>,
}

impl Calls {
    fn count(&self, account: UserId) -> usize {
        self.partners.get(&account).map_or(0, Vec::len)
    }

    fn get(&mut self, one: UserId, other: UserId) -> Option<&mut Call> {
        self.calls.get_mut(&pair(one, other))
    }

    fn add(&mut self, call: Call) {
        let pair = pair(call.caller.user.id, call.callee.user.id);
        for (own, other) in call.ends() {
            self.partners.entry(own.user.id).or_default().push(other.user.id);
            self.pages.insert(own.page.clone(), (own.user.id, pair));
        }
        self.calls.insert(pair, call);
    }

    fn remove(&mut self, one: UserId, other: UserId) -> Option<Call> {
        let call = self.calls.remove(&pair(one, other))?;
        for (own, other) in call.ends() {
            self.pages.remove(&own.page);
            if let Some(partners) = self.partners.get_mut(&own.user.id) {
                partners.retain(|partner| *partner != other.user.id);
                if partners.is_empty() {
                    self.partners.remove(&own.user.id);
                }
            }
        }
        Some(call)
    }

    /// What a new login of `account` must know.
    pub(crate) fn events(&self, account: UserId) -> Vec<Outgoing> {
        let mut told = Vec::new();
        for other in self.partners.get(&account).into_iter().flatten() {
            if let Some(call) = self.calls.get(&pair(account, *other)) {
                told.push(call.streams_info(account));
                if call.answered {
                    let (own, other) = call.ends_of(account);
                    told.push(events::answered(&own.user.name, &other.user.name));
                }
            }
        }
        told
    }

    fn partners(&self, account: UserId) -> Vec<UserId> {
        self.partners.get(&account).cloned().unwrap_or_default()
    }

    /// The account and its partner behind the name of a page.
    fn of_page(&self, page: &str) -> Option<(UserId, UserId)> {
        let (account, (one, other)) = *self.pages.get(page)?;
        Some((account, if account == one { other } else { one }))
    }

    fn unanswered_since(&self, now: Instant) -> Vec<Pair> {
        let over = |call: &Call| !call.answered && now.saturating_duration_since(call.since) >= RINGING;
        self.calls.iter().filter(|(_, call)| over(call)).map(|(pair, _)| *pair).collect()
    }
}

impl Core {
    pub(super) fn start_audio_chat(&mut self, own: &User, other: &User, now: Now) -> Outcome {
        if !self.is_online(other.id) {
            return refuse("who is called is not online");
        }
        if self.db.relation(other.id, own.id)?.blocked || self.db.relation(own.id, other.id)?.blocked {
            return refuse("one of the two blocks the other");
        }
        if self.calls.get(own.id, other.id).is_some() {
            return refuse("the two have a call already");
        }
        if self.calls.count(own.id) >= CALL_LIMIT || self.calls.count(other.id) >= CALL_LIMIT {
            return refuse("one of the two has too many calls");
        }
        let Some((caller, callee)) = End::new(own).zip(End::new(other)) else { return refuse("no random numbers") };
        let call = Call { caller, callee, since: now.instant, answered: false };
        for account in [own.id, other.id] {
            self.push_all(account, |_| call.streams_info(account));
        }
        self.calls.add(call);
        ACCEPTED
    }

    /// Only who is called accepts; a second time changes nothing.
    pub(super) fn accept_audio_chat(&mut self, own: &User, other: &User) -> Outcome {
        let Some(call) = self.calls.get(own.id, other.id) else { return refuse("the two have no call") };
        if call.callee.user.id != own.id {
            return refuse("one cannot accept one's own call");
        }
        if !std::mem::replace(&mut call.answered, true) {
            for (one, partner) in [(own, other), (other, own)] {
                self.push_all(one.id, |name| events::answered(name, &partner.name));
            }
        }
        ACCEPTED
    }

    pub(super) fn end_audio_chat(&mut self, own: &User, other: &User) -> Outcome {
        if self.end_call(own.id, other.id) { ACCEPTED } else { refuse("the two have no call") }
    }

    /// Ends the call between two; false where there is none.
    pub(super) fn end_call(&mut self, one: UserId, other: UserId) -> bool {
        let Some(call) = self.calls.remove(one, other) else { return false };
        for (own, other) in call.ends() {
            self.push_all(own.user.id, |name| events::ended(name, &other.user.name));
        }
        true
    }

    /// Ends all calls of an account without logins.
    pub(super) fn end_calls(&mut self, account: UserId) {
        for other in self.calls.partners(account) {
            self.end_call(account, other);
        }
    }

    /// Ends the calls that rang long enough.
    pub(super) fn end_unanswered(&mut self, now: Now) {
        for (one, other) in self.calls.unanswered_since(now.instant) {
            self.end_call(one, other);
        }
    }

    /// What a page shows; `None` when there is no such call, or no longer.
    pub(crate) fn view_call(&self, page: &str) -> Option<View> {
        let (account, other) = self.calls.of_page(page)?;
        let call = self.calls.calls.get(&pair(account, other))?;
        let (own, other) = call.ends_of(account);
        Some(View {
            own: own.user.clone(),
            other: other.user.clone(),
            is_initiator: call.caller.user.id == account,
            answered: call.answered,
        })
    }

    /// A button of a page was pressed: accept, or hang up. False when there is no such call, or
    /// nothing to accept.
    pub(crate) fn press(&mut self, page: &str, accept: bool) -> bool {
        let Some(View { own, other, is_initiator, .. }) = self.view_call(page) else { return false };
        match (accept, is_initiator) {
            (true, true) => false,
            (true, false) => matches!(self.accept_audio_chat(&own, &other), Ok(Some(()))),
            (false, _) => self.end_call(own.id, other.id),
        }
    }
}
