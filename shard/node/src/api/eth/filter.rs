//! Logs, searched for.

use crate::api::{ShardApi, logs};
use alloy_rpc_types_eth::Filter;
use rpc::error::RpcResult;
use rpc::method::FilterApi;
use rpc::view::Log;
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
}
