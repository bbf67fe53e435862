//! The shard node: every shard that a validator is drawn for, in one process.
//!
//! - [`core`]: one chain's mutable state and the one function that changes it; pure
//! - [`pool`]: transactions that wait for a block; pure
//! - [`store`]: a chain on disk
//! - [`node`]: the tasks that follow the beacon chain and run the shards, on any runtime
//! - [`ChainHandle`], [`Snapshot`]: what the rest of the process sees of a chain
//! - [`api`]: its JSON-RPC
//! - [`cli`], [`config`]: the process
//! - [`dev`]: one shard alone, for the tests of contracts and tools
//! - [`statetest`]: Ethereum's tests of the executor and the trie

pub mod api;
mod beacon_view;
mod chain;
pub mod cli;
pub mod config;
pub mod core;
pub mod dev;
mod follower;
mod gossip;
mod handle;
mod ingress;
mod journeys;
pub mod link;
mod metrics;
pub mod node;
mod offers;
pub mod pool;
mod servers;
mod snapshot;
pub mod statetest;
pub mod store;
#[cfg(test)]
mod testing;

pub use beacon_view::BeaconView;
pub use chain::ChainFailure;
pub use handle::{ChainEvent, ChainHandle, PooledOf, QueryError, SubmitError};
pub use metrics::Metrics;
pub use node::{Failure, NodeConfig, Parts, ShardNode, ShardNodeHandle, StartError};
pub use snapshot::{PendingBlock, Snapshot};
