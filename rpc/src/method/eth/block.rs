//! Blocks.

use crate::{
    error::RpcResult,
    method::methods,
    view::{Block, Header, TransactionReceipt},
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64};
use std::future::Future;

/// Blocks.
pub trait BlockApi: Send + Sync + 'static {
    /// A block; `full` is with transactions instead of their hashes.
    fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        full: bool,
    ) -> impl Future<Output = RpcResult<Option<Block>>> + Send;

    /// A block; `full` is with transactions instead of their hashes.
    fn block_by_hash(&self, hash: B256, full: bool) -> impl Future<Output = RpcResult<Option<Block>>> + Send;

    /// A block's header.
    fn header(&self, block: BlockId) -> impl Future<Output = RpcResult<Option<Header>>> + Send;

    /// What came of a block's transactions, in order.
    fn block_receipts(
        &self,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<Option<Vec<TransactionReceipt>>>> + Send;

    /// How many transactions a block has.
    fn block_transaction_count(&self, block: BlockId) -> impl Future<Output = RpcResult<Option<u64>>> + Send;
}

methods! {
    BlockApi;

    /// A block, with its transactions or with their hashes; `null` above the head.
    eth_getBlockByNumber(block: BlockNumberOrTag, full: Option<bool>) -> "block or null"
        = |api| api.block_by_number(block, full.unwrap_or(false)).await;

    /// A block, with its transactions or with their hashes; `null` if it is not known.
    eth_getBlockByHash(hash: B256, full: Option<bool>) -> "block or null"
        = |api| api.block_by_hash(hash, full.unwrap_or(false)).await;

    /// A header; `null` above the head.
    eth_getHeaderByNumber(block: BlockNumberOrTag) -> "header or null" = |api| api.header(block.into()).await;

    /// A header; `null` if it is not known.
    eth_getHeaderByHash(hash: B256) -> "header or null" = |api| api.header(hash.into()).await;

    /// What came of the transactions of a block, in order; `null` if the block is not known.
    eth_getBlockReceipts(block: BlockId) -> "list of transaction receipts or null"
        = |api| api.block_receipts(block).await;

    /// How many transactions a block has; `null` above the head.
    eth_getBlockTransactionCountByNumber(block: BlockNumberOrTag) -> "quantity or null"
        = |api| Ok(api.block_transaction_count(block.into()).await?.map(U64::from));

    /// How many transactions a block has; `null` if it is not known.
    eth_getBlockTransactionCountByHash(hash: B256) -> "quantity or null"
        = |api| Ok(api.block_transaction_count(hash.into()).await?.map(U64::from));

    /// How many uncles a block has: none, as no block of a shard has any; `null` above the head.
    eth_getUncleCountByBlockNumber(block: BlockNumberOrTag) -> "quantity or null"
        = |api| Ok(api.block_transaction_count(block.into()).await?.map(|_| U64::ZERO));

    /// How many uncles a block has: none, as no block of a shard has any; `null` if it is not known.
    eth_getUncleCountByBlockHash(hash: B256) -> "quantity or null"
        = |api| Ok(api.block_transaction_count(hash.into()).await?.map(|_| U64::ZERO));

    /// An uncle of a block: there is none.
    eth_getUncleByBlockNumberAndIndex(block: BlockNumberOrTag, index: U64) -> "null"
        = |_api| Ok(None::<Block>);

    /// An uncle of a block: there is none.
    eth_getUncleByBlockHashAndIndex(hash: B256, index: U64) -> "null"
        = |_api| Ok(None::<Block>);
}
