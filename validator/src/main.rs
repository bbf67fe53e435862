//! `validator`: keys of a validator.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match validator::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
