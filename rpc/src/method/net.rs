//! `net_`: what the node's network looks like.

use super::{add_method, nothing};
use crate::error::RpcResult;
use alloy_primitives::U64;
use jsonrpsee::RpcModule;
use std::future::Future;

/// What a node answers in the `net_` namespace.
pub trait NetApi: Send + Sync + 'static {
    /// The EVM chain id of the shard.
    fn network_id(&self) -> u64;

    /// How many peers the node is connected to.
    fn peer_count(&self) -> impl Future<Output = RpcResult<u64>> + Send;
}

pub(super) fn add<A: NetApi>(module: &mut RpcModule<A>) {
    add_method(module, "net_version", nothing, |api, ()| async move { Ok(api.network_id().to_string()) });
    add_method(module, "net_listening", nothing, |_, ()| async move { Ok(true) });
    add_method(
        module,
        "net_peerCount",
        nothing,
        |api, ()| async move { Ok(U64::from(api.peer_count().await?)) },
    );
}
