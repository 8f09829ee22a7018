//! Whom to trust, and who we are: certificates from PEM files, read and checked before anything is contacted.

use std::path::{Path, PathBuf};

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::exit::Stop;

/// For https addresses; the others ignore it.
#[derive(Clone, Default)]
pub struct Tls(pub(super) TlsConfig);

impl Tls {
    /// Certificates of `ca` are trusted instead of the well-known ones.
    pub fn read(ca: &Option<PathBuf>, cert: &Option<PathBuf>, key: &Option<PathBuf>) -> Result<Tls, Stop> {
        let mut config = TlsConfig::builder();
        if let Some(file) = ca {
            config = config.root_certs(RootCerts::new_with_certs(&certificates(file)?));
        }
        let own = match (cert, key) {
            (Some(cert), Some(key)) => Some(ClientCert::new_with_certs(&certificates(cert)?, private_key(key)?)),
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                return Err(Stop::usage(format!(
                    "the registry's client certificate is only half given: {}",
                    one.display()
                ))
                .hint("give both files: the certificate and its private key"));
            }
        };
        Ok(Tls(config.client_cert(own).build()))
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, Stop> {
    let pem = read(file)?;
    let items = parse_pem(&pem).collect::<Result<Vec<_>, _>>().map_err(|error| no_pem(file, &error.to_string()))?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() { Err(no_pem(file, "it has no certificate")) } else { Ok(certificates) }
}

fn private_key(file: &Path) -> Result<PrivateKey<'static>, Stop> {
    PrivateKey::from_pem(&read(file)?).map_err(|_| no_pem(file, "it has no private key without passphrase"))
}

fn read(file: &Path) -> Result<Vec<u8>, Stop> {
    std::fs::read(file).map_err(|error| Stop::usage(format!("{} cannot be read: {error}", file.display())))
}

fn no_pem(file: &Path, why: &str) -> Stop {
    Stop::usage(format!("{} is not usable for TLS: {why}", file.display()))
        .hint("a PEM file is needed, with lines such as -----BEGIN CERTIFICATE-----")
}
