//! Voicemails (skype-api 3.8, 4.8, 7.13).

use crate::backend;
use crate::backend::Task;
use crate::model::ObjectId;
use crate::model::Voicemail;
use crate::model::VoicemailFailure;
use crate::model::VoicemailStatus;
use crate::model::VoicemailType;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Separator;
use crate::skype::VoicemailAction;
use crate::skype::VoicemailProperty;
use crate::skype::device_files;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;

impl Engine {
    pub(super) fn get_voicemail(&self, reply: Line, id: ObjectId, property: VoicemailProperty) -> Answer {
        let voicemail = self.voicemails.get(id).ok_or(ErrorCode::VOICEMAIL_INVALID_OBJECT)?;
        Ok(self.voicemail_value(reply, voicemail, property))
    }

    /// Adds the value of a property to a line.
    fn voicemail_value(&self, line: Line, voicemail: &Voicemail, property: VoicemailProperty) -> Line {
        match property {
            VoicemailProperty::Type => line.part(voicemail.kind.word()),
            VoicemailProperty::PartnerHandle => line.part(voicemail.partner.as_str()),
            VoicemailProperty::PartnerDisplayName => line.one_line(self.display_name(&voicemail.partner)),
            VoicemailProperty::Status => line.part(voicemail.status.word()),
            VoicemailProperty::FailureReason => line.part(voicemail.failure.word()),
            VoicemailProperty::Timestamp => line.value(voicemail.time),
            VoicemailProperty::Duration => line.value(voicemail.duration),
            VoicemailProperty::AllowedDuration => line.value(voicemail.allowed),
            VoicemailProperty::Input => line.part(&voicemail.devices[0]),
            VoicemailProperty::Output => line.part(&voicemail.devices[1]),
            VoicemailProperty::CaptureMic => line.part(&voicemail.devices[2]),
        }
    }

    fn announce_voicemail(&self, id: ObjectId, property: VoicemailProperty, out: &mut Vec<Output>) {
        let Some(voicemail) = self.voicemails.get(id) else { return };
        let line = Line::about("VOICEMAIL", id, property.word());
        self.announce(property.since(), self.voicemail_value(line, voicemail, property), out);
    }

    pub(super) fn alter_voicemail(
        &mut self,
        reply: Line,
        id: ObjectId,
        action: VoicemailAction,
        device: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        self.voicemails.get(id).ok_or(ErrorCode::ALTER_VOICEMAIL_INVALID_ID)?;
        if !device_files(device).all(|path| self.avatars.allows(path)) {
            return Err(ErrorCode::ALTER_VOICEMAIL_FAILED);
        }
        self.ask_about_voicemail(id, action, device, ErrorCode::ALTER_VOICEMAIL_FAILED, out)?;
        let place = match action {
            VoicemailAction::SetInput => Some(0),
            VoicemailAction::SetOutput => Some(1),
            VoicemailAction::SetCaptureMic => Some(2),
            _ => None,
        };
        if let (Some(place), Some(voicemail)) = (place, self.voicemails.get_mut(id)) {
            device.clone_into(&mut voicemail.devices[place]);
        }
        Ok(reply)
    }

    /// Plays a voicemail, as its window did.
    pub(super) fn open_voicemail(&mut self, reply: Line, target: &str, out: &mut Vec<Output>) -> Answer {
        let id = target.parse().map(ObjectId).map_err(|_| ErrorCode::VOICEMAIL_INVALID_ID)?;
        self.ask_about_voicemail(id, VoicemailAction::StartPlayback, "", ErrorCode::VOICEMAIL_INVALID_ID, out)?;
        Ok(reply)
    }

    fn ask_about_voicemail(
        &mut self,
        id: ObjectId,
        action: VoicemailAction,
        device: &str,
        refused: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        let voicemail = self.voicemails.get(id).map(|voicemail| voicemail.remote.clone()).ok_or(refused)?;
        if !self.is_online() {
            return Err(refused);
        }
        let task = Task::Voicemail { voicemail, action, device: device.to_owned() };
        self.ask(task, Pending::Nothing, out);
        Ok(())
    }

    /// The network tells of a voicemail.
    pub(super) fn voicemail_event(&mut self, told: backend::Voicemail, now: Now, out: &mut Vec<Output>) {
        let Some(id) = self.voicemails.by_remote(&told.id) else {
            let (duration, allowed) = told.duration.unwrap_or_default();
            let voicemail = Voicemail {
                remote: told.id,
                kind: told.kind,
                partner: told.partner,
                status: told.status,
                failure: told.failure.unwrap_or(VoicemailFailure::NoError),
                time: told.time.filter(|_| !self.local_time).unwrap_or(now.unix),
                duration,
                allowed,
                devices: Default::default(),
            };
            let id = self.new_id();
            self.voicemails.add(id, voicemail);
            for property in [VoicemailProperty::Type, VoicemailProperty::PartnerHandle, VoicemailProperty::Status] {
                self.announce_voicemail(id, property, out);
            }
            return;
        };
        let Some(voicemail) = self.voicemails.get_mut(id) else { return };
        let mut changed = Vec::new();
        if let Some((duration, allowed)) = told.duration.filter(|told| *told != (voicemail.duration, voicemail.allowed))
        {
            (voicemail.duration, voicemail.allowed) = (duration, allowed);
            changed.push(VoicemailProperty::Duration);
        }
        if let Some(failure) = told.failure.filter(|failure| *failure != voicemail.failure) {
            voicemail.failure = failure;
            changed.push(VoicemailProperty::FailureReason);
        }
        if std::mem::replace(&mut voicemail.status, told.status) != told.status {
            changed.push(VoicemailProperty::Status);
        }
        for property in changed {
            self.announce_voicemail(id, property, out);
        }
        if told.status == VoicemailStatus::Deleting {
            self.voicemails.remove(id);
        }
    }

    pub(super) fn search_voicemails(&self, reply: Line, only_missed: bool) -> Line {
        let missed = |voicemail: &Voicemail| {
            let heard = matches!(voicemail.status, VoicemailStatus::Playing | VoicemailStatus::Played);
            voicemail.kind == VoicemailType::Incoming && !heard
        };
        let found = self.voicemails.newest_first().filter(|(_, voicemail)| !only_missed || missed(voicemail));
        reply.list(Separator::CommaSpace, found.map(|(id, _)| id))
    }

    pub(super) fn search_greeting(&self, reply: Line, typed: &str) -> Answer {
        let user = self.names.parse(typed).ok_or(ErrorCode::SEARCH_GREETING_HANDLE)?;
        let greeting = self.voicemails.greeting(&user).ok_or(ErrorCode::SEARCH_GREETING_FAILED)?;
        Ok(reply.value(greeting))
    }
}
