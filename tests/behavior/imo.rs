//! The imo back end on a gateway of ours, with a cable to each person that can be cut.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::backend::Backend;
use imo2skype::backend::imo;

use crate::network::Network;
use crate::network::Quirks;

pub(crate) struct Imo {
    server: SocketAddr,
    cables: Mutex<BTreeMap<String, Cable>>,
    _gateway: Gateway,
}

impl Imo {
    pub(crate) fn start() -> Self {
        let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
        let address = gateway.url().trim_start_matches("http://").trim_end_matches('/');
        Self { server: address.parse().expect("an address"), cables: Mutex::default(), _gateway: gateway }
    }

    fn with_cable<T>(&self, name: &str, work: impl FnOnce(&Cable) -> T) -> T {
        let mut cables = self.cables.lock().expect("no panic");
        work(cables.entry(name.to_owned()).or_insert_with(|| Cable::to(self.server)))
    }
}

impl Network for Imo {
    fn name(&self) -> &'static str {
        "imo"
    }

    fn quirks(&self) -> Quirks {
        Quirks { alias_is_name: true }
    }

    fn backend(&self, name: &str, password: &str) -> Box<dyn Backend> {
        let mut config = Config::new(name, password);
        let url = self.with_cable(name, |cable| format!("http://{}/", cable.address));
        config.set("server", &url).expect("a URL");
        Box::new(imo::open(&config).expect("a back end"))
    }

    fn break_off(&self, name: &str) {
        self.with_cable(name, |cable| cable.ends.lock().expect("no panic").cut());
    }

    fn heal(&self, name: &str) {
        self.with_cable(name, |cable| cable.ends.lock().expect("no panic").whole = true);
    }
}

/// Carries bytes both ways, as long as it is whole.
struct Cable {
    address: SocketAddr,
    ends: Arc<Mutex<Ends>>,
}

struct Ends {
    whole: bool,
    streams: Vec<TcpStream>,
}

impl Ends {
    fn cut(&mut self) {
        self.whole = false;
        for stream in self.streams.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Cable {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ends = Arc::new(Mutex::new(Ends { whole: true, streams: Vec::new() }));
        let theirs = ends.clone();
        // Ends with the process: what it waits for is another connection.
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut ends = theirs.lock().expect("no panic");
                let far = TcpStream::connect(server).ok().filter(|_| ends.whole);
                let Some(far) = far else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let _ = from.set_nodelay(true);
                    let [from, to, end] = [from, to, from].map(|stream| stream.try_clone().expect("a clone"));
                    ends.streams.push(end);
                    thread::spawn(move || carry(from, to));
                }
            }
        });
        Self { address, ends }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
