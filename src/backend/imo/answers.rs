//! What the server makes of the requests of a session (imo-protocol 3.2). Pure.

use super::chats::Chats;
use super::chats::Errand;
use super::chats::Round;
use super::drafts::Draft;
use super::session::End;
use super::session::Session;
use super::session::Step;
use super::session::done;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Receipt;
use crate::backend::Ticket;
use crate::imo;
use crate::model::RemoteId;

/// How many accepted messages wait for their delivery acknowledgement at most; a server that
/// acknowledges none must not fill the memory.
pub(super) const MAX_UNDELIVERED: usize = 4096;

/// What a request is for, which decides what its answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nobody waits for the outcome.
    Plain,
    /// Nobody waits for the outcome, and nobody wants it on another connection.
    Typing,
    /// A message, by its `request_id`.
    Text(u64),
    /// A task that is done when it is accepted.
    Task(Ticket),
    /// The removal of a contact from the group where it should be; if refused, `Buddies` is tried.
    Removal { ticket: Ticket, uid: String },
    /// A chat that we found, by its name.
    Found(String),
    /// Leaves a chat.
    Leave { ticket: Ticket, gid: String },
    /// The same for several users of a chat.
    Round(Round),
    /// Begins a call.
    PlaceCall(RemoteId),
    /// Answers a call.
    Answer { ticket: Ticket, call: RemoteId },
    /// Ends a call.
    HangUp { ticket: Ticket, call: RemoteId },
}

impl Purpose {
    /// Who waits for the outcome, apart from texts, chats and calls that are kept elsewhere.
    fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Task(ticket)
            | Self::Removal { ticket, .. }
            | Self::Leave { ticket, .. }
            | Self::Answer { ticket, .. }
            | Self::HangUp { ticket, .. } => Some(*ticket),
            Self::Plain | Self::Typing | Self::Text(_) | Self::Found(_) | Self::Round(_) | Self::PlaceCall(_) => None,
        }
    }
}

/// What the server made of a request.
pub(super) struct Settled {
    /// Whether it was accepted.
    pub(super) accepted: bool,
    /// What follows.
    pub(super) steps: Vec<Step>,
    /// What to ask next on behalf of the same task.
    pub(super) again: Option<(Draft, Purpose)>,
}

impl Session {
    /// Takes the answer to the request (imo-protocol 3.2).
    pub(super) fn settle(&mut self, answer: imo::Answer, chats: &mut Chats) -> Settled {
        let mut settled = Settled { accepted: true, steps: Vec::new(), again: None };
        let Some(request) = self.unanswered.take() else { return settled };
        let told = Told::read(answer);
        let verdict = told.as_ref().map_or(Verdict::Accepted, |told| judge(told, request.seq));
        self.take_in(told);
        match verdict {
            Verdict::Accepted => self.accepted(request.purpose, chats, &mut settled),
            Verdict::Refused => {
                settled.accepted = false;
                self.refused(request.purpose, chats, &mut settled);
            }
            Verdict::Gone => {
                settled.accepted = false;
                self.ending.get_or_insert(End::Over);
                if request.posts > 1 {
                    // An earlier copy may have arrived: the end of the session settles it.
                    self.unanswered = Some(request);
                } else {
                    self.hand_back(request.purpose, chats, &mut settled.steps);
                }
            }
            Verdict::Unclear => {
                settled.accepted = false;
                self.unanswered = Some(request);
            }
        }
        settled
    }

    fn accepted(&mut self, purpose: Purpose, chats: &mut Chats, settled: &mut Settled) {
        let steps = &mut settled.steps;
        match purpose {
            // Of a chat that was founded the server tells by itself.
            Purpose::Plain | Purpose::Typing | Purpose::Found(_) => {}
            Purpose::Text(id) => self.accept_text(id, steps),
            Purpose::Task(ticket) | Purpose::Removal { ticket, .. } | Purpose::Leave { ticket, .. } => {
                steps.push(done(ticket, Ok(Receipt::default())));
            }
            Purpose::Round(round) => self.go_on(round, true, chats, settled),
            Purpose::PlaceCall(call) => steps.extend(self.calls.placed(&call, Ok(())).map(Step::Deliver)),
            Purpose::Answer { ticket, call } => {
                steps.push(done(ticket, Ok(Receipt::default())));
                steps.extend(self.calls.taken(&call).map(Step::Deliver));
            }
            Purpose::HangUp { ticket, call } => {
                steps.push(done(ticket, Ok(Receipt::default())));
                steps.extend(self.calls.hung_up(&call).into_iter().map(Step::Deliver));
            }
        }
    }

    fn refused(&mut self, purpose: Purpose, chats: &mut Chats, settled: &mut Settled) {
        let steps = &mut settled.steps;
        match purpose {
            Purpose::Plain | Purpose::Typing => {}
            Purpose::Text(id) => {
                let text = self.texts.remove(&id);
                steps.extend(text.map(|text| done(text.ticket, Err(Failure::Refused))));
            }
            Purpose::Removal { ticket, uid } => {
                settled.again = Some((self.caller().del_buddy(&uid, "Buddies"), Purpose::Task(ticket)));
            }
            Purpose::Found(name) => steps.extend(chats.give_up(&name, Failure::Refused).map(Step::Deliver)),
            Purpose::Leave { ticket, gid } => {
                chats.leave(&gid, false);
                steps.push(done(ticket, Err(Failure::Refused)));
            }
            Purpose::Round(round) => self.go_on(round, false, chats, settled),
            Purpose::PlaceCall(call) => {
                steps.extend(self.calls.placed(&call, Err(Failure::Refused)).map(Step::Deliver));
            }
            Purpose::Task(ticket) | Purpose::Answer { ticket, .. } | Purpose::HangUp { ticket, .. } => {
                steps.push(done(ticket, Err(Failure::Refused)));
            }
        }
    }

