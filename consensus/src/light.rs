//! Following the beacon chain without executing it, and through it every shard.
//!
//! [`LightClient`] starts from the genesis file and moves by certificates alone; whatever it hands
//! out as [`Finalized`] a quorum of beacon seats has vouched for. [`verify_anchor`] reads the beacon
//! chain at the one header that a shard block names.
//!
//! Rules: docs/spec/consensus.md#light-client

mod anchor;
mod client;
mod error;
mod finalized;
mod genesis;
#[cfg(test)]
mod tests;
mod update;

pub use anchor::{AnchorError, AnchorView, verify_anchor};
pub use client::LightClient;
pub use error::LightError;
pub use finalized::Finalized;
pub use genesis::BootstrapError;
pub use update::BeaconView;
