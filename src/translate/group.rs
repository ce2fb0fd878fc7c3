//! Groups of users (skype-api 3.11, 4.11, 7.9).

use crate::model::Group;
use crate::model::GroupKind;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::User;
use crate::skype::ErrorCode;
use crate::skype::GroupAction;
use crate::skype::GroupProperty;
use crate::skype::GroupSelection;
use crate::skype::GroupType;
use crate::skype::Line;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::engine::Answer;

impl Engine {
    pub(super) fn get_group(&self, reply: Line, id: ObjectId, property: GroupProperty) -> Answer {
        let group = self.groups.find(id).ok_or(ErrorCode::GROUP_INVALID_OBJECT)?;
        Ok(match group {
            GroupKind::Custom(group) => custom_value(reply, id, group, property),
            GroupKind::Hardwired(place, group) => match property {
                GroupProperty::Type => reply.part(group.0.word()),
                GroupProperty::CustomGroupId => reply.value(0),
                // Clients have their own names for these.
                GroupProperty::DisplayName => reply.part(""),
                GroupProperty::NumberOfUsers => reply.value(self.users.group_size(place)),
                GroupProperty::NumberOfUsersOnline => reply.value(self.users.group_online(place)),
                GroupProperty::Users => {
                    let users = self.users.in_group(group).map(|user| &user.handle);
                    reply.list(Separator::CommaSpace, users)
                }
                GroupProperty::Visible => reply.boolean(true),
                GroupProperty::Expanded => reply.boolean(false),
            },
        })
    }

    pub(super) fn search_groups(&self, reply: Line, target: &str) -> Answer {
        let which = match target {
            "" => GroupSelection::All,
            word => GroupSelection::parse(word).ok_or(ErrorCode::SEARCH_GROUPS_TARGET)?,
        };
        let hardwired =
            (1..).map(ObjectId).take_while(|id| matches!(self.groups.find(*id), Some(GroupKind::Hardwired(..))));
        let hardwired = hardwired.filter(|_| which != GroupSelection::Custom);
        let custom = self.groups.ids().filter(|_| which != GroupSelection::Hardwired);
        Ok(reply.list(Separator::CommaSpace, hardwired.chain(custom)))
    }

    pub(super) fn create_group(&mut self, reply: Line, name: &str, out: &mut Vec<Output>) -> Answer {
        if !self.groups.has_room() {
            return Err(ErrorCode::GROUP_INVALID_PROPERTY);
        }
        let id = self.new_id();
        self.groups.add(id, name.to_owned());
        // One client takes the name from the second line and asks for members at the third (clients 6);
        // others take the number from the first (skype-api 8).
        for property in [GroupProperty::NumberOfUsers, GroupProperty::DisplayName, GroupProperty::NumberOfUsers] {
            self.announce_group(id, property, out);
        }
        Ok(reply)
    }

    pub(super) fn delete_group(&mut self, reply: Line, id: ObjectId, out: &mut Vec<Output>) -> Answer {
        let group = self.groups.remove(id).ok_or(ErrorCode::GROUP_INVALID_OBJECT)?;
        for member in group.members {
            self.users.change(&member, |user| user.groups.retain(|known| *known != id));
        }
        let line = Line::notification().part("DELETED").part("GROUP").value(id);
        self.announce(GroupProperty::Type.since(), line, out);
        Ok(reply)
    }

    pub(super) fn set_group_name(&mut self, reply: Line, id: ObjectId, name: &str, out: &mut Vec<Output>) -> Answer {
        let group = self.groups.custom_mut(id).ok_or(ErrorCode::GROUP_INVALID_OBJECT)?;
        if name.is_empty() || name.contains(['\n', '\r']) {
            return Err(ErrorCode::GROUP_INVALID_PROPERTY);
        }
        name.clone_into(&mut group.name);
        self.announce_group(id, GroupProperty::DisplayName, out);
        Ok(reply.part(name))
    }

