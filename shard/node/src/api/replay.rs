//! A block executed again on the state before it, up to any of its transactions.

use super::error;
use super::position::{Position, pending_block};
use super::recent::Recent;
use super::record::BlockRecord;
use crate::pool::PooledTransaction;
use crate::snapshot::Snapshot;
use primitives::Height;
use rpc::RpcError;
use rpc::error::RpcResult;
use shard_state::executor::{BlockExecutor, Stop, TransactionContext};
use shard_state::state::{Layer, Layered};
use std::sync::Arc;

/// A block and the state that it was executed on.
#[derive(Debug)]
pub(super) struct Replay {
    block: BlockRecord,
    before: Layered,
}

impl Replay {
    /// The block at a position, if the state before it is still kept. Genesis is not the result of an execution.
    pub(super) fn new(snapshot: &Snapshot, recent: &Recent, position: Position) -> RpcResult<Self> {
        match position {
            Position::Pending => Ok(Self {
                block: BlockRecord::Executed(pending_block(snapshot)),
                before: snapshot.view.state().clone(),
            }),
            Position::At(height) => {
                let Some(parent) = height.get().checked_sub(1) else {
                    return Err(RpcError::Server("genesis is not traceable".into()));
                };
                let block = recent.record(snapshot, height)?.ok_or(RpcError::HeaderNotFound)?;
                let before = Position::At(Height::new(parent)).view(snapshot)?.state().clone();
                Ok(Self { block, before })
            }
        }
    }

    /// Its transactions, in order.
    pub(super) fn transactions(&self) -> RpcResult<Vec<PooledTransaction>> {
        self.block.verified(0..self.block.receipts().len())
    }

    /// The block executed up to the transactions given, which are its first ones.
    pub(super) fn run(
        &self,
        transactions: &[PooledTransaction],
        stop: &Stop,
    ) -> RpcResult<BlockExecutor<'_>> {
        let header = self.block.header();
        let environment = *self.block.environment();
        let opened = BlockExecutor::open(&self.before, environment, header.parent, header.anchor.id);
        let mut executor = opened.map_err(error::execute)?;
        for (chain, sequence) in self.block.acknowledged() {
            executor.acknowledge(chain, sequence).map_err(|error| error::execute(error.into()))?;
        }
        for transaction in transactions {
            if stop.is_stopped() {
                return Err(RpcError::Server("execution timeout".into()));
            }
            executor.execute(transaction).map_err(error::execute)?;
        }
        Ok(executor)
    }

    /// The state that the block's transaction at `index` is executed on.
    pub(super) fn state_before(&self, index: usize, stop: &Stop) -> RpcResult<Layered> {
        let transactions = self.transactions()?;
        let before = transactions.get(..index).ok_or_else(|| {
            let text =
                format!("transaction index {index} out of range, the block has {}", transactions.len());
            RpcError::Server(text)
        })?;
        let (changes, _) = self.run(before, stop)?.close();
        Ok(self.before.with(Arc::new(Layer::new([&changes]))))
    }

    /// How a trace names the transaction at `index`.
    pub(super) fn context(&self, index: usize, transaction: &PooledTransaction) -> TransactionContext {
        TransactionContext {
            block_hash: Some(self.block.id()),
            tx_index: Some(index),
            tx_hash: Some(transaction.hash()),
        }
    }
}
