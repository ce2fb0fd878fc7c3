//! The calls of a session (imo-protocol 5). Pure.
//!
//! The protocol has no id for a call and tells only of its beginning and its end; that it is
//! answered, and ways to answer and to end it, are additions that a server may refuse.

use super::events::Stamp;
use super::events::user_of;
use crate::backend::Call;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Receipt;
use crate::backend::Ticket;
use crate::imo;
use crate::model::CallStatus;
use crate::model::CallType;
use crate::model::Handle;
use crate::model::RemoteId;

/// How many calls are open at most; of more the oldest counts as over.
const MAX_CALLS: usize = 64;

/// What a server tells of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CallNews {
    Began {
        user: Handle,
        outgoing: bool,
        /// Tells a repeat from another call with the same user.
        streams: String,
        /// The path of the call page.
        page: Option<String>,
    },
    Answered(Handle),
    Ended(Handle),
}

/// Reads `streams_info`, `answered` and `ended`; the kind of call makes no difference.
pub(super) fn read(event: &imo::Event) -> Option<CallNews> {
    let is_call = |kind: &str| ["call", "video", "av"].iter().any(|known| known.eq_ignore_ascii_case(kind));
    let name = event.name.as_deref()?;
    // Only of the beginning is the kind always told.
    if !event.kind.as_deref().map_or(name != "streams_info", is_call) {
        return None;
    }
    let edata: imo::Streams = imo::read(&event.edata);
    let user = user_of(edata.buid.as_deref()?)?;
    match name {
        "streams_info" => {
            let conv = event.edata.get("pipe").and_then(|pipe| pipe.get("conv")).and_then(serde_json::Value::as_str);
            let names = [conv, edata.send_stream.as_deref(), edata.recv_stream.as_deref()];
            let streams = names.map(Option::unwrap_or_default).join("/");
            Some(CallNews::Began { user, outgoing: edata.is_initiator == Some(true), streams, page: edata.page })
        }
        "answered" => Some(CallNews::Answered(user)),
        "ended" => Some(CallNews::Ended(user)),
        _ => None,
    }
}

#[derive(Debug)]
struct Open {
    id: RemoteId,
    user: Handle,
    outgoing: bool,
    /// None as long as the server has not told of a call that we have placed.
    streams: Option<String>,
    status: CallStatus,
    /// Who waits to hear what a call that we have placed is called.
    ticket: Option<Ticket>,
    /// We have ended it before the server told of it.
    over: bool,
}

impl Open {
    fn told(&self, page: Option<String>) -> Event {
        let kind = if self.outgoing { CallType::OutgoingP2p } else { CallType::IncomingP2p };
        Event::Call(Call { page, ..Call::named(self.id.clone(), self.user.clone(), kind, self.status) })
    }

    /// The id goes to whoever placed the call before anything else is told of it.
    fn named(&mut self) -> Option<Event> {
        let receipt = Receipt { remote: Some(self.id.clone()), ..Receipt::default() };
        self.ticket.take().map(|ticket| Event::Done { ticket, outcome: Ok(receipt) })
    }

    fn finish(mut self) -> impl Iterator<Item = Event> {
        self.status = CallStatus::Finished;
        let lost = self.ticket.map(|ticket| Event::Done { ticket, outcome: Err(Failure::Unclear) });
        let told = (lost.is_none() && !self.over).then(|| self.told(None));
        lost.into_iter().chain(told)
    }
}

/// The calls that are not over.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Vec<Open>,
    /// With whom a call was that we have ended, until the server tells of its end.
    ending: Vec<Handle>,
    /// With whom a call was when the connection was lost: for us they are over.
    stale: Vec<Handle>,
}

impl Calls {
    fn push(&mut self, call: Open) -> Vec<Event> {
        let oldest = (self.open.len() >= MAX_CALLS).then(|| self.open.remove(0));
        self.open.push(call);
        oldest.into_iter().flat_map(Open::finish).collect()
    }

    /// We place a call. Registered before it is asked: news of it may come before the answer.
    pub(super) fn place(&mut self, ticket: Ticket, id: RemoteId, user: Handle) -> Vec<Event> {
        let ticket = Some(ticket);
        let status = CallStatus::Routing;
        self.push(Open { id, user, outgoing: true, streams: None, status, ticket, over: false })
    }

