//! File transfers (skype-api 3.12, 3.16, 4.12, 7.12).

use crate::backend;
use crate::backend::Task;
use crate::model::FileTransferFailure;
use crate::model::FileTransferStatus;
use crate::model::FileTransferType;
use crate::model::ObjectId;
use crate::model::Transfer;
use crate::skype::ErrorCode;
use crate::skype::FileTransferProperty;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;

impl Engine {
    pub(super) fn get_transfer(&self, reply: Line, id: ObjectId, property: FileTransferProperty) -> Answer {
        let transfer = self.transfers.get(id).ok_or(ErrorCode::GET_INVALID_WHAT)?;
        Ok(self.transfer_value(reply, transfer, property))
    }

    /// Adds the value of a property to a line.
    fn transfer_value(&self, line: Line, transfer: &Transfer, property: FileTransferProperty) -> Line {
        match property {
            FileTransferProperty::Type => line.part(transfer.kind.word()),
            FileTransferProperty::Status => line.part(transfer.status.word()),
            FileTransferProperty::FailureReason => {
                line.part(transfer.failure.unwrap_or(FileTransferFailure::Unknown).word())
            }
            FileTransferProperty::PartnerHandle => line.part(transfer.partner.as_str()),
            FileTransferProperty::PartnerDisplayName => line.one_line(self.display_name(&transfer.partner)),
            FileTransferProperty::StartTime => line.value(transfer.started),
            FileTransferProperty::FinishTime => line.value(transfer.finished),
            FileTransferProperty::FilePath => line.one_line(&transfer.path),
            FileTransferProperty::FileName => line.one_line(&transfer.name),
            FileTransferProperty::FileSize => line.value(transfer.size),
            FileTransferProperty::BytesPerSecond => line.value(transfer.speed),
            FileTransferProperty::BytesTransferred => line.value(transfer.transferred),
            // Transfers have no message here.
            FileTransferProperty::ChatMessage => line.value(0),
        }
    }

    fn announce_transfer(&self, id: ObjectId, property: FileTransferProperty, out: &mut Vec<Output>) {
        let Some(transfer) = self.transfers.get(id) else { return };
        let line = Line::about("FILETRANSFER", id, property.word());
        self.announce(Protocol::LOWEST, self.transfer_value(line, transfer, property), out);
    }

    /// Takes or stops a file (skype-api 3.16).
    pub(super) fn alter_transfer(
        &mut self,
        reply: Line,
        id: ObjectId,
        accept: Option<&str>,
        out: &mut Vec<Output>,
    ) -> Answer {
        let transfer = self.transfers.get(id).filter(|transfer| !transfer.is_over());
        let transfer = transfer.ok_or(ErrorCode::ALTER_UNKNOWN_TYPE)?;
        let waits = matches!(transfer.status, FileTransferStatus::New | FileTransferStatus::WaitingForAccept);
        if accept.is_some() && (transfer.kind != FileTransferType::Incoming || !waits) {
            return Err(ErrorCode::ALTER_UNKNOWN_TYPE);
        }
        // Only where the user said that clients may have files written.
        if accept.is_some_and(|folder| !self.avatars.allows(folder)) {
            return Err(ErrorCode::NO_SUCH_DIRECTORY);
        }
        let task = Task::File { file: transfer.remote.clone(), accept: accept.map(str::to_owned) };
        self.ask(task, Pending::Nothing, out);
        Ok(reply)
    }

    /// The network tells of a file.
    pub(super) fn file_event(&mut self, told: backend::File, now: Now, out: &mut Vec<Output>) {
        let Some(id) = self.transfers.by_remote(&told.id) else {
            let mut transfer = Transfer {
                remote: told.id,
                kind: told.kind,
                partner: told.partner,
                status: told.status,
                failure: told.failure,
                name: told.name,
                path: told.path.unwrap_or_default(),
                size: told.size,
                transferred: told.transferred.unwrap_or(0),
                speed: told.speed.unwrap_or(0),
                started: now.unix,
                finished: 0,
            };
            if transfer.is_over() {
                transfer.finished = now.unix;
            }
            let id = self.new_id();
            self.transfers.add(id, transfer);
            // Every property once, in the order of a recording (skype-api 7.12).
            for property in [
                FileTransferProperty::Type,
                FileTransferProperty::PartnerHandle,
                FileTransferProperty::PartnerDisplayName,
                FileTransferProperty::FileName,
                FileTransferProperty::Status,
                FileTransferProperty::FileSize,
                FileTransferProperty::StartTime,
                FileTransferProperty::FinishTime,
                FileTransferProperty::BytesPerSecond,
                FileTransferProperty::BytesTransferred,
                FileTransferProperty::FileSize,
            ] {
                self.announce_transfer(id, property, out);
            }
            return;
        };
        let Some(transfer) = self.transfers.get_mut(id) else { return };
        let before = transfer.clone();
        transfer.status = told.status;
        transfer.failure = told.failure.or(transfer.failure);
        transfer.path = told.path.unwrap_or_else(|| std::mem::take(&mut transfer.path));
        transfer.size = told.size;
        transfer.transferred = told.transferred.unwrap_or(transfer.transferred);
        transfer.speed = told.speed.unwrap_or(transfer.speed);
        if transfer.is_over() && !before.is_over() {
            transfer.finished = now.unix;
        }
        let changed = [
            (FileTransferProperty::FilePath, before.path != transfer.path),
            (FileTransferProperty::FileSize, before.size != transfer.size),
            (FileTransferProperty::BytesPerSecond, before.speed != transfer.speed),
            (FileTransferProperty::BytesTransferred, before.transferred != transfer.transferred),
            (FileTransferProperty::FinishTime, before.finished != transfer.finished),
            (FileTransferProperty::FailureReason, before.failure != transfer.failure),
            (FileTransferProperty::Status, before.status != transfer.status),
        ];
        for (property, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            self.announce_transfer(id, property, out);
        }
    }

    pub(super) fn search_transfers(&self, reply: Line, only_active: bool) -> Line {
        let found = self.transfers.newest_first().filter(|(_, transfer)| !only_active || !transfer.is_over());
        reply.list(Separator::CommaSpace, found.map(|(id, _)| id))
    }
}
