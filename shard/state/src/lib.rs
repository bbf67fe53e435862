//! Everything a shard block means: the state of a shard, and the rules that change it.
//!
//! Pure: nothing here knows of time, disks, sockets or threads other than those that compute. The same blocks
//! lead to the same state on every machine.
//!
//! - [`account`], [`state`], [`trie`]: what the state is, how it is read, changed and committed to
//! - [`transaction`]: decoding, stateless checks, senders
//! - [`portal`]: receipts to and from other chains
//! - [`atomic`]: transfers on several shards of which all take effect or none does
//! - [`executor`]: what a transaction does; calls and gas estimates for the RPC
//! - [`rules`]: which of Ethereum's rules hold
//! - [`receipt`]: transaction receipts, and the roots over transactions and receipts
//! - [`fee`], [`block`]: the rules of a block: proposing one, verifying one
//! - [`genesis`]: where a shard starts
//! - [`chain`]: one chain's mutable state, its branches and what is certified
//! - [`reexecute`]: the same state again from genesis and blocks alone
//!
//! Rules: docs/spec/shard-block.md

pub mod account;
pub mod atomic;
pub mod block;
pub mod chain;
pub mod executor;
pub mod fee;
pub mod genesis;
pub mod journey;
pub mod portal;
pub mod receipt;
pub mod reexecute;
pub mod rules;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transaction;
pub mod trie;
