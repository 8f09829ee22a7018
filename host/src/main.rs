//! The command: parse, dispatch, exit code. No logic of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    smt_host::cli::main()
}
