//! Command line types, and the one match from a command to the module that does it.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::exit::{Exit, Stop};
use crate::{demo, generate, inspect, run, source};

const EXIT_CODES: &str = "Exit codes:
  0  success, or stopped when asked
  1  a check failed (demo's counts)
  2  bad option, configuration or connector file; nothing was started
  3  a plugin, schema or topic that does not fit; nothing was started
  4  a plugin fails every record; what was complete is committed
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
    run: run::Args,
    #[command(subcommand)]
    command: Option<Command>,
    /// How log lines look: for people, or one JSON object a line.
    #[arg(long, global = true, env = "SMT_LOG_FORMAT", default_value = "human")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Human,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Everything embedded: broker, registry, database, customers, source and plugins.
    Demo(demo::Args),
    /// Insert fake Brazilian customers into a Postgres table.
    Generate(generate::Args),
    /// Run one source connector from its Kafka Connect file.
    Source(source::Args),
    /// What a plugin says of itself.
    Inspect(inspect::Args),
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
    log_to_stderr(cli.log_format);
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("error: {stop}");
            ExitCode::from(stop.exit as u8)
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Stop> {
    match cli.command {
        None => run::run(cli.run),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Source(args)) => source::run(args),
        Some(Command::Inspect(args)) => inspect::run(args),
    }
}

fn log_to_stderr(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SMT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,rdkafka=off,librdkafka=off,wasmtime=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
