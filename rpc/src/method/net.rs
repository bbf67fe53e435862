//! `net_`: what the node's network looks like.

use super::methods;
use crate::error::RpcResult;
use alloy_primitives::U64;
use std::future::Future;

/// What a node answers in the `net_` namespace.
pub trait NetApi: Send + Sync + 'static {
    /// The EVM chain id of the shard.
    fn network_id(&self) -> u64;

    /// How many peers the node is connected to.
    fn peer_count(&self) -> impl Future<Output = RpcResult<u64>> + Send;
}

methods! {
    NetApi;

    /// The EVM chain id of the shard, in decimal.
    net_version() -> "text" = |api| Ok(api.network_id().to_string());

    /// Whether the node takes connections; it does.
    net_listening() -> "boolean" = |_api| Ok(true);

    /// How many other nodes of its committee the node is connected to.
    net_peerCount() -> "quantity" = |api| Ok(U64::from(api.peer_count().await?));
}
