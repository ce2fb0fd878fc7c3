//! Calls (skype-api 3.7, 4.3, 7.10). What is heard and seen in them is the network's affair.

use std::time::Duration;

use crate::backend;
use crate::backend::Ability;
use crate::backend::CallControl;
use crate::backend::DeviceRole;
use crate::backend::Failure;
use crate::backend::Task;
use crate::model::Call;
use crate::model::CallStatus;
use crate::model::CallType;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::Presence;
use crate::model::Relation;
use crate::model::VideoStreamStatus;
use crate::model::is_phone_number;
use crate::skype::AlterCall;
use crate::skype::CallAction;
use crate::skype::CallChange;
use crate::skype::CallHistory;
use crate::skype::CallProperty;
use crate::skype::ErrorCode;
use crate::skype::Items;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Separator;
use crate::skype::VideoStatus;
use crate::skype::device_files;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;

/// How many users one call may have.
const MOST_PARTICIPANTS: usize = 9;

/// The failure of a call for which no better number is known (skype-api 4.3).
const MISCELLANEOUS: u8 = 1;
const USER_UNKNOWN: u8 = 2;
const USER_OFFLINE: u8 = 3;

/// What something done to a call changes before the network has confirmed it, as it was.
pub(super) enum CallUndo {
    /// A device, by its place.
    Device(usize, String),
    /// To whom it is handed on.
    TransferredTo(Option<Handle>),
    /// The conference of this call, and another call with its own.
    Conference(u32, ObjectId, u32),
}

impl Engine {
    pub(super) fn get_call(
        &self,
        reply: Line,
        id: ObjectId,
        property: CallProperty,
        argument: &str,
        protocol: Protocol,
    ) -> Answer {
        let call = self.calls.get(id).ok_or(ErrorCode::GET_CALL_UNKNOWN)?;
        match property {
            CallProperty::ConferenceParticipant => {
                let number = argument.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                let participant = number.and_then(|number| call.participants.get(number));
                let participant = participant.ok_or(ErrorCode::CALL_INVALID_PARTICIPANT)?;
                let name = self.display_name(&participant.handle);
                let (kind, status) = (participant.kind.word(), call_word(participant.status, false, protocol));
                Ok(reply.value(&participant.handle).part(kind).part(status).one_line(name))
            }
            CallProperty::CanTransfer => {
                let target = self.names.parse(argument).ok_or(ErrorCode::GET_CALL_INVALID_PROPERTY)?;
                let can = self.capabilities.can(Ability::CallTransfers) && !call.is_over() && target != call.partner;
                Ok(reply.boolean(can))
            }
            property => Ok(self.call_value(reply, call, property, protocol)),
        }
    }

