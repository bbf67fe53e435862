//! Blocks.

use crate::api::position::{Position, pending_block};
use crate::api::record::BlockRecord;
use crate::api::{ShardApi, error};
use crate::snapshot::Snapshot;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use rpc::error::RpcResult;
use rpc::method::BlockApi;
use rpc::view::Block;
use std::sync::Arc;

impl BlockApi for ShardApi {
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
}

impl ShardApi {
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
