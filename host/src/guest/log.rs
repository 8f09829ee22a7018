//! A plugin's ways into the host's log: `host.log`, stdout and stderr. It never lets a plugin fill the disk.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::bindings::smt::plugin::host::Level;

/// Lines a second and plugin; a plugin that logs each record must not fill the disk.
const LINES_A_SECOND: u32 = 20;
const LINE_BYTES_MAX: usize = 8 << 10;
/// What is remembered of a stream for the blame of a record.
const SAID_BYTES_MAX: usize = 2 << 10;

/// Shared by all instances of a plugin, since a trap must not reset the limit.
#[derive(Clone)]
pub(super) struct Log {
    plugin: Arc<str>,
    window: Arc<Mutex<Window>>,
}

struct Window {
    from: Instant,
    lines: u32,
}

impl Log {
    pub(super) fn new(plugin: &str) -> Log {
        let window = Window { from: Instant::now(), lines: 0 };
        Log { plugin: plugin.into(), window: Arc::new(Mutex::new(window)) }
    }

    pub(super) fn line(&self, level: Level, message: &str) {
        if !self.admit() {
            return;
        }
        let (plugin, message) = (&*self.plugin, cut(message));
        match level {
            Level::Debug => tracing::debug!(plugin, "{message}"),
            Level::Info => tracing::info!(plugin, "{message}"),
            Level::Warn => tracing::warn!(plugin, "{message}"),
            Level::Error => tracing::error!(plugin, "{message}"),
        }
    }

    fn admit(&self) -> bool {
        let mut window = locked(&self.window);
        if window.from.elapsed() >= Duration::from_secs(1) {
            let dropped = window.lines.saturating_sub(LINES_A_SECOND);
            *window = Window { from: Instant::now(), lines: 0 };
            if dropped > 0 {
                tracing::warn!(plugin = &*self.plugin, "{dropped} log lines dropped");
            }
        }
        window.lines = window.lines.saturating_add(1);
        window.lines <= LINES_A_SECOND
    }
}

/// stdout or stderr of one instance. A plugin may open it anew for every piece of a line.
#[derive(Clone)]
pub(super) struct Pipe(Arc<Mutex<Lines>>);

impl Pipe {
    pub(super) fn new(log: &Log) -> Pipe {
        Pipe(Arc::new(Mutex::new(Lines { log: log.clone(), rest: Vec::new(), said: String::new() })))
    }

    pub(super) fn forget(&self) {
        locked(&self.0).said.clear();
    }

    /// The last lines since it was told to forget.
    pub(super) fn said(&self) -> Option<String> {
        let said = locked(&self.0).said.trim_end().to_owned();
        (!said.is_empty()).then_some(said)
    }
}

struct Lines {
    log: Log,
    /// The beginning of a line.
    rest: Vec<u8>,
    said: String,
}

impl Lines {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() > LINE_BYTES_MAX {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        let line = String::from_utf8_lossy(&self.rest);
        let line = line.trim_end();
        if !line.is_empty() {
            self.log.line(Level::Info, line);
            self.said.push_str(line);
            self.said.push('\n');
            let surplus = self.said.len().saturating_sub(SAID_BYTES_MAX);
            self.said.drain(..self.said.ceil_char_boundary(surplus));
        }
        self.rest.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end();
    }
}

impl IsTerminal for Pipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Pipe {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only preview 3 asks for it, which is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Pipe {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        locked(&self.0).write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES_MAX)
    }
}

impl Pollable for Pipe {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

pub(super) fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LINE_BYTES_MAX)]
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_pieces_is_one_line_and_the_last_ones_are_remembered() {
        let pipe = Pipe::new(&Log::new("p"));
        let mut streams = [pipe.p2_stream(), pipe.p2_stream()];
        for (stream, piece) in [(0, "fir"), (1, "st\nsec"), (0, "ond\n\n")] {
            assert!(streams[stream].write(bytes::Bytes::from_static(piece.as_bytes())).is_ok());
        }
        assert_eq!(pipe.said().as_deref(), Some("first\nsecond"));
        pipe.forget();
        assert_eq!(pipe.said(), None);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_stays_utf8() {
        let pipe = Pipe::new(&Log::new("p"));
        let line = bytes::Bytes::from(format!("{}\n", "é".repeat(500)));
        (0..10).for_each(|_| assert!(pipe.p2_stream().write(line.clone()).is_ok()));
        assert!(pipe.said().is_some_and(|said| said.len() <= SAID_BYTES_MAX && said.ends_with('é')));
    }
}
