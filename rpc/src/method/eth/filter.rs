//! Logs, searched for.

use crate::{error::RpcResult, method::methods, view::Log};
use alloy_rpc_types_eth::Filter;
use std::future::Future;

/// Logs, searched for.
pub trait FilterApi: Send + Sync + 'static {
    /// Logs that match, in order.
    fn logs(&self, filter: Filter) -> impl Future<Output = RpcResult<Vec<Log>>> + Send;
}

methods! {
    FilterApi;

    /// Logs that match, of a range of blocks or of one block, in order.
    eth_getLogs(filter: Filter) -> "list of logs" = |api| api.logs(filter).await;
}
