//! The client's own certificate: `sslcert` and `sslkey`. Never shows a key, and never takes one that others may read.

use std::fmt::Display;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::exit::Stop;

/// Both or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Files {
    /// PEM: the certificate, then those between it and a root that the server trusts.
    pub(super) certificate: Option<PathBuf>,
    /// PEM, or the DER that the JDBC driver takes.
    pub(super) key: Option<PathBuf>,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Files {
    /// None: no certificate is shown.
    pub(super) fn read(&self) -> Result<Option<Identity>, Stop> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some((chain(certificate)?, private_key(key)?))),
            (Some(_), None) => Err(half("sslcert", "sslkey")),
            (None, Some(_)) => Err(half("sslkey", "sslcert")),
        }
    }

    /// The two were read, but do not go together.
    pub(super) fn unusable(&self, why: &rustls::Error) -> Stop {
        let name = |path: &Option<PathBuf>| path.as_deref().unwrap_or(Path::new("")).display().to_string();
        let (certificate, key) = (name(&self.certificate), name(&self.key));
        Stop::usage(format!("sslcert {certificate} and sslkey {key} are not usable together: {why}"))
            .hint("sslkey is the private key of the first certificate in sslcert")
    }
}

fn half(given: &str, missing: &str) -> Stop {
    Stop::usage(format!("{given} is given without {missing}")).hint("a client certificate is both: sslcert and sslkey")
}

fn bad(parameter: &str, path: &Path, why: impl Display) -> Stop {
    Stop::usage(format!("{parameter} {} is not usable: {why}", path.display()))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Stop> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| bad("sslcert", path, error))?;
    if all.is_empty() {
        return Err(bad("sslcert", path, "it holds no certificate").hint("it is a PEM file"));
    }
    Ok(all)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Stop> {
    let metadata = std::fs::metadata(path).map_err(|error| bad("sslkey", path, error))?;
    if !is_private(&metadata) {
        let why = format!("others than its owner may read or change it (mode {:o})", metadata.mode() & 0o777);
        return Err(bad("sslkey", path, why).hint("chmod 600 makes it private; a file of root's may have 640"));
    }
    let bytes = std::fs::read(path).map_err(|error| bad("sslkey", path, error))?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).ok().or_else(|| PrivateKeyDer::try_from(bytes).ok());
    key.ok_or_else(|| {
        bad("sslkey", path, "it holds no private key that can be read")
            .hint("it is a PEM file, or DER as PKCS#8, without a password")
    })
}

/// As libpq has it.
fn is_private(metadata: &Metadata) -> bool {
    let open_to = if metadata.uid() == 0 { 0o027 } else { 0o077 };
    metadata.mode() & open_to == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn half_a_certificate_a_bad_file_and_a_key_that_others_may_read_are_usage_errors() {
        let dir = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["u".to_owned()]).unwrap();
        let file = |name: &str, bytes: &[u8], mode: u32| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Some(path)
        };
        let (pem, der) = (made.signing_key.serialize_pem(), made.signing_key.serialize_der());
        let certificate = file("u.crt", made.cert.pem().as_bytes(), 0o644);
        let check = |certificate: &Option<PathBuf>, key: Option<PathBuf>, wanted: &str| {
            let found = Files { certificate: certificate.clone(), key }.read();
            let text = match &found {
                Ok(found) => format!("{} certificates", found.as_ref().map_or(0, |(chain, _)| chain.len())),
                Err(stop) => stop.to_string(),
            };
            assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
            assert!(!text.contains("PRIVATE KEY"), "{text}");
        };
        check(&None, None, "0 certificates");
        check(&certificate, file("u.key", pem.as_bytes(), 0o600), "1 certificates");
        check(&certificate, file("u.pk8", &der, 0o600), "1 certificates");
        check(&certificate, None, "sslcert is given without sslkey");
        check(&None, file("u.key", pem.as_bytes(), 0o600), "sslkey is given without sslcert");
        check(&certificate, file("open.key", pem.as_bytes(), 0o604), "mode 604");
        check(&certificate, file("bad.key", b"secret", 0o600), "bad.key is not usable: it holds no private key");
        check(&certificate, Some("/nowhere.key".into()), "/nowhere.key");
        check(&file("bad.crt", b"", 0o644), file("u.key", pem.as_bytes(), 0o600), "bad.crt is not usable: it holds no");
        check(&Some("/nowhere.crt".into()), file("u.key", pem.as_bytes(), 0o600), "/nowhere.crt");
    }
}
