//! `validator`: keys of a validator.

use clap::Parser as _;

fn main() -> eyre::Result<()> {
    validator::cli::Cli::parse().run()
}
