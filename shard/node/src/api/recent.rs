//! The newest certified blocks as they were executed here, so that what is asked about most is neither read nor
//! recovered again.
//!
//! What always holds: no more than [`BLOCKS_MAX`] blocks and about [`TRANSACTIONS_MAX`] transactions are kept. A block
//! that is not here is on disk; one that was taken back is found under no height any more.

use super::chain::Chain;
use super::error::{self, storage};
use super::record::{BlockRecord, StoredBlock};
use crate::handle::ChainEvent;
use crate::snapshot::Snapshot;
use alloy_primitives::B256;
use parking_lot::Mutex;
use primitives::Height;
use rpc::error::RpcResult;
use shard_state::{block::Executed, executor::Environment, transaction::TransactionLimits};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use tokio::sync::broadcast;

/// Most blocks.
const BLOCKS_MAX: usize = 64;
/// Transactions that lead to older blocks being dropped.
const TRANSACTIONS_MAX: usize = 100_000;

/// The newest blocks, oldest first.
#[derive(Debug)]
pub(super) struct Recent {
    /// Not held: the task that follows the chain ends with it.
    chain: Weak<dyn Chain>,
    blocks: Mutex<VecDeque<Arc<Executed>>>,
}

impl Recent {
    pub(super) fn new(chain: &Arc<dyn Chain>) -> Self {
        Self { chain: Arc::downgrade(chain), blocks: Mutex::new(VecDeque::new()) }
    }

    fn find(&self, id: &B256) -> Option<Arc<Executed>> {
        let known = self.blocks.lock().iter().rev().find(|block| block.id == *id).cloned();
        known.or_else(|| self.chain.upgrade()?.executed(id))
    }

    /// The certified block at `height`, if it is here.
    pub(super) fn in_memory(&self, snapshot: &Snapshot, height: Height) -> RpcResult<Option<BlockRecord>> {
        let id = snapshot.reader.id(height).map_err(storage)?;
        Ok(id.and_then(|id| self.find(&id)).map(BlockRecord::Executed))
    }

    /// The certified block at `height`, from here or from disk.
    pub(super) fn record(&self, snapshot: &Snapshot, height: Height) -> RpcResult<Option<BlockRecord>> {
        if let Some(found) = self.in_memory(snapshot, height)? {
            return Ok(Some(found));
        }
        let reader = &snapshot.reader;
        let (Some(block), Some(id)) =
            (reader.block(height).map_err(storage)?, reader.id(height).map_err(storage)?)
        else {
            return Ok(None);
        };
        let receipts = reader.receipts(height).map_err(error::read)?.unwrap_or_default();
        let environment = Environment::certified(&snapshot.spec, &block.header, &block.body.anchor);
        let limits = TransactionLimits::new(&snapshot.spec, snapshot.shard());
        Ok(Some(BlockRecord::Stored(Arc::new(StoredBlock::new(block, id, environment, receipts, limits)))))
    }

    fn add(&self, block: Arc<Executed>) {
        let mut blocks = self.blocks.lock();
        blocks.push_back(block);
        let mut transactions: usize = blocks.iter().map(|block| block.transactions.len()).sum();
        while blocks.len() > BLOCKS_MAX || (transactions > TRANSACTIONS_MAX && blocks.len() > 1) {
            transactions -= blocks.pop_front().map_or(0, |oldest| oldest.transactions.len());
        }
    }

    /// Keeps what is certified from now on, until the chain stops.
    pub(super) async fn follow(self: Arc<Self>, mut events: broadcast::Receiver<ChainEvent>) {
        loop {
            match events.recv().await {
                Ok(ChainEvent::Certified(block)) => self.add(block),
                Ok(ChainEvent::Undone(_) | ChainEvent::Finalized(_))
                | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}
