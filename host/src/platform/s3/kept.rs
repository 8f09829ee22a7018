//! What the next start finds again: random credentials, and the port.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Stop;
use crate::platform::dir::failed;

/// No Debug: the second is a secret.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    pub(super) fn open(root: &Path) -> Result<Kept, Stop> {
        Ok(Kept { folder: super::store::own_folder(root) })
    }

    /// A file that `AWS_SHARED_CREDENTIALS_FILE` can name.
    pub(super) fn credentials(&self) -> Result<Credentials, Stop> {
        let path = self.folder.join("credentials");
        if let Some(credentials) = fs::read_to_string(&path).ok().as_deref().and_then(parse) {
            return Ok(credentials);
        }
        let credentials =
            Credentials { access_key_id: format!("SMT{}", hex::<8>().to_uppercase()), secret_access_key: hex::<20>() };
        let Credentials { access_key_id, secret_access_key } = &credentials;
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                writeln!(file, "[default]\n{ID} = {access_key_id}\n{SECRET} = {secret_access_key}")?;
                file.sync_all()
            })
            .map_err(|error| failed("write", &path, &error))?;
        Ok(credentials)
    }

    /// The port of the last start if it is free, so that clients find the server again; else a fresh one. A fixed port
    /// is taken or refused.
    pub(super) fn listen(&self, fixed: Option<u16>) -> Result<TcpListener, Stop> {
        let path = self.folder.join("port");
        let kept = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u16>().ok()).unwrap_or(0);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, fixed.unwrap_or(kept)))
            .or_else(|error| match fixed {
                Some(_) => Err(error),
                None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
            })
            .map_err(|error| Stop::start(format!("the embedded S3 cannot listen on 127.0.0.1: {error}")))?;
        let port = listener.local_addr().map_err(|error| failed("write", &path, &error))?.port();
        fs::write(&path, format!("{port}\n")).map_err(|error| failed("write", &path, &error))?;
        Ok(listener)
    }
}

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";

fn parse(text: &str) -> Option<Credentials> {
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(" = "));
        pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
    };
    Some(Credentials { access_key_id: value(ID)?, secret_access_key: value(SECRET)? })
}

fn hex<const BYTES: usize>() -> String {
    (0..BYTES).map(|_| format!("{:02x}", rand::random::<u8>())).collect()
}
