//! The `eth_` namespace: each method, from the snapshot it is answered from.

use super::fees::{self, HISTORY_BLOCKS_MAX, History, REWARD_BLOCKS_MAX};
use super::position::{Position, pending_block};
use super::record::BlockRecord;
use super::{ShardApi, error, events, execute, logs};
use crate::snapshot::Snapshot;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{
    BlockOverrides, EIP1186AccountProofResponse, EIP1186StorageProof, FeeHistory, Filter, TransactionRequest,
    state::StateOverride,
};
use alloy_serde::JsonStorageKey;
use futures::stream::BoxStream;
use primitives::Height;
use rpc::RpcError;
use rpc::error::{RpcResult, TransactionError};
use rpc::method::EthApi;
use rpc::view::{self, Block, Header, Log, Syncing, Transaction, TransactionReceipt};
use std::sync::Arc;

/// Most storage keys of one proof, as in geth.
const PROOF_KEYS_MAX: usize = 1_024;
/// Heights that a node may lack while the newest block is still on its way.
const IN_FLIGHT: u64 = 2;

impl EthApi for ShardApi {
    fn chain_id(&self) -> u64 {
        self.chain.snapshot().chain_id()
    }

    async fn block_number(&self) -> RpcResult<u64> {
        Ok(self.chain.snapshot().height().get())
    }

    async fn syncing(&self) -> RpcResult<Syncing> {
        let (current, highest) = (self.chain.snapshot().height(), self.chain.highest());
        if highest.above(current) <= IN_FLIGHT {
            return Ok(Syncing::DONE);
        }
        Ok(Syncing::running(self.chain.starting().get(), current.get(), highest.get()))
    }

    async fn gas_price(&self) -> RpcResult<u128> {
        let base_fee = self.chain.snapshot().next_base_fee();
        Ok(self.max_priority_fee_per_gas().await?.saturating_add(base_fee.into()))
    }

    async fn max_priority_fee_per_gas(&self) -> RpcResult<u128> {
        let snapshot = self.chain.snapshot();
        let head = snapshot.id();
        if let Some((_, tip)) = self.tip.lock().filter(|(id, _)| *id == head) {
            return Ok(tip);
        }
        let recent = Arc::clone(&self.recent);
        let tip = self.reads.run(move || {
            let mut busy = Vec::new();
            let newest = snapshot.height().get();
            for height in newest.saturating_sub(fees::BLOCKS_LOOKED_AT - 1)..=newest {
                let header = snapshot.reader.header(Height::new(height)).map_err(error::storage)?;
                if header.is_some_and(|header| fees::is_busy(&header)) {
                    busy.extend(recent.record(&snapshot, Height::new(height))?);
                }
            }
            fees::suggested_tip(&busy)
        });
        let tip = tip.await?;
        *self.tip.lock() = Some((head, tip));
        Ok(tip)
    }

    async fn fee_history(
        &self,
        blocks: u64,
        newest: BlockNumberOrTag,
        percentiles: Vec<f64>,
    ) -> RpcResult<FeeHistory> {
        if blocks == 0 {
            return Ok(FeeHistory::default());
        }
        let snapshot = self.chain.snapshot();
        let head = snapshot.height().get();
        let (newest, pending) = match Position::by_number(&snapshot, newest) {
            Some(Position::At(height)) => (height.get(), false),
            Some(Position::Pending) => (head.saturating_add(1), true),
            None => {
                let found = newest.as_number().unwrap_or_default();
                let text = format!("request beyond head block: requested {found}, head {head}");
                return Err(RpcError::Server(text));
            }
        };
        let blocks_max = if percentiles.is_empty() { HISTORY_BLOCKS_MAX } else { REWARD_BLOCKS_MAX };
        let oldest = newest.saturating_sub(blocks.min(blocks_max) - 1);
        let certified = oldest..=newest.min(head);
        let recent = Arc::clone(&self.recent);
        self.reads
            .run(move || {
                let with_rewards = !percentiles.is_empty();
                let mut history = History::new(oldest, percentiles);
                for height in certified.map(Height::new) {
                    if with_rewards {
                        let block = recent.record(&snapshot, height)?.ok_or(RpcError::HeaderNotFound)?;
                        history.add(&block, &snapshot.spec)?;
                    } else {
                        let header = snapshot.reader.header(height).map_err(error::storage)?;
                        history.add_header(&header.ok_or(RpcError::HeaderNotFound)?, &snapshot.spec);
                    }
                }
                if pending {
                    history.add(&BlockRecord::Executed(pending_block(&snapshot)), &snapshot.spec)?;
                }
                Ok(history.finish())
            })
            .await
    }

