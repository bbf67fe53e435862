//! The beacon node.
//!
//! - [`core`]: the chain's mutable state and the one function that changes it; pure
//! - [`store`]: the chain on disk
//! - [`node`]: the task that feeds the core and does what it says, on any runtime
//! - [`BeaconHandle`], [`Snapshot`]: what the rest of the process sees of it
//! - [`api`]: the REST interface
//! - [`cli`], [`config`]: the process

pub mod api;
pub mod cli;
pub mod config;
pub mod core;
mod handle;
mod metrics;
pub mod node;
mod snapshot;
pub mod store;
#[cfg(test)]
mod testing;

pub use handle::{BeaconHandle, Bootstrap, Certified, Status, SubmitError};
pub use metrics::Metrics;
pub use node::{BeaconNode, Failure, Parts, StartError};
pub use snapshot::Snapshot;
