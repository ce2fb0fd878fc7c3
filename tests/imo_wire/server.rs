//! A scripted service: the test takes each call and says what is answered, or nothing.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use crossbeam_channel::unbounded;
use serde_json::Value;
use serde_json::json;

/// Only a guard against tests that hang.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// One HTTP request, waiting for its answer; dropped without one, the connection closes.
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) outer: String,
    pub(crate) envelope: Value,
    reply: Sender<Vec<u8>>,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The inner method, or `poll`, or the request line of a `GET`.
    pub(crate) fn name(&self) -> &str {
        match self.envelope["messages"].get(0) {
            Some(message) => message["data"]["method"].as_str().expect("a method"),
            None if self.outer.is_empty() => &self.line,
            None => "poll",
        }
    }

    pub(crate) fn message(&self) -> &Value {
        &self.envelope["messages"][0]
    }

    pub(crate) fn seq(&self) -> u64 {
        self.message()["seq"].as_u64().expect("a seq")
    }

    pub(crate) fn raw(self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        let _ = self.reply.send(text.into_bytes());
    }

    pub(crate) fn json(self, body: &Value) {
        self.raw("200 OK", "", &body.to_string());
    }

    /// Accepted, with these messages.
    pub(crate) fn accept(self, messages: Value) {
        let ack = self.message()["seq"].as_u64().map_or(99, |seq| seq + 1);
        self.answer(ack, messages);
    }

    pub(crate) fn answer(self, ack: u64, messages: Value) {
        self.json(&json!({"method": "forward_to_client", "data": {"ack": ack, "messages": messages}}));
    }
}

pub(crate) struct Server {
    /// Whether it says that it tells messages from their repeats.
    pub(crate) knows_marks: bool,
    pub(crate) url: String,
    pub(crate) requests: Receiver<Call>,
    pub(crate) polls: Receiver<Call>,
    pub(crate) connections: Arc<AtomicUsize>,
    /// Tells of each connection that the client has closed.
    pub(crate) closed: Receiver<()>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/pre", listener.local_addr().expect("an address"));
        let (requests_in, requests) = unbounded();
        let (polls_in, polls) = unbounded();
        let (closed_in, closed) = unbounded();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counter.fetch_add(1, Ordering::SeqCst);
                let (requests, polls, closed) = (requests_in.clone(), polls_in.clone(), closed_in.clone());
                thread::spawn(move || {
                    serve(stream, &requests, &polls);
                    let _ = closed.send(());
                });
            }
        });
        Self { knows_marks: false, url, requests, polls, connections, closed }
    }

    /// One that tells messages from their repeats.
    pub(crate) fn knowing_marks() -> Self {
        Self { knows_marks: true, ..Self::start() }
    }

    /// The next request, which must be `name`.
    pub(crate) fn request(&self, name: &str) -> Call {
        let call = self.requests.recv_timeout(GUARD).expect(name);
        assert_eq!(call.name(), name);
        call
    }

    pub(crate) fn poll(&self) -> Call {
        self.polls.recv_timeout(GUARD).expect("a poll")
    }

    /// The first poll of a session; those of the last may be there still.
    pub(crate) fn poll_of(&self, ssid: &str) -> Call {
        loop {
            let poll = self.poll();
            if poll.envelope["ssid"] == ssid {
                return poll;
            }
        }
    }

    /// Answers the opening of a session and the calls up to the first poll.
    pub(crate) fn let_in(&self, ssid: &str) {
        self.request("GET /pre/ HTTP/1.1").raw("200 OK", "Set-Cookie: c=1\r\n", "hello");
        let data = if self.knows_marks { json!({"ssid": ssid, "client_msg_ids": true}) } else { json!({"ssid": ssid}) };
        let answer = json!({"method": "rest_rpc", "data": data});
        self.request("get_cookie_and_ssid").json(&answer);
        for name in ["account_login", "get_unread_msgs", "get_alpha_for_user", "observed_user_activity"] {
            self.request(name).accept(json!([]));
        }
    }
}

/// A message of the server, for a client.
pub(crate) fn down(seq: u64, system: &str, data: Value) -> Value {
    json!({"to": {"system": "client"}, "from": {"system": system}, "seq": seq, "data": data})
}

/// An event of the account.
pub(crate) fn event(seq: u64, name: &str, edata: Value) -> Value {
    down(seq, "im", json!({"name": name, "proto": "prpl-skype", "uid": "alice", "edata": edata}))
}

fn serve(mut stream: TcpStream, requests: &Sender<Call>, polls: &Sender<Call>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
    while let Some((call, reply)) = read(&mut reader) {
        let to = if call.name() == "poll" { polls } else { requests };
        if to.send(call).is_err() {
            return;
        }
        match reply.recv() {
            Ok(bytes) if stream.write_all(&bytes).is_ok() => {}
            _ => return,
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(Call, Receiver<Vec<u8>>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let line = lines.remove(0);
    let split = |line: &String| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
    let headers: Vec<_> = lines.iter().filter_map(split).collect();
    let length = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().expect("a length"))];
    reader.read_exact(&mut body).ok()?;
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let (outer, envelope) = match fields.as_slice() {
        [] => (String::new(), Value::Null),
        [(method, outer), (data, envelope)] if method == "method" && data == "data" => {
            (outer.clone(), serde_json::from_str(envelope).expect("JSON"))
        }
        other => panic!("not the two fields: {other:?}"),
    };
    let (reply, replies) = bounded(1);
    Some((Call { line, headers, outer, envelope, reply }, replies))
}
