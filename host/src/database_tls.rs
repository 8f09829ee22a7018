//! TLS to Postgres, as `sslmode`, `sslrootcert`, `sslcert` and `sslkey` ask for it: with libpq's meanings.
//!
//! `require` encrypts and trusts whoever answers, unless `sslrootcert` says whom to trust; only then, and with
//! `verify-ca` and `verify-full`, the server is known. Never falls back to plain text but where the mode is `prefer`,
//! the default, as libpq does. No file is read that was not named.

mod client;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::exit::Stop;

const MODES: [(&str, Mode); 6] = [
    ("disable", Mode::Disable),
    ("allow", Mode::Prefer),
    ("prefer", Mode::Prefer),
    ("require", Mode::Require),
    ("verify-ca", Mode::VerifyCa),
    ("verify-full", Mode::VerifyFull),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What a connection's parameters say of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    mode: Option<Mode>,
    /// The public roots were asked for by name, which goes with `verify-full` alone.
    system: bool,
    /// PEM; without it the well-known public roots.
    roots: Option<PathBuf>,
    client: client::Files,
}

impl Tls {
    /// Takes one parameter; false: it is not about TLS.
    pub fn take(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            "sslmode" => {
                let Some((_, mode)) = MODES.iter().find(|(word, _)| *word == value) else {
                    let words = MODES.map(|(word, _)| word).join(", ");
                    return Err(format!("sslmode is {value:?}; allowed: {words}"));
                };
                self.mode = Some(*mode);
            }
            "sslrootcert" => {
                self.system = value == "system";
                self.roots = (!self.system).then(|| value.into());
            }
            "sslcert" => self.client.certificate = Some(value.into()),
            "sslkey" => self.client.key = Some(value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub fn ssl_mode(&self) -> SslMode {
        match self.mode() {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        }
    }

    fn mode(&self) -> Mode {
        self.mode.unwrap_or(if self.system { Mode::VerifyFull } else { Mode::default() })
    }

    /// What makes the encrypted connections.
    pub fn connector(&self) -> Result<MakeRustlsConnect, Stop> {
        let mode = self.mode();
        if self.system && mode != Mode::VerifyFull {
            return Err(Stop::usage("sslrootcert is system, and sslmode is not verify-full")
                .hint("anyone can have a certificate of a public root: only with its name is a server known"));
        }
        let provider = Arc::new(ring::default_provider());
        let (chain, own) = match mode {
            Mode::VerifyCa | Mode::VerifyFull => self.chain(&provider)?,
            // As libpq: whoever names roots wants them asked.
            Mode::Require if self.roots.is_some() => self.chain(&provider)?,
            _ => (None, Vec::new()),
        };
        let verifier = Verifier { chain, own, names: mode == Mode::VerifyFull, provider: provider.clone() };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Stop::start(format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        // Nothing is shown where nothing is encrypted.
        let shown = if mode == Mode::Disable { None } else { self.client.read()? };
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|error| self.client.unusable(&error))?
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn chain(&self, provider: &Arc<CryptoProvider>) -> Result<Chain, Stop> {
        let mut store = RootCertStore::empty();
        let mut own = Vec::new();
        match &self.roots {
            None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let bad = |why: String| Stop::usage(format!("sslrootcert {} is not usable: {why}", path.display()));
                let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                    store.add(certificate.clone()).map_err(|error| bad(error.to_string()))?;
                    own.push(certificate);
                }
                if own.is_empty() {
                    return Err(bad("it holds no certificate".to_owned()).hint("it is a PEM file of trusted roots"));
                }
            }
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build();
        Ok((Some(chain.map_err(|error| Stop::start(format!("TLS cannot be set up: {error}")))?), own))
    }
}

type Chain = (Option<Arc<WebPkiServerVerifier>>, Vec<CertificateDer<'static>>);

#[derive(Debug)]
struct Verifier {
    /// None: any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The trusted certificates themselves: a server may show one of these, made for itself alone.
    own: Vec<CertificateDer<'static>>,
    /// Whether it must have the host's name.
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let verified = match self.own.iter().any(|own| own == certificate) {
            true => rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name)
                .map(|()| ServerCertVerified::assertion()),
            false => chain.verify_server_cert(certificate, between, name, ocsp, now),
        };
        match verified {
            // The name is looked at last: all else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.names => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn modes_have_libpqs_names_and_an_unknown_one_is_refused() {
        let mode = |value: &str| {
            let mut tls = Tls::default();
            tls.take("sslmode", value).map(|_| tls.ssl_mode())
        };
        assert_eq!(mode("disable").unwrap(), SslMode::Disable);
        assert_eq!(Tls::default().ssl_mode(), SslMode::Prefer);
        assert_eq!(mode("verify-full").unwrap(), SslMode::Require);
        assert!(mode("always").unwrap_err().starts_with("sslmode is \"always\"; allowed: disable, "));
        assert!(!Tls::default().take("user", "u").unwrap());
    }

    #[test]
    fn public_roots_by_name_are_for_servers_that_are_known_by_name() {
        let check = |mode: Option<&str>, allowed: bool| {
            let mut tls = Tls::default();
            tls.take("sslrootcert", "system").unwrap();
            mode.map(|mode| tls.take("sslmode", mode).unwrap());
            assert_eq!(tls.connector().is_ok(), allowed, "{mode:?}");
            tls
        };
        assert_eq!(check(None, true).ssl_mode(), SslMode::Require);
        check(Some("verify-full"), true);
        check(Some("verify-ca"), false);
        check(Some("require"), false);
    }

    #[test]
    fn roots_that_are_none_are_a_usage_error_that_names_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path(), std::path::Path::new("/nowhere.pem")] {
            let mut tls = Tls::default();
            tls.take("sslmode", "verify-full").unwrap();
            tls.take("sslrootcert", path.to_str().unwrap()).unwrap();
            let stop = tls.connector().err().unwrap();
            assert!(stop.what.contains(path.to_str().unwrap()), "{stop}");
        }
    }
}
