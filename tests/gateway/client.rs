//! A client of the protocol for tests, written from its paragraphs alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use reqwest::blocking::Client;
use reqwest::blocking::Response;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use serde_json::json;

pub(crate) fn open() -> Gateway {
    Gateway::start(GatewayConfig::embedded(None)).expect("start")
}

pub(crate) fn on_disk(file: &Path) -> Gateway {
    Gateway::start(GatewayConfig::embedded(Some(file.to_owned()))).expect("start")
}

pub(crate) fn http() -> Client {
    trusting([])
}

/// A client that trusts these certificates and no others.
pub(crate) fn trusting<const N: usize>(certificates: [CertificateDer<'static>; N]) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    assert_eq!(roots.add_parsable_certificates(certificates).1, 0, "ignored");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).no_proxy();
    builder.timeout(Duration::from_secs(60)).build().expect("client")
}

pub(crate) fn post(http: &Client, url: &str, method: &str, data: &str) -> Response {
    http.post(format!("{url}imo")).form(&[("method", method), ("data", data)]).send().expect("post")
}

pub(crate) fn ack(envelope: &Value) -> u64 {
    envelope["ack"].as_u64().expect("ack")
}

pub(crate) fn is_empty(envelope: &Value) -> bool {
    envelope["messages"].as_array().expect("messages").is_empty()
}

/// One session, written from the paragraphs on seq and ack alone.
pub(crate) struct Session {
    pub(crate) http: Client,
    pub(crate) url: String,
    pub(crate) ssid: String,
    pub(crate) name: String,
    pub(crate) seq: u64,
    pub(crate) ack: u64,
    pub(crate) requests: u64,
    /// Events that were read and not yet asked for.
    pub(crate) events: Vec<Value>,
}

impl Session {
    pub(crate) fn new(gateway: &Gateway) -> Self {
        Self::at(gateway.url())
    }

    pub(crate) fn at(url: &str) -> Self {
        let (http, url) = (http(), url.to_owned());
        let own = "XBxjikeXRZcvnbMw";
        let data = json!({"ack": 0, "ssid": own, "messages": [{
            "data": {"method": "get_cookie_and_ssid", "data": {"ssid": own, "kind": "reui", "version": "1336611734.48"}},
            "to": {"system": "session"}, "from": {"system": "client", "ssid": own}, "seq": 0}]});
        let answer: Value =
            serde_json::from_str(&post(&http, &url, "rest_rpc", &data.to_string()).text().expect("text"))
                .expect("json");
        let ssid = answer["data"]["ssid"].as_str().expect("ssid").to_owned();
        assert!(ssid.len() == 16 && ssid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{ssid}");
        assert_ne!(ssid, own);
        Self { http, url, ssid, name: String::new(), seq: 0, ack: 0, requests: 0, events: Vec::new() }
    }

    /// Logs in as `client_login` of the protocol does, up to the last request before the poll.
    pub(crate) fn login(gateway: &Gateway, name: &str) -> Self {
        Self::login_at(gateway.url(), name)
    }

    pub(crate) fn login_at(url: &str, name: &str) -> Self {
        let mut session = Self::at(url);
        session.try_login(name, "secret");
        session.event("buddy_added");
        session.event("signed_on");
        for method in ["get_unread_msgs", "get_alpha_for_user", "observed_user_activity"] {
            assert!(session.request(method, json!({})), "{method}");
        }
        session
    }

    pub(crate) fn try_login(&mut self, name: &str, password: &str) {
        self.name = name.to_owned();
        assert!(self.request("account_login", json!({"passwd": password, "captcha": null})));
    }

    pub(crate) fn envelope(&self, messages: Value) -> Value {
        let data = json!({"ack": self.ack, "ssid": self.ssid, "messages": messages}).to_string();
        let answer = post(&self.http, &self.url, "forward_to_server", &data);
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_str(&answer.text().expect("text")).expect("json");
        assert_eq!(answer["method"], "forward_to_client");
        answer["data"].clone()
    }

    pub(crate) fn message(&self, seq: u64, method: &str, mut arguments: Value) -> Value {
        arguments["ssid"] = json!(self.ssid);
        arguments["uid"] = json!(self.name);
        arguments["proto"] = json!("prpl-skype");
        let mut data = json!({"method": method, "data": arguments});
        if method == "send_im" {
            data["request_id"] = json!(self.requests);
        }
        json!([{"data": data, "to": {"system": "im"}, "from": {"system": "client", "ssid": self.ssid}, "seq": seq}])
    }

    /// Whether the request was accepted.
    pub(crate) fn request(&mut self, method: &str, arguments: Value) -> bool {
        let message = self.message(self.seq, method, arguments);
        let answer = self.envelope(message);
        self.seq += 1;
        if method == "send_im" {
            self.requests += 1;
        }
        assert_ne!(answer["ack"], 0, "lost");
        let accepted = !is_empty(&answer) || ack(&answer) >= self.seq;
        self.read(&answer);
        accepted
    }

    pub(crate) fn send(&mut self, to: &str, text: &str) -> bool {
        self.request("send_im", json!({"buid": to, "msg": text}))
    }

    pub(crate) fn read(&mut self, answer: &Value) {
        for message in answer["messages"].as_array().expect("messages") {
            assert_eq!(message["to"]["system"], "client");
            let seq = message["seq"].as_u64().expect("seq");
            if seq >= self.ack {
                assert_eq!(seq, self.ack, "no gaps");
                self.ack = seq + 1;
                self.events.push(message.clone());
            }
        }
    }

    pub(crate) fn poll(&mut self) {
        let answer = self.envelope(json!([]));
        self.read(&answer);
    }

    /// Polls until an event of that name comes, and takes it.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.find(|message| message["data"]["name"] == name)["data"].clone()
    }

    pub(crate) fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(place) = self.events.iter().position(&wanted) {
                return self.events.remove(place);
            }
            self.poll();
        }
    }

    /// What is told up to now: everything before the answer to an own message to the echo.
    pub(crate) fn everything(&mut self) -> Vec<Value> {
        let mark = format!("mark {}", self.seq);
        assert!(self.send("echo123", &mark));
        self.find(|message| message["data"]["edata"]["msg"] == mark.as_str());
        // Takes the acknowledgement along.
        assert!(self.request("observed_user_activity", json!({})));
        std::mem::take(&mut self.events)
            .into_iter()
            .map(|message| message["data"].clone())
            .filter(|event| event["request_id"].is_null())
            .collect()
    }

    pub(crate) fn names(&mut self) -> Vec<String> {
        self.everything().iter().filter_map(|event| event["name"].as_str().map(str::to_owned)).collect()
    }
}

/// Contacts of each other, with nothing left to read.
pub(crate) fn befriend(one: &mut Session, other: &mut Session) {
    assert!(one.request("add_buddy", json!({"buid": other.name, "group": "Offline"})));
    other.event("buddy_request");
    assert!(other.request("auth_add", json!({"buid": one.name})));
    one.everything();
    other.everything();
}