    /// Adds the value of a property to a line.
    fn call_value(&self, line: Line, call: &Call, property: CallProperty, protocol: Protocol) -> Line {
        let phone = matches!(call.kind, CallType::IncomingPstn | CallType::OutgoingPstn);
        let handle = |handle: &Option<Handle>| handle.as_ref().map_or("", |handle| handle.as_str()).to_owned();
        match property {
            CallProperty::Timestamp => line.value(call.time),
            CallProperty::PartnerHandle => line.part(call.partner.as_str()),
            CallProperty::PartnerDisplayName => line.one_line(self.display_name(&call.partner)),
            CallProperty::ConferenceId => line.value(call.conference),
            CallProperty::Type => line.part(call.kind.word()),
            CallProperty::Status => line.part(call_word(call.status, call.is_incoming(), protocol)),
            CallProperty::VideoStatus => line.part(video_status(call).word()),
            CallProperty::VideoSendStatus => line.part(call.video_send.word()),
            CallProperty::VideoReceiveStatus => line.part(call.video_receive.word()),
            CallProperty::FailureReason => line.value(call.failure),
            CallProperty::PstnNumber if phone => line.part(call.partner.as_str()),
            CallProperty::Duration => line.value(call.duration),
            CallProperty::ConferenceParticipantsCount => line.value(call.participants.len()),
            CallProperty::VoicemailDuration
            | CallProperty::VoicemailAllowedDuration
            | CallProperty::Rate
            | CallProperty::RatePrecision => line.value(0),
            CallProperty::Input => line.part(&call.devices[0]),
            CallProperty::Output => line.part(&call.devices[1]),
            CallProperty::CaptureMic => line.part(&call.devices[2]),
            CallProperty::VaaInputStatus => line.boolean(false),
            CallProperty::ForwardedBy => line.part("?"),
            CallProperty::TransferActive => line.boolean(call.transfer == Some(CallStatus::Transferring)),
            CallProperty::TransferStatus => {
                line.part(call.transfer.map_or("", |status| call_word(status, false, protocol)))
            }
            CallProperty::TransferredBy => line.part(&handle(&call.transferred_by)),
            CallProperty::TransferredTo => line.part(&handle(&call.transferred_to)),
            CallProperty::Seen => line.boolean(call.seen),
            CallProperty::TargetIdentity
            | CallProperty::Subject
            | CallProperty::PstnNumber
            | CallProperty::PstnStatus
            | CallProperty::RateCurrency
            // Answered apart, or only set.
            | CallProperty::ConferenceParticipant
            | CallProperty::CanTransfer
            | CallProperty::Dtmf
            | CallProperty::JoinConference => line.part(""),
        }
    }

    fn announce_call(&self, id: ObjectId, property: CallProperty, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get(id) else { return };
        let line = |protocol| {
            let line = Line::about("CALL", id, property.word());
            (protocol >= property.since()).then(|| self.call_value(line, call, property, protocol))
        };
        self.announce_by(line, out);
    }

    /// Moves a call on, and says so.
    fn set_call_status(&mut self, id: ObjectId, status: CallStatus, out: &mut Vec<Output>) {
        let changed = self.calls.change(id, |call| std::mem::replace(&mut call.status, status) != status);
        if changed == Some(true) {
            self.announce_call(id, CallProperty::Status, out);
        }
    }

    pub(super) fn place_call(&mut self, reply: Line, targets: Items<'_>, now: Now, out: &mut Vec<Output>) -> Answer {
        if targets.iter().count() > MOST_PARTICIPANTS {
            return Err(ErrorCode::TOO_MANY_PARTICIPANTS);
        }
        let users = targets.iter().map(|typed| self.callee(typed)).collect::<Result<Vec<_>, _>>()?;
        self.begin_call(reply, users, false, CallStatus::Unplaced, now, out)
    }

    pub(super) fn call_voicemail(&mut self, reply: Line, typed: &str, now: Now, out: &mut Vec<Output>) -> Answer {
        let user = self.callee(typed)?;
        self.begin_call(reply, vec![user], true, CallStatus::Routing, now, out)
    }

