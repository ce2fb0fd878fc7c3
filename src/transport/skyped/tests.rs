//! A client of rustls against a connection, without any socket.

use super::*;

use std::io::Read;
use std::io::Write;

use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;
use tempfile::TempDir;

struct Pair {
    client: ClientConnection,
    talk: Talk,
    /// What the session is told; `None` is garbage.
    told: Vec<Option<String>>,
    end: Option<(Duration, &'static [u8])>,
    _folder: TempDir,
}

impl Pair {
    fn new(key: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("skyped.pem");
        let (config, _) = Identity::Kept(file.clone()).load().expect("made");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&file).expect("a certificate")).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let client =
            ClientConnection::new(Arc::new(client), "localhost".try_into().expect("a name")).expect("a client");
        let door = Door::new("alice", key.map(SecretString::from).as_ref());
        Self { client, talk: Talk::new(config, door), told: Vec::new(), end: None, _folder: folder }
    }

    /// Carries bytes in pieces of this size until neither side has more to say.
    fn carry(&mut self, size: usize) {
        loop {
            let (mut sent, mut out) = (Vec::new(), Vec::new());
            while self.client.wants_write() {
                self.client.write_tls(&mut sent).expect("memory");
            }
            for piece in sent.chunks(size) {
                self.talk.feed(piece);
                while self.end.is_none() {
                    match self.talk.next(&mut out).expect("it goes on") {
                        None => break,
                        Some(Step::Command(line)) => self.told.push(Some(line.to_owned())),
                        Some(Step::Garbage) => self.told.push(None),
                        Some(Step::TurnAway { pause, answer, .. }) => self.end = Some((pause, answer)),
                        Some(Step::Goodbye) => self.end = Some((Duration::ZERO, b"")),
                        Some(_) => {}
                    }
                }
            }
            if sent.is_empty() {
                return;
            }
            self.read(&out);
        }
    }

    fn read(&mut self, mut out: &[u8]) {
        while !out.is_empty() {
            self.client.read_tls(&mut out).expect("memory");
            self.client.process_new_packets().expect("good TLS");
        }
    }

    fn say(&mut self, text: &str, size: usize) {
        self.client.writer().write_all(text.as_bytes()).expect("room");
        self.carry(size);
    }

    fn heard(&mut self) -> String {
        let mut text = Vec::new();
        let _ = self.client.reader().read_to_end(&mut text);
        String::from_utf8(text).expect("UTF-8")
    }
}

#[test]
fn the_module_of_bitlbee_comes_in_and_its_commands_need_no_line_feed() {
    for size in [1, 7, 4096] {
        let mut pair = Pair::new(Some("secret"));
        pair.carry(size);
        for text in
            ["USERNAME Alice\n", "PASSWORD secret\n", "SEARCH GROUPS CUSTOM\n", "CREATE GROUP x", "PING\n", "PONG\n"]
        {
            pair.client.writer().write_all(text.as_bytes()).expect("room");
        }
        pair.carry(size);
        let told: Vec<_> = pair.told.iter().flatten().map(String::as_str).collect();
        assert_eq!(told, [ATTACH[0], ATTACH[1], "SEARCH GROUPS CUSTOM", "CREATE GROUP x"], "in pieces of {size}");
        assert_eq!(pair.heard(), "PASSWORD OK\nPONG\n");
        let mut out = Vec::new();
        for line in ["#skyped-name OK", "CONNSTATUS ONLINE", "#skyped-protocol PROTOCOL 5", "#skyped-name x"] {
            pair.talk.encode(line, &mut out);
        }
        pair.read(&out);
        assert_eq!(pair.heard(), "CONNSTATUS ONLINE\n#skyped-name x\n");
    }
}

#[test]
fn nobody_comes_in_who_is_somebody_else() {
    for said in [
        "USERNAME alice\nPASSWORD wrong\n",
        "USERNAME bob\nPASSWORD secret\n",
        "PASSWORD secret\n",
        "PING\n",
        "USERNAME alice\nGET USERSTATUS\n",
        "USERNAME alice\nPASSWORD\n",
        "\0\n",
    ] {
        let mut pair = Pair::new(Some("secret"));
        pair.say(&format!("{said}GET USERSTATUS\n"), 4096);
        let (pause, answer) = pair.end.expect("turned away");
        assert!(pause >= Duration::from_secs(1) && pair.told.is_empty() && !pair.talk.admitted(), "{said:?}");
        assert_eq!(pair.heard(), "", "{said:?}: too soon");
        let mut out = Vec::new();
        pair.talk.farewell(answer, &mut out);
        pair.read(&out);
        assert_eq!(pair.heard(), "PASSWORD KO\n");
    }
}

#[test]
fn each_line_is_a_record_of_its_own() {
    let mut pair = Pair::new(None);
    pair.say("USERNAME alice\nPASSWORD whatever\n", 4096);
    assert_eq!(pair.heard(), "PASSWORD OK\n");
    let mut out = Vec::new();
    pair.talk.encode("CHATMESSAGE 5 BODY a\nb", &mut out);
    pair.talk.encode("CHATMESSAGE 5 STATUS RECEIVED", &mut out);
    let mut records = 0;
    let mut rest = &out[..];
    while let [23, _, _, high, low, ..] = rest {
        records += 1;
        rest = &rest[5 + usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert!(rest.is_empty());
    assert_eq!(records, 3);
    pair.read(&out);
    assert_eq!(pair.heard(), "CHATMESSAGE 5 BODY a\nCHATMESSAGE 5 BODY b\nCHATMESSAGE 5 STATUS RECEIVED\n");
}

#[test]
fn without_tls_there_is_an_alert_and_an_end() {
    let mut pair = Pair::new(None);
    let mut out = Vec::new();
    pair.talk.feed(b"USERNAME alice\nPASSWORD x\n");
    assert!(matches!(pair.talk.next(&mut out), Ok(Some(Step::TurnAway { pause: Duration::ZERO, .. }))));
    assert!(!out.is_empty() && !pair.talk.admitted());
    let mut pair = Pair::new(None);
    pair.say("USERNAME alice\nPASSWORD x\n", 4096);
    pair.client.send_close_notify();
    pair.carry(4096);
    assert_eq!(pair.end, Some((Duration::ZERO, &b""[..])));
}