    async fn balance(&self, address: Address, block: BlockId) -> RpcResult<U256> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        Ok(view.account(&address).map_err(error::state)?.balance)
    }

    async fn transaction_count(&self, address: Address, block: BlockId) -> RpcResult<u64> {
        let snapshot = self.chain.snapshot();
        let position = Position::by_id(&snapshot, block)?;
        let nonce = position.view(&snapshot)?.account(&address).map_err(error::state)?.nonce;
        if position != Position::Pending {
            return Ok(nonce);
        }
        let pooled = self.chain.nonce_after(address).await;
        Ok(nonce.max(pooled.unwrap_or_default()))
    }

    async fn code(&self, address: Address, block: BlockId) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        view.code(&address).map_err(error::state)
    }

    async fn storage_at(&self, address: Address, slot: B256, block: BlockId) -> RpcResult<B256> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        Ok(view.storage(&address, &slot).map_err(error::state)?.into())
    }

    async fn proof(
        &self,
        address: Address,
        keys: Vec<JsonStorageKey>,
        block: BlockId,
    ) -> RpcResult<EIP1186AccountProofResponse> {
        if keys.len() > PROOF_KEYS_MAX {
            return Err(RpcError::InvalidParams(format!("too many slots (max {PROOF_KEYS_MAX})")));
        }
        let snapshot = self.chain.snapshot();
        let height = Position::by_id(&snapshot, block)?.certified(&snapshot);
        let slots = keys.iter().map(JsonStorageKey::as_b256).collect();
        let proof = self.chain.prove(address, slots, height).await.map_err(error::query)?;
        let storage = keys.into_iter().zip(proof.storage);
        Ok(EIP1186AccountProofResponse {
            address,
            balance: proof.account.balance,
            code_hash: proof.account.code_hash,
            nonce: proof.account.nonce,
            storage_hash: proof.storage_root,
            account_proof: proof.nodes,
            storage_proof: storage
                .map(|(key, slot)| EIP1186StorageProof { key, value: slot.value, proof: slot.nodes })
                .collect(),
        })
    }

    async fn call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        header: Option<BlockOverrides>,
    ) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let gas_max = self.config.call_gas_max;
        self.calls.run(move || execute::execute(&view, request, state, header, gas_max)).await
    }

    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> RpcResult<u64> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let gas_max = self.config.call_gas_max;
        self.calls.run(move || execute::estimate(&view, request, state, gas_max)).await
    }

    async fn send_raw_transaction(&self, transaction: Bytes) -> RpcResult<B256> {
        let (found, limit) = (transaction.len(), self.limits.bytes_max as usize);
        if found > limit {
            // At once, so that what waits to be verified is bounded in bytes too.
            return Err(TransactionError::Oversized { found, limit }.into());
        }
        self.chain.submit(transaction).await.map_err(error::submit)
    }

    async fn transaction(&self, hash: B256) -> RpcResult<Option<Transaction>> {
        if let Some(found) = self.certified_transaction(hash).await? {
            return Ok(Some(found));
        }
        match self.chain.pooled(hash).await {
            Some(pooled) => Ok(Some(view::transaction(pooled.to_recovered(), None))),
            // It may have left the pool for a block meanwhile.
            None => self.certified_transaction(hash).await,
        }
    }

    async fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>> {
        let snapshot = self.chain.snapshot();
        let Some(location) = snapshot.reader.location(&hash).map_err(error::storage)? else {
            return Ok(None);
        };
        let index = location.index as usize;
        self.look(&snapshot, location.height, move |block| block.receipt_view(index)).await
    }

    async fn block_by_number(&self, block: BlockNumberOrTag, full: bool) -> RpcResult<Option<Block>> {
        let snapshot = self.chain.snapshot();
        match Position::by_number(&snapshot, block) {
            Some(position) => self.block_view(&snapshot, position, full).await,
            None => Ok(None),
        }
    }

    async fn block_by_hash(&self, hash: B256, full: bool) -> RpcResult<Option<Block>> {
        let snapshot = self.chain.snapshot();
        match snapshot.reader.height(&hash).map_err(error::storage)? {
            Some(height) => self.block_view(&snapshot, Position::At(height), full).await,
            None => Ok(None),
        }
    }

    async fn logs(&self, filter: Filter) -> RpcResult<Vec<Log>> {
        let snapshot = self.chain.snapshot();
        let Some(range) = logs::range(&snapshot, &filter, self.config.logs_blocks_max)? else {
            return Ok(Vec::new());
        };
        let (recent, logs_max) = (Arc::clone(&self.recent), self.config.logs_max);
        self.reads
            .run(move || {
                logs::collect(&snapshot, &filter, range, logs_max, &|height| recent.record(&snapshot, height))
            })
            .await
    }

    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>> {
        Ok(events::heads(self.chain.events()))
    }

    fn new_logs(&self, filter: Filter) -> RpcResult<BoxStream<'static, Log>> {
        Ok(events::logs(self.chain.events(), filter))
    }
}

impl ShardApi {
    async fn certified_transaction(&self, hash: B256) -> RpcResult<Option<Transaction>> {
        let snapshot = self.chain.snapshot();
        let Some(location) = snapshot.reader.location(&hash).map_err(error::storage)? else {
            return Ok(None);
        };
        let index = location.index as usize;
        self.look(&snapshot, location.height, move |block| block.transaction_view(index)).await
    }

    async fn block_view(
        &self,
        snapshot: &Arc<Snapshot>,
        position: Position,
        full: bool,
    ) -> RpcResult<Option<Block>> {
        match position {
            Position::Pending => BlockRecord::Executed(pending_block(snapshot)).block_view(full).map(Some),
            Position::At(height) => self.look(snapshot, height, move |block| block.block_view(full)).await,
        }
    }
}
