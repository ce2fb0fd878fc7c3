//! A client of the protocol that takes little of the processors it shares with the gateway: HTTP by
//! hand on keep-alive connections, two for each session (imo-protocol 1).

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpStream;

use super::gateway::PASSWORD;

/// All but letters, digits and `-._~` (imo-protocol 1).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, address, read: Vec::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let body = self.answer(request.as_bytes()).await;
        String::from_utf8(body.to_vec()).expect("text")
    }

    /// A call of the protocol.
    async fn post(&mut self, method: &str, envelope: &Value) -> Value {
        let envelope = envelope.to_string();
        let body = format!("method={method}&data={}", utf8_percent_encode(&envelope, ENCODED));
        let request = format!(
            "POST /imo HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        serde_json::from_slice(self.answer(request.as_bytes()).await).expect("JSON")
    }

    /// Writes a request and reads the body of its answer.
    async fn answer(&mut self, mut request: &[u8]) -> &[u8] {
        while !request.is_empty() {
            match self.stream.try_write(request) {
                Ok(count) => request = &request[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.writable().await.expect("a connection")
                }
                Err(error) => panic!("the gateway does not read: {error}"),
            }
        }
        self.read.clear();
        loop {
            if let Some(body) = body(&self.read) {
                return &self.read[body..];
            }
            let mut piece = [0; 16 << 10];
            match self.stream.try_read(&mut piece) {
                Ok(0) => panic!("the gateway hung up"),
                Ok(count) => self.read.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.readable().await.expect("a connection")
                }
                Err(error) => panic!("the gateway does not answer: {error}"),
            }
        }
    }
}

/// Where the body of an answer begins, once it is all there.
fn body(answer: &[u8]) -> Option<usize> {
    let begin = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..begin]).expect("text");
    assert!(head.starts_with("HTTP/1.1 200 "), "{}", answer.escape_ascii());
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length")).expect("a length");
    let length: usize = length.trim().parse().expect("a length");
    (answer.len() >= begin + length).then_some(begin)
}

/// What both connections of a session share.
#[derive(Clone)]
struct Identity {
    ssid: String,
    /// The next number expected of the gateway.
    ack: Arc<AtomicU64>,
}

impl Identity {
    fn envelope(&self, messages: Value) -> Value {
        json!({"ack": self.ack.load(Ordering::Relaxed), "ssid": self.ssid, "messages": messages})
    }

    /// The events in an answer that are new (imo-protocol 3.2).
    fn news(&self, answer: &mut Value) -> Vec<Value> {
        let Value::Array(mut messages) = answer["data"]["messages"].take() else { panic!("no envelope: {answer}") };
        let known = self.ack.load(Ordering::Relaxed);
        let seq = |message: &Value| message["seq"].as_u64().expect("a number");
        messages.retain(|message| seq(message) >= known);
        if let Some(last) = messages.last() {
            self.ack.store(seq(last) + 1, Ordering::Relaxed);
        }
        messages.into_iter().map(|mut message| message["data"].take()).collect()
    }
}

/// Polls, again and again.
pub(crate) struct Poll {
    identity: Identity,
    connection: Connection,
}

impl Poll {
    /// The next events, or none where there were none for long.
    pub(crate) async fn next(&mut self) -> Vec<Value> {
        let envelope = self.identity.envelope(json!([]));
        let mut answer = self.connection.post("forward_to_server", &envelope).await;
        assert_ne!(answer["data"]["ack"], 0, "the session is lost");
        self.identity.news(&mut answer)
    }
}

/// Sends requests.
pub(crate) struct Requests {
    identity: Identity,
    connection: Connection,
    name: String,
    seq: u64,
}

impl Requests {
    async fn request(&mut self, method: &str, mut arguments: Value) {
        arguments["ssid"] = json!(self.identity.ssid);
        arguments["uid"] = json!(self.name);
        arguments["proto"] = json!("prpl-skype");
        let envelope = self.identity.envelope(json!([{
            "data": {"method": method, "request_id": self.seq, "data": arguments},
            "to": {"system": "im"},
            "from": {"system": "client", "ssid": self.identity.ssid},
            "seq": self.seq,
        }]));
        let mut answer = self.connection.post("forward_to_server", &envelope).await;
        self.seq += 1;
        let ack = answer["data"]["ack"].as_u64().expect("a number");
        assert!(ack >= self.seq, "{method} of {} was refused", self.name);
        self.identity.news(&mut answer);
    }

    pub(crate) async fn send(&mut self, to: &str, text: &str) {
        self.request("send_im", json!({"buid": to, "msg": text})).await;
    }
}

/// Logs in, up to `signed_on`. What waits for the account is not asked for (`get_unread_msgs`); what
/// is sent to it from now on comes.
pub(crate) async fn log_in(address: SocketAddr, name: String) -> (Requests, Poll) {
    let mut connection = Connection::open(address).await;
    let opened = connection
        .post("rest_rpc", &json!({"messages": [{"data": {"method": "get_cookie_and_ssid"}, "seq": 0}]}))
        .await;
    let ssid = opened["data"]["ssid"].as_str().expect("a session").to_owned();
    let identity = Identity { ssid, ack: Arc::default() };
    let mut requests = Requests { identity: identity.clone(), connection, name, seq: 0 };
    requests.request("account_login", json!({"passwd": PASSWORD})).await;
    let mut poll = Poll { identity, connection: Connection::open(address).await };
    while !poll.next().await.iter().any(|event| event["name"] == "signed_on") {}
    (requests, poll)
}
