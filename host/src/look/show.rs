//! How what was looked at is shown: once or again and again, to people or to scripts.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use serde_json::Value;

use crate::exit::Stop;
use crate::shutdown::Shutdown;

const EVERY: Duration = Duration::from_secs(1);
/// Clears the terminal, and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(clap::Args, Debug, Clone, Copy)]
pub struct Show {
    /// Go on showing, once a second, until Ctrl-C
    #[arg(long)]
    pub(super) watch: bool,
    /// For scripts: one JSON value, with --watch one a line
    #[arg(long)]
    pub(super) json: bool,
}

/// One look, both ways.
pub struct Shown {
    pub json: Value,
    pub text: String,
}

impl Show {
    /// What stands before each look: nothing where a script reads.
    pub(super) fn clear(self) -> &'static str {
        if self.watch && std::io::stdout().is_terminal() && !self.json { CLEAR } else { "" }
    }

    pub fn show(self, stop: &Shutdown, mut look: impl FnMut() -> Result<Shown, Stop>) -> Result<(), Stop> {
        let clear = self.clear();
        loop {
            let shown = look()?;
            let text = match (self.json, self.watch) {
                (true, true) => format!("{}\n", shown.json),
                (true, false) => format!("{:#}\n", shown.json),
                (false, _) => shown.text,
            };
            if !write(&format!("{clear}{text}")) || !self.watch || stop.sleep(EVERY) {
                return Ok(());
            }
        }
    }
}

/// False: whoever read it has seen enough.
pub(super) fn write(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}
