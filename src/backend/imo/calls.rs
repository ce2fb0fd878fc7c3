//! The calls of the protocol that we make (imo-protocol 4): pure.

use serde_json::Value;
use serde_json::json;

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

    pub(super) fn send_im(self, request_id: u64, buid: &str, body: &str) -> Draft {
        let draft = self.of_account("im", "send_im", json!({"buid": buid, "msg": body}));
        Draft { request_id: Some(request_id), ..draft }
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
