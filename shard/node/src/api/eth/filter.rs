//! Logs searched for, and filters.

use crate::api::filters::{self, Changes, Happening, Kind};
use crate::api::{ShardApi, logs};
use alloy_primitives::U128;
use alloy_rpc_types_eth::Filter;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::FilterApi;
use rpc::view::{FilterChanges, Log, transaction};
use std::sync::Arc;

impl FilterApi for ShardApi {
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

    async fn new_filter(&self, filter: Filter) -> RpcResult<U128> {
        // What can never be searched for is refused at once; a range may still grow beyond a limit.
        logs::range(&self.chain.snapshot(), &filter, u64::MAX)?;
        self.filters.install(Kind::Logs(Arc::new(filter)))
    }

    async fn new_block_filter(&self) -> RpcResult<U128> {
        self.filters.install(Kind::Blocks)
    }

    async fn new_pending_transaction_filter(&self, full: bool) -> RpcResult<U128> {
        self.filters.install(Kind::Pooled { full })
    }

    async fn filter_changes(&self, id: U128) -> RpcResult<FilterChanges> {
        Ok(match self.filters.take(id)? {
            Changes::Blocks(ids) => FilterChanges::Hashes(ids),
            Changes::Pooled { full: false, transactions } => {
                FilterChanges::Hashes(transactions.iter().map(|transaction| transaction.hash()).collect())
            }
            Changes::Pooled { full: true, transactions } => {
                let views = transactions.iter().map(|pooled| transaction(pooled.to_recovered(), None));
                FilterChanges::Transactions(views.collect())
            }
            Changes::Logs { filter, from, happenings } => {
                let outcome = self.changed_logs(filter, happenings).await;
                // What could not be told now is told the next time.
                let told = outcome.as_ref().map_or(0, |(_, told)| *told as u64);
                self.filters.give_back(id, from.saturating_add(told));
                FilterChanges::Logs(outcome?.0)
            }
        })
    }

    async fn filter_logs(&self, id: U128) -> RpcResult<Vec<Log>> {
        match self.filters.kind(id)? {
            Kind::Logs(filter) => self.logs((*filter).clone()).await,
            Kind::Blocks | Kind::Pooled { .. } => Err(RpcError::FilterNotFound),
        }
    }

    async fn uninstall_filter(&self, id: U128) -> RpcResult<bool> {
        Ok(self.filters.remove(id))
    }
}

impl ShardApi {
    async fn changed_logs(
        &self,
        filter: Arc<Filter>,
        happenings: Vec<Happening>,
    ) -> RpcResult<(Vec<Log>, usize)> {
        // Not older than what has happened.
        let snapshot = self.chain.snapshot();
        let (recent, logs_max) = (Arc::clone(&self.recent), self.config.logs_max);
        self.reads
            .run(move || {
                filters::logs(&snapshot, &filter, &happenings, logs_max, &|height| {
                    recent.record(&snapshot, height)
                })
            })
            .await
    }
}
