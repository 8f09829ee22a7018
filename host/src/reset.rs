//! `smt-host reset`: a pipeline that nobody runs begins anew. Its offsets, what its windowed plugins keep, and what
//! waits in their repartition topics change together, in one transaction, or not at all.
//!
//! Outputs stay as they are: what is read again is written again.

/// The transaction, and the local store.
mod act;
/// What would be done, for people.
mod plan;
/// The end of a partition, once it is quiet.
mod settled;
/// `--to`.
mod to;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use crate::exit::Stop;
use crate::kafka::{From, Settings};
use crate::pipeline::Spec;
use crate::run::At;
use crate::shutdown::Shutdown;

pub use plan::Plan;
pub use to::To;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    at: At,
    /// A windowed plugin whose state is to go too; needed only where the group has committed nothing. Repeatable
    #[arg(long = "plugin", value_name = "NAME", value_delimiter = ',')]
    plugins: Vec<String>,
    /// Reset only the offsets of this input topic; repeatable [default: all topics that the group has read]
    #[arg(long = "input", value_name = "TOPIC", value_delimiter = ',')]
    inputs: Vec<String>,
    /// Where reading begins anew: earliest, latest, or a time (2026-11-25T09:00:00Z, or milliseconds since 1970)
    #[arg(long, value_name = "WHERE", default_value = "earliest")]
    to: To,
    /// Where the local store is [default: ~/.local/state/smt-host]
    #[arg(long, env = "SMT_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// What is to be reset.
#[derive(Debug, Clone)]
pub struct Request {
    pub group: String,
    /// Plugins whose state goes, beside those that the group's offsets tell of.
    pub plugins: Vec<String>,
    /// Empty: all topics that the group has committed in.
    pub inputs: Vec<String>,
    pub to: To,
    /// The store on this machine, there or not.
    pub store: Option<PathBuf>,
}

impl Request {
    /// All of a pipeline; reading begins where a new group's would.
    pub fn of(spec: &Spec) -> Request {
        let to = match spec.from {
            From::Earliest => To::Earliest,
            From::Latest => To::Latest,
        };
        let (group, inputs, store) = (spec.group.clone(), spec.inputs.clone(), spec.store_dir.clone());
        Request { group, plugins: Vec::new(), inputs, to, store }
    }
}

/// At once, for whoever has been asked already. Refuses while the group has members.
pub fn reset(kafka: &Settings, request: &Request, stop: &Shutdown) -> Result<(), Stop> {
    Plan::make(kafka, request, stop)?.carry_out(stop)
}

pub fn run(args: Args) -> Result<(), Stop> {
    let place = args.at.place(args.state_dir)?;
    let inputs = if args.inputs.is_empty() { place.inputs } else { args.inputs };
    let request = Request { group: place.group, plugins: args.plugins, inputs, to: args.to, store: Some(place.store) };
    let stop = Shutdown::new();
    stop.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let plan = Plan::make(&place.kafka, &request, &stop)?;
    println!("{plan}");
    if args.yes {
        plan.carry_out(&stop)?;
    } else if agreed()? {
        // Somebody may have run the pipeline since the question was asked.
        reset(&place.kafka, &request, &stop)?;
    } else {
        println!("Nothing was changed.");
        return Ok(());
    }
    println!("Done: group {} begins anew.", request.group);
    Ok(())
}

fn agreed() -> Result<bool, Stop> {
    if !std::io::stdin().is_terminal() {
        return Err(Stop::usage("nothing was changed: there is no terminal to ask on")
            .hint("if the table above is what you want, add --yes"));
    }
    print!("Do this? [y/N] ");
    let mut answer = String::new();
    std::io::stdout()
        .flush()
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|error| Stop::start(format!("the terminal: {error}")))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
