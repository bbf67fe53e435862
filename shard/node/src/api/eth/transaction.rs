//! Transactions: those of blocks, those that wait, new ones.

use crate::api::record::BlockRecord;
use crate::api::{ShardApi, error};
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use rpc::error::{RpcResult, TransactionError};
use rpc::method::TransactionApi;
use rpc::view::{self, Transaction, TransactionReceipt};

impl TransactionApi for ShardApi {
    async fn send_raw_transaction(&self, transaction: Bytes) -> RpcResult<B256> {
        let (found, limit) = (transaction.len(), self.limits.bytes_max as usize);
        if found > limit {
            // At once, so that what waits to be verified is bounded in bytes too.
            return Err(TransactionError::Oversized { found, limit }.into());
        }
        self.chain.submit(transaction).await.map_err(error::submit)
    }

    async fn transaction(&self, hash: B256) -> RpcResult<Option<Transaction>> {
        if let Some(found) = self.look_for(hash, BlockRecord::transaction_view).await? {
            return Ok(Some(found));
        }
        match self.chain.pooled(hash).await {
            Some(pooled) => Ok(Some(view::transaction(pooled.to_recovered(), None))),
            // It may have left the pool for a block meanwhile.
            None => self.look_for(hash, BlockRecord::transaction_view).await,
        }
    }

    async fn transaction_at(&self, block: BlockId, index: u64) -> RpcResult<Option<Transaction>> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let found = self.look_at(block, move |block| {
            (index < block.len()).then(|| block.transaction_view(index)).transpose()
        });
        Ok(found.await?.flatten())
    }

    async fn raw_transaction(&self, hash: B256) -> RpcResult<Option<Bytes>> {
        if let Some(found) = self.look_for(hash, raw).await? {
            return Ok(found);
        }
        match self.chain.pooled(hash).await {
            Some(pooled) => Ok(Some(pooled.encoded().clone())),
            None => Ok(self.look_for(hash, raw).await?.flatten()),
        }
    }

    async fn raw_transaction_at(&self, block: BlockId, index: u64) -> RpcResult<Option<Bytes>> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        Ok(self.look_at(block, move |block| raw(block, index)).await?.flatten())
    }

    async fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>> {
        self.look_for(hash, BlockRecord::receipt_view).await
    }
}

impl ShardApi {
    /// Looks at a transaction of a certified block: at the block, and where in it the transaction is.
    async fn look_for<T: Send + 'static>(
        &self,
        hash: B256,
        look: impl FnOnce(&BlockRecord, usize) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<Option<T>> {
        let snapshot = self.chain.snapshot();
        let Some(location) = snapshot.reader.location(&hash).map_err(error::storage)? else {
            return Ok(None);
        };
        let index = location.index as usize;
        self.look(&snapshot, location.height, move |block| look(block, index)).await
    }
}

fn raw(block: &BlockRecord, index: usize) -> RpcResult<Option<Bytes>> {
    Ok(block.raw(index))
}
