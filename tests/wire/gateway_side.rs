//! A client plays a conversation to our gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use reqwest::blocking::Client;
use serde_json::Value;
use serde_json::json;

use crate::Conversation;
use crate::Line;
use crate::VOLATILE;
use crate::fits;

/// How often is asked for an event that does not come.
const POLLS: usize = 20;

pub(crate) fn play(conversation: &Conversation) {
    let mut config = GatewayConfig::embedded(None);
    // Whatever is caused is there by then: requests are answered after they were carried out.
    config.poll_limit = Duration::from_millis(250);
    let gateway = Gateway::start(config).expect("a gateway");
    let alice = Person::new(&gateway, "alice", conversation.begin != "nothing");
    let mut people = BTreeMap::from([("alice", alice)]);
    for line in &conversation.lines {
        let name = line.who.as_deref().unwrap_or("alice");
        people.entry(name).or_insert_with(|| Person::new(&gateway, name, true)).play(line);
    }
}

struct Person {
    http: Client,
    url: String,
    ssid: Value,
    seq: u64,
    ack: u64,
    /// What came and was not asked for yet: of which part, and what.
    events: Vec<(String, Value)>,
    /// What the gateway calls the chat that a file calls `g123`.
    gid: Option<String>,
}

impl Person {
    fn new(gateway: &Gateway, name: &str, logged_in: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let http = Client::builder().tls_backend_preconfigured(tls).no_proxy();
        let http = http.timeout(Duration::from_secs(60)).build().expect("a client");
        let url = gateway.url().to_owned();
        let mut person = Self { http, url, ssid: json!("S"), seq: 0, ack: 0, events: Vec::new(), gid: None };
        if logged_in {
            let opening =
                json!({"method": "get_cookie_and_ssid", "data": {"ssid": "S", "kind": "reui", "version": "1"}});
            person.open(&opening, "session", "rest_rpc");
            let login = json!({"uid": name, "proto": "prpl-skype", "passwd": "secret", "captcha": null, "ssid": "S"});
            assert!(person.ask(&json!({"method": "account_login", "data": login}), "im"));
            person.hears("im", &json!({"name": "signed_on"}));
            person.events.clear();
        }
        person
    }

    fn play(&mut self, line: &Line) {
        if let Some(path) = &line.get {
            let page = self.http.get(format!("{}{}", self.url, path.trim_start_matches('/'))).send().expect("a page");
            assert!(page.headers().contains_key("set-cookie"), "the cookie");
        } else if let Some(data) = &line.up {
            if line.outer() == "forward_to_server" {
                assert_eq!(self.ask(data, line.system()), !line.refused, "{data}");
            } else {
                let answer = self.open(data, line.system(), line.outer());
                let wanted = line.answer.as_ref().unwrap_or(&Value::Null);
                assert!(fits(wanted, &answer, VOLATILE, true), "wanted {wanted}\ngot {answer}");
            }
        } else if let Some(data) = &line.down {
            self.hears(line.system(), data);
        }
    }

    fn post(&self, outer: &str, envelope: &Value) -> Value {
        let form = [("method", outer), ("data", &envelope.to_string())];
        let answer = self.http.post(format!("{}imo", self.url)).form(&form).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{envelope}");
        serde_json::from_str(&answer.text().expect("text")).expect("JSON")
    }

    /// What a file says, with the gateway's own name for the chat.
    fn named(&self, data: &Value) -> Value {
        match &self.gid {
            Some(gid) => serde_json::from_str(&data.to_string().replace("g123", gid)).expect("JSON"),
            None => data.clone(),
        }
    }

    fn message(&self, data: &Value, system: &str, seq: u64) -> Value {
        let mut data = self.named(data);
        if let Some(ssid) = data["data"].get_mut("ssid") {
            *ssid = self.ssid.clone();
        }
        let from = json!({"system": "client", "ssid": self.ssid});
        let message = json!({"data": data, "to": {"system": system}, "from": from, "seq": seq});
        json!({"ack": self.ack, "ssid": self.ssid, "messages": [message]})
    }

    /// Opens the session.
    fn open(&mut self, data: &Value, system: &str, outer: &str) -> Value {
        let answer = self.post(outer, &self.message(data, system, 0));
        self.ssid = answer["data"]["ssid"].clone();
        assert!(self.ssid.is_string(), "{answer}");
        answer
    }

    /// Whether a request is accepted (imo-protocol 3.2).
    fn ask(&mut self, data: &Value, system: &str) -> bool {
        let answer = self.post("forward_to_server", &self.message(data, system, self.seq));
        self.seq += 1;
        let new = self.read(&answer);
        new || answer["data"]["ack"].as_u64() >= Some(self.seq)
    }

    /// Takes in what an answer brings; tells whether it brought anything.
    fn read(&mut self, answer: &Value) -> bool {
        assert_eq!(answer["method"], "forward_to_client");
        let messages = answer["data"]["messages"].as_array().expect("messages");
        for message in messages {
            assert_eq!(message["to"], json!({"system": "client"}));
            let seq = message["seq"].as_u64().expect("a number");
            if seq >= self.ack {
                self.ack = seq + 1;
                let system = message["from"]["system"].as_str().expect("a part of the service");
                if let Some(chat) = message["data"]["edata"][0]["buid"].as_str().and_then(|buid| buid.strip_suffix(';'))
                {
                    self.gid = Some(chat.to_owned());
                }
                self.events.push((system.to_owned(), message["data"].clone()));
            }
        }
        !messages.is_empty()
    }

    /// An event must have come, or come.
    fn hears(&mut self, system: &str, wanted: &Value) {
        for _ in 0..POLLS {
            let named = self.named(wanted);
            let is_it = |(from, event): &(String, Value)| from == system && fits(&named, event, VOLATILE, true);
            if let Some(at) = self.events.iter().position(is_it) {
                self.events.remove(at);
                return;
            }
            let poll = json!({"ack": self.ack, "ssid": self.ssid, "messages": []});
            let answer = self.post("forward_to_server", &poll);
            self.read(&answer);
        }
        panic!("{wanted} did not come, but {:#?}", self.events);
    }
}
