//! Short messages (skype-api 3.9, 4.9, 7.11). They can be composed on any network; whether one can
//! be sent is told as Skype told it, by a failure.

use crate::backend;
use crate::backend::Ability;
use crate::backend::Failure;
use crate::backend::Task;
use crate::model::ObjectId;
use crate::model::Sms;
use crate::model::SmsFailure;
use crate::model::SmsStatus;
use crate::model::SmsTarget;
use crate::model::SmsTargetStatus;
use crate::model::SmsType;
use crate::model::is_phone_number;
use crate::skype::ErrorCode;
use crate::skype::Items;
use crate::skype::Line;
use crate::skype::Separator;
use crate::skype::SmsChange;
use crate::skype::SmsProperty;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;

/// How many short messages are kept, and how many numbers one may have.
const MOST_SMS: usize = 1000;
const MOST_TARGETS: usize = 100;

impl Engine {
    pub(super) fn get_sms(&self, reply: Line, id: ObjectId, property: SmsProperty, chunk: u32) -> Answer {
        let sms = self.sms.get(&id).ok_or(ErrorCode::GET_INVALID_WHAT)?;
        if property == SmsProperty::Chunk {
            let (parts, _) = sms.parts();
            let part = parts.get(chunk as usize).ok_or(ErrorCode::GET_INVALID_WHAT)?;
            return Ok(reply.part(part));
        }
        Ok(sms_value(reply, sms, property))
    }

    fn announce_sms(&self, id: ObjectId, property: SmsProperty, out: &mut Vec<Output>) {
        let Some(sms) = self.sms.get(&id) else { return };
        let line = Line::about("SMS", id, property.word());
        self.announce(property.since(), sms_value(line, sms, property), out);
    }

    fn announce_sms_properties(&self, id: ObjectId, properties: &[SmsProperty], out: &mut Vec<Output>) {
        for property in properties {
            self.announce_sms(id, *property, out);
        }
    }

    pub(super) fn create_sms(
        &mut self,
        reply: Line,
        kind: SmsType,
        targets: Items<'_>,
        out: &mut Vec<Output>,
    ) -> Answer {
        if self.sms.len() >= MOST_SMS || targets.iter().count() > MOST_TARGETS {
            return Err(ErrorCode::CREATE_UNKNOWN_TYPE);
        }
        let id = self.new_id();
        self.sms.insert(id, Sms::new(kind, numbers(targets)));
        let told = [
            SmsProperty::Price,
            SmsProperty::Timestamp,
            SmsProperty::PricePrecision,
            SmsProperty::PriceCurrency,
            SmsProperty::Status,
        ];
        self.announce_sms_properties(id, &told, out);
        self.check_targets(id, out);
        Ok(reply.part("SMS").value(id).part(SmsProperty::Status.word()).part(SmsStatus::Composing.word()))
    }

    /// The numbers of a short message are looked at; what they cost only a network knows.
    fn check_targets(&mut self, id: ObjectId, out: &mut Vec<Output>) {
        let routable = self.capabilities.can(Ability::Sms);
        if let Some(sms) = self.sms.get_mut(&id) {
            sms.price = None;
        }
        self.announce_sms_properties(
            id,
            &[SmsProperty::TargetNumbers, SmsProperty::Price, SmsProperty::TargetStatuses],
            out,
        );
        let Some(sms) = self.sms.get_mut(&id) else { return };
        for target in &mut sms.targets {
            let good = routable && is_phone_number(&target.number);
            target.status = if good { SmsTargetStatus::Acceptable } else { SmsTargetStatus::NotRoutable };
        }
        self.announce_sms(id, SmsProperty::TargetStatuses, out);
    }

