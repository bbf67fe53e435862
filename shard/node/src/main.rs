//! `shard-node`: one validator's part in the shards it is drawn for.

fn main() -> eyre::Result<()> {
    shard_node::cli::main_with(std::env::args_os())
}
