//! `smt-host windows`: which windows are open, why, and what came too late, read from Kafka itself.
//!
//! Shows what is committed. It needs no plugin file and no running host, and changes nothing.

/// From Kafka to a report.
mod look;
/// A report as tables.
mod print;
/// What is reported, without Kafka.
mod report;

use crate::exit::Stop;
use crate::look::{Show, Shown};
use crate::run::At;
use crate::shutdown::Shutdown;
pub(crate) use look::{Look, MOMENT};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    at: At,
    /// Only this windowed plugin; repeatable [default: all of the group]
    #[arg(long = "plugin", value_name = "NAME", value_delimiter = ',')]
    plugins: Vec<String>,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let place = args.at.place(None)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let mut look = Look::open(&place.kafka, &place.group, &args.plugins)?;
    args.show.show(&shutdown, || {
        let report = look.report()?;
        let now_ms = jiff::Timestamp::now().as_millisecond();
        Ok(Shown { json: report.json(), text: print::text(&report, now_ms) })
    })
}
