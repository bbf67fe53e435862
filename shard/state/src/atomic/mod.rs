//! The Atomic: the native contract that moves amounts on several shards so that all move or none does.
//!
//! What always holds: an amount is in escrow only if its owner consented to exactly this leg of this bundle, or opened the
//! bundle itself on the shard of the leg; what is in escrow goes to one of two owners, as the coordinator decided once and
//! for all; nobody waits for a lock, so there is no deadlock; every prepare is answered, so every bundle is decided, and a
//! decision always has its place on its lane.
//!
//! - `abi`: its functions, events and errors, as `sdk/solidity` declares them
//! - [`gas`]: what they cost
//! - `program`: its code, which calls tokens for it
//! - `bundle`: legs, and the id over them
//! - `ledger`: consents, bundles and escrows in its own storage
//! - `contract`: which function is called, and the way in and out of the EVM
//! - `coordinator`: opening and deciding
//! - `escrow`: consenting, preparing, paying out
//! - `job`: calls of tokens, one after another
//!
//! Rules: docs/spec/receipts.md#bundles-that-take-effect-together

pub mod abi;
mod bundle;
pub(crate) mod contract;
mod coordinator;
mod escrow;
pub mod gas;
mod job;
mod ledger;
mod program;
#[cfg(test)]
mod tests;

pub use bundle::{LEGS_MAX, LEGS_MIN, bundle_id};
pub use program::ATOMIC_CODE;

use alloy_primitives::{Address, address};

/// Where the Atomic is, on every shard: "Atoll" in ASCII, and 2.
pub const ATOMIC: Address = address!("41746f6c6c000000000000000000000000000002");
