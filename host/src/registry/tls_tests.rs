//! The client against an HTTPS server over a real socket: whom it trusts, and who it says that it is.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::{Config, Registry, Tls};
use crate::exit::{Exit, Stop};

/// An authority, and the files that a client of it has.
struct Authority {
    dir: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Authority { dir: tempfile::tempdir().unwrap(), issuer };
        let (certificate, key) = authority.issue("client");
        std::fs::write(authority.file("ca.pem").unwrap(), authority.issuer.pem()).unwrap();
        std::fs::write(authority.file("client.pem").unwrap(), certificate.pem()).unwrap();
        std::fs::write(authority.file("client.key").unwrap(), key.serialize_pem()).unwrap();
        authority
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.path().join(name))
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Serves `[]` to everyone, or to our own clients only; tells the head of each request.
    fn serve(&self, clients_only: bool) -> (String, Receiver<String>) {
        let (certificate, key) = self.issue("localhost");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = if clients_only {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let config = Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (heads, seen) = channel();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut reader = BufReader::new(StreamOwned::new(connection, socket.unwrap()));
                let mut head = String::new();
                // A client that does not trust us, or that we do not trust, ends in an error here.
                while matches!(reader.read_line(&mut head), Ok(n) if n > 2) {}
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
                reader.get_mut().write_all(answer).ok();
                heads.send(head).ok();
            }
        });
        (url, seen)
    }
}

fn ping(url: &str, tls: Tls) -> Result<(), Stop> {
    let mut config = Config::new(url);
    config.tls = tls;
    config.bearer_token = Some("let-me-in".to_owned());
    config.deadline = Duration::from_millis(300);
    Ok(Registry::new(config).ping()?)
}

#[test]
fn a_registry_of_an_own_authority_is_trusted_when_its_file_is_given() {
    let authority = Authority::new();
    let (url, seen) = authority.serve(false);
    ping(&url, Tls::read(&authority.file("ca.pem"), &None, &None).unwrap()).unwrap();
    let head = seen.recv().unwrap().to_lowercase();
    assert!(head.starts_with("get /subjects ") && head.contains("authorization: bearer let-me-in"), "{head}");
}

#[test]
fn any_other_authority_is_not_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (url, _seen) = authority.serve(false);
    for tls in [Tls::default(), Tls::read(&other.file("ca.pem"), &None, &None).unwrap()] {
        let stop = ping(&url, tls).unwrap_err();
        assert_eq!(stop.exit, Exit::Dependency);
        assert!(stop.what.contains("certificate") && !stop.to_string().contains("let-me-in"), "{stop}");
    }
}

#[test]
fn a_registry_that_asks_for_a_client_certificate_gets_it() {
    let authority = Authority::new();
    let (url, _seen) = authority.serve(true);
    let (ca, cert, key) = (authority.file("ca.pem"), authority.file("client.pem"), authority.file("client.key"));
    ping(&url, Tls::read(&ca, &cert, &key).unwrap()).unwrap();
    assert!(ping(&url, Tls::read(&ca, &None, &None).unwrap()).is_err(), "and lets nobody else in");
}

#[test]
fn files_that_do_not_fit_are_named() {
    let authority = Authority::new();
    let (ca, cert, key) = (authority.file("ca.pem"), authority.file("client.pem"), authority.file("client.key"));
    let check = |ca: &Option<PathBuf>, cert: &Option<PathBuf>, key: &Option<PathBuf>, wanted: &str| {
        let Err(stop) = Tls::read(ca, cert, key) else { panic!("{wanted}: was taken") };
        assert_eq!(stop.exit, Exit::Usage);
        assert!(stop.to_string().contains(wanted), "{stop}");
    };
    check(&key, &None, &None, "client.key is not usable for TLS: it has no certificate");
    check(&ca, &cert, &cert, "client.pem is not usable for TLS: it has no private key");
    check(&ca, &cert, &None, "client.pem\nhint: give both files");
    check(&authority.file("none.pem"), &None, &None, "none.pem cannot be read");
}
