//! `shard-node --dev`: one shard in one process, for the tests of contracts and tools.
//!
//! There is no beacon chain, no committee and no network: the chain's owner is whoever calls its JSON-RPC. Everything
//! else is a shard's: blocks are proposed by the same function, kept in the same store, read by the same RPC. What
//! only the owner of such a chain may do (setting balances and clocks, going back, sending from accounts without their
//! keys) is served here and nowhere else. The state lies in memory and is gone with the process.
//!
//! What is set by hand is a block of its own, without transactions: so every state has a height, and proofs, traces and
//! reads of older states hold as on any chain.
//!
//! - `genesis`, `accounts`: where the chain starts
//! - `beacon`: the beacon headers that its blocks are anchored at
//! - `clock`, `core`: its mutable state, pure
//! - `chain`: the task-safe handle that the RPC reads through
//! - `owner`: what the owner may do

mod accounts;
mod beacon;
mod chain;
mod clock;
mod core;
mod genesis;
mod owner;
#[cfg(test)]
mod tests;

use crate::api::{ApiConfig, ShardApi};
use chain::DevChain;
use clap::Args;
use owner::DevOwner;
use rpc::{Cors, ServeError, ServerConfig, ServerHandle};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use accounts::ACCOUNTS;
pub use core::DevError;

/// What tools expect of a chain that runs for their sake.
const CHAIN_ID: u64 = 31_337;
const PORT: u16 = 8_545;

/// A development chain.
#[derive(Clone, Debug, Args)]
pub struct DevArgs {
    /// Run one shard alone, without a beacon chain, for the tests of contracts and tools.
    #[arg(long)]
    pub(crate) dev: bool,
    /// The chain id, with --dev.
    #[arg(long, requires = "dev", value_name = "ID", default_value_t = CHAIN_ID)]
    chain_id: u64,
    /// The port of the JSON-RPC, with --dev.
    #[arg(long, requires = "dev", value_name = "PORT", default_value_t = PORT)]
    port: u16,
    /// Make a block each time so many milliseconds have passed, and none in between, with --dev.
    #[arg(long, requires = "dev", value_name = "MILLISECONDS")]
    block_time: Option<u64>,
}

impl DevArgs {
    fn config(&self) -> DevConfig {
        DevConfig {
            chain_id: self.chain_id,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            block_time: self.block_time.filter(|time| *time > 0).map(Duration::from_millis),
        }
    }
}

/// How a development chain runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevConfig {
    /// What transactions must be signed for.
    pub chain_id: u64,
    /// Where its JSON-RPC listens; port zero is any free one.
    pub listen: SocketAddr,
    /// Time between blocks; without, there is a block as soon as there is a transaction.
    pub block_time: Option<Duration>,
}

/// Why a development chain does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevStartError {
    /// The chain cannot be made.
    #[error(transparent)]
    Chain(#[from] DevError),
    /// Its JSON-RPC cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Starts a development chain and its JSON-RPC on the current tokio runtime; both end with the handle.
pub async fn start(config: &DevConfig) -> Result<ServerHandle, DevStartError> {
    let chain = DevChain::start(config.chain_id, config.block_time)?;
    let api = ShardApi::start(Arc::new(chain.clone()), ApiConfig::default());
    let owner = Arc::new(DevOwner::new(chain, Arc::clone(&api)));
    let methods = rpc::method::dev_methods(rpc::method::shard_methods(api), owner);
    let server = ServerConfig { cors: Cors::Any, ..ServerConfig::new(config.listen) };
    Ok(rpc::serve(server, methods).await?)
}

/// Runs a development chain until the process is asked to end.
pub(crate) fn run(args: &DevArgs) -> eyre::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let config = args.config();
        let server = start(&config).await?;
        for (address, secret) in ACCOUNTS {
            eprintln!("{address}  {secret}");
        }
        eprintln!("\n{} ether each, with keys that the whole world knows.", genesis::ETHER_EACH);
        eprintln!("Chain {} on http://{}", config.chain_id, server.address());
        service::shutdown::requested().await?;
        server.stop().await;
        Ok(())
    })
}
