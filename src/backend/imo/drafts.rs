//! The calls of the protocol that we make (imo-protocol 4): pure.

use serde_json::Value;
use serde_json::json;

use super::buid;
use super::events::primitive;
use super::events::typing_state;
use crate::backend::Presence;
use crate::backend::Typing;
use crate::imo::PROTO;

/// A call to a part of the service, before it has its place in a session.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) system: &'static str,
    pub(super) method: &'static str,
    /// Only of `send_im`.
    pub(super) request_id: Option<u64>,
    pub(super) arguments: Value,
}

/// Who calls.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) ssid: &'a str,
    pub(super) uid: &'a str,
}

impl Caller<'_> {
    pub(super) fn get_cookie_and_ssid(self) -> Draft {
        let arguments = json!({"ssid": self.ssid, "kind": "reui", "version": crate::imo::CLIENT_VERSION});
        draft("session", "get_cookie_and_ssid", arguments)
    }

    /// Opens a session of version 0 (imo-protocol 11).
    pub(super) fn get_ssid(self) -> Draft {
        draft("ssid", "get_ssid", json!({"ssid": self.ssid}))
    }

    /// Precedes the login of version 0 (imo-protocol 11).
    pub(super) fn cookie_login(self) -> Draft {
        draft("session", "cookie_login", json!({"ssid": self.ssid}))
    }

    pub(super) fn account_login(self, password: &str) -> Draft {
        self.of_account("im", "account_login", json!({"passwd": password, "captcha": null}))
    }

    pub(super) fn get_unread_msgs(self) -> Draft {
        self.of_account("im", "get_unread_msgs", json!({}))
    }

    pub(super) fn get_alpha_for_user(self) -> Draft {
        self.of_account("alpha", "get_alpha_for_user", json!({}))
    }

    pub(super) fn observed_user_activity(self) -> Draft {
        draft("session", "observed_user_activity", json!({"ssid": self.ssid}))
    }

    pub(super) fn signoff_all(self) -> Draft {
        draft("session", "signoff_all", json!({"ssid": self.ssid}))
    }

    pub(super) fn set_status(self, presence: Presence, mood: &str) -> Draft {
        let primitive = primitive(presence);
        let arguments =
            json!({"ssid": self.ssid, "ad": "", "primitive": primitive, "status": mood, "auto_away": false});
        draft("session", "set_status", arguments)
    }

    /// Version 0 has no number for it (imo-protocol 11).
    /// Servers that do not know what `mark` is for ignore it.
    pub(super) fn send_im(self, request_id: Option<u64>, buid: &str, body: &str, mark: &str) -> Draft {
        let draft = self.of_account("im", "send_im", json!({"buid": buid, "msg": body, "client_msg_id": mark}));
        Draft { request_id, ..draft }
    }

    /// The protocol has no field for a greeting; servers that know none ignore it.
    pub(super) fn add_buddy(self, buid: &str, greeting: &str) -> Draft {
        let mut arguments = json!({"buid": buid, "group": "Offline"});
        if !greeting.is_empty() {
            arguments["msg"] = greeting.into();
        }
        self.of_account("im", "add_buddy", arguments)
    }

    pub(super) fn del_buddy(self, buid: &str, group: &str) -> Draft {
        self.of_account("im", "del_buddy", json!({"buid": buid, "group": group}))
    }

    pub(super) fn answer_auth(self, buid: &str, accept: bool) -> Draft {
        let method = if accept { "auth_add" } else { "auth_deny" };
        self.of_account("im", method, json!({"buid": buid}))
    }

    pub(super) fn im_typing(self, buid: &str, typing: Typing) -> Draft {
        self.of_account("im", "im_typing", json!({"buid": buid, "typing_state": typing_state(typing)}))
    }

    pub(super) fn change_buddy_alias(self, buid: &str, alias: &str) -> Draft {
        self.of_account("im", "change_buddy_alias", json!({"buid": buid, "alias": alias}))
    }

    /// Somebody who waits for authorization gets that answer, too (imo-protocol 9, `ISBLOCKED`).
    pub(super) fn block(self, buid: &str, waits: bool) -> Draft {
        let method = if waits { "auth_block" } else { "block_buddy" };
        self.of_account("im", method, json!({"buid": buid}))
    }

    pub(super) fn unblock_buddy(self, buid: &str) -> Draft {
        self.of_account("im", "unblock_buddy", json!({"buid": buid}))
    }

    pub(super) fn create_shared_group(self, name: &str) -> Draft {
        self.of_account("im", "create_shared_group", json!({"is_native": false, "name": name}))
    }

    pub(super) fn invite_to_group(self, gid: &str, user: &str) -> Draft {
        let arguments = json!({"gid": gid, "iproto": PROTO, "iuid": self.uid, "ibuid": user});
        self.of_account("im", "invite_to_group", arguments)
    }

    pub(super) fn kick_member(self, gid: &str, user: &str) -> Draft {
        self.of_account("im", "kick_member", json!({"buid": buid::member(gid, user)}))
    }

    pub(super) fn set_group_topic(self, gid: &str, topic: &str) -> Draft {
        self.of_account("im", "set_group_topic", json!({"gid": gid, "topic": topic}))
    }

    pub(super) fn leave_group(self, gid: &str) -> Draft {
        self.of_account("im", "leave_group", json!({"gid": gid}))
    }

    pub(super) fn start_audio_chat(self, buid: &str) -> Draft {
        self.of_account("av", "start_audio_chat", json!({"buid": buid}))
    }

    /// Not of the original protocol, whose clients could not answer a call; a server may refuse it.
    pub(super) fn accept_audio_chat(self, buid: &str) -> Draft {
        self.of_account("av", "accept_audio_chat", json!({"buid": buid}))
    }

    /// Not of the original protocol, whose clients could not hang up; a server may refuse it.
    pub(super) fn end_audio_chat(self, buid: &str) -> Draft {
        self.of_account("av", "end_audio_chat", json!({"buid": buid}))
    }

    pub(super) fn refuse_auto_away(self) -> Draft {
        let arguments = json!({
            "accounts": [{"uid": self.uid, "proto": PROTO}],
            "preferences": [{"kind": "impref", "pref": "auto_away", "value": false}]
        });
        draft("preference", "set", arguments)
    }

    fn of_account(self, system: &'static str, method: &'static str, mut arguments: Value) -> Draft {
        arguments["ssid"] = self.ssid.into();
        arguments["uid"] = self.uid.into();
        arguments["proto"] = PROTO.into();
        draft(system, method, arguments)
    }
}

