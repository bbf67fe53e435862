//! Starting a shard's consensus anew after the beacon chain has ended an epoch early.
//!
//! Blocks above the last accepted one, the floor, are taken back, their transactions wait again, and the engine is
//! opened as a new generation above the floor. A node that does not have the floor block yet, or not its certificate,
//! gets it from peers first (see [`super::sync`]); the engines of those keep nothing from below the floor.

use super::{ChainFailure, ShardChain, chain_config};
use crate::core::{EarlyEnd, Effect};
use crate::handle::ChainEvent;
use crate::pool::PooledTransaction;
use crate::store::{Generation, Undone};
use primitives::{Committee, Height};
use shard_state::transaction::{TransactionLimits, verify_batch};
use std::sync::Arc;

impl ShardChain {
    pub(super) async fn end_early(
        &mut self,
        end: EarlyEnd,
        more: &mut Vec<Effect>,
    ) -> Result<(), ChainFailure> {
        if end.early_ends <= self.core.generation() {
            return Ok(());
        }
        let Some(generation) = self.next_generation(end).await? else { return Ok(()) };
        tracing::warn!(shard = %self.shard, floor = %generation.floor, generation = generation.early_ends, "epoch ended early");
        let undone = self.store.rewind(&generation)?;
        // Whatever the old engine still asks is about blocks that no longer count.
        self.replies.clear();
        let (engine, requests) =
            self.network.open(chain_config(&self.genesis, self.shard, &self.store)?).await;
        std::mem::replace(&mut self.engine, engine).close();
        self.requests = requests;
        self.sync.done();
        self.is_bypassed = false;
        self.metrics.ended_early();
        self.went_back(generation.floor, undone, generation.early_ends, more)
    }

    /// Lets core and readers follow the store, from which blocks were taken back.
    pub(super) fn went_back(
        &mut self,
        target: Height,
        undone: Vec<Undone>,
        generation: u64,
        more: &mut Vec<Effect>,
    ) -> Result<(), ChainFailure> {
        let base = self.store.base(target)?;
        let id = base.header.id();
        let undo: Vec<_> = undone.iter().map(|undone| Arc::clone(&undone.change_set)).collect();
        let transactions = self.returned(&undone);
        let cursors = self.store.reader()?.cursors(target)?;
        self.core.rewind(base, &undo, transactions, &cursors, generation, more)?;
        self.reread(id)?;
        // Readers first: who hears of an undone block must not find it.
        self.publish(self.core.published());
        for undone in undone {
            self.tell(ChainEvent::Undone(Arc::new(undone)));
        }
        Ok(())
    }

    /// What the engine starts from, if this node has all of it.
    async fn next_generation(&mut self, end: EarlyEnd) -> Result<Option<Generation>, ChainFailure> {
        let EarlyEnd { early_ends, floor, floor_id, table } = end;
        let (shard, head) = (self.shard, self.core.head().height);
        if head < floor {
            tracing::warn!(%shard, %head, %floor, "an epoch was ended early, fetching the blocks below");
            self.sync.want(floor);
            return Ok(None);
        }
        let ours = self.reader.id(floor)?;
        if floor_id.is_some_and(|accepted| ours != Some(accepted)) {
            // What we have was void before: another branch was accepted, or there was another early end, further down.
            self.is_bypassed = true;
            self.step_back(floor).await?;
            self.sync.want(floor);
            return Ok(None);
        }
        if floor == Height::ZERO {
            return Ok(Some(Generation { early_ends, floor, table, committee: Committee::default() }));
        }
        let certificate = self.certificate(floor).await?;
        let Some(certificate) = certificate else {
            tracing::warn!(%shard, %floor, "an epoch was ended early, fetching the last block's certificate");
            self.sync.want(floor);
            return Ok(None);
        };
        let view = self.views.borrow().clone();
        let committee = view.and_then(|view| view.committee(shard, certificate.epoch).cloned());
        let Some(committee) = committee else {
            tracing::warn!(%shard, epoch = %certificate.epoch, "an epoch was ended early, waiting for its committee");
            return Ok(None);
        };
        Ok(Some(Generation { early_ends, floor, table, committee: (*committee).clone() }))
    }

    /// The transactions of blocks that were taken back, in the order of the chain.
    fn returned(&self, undone: &[Undone]) -> Vec<PooledTransaction> {
        let encoded = undone.iter().rev().flat_map(|undone| undone.block.body.transactions.iter().cloned());
        let limits = TransactionLimits::new(&self.genesis.spec, self.shard);
        verify_batch(encoded.collect(), &limits).into_iter().flatten().map(Arc::new).collect()
    }
}
