//! `shard-node`: one validator's part in the shards it is drawn for.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::failure::exit_code(shard_node::cli::main_with(std::env::args_os()))
}
