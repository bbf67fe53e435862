//! `atoll`'s arguments.

use crate::stake::{self, DepositArgs, ExitArgs};
use crate::testnet::{self, DataDir, LogsArgs, StatusArgs, UpArgs};
use crate::xsend::{self, XsendArgs};
use clap::{Parser, Subcommand};
use std::{ffi::OsString, process::ExitCode};

/// The programs of a validator, which are this one too.
const NODES: &str = "\
Nodes, each with its own --help:
  beacon-node            One validator's view of the beacon chain, and its voice on it
  shard-node             One validator's part in the shards it is drawn for
  shard-node --dev       One shard alone, for the tests of contracts
  shard-node statetest   Ethereum's state tests through the shard's executor and trie";

/// A sharded beacon-chain blockchain: run a whole network on this machine, and talk to it.
///
/// Without a command: `testnet up`.
#[derive(Debug, Parser)]
#[command(name = "atoll", version, after_help = NODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A local network: beacon chain, shards and validators as processes of this machine.
    #[command(subcommand)]
    Testnet(Testnet),
    /// Send value from one shard to another.
    Xsend(XsendArgs),
    /// Stake, so that a node without stake (`testnet up --spares`) becomes a validator.
    Deposit(DepositArgs),
    /// End a validator's stake.
    Exit(ExitArgs),
}

#[derive(Debug, Subcommand)]
enum Testnet {
    /// Start it; Ctrl-C ends it and keeps its data.
    Up(UpArgs),
    /// End it.
    Down(DataDir),
    /// Show what runs and how far every chain is.
    Status(StatusArgs),
    /// Show the nodes' logs.
    Logs(LogsArgs),
}

/// Runs the program with these arguments, the first being its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // A node is the same code as the binary of its name: this program starts itself as a node.
    let (program, rest) =
        (arguments.get(1).and_then(|word| word.to_str()), arguments.get(1..).unwrap_or_default());
    let outcome = match program {
        Some("beacon-node") => beacon_node::cli::main_with(rest.to_vec()),
        Some("shard-node") => shard_node::cli::main_with(rest.to_vec()),
        _ => dispatch(Cli::parse_from(arguments)),
    };
    service::failure::exit_code(outcome)
}

fn dispatch(cli: Cli) -> eyre::Result<()> {
    match cli.command {
        None => testnet::up(&UpArgs::default()),
        Some(Command::Xsend(args)) => xsend::xsend(&args),
        Some(Command::Deposit(args)) => stake::deposit(&args),
        Some(Command::Exit(args)) => stake::exit(&args),
        Some(Command::Testnet(command)) => match command {
            Testnet::Up(args) => testnet::up(&args),
            Testnet::Down(directory) => testnet::down(&directory),
            Testnet::Status(args) => testnet::status(&args),
            Testnet::Logs(args) => testnet::logs(&args),
        },
    }
}