    pub(super) fn set_sms(
        &mut self,
        reply: Line,
        id: ObjectId,
        change: SmsChange<'_>,
        out: &mut Vec<Output>,
    ) -> Answer {
        let unknown = ErrorCode::SET_INVALID_WHAT;
        let sms = self.sms.get_mut(&id).ok_or(unknown)?;
        if change == SmsChange::Seen {
            if sms.status == SmsStatus::Received {
                sms.status = SmsStatus::Read;
                self.announce_sms(id, SmsProperty::Status, out);
            } else if std::mem::take(&mut sms.failed_unseen) {
                self.announce_sms(id, SmsProperty::IsFailedUnseen, out);
            } else {
                return Err(unknown);
            }
            let sms = self.sms.get(&id).ok_or(unknown)?;
            return Ok(reply.part(SmsProperty::Status.word()).part(sms.status.word()));
        }
        // What was sent cannot be changed.
        if sms.status != SmsStatus::Composing {
            return Err(unknown);
        }
        match change {
            SmsChange::Body(body) => {
                if body.len() > self.capabilities.max_body {
                    return Err(unknown);
                }
                body.clone_into(&mut sms.body);
                self.announce_sms(id, SmsProperty::Body, out);
                Ok(reply.part(body))
            }
            SmsChange::TargetNumbers(targets) => {
                let count = targets.iter().count();
                if count == 0 || count > MOST_TARGETS {
                    return Err(unknown);
                }
                sms.targets = numbers(targets);
                self.check_targets(id, out);
                Ok(reply.list(Separator::CommaSpace, targets.iter()))
            }
            SmsChange::ReplyToNumber(number) => {
                number.clone_into(&mut sms.reply_to);
                self.announce_sms(id, SmsProperty::ReplyToNumber, out);
                Ok(reply.part(number))
            }
            SmsChange::Seen => Err(unknown),
        }
    }

    pub(super) fn send_sms(&mut self, reply: Line, id: ObjectId, now: Now, out: &mut Vec<Output>) -> Answer {
        let unknown = ErrorCode::ALTER_UNKNOWN_TYPE;
        let sms = self.sms.get_mut(&id).filter(|sms| sms.status == SmsStatus::Composing).ok_or(unknown)?;
        sms.status = SmsStatus::SendingToServer;
        sms.time = now.unix;
        let task = Task::SendSms {
            kind: sms.kind,
            numbers: sms.targets.iter().map(|target| target.number.clone()).collect(),
            reply_to: sms.reply_to.clone(),
            body: sms.body.clone(),
        };
        let told = [SmsProperty::Status, SmsProperty::Timestamp, SmsProperty::TargetStatuses];
        self.announce_sms_properties(id, &told, out);
        if !self.capabilities.can(Ability::Sms) {
            self.fail_sms(id, SmsFailure::NoSmsCapability, out);
        } else if !self.is_online() || !self.may_ask() {
            self.fail_sms(id, SmsFailure::ServerConnectFailed, out);
        } else {
            self.ask(task, Pending::Sms(id), out);
        }
        Ok(reply)
    }

    fn fail_sms(&mut self, id: ObjectId, failure: SmsFailure, out: &mut Vec<Output>) {
        let Some(sms) = self.sms.get_mut(&id) else { return };
        sms.failure = Some(failure);
        sms.failed_unseen = true;
        sms.status = SmsStatus::Failed;
        for target in &mut sms.targets {
            target.status = SmsTargetStatus::DeliveryFailed;
        }
        let told =
            [SmsProperty::TargetStatuses, SmsProperty::FailureReason, SmsProperty::Status, SmsProperty::IsFailedUnseen];
        self.announce_sms_properties(id, &told, out);
    }

    /// The network has taken a short message, or not.
    pub(super) fn sms_done(&mut self, id: ObjectId, outcome: Outcome, out: &mut Vec<Output>) {
        match outcome {
            Ok(receipt) => {
                let Some(sms) = self.sms.get_mut(&id) else { return };
                sms.remote = receipt.remote;
                if sms.status == SmsStatus::SendingToServer {
                    sms.status = SmsStatus::SentToServer;
                    self.announce_sms(id, SmsProperty::Status, out);
                }
            }
            Err(Failure::NotConnected) => self.fail_sms(id, SmsFailure::ServerConnectFailed, out),
            Err(_) => self.fail_sms(id, SmsFailure::Miscellaneous, out),
        }
    }