    pub(super) fn alter_group(
        &mut self,
        reply: Line,
        id: ObjectId,
        action: GroupAction,
        typed: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        self.groups.custom(id).ok_or(ErrorCode::GROUP_INVALID_OBJECT)?;
        let user = self.names.parse(typed).and_then(|handle| self.users.get(handle.as_str()));
        match action {
            GroupAction::AddUser => {
                // Only contacts are in groups (skype-api 3.11).
                let user = user.filter(|user| user.is_listed()).ok_or(ErrorCode::GROUP_INVALID_PROPERTY)?;
                let (handle, online) = (user.handle.clone(), user.is_online());
                let new = !user.groups.contains(&id);
                if new {
                    self.users.change(&handle, |user| user.groups.push(id));
                    if let Some(group) = self.groups.custom_mut(id) {
                        group.members.push(handle);
                        group.online += usize::from(online);
                    }
                }
                self.announce_group(id, GroupProperty::NumberOfUsers, out);
                if new && online {
                    self.announce_group(id, GroupProperty::NumberOfUsersOnline, out);
                }
            }
            GroupAction::RemoveUser => {
                let user = user.filter(|user| user.groups.contains(&id)).ok_or(ErrorCode::GROUP_INVALID_PROPERTY)?;
                let handle = user.handle.clone();
                self.remove_from_group(&handle, id, out);
            }
            // There are no groups that several users share.
            GroupAction::Share | GroupAction::Accept | GroupAction::Decline => {
                return Err(ErrorCode::GROUP_INVALID_OBJECT);
            }
        }
        Ok(reply)
    }

    fn remove_from_group(&mut self, handle: &Handle, id: ObjectId, out: &mut Vec<Output>) {
        self.users.change(handle, |user| user.groups.retain(|known| *known != id));
        let Some(group) = self.groups.custom_mut(id) else { return };
        group.members.retain(|member| member != handle);
        self.announce_group(id, GroupProperty::NumberOfUsers, out);
        self.recount(id, out);
    }

    /// Who is no contact any more is in no group.
    pub(super) fn leave_groups(&mut self, handle: &Handle, out: &mut Vec<Output>) {
        for id in self.users.get(handle.as_str()).map(|user| user.groups.clone()).unwrap_or_default() {
            self.remove_from_group(handle, id, out);
        }
    }

    /// Somebody came or went.
    pub(super) fn recount_groups_of(&mut self, handle: &Handle, out: &mut Vec<Output>) {
        for id in self.users.get(handle.as_str()).map(|user| user.groups.clone()).unwrap_or_default() {
            self.recount(id, out);
        }
    }

    fn recount(&mut self, id: ObjectId, out: &mut Vec<Output>) {
        let users = &self.users;
        let Some(group) = self.groups.custom_mut(id) else { return };
        let is_there = |member: &&Handle| users.get(member.as_str()).is_some_and(User::is_online);
        let online = group.members.iter().filter(is_there).count();
        if std::mem::replace(&mut group.online, online) != online {
            self.announce_group(id, GroupProperty::NumberOfUsersOnline, out);
        }
    }

    fn announce_group(&self, id: ObjectId, property: GroupProperty, out: &mut Vec<Output>) {
        let Some(group) = self.groups.custom(id) else { return };
        let line = Line::about("GROUP", id, property.word());
        self.announce(property.since(), custom_value(line, id, group, property), out);
    }
}

/// Adds the value of a property of a group that a client made to a line.
fn custom_value(line: Line, id: ObjectId, group: &Group, property: GroupProperty) -> Line {
    match property {
        GroupProperty::Type => line.part(GroupType::Custom.word()),
        GroupProperty::CustomGroupId => line.value(id),
        GroupProperty::DisplayName => line.one_line(&group.name),
        GroupProperty::NumberOfUsers => line.value(group.members.len()),
        GroupProperty::NumberOfUsersOnline => line.value(group.online),
        GroupProperty::Users => line.list(Separator::CommaSpace, &group.members),
        GroupProperty::Visible => line.boolean(true),
        GroupProperty::Expanded => line.boolean(false),
    }
}
