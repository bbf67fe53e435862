//! Blocks.

use crate::{error::RpcResult, method::methods, view::Block};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
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
}

methods! {
    BlockApi;

    /// A block, with its transactions or with their hashes; `null` above the head.
    eth_getBlockByNumber(block: BlockNumberOrTag, full: Option<bool>) -> "block or null"
        = |api| api.block_by_number(block, full.unwrap_or(false)).await;

    /// A block, with its transactions or with their hashes; `null` if it is not known.
    eth_getBlockByHash(hash: B256, full: Option<bool>) -> "block or null"
        = |api| api.block_by_hash(hash, full.unwrap_or(false)).await;
}
