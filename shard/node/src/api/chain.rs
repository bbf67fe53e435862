//! What the RPC needs of a running shard chain.
//!
//! Reading never waits for the chain's owner: a reader takes the newest [`Snapshot`]. Only what the owner alone
//! has (the pool, the trie) is asked for, and those answers are small.

use crate::handle::{ChainEvent, ChainHandle, PooledOf, QueryError, SubmitError};
use crate::journeys::Times;
use crate::pool::{Counts, PooledTransaction};
use crate::snapshot::Snapshot;
use alloy_primitives::{Address, B256, Bytes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use primitives::Height;
use shard_state::block::Executed;
use shard_state::chain::AccountProof;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::sync::broadcast;

/// One shard chain of a running node, as its RPC sees it.
pub trait Chain: Debug + Send + Sync + 'static {
    /// The newest certified block and what is read beside it.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// What happens from now on, each event after the snapshot that includes it. A listener that is too far behind
    /// misses the oldest, and is told so.
    fn events(&self) -> broadcast::Receiver<ChainEvent>;

    /// Transactions that a block can take from now on, in batches as they came. A listener that is too far behind
    /// misses the oldest, and is told so.
    fn pooled_events(&self) -> broadcast::Receiver<Arc<[PooledTransaction]>>;

    /// Offers an EIP-2718 encoded transaction to the pool, together with all that are submitted meanwhile.
    fn submit(&self, encoded: Bytes) -> BoxFuture<'_, Result<B256, SubmitError>>;

    /// A transaction of the pool.
    fn pooled(&self, hash: B256) -> BoxFuture<'_, Option<PooledTransaction>>;

    /// The nonce after a sender's executable transactions in the pool; `None` if it has none there.
    fn nonce_after(&self, sender: Address) -> BoxFuture<'_, Option<u64>>;

    /// How many transactions the pool holds.
    fn pool_counts(&self) -> BoxFuture<'_, Counts>;

    /// All that the pool holds, by sender.
    fn pool_content(&self) -> BoxFuture<'_, Vec<PooledOf>>;

    /// What the pool holds of one sender.
    fn pool_content_of(&self, sender: Address) -> BoxFuture<'_, PooledOf>;

    /// Proves an account and slots of it in the state after `height`.
    fn prove(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> BoxFuture<'_, Result<AccountProof, QueryError>>;

    /// A certified block as it was executed, where the chain itself holds it: a reader need not recover its senders.
    fn executed(&self, _id: &B256) -> Option<Arc<Executed>> {
        None
    }

    /// When a receipt passed this node, as far as it was watching.
    fn receipt_times(&self, _id: &B256) -> Times {
        Times::default()
    }

    /// Height at which this process took the chain up.
    fn starting(&self) -> Height;

    /// Height of the highest block that is known to exist, whether or not this node has it.
    fn highest(&self) -> Height;

    /// Other nodes that this one is connected to.
    fn peers(&self) -> u64;
}

impl Chain for ChainHandle {
    fn snapshot(&self) -> Arc<Snapshot> {
        Self::snapshot(self)
    }

    fn events(&self) -> broadcast::Receiver<ChainEvent> {
        Self::events(self)
    }

    fn pooled_events(&self) -> broadcast::Receiver<Arc<[PooledTransaction]>> {
        Self::pooled_events(self)
    }

    fn submit(&self, encoded: Bytes) -> BoxFuture<'_, Result<B256, SubmitError>> {
        let outcome = self.submit_transactions(vec![encoded]);
        outcome.map(|mut outcomes| outcomes.pop().unwrap_or(Err(SubmitError::Stopped))).boxed()
    }

    fn pooled(&self, hash: B256) -> BoxFuture<'_, Option<PooledTransaction>> {
        Self::pooled(self, hash).boxed()
    }

    fn nonce_after(&self, sender: Address) -> BoxFuture<'_, Option<u64>> {
        Self::nonce_after(self, sender).boxed()
    }

    fn pool_counts(&self) -> BoxFuture<'_, Counts> {
        Self::pool_counts(self).boxed()
    }

    fn pool_content(&self) -> BoxFuture<'_, Vec<PooledOf>> {
        Self::pool_content(self).boxed()
    }

    fn pool_content_of(&self, sender: Address) -> BoxFuture<'_, PooledOf> {
        Self::pool_content_of(self, sender).boxed()
    }

    fn prove(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> BoxFuture<'_, Result<AccountProof, QueryError>> {
        self.proof(address, slots, height).boxed()
    }

    fn receipt_times(&self, id: &B256) -> Times {
        self.shared.journeys.times(id)
    }

    fn starting(&self) -> Height {
        Self::starting(self)
    }

    fn highest(&self) -> Height {
        Self::highest(self)
    }

    fn peers(&self) -> u64 {
        Self::peers(self)
    }
}