    /// The server has answered for a call that we have placed.
    pub(super) fn placed(&mut self, id: &RemoteId, outcome: Result<(), Failure>) -> Option<Event> {
        let at = self.open.iter().position(|call| call.id == *id)?;
        match outcome {
            Ok(()) => self.open[at].named(),
            // What it has told of is there, whatever it answers.
            Err(_) if self.open[at].streams.is_some() => None,
            Err(failure) => {
                let ticket = self.open.remove(at).ticket?;
                Some(Event::Done { ticket, outcome: Err(failure) })
            }
        }
    }

    /// With whom a call is.
    pub(super) fn partner(&self, id: &RemoteId) -> Option<&Handle> {
        self.open.iter().find(|call| call.id == *id && !call.over).map(|call| &call.user)
    }

    /// We have answered a call.
    pub(super) fn taken(&mut self, id: &RemoteId) -> Option<Event> {
        let call = self.open.iter_mut().find(|call| call.id == *id && call.status == CallStatus::Ringing)?;
        call.status = CallStatus::InProgress;
        Some(call.told(None))
    }

    /// We have ended a call.
    pub(super) fn hung_up(&mut self, id: &RemoteId) -> Vec<Event> {
        let Some(at) = self.open.iter().position(|call| call.id == *id) else { return Vec::new() };
        if self.open[at].streams.is_some() {
            let call = self.open.remove(at);
            self.ending.push(call.user.clone());
            self.ending.truncate(MAX_CALLS);
            return call.finish().collect();
        }
        self.open[at].over = true;
        Vec::new()
    }

    /// The server tells of a call.
    pub(super) fn told(&mut self, news: CallNews, stamp: &mut Stamp<'_>) -> Vec<Event> {
        match news {
            CallNews::Began { user, outgoing, streams, page } => self.began(user, outgoing, streams, page, stamp),
            CallNews::Answered(user) => {
                let call =
                    self.open.iter_mut().rev().find(|call| call.user == user && call.status != CallStatus::InProgress);
                let Some(call) = call.filter(|call| !call.over) else { return Vec::new() };
                call.status = CallStatus::InProgress;
                let named = call.named();
                named.into_iter().chain([call.told(None)]).collect()
            }
            CallNews::Ended(user) => {
                // There is no id: it may be the end of a call that we have ended, and not of one
                // that we have placed since and that nothing was told of yet.
                let ours = self.is_past(&user);
                let is_over = |call: &mut Open| call.user == user && (call.streams.is_some() || !ours);
                let ended: Vec<_> = self.open.extract_if(.., is_over).collect();
                ended.into_iter().flat_map(|mut call| call.named().into_iter().chain(call.finish())).collect()
            }
        }
    }

    /// What we have ended with this user is past; tells whether there was something.
    fn is_past(&mut self, user: &Handle) -> bool {
        let before = self.ending.len();
        self.ending.retain(|known| known != user);
        self.ending.len() < before
    }

    fn began(
        &mut self,
        user: Handle,
        outgoing: bool,
        streams: String,
        page: Option<String>,
        stamp: &mut Stamp<'_>,
    ) -> Vec<Event> {
        self.is_past(&user);
        let same = |call: &&mut Open| call.user == user && call.outgoing == outgoing;
        if self.open.iter_mut().filter(same).any(|call| call.streams.as_ref() == Some(&streams)) {
            return Vec::new();
        }
        if let Some(call) = self.open.iter_mut().filter(same).find(|call| call.streams.is_none()) {
            call.streams = Some(streams);
            call.status = CallStatus::Ringing;
            let named = call.named();
            let told = (!call.over).then(|| call.told(page));
            return named.into_iter().chain(told).collect();
        }
        let status = CallStatus::Ringing;
        let call = Open { id: stamp.next(), user, outgoing, streams: Some(streams), status, ticket: None, over: false };
        let told = call.told(page);
        let mut events = self.push(call);
        events.push(told);
        events
    }

    /// The connection was lost: for us the calls are over, and whoever hears of the loss knows that.
    pub(super) fn suspend(&mut self) -> Vec<Event> {
        let open = std::mem::take(&mut self.open);
        self.ending.clear();
        self.stale.extend(open.iter().map(|call| call.user.clone()));
        self.stale.truncate(MAX_CALLS);
        open.into_iter().filter(|call| call.ticket.is_some()).flat_map(Open::finish).collect()
    }

    /// Without a session there are no calls.
    pub(super) fn close(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.open).into_iter().flat_map(Open::finish).collect()
    }

    /// With whom a call is over for us, and perhaps not for them.
    pub(super) fn next_stale(&mut self) -> Option<Handle> {
        self.stale.pop()
    }

    pub(super) fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