    /// The network tells of a short message.
    pub(super) fn sms_event(&mut self, told: backend::Sms, now: Now, out: &mut Vec<Output>) {
        let known = self.sms.iter().find(|(_, sms)| sms.remote.as_ref() == Some(&told.id)).map(|(id, _)| *id);
        let id = match (known, told.arrived) {
            (Some(id), _) => id,
            (None, Some((number, body))) => {
                let mut sms =
                    Sms::new(SmsType::Incoming, vec![SmsTarget { number, status: SmsTargetStatus::Undefined }]);
                sms.remote = Some(told.id.clone());
                sms.body = body;
                sms.time = told.time.unwrap_or(now.unix);
                let id = self.new_id();
                self.sms.insert(id, sms);
                if self.sms.len() > MOST_SMS {
                    self.sms.pop_first();
                }
                id
            }
            // One that was deleted here.
            (None, None) => return,
        };
        let Some(sms) = self.sms.get_mut(&id) else { return };
        let mut changed = Vec::new();
        if let Some(price) = told.price.filter(|price| sms.price != Some(*price)) {
            sms.price = Some(price);
            changed.push(SmsProperty::Price);
        }
        if let Some(targets) = told.targets.filter(|targets| *targets != sms.targets) {
            sms.targets = targets;
            changed.push(SmsProperty::TargetStatuses);
        }
        if let Some(failure) = told.failure.filter(|failure| sms.failure != Some(*failure)) {
            sms.failure = Some(failure);
            changed.push(SmsProperty::FailureReason);
        }
        if std::mem::replace(&mut sms.status, told.status) != told.status {
            changed.push(SmsProperty::Status);
            if told.status == SmsStatus::Failed {
                sms.failed_unseen = true;
                changed.push(SmsProperty::IsFailedUnseen);
            }
        }
        self.announce_sms_properties(id, &changed, out);
    }

    pub(super) fn delete_sms(&mut self, reply: Line, id: ObjectId) -> Answer {
        self.sms.remove(&id).map(|_| reply).ok_or(ErrorCode::DELETE_UNKNOWN_TYPE)
    }

    pub(super) fn search_sms(&self, reply: Line, only_missed: bool) -> Line {
        let missed = |sms: &Sms| sms.status == SmsStatus::Received || sms.failed_unseen;
        let found = self.sms.iter().rev().filter(|(_, sms)| !only_missed || missed(sms));
        reply.list(Separator::CommaSpace, found.map(|(id, _)| id))
    }
}

/// The numbers of a command, not looked at yet.
fn numbers(targets: Items<'_>) -> Vec<SmsTarget> {
    let target = |number: &str| SmsTarget { number: number.to_owned(), status: SmsTargetStatus::Analyzing };
    targets.iter().map(target).collect()
}

/// Adds the value of a property to a line.
fn sms_value(line: Line, sms: &Sms, property: SmsProperty) -> Line {
    match property {
        SmsProperty::Body => line.part(&sms.body),
        SmsProperty::Type => line.part(sms.kind.word()),
        SmsProperty::Status => line.part(sms.status.word()),
        SmsProperty::FailureReason => line.part(sms.failure.unwrap_or(SmsFailure::Unknown).word()),
        SmsProperty::IsFailedUnseen => line.boolean(sms.failed_unseen),
        SmsProperty::Timestamp => line.value(sms.time),
        SmsProperty::Price => line.value(sms.price.unwrap_or(-1)),
        SmsProperty::PricePrecision => line.value(sms.currency.0),
        SmsProperty::PriceCurrency => line.part(&sms.currency.1),
        SmsProperty::ReplyToNumber => line.one_line(&sms.reply_to),
        SmsProperty::TargetNumbers => line.list(Separator::CommaSpace, sms.targets.iter().map(|target| &target.number)),
        SmsProperty::TargetStatuses => {
            let status = |target: &SmsTarget| format!("{}={}", target.number, target.status.word());
            line.list(Separator::CommaSpace, sms.targets.iter().map(status))
        }
        SmsProperty::Chunking => {
            let (parts, left) = sms.parts();
            line.value(parts.len()).value(left)
        }
        // Asked for with a number, or only set.
        SmsProperty::Chunk | SmsProperty::Seen => line.part(""),
    }
}