    /// Asks for the next user of a round, or ends it.
    fn go_on(&mut self, mut round: Round, accepted: bool, chats: &mut Chats, settled: &mut Settled) {
        if round.answered(accepted) {
            settled.again = self.draft_of(&round).map(|draft| (draft, Purpose::Round(round)));
        } else {
            settled.steps.extend(chats.finish(round, &self.me).into_iter().map(Step::Deliver));
        }
    }

    /// What is asked for the first user of a round.
    pub(super) fn draft_of(&self, round: &Round) -> Option<Draft> {
        let uid = super::names::ImoNames::uid(round.users.front()?);
        Some(match round.errand {
            Errand::Invite => self.caller().invite_to_group(&round.gid, &uid),
            Errand::Kick => self.caller().kick_member(&round.gid, &uid),
        })
    }

    fn accept_text(&mut self, id: u64, steps: &mut Vec<Step>) {
        // Not there any more if the acknowledgement was faster.
        if let Some(text) = self.texts.get_mut(&id) {
            text.accepted = true;
            text.body = String::new();
        }
        // Without acknowledgements this is all that is ever told (imo-protocol 11).
        let settled = if self.acknowledges() { None } else { self.texts.remove(&id) };
        let oldest = if self.texts.len() > MAX_UNDELIVERED { self.texts.pop_first() } else { None };
        let oldest = oldest.map(|(_, text)| text);
        steps.extend([settled, oldest].into_iter().flatten().map(|text| done(text.ticket, Ok(Receipt::default()))));
    }

    /// The server has certainly not taken a request: what can wait is for the next session.
    fn hand_back(&mut self, purpose: Purpose, chats: &mut Chats, steps: &mut Vec<Step>) {
        match purpose {
            Purpose::Text(id) => {
                steps.extend(self.texts.remove(&id).map(|text| Step::Requeue(text.again())));
            }
            other => steps.extend(self.cut_off(other, Failure::NotConnected, chats).map(Step::Deliver)),
        }
    }

    /// What becomes of a request whose session is over; texts are looked after elsewhere.
    pub(super) fn cut_off(&mut self, purpose: Purpose, failure: Failure, chats: &mut Chats) -> Option<Event> {
        match purpose {
            Purpose::Found(name) => {
                // The list of the next session tells whether it is there.
                chats.ask_again(&name);
                None
            }
            Purpose::Round(round) => chats.interrupt(round, failure),
            Purpose::PlaceCall(call) => self.calls.placed(&call, Err(failure)),
            other => {
                if let Purpose::Leave { gid, .. } = &other {
                    chats.leave(gid, false);
                }
                let ticket = other.ticket()?;
                Some(Event::Done { ticket, outcome: Err(failure) })
            }
        }
    }
}

enum Verdict {
    Accepted,
    Refused,
    /// The server does not know the session, and has not taken the request.
    Gone,
    /// The session ended, with the request or before it.
    Unclear,
}

/// What an answer with an envelope says.
pub(super) struct Told {
    pub(super) envelope: imo::Envelope,
    /// It carries no messages; those that cannot be read are messages too.
    pub(super) nothing: bool,
}

impl Told {
    /// `None` for an answer that says no more than "accepted".
    pub(super) fn read(answer: imo::Answer) -> Option<Self> {
        if answer.method != imo::FORWARD_TO_CLIENT {
            return None;
        }
        let messages = answer.data.get("messages").and_then(serde_json::Value::as_array);
        let nothing = messages.is_none_or(Vec::is_empty);
        let mut envelope: imo::Envelope = imo::take(answer.data);
        // imo-protocol 5: acted on only as the last event of a batch.
        let last = envelope.messages.iter().filter_map(|message| message.seq).max();
        for message in envelope.messages.iter_mut().filter(|message| message.seq != last && is_expiry(message)) {
            tracing::debug!(seq = message.seq, "expired in the middle of a batch: skipped");
            message.data = serde_json::Value::Null;
        }
        Some(Self { envelope, nothing })
    }

    /// Whether a message of which `which` chooses the number says that the session is over.
    pub(super) fn ends(&self, which: impl Fn(u64) -> bool) -> bool {
        let over = |message: &imo::Message| is_expiry(message) || message.from.system == "reset";
        self.envelope.messages.iter().any(|message| over(message) && message.seq.is_some_and(&which))
    }
}

fn is_expiry(message: &imo::Message) -> bool {
    message.data.get("name").is_some_and(|name| name == "expired")
}

fn judge(told: &Told, seq: u64) -> Verdict {
    let ack = told.envelope.ack;
    if told.nothing {
        return match ack {
            Some(0) => Verdict::Gone,
            Some(ack) if ack > seq => Verdict::Accepted,
            _ => Verdict::Refused,
        };
    }
    // An answer with messages counts as accepted, unless they say that the session is over.
    let over = |message: &imo::Message| message.from.system == "reset" || is_expiry(message);
    match ack {
        _ if !told.envelope.messages.iter().any(over) => Verdict::Accepted,
        Some(ack) if ack > seq => Verdict::Accepted,
        Some(_) => Verdict::Gone,
        None => Verdict::Unclear,
    }
}