    /// Whom a client means to call (skype-api 6: 91 to 101).
    fn callee(&self, typed: &str) -> Result<Handle, ErrorCode> {
        if let Some(user) = self.users.by_speed_dial(typed) {
            return Ok(user.handle.clone());
        }
        if typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ErrorCode::CALL_UNRECOGNISED_NUMBER);
        }
        let user = self.names.parse(typed).ok_or(ErrorCode::CALL_INVALID_NAME)?;
        if user == self.me.handle {
            return Err(ErrorCode::CALL_OWN_ACCOUNT);
        }
        if self.users.get(user.as_str()).is_some_and(|user| user.blocked) {
            return Err(ErrorCode::CALL_BLOCKED_BY_US);
        }
        let outgoing = |status| {
            matches!(status, CallStatus::Unplaced | CallStatus::Routing | CallStatus::Ringing | CallStatus::EarlyMedia)
        };
        for (_, call) in self.calls.active() {
            if call.partner == user {
                return Err(ErrorCode::CALL_ALREADY);
            }
            if !call.is_incoming() && outgoing(call.status) {
                return Err(ErrorCode::CALL_OTHER_OUTGOING);
            }
        }
        Ok(user)
    }

    fn begin_call(
        &mut self,
        reply: Line,
        users: Vec<Handle>,
        voicemail: bool,
        status: CallStatus,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        if !self.wants_online() {
            return Err(ErrorCode::CALL_NOT_ONLINE);
        }
        if !self.is_online() {
            return Err(ErrorCode::CALL_NOT_CONNECTED);
        }
        let partner = users.first().cloned().ok_or(ErrorCode::CALL_INVALID_HANDLE)?;
        let kind = if is_phone_number(partner.as_str()) { CallType::OutgoingPstn } else { CallType::OutgoingP2p };
        let id = self.new_id();
        self.users.change(&partner, |user| user.contacted = true);
        self.calls.add(id, Call::new(partner, kind, status, now.unix));
        self.ask(Task::PlaceCall { users, voicemail }, Pending::PlaceCall(id), out);
        self.announce_call(id, CallProperty::Status, out);
        if status == CallStatus::Unplaced {
            self.set_call_status(id, CallStatus::Routing, out);
        }
        Ok(reply.part("CALL").value(id).part(CallProperty::Status.word()).part(status.word()))
    }

    /// The network has taken a call, or not.
    pub(super) fn place_call_done(&mut self, id: ObjectId, outcome: Outcome, out: &mut Vec<Output>) {
        match outcome {
            Ok(receipt) => {
                let ended = self.calls.change(id, |call| {
                    call.remote = receipt.remote;
                    call.is_over().then(|| call.remote.clone()).flatten()
                });
                // Hung up before the network knew of it.
                if let Some(Some(call)) = ended {
                    self.ask(Task::Call { call, control: CallControl::End }, Pending::Nothing, out);
                }
            }
            Err(failure) => {
                let reason = match failure {
                    Failure::UnknownUser => USER_UNKNOWN,
                    Failure::NotConnected => USER_OFFLINE,
                    // The network does not say why: that somebody is not there is reason enough.
                    Failure::Refused if self.is_away(id) => USER_OFFLINE,
                    Failure::Refused | Failure::Unclear => MISCELLANEOUS,
                };
                self.fail_call(id, reason, out);
            }
        }
    }

    /// Whether a call is with a contact of whom we know that they are not there.
    fn is_away(&self, id: ObjectId) -> bool {
        let user = self.calls.get(id).and_then(|call| self.users.get(call.partner.as_str()));
        user.is_some_and(|user| user.relation == Relation::Contact && user.presence == Presence::Offline)
    }

    fn fail_call(&mut self, id: ObjectId, reason: u8, out: &mut Vec<Output>) {
        if self.calls.get(id).is_some_and(|call| !call.is_over()) {
            self.calls.change(id, |call| call.failure = reason);
            self.announce_call(id, CallProperty::FailureReason, out);
            self.set_call_status(id, CallStatus::Failed, out);
        }
    }

    /// The network has done something to a call, or not: then it is as it was, and clients hear that.
    pub(super) fn call_done(&mut self, id: ObjectId, before: Option<CallUndo>, done: bool, out: &mut Vec<Output>) {
        if done {
            return;
        }
        match before {
            None => self.announce_call(id, CallProperty::Status, out),
            Some(CallUndo::Device(place, device)) => {
                self.calls.change(id, |call| call.devices[place] = device);
                let property = [CallProperty::Input, CallProperty::Output, CallProperty::CaptureMic][place];
                self.announce_call(id, property, out);
            }
            Some(CallUndo::TransferredTo(target)) => {
                self.calls.change(id, |call| call.transferred_to = target);
                self.announce_call(id, CallProperty::Status, out);
            }
            Some(CallUndo::Conference(conference, other, others)) => {
                self.set_conference(id, conference, out);
                self.set_conference(other, others, out);
            }
        }
    }

    fn set_conference(&mut self, id: ObjectId, conference: u32, out: &mut Vec<Output>) {
        let changed = self.calls.change(id, |call| std::mem::replace(&mut call.conference, conference) != conference);
        if changed == Some(true) {
            self.announce_call(id, CallProperty::ConferenceId, out);
        }
    }

    fn control(
        &mut self,
        id: ObjectId,
        control: CallControl,
        refused: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        self.control_with(id, control, None, refused, out)
    }

    /// Has the network do something to a call that it knows.
    fn control_with(
        &mut self,
        id: ObjectId,
        control: CallControl,
        before: Option<CallUndo>,
        refused: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        let call = self.calls.get(id).and_then(|call| call.remote.clone()).ok_or(refused)?;
        self.ask(Task::Call { call, control }, Pending::Call(id, before), out);
        Ok(())
    }

    pub(super) fn set_call(
        &mut self,
        reply: Line,
        id: ObjectId,
        change: CallChange,
        protocol: Protocol,
        out: &mut Vec<Output>,
    ) -> Answer {
        // Of an unknown number Skype says that it is none (skype-api 7.10).
        self.calls.get(id).ok_or(ErrorCode::SET_CALL_INVALID_ID)?;
        match change {
            CallChange::Take => {
                self.take_call(id, ErrorCode::CALL_CANNOT_RESUME, out)?;
                Ok(reply.part(CallStatus::InProgress.word()))
            }
            CallChange::Hold => {
                self.hold_call(id, ErrorCode::CALL_CANNOT_HOLD, out)?;
                Ok(reply.part(call_word(CallStatus::LocalHold, false, protocol)))
            }
            CallChange::End => {
                let status = self.end_call(id, ErrorCode::CALL_CANNOT_HANGUP, out)?;
                let incoming = self.calls.get(id).is_some_and(Call::is_incoming);
                Ok(reply.part(call_word(status, incoming, protocol)))
            }
            CallChange::Seen => {
                self.calls.change(id, |call| call.seen = true);
                self.announce_call(id, CallProperty::Seen, out);
                Ok(reply.boolean(true))
            }
            CallChange::Dtmf(key) => {
                self.send_key(id, key, ErrorCode::CALL_NOT_ACTIVE, out)?;
                Ok(reply)
            }
            CallChange::JoinConference(other) => {
                // Not in the table of refusals: that there is no such call is told first, with or without conferences.
                if !self.capabilities.can(Ability::Conferences) {
                    return Err(ErrorCode::CANNOT_CREATE_CONFERENCE);
                }
                let conference = self.join_conference(id, other, ErrorCode::CANNOT_CREATE_CONFERENCE, out)?;
                // The reply is about what comes of it (skype-api 3.7).
                Ok(reply.restart().part("CALL").value(id).part("CONF_ID").value(conference))
            }
        }
    }

    pub(super) fn alter_call(
        &mut self,
        reply: Line,
        id: ObjectId,
        action: AlterCall<'_>,
        out: &mut Vec<Output>,
    ) -> Answer {
        let call = self.calls.get(id).ok_or(ErrorCode::ALTER_CALL_INVALID_ID)?;
        let failed = ErrorCode::ALTER_CALL_FAILED;
        match action {
            AlterCall::Answer if !call.is_incoming() || call.status != CallStatus::Ringing => return Err(failed),
            AlterCall::Resume if call.status != CallStatus::LocalHold => return Err(failed),
            AlterCall::Answer | AlterCall::Resume => self.take_call(id, failed, out)?,
            AlterCall::Hold => self.hold_call(id, failed, out)?,
            AlterCall::Hangup => {
                self.end_call(id, failed, out)?;
            }
            AlterCall::RedirectToVoicemail | AlterCall::Forward => {
                if !call.is_incoming() || call.status != CallStatus::Ringing {
                    return Err(failed);
                }
                let redirect = action == AlterCall::RedirectToVoicemail;
                let control = if redirect { CallControl::Redirect } else { CallControl::Forward };
                self.control(id, control, failed, out)?;
            }
            AlterCall::Dtmf(key) => self.send_key(id, key, failed, out)?,
            AlterCall::JoinConference(other) => {
                self.join_conference(id, other, failed, out)?;
            }
            AlterCall::Transfer(targets) => {
                let targets: Option<Vec<_>> = targets.iter().map(|typed| self.names.parse(typed)).collect();
                let targets = targets.filter(|_| !call.is_over()).ok_or(failed)?;
                let first = targets.first().cloned();
                let before = CallUndo::TransferredTo(call.transferred_to.clone());
                self.control_with(id, CallControl::Transfer(targets), Some(before), failed, out)?;
                self.calls.change(id, |call| call.transferred_to = first);
            }
            AlterCall::Video { send, start } => {
                if call.status != CallStatus::InProgress {
                    return Err(failed);
                }
                self.control(id, CallControl::Video { send, start }, failed, out)?;
            }
            AlterCall::Device { action, device } => {
                let (place, role, property) = match action {
                    CallAction::SetOutput => (1, DeviceRole::Output, CallProperty::Output),
                    CallAction::SetCaptureMic => (2, DeviceRole::CaptureMic, CallProperty::CaptureMic),
                    _ => (0, DeviceRole::Input, CallProperty::Input),
                };
                if !device_files(device).all(|path| self.avatars.allows(path)) {
                    return Err(failed);
                }
                let before = CallUndo::Device(place, call.devices[place].clone());
                let control = CallControl::Device { role, device: device.to_owned() };
                self.control_with(id, control, Some(before), failed, out)?;
                self.calls.change(id, |call| device.clone_into(&mut call.devices[place]));
                self.announce_call(id, property, out);
            }
        }
        Ok(reply)
    }

    /// Answers a call that rings here, or goes on with one that is on hold.
    fn take_call(&mut self, id: ObjectId, refused: ErrorCode, out: &mut Vec<Output>) -> Result<(), ErrorCode> {
        let call = self.calls.get(id).ok_or(refused)?;
        match call.status {
            CallStatus::Ringing if call.is_incoming() => self.control(id, CallControl::Answer, refused, out),
            CallStatus::LocalHold => self.control(id, CallControl::Hold(false), refused, out),
            // Twice does no harm.
            CallStatus::InProgress => Ok(()),
            _ => Err(refused),
        }
    }

    fn hold_call(&mut self, id: ObjectId, refused: ErrorCode, out: &mut Vec<Output>) -> Result<(), ErrorCode> {
        match self.calls.get(id).map(|call| call.status) {
            Some(CallStatus::InProgress | CallStatus::RemoteHold) => {
                self.control(id, CallControl::Hold(true), refused, out)
            }
            _ => Err(refused),
        }
    }

    /// Ends a call for us at once, whatever the network says of it later; tells what became of it.
    fn end_call(&mut self, id: ObjectId, refused: ErrorCode, out: &mut Vec<Output>) -> Result<CallStatus, ErrorCode> {
        let call = self.calls.get(id).filter(|call| !call.is_over()).ok_or(refused)?;
        let status = match call.status {
            CallStatus::Ringing if call.is_incoming() => CallStatus::Refused,
            CallStatus::Unplaced | CallStatus::Routing | CallStatus::Ringing | CallStatus::EarlyMedia => {
                CallStatus::Cancelled
            }
            CallStatus::VoicemailBufferingGreeting
            | CallStatus::VoicemailPlayingGreeting
            | CallStatus::VoicemailRecording => CallStatus::VoicemailCancelled,
            _ => CallStatus::Finished,
        };
        if let Some(call) = call.remote.clone() {
            self.ask(Task::Call { call, control: CallControl::End }, Pending::Nothing, out);
        }
        self.set_call_status(id, status, out);
        Ok(status)
    }

    fn send_key(
        &mut self,
        id: ObjectId,
        key: char,
        refused: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        if self.calls.get(id).is_none_or(|call| call.status != CallStatus::InProgress) {
            return Err(refused);
        }
        self.control(id, CallControl::Dtmf(key), refused, out)?;
        let line = Line::about("CALL", id, CallProperty::Dtmf.word()).value(key);
        self.announce(CallProperty::Dtmf.since(), line, out);
        Ok(())
    }

    /// Puts a call into the conference of another; tells which conference that is.
    fn join_conference(
        &mut self,
        id: ObjectId,
        other: u32,
        refused: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Result<u32, ErrorCode> {
        let other = ObjectId(other);
        let joined = self.calls.get(other).filter(|call| !call.is_over() && other != id).ok_or(refused)?;
        let (conference, remote) = (joined.conference, joined.remote.clone().ok_or(refused)?);
        let before = self.calls.get(id).filter(|call| !call.is_over()).ok_or(refused)?.conference;
        let before = CallUndo::Conference(before, other, conference);
        self.control_with(id, CallControl::Join(remote), Some(before), refused, out)?;
        let conference = if conference == 0 { self.new_id().0 } else { conference };
        self.set_conference(id, conference, out);
        self.set_conference(other, conference, out);
        Ok(conference)
    }

    /// The network tells of a call.
    pub(super) fn call_event(&mut self, told: backend::Call, now: Now, out: &mut Vec<Output>) {
        let known = self.calls.by_remote(&told.id);
        let new = known.is_none();
        let id = known.unwrap_or_else(|| self.new_id());
        if new {
            let time = told.time.filter(|_| !self.local_time).unwrap_or(now.unix);
            let mut call = Call::new(told.partner.clone(), told.kind, CallStatus::Unplaced, time);
            call.remote = Some(told.id.clone());
            self.calls.add(id, call);
            self.users.change(&told.partner, |user| user.contacted = true);
            self.announce_call(id, CallProperty::ConferenceId, out);
        } else if self.calls.get(id).is_some_and(Call::is_over) {
            // We have hung up; what the network says of it comes too late.
            return;
        }
        out.extend(told.page.map(Output::CallPage));
        let before = self.calls.get(id).cloned();
        self.calls.change(id, |call| {
            call.failure = told.failure.unwrap_or(call.failure);
            call.video_send = told.video_send.unwrap_or(call.video_send);
            call.video_receive = told.video_receive.unwrap_or(call.video_receive);
            call.transfer = told.transfer.or(call.transfer);
            call.transferred_by = told.transferred_by.or(call.transferred_by.take());
            if let Some(participants) = told.participants {
                call.participants = participants;
            }
            if told.status == CallStatus::InProgress && call.answered.is_none() {
                call.answered = Some(now.unix);
            }
        });
        let (Some(before), Some(after)) = (before, self.calls.get(id)) else { return };
        let changed = [
            (CallProperty::FailureReason, before.failure != after.failure),
            (CallProperty::ConferenceParticipantsCount, before.participants.len() != after.participants.len()),
            (CallProperty::VideoSendStatus, before.video_send != after.video_send),
            (CallProperty::VideoReceiveStatus, before.video_receive != after.video_receive),
            (CallProperty::VideoStatus, video_status(&before) != video_status(after)),
            (CallProperty::TransferStatus, before.transfer != after.transfer),
        ];
        for (property, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            self.announce_call(id, property, out);
        }
        let answered = !before.is_incoming() && before.answered.is_none() && after.answered.is_some();
        // What a client hears of a call of ours that is answered (skype-api 7.10).
        if answered {
            self.announce_call(id, CallProperty::VaaInputStatus, out);
        }
        self.set_call_status(id, told.status, out);
        if answered {
            self.announce_call(id, CallProperty::VideoStatus, out);
        }
    }

    /// Without a connection there are no calls.
    pub(super) fn calls_end(&mut self, out: &mut Vec<Output>) {
        let ended: Vec<_> = self.calls.active().map(|(id, call)| (id, call.answered.is_some())).collect();
        for (id, answered) in ended {
            if answered {
                self.set_call_status(id, CallStatus::Finished, out);
            } else {
                self.fail_call(id, USER_OFFLINE, out);
            }
        }
    }

    /// When a call in progress is a second longer.
    pub(super) fn call_timeout(&self) -> Option<Duration> {
        let talking = self.calls.active().any(|(_, call)| call.status == CallStatus::InProgress);
        talking.then_some(self.next_second)
    }

    /// Calls in progress are told to be longer, once a second (skype-api 4.3).
    pub(super) fn calls_go_on(&mut self, now: Now, out: &mut Vec<Output>) {
        if now.monotonic < self.next_second {
            return;
        }
        self.next_second = Duration::from_secs(now.monotonic.as_secs() + 1);
        let talking = self.calls.active().filter(|(_, call)| call.status == CallStatus::InProgress);
        let talking: Vec<_> = talking.map(|(id, _)| id).collect();
        for id in talking {
            let longer = self.calls.change(id, |call| {
                let duration = now.unix.saturating_sub(call.answered.unwrap_or(now.unix));
                std::mem::replace(&mut call.duration, duration) != duration
            });
            if longer == Some(true) {
                self.announce_call(id, CallProperty::Duration, out);
            }
        }
    }

    /// Which calls were with this user; with anybody if none is named.
    fn calls_with(&self, typed: &str, unknown: ErrorCode) -> Result<impl Fn(&Call) -> bool + use<>, ErrorCode> {
        let partner = match typed {
            "" => None,
            typed => Some(self.names.parse(typed).ok_or(unknown)?),
        };
        Ok(move |call: &Call| partner.as_ref().is_none_or(|user| call.partner == *user))
    }

    pub(super) fn search_calls(&self, reply: Line, typed: &str) -> Answer {
        let is_with = self.calls_with(typed, ErrorCode::SEARCH_CALLS_TARGET)?;
        let calls = self.calls.newest_first().filter(|(_, call)| is_with(call));
        Ok(reply.list(Separator::CommaSpace, calls.map(|(id, _)| id)))
    }

    pub(super) fn clear_calls(
        &mut self,
        reply: Line,
        which: CallHistory,
        typed: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        let is_with = self.calls_with(typed, ErrorCode::CLEAR_CALLHISTORY_HANDLE)?;
        self.calls.clear(|call| {
            let chosen = match which {
                CallHistory::All => true,
                CallHistory::Missed => call.status == CallStatus::Missed,
                CallHistory::Incoming => call.is_incoming(),
                CallHistory::Outgoing => !call.is_incoming(),
            };
            chosen && is_with(call)
        });
        self.announce(Protocol::LOWEST, Line::notification().part("CALLHISTORYCHANGED"), out);
        Ok(reply)
    }
}

