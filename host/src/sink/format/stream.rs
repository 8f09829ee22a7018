//! A growing file, compressed on its way or not.

use std::io::Write;

use flate2::Compression as Level;
use flate2::write::GzEncoder;

use super::Compression;
use crate::connect::Reason;

/// What is gathered before it is compressed.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Stream {
    /// What was written and is not compressed yet; without compression, what is ready.
    plain: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl Stream {
    pub(super) fn new(compression: Compression) -> Stream {
        let gzip = match compression {
            Compression::None => None,
            Compression::Gzip { level } => {
                let level = level.map_or_else(Level::default, Level::new);
                Some(GzEncoder::new(Vec::new(), level))
            }
        };
        Stream { plain: Vec::new(), gzip }
    }

    /// `write` only ever appends, and takes back what it appended if it fails.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Reason>) -> Result<(), Reason> {
        write(&mut self.plain)?;
        if self.plain.len() >= CHUNK_BYTES {
            self.compress()?;
        }
        Ok(())
    }

    fn compress(&mut self) -> Result<(), Reason> {
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(&self.plain).map_err(failed)?;
            self.plain.clear();
        }
        Ok(())
    }

    pub(super) fn buffered(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, |gzip| gzip.get_ref().len())
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.gzip.as_mut().map_or(&mut self.plain, |gzip| gzip.get_mut()))
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, Reason> {
        self.compress()?;
        match self.gzip {
            Some(gzip) => gzip.finish().map_err(failed),
            None => Ok(self.plain),
        }
    }
}

fn failed(error: std::io::Error) -> Reason {
    Reason::record(format!("the file cannot be compressed: {error}"))
}
