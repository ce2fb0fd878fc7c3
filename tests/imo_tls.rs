//! Whom a session believes: certificates and names of servers (imo-protocol 12, flaw 32).
#![cfg(all(feature = "gateway", feature = "imo"))]

use std::path::Path;
use std::path::PathBuf;

use imo2skype::Config;
use imo2skype::Error;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use imo2skype::TlsFiles;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A gateway with this certificate, and what becomes of a login there.
fn log_in(certificate: &str, authority: Option<&str>) -> Result<(), Error> {
    let [cert, key] = ["pem", "key"].map(|kind| file(&format!("{certificate}.{kind}")));
    let gateway = Gateway::start_tls(GatewayConfig::embedded(None), &TlsFiles { cert, key }).expect("a gateway");
    let mut config = Config::new("alice", "secret");
    config.set("server", gateway.url()).expect("a URL");
    if let Some(authority) = authority {
        config.set("ca_file", file(authority).to_str().expect("UTF-8")).expect("a file");
    }
    Session::open(config).map(|session| session.close())
}

#[test]
fn only_a_server_that_can_prove_its_name_gets_the_password() {
    log_in("here", Some("ca.pem")).expect("the authority was named");
    // Nobody vouches for it; another machine's certificate.
    for (certificate, authority) in [("here", None), ("elsewhere", None), ("elsewhere", Some("ca.pem"))] {
        let error = log_in(certificate, authority).expect_err("no proof");
        assert!(matches!(error, Error::Network { .. }), "{certificate}, {authority:?}: {error:?}");
        assert!(error.chain().contains("certificate"), "{}", error.chain());
    }
}
