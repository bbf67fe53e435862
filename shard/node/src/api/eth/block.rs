//! Blocks.

use crate::api::ShardApi;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use rpc::error::RpcResult;
use rpc::method::BlockApi;
use rpc::view::{Block, Header, TransactionReceipt};

impl BlockApi for ShardApi {
    async fn block_by_number(&self, block: BlockNumberOrTag, full: bool) -> RpcResult<Option<Block>> {
        self.look_at(block.into(), move |block| block.block_view(full)).await
    }

    async fn block_by_hash(&self, hash: B256, full: bool) -> RpcResult<Option<Block>> {
        self.look_at(hash.into(), move |block| block.block_view(full)).await
    }

    async fn header(&self, block: BlockId) -> RpcResult<Option<Header>> {
        self.look_at(block, |block| Ok(block.header_view())).await
    }

    async fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>> {
        self.look_at(block, |block| block.receipt_views()).await
    }

    async fn block_transaction_count(&self, block: BlockId) -> RpcResult<Option<u64>> {
        self.look_at(block, |block| Ok(block.len() as u64)).await
    }
}
