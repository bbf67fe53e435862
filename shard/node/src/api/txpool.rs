//! The `txpool_` namespace.

use super::ShardApi;
use crate::handle::PooledOf;
use crate::pool::PooledTransaction;
use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::TxpoolApi;
use rpc::view::{ByNonce, PoolContent, PoolContentOf, PoolStatus, Transaction, transaction};

impl TxpoolApi for ShardApi {
    async fn pool_status(&self) -> RpcResult<PoolStatus> {
        let counts = self.chain.pool_counts().await;
        Ok(PoolStatus { pending: counts.executable as u64, queued: counts.queued as u64 })
    }

    async fn pool_content(&self) -> RpcResult<PoolContent> {
        let counts = self.chain.pool_counts().await;
        let (found, limit) = (counts.executable.saturating_add(counts.queued), self.config.pool_content_max);
        if found > limit {
            let text = format!(
                "the pool holds {found} transactions, the limit is {limit}: ask txpool_contentFrom for one sender"
            );
            return Err(RpcError::LimitExceeded(text));
        }
        let pool = self.chain.pool_content().await;
        self.reads
            .run(move || {
                let mut content = PoolContent::default();
                for of in pool {
                    content.add(of.sender, content_of(&of));
                }
                Ok(content)
            })
            .await
    }

    async fn pool_content_of(&self, sender: Address) -> RpcResult<PoolContentOf> {
        Ok(content_of(&self.chain.pool_content_of(sender).await))
    }
}

fn content_of(of: &PooledOf) -> PoolContentOf {
    PoolContentOf { pending: by_nonce(&of.pending), queued: by_nonce(&of.queued) }
}

fn by_nonce(transactions: &[PooledTransaction]) -> ByNonce<Transaction> {
    let views =
        transactions.iter().map(|one| (one.envelope().nonce(), transaction(one.to_recovered(), None)));
    views.collect()
}
