//! The rules of a shard block: building one, and checking that one follows from its parent.
//!
//! Everything a header says is either a choice of the proposer within bounds (epoch, view, timestamp, anchor,
//! transactions) or computed from the parent and the body; [`execute`] refuses a header that differs in
//! any computed field, naming it. Execution needs nothing but the parent's state and the block itself: what the block
//! uses from the beacon chain is proven in its body. Whether the anchor is finalized, and whether the clock agrees,
//! is for the node to see before it votes.
//!
//! Rules: docs/spec/shard-block.md

mod build;
mod context;
mod error;
mod execute;
mod header;
mod inbox;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use alloy_primitives::B256;
use primitives::{Chain, InboxCursors, ShardHeader, Verified};
use xshard::{Arrival, Outbox};

pub use build::{Proposed, SkipReason, Skipped, propose};
pub use context::{BlockContext, BlockLimits, Incoming, ParentView};
pub use error::BlockError;
pub use execute::execute;
pub use inbox::InboxError;

use crate::{executor::Environment, receipt::TransactionReceipt, state::ChangeSet, transaction::Transaction};

/// A block that was executed, and what came of it.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The header; every field of it follows.
    pub header: ShardHeader,
    /// The header's id.
    pub id: B256,
    /// What the EVM saw of the block.
    pub environment: Environment,
    /// Receipts from other chains that it took in, in order.
    pub arrivals: Vec<Arc<Arrival>>,
    /// How many receipts other chains were seen to have consumed.
    pub acknowledged: Vec<(Chain, u64)>,
    /// The receipts it took in, in the form of transactions, and then its transactions, in order.
    pub transactions: Vec<Arc<Verified<Transaction>>>,
    /// One for each of them.
    pub receipts: Vec<TransactionReceipt>,
    /// What it did to the state.
    pub change_set: Arc<ChangeSet>,
    /// What it sent to other chains.
    pub outbox: Outbox,
    /// How far receipts of other chains are consumed after it.
    pub cursors: InboxCursors,
}

impl Executed {
    /// The transactions that were signed for it, in order.
    pub fn signed(&self) -> &[Arc<Verified<Transaction>>] {
        self.transactions.get(self.arrivals.len()..).unwrap_or_default()
    }
}

/// Receipts in the form of transactions, and then transactions.
fn entries(
    arrivals: &[Arc<Arrival>],
    transactions: Vec<Arc<Verified<Transaction>>>,
) -> Vec<Arc<Verified<Transaction>>> {
    let arrivals = arrivals.iter().map(|arrival| Arc::new(Transaction::of_arrival(arrival.clone())));
    arrivals.chain(transactions).collect()
}

/// Finds transactions that were verified before, by hash, so that nothing is recovered twice. What it returns for a
/// hash must be the transaction of that hash, verified for this shard.
pub type Lookup<'a> = &'a dyn Fn(&B256) -> Option<Arc<Verified<Transaction>>>;
