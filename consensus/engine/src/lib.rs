//! The BFT engine, with concrete types, and its network.
//!
//! - [`Network`]: one node's identity and connections; [`Network::open`] starts a chain
//! - [`ChainHandle`]: what the owner of a chain tells its engine: tables, committees, which epochs to take part in
//! - [`Request`]: what the engine asks of the owner: propose, verify, take a certified block
//! - [`SeatSigner`]: where votes are signed; no key enters this package
//! - [`Block`]: a block of either kind of chain, as it travels and is stored
//! - [`sockets`]: the entry point of real nodes
//! - `simulated` (feature `simulation`): the entry point of simulations, where all nodes share one deterministic runtime
//!
//! What always holds: one seat casts one vote; votes of one (chain, epoch) are sent to its committee only; a
//! certified block is delivered in order, until its owner has acknowledged it; whatever a peer sends, at worst
//! its messages on that chain are no longer read.
//!
//! Rules: docs/spec/consensus.md#engine

mod application;
mod archive;
mod bans;
mod block;
mod by_seat;
mod chain;
mod chain_network;
mod config;
mod delivery;
mod directory;
mod durability;
mod epoch;
mod epochs;
mod gossip;
mod greeting;
mod handle;
mod lines;
mod network;
mod node;
mod node_key;
mod pace;
mod partitions;
mod request;
mod scheme;
mod seat;
mod seat_network;
#[cfg(any(test, feature = "simulation"))]
pub mod simulated;
pub mod sockets;
#[cfg(test)]
mod tests;
mod watch;

pub use block::{Block, Content};
pub use config::{ChainConfig, Durability, Start};
pub use handle::ChainHandle;
pub use network::Network;
pub use node_key::node_key_of;
pub use request::{Acknowledge, Context, EngineError, Request};
pub use seat::SeatSigner;
