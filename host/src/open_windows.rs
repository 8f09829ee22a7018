//! `smt-host windows`: which windows are open, why, and what came too late, read from Kafka itself.
//!
//! Shows what is committed. It needs no plugin file and no running host, and changes nothing.

/// From Kafka to a report.
mod look;
/// A report as tables.
mod print;
/// What is reported, without Kafka.
mod report;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::exit::Stop;
use crate::run::At;
use crate::shutdown::Shutdown;
use look::Look;

const EVERY: Duration = Duration::from_secs(1);
/// Clears the terminal, and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    at: At,
    /// Only this windowed plugin; repeatable [default: all of the group]
    #[arg(long = "plugin", value_name = "NAME", value_delimiter = ',')]
    plugins: Vec<String>,
    /// Go on showing, once a second, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// For scripts: one JSON object, with --watch one a line
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let place = args.at.place(None)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let mut look = Look::open(&place.kafka, &place.group, &args.plugins)?;
    let clear = if args.watch && std::io::stdout().is_terminal() && !args.json { CLEAR } else { "" };
    loop {
        let report = look.report()?;
        let text = match (args.json, args.watch) {
            (true, true) => format!("{}\n", report.json()),
            (true, false) => format!("{:#}\n", report.json()),
            (false, _) => print::text(&report, jiff::Timestamp::now().as_millisecond()),
        };
        let mut out = std::io::stdout();
        let written = out.write_all(format!("{clear}{text}").as_bytes()).and_then(|()| out.flush());
        // Whoever read it has seen enough.
        if written.is_err() || !args.watch || shutdown.sleep(EVERY) {
            return Ok(());
        }
    }
}
