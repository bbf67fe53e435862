//! A chain of fixed answers.

use super::ALICE;
use crate::{
    RpcError,
    error::{RpcResult, TransactionError},
    method::{
        AccountApi, AtollApi, BlockApi, ChainApi, ExecutionApi, FeeApi, FilterApi, NetApi, StateApi,
        SubscriptionApi, TransactionApi, TxpoolApi, Web3Api,
    },
    view::{
        Block, BundleView, EIP1186AccountProofResponse, EthConfig, FeeHistory, FilterChanges, Header,
        InclusionView, LaneView, Log, PoolContent, PoolContentOf, PoolStatus, Pooled, ReceiptJourney,
        ShardFields, SyncNotice, Syncing, Transaction, TransactionReceipt,
    },
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U128, U256};
use alloy_rpc_types_eth::{BlockOverrides, Filter, TransactionRequest, state::StateOverride};
use alloy_serde::JsonStorageKey;
use futures::{StreamExt as _, stream::BoxStream};
use std::sync::Arc;
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// Told when a stream of logs is dropped.
    pub(super) dropped: Arc<Notify>,
}

/// Tells that it was dropped.
struct Telltale(Arc<Notify>);

impl Drop for Telltale {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl ChainApi for Fixed {
    fn chain_id(&self) -> u64 {
        7_001
    }
    async fn block_number(&self) -> RpcResult<u64> {
        Ok(255)
    }
    async fn config(&self) -> RpcResult<EthConfig> {
        Ok(crate::view::chain_config(7_001, B256::ZERO))
    }
    async fn syncing(&self) -> RpcResult<Syncing> {
        Ok(Syncing::DONE)
    }
}

impl AtollApi for Fixed {
    async fn receipt(&self, _: B256, _: bool) -> RpcResult<Option<ReceiptJourney>> {
        Ok(None)
    }
    async fn lane(&self, shard: u64) -> RpcResult<LaneView> {
        Err(RpcError::InvalidParams(format!("no lane to {shard}")))
    }
    async fn bundle(&self, _: B256) -> RpcResult<Option<BundleView>> {
        Ok(None)
    }
    async fn inclusion(&self, _: B256, _: Option<u64>) -> RpcResult<Option<InclusionView>> {
        Ok(None)
    }
}

impl FeeApi for Fixed {
    async fn gas_price(&self) -> RpcResult<u128> {
        Ok(9)
    }
    async fn max_priority_fee_per_gas(&self) -> RpcResult<u128> {
        Ok(2)
    }
    async fn fee_history(&self, _: u64, _: BlockNumberOrTag, _: Vec<f64>) -> RpcResult<FeeHistory> {
        Ok(FeeHistory { base_fee_per_gas: vec![7, 8], gas_used_ratio: vec![0.5], ..Default::default() })
    }
}

impl AccountApi for Fixed {}

impl StateApi for Fixed {
    async fn balance(&self, address: Address, block: BlockId) -> RpcResult<U256> {
        match block {
            BlockId::Hash(_) => Err(RpcError::HeaderNotFound),
            BlockId::Number(_) if address == ALICE => Ok(U256::from(1_000)),
            BlockId::Number(_) => Ok(U256::ZERO),
        }
    }
    async fn transaction_count(&self, _: Address, block: BlockId) -> RpcResult<u64> {
        Ok(if block.is_pending() { 2 } else { 1 })
    }
    async fn code(&self, _: Address, _: BlockId) -> RpcResult<Bytes> {
        Ok(Bytes::new())
    }
    async fn storage_at(&self, _: Address, slot: B256, _: BlockId) -> RpcResult<B256> {
        Ok(slot)
    }
    async fn proof(
        &self,
        _: Address,
        _: Vec<JsonStorageKey>,
        _: BlockId,
    ) -> RpcResult<EIP1186AccountProofResponse> {
        Ok(Default::default())
    }
}

impl ExecutionApi for Fixed {
    async fn call(
        &self,
        _: TransactionRequest,
        _: BlockId,
        _: Option<StateOverride>,
        _: Option<BlockOverrides>,
    ) -> RpcResult<Bytes> {
        Err(RpcError::Reverted { data: Bytes::from_static(&[1, 2]) })
    }
    async fn estimate_gas(
        &self,
        _: TransactionRequest,
        _: BlockId,
        _: Option<StateOverride>,
    ) -> RpcResult<u64> {
        Ok(21_000)
    }
}

impl BlockApi for Fixed {
    async fn block_by_number(&self, _: BlockNumberOrTag, _: bool) -> RpcResult<Option<Block>> {
        Ok(None)
    }
    async fn block_by_hash(&self, _: B256, _: bool) -> RpcResult<Option<Block>> {
        Ok(None)
    }
    async fn header(&self, block: BlockId) -> RpcResult<Option<Header>> {
        Ok(block
            .is_pending()
            .then(|| Header { atoll: ShardFields { epoch: 5, ..Default::default() }, ..Default::default() }))
    }
    async fn block_receipts(&self, _: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>> {
        Ok(None)
    }
    /// All but the pending one are unknown.
    async fn block_transaction_count(&self, block: BlockId) -> RpcResult<Option<u64>> {
        Ok(block.is_pending().then_some(17))
    }
}

impl TransactionApi for Fixed {
    async fn send_raw_transaction(&self, transaction: Bytes) -> RpcResult<B256> {
        match transaction.len() {
            0 => Err(TransactionError::AlreadyKnown.into()),
            _ => Ok(alloy_primitives::keccak256(transaction)),
        }
    }
    async fn transaction(&self, _: B256) -> RpcResult<Option<Transaction>> {
        Ok(None)
    }
    async fn transaction_at(&self, _: BlockId, _: u64) -> RpcResult<Option<Transaction>> {
        Ok(None)
    }
    async fn raw_transaction(&self, _: B256) -> RpcResult<Option<Bytes>> {
        Ok(None)
    }
    async fn raw_transaction_at(&self, _: BlockId, index: u64) -> RpcResult<Option<Bytes>> {
        Ok((index == 0).then(|| Bytes::from_static(&[2])))
    }
    async fn transaction_receipt(&self, _: B256) -> RpcResult<Option<TransactionReceipt>> {
        Ok(None)
    }
}

impl FilterApi for Fixed {
    async fn logs(&self, _: Filter) -> RpcResult<Vec<Log>> {
        Err(RpcError::LimitExceeded("query exceeds max block range 1000".into()))
    }
    async fn new_filter(&self, _: Filter) -> RpcResult<U128> {
        Ok(U128::from(26))
    }
    async fn new_block_filter(&self) -> RpcResult<U128> {
        Ok(U128::from(27))
    }
    async fn new_pending_transaction_filter(&self, full: bool) -> RpcResult<U128> {
        Ok(U128::from(if full { 29 } else { 28 }))
    }
    async fn filter_changes(&self, id: U128) -> RpcResult<FilterChanges> {
        match id.to::<u64>() {
            27 => Ok(FilterChanges::Hashes(vec![B256::ZERO])),
            _ => Err(RpcError::FilterNotFound),
        }
    }
    async fn filter_logs(&self, _: U128) -> RpcResult<Vec<Log>> {
        Ok(Vec::new())
    }
    async fn uninstall_filter(&self, id: U128) -> RpcResult<bool> {
        Ok(id == U128::from(27))
    }
}

impl SubscriptionApi for Fixed {
    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>> {
        let atoll = |epoch| ShardFields { epoch, ..Default::default() };
        let header = |epoch| Header { atoll: atoll(epoch), ..Default::default() };
        Ok(futures::stream::iter([header(1), header(2)]).chain(futures::stream::pending()).boxed())
    }
    /// As fast as anyone reads, without end.
    fn new_logs(&self, _: Filter) -> RpcResult<BoxStream<'static, Log>> {
        let telltale = Telltale(self.dropped.clone());
        let logs = futures::stream::unfold(telltale, async |telltale| {
            tokio::task::yield_now().await;
            Some((Log::default(), telltale))
        });
        Ok(logs.boxed())
    }
    fn new_pending_transactions(&self, full: bool) -> RpcResult<BoxStream<'static, Pooled>> {
        let hash = B256::repeat_byte(if full { 2 } else { 1 });
        Ok(futures::stream::iter([Pooled::Hash(hash)]).chain(futures::stream::pending()).boxed())
    }
    fn receipts(&self) -> RpcResult<BoxStream<'static, ReceiptJourney>> {
        Ok(futures::stream::pending().boxed())
    }
    fn sync_notices(&self) -> RpcResult<BoxStream<'static, SyncNotice>> {
        Ok(futures::stream::iter([SyncNotice::Done(false)]).chain(futures::stream::pending()).boxed())
    }
}

impl TxpoolApi for Fixed {
    async fn pool_status(&self) -> RpcResult<PoolStatus> {
        Ok(PoolStatus { pending: 10, queued: 7 })
    }
    async fn pool_content(&self) -> RpcResult<PoolContent> {
        Ok(PoolContent::default())
    }
    async fn pool_content_of(&self, _: Address) -> RpcResult<PoolContentOf> {
        Ok(PoolContentOf::default())
    }
}

impl NetApi for Fixed {
    fn network_id(&self) -> u64 {
        7_001
    }
    async fn peer_count(&self) -> RpcResult<u64> {
        Ok(3)
    }
}

impl Web3Api for Fixed {
    fn client_version(&self) -> String {
        "atoll/0.1.0".into()
    }
}
