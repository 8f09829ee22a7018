//! Command line types, and the one match from a command to the module that does it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::{Exit, Stop};
use crate::platform::command as platform;
use crate::{demo, generate, inspect, log, look, open_windows, reset, run, sink, source, worker, workshop};

const EXIT_CODES: &str = "Exit codes:
  0  success, or stopped when asked
  1  a check failed (demo's counts, an exercise)
  2  bad option, configuration or connector file; nothing was started
  3  a plugin, schema or topic that does not fit; nothing was started
  4  a plugin failed too much, and its pipeline stopped; what was complete is committed
  5  a broker, registry or database cannot be reached
  6  another instance with the same id has taken over
  7  a connector failed for good
 70  a bug in smt-host
130  stopped at once by a second signal";

/// Runs sandboxed WASM transforms over Kafka topics, exactly once.
#[derive(Parser)]
#[command(name = "smt-host", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    run: run::PluginArgs,
    #[command(subcommand)]
    command: Option<Command>,
    /// How log lines look: for people, or one JSON object a line [default: human]
    #[arg(long, global = true, env = "SMT_LOG_FORMAT")]
    log_format: Option<log::Format>,
}

#[derive(Subcommand)]
enum Command {
    /// The pipelines of a configuration file.
    Run(Box<run::FileArgs>),
    /// Everything embedded: broker, registry, database, customers, source and plugins.
    Demo(demo::Args),
    /// Broker, registry, database, S3 and Connect in the background, without Docker.
    Platform(platform::Args),
    /// Insert fake Brazilian customers into a Postgres table.
    Generate(generate::Args),
    /// Run one source connector from its Kafka Connect file.
    Source(Box<source::Args>),
    /// Run one S3 sink connector from its Kafka Connect file.
    Sink(Box<sink::Args>),
    /// Run connectors behind Kafka Connect's REST API.
    Connect(Box<worker::Args>),
    /// What a plugin says of itself.
    Inspect(inspect::Args),
    /// The topics there are; make one, or describe one.
    Topics(Box<look::TopicsArgs>),
    /// Records as they come, decoded.
    Print(Box<look::PrintArgs>),
    /// Columns of a topic's records, as a table.
    Select(Box<look::SelectArgs>),
    /// Pipelines and connectors: what they do, and how far they are.
    Status(Box<look::StatusArgs>),
    /// Which windows of a pipeline are open, and why.
    Windows(open_windows::Args),
    /// Let a pipeline that nobody runs begin anew: offsets and state together.
    Reset(reset::Args),
    /// Exercises: lay one out, and check what was made of it.
    Workshop(workshop::Args),
}

/// The whole program.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = generate::normalize_args(std::env::args_os().collect());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap prints each where it belongs.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            error.print().ok();
            return ExitCode::from(code as u8);
        }
    };
    let (format, ended) = dispatch(cli);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            log::stop(format, &stop);
            ExitCode::from(stop.exit as u8)
        }
    }
}

/// How it ended, and the format to tell that in.
fn dispatch(cli: Cli) -> (log::Format, Result<(), Stop>) {
    let start_log = |by_default: Option<log::Format>| {
        let format = cli.log_format.or(by_default).unwrap_or_default();
        log::start(format);
        format
    };
    let job = match cli.command {
        None => Ok(cli.run.job()),
        Some(Command::Run(args)) => args.job(),
        Some(Command::Demo(args)) => return (start_log(None), demo::run(args)),
        Some(Command::Platform(args)) => return (start_log(None), platform::run(args)),
        Some(Command::Generate(args)) => return (start_log(None), generate::run(args)),
        Some(Command::Source(args)) => return (start_log(None), source::run(*args)),
        Some(Command::Sink(args)) => return (start_log(None), sink::run(*args)),
        Some(Command::Connect(args)) => return (start_log(None), worker::run(*args)),
        Some(Command::Inspect(args)) => return (start_log(None), inspect::run(args)),
        Some(Command::Topics(args)) => return (start_log(None), look::topics(*args)),
        Some(Command::Print(args)) => return (start_log(None), look::print(*args)),
        Some(Command::Select(args)) => return (start_log(None), look::select(*args)),
        Some(Command::Status(args)) => return (start_log(None), look::status(*args)),
        Some(Command::Windows(args)) => return (start_log(None), open_windows::run(args)),
        Some(Command::Reset(args)) => return (start_log(None), reset::run(args)),
        Some(Command::Workshop(args)) => return (start_log(None), workshop::run(args)),
    };
    let format = start_log(job.as_ref().ok().and_then(|job| job.config.log_format));
    (format, job.and_then(|job| job.run(format)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