fn draft(system: &'static str, method: &'static str, arguments: Value) -> Draft {
    Draft { system, method, request_id: None, arguments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_protocol() {
        let caller = Caller { ssid: "S", uid: "alice" };
        let account = |more: Value| {
            let mut arguments = json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype"});
            if let (Some(arguments), Some(more)) = (arguments.as_object_mut(), more.as_object()) {
                arguments.extend(more.clone());
            }
            arguments
        };
        let group = json!({"gid": "g123", "iproto": "prpl-skype", "iuid": "alice", "ibuid": "b b"});
        let bob = || account(json!({"buid": "bob"}));
        let table = [
            (caller.get_ssid(), "ssid", "get_ssid", json!({"ssid": "S"})),
            (caller.cookie_login(), "session", "cookie_login", json!({"ssid": "S"})),
            (
                caller.account_login("secret"),
                "im",
                "account_login",
                account(json!({"passwd": "secret", "captcha": null})),
            ),
            (
                caller.send_im(Some(3), "bob", "hi", "a7"),
                "im",
                "send_im",
                account(json!({"buid": "bob", "msg": "hi", "client_msg_id": "a7"})),
            ),
            (
                caller.create_shared_group("1795333452"),
                "im",
                "create_shared_group",
                account(json!({"is_native": false, "name": "1795333452"})),
            ),
            (caller.invite_to_group("g123", "b b"), "im", "invite_to_group", account(group)),
            (caller.kick_member("g123", "bob"), "im", "kick_member", account(json!({"buid": "g123;bob;prpl-skype"}))),
            (
                caller.set_group_topic("g123", "Plans"),
                "im",
                "set_group_topic",
                account(json!({"gid": "g123", "topic": "Plans"})),
            ),
            (caller.leave_group("g123"), "im", "leave_group", account(json!({"gid": "g123"}))),
            (caller.start_audio_chat("bob"), "av", "start_audio_chat", bob()),
            (caller.accept_audio_chat("bob"), "av", "accept_audio_chat", bob()),
            (caller.end_audio_chat("bob"), "av", "end_audio_chat", bob()),
        ];
        for (draft, system, method, arguments) in table {
            assert_eq!((draft.system, draft.method, draft.arguments), (system, method, arguments));
            assert_eq!(draft.request_id, (method == "send_im").then_some(3));
        }
        assert_eq!(caller.send_im(None, "bob", "hi", "a7").request_id, None);
    }
}
