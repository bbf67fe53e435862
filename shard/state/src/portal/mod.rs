//! The Portal: the native contract through which a shard sends receipts to other chains, and its state.
//!
//! What always holds: every receipt that was sent is a `Sent` event of the block that sent it, so the block's outbox is
//! what its transaction receipts say, and a call that reverts has sent nothing; value that was sent is gone from
//! the source before it is credited at the destination; a lane's numbers have no gaps.
//!
//! - `abi`: its functions, events and errors, as `sdk/solidity` declares them
//! - [`gas`]: what they cost
//! - `ledger`: lanes, cursors and claims in the Portal's own storage, so that they are proven like any other state
//! - `contract`: the functions
//! - [`outbox`]: what a block sent, from its transaction receipts
//! - [`worth`], [`burned`]: where the money is
//!
//! Rules: docs/spec/receipts.md#portal

pub mod abi;
mod bloom;
pub(crate) mod contract;
pub mod gas;
pub(crate) mod ledger;
mod outbox;
#[cfg(test)]
mod tests;
mod worth;

pub(crate) use bloom::logs_bloom;
pub use contract::{PortalRules, StakingRules};
pub use ledger::{LaneState, held, lanes};
pub(crate) use outbox::event as outbox_event;
pub use outbox::{OutboxError, outbox, sent};
pub use worth::{burned, worth};

use alloy_primitives::Bytes;
pub use primitives::PORTAL;

/// The code of its account: INVALID, so that nothing runs where the Portal is not built in. That there is code
/// keeps the account alive and lets contracts see that it is one.
pub const PORTAL_CODE: Bytes = Bytes::from_static(&[0xfe]);