fn video_status(call: &Call) -> VideoStatus {
    let runs = |status| status == VideoStreamStatus::Running;
    match (runs(call.video_send), runs(call.video_receive)) {
        (true, true) => VideoStatus::Both,
        (true, false) => VideoStatus::Send,
        (false, true) => VideoStatus::Receive,
        (false, false) => VideoStatus::None,
    }
}

/// The word for a status in a protocol: the first had fewer (skype-api 2).
fn call_word(status: CallStatus, incoming: bool, protocol: Protocol) -> &'static str {
    let status = match status {
        CallStatus::LocalHold | CallStatus::RemoteHold if protocol < Protocol::HOLDS => CallStatus::OnHold,
        CallStatus::Cancelled if protocol < Protocol::HOLDS && incoming => CallStatus::Missed,
        CallStatus::Cancelled if protocol < Protocol::HOLDS => CallStatus::Finished,
        CallStatus::Transferring if protocol < Protocol::CALL_TRANSFERS => CallStatus::InProgress,
        CallStatus::Transferred if protocol < Protocol::CALL_TRANSFERS => CallStatus::Finished,
        CallStatus::WaitingRedialCommand | CallStatus::RedialPending if protocol < Protocol::HIGHEST => {
            CallStatus::Routing
        }
        status => status,
    };
    status.word()
}
