//! Transactions: those of blocks, those that wait, new ones.

use crate::api::{ShardApi, error};
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
}
