//! Receipts between chains: what they say, how a block commits to them, how the other side is sure of them.
//!
//! A receipt is *sent* in a block of its source, *certified* with that block, and *consumed* by its destination exactly
//! once and in order: the destination's cursor for the lane is part of its state, so a second delivery has nowhere
//! to go. Everything here is a pure function of its arguments.
//!
//! - [`kind`]: what a payload means; one file per kind
//! - [`outbox`]: what a block sends, and the root that its header commits to
//! - [`range`]: that receipts are consecutive leaves of a lane's tree
//! - [`beacon`]: the same between a shard and the beacon chain, which sees shards through their accepted headers
//! - [`bundle`]: one lane's receipts from one source block, proven to whoever knows the source's committee
//! - [`flow`]: how much may be under way, and whose turn it is
//!
//! Rules: docs/spec/receipts.md

pub mod beacon;
pub mod bundle;
pub mod flow;
pub mod kind;
pub mod outbox;
pub mod range;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use beacon::DeliveryError;
pub use bundle::{Arrival, BundleError, Delivery};
pub use flow::LaneCounters;
pub use kind::{
    Abort, Answer, Call, Commit, Deposit, Exit, Payload, PayloadError, Prepare, Refusal, TopUp, Transfer,
    Verdict, Withdrawal, WithdrawalAccount, stand_in,
};
pub use outbox::{Outbox, OutboxError, empty_outbox_root};
