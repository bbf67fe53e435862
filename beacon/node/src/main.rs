//! `beacon-node`: one validator's view of the beacon chain, and its voice on it.

fn main() -> eyre::Result<()> {
    beacon_node::cli::main_with(std::env::args_os())
}
