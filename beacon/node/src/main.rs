//! `beacon-node`: one validator's view of the beacon chain, and its voice on it.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::failure::exit_code(beacon_node::cli::main_with(std::env::args_os()))
}
