//! Logs searched for, and filters: what has happened since a client last asked.

use crate::{
    error::RpcResult,
    method::methods,
    view::{FilterChanges, Log},
};
use alloy_primitives::U128;
use alloy_rpc_types_eth::Filter;
use std::future::Future;

/// Logs searched for, and filters: what has happened since a client last asked.
pub trait FilterApi: Send + Sync + 'static {
    /// Logs that match, in order.
    fn logs(&self, filter: Filter) -> impl Future<Output = RpcResult<Vec<Log>>> + Send;

    /// Remembers where the client is that asks for logs; answers the filter's id.
    fn new_filter(&self, filter: Filter) -> impl Future<Output = RpcResult<U128>> + Send;

    /// The same for ids of blocks.
    fn new_block_filter(&self) -> impl Future<Output = RpcResult<U128>> + Send;

    /// The same for transactions that a block can take; `full` is with all of them instead of their hashes.
    fn new_pending_transaction_filter(&self, full: bool) -> impl Future<Output = RpcResult<U128>> + Send;

    /// What has happened since the filter was last asked, or since it was made. Logs of blocks that were undone come
    /// again, with `removed`.
    fn filter_changes(&self, id: U128) -> impl Future<Output = RpcResult<FilterChanges>> + Send;

    /// All logs that a filter for logs matches, as [`FilterApi::logs`] finds them.
    fn filter_logs(&self, id: U128) -> impl Future<Output = RpcResult<Vec<Log>>> + Send;

    /// Forgets a filter; whether there was one.
    fn uninstall_filter(&self, id: U128) -> impl Future<Output = RpcResult<bool>> + Send;
}

methods! {
    FilterApi;

    /// Logs that match, of a range of blocks or of one block, in order.
    eth_getLogs(filter: Filter) -> "list of logs" = |api| api.logs(filter).await;

    /// A filter that tells of logs. It is forgotten if it is not asked for five minutes.
    eth_newFilter(filter: Filter) -> "filter id" = |api| api.new_filter(filter).await;

    /// A filter that tells of blocks. It is forgotten if it is not asked for five minutes.
    eth_newBlockFilter() -> "filter id" = |api| api.new_block_filter().await;

    /// A filter that tells of transactions that a block can take, all of them or their hashes. It is forgotten if it
    /// is not asked for five minutes.
    eth_newPendingTransactionFilter(full: Option<bool>) -> "filter id"
        = |api| api.new_pending_transaction_filter(full.unwrap_or(false)).await;

    /// What a filter has to tell since it was last asked. Logs of blocks that were undone come again, with `removed`.
    eth_getFilterChanges(id: U128) -> "list of logs, hashes or transactions"
        = |api| api.filter_changes(id).await;

    /// All logs that a filter for logs matches, as `eth_getLogs` finds them.
    eth_getFilterLogs(id: U128) -> "list of logs" = |api| api.filter_logs(id).await;

    /// Forgets a filter; whether there was one.
    eth_uninstallFilter(id: U128) -> "boolean" = |api| api.uninstall_filter(id).await;
}
