//! The BFT engine, with concrete types, and its network.
//!
//! - [`Network`]: one node's identity and connections; [`Network::open`] starts a chain
//! - [`ChainHandle`]: what the owner of a chain tells its engine: tables, committees, which epochs to take part in
//! - [`Request`]: what the engine asks of the owner: propose, verify, take a certified block
//! - [`SeatSigner`]: where votes are signed; no key enters this package
//! - [`Block`]: a block of either kind of chain, as it travels and is stored
//! - [`sockets`]: the entry point of real nodes
//!
//! What always holds: one seat casts one vote; votes of one (chain, epoch) are seen only by its committee; a
//! certified block is delivered in order, until its owner has acknowledged it; whatever a peer sends, at worst
//! its messages on that chain are no longer read.
//!
//! Rules: docs/spec/consensus.md#engine

mod block;
mod config;
mod handle;
mod network;
mod request;
mod seat;
pub mod sockets;

pub use block::{Block, Content};
pub use config::{ChainConfig, Durability, Start};
pub use handle::ChainHandle;
pub use network::Network;
pub use request::{Acknowledge, Context, EngineError, Request};
pub use seat::SeatSigner;
