//! `atoll`: a whole network with one command, and the nodes themselves as subcommands.

use std::process::ExitCode;

fn main() -> ExitCode {
    atoll::cli::run(std::env::args_os())
}
